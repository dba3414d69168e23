package chaos

import (
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// goodDay is a day by hand, on which nothing is wrong: a check finds drift, an
// apply mends it, and a check finds none. Each proof spoils one thing in it.
type goodDay struct {
	*history
	drifted, bare, scanner string // Guids
}

// newGoodDay has one mailbox that lacks FolderBind, one of a type that no rule
// speaks of, and an account whose bypass is allowed.
func newGoodDay(t *testing.T) *goodDay {
	t.Helper()
	tenant := simulator.NewTenant(simulator.Seed{BypassPerMailbox: -1})
	drifted := tenant.AddMailbox(simulator.Mailbox{PrimarySMTPAddress: "ann@contoso.com", Delegate: []string{"SendAs"}})
	bare := tenant.AddMailbox(simulator.Mailbox{Type: "RoomMailbox", PrimarySMTPAddress: "room@contoso.com"})
	scanner := tenant.AddUser(simulator.User{UserPrincipalName: "svc@contoso.com"})
	tenant.SetBypass(scanner.Guid, true)
	s := &scenario{tenant: tenant, policy: &model{
		guards: guardModel{percent: 100, maxChanged: -1},
		bypass: &bypassModel{allow: []allowModel{{account: "svc@contoso.com"}}},
		rules:  []ruleModel{{name: "all", record: [3]*formModel{1: {plus: []string{"FolderBind"}}}, ageDays: 60}},
	}}
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	before := state{tenant.Snapshot(), start}
	tenant.Update(drifted.Guid, func(m *simulator.Mailbox) { m.Delegate = append(m.Delegate, "FolderBind") })
	after := state{tenant.Snapshot(), start.Add(time.Minute)}
	w := &write{step: 1, cmdlet: "Set-Mailbox", status: 200, parameters: map[string]any{
		"Identity": drifted.Guid, "AuditDelegate": map[string]any{"Add": []any{"FolderBind"}},
	}}
	at := func(verb string, status, first, last int, verdict string) *step {
		schema := "exoaudit/plan/v1"
		if verb == "apply" {
			schema = "exoaudit/run/v1"
		}
		return &step{
			command: command{verb: verb, failOn: "low"}, status: status, first: first, last: last,
			began: start.Add(time.Duration(first) * 2 * time.Minute), document: &document{Schema: schema, Verdict: verdict},
		}
	}
	lacks := change{Subject: subject{Kind: "mailbox", ID: drifted.Guid, Type: "UserMailbox"}, Setting: "auditDelegate", Fate: "planned"}
	look, mend := at("check", cli.ExitDrift, 0, 0, "drift"), at("apply", cli.ExitInLine, 0, 1, "drift")
	look.document.Changes, mend.document.Changes = []change{lacks}, []change{lacks}
	return &goodDay{
		drifted: drifted.Guid, bare: bare.Guid, scanner: scanner.Guid,
		history: &history{
			s: s, states: []state{before, after}, files: map[string]string{}, secrets: []string{"hush"},
			steps: []*step{
				look, mend, at("check", cli.ExitInLine, 1, 1, "inLine"),
			},
			moments: []moment{{step: 1, write: w}, {step: 1, write: w, reply: true}, {step: 1, read: w.target()}},
		},
	}
}

// first is the only write of the day.
func (d *goodDay) first() *write { return d.moments[0].write }

// again sends the write once more at the end of the day.
func (d *goodDay) again(status int, words string) *write {
	d.first().status, d.first().words = status, words
	second := *d.first()
	second.status = 200
	d.moments = append(d.moments[:2], moment{step: 1, write: &second})
	return &second
}

// TestInvariantsHoldOnGoodDay: what follows would prove nothing otherwise.
func TestInvariantsHoldOnGoodDay(t *testing.T) {
	d := newGoodDay(t)
	for _, i := range invariants() {
		for _, problem := range i.breaks(d.history) {
			t.Errorf("%s: %s", i.name, problem)
		}
	}
}

// TestInvariantsBreak shows each invariant days on which it does not hold.
func TestInvariantsBreak(t *testing.T) {
	all := proofs()
	for _, i := range invariants() {
		if len(all[i.name]) == 0 {
			t.Errorf("nothing proves that this can fail: %s", i.name)
		}
		for _, p := range all[i.name] {
			t.Run(p.name, func(t *testing.T) {
				d := newGoodDay(t)
				p.spoil(d)
				if found := strings.Join(i.breaks(d.history), "\n"); !strings.Contains(found, p.says) {
					t.Errorf("got %q, want %q in it", found, p.says)
				}
			})
		}
	}
}

// TestRepeatsThatAreNone: what the service says it has not done may be sent
// again, with a look at the mailbox anything.
func TestRepeatsThatAreNone(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		words  string
	}{
		{"throttled", 429, ""}, {"without a token", 401, ""}, {"elsewhere", 302, ""}, {"wrong server", 400, "Cmdlet needs proxy. Current"},
	} {
		d := newGoodDay(t)
		d.again(test.status, test.words)
		if found := blindRepeats(d.history); len(found) > 0 {
			t.Errorf("%s: %v", test.name, found)
		}
	}
	d := newGoodDay(t)
	d.again(400, "no").parameters = map[string]any{"Identity": d.drifted, "AuditLogAgeLimit": "60.00:00:00"}
	if found := blindRepeats(d.history); len(found) > 0 {
		t.Errorf("less after a refusal: %v", found)
	}
	d = newGoodDay(t)
	d.again(500, "")
	d.moments = append(d.moments[:2:2], moment{step: 1, read: d.first().target()}, d.moments[2])
	if found := blindRepeats(d.history); len(found) > 0 {
		t.Errorf("with a look between: %v", found)
	}
}

// TestLaggingStates: a read that lags may show what was before the command.
func TestLaggingStates(t *testing.T) {
	d := newGoodDay(t)
	d.steps[2].began = d.states[1].since.Add(10 * time.Second)
	if n := len(d.visible(d.steps[2])); n != 1 {
		t.Errorf("without a lag %d states are visible, want 1", n)
	}
	d.s.lag = 20 * time.Second
	if n := len(d.visible(d.steps[2])); n != 2 {
		t.Errorf("with a lag %d states are visible, want 2", n)
	}
}

// TestCensusMisses: a case that does not come up is missed.
func TestCensusMisses(t *testing.T) {
	c := newCensus()
	for _, name := range required() {
		c.seen[name]++
	}
	if missing := c.missing(); len(missing) > 0 {
		t.Errorf("missing %v of a whole census", missing)
	}
	delete(c.seen, "exit apply 130")
	if missing := c.missing(); len(missing) != 1 || missing[0] != "exit apply 130" {
		t.Errorf("missing %v, want exit apply 130", missing)
	}
}
