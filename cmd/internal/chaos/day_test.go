package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// history is a day that was played: all that the invariants look at.
type history struct {
	s       *scenario
	steps   []*step
	states  []state
	moments []moment
	calls   []string
	struck  map[string]int // by name of the fault
	secrets []string
	files   map[string]string // contents in the end
	journal journalOutcome
}

// journalOutcome is what the journal says in the end.
type journalOutcome struct {
	tail    journal.Tail
	entries []journal.Entry
	err     error
}

// step is one command that was run.
type step struct {
	command
	status      int
	out, err    string
	document    *document // what stands in out; nil where that is empty
	parse       error
	began       time.Time
	took        time.Duration
	requests    int
	signaled    bool
	over        bool
	first, last int // the states of the tenant: before the command, and after
}

// document is the part of a plan or a run that the invariants read.
type document struct {
	Schema   string `json:"schema"`
	Coverage struct {
		Scope string `json:"scope"`
	} `json:"coverage"`
	Verdict     string     `json:"verdict"`
	JournalHead string     `json:"journalHead"`
	Changes     []change   `json:"changes"`
	Unknown     []unknown  `json:"unknown"`
	Guards      []struct { // as the plan lists them
		Name    string `json:"name"`
		Refused bool   `json:"refused"`
	} `json:"guards"`
}

type change struct {
	Subject subject `json:"subject"`
	Setting string  `json:"setting"`
	Fate    string  `json:"fate"`
	Reason  string  `json:"reason"`
	Result  string  `json:"result"`
	Note    string  `json:"note"`
}

type unknown struct {
	Subject subject `json:"subject"`
	Setting string  `json:"setting"`
	Reason  string  `json:"reason"`
}

type subject struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Type string `json:"type"`
}

// longest bounds the time, as the service sees it, that one command may take. A
// listing is begun anew a few times, and each call waits a quarter of an hour at
// most before it is tried again a few times.
const longest = 12 * time.Hour

// longestWait is how long a write that could not be confirmed keeps its object
// from being judged and written (design section 4). The day may leave such writes,
// and so may an apply at a well service: where an Add works on a hidden stored list
// it takes another to get there.
const longestWait = time.Hour

// day plays a scenario.
type day struct {
	*dayRecorder
	t      *testing.T
	folder string
	vars   map[string]string
	out    history
}

// play runs a scenario in the present bubble.
func play(t *testing.T, s *scenario, folder string) *history {
	t.Helper()
	d := &day{t: t, folder: folder, dayRecorder: &dayRecorder{
		s: s, journal: filepath.Join(folder, journalFile), tokens: map[string]bool{}, twins: map[uint64]int{}, intents: map[string]bool{},
	}}
	d.out = history{s: s, files: map[string]string{}, struck: map[string]int{}}
	if err := os.WriteFile(d.path(policyFile), []byte(s.policy.yaml()), 0o600); err != nil {
		t.Fatal(err)
	}
	d.serve(s)
	d.snapshot()
	if s.settled {
		d.calm(s)
		d.run(settle())
		for _, change := range s.since {
			change(s.tenant)
		}
		d.snapshot()
		d.serve(s)
	}
	for _, c := range s.commands {
		d.run(c)
	}
	for _, f := range s.faults {
		d.out.struck[f.Name] = d.service.Struck(f.Name)
	}
	d.calm(s)
	for range 5 {
		time.Sleep(longestWait)
		d.run(settle())
		if last := d.run(lastLook()); last.status == cli.ExitInLine || d.settled(last) {
			break
		}
	}
	d.close()
	return &d.out
}

func (d *day) path(name string) string { return filepath.Join(d.folder, name) }

// serve starts the service as it is on the day, and the authority.
func (d *day) serve(s *scenario) {
	const token, secret = "chaos-token-3b1f", "chaos-secret-77aa"
	d.authority = simulator.NewAuthority(simulator.AuthorityConfig{TenantID: s.tenant.ID(), Domain: s.tenant.Domain(), Secret: secret})
	d.out.secrets = []string{token, secret}
	options := []simulator.Option{
		simulator.WithTokenCheck(func(got string) error {
			if got == token {
				return nil
			}
			return d.authority.Check(got)
		}),
		simulator.WithSwitches(s.switches), simulator.WithFaults(s.faults...), simulator.WithRole(s.role),
		simulator.WithRowEdit(s.spoil), simulator.WithReadLag(s.lag), simulator.WithLatency(s.latency),
	}
	if s.pageSize > 0 {
		options = append(options, simulator.WithPageSize(s.pageSize))
	}
	if s.throttle != nil {
		options = append(options, simulator.WithThrottle(*s.throttle))
	}
	d.service = simulator.New(s.tenant, options...)
	d.vars = map[string]string{
		"AZURE_TENANT_ID": s.tenant.ID(), "EXOAUDIT_ACCESS_TOKEN": token,
		"XDG_STATE_HOME": d.path("state"), "HOME": d.path("state"), "LOCALAPPDATA": d.path("state"),
	}
	if s.secret {
		delete(d.vars, "EXOAUDIT_ACCESS_TOKEN")
		d.vars["AZURE_CLIENT_ID"], d.vars["AZURE_CLIENT_SECRET"] = d.authority.ClientID(), secret
	}
}

// calm makes the service well: what remains are the readings of the wire.
func (d *day) calm(s *scenario) {
	d.service = simulator.New(s.tenant, simulator.WithSwitches(s.switches), simulator.WithTokenCheck(func(string) error { return nil }))
}

// run runs one command as the command line would.
func (d *day) run(c command) *step {
	d.t.Helper()
	if c.before != nil {
		c.before(d.s.tenant)
		d.snapshot()
	}
	parent, stop := context.WithTimeout(d.t.Context(), longest)
	defer stop()
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	s := &step{command: c, began: time.Now(), first: len(d.states) - 1}
	d.step, d.requests, d.when, d.cancel, d.signaled, d.over = len(d.out.steps), 0, c.interruptAt, cancel, false, false
	var out, errs bytes.Buffer
	args := make([]string, len(c.args))
	for i, a := range c.args {
		args[i] = a
		if a == policyFile || a == planFile || a == journalFile {
			args[i] = d.path(a)
		}
	}
	s.status = cli.Main(ctx, args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, cli.Environment{
		Getenv: func(name string) string { return d.vars[name] }, Now: time.Now, Transport: d.dayRecorder,
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	s.took = time.Since(s.began)
	s.requests, s.signaled, s.over, s.last = d.requests, d.signaled, d.over || parent.Err() != nil, len(d.states)-1
	s.out, s.err = out.String(), errs.String()
	if s.out != "" {
		s.document = &document{}
		s.parse = json.Unmarshal(out.Bytes(), s.document)
	}
	d.out.steps = append(d.out.steps, s)
	return s
}

// settled tells whether what a last look finds is what no apply can change.
func (d *day) settled(s *step) bool {
	return s.document != nil && len(leftOver(d.s, s)) == 0
}

// close collects what is left behind.
func (d *day) close() {
	d.out.states, d.out.moments, d.out.calls = d.states, d.moments, d.calls
	for token := range d.tokens {
		d.out.secrets = append(d.out.secrets, token)
	}
	for _, name := range []string{planFile, journalFile} {
		if data, err := os.ReadFile(d.path(name)); err == nil {
			d.out.files[name] = string(data)
		} else if !errors.Is(err, os.ErrNotExist) {
			d.t.Error(err)
		}
	}
	j := &d.out.journal
	j.tail, j.err = journal.Read(strings.NewReader(d.out.files[journalFile]), func(e journal.Entry) error {
		j.entries = append(j.entries, e)
		return nil
	})
}

// String tells the whole day, for whoever replays it.
func (h *history) String() string {
	var b strings.Builder
	s := h.s
	fmt.Fprintf(&b, "seed %d\n\n%s\n", s.seed, s.policy.yaml())
	fmt.Fprintf(&b, "switches: %s\nrole: %s\npage size %d, read lag %s, latency %s, throttle %+v, damage %v\n",
		strings.Join(s.readings, " "), s.role.Name, s.pageSize, s.lag, s.latency, s.throttle, s.damage)
	fmt.Fprintf(&b, "organization: %+v\n", h.states[0].tenant.Organization())
	for _, k := range s.kinds {
		fmt.Fprintf(&b, "fault: %s\n", k)
	}
	fmt.Fprintf(&b, "struck: %v\n\n", h.struck)
	for i, st := range h.steps {
		fmt.Fprintf(&b, "%d. %s\n   status %d, %d requests, %s\n", i+1, st.command, st.status, st.requests, st.took)
		for line := range strings.Lines(st.err) {
			b.WriteString("   | " + line)
		}
	}
	b.WriteString("\n")
	for _, c := range h.calls {
		if len(c) > 600 {
			c = c[:600] + "..."
		}
		b.WriteString(c + "\n")
	}
	return b.String()
}
