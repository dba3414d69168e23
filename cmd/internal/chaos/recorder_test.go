package chaos

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// moment is what happened, in the order in which it happened: a write that
// arrived, an answer to one, or an object that was read.
type moment struct {
	step  int
	write *write // a write that arrived, or of which the answer came
	reply bool
	read  string // what a good answer held, as write.target spells it
}

// write is one cmdlet that changes something, as it reached the service.
type write struct {
	step       int
	cmdlet     string
	parameters map[string]any
	state      int // the newest state of the tenant when it came
	status     int // of its answer as the client could read it, 0 for none
	words      string
	unrecorded string // why no intent for it was on disk; empty where one was
}

// object is the Guid of what a mailbox or a bypass write is about.
func (w *write) object() string {
	id, _ := w.parameters["Identity"].(string)
	return strings.ToLower(id)
}

// target is what a write is about, and what a read of it is noted as: the noun
// of the cmdlet, and the object. Whether a tenant is hydrated is read with its
// configuration.
func (w *write) target() string {
	if w.cmdlet == "Enable-OrganizationCustomization" {
		return "OrganizationConfig"
	}
	_, noun, _ := strings.Cut(w.cmdlet, "-")
	return strings.TrimSuffix(noun+" "+w.object(), " ")
}

// dayRecorder is the way of every call: it notes what passes, sends Ctrl-C when
// its time has come, and keeps the states that the tenant goes through.
type dayRecorder struct {
	s         *scenario
	service   *simulator.Service
	authority *simulator.Authority
	journal   string // path
	offset    int64  // how much of it has been read
	intents   map[string]bool

	mu       sync.Mutex
	step     int
	requests int // of the present command
	when     int // the request that Ctrl-C waits for
	cancel   context.CancelCauseFunc
	signaled bool
	over     bool // the command asks without end
	states   []state
	moments  []moment
	tokens   map[string]bool
	twins    map[uint64]int
	calls    []string
}

// state is the tenant from a moment on.
type state struct {
	tenant *simulator.Tenant
	since  time.Time
}

// maxRequests bounds what one command may ask of such small tenants.
const maxRequests = 20000

// errEndless ends a command that asks without end.
var errEndless = errors.New("the command makes requests without end")

// RoundTrip implements [http.RoundTripper].
func (r *dayRecorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasPrefix(req.URL.Host, "login.") {
		return r.authority.RoundTripper().RoundTrip(req)
	}
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		if err = errors.Join(err, req.Body.Close()); err != nil {
			return nil, err
		}
	}
	if err := r.pace(req.Context(), req.URL.String(), body); err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Body = io.NopCloser(bytes.NewReader(body))
	cmdlets := invocations(body)
	writes := r.arrive(req, cmdlets)
	resp, err := r.service.RoundTripper().RoundTrip(req)
	return r.answered(req, cmdlets, writes, resp, err)
}

// pace gives each call a place of its own in time, so that calls which are made
// side by side arrive in the same order in every play of a seed.
func (r *dayRecorder) pace(ctx context.Context, url string, body []byte) error {
	h := fnv.New64a()
	_, _ = h.Write([]byte(url)) // never fails
	_, _ = h.Write(body)
	key := h.Sum64()
	r.mu.Lock()
	twin := r.twins[key]
	r.twins[key]++
	r.mu.Unlock()
	timer := time.NewTimer(time.Duration(1 + key%999983 + uint64(twin)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// invocation is one cmdlet of a request.
type invocation struct {
	item       string
	cmdlet     string
	parameters map[string]any
}

func (i invocation) writes() bool { return i.cmdlet != "" && !strings.HasPrefix(i.cmdlet, "Get-") }

// invocations reads the cmdlets of a request: one, or those of a batch.
func invocations(body []byte) []invocation {
	type input struct {
		CmdletInput struct {
			CmdletName string
			Parameters map[string]any
		}
	}
	var one input
	if json.Unmarshal(body, &one) == nil && one.CmdletInput.CmdletName != "" {
		return []invocation{{"", one.CmdletInput.CmdletName, one.CmdletInput.Parameters}}
	}
	var batch struct {
		Requests []struct {
			ID   string `json:"id"`
			Body input  `json:"body"`
		} `json:"requests"`
	}
	var out []invocation
	if json.Unmarshal(body, &batch) == nil {
		for _, item := range batch.Requests {
			out = append(out, invocation{item.ID, item.Body.CmdletInput.CmdletName, item.Body.CmdletInput.Parameters})
		}
	}
	return out
}

// arrive notes a request before it is served.
func (r *dayRecorder) arrive(req *http.Request, cmdlets []invocation) map[string]*write {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	r.tokens[strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")] = true
	if r.requests == r.when {
		r.signaled = true
		r.cancel(cli.SignalCause(os.Interrupt))
	}
	if r.requests > maxRequests && !r.over {
		r.over = true
		r.cancel(errEndless)
	}
	writes := map[string]*write{}
	var intended map[string]bool
	for _, i := range cmdlets {
		if !i.writes() {
			continue
		}
		if intended == nil {
			intended = r.intended()
		}
		w := &write{step: r.step, cmdlet: i.cmdlet, parameters: i.parameters, state: len(r.states) - 1}
		for _, key := range w.intents() {
			if !intended[key] {
				w.unrecorded = "no intent for " + key + " was on disk"
			}
		}
		writes[i.item] = w
		r.moments = append(r.moments, moment{step: r.step, write: w})
	}
	return writes
}

// intents are the keys of the intents that a write needs, see intended.
func (w *write) intents() []string {
	switch w.cmdlet {
	case "Set-MailboxAuditBypassAssociation":
		return []string{w.object() + " auditBypassEnabled"}
	case "Set-OrganizationConfig":
		return []string{"organization auditDisabled"}
	case "Set-AdminAuditLogConfig":
		return []string{"organization unifiedAuditLogIngestionEnabled"}
	case "Enable-OrganizationCustomization":
		return []string{"organization organizationCustomization"}
	}
	var keys []string
	for name := range w.parameters {
		if strings.HasPrefix(name, "Audit") || name == "DefaultAuditSet" {
			keys = append(keys, w.object()+" "+strings.ToLower(name[:1])+name[1:])
		}
	}
	slices.Sort(keys)
	return keys
}

// intended reads what has come to the journal on disk and gives the intents of
// the run that began last. Whether the lines are a chain is looked at in the end.
func (r *dayRecorder) intended() map[string]bool {
	f, err := os.Open(r.journal)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.NewSectionReader(f, r.offset, 1<<40))
	if err != nil {
		return nil
	}
	for line := range bytes.Lines(data) {
		var l struct{ Entry journal.Entry }
		if !bytes.HasSuffix(line, []byte("\n")) || json.Unmarshal(line, &l) != nil {
			break
		}
		r.offset += int64(len(line))
		if l.Entry.Begin != nil {
			clear(r.intents)
		}
		if i := l.Entry.Intent; i != nil && (i.Inverse.Setting != "" || i.Inverse.None != "") {
			r.intents[strings.ToLower(i.Subject.ID)+" "+string(i.Setting)] = true
		}
	}
	return r.intents
}

// answered notes an answer as the client will see it, and the state after it.
func (r *dayRecorder) answered(req *http.Request, cmdlets []invocation, writes map[string]*write, resp *http.Response, err error) (*http.Response, error) {
	var body []byte
	var broken error
	if err == nil {
		body, broken = io.ReadAll(resp.Body)
		if closed := resp.Body.Close(); closed != nil {
			return nil, closed
		}
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{broken}))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(writes) > 0 || r.s.restless() {
		r.snapshot()
	}
	status := 0
	if err == nil {
		status = resp.StatusCode
	}
	r.note(req, cmdlets, status, cmp.Or(err, broken))
	items := batchReplies(body)
	for _, i := range cmdlets {
		got := reply{status, body}
		if i.item != "" && status == http.StatusOK {
			got = items[i.item]
		}
		if broken != nil {
			got.status = 0
		}
		if w := writes[i.item]; w != nil {
			w.status, w.words = got.status, string(got.body)
			r.moments = append(r.moments, moment{step: r.step, write: w, reply: true})
		}
		if got.status == http.StatusOK && !i.writes() {
			r.read(i.cmdlet, got.body)
		}
	}
	if len(cmdlets) == 0 { // a next link that was got, not posted
		r.read("Get-Mailbox", body)
		r.read("Get-MailboxAuditBypassAssociation", body)
	}
	return resp, err
}

// snapshot keeps the tenant as it is now.
func (r *dayRecorder) snapshot() {
	r.states = append(r.states, state{r.s.tenant.Snapshot(), time.Now()})
}

// reply is an answer to one cmdlet.
type reply struct {
	status int
	body   []byte
}

func batchReplies(body []byte) map[string]reply {
	var batch struct {
		Responses []struct {
			ID     string          `json:"id"`
			Status int             `json:"status"`
			Body   json.RawMessage `json:"body"`
		} `json:"responses"`
	}
	out := map[string]reply{}
	if json.Unmarshal(body, &batch) == nil {
		for _, item := range batch.Responses {
			out[item.ID] = reply{item.Status, item.Body}
		}
	}
	return out
}

// read notes the objects that an answer holds.
func (r *dayRecorder) read(cmdlet string, body []byte) {
	var page struct {
		Value []struct{ Guid string } `json:"value"`
	}
	if json.Unmarshal(body, &page) != nil {
		return
	}
	noun := strings.TrimPrefix(cmdlet, "Get-")
	for _, row := range page.Value {
		target := noun
		if noun == "Mailbox" || noun == "MailboxAuditBypassAssociation" {
			target += " " + strings.ToLower(row.Guid)
		}
		r.moments = append(r.moments, moment{step: r.step, read: target})
	}
}

// note keeps a line for whoever replays a seed.
func (r *dayRecorder) note(req *http.Request, cmdlets []invocation, status int, err error) {
	names := make([]string, len(cmdlets))
	for i, c := range cmdlets {
		names[i] = c.cmdlet
		if c.writes() {
			text, _ := json.Marshal(c.parameters) // came as JSON
			names[i] += string(text)
		}
	}
	line := fmt.Sprintf("%d.%d %s %s %s: %d", r.step+1, r.requests, req.Method, req.URL.Host, strings.Join(names, " "), status)
	if err != nil {
		line += " " + err.Error()
	}
	r.calls = append(r.calls, line)
}

// failing ends a body as it ended for the recorder.
type failing struct{ err error }

// Read implements [io.Reader].
func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}
