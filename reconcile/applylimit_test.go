package reconcile_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

func TestGuards(t *testing.T) {
	t.Parallel()
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 40, UnifiedLogOff: true, Bypassed: 0.1})
	for name, c := range map[string]struct {
		guards    string
		raised    []reconcile.RaisedGuard
		selection reconcile.Selection
		refused   bool
	}{
		"percent over":          {guards: "{maxChangedPercent: 50}", refused: true},
		"the default is 30":     {guards: "{allowWeakening: false}", refused: true},
		"percent raised":        {guards: "{maxChangedPercent: 50}", raised: []reconcile.RaisedGuard{{Name: "maxChangedPercent", Limit: 100, Reason: "r"}}},
		"count over":            {guards: "{maxChangedPercent: 100, maxChanged: 10}", refused: true},
		"count raised":          {guards: "{maxChangedPercent: 100, maxChanged: 10}", raised: []reconcile.RaisedGuard{{Name: "maxChanged", Limit: 40, Reason: "r"}}},
		"count is exact":        {guards: "{maxChangedPercent: 100, maxChanged: 39}"},
		"the pilot is counted":  {guards: "{maxChangedPercent: 50, maxChanged: 8}", selection: reconcile.Selection{Limit: 8}},
		"no mailboxes selected": {guards: "{maxChangedPercent: 50}", selection: reconcile.Selection{Only: []audit.SubjectKind{audit.KindBypass}}},
		"nine are no alarm":     {guards: "{maxChangedPercent: 1}", selection: reconcile.Selection{Limit: 9}},
		"ten are":               {guards: "{maxChangedPercent: 1}", selection: reconcile.Selection{Limit: 10}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, tenant.Snapshot())
			req := b.request(parse(t, strings.Replace(everything, "{maxChangedPercent: 100}", c.guards, 1)))
			req.Raised, req.Selection = c.raised, c.selection
			plan := b.checkRequest(req)
			if plan.GuardRefused() != c.refused {
				t.Fatalf("refused %t, guards %+v", plan.GuardRefused(), plan.Guards)
			}
			if plan.Verdict(strict) != reconcile.VerdictDrift {
				t.Errorf("verdict %s", plan.Verdict(strict))
			}
			run := b.apply(plan)
			// Nothing counts so high up, and what was refused is no pass all the same.
			lenient := map[bool]reconcile.Verdict{true: reconcile.VerdictRefused, false: reconcile.VerdictInLine}[c.refused]
			if v := run.Verdict(reconcile.Threshold{FailOn: audit.High + 1}); v != lenient {
				t.Errorf("where nothing counts the run ends %s, want %s", v, lenient)
			}
			if c.refused && b.writes() != 0 {
				t.Errorf("%d writes under a guard that refuses", b.writes())
			}
			if !c.refused && run.Results()[reconcile.ResultVerified] == 0 {
				t.Errorf("results %v", run.Results())
			}
			for ch := range plan.Changes() {
				if c.refused && ch.Fate == reconcile.FatePlanned {
					t.Errorf("%s is still planned", ch.Setting)
				}
			}
		})
	}
}

func TestEmptyPopulation(t *testing.T) {
	tenant := healthyTenant(3)
	for m := range tenant.AllMailboxes() {
		tenant.RemoveMailbox(m.Guid)
	}
	b := newBench(t, tenant)
	req := b.request(parse(t, modest))
	if got := b.checkRequest(req).Verdict(strict); got != reconcile.VerdictIncomplete {
		t.Errorf("a tenant that shows no mailbox is %s", got)
	}
	req.AcceptPopulation = true
	if got := b.checkRequest(req).Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("accepted, it is %s", got)
	}
}

func TestSelection(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 40, UnifiedLogOff: true, Bypassed: 0.1})
	b := newBench(t, tenant)
	req := b.request(parse(t, everything))
	req.Selection = reconcile.Selection{Limit: 7}
	run := b.apply(b.checkRequest(req))
	if n := b.service.Count("Set-Mailbox"); n != 7 || !tenant.Organization().UnifiedAuditLog {
		t.Errorf("%d mailboxes were written, tenant settings %+v", n, tenant.Organization())
	}
	if run.Results()[reconcile.ResultSkipped] == 0 || run.Verdict(strict) != reconcile.VerdictDrift {
		t.Errorf("results %v, verdict %s", run.Results(), run.Verdict(strict))
	}
	verified := map[string]bool{}
	var order []string
	for c := range run.Changes() {
		if c.Subject.Kind == audit.KindMailbox && c.Fate == reconcile.FatePlanned {
			verified[c.Subject.ID] = c.Result == reconcile.ResultVerified
			if len(order) == 0 || order[len(order)-1] != c.Subject.ID {
				order = append(order, c.Subject.ID)
			}
		}
	}
	for i, id := range order {
		if verified[id] != (i < 7) {
			t.Errorf("mailbox %d of the plan: written %t", i, verified[id])
		}
	}
}

// TestPoisonedPlan: a saved plan that was tampered with can hold writes back,
// and nothing else.
func TestPoisonedPlan(t *testing.T) {
	base := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 10, Drift: 0.5})
	p := parse(t, everything)
	saved := func(t *testing.T, b *bench) string {
		var out bytes.Buffer
		if err := report.WritePlan(&out, b.check(p), strict); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for name, poison := range map[string]func(string) string{
		"none": func(s string) string { return s },
		"every planned change is another value": func(s string) string {
			return strings.ReplaceAll(s, `"after":"180.00:00:00"`, `"after":"00:00:00"`)
		},
		"blocked changes are planned": func(s string) string { return strings.ReplaceAll(s, `"fate":"blocked"`, `"fate":"planned"`) },
		"actions are removed": func(s string) string {
			return strings.ReplaceAll(s, `"remove":[]`, `"remove":["HardDelete"]`)
		},
		"a change is added": func(s string) string {
			return strings.Replace(s, `"changes":[`, `"changes":[{"id":"0123456789abcdef","subject":{"kind":"mailbox","id":"`+anyUser(t, base)+
				`","name":"x","type":"UserMailbox"},"setting":"auditEnabled","before":true,"after":false,"add":[],"remove":[],"fate":"planned"},`, 1)
		},
		"ids are swapped": func(s string) string { return strings.ReplaceAll(s, `"id":"`, `"id":"f`) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, base.Snapshot())
			text := poison(compact(saved(t, b)))
			slip, err := reconcile.ReadSlip(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			before := maps.Collect(b.tenant.Dump())
			plan := b.check(p)
			run := b.apply(plan, func(o *reconcile.ApplyOptions) { o.Slip = slip })
			named := changedProperties(run)
			for k, v := range b.tenant.Dump() {
				if before[k] != v && !named[k] {
					t.Errorf("%s went from %q to %q", k, before[k], v)
				}
			}
			for f := range run.Changes() {
				if f.Fate == reconcile.FatePlanned && f.Result == reconcile.ResultSkipped && f.Note == "" {
					t.Errorf("%s was skipped without a reason", f.Setting)
				}
			}
			switch r := run.Results(); name {
			case "none", "blocked changes are planned", "a change is added", "actions are removed":
				if r[reconcile.ResultSkipped] > 0 {
					t.Errorf("results %v", r)
				}
				b.satisfied(p)
			case "ids are swapped":
				if b.writes() != 0 {
					t.Errorf("%d writes", b.writes())
				}
			default:
				if r[reconcile.ResultSkipped] == 0 || run.Verdict(strict) != reconcile.VerdictDrift {
					t.Errorf("results %v, verdict %s", r, run.Verdict(strict))
				}
			}
		})
	}
}

// compact takes out the white space between JSON tokens, for replacing text.
func compact(s string) string {
	s = strings.ReplaceAll(s, `": `, `":`)
	return s
}
