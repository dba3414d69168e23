package exchange

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Error is a failed call: the service answered with a failure, or did not
// answer. Its texts come from the service, bounded and with anything that looks
// like a token removed.
type Error struct {
	// Cmdlet is the cmdlet that was called, "$batch" for a whole batch.
	Cmdlet string
	// Status is the HTTP status of the call or of the batch item; 0 where there
	// was no answer, 200 where the failure stood inside a success.
	Status int
	// Code is the error code of the envelope, such as "NotFound".
	Code string
	// Type is the .NET type of the exception, the best that was found.
	Type string
	// Message is the best of the texts of the answer; it may be empty.
	Message string
	// Target is what the service says the error is about; often empty.
	Target string
	// RequestID is the service's id of the request.
	RequestID string
	// ClientRequestID is the id that this client gave the call.
	ClientRequestID string
	// RetryAfter is the wait that the service asked for; 0 where it did not.
	RetryAfter time.Duration
	// Backend is the server that worked on the call, as far as headers tell.
	Backend string
	// Diagnostics is what x-ms-diagnostics gives as a reason; often the only one
	// with a 403 (wire 5.2).
	Diagnostics string
	// Claims tells that the 401 carried a claims challenge, so that only a new
	// token can help (wire 5.2).
	Claims bool
	// Warnings are those that came with the error.
	Warnings []string
	// Err is the cause where there was no usable answer, else nil.
	Err error
	// details is how many failures the answer told of; Message is the first.
	details int
}

// Error says which cmdlet failed, how, and what to do where that is known.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Cmdlet)
	b.WriteString(": ")
	switch {
	case e.Status == 0 && e.Err != nil:
		b.WriteString(e.Err.Error())
	case e.Status == http.StatusOK:
		b.WriteString("error inside a success")
	default:
		fmt.Fprintf(&b, "HTTP %d", e.Status)
		if e.Code != "" {
			b.WriteString(" " + e.Code)
		}
	}
	if text := e.text(); text != "" {
		b.WriteString(": " + text)
	}
	if e.Type != "" {
		b.WriteString(" (" + e.Type + ")")
	}
	b.WriteString(idText(e.RequestID, e.ClientRequestID))
	return redact(b.String())
}

// text is the service's message, or advice where it says nothing.
func (e *Error) text() string {
	switch {
	case e.Message != "":
		return e.Message
	case e.Diagnostics != "":
		return e.Diagnostics
	case e.Status != 0 && e.Status != http.StatusOK && e.Err != nil:
		return e.Err.Error()
	case e.Status == http.StatusForbidden:
		return "the service knows no such cmdlet or no role of this application includes it; check the application's directory role"
	case e.Status == http.StatusUnauthorized:
		return "the token was not accepted; check that the application has Exchange.ManageAsApp and a directory role"
	default:
		return ""
	}
}

// Unwrap returns the cause, if any.
func (e *Error) Unwrap() error { return e.Err }

// hasType tells whether the exception type ends in name, whatever its namespace.
func (e *Error) hasType(name string) bool {
	return e.Type == name || strings.HasSuffix(e.Type, "."+name)
}

// TokenError means that the token source gave no usable token, so no call was
// made. The text of its cause is scrubbed of anything that looks like a token.
type TokenError struct{ Err error }

// Error says what the token source answered.
func (e *TokenError) Error() string { return redact("no token: " + e.Err.Error()) }

// Unwrap returns the token source's error.
func (e *TokenError) Unwrap() error { return e.Err }

// RedirectError means that the service answered with a redirect that was not
// followed: the token is for the endpoint's host only, and the host of a redirect
// is one that the service keeps to itself (wire 1.7). The one that is followed is
// a 302 of a worldwide endpoint to an internal host of a region, once a call, and
// to the public host of that region.
type RedirectError struct {
	Cmdlet string
	Status int
	// RequestID is the service's id of the request, ClientRequestID this client's.
	RequestID, ClientRequestID string
	// Host is the host of the Location header; empty where there was none. It is
	// for the record and no endpoint.
	Host string
	// Regional is the public host of the region that the redirect names, to be
	// given as the endpoint; empty where it is not known.
	Regional string
	// follow is set where the call may be made in the region.
	follow bool
}

// redirected makes the error of a redirect.
func redirected(q call, resp response) error {
	e := &RedirectError{Cmdlet: q.cmdlet, Status: resp.status}
	e.RequestID, e.ClientRequestID = resp.ids()
	u, err := url.Parse(resp.header.Get("Location"))
	if err != nil {
		return e
	}
	e.Host, e.Regional = clean(u.Host), q.at.regional(u)
	e.follow = e.Status == http.StatusFound && e.Regional != "" && u.Scheme == "https" &&
		(isInternal(strings.ToLower(u.Hostname())) || q.at.compliance && strings.EqualFold(u.Host, e.Regional)) && e.Regional != q.at.base.Host
	return e
}

// Error names the host that the redirect led to.
func (e *RedirectError) Error() string {
	host := e.Host
	if host == "" {
		host = "an unnamed place"
	}
	s := fmt.Sprintf("%s: HTTP %d redirects to %s, which is not followed, as the token is for the endpoint's host only",
		e.Cmdlet, e.Status, host)
	if e.Regional != "" {
		s += "; if it persists, give https://" + e.Regional + " as the endpoint"
	}
	return s + idText(e.RequestID, e.ClientRequestID)
}

// unexpected makes the error of a status of success other than 200.
func unexpected(cmdlet string, resp response) error {
	return outcome{cmdlet: cmdlet, resp: resp}.incomplete(ReasonStatus, fmt.Errorf("HTTP %d", resp.status))
}

// idText names a request to those who are asked about it: by the service's id, or
// by this client's where no answer gave one.
func idText(request, client string) string {
	switch {
	case request != "":
		return " [request " + request + "]"
	case client != "":
		return " [client request " + client + "]"
	default:
		return ""
	}
}

// ErrInvalidCall is wrapped by the error of a call that was refused before it
// was made: an empty identity, more than [BatchSize] items, an edit that changes
// nothing.
var ErrInvalidCall = errors.New("call refused before it was made")

func invalidCall(cmdlet, format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", cmdlet, ErrInvalidCall, fmt.Sprintf(format, args...))
}

// asError finds the *Error in a chain.
func asError(err error) (*Error, bool) { return errors.AsType[*Error](err) }

// IsRefused tells a 403: the cmdlet as a whole is unknown to the service or not
// in any role of the application, or a parameter is not (wire 5.2).
func IsRefused(err error) bool {
	e, ok := asError(err)
	return ok && e.Status == http.StatusForbidden
}

// IsUnauthenticated tells a 401 that a new token did not cure, and the want of a
// token.
func IsUnauthenticated(err error) bool {
	if _, ok := errors.AsType[*TokenError](err); ok {
		return true
	}
	e, ok := asError(err)
	return ok && e.Status == http.StatusUnauthorized
}

// IsThrottled tells a 429 that waiting did not cure within the budget.
func IsThrottled(err error) bool {
	e, ok := asError(err)
	return ok && e.Status == http.StatusTooManyRequests
}

// IsNotFound tells that the object does not exist. The exception type decides,
// since a proxied call gives it with a 500 (wire 5.2); a 404 without the
// service's envelope, or of a whole batch, is not about an object.
func IsNotFound(err error) bool {
	e, ok := asError(err)
	if !ok {
		return false
	}
	return e.hasType("ManagementObjectNotFoundException") ||
		e.Type == "" && e.Status == http.StatusNotFound && e.Code == "NotFound" && e.Cmdlet != actionBatch
}

// IsNotHydrated tells that the tenant needs Enable-OrganizationCustomization
// first (semantics 1.3 E7).
func IsNotHydrated(err error) bool {
	e, ok := asError(err)
	return ok && (e.hasType("InvalidOperationInDehydratedContextException") ||
		strings.Contains(e.Message, "you first need to run the command: Enable-OrganizationCustomization"))
}

// IsTransient tells the failure of a server after which the service's own module
// tries again, whatever its status (wire 5.4). A write may have been executed.
func IsTransient(err error) bool {
	e, ok := asError(err)
	return ok && e.isTransient()
}

// IsNeedsProxy tells that the anchor led to the wrong backend and nothing was
// executed (semantics 1.3 E8). Only with a 400 that is certain: a server that
// gave up on another may have done so after it did its work.
func IsNeedsProxy(err error) bool {
	e, ok := asError(err)
	return ok && e.Status == http.StatusBadRequest &&
		(e.hasType("CmdletProxyNotAvailableException") || strings.HasPrefix(e.Message, "Cmdlet needs proxy"))
}

// IsUnlicensed tells that an audit action needs a licence that the mailbox lacks
// (semantics 1.3 E4).
func IsUnlicensed(err error) bool {
	e, ok := asError(err)
	return ok && strings.Contains(e.Message, "only available for users with appropriate license")
}

// IsAlreadyAudited tells that Set-Mailbox was refused because an added audit
// action is there already, and for nothing else (semantics 1.3 E6). It stays an
// error, since what became of the rest of the edit is not known: read back.
func IsAlreadyAudited(err error) bool {
	e, ok := asError(err)
	return ok && e.Cmdlet == cmdletSetMailbox && e.details == 1 &&
		(e.Status == http.StatusBadRequest || e.Status == http.StatusOK) &&
		strings.Contains(e.Message, "already being audited")
}

// IsCursorLost tells that the service lost the page cursor of a listing, which
// can be begun again.
func IsCursorLost(err error) bool {
	_, ok := errors.AsType[*CursorLostError](err)
	return ok
}

// IsIncomplete tells that a read ended without being whole.
func IsIncomplete(err error) bool {
	_, ok := errors.AsType[*IncompleteError](err)
	return ok
}
