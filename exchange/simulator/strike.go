package simulator

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// firing is the faults that strike one call.
type firing []strike

func (f firing) has(action Action) bool {
	return slices.ContainsFunc(f, func(fault strike) bool { return fault.Do == action })
}

// prepare does what comes before a call: delays and other people's changes.
func (s *Service) prepare(ctx context.Context, fired firing, parameters map[string]json.RawMessage) error {
	for _, fault := range fired {
		switch fault.Do {
		case DoDelay:
			if err := s.wait(ctx, fault.Delay); err != nil {
				return err
			}
		case DoRun:
			if fault.Run != nil {
				fault.Run(s.tenant)
			}
		case DoCreateMailbox, DoRenameMailbox, DoDeleteMailbox:
			s.meanwhile(fault, parameters)
		}
	}
	return nil
}

// refusal is the first fault that answers instead of the cmdlet.
func (s *Service) refusal(f firing, in invocation) *apiError {
	for _, fault := range f {
		switch fault.Do {
		case DoThrottle:
			return throttled(fault.RetryAfter)
		case DoStatus:
			return statusError(fault.Status)
		case DoTransient:
			return &apiError{status: http.StatusInternalServerError, message: "Internal server error", kind: typeTransient, text: "The LDAP server is unavailable.", spelling: spellNoDetails}
		case DoRefuse:
			return refusedCmdlet()
		case DoUnauthenticated:
			return unauthenticated()
		case DoLoseCursor:
			return cursorError()
		case DoRedirect:
			return &apiError{status: http.StatusFound, spelling: spellEmptyBody, header: http.Header{
				"Location": {"https://" + fault.Host + in.path},
			}}
		case DoRegional:
			return &apiError{status: http.StatusFound, spelling: spellEmptyBody, header: http.Header{
				"Location": {"https://" + fault.region() + internalHosts + ":446" + in.path},
			}}
		case DoChallenge:
			return challenged(fault.Text, s.now())
		case DoNeedsProxy:
			return needsProxy(s.backendOf(s.anchorDomain(in.header.Get("X-AnchorMailbox"))), s.backendOf("proxy."+s.tenant.Domain()))
		}
	}
	return nil
}

// throttled is a 429. Its JSON is not known (wire 5.3); this one has the usual envelope.
func throttled(retryAfter time.Duration) *apiError {
	err := &apiError{
		status: http.StatusTooManyRequests, message: "Too many requests", category: "Client", kind: "ThrottlingError",
		text: "The request was throttled.", spelling: spellTypeText, header: http.Header{},
	}
	if retryAfter > 0 {
		err.header.Set("Retry-After", strconv.Itoa(int((retryAfter+time.Second-1)/time.Second)))
	}
	return err
}

func statusError(status int) *apiError {
	err := &apiError{status: status, message: http.StatusText(status), kind: typeSystem, text: http.StatusText(status), spelling: spellNoDetails}
	if status == http.StatusBadGateway || status == http.StatusGatewayTimeout {
		err.spelling = spellHTML
	}
	return err
}

// alter changes a success before it is written, and says what it links to.
func (f firing) alter(c *call, out *outcome, link string) string {
	for _, fault := range f {
		switch fault.Do {
		case DoDuplicateRow:
			out.repeat(fault.Row)
		case DoErrorInside:
			out.failures = append(out.failures, fault.Text)
		case DoWarn:
			out.warnings = append(out.warnings, fault.Text)
		case DoDropNextLink:
			if link == "" {
				out.warnings = append(out.warnings, warningMoreResults)
			}
			link = ""
		case DoRepeatNextLink:
			if token := queryOption(c.in.query, "$skiptoken"); token != "" {
				link = c.link(token)
			}
		case DoForeignNextLink:
			if u, err := url.Parse(link); err == nil && link != "" {
				u.Host = fault.Host
				link = u.String()
			}
		case DoCutBody, DoBreakBody:
			if fault.Row > 0 && fault.Row < len(out.ends) {
				out.value = out.value[:out.ends[fault.Row-1]]
			}
		}
	}
	return link
}

// damage spoils an answer that is ready to be sent.
func (f firing) damage(answer reply) reply {
	for _, fault := range f {
		sound := len(answer.body) / 2
		if fault.Row > 0 {
			sound = max(0, len(answer.body)-1)
		}
		switch fault.Do {
		case DoCutBody:
			answer.body = answer.body[:sound]
		case DoBreakBody:
			answer.breaks, answer.sound = true, sound
		case DoDropConnection:
			answer.unanswered = true
		case DoWrongGzip:
			answer.declareGzip(fault.Text == GzipDamaged)
		case DoDropItem:
			answer.dropped = true
		case DoDropStatus:
			answer.statusless = true
		}
	}
	return answer
}
