package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// invocation is one InvokeCommand on its way in: a request of its own or a batch item.
type invocation struct {
	method, scheme, host, path, tenant string
	query                              url.Values
	header                             http.Header
	body                               []byte
	item                               string // Id of the batch item.
	inBatch                            bool
	entry                              *Call
}

func (in invocation) root() string {
	return in.scheme + "://" + in.host + "/adminapi/beta/" + in.tenant
}

// call is an invocation whose cmdlet is known.
type call struct {
	s          *Service
	in         invocation
	cmdlet     *cmdlet
	parameters map[string]json.RawMessage // By canonical name.
	whatIf     bool
	validate   bool // Confirm: true, which asks and changes nothing (wire 1.2).
	domain     string
	backend    string
	now        time.Time
	from       cursor
	fired      firing
	continued  bool
}

// outcome is what a cmdlet gives back.
type outcome struct {
	value        []byte // JSON array; nil for a cmdlet without output.
	ends         []int  // End of each row in value.
	next         int    // Position of the next row, or -1.
	left         int
	warnings     []string
	failures     []string // @adminapi.errors
	confirmation string
}

func nothing(warnings ...string) outcome { return outcome{next: -1, warnings: warnings} }

// request is the body of InvokeCommand (wire 1.1).
type request struct {
	CmdletInput *struct {
		CmdletName        string          `json:"CmdletName"`
		Parameters        json.RawMessage `json:"Parameters"`
		ChangedProperties json.RawMessage `json:"ChangedProperties"`
	} `json:"CmdletInput"`
}

func (s *Service) invoke(ctx context.Context, in invocation) (reply, error) {
	token := queryOption(in.query, "$skiptoken")
	if refusal := s.verb(in.method, token); refusal != nil {
		return *refusal, nil
	}
	name, parameters, refusal := s.command(in, token)
	if refusal != nil {
		return refusal.reply(), nil
	}
	note := Invocation{Cmdlet: name, Anchor: in.header.Get("X-AnchorMailbox"), Item: in.item}
	done := s.log.invocation(in.entry, note, parameters)
	fired := s.faults.fire(in.event(name, token != "", parameters))
	if err := s.prepare(ctx, fired, parameters); err != nil {
		return reply{}, err
	}
	s.moment(MomentReceived, note, parameters)
	var answer reply
	refusal = s.refusal(fired, in)
	if refusal == nil {
		refusal = s.throttle.refusal(s.now())
	}
	if refusal != nil {
		answer = refusal.reply()
	} else {
		answer = s.run(in, name, parameters, token, fired)
	}
	done(answer.status)
	note.Status = answer.status
	s.moment(MomentDone, note, parameters)
	return fired.damage(answer), nil
}

// verb says whether the method fits: POST, and for a next link what the switch says.
func (s *Service) verb(method, token string) *reply {
	post, get := true, false
	if token != "" {
		post = s.switches.NextLink != NextLinkGet
		get = s.switches.NextLink != NextLinkPost
	}
	if method == http.MethodPost && post || method == http.MethodGet && get {
		return nil
	}
	answer := plainReply(http.StatusMethodNotAllowed)
	answer.header.Set("Allow", map[bool]string{true: "POST", false: "GET"}[post])
	return &answer
}

// command reads the cmdlet and its parameters; a GET of a next link has no body, and
// its cursor knows them.
func (s *Service) command(in invocation, token string) (string, map[string]json.RawMessage, *apiError) {
	if in.method == http.MethodGet {
		from, ok := s.cursors.open(token, s.now())
		if !ok {
			return "", nil, cursorError()
		}
		return from.cmdlet, from.parameters, nil
	}
	var body request
	if err := json.Unmarshal(in.body, &body); err != nil {
		return "", nil, bindingError(typeSystem, "The request body is not valid JSON: %v", err)
	}
	if body.CmdletInput == nil || body.CmdletInput.CmdletName == "" {
		return "", nil, bindingError(typeSystem, "The request body has no CmdletInput with a CmdletName.")
	}
	var parameters map[string]json.RawMessage
	if err := json.Unmarshal(body.CmdletInput.Parameters, &parameters); err != nil || parameters == nil {
		return "", nil, bindingError(typeSystem, "Parameters must be an object.")
	}
	return body.CmdletInput.CmdletName, parameters, nil
}

func (s *Service) run(in invocation, name string, parameters map[string]json.RawMessage, token string, fired firing) reply {
	c := &call{s: s, in: in, cmdlet: s.cmdlets[strings.ToLower(name)], fired: fired, now: s.now()}
	if refusal := s.unserved(in, name); refusal != nil {
		return refusal.reply()
	}
	if c.cmdlet == nil {
		if knownCmdlet(name) {
			return unmodelled("cmdlet %s", name).reply()
		}
		return refusedCmdlet().reply()
	}
	if !s.role.permits(name) {
		return refusedCmdlet().reply()
	}
	c.domain = s.anchorDomain(in.header.Get("X-AnchorMailbox"))
	c.backend = s.backendOf(c.domain)
	refusal := c.roleRefusal(parameters)
	if refusal == nil {
		refusal = c.bind(parameters)
	}
	if refusal == nil && token != "" {
		refusal = c.resume(token)
	}
	if refusal == nil && fired.has(DoNotHydrated) && hasVerb(c.cmdlet.name, "Set-") {
		refusal = c.notHydrated()
	}
	var out outcome
	if refusal == nil {
		out, refusal = c.cmdlet.run(c)
	}
	var answer reply
	if refusal != nil {
		answer = refusal.reply()
	} else {
		answer = c.render(out)
	}
	answer.header.Set("X-CalculatedBETarget", c.backend+".EURPRD01.PROD.OUTLOOK.COM")
	answer.header.Set("Cmdlet-Name", c.cmdlet.name)
	return answer
}

// resume finds the listing a skip token goes on with. It must be the same cmdlet,
// parameters and anchor domain as on the first page (wire 1.6).
func (c *call) resume(token string) *apiError {
	from, ok := c.s.cursors.open(token, c.now)
	if !ok || from.domain == "" || from.domain != c.domain || from.host != c.in.host || !c.cmdlet.read {
		return cursorError()
	}
	if c.in.method == http.MethodPost && from.body != c.canonicalBody() {
		return cursorError()
	}
	c.from, c.continued = from, true
	return nil
}

// canonicalBody is the cmdlet and its parameters, free of spacing and order.
func (c *call) canonicalBody() string {
	var b strings.Builder
	b.WriteString(c.cmdlet.name)
	for _, name := range slices.Sorted(maps.Keys(c.parameters)) {
		b.WriteString("\n" + name + "=")
		var compact bytes.Buffer
		if json.Compact(&compact, c.parameters[name]) == nil {
			b.Write(compact.Bytes())
		}
	}
	return b.String()
}

const warningMoreResults = "There are more results available than are currently displayed. To view them, increase the value for the ResultSize parameter."

// render writes the envelope (wire 1.5).
func (c *call) render(out outcome) reply {
	link := ""
	if out.next >= 0 {
		out.warnings = append(out.warnings, warningMoreResults)
		token := c.s.cursors.keep(c.s.tenant.gen.ids, c.backend, cursor{
			cmdlet: c.cmdlet.name, parameters: c.parameters, body: c.canonicalBody(),
			domain: c.domain, host: c.in.host, position: out.next, left: out.left,
		}, c.now)
		link = c.link(token)
	}
	link = c.fired.alter(c, &out, link)
	setter := out.value == nil && out.confirmation == "" && len(out.failures) == 0
	if setter && c.s.switches.SetBody == SetBodyEmptyBody && len(out.warnings) == 0 {
		return plainReply(http.StatusOK)
	}
	b := append(make([]byte, 0, len(out.value)+1024), `{"@odata.context":`...)
	b = appendString(b, c.in.root()+"/$metadata#Collection(Exchange.GenericHashTable)")
	if link != "" {
		b = append(b, `,"@odata.nextLink":`...)
		b = appendString(b, link)
	}
	b = append(b, `,"adminapi.warnings@odata.type":"#Collection(String)","@adminapi.warnings":`...)
	b = appendList(b, out.warnings)
	if len(out.failures) > 0 {
		b = append(b, `,"@adminapi.errors":`...)
		b = appendList(b, out.failures)
	}
	if out.confirmation != "" {
		b = append(b, `,"@adminapi.confirmationmessage":`...)
		b = appendString(b, out.confirmation)
	}
	switch {
	case c.fired.has(DoAbsentValue):
	case c.fired.has(DoNullValue) || out.value == nil && c.s.switches.SetBody == SetBodyNullValue:
		b = append(b, `,"value":null`...)
	case out.value != nil:
		b = append(b, `,"value":`...)
		b = append(b, out.value...)
	case c.s.switches.SetBody == SetBodyEmptyArray:
		b = append(b, `,"value":[]`...)
	}
	b = append(b, '}')
	answer := jsonReply(http.StatusOK, b)
	answer.header.Set("Preference-Applied", `odata.include-annotations="*"`)
	return answer
}

// link is the next link: the address of the request with the token, $ escaped as the
// service escapes it (wire 1.6).
func (c *call) link(token string) string {
	link := c.in.root() + "/InvokeCommand?"
	if fields := queryOption(c.in.query, "$select"); fields != "" {
		link += "%24select=" + url.QueryEscape(fields) + "&"
	}
	return link + "%24skiptoken=" + url.QueryEscape(token)
}

// pageSize is Prefer's odata.maxpagesize, 1000 if absent or above (wire 1.6).
func (c *call) pageSize() int {
	most := 1000
	if c.s.pageMost > 0 {
		most = min(most, c.s.pageMost)
	}
	for _, prefer := range c.in.header.Values("Prefer") {
		for preference := range strings.FieldsFuncSeq(prefer, func(r rune) bool { return r == ';' || r == ',' }) {
			name, value, ok := strings.Cut(preference, "=")
			if !ok || !strings.EqualFold(strings.TrimSpace(name), "odata.maxpagesize") {
				continue
			}
			if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && n > 0 {
				return min(n, most)
			}
		}
	}
	return most
}
