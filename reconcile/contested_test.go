package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

func contestedChanges(plan *reconcile.Plan) []reconcile.Change {
	var out []reconcile.Change
	for c := range plan.Changes() {
		if strings.HasPrefix(c.Reason, "contested: ") {
			out = append(out, c)
		}
	}
	return out
}

// TestContested: what somebody undoes after each fix is not fixed a fourth time
// within a day without a word. Asked for by name it is; and a day later.
func TestContested(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(10)
		guid, other := users(tenant)[0], users(tenant)[1]
		b, s := newBench(t, tenant), newShelf()
		var fixed []string
		for n := range 3 {
			shorten(tenant, guid)
			time.Sleep(10 * time.Minute)
			run := b.applying(s, b.later(longAge, fmt.Sprintf("run-%d", n)))
			if run.Results()[reconcile.ResultVerified] != 1 {
				t.Fatalf("fix %d: %v", n, run.Results())
			}
			fixed = append(fixed, run.FinishedAt.UTC().Format(time.RFC3339))
		}
		if plan := b.remembering(s, b.later(longAge, "between")); plan.Verdict(strict) != reconcile.VerdictInLine {
			t.Errorf("verdict %s while nobody contests it", plan.Verdict(strict))
		}
		changed := time.Now()
		shorten(tenant, guid, other)
		time.Sleep(10 * time.Minute)
		sent := b.writes()
		run := b.applying(s, b.later(longAge, "run-4"))
		agrees(t, run.Plan)
		list := contestedChanges(run.Plan)
		if len(list) != 1 || list[0].Subject.ID != guid || list[0].Fate != reconcile.FateBlocked || b.writes() != sent+1 || run.Verdict(strict) != reconcile.VerdictDrift {
			t.Fatalf("%+v, %d writes, verdict %s", list, b.writes()-sent, run.Verdict(strict))
		}
		for _, at := range append(fixed, changed.UTC().Format(time.RFC3339)) {
			if !strings.Contains(list[0].Reason, at) {
				t.Errorf("%s is not in %q", at, list[0].Reason)
			}
		}
		if !slices.ContainsFunc(run.Plan.Warnings, func(w string) bool { return strings.HasPrefix(w, "1 setting is contested") }) {
			t.Errorf("warnings %q", run.Plan.Warnings)
		}
		asked := b.later(longAge, "run-5")
		asked.Mailbox = guid
		run = b.applying(s, asked)
		if run.Results()[reconcile.ResultVerified] != 1 || !slices.ContainsFunc(run.Plan.Warnings, func(w string) bool { return strings.Contains(w, "planned once more") }) {
			t.Errorf("results %v, warnings %q", run.Results(), run.Plan.Warnings)
		}
		shorten(tenant, guid)
		time.Sleep(25 * time.Hour)
		if plan := b.remembering(s, b.later(longAge, "run-6")); len(contestedChanges(plan)) != 0 || plan.Summary().Changes.Planned != 1 {
			t.Errorf("a day later: %+v", plan.Summary().Changes)
		}
	})
}

// TestContestedKinds: accounts and settings of the tenant are contested too.
func TestContestedKinds(t *testing.T) {
	const text = "organization: {mailboxAuditing: true}\nbypass: {}\n"
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 5})
		var account string
		for u := range tenant.AllUsers() {
			account = u.Guid
		}
		b, s := newBench(t, tenant), newShelf()
		undo := func() {
			tenant.SetBypass(account, true)
			tenant.UpdateOrganization(func(o *simulator.Organization) { o.AuditDisabled = true })
		}
		for n := range 3 {
			undo()
			if r := b.applying(s, b.later(text, fmt.Sprintf("run-%d", n))).Results(); r[reconcile.ResultVerified] != 2 {
				t.Fatalf("%v", r)
			}
		}
		undo()
		plan := b.remembering(s, b.later(text, "run-4"))
		agrees(t, plan)
		if n := len(contestedChanges(plan)); n != 2 {
			t.Errorf("%d are contested", n)
		}
		req := b.later(text, "run-5")
		req.Selection.Only = []audit.SubjectKind{audit.KindBypass}
		run := b.applying(s, req)
		if n := len(contestedChanges(run.Plan)); n != 1 || run.Results()[reconcile.ResultVerified] != 1 {
			t.Errorf("%d are contested, results %v", n, run.Results())
		}
	})
}

// TestUnconfirmedIsNotContested: a fix that nobody saw is no fix.
func TestUnconfirmedIsNotContested(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(10)
		guid := anyUser(t, tenant)
		b, s := newBench(t, tenant, simulator.WithReadLag(time.Hour)), newShelf()
		for n := range 5 {
			shorten(tenant, guid)
			run := b.applying(s, b.later(longAge, fmt.Sprintf("run-%d", n)))
			if run.Results()[reconcile.ResultUnconfirmed]+run.Results()[reconcile.ResultVerified] == 0 || run.Results()[reconcile.ResultVerified] > 0 {
				t.Fatalf("%v", run.Results())
			}
			if len(contestedChanges(run.Plan)) != 0 {
				t.Errorf("run %d calls it contested", n)
			}
			time.Sleep(2 * time.Hour)
		}
	})
}

// TestLargeHeldChangesAreCounted: whatever is waited for, not settable or contested, the
// summary counts what the plan lists, and nothing of it is written.
func TestLargeHeldChangesAreCounted(t *testing.T) {
	if testing.Short() {
		t.Skip("tries a hundred random histories of runs")
	}
	const text = `
mailboxes: {everyone: {types: [UserMailbox, SharedMailbox], auditEnabled: explicit, ageLimit: 90d, record: {owner: {plus: [MailboxLogin]}}}}
organization: {mailboxAuditing: true}
guards: {maxChangedPercent: 100, rings: []}
`
	rapid.Check(t, func(rt *rapid.T) {
		off := rapid.Bool().Draw(rt, "off")
		switches := simulator.Switches{HiddenSet: rapid.SampledFrom([]simulator.HiddenSetMode{simulator.HiddenSetStored, simulator.HiddenSetSwallowed}).Draw(rt, "hidden")}
		lag := rapid.SampledFrom([]time.Duration{0, 0, 2 * time.Minute}).Draw(rt, "lag")
		runs := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 7), 5, 5), 1, 4).Draw(rt, "damage in each run, by mailbox")
		pauses := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{time.Minute, 20 * time.Minute}), len(runs), len(runs)).Draw(rt, "pauses")
		since := rapid.SliceOfN(rapid.Bool(), len(runs), len(runs)).Draw(rt, "since the last run")
		var found problems
		synctestRun(t, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{Seed: 5, Mailboxes: 6, BypassPerMailbox: -1, AuditDisabled: off, Now: time.Now()})
			b, s := newBench(t, tenant, simulator.WithSwitches(switches), simulator.WithReadLag(lag)), newShelf()
			for n, damage := range runs {
				for i, g := range users(tenant) {
					tenant.Update(g, spoiling(damage[i%len(damage)]))
				}
				time.Sleep(pauses[n])
				req := b.later(text, fmt.Sprintf("run-%d", n))
				req.SinceLastRun = since[n]
				run := b.applying(s, req)
				agrees(&found, run.Plan)
				unknown := map[string]bool{}
				for u := range run.Plan.Unknown() {
					unknown[u.Subject.ID] = true
				}
				for c := range run.Changes() {
					if c.Fate == reconcile.FatePlanned && unknown[c.Subject.ID] {
						found.Errorf("%s of %s is planned, and the object is unknown", c.Setting, c.Subject.Name)
					}
				}
			}
		})
		if len(found) > 0 {
			rt.Fatalf("%s", strings.Join(found, "\n"))
		}
	})
}

// problems are those of one random case.
type problems []string

func (p *problems) Helper() {}

func (p *problems) Errorf(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// spoiling weakens what the bits of a number name.
func spoiling(bits int) func(*simulator.Mailbox) {
	return func(m *simulator.Mailbox) {
		if bits&1 > 0 {
			m.AgeLimit = "30.00:00:00"
		}
		if bits&2 > 0 {
			m.AuditEnabled = simulator.Unset
		}
		if bits&4 > 0 {
			m.Managed, m.Owner = []string{"Admin", "Delegate"}, []string{"Update"}
		}
	}
}
