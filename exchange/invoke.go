package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// The cmdlets of this client, by the names that the service documents.
const (
	cmdletGetMailbox       = "Get-Mailbox"
	cmdletSetMailbox       = "Set-Mailbox"
	cmdletGetBypass        = "Get-MailboxAuditBypassAssociation"
	cmdletSetBypass        = "Set-MailboxAuditBypassAssociation"
	cmdletGetOrganization  = "Get-OrganizationConfig"
	cmdletSetOrganization  = "Set-OrganizationConfig"
	cmdletGetAdminAuditLog = "Get-AdminAuditLogConfig"
	cmdletSetAdminAuditLog = "Set-AdminAuditLogConfig"
	cmdletEnableCustomize  = "Enable-OrganizationCustomization"
	cmdletGetUser          = "Get-User"
)

// headerCmdlet names the cmdlet beside the body (wire 1.3).
const headerCmdlet = "X-CmdletName"

const actionInvoke = "InvokeCommand"

const preferPage = "odata.maxpagesize=1000"

// params are the parameters of a cmdlet, in the JSON forms of wire 1.2: text,
// true and false, [hashTable].
type params map[string]any

// hashTable is how PowerShell's @{Add=…; Remove=…} is sent. The type annotation
// is needed, or the service does not bind it (wire 1.2).
type hashTable struct {
	Type   string   `json:"@odata.type"`
	Add    []string `json:",omitempty"`
	Remove []string `json:",omitempty"`
}

// encode writes the changes of a list. An empty one must not come here: sent, it
// would clear the list (wire 1.2).
func (l *ListEdit) encode() any {
	if l.Replace != nil {
		return l.Replace
	}
	return hashTable{Type: "#Exchange.GenericHashTable", Add: l.Add, Remove: l.Remove}
}

// invocation is one run of a cmdlet.
type invocation struct {
	kind     callKind
	cmdlet   string
	params   params
	selected []string // properties to return; nil means all
	anchor   anchor
}

// body encodes the call's envelope (wire 1.1). Parameters are sorted by name and
// always an object.
func (v invocation) body() envelope {
	p := v.params
	if p == nil {
		p = params{}
	}
	return envelope{Input: cmdletInput{Name: v.cmdlet, Parameters: p}}
}

type envelope struct {
	Input cmdletInput `json:"CmdletInput"`
}

type cmdletInput struct {
	Name       string `json:"CmdletName"`
	Parameters params
}

// query returns $select as the raw query. A selection always has the Guid.
func (v invocation) query() string {
	if len(v.selected) == 0 {
		return ""
	}
	list := strings.Join(v.selected, ",")
	if !containsFold(v.selected, "Guid") {
		list = "Guid," + list
	}
	return "$select=" + list
}

func containsFold(list []string, s string) bool {
	for _, element := range list {
		if strings.EqualFold(element, s) {
			return true
		}
	}
	return false
}

// checkSelected refuses names that could be more than a name in the query.
func checkSelected(cmdlet string, selected []string) error {
	for _, name := range selected {
		if name == "" || strings.ContainsFunc(name, isNoNameRune) {
			return invalidCall(cmdlet, "%q is not the name of a property", name)
		}
	}
	return nil
}

func isNoNameRune(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	default:
		return true
	}
}

// checkIdentity refuses an identity that names nothing: a Get without one
// returns all objects (wire 1.2), and a Set might find another.
func checkIdentity(cmdlet, identity string) error {
	if strings.TrimSpace(identity) == "" {
		return invalidCall(cmdlet, "the identity is empty")
	}
	return nil
}

// checkGUID refuses an identity that is not a GUID, as names are not unique.
func checkGUID(cmdlet, identity string) error {
	if err := checkIdentity(cmdlet, identity); err != nil {
		return err
	}
	if !isGUID(identity) {
		return invalidCall(cmdlet, "the identity %q is not a GUID", identity)
	}
	return nil
}

// call encodes the invocation as an HTTP call of its own.
func (c *Client) call(v invocation) (call, error) {
	body, err := json.Marshal(v.body())
	if err != nil {
		return call{}, callError(v.cmdlet, err)
	}
	q := call{
		kind:    v.kind,
		cmdlet:  v.cmdlet,
		cmdlets: []string{v.cmdlet},
		method:  http.MethodPost,
		path:    c.endpoint.path(actionInvoke),
		query:   v.query(),
		body:    func(endpoint, string) ([]byte, error) { return body, nil },
		anchor:  v.anchor,
		prefer:  preferPage,
		header:  map[string]string{headerCmdlet: v.cmdlet},
		id:      newID(),
		timeout: c.timeoutOf(v.cmdlet),
	}
	if v.kind == read {
		q.sound = soundRead(v.cmdlet)
	}
	return q, nil
}

// soundRead looks into the answer to a read: one that was cut short or has no
// rows where even an empty list is written out, or that carries errors, is asked
// for again. What the service was sure of is not: a question back, and an object
// that does not exist.
func soundRead(cmdlet string) func(*response) error {
	return func(resp *response) error {
		a, err := outcome{cmdlet: cmdlet, resp: *resp}.answer()
		if incomplete, ok := errors.AsType[*IncompleteError](err); ok {
			return incomplete
		}
		resp.known = &decoded{a, err}
		switch {
		case err == nil && a.valueState != Set:
			return outcome{cmdlet: cmdlet, resp: *resp}.incomplete(ReasonNoValue, nil)
		case a.reason == ReasonConfirmation || IsNotFound(err):
			return nil
		default:
			return err
		}
	}
}

// timeoutOf is the module's own patience (wire 1.7).
func (c *Client) timeoutOf(cmdlet string) time.Duration {
	switch {
	case c.timeout > 0:
		return c.timeout
	case cmdlet == cmdletSetOrganization:
		return 1860 * time.Second
	default:
		return 960 * time.Second
	}
}

// invoke runs one cmdlet in a call of its own.
func (c *Client) invoke(ctx context.Context, v invocation) outcome {
	q, err := c.call(v)
	if err != nil {
		return outcome{err: err}
	}
	resp, err := c.do(ctx, c.newSession(), q)
	return outcome{cmdlet: v.cmdlet, resp: resp, err: err}
}

// decoded is what was read of a success.
type decoded struct {
	answer answer
	err    error
}

// outcome is what came of one invocation, alone or in a batch.
type outcome struct {
	cmdlet string
	resp   response
	err    error
	// warnings are those of the batch around it.
	warnings []string
}

// incomplete is why the outcome is not whole.
func (o outcome) incomplete(reason Reason, err error) *IncompleteError {
	e := &IncompleteError{Cmdlet: o.cmdlet, Reason: reason, Err: err}
	e.RequestID, e.ClientRequestID = o.resp.ids()
	return e
}

// answer decodes a success. Errors inside it, a question instead of it, and an
// error envelope in its place are failures; rows may still be in the answer
// beside the former two, which have a reason.
func (o outcome) answer() (answer, error) {
	if o.err != nil {
		return answer{}, o.err
	}
	if o.resp.cut != nil {
		return answer{}, o.incomplete(ReasonTruncated, o.resp.cut)
	}
	if o.resp.known != nil {
		return o.resp.known.answer, o.resp.known.err
	}
	a, err := decodeAnswer(o.resp.body)
	if err != nil {
		return answer{}, o.incomplete(ReasonTruncated, err)
	}
	for _, warning := range o.resp.header.Values("X-Warnings") {
		a.warnings = append(a.warnings, headerWarnings(warning)...)
	}
	a.warnings = append(a.warnings, o.warnings...)
	err = a.judge(o.cmdlet, o.resp.header)
	return a, err
}

// judge looks for what makes a failure of a success.
func (a *answer) judge(cmdlet string, header http.Header) error {
	switch {
	case a.failure != nil:
		return failureInside(cmdlet, header, a.failure)
	case len(a.errors) > 0:
		a.reason, a.inside = ReasonErrors, errorsInside(cmdlet, header, a.errors)
	case a.confirmation != "":
		e := newError(cmdlet, http.StatusOK, header, nil)
		e.Message = "the service asked for a confirmation and changed nothing: " + redact(clean(a.confirmation))
		a.reason, a.inside = ReasonConfirmation, e
	}
	return a.inside
}

// headerWarnings reads the X-Warnings header (wire 1.5), whose form is not
// known: a JSON list of texts, or a text.
func headerWarnings(value string) []string {
	var list []string
	if json.Unmarshal([]byte(value), &list) != nil {
		list = []string{value}
	}
	out := make([]string, 0, len(list))
	for _, s := range list {
		if s = redact(clean(s)); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// written judges the answer to a write: a success may have an empty list, null,
// nothing, or no body at all (wire 1.5).
func (o outcome) written() Result[struct{}] {
	a, err := o.answer()
	r := Result[struct{}]{Err: err, Warnings: a.warnings}
	for _, warning := range a.warnings {
		if classify(o.cmdlet, warning) == warningNothingModified {
			r.Unchanged = true
		}
	}
	r.Unchanged = r.Unchanged && r.Err == nil
	return r
}

// wanting is why the one page that should hold one row is not whole.
func (o outcome) wanting(reason Reason, rows int, err error) error {
	e := o.incomplete(reason, err)
	e.Pages, e.Rows = 1, rows
	return e
}

// one judges the answer to a read of one object: exactly one row, and nothing
// that says there is more.
func one[T any](o outcome, find finder[T]) Result[T] {
	var r Result[T]
	a, err := o.answer()
	r.Warnings = a.warnings
	if err != nil {
		if a.reason != "" {
			err = o.wanting(a.reason, 0, err)
		}
		r.Err = err
		return r
	}
	if a.valueState != Set {
		r.Err = o.wanting(ReasonNoValue, 0, nil)
		return r
	}
	count := 0
	err = rows(a, nil, find, func(row T) bool {
		r.Value, count = row, count+1
		return true
	})
	if err == nil && a.nextLink != "" {
		err = errors.New("there is a link to more")
	}
	if err != nil || count != 1 {
		var zero T
		r.Value = zero
		r.Err = o.wanting(ReasonRowCount, count, err)
		return r
	}
	for _, warning := range a.warnings {
		if classify(o.cmdlet, warning) == warningMoreResults {
			r.Err = o.wanting(ReasonMoreResults, count, nil)
		}
	}
	return r
}

// Result is what came of one object of a batch, or of one write. Err is nil where
// it succeeded. Unchanged tells that the service says that a write found nothing
// to do (semantics 1.3 E5); mind that it also says so where a default that covers
// the mailbox hides its stored value (semantics 2.2).
type Result[T any] struct {
	Value     T
	Err       error
	Warnings  []string
	Unchanged bool
}
