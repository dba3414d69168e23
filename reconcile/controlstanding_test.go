package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

const controlled = `
organization: {unifiedAuditLog: true, mailboxAuditing: true, controls: {unifiedAuditLog: [LOG], mailboxAuditing: [ON]}}
mailboxes:
  everyone: {types: [UserMailbox, SharedMailbox], record: {owner: {defaults: true}}, controls: [BOX]}
bypass: {controls: [BYPASS]}
`

// standings gives the verdicts of a plan by control, as one text in the order of the ids.
func standings(p *reconcile.Plan) string {
	var out []string
	for _, c := range p.Controls() {
		out = append(out, c.ID+" "+string(c.Verdict))
	}
	return strings.Join(out, ", ")
}

// TestControlsOfPart: a run that did not look at the whole tenant judges no control,
// whatever it found.
func TestControlsOfPart(t *testing.T) {
	const none = "BOX notJudged, BYPASS notJudged, LOG notJudged, ON notJudged"
	synctest.Test(t, func(t *testing.T) {
		b, s := swept(t, controlled, healthyTenant(12))
		if got := standings(b.check(parse(t, controlled))); got != "BOX met, BYPASS met, LOG met, ON met" {
			t.Errorf("the whole: %s", got)
		}
		req := b.request(parse(t, controlled))
		req.Mailbox = anyUser(t, b.tenant)
		if plan := b.checkRequest(req); standings(plan) != none || !plan.Coverage.Complete {
			t.Errorf("one mailbox: %s", standings(plan))
		}
		if plan := b.since(s, controlled); standings(plan) != none || !plan.Coverage.Complete {
			t.Errorf("what changed: %s", standings(plan))
		}
	})
}

// TestControlsOfPopulation: where the guard does not believe the listing, no control is
// met by it; whoever accepts the population accepts that too.
func TestControlsOfPopulation(t *testing.T) {
	b := newBench(t, simulator.NewTenant(simulator.Seed{Seed: 1, Users: 2}))
	req := b.request(parse(t, controlled))
	plan := b.checkRequest(req)
	if got := standings(plan); got != "BOX notJudged, BYPASS met, LOG met, ON met" || plan.Controls()[0].OfNothing() {
		t.Errorf("refused: %s", got)
	}
	req.AcceptPopulation = true
	plan = b.checkRequest(req)
	if got := standings(plan); got != "BOX met, BYPASS met, LOG met, ON met" || !plan.Controls()[0].OfNothing() || plan.Controls()[1].OfNothing() {
		t.Errorf("accepted: %s", got)
	}
}

// TestControlsOfNoBypass: a listing of bypass associations that is empty is one that was
// not seen.
func TestControlsOfNoBypass(t *testing.T) {
	b := newBench(t, simulator.NewTenant(simulator.Seed{Seed: 1, BypassPerMailbox: -1}))
	if got := standings(b.check(parse(t, "bypass: {controls: [BYPASS]}\n"))); got != "BYPASS notJudged" {
		t.Error(got)
	}
}

// TestControlsNotMended: what the tool cannot or will not write is no less a difference.
func TestControlsNotMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lenient := reconcile.Threshold{FailOn: strict.FailOn}
		b := newBench(t, healthyTenant(12))
		plan := b.check(parse(t, "adminAudit: {ageLimit: 365d, controls: [ADMIN]}\n"))
		if plan.Verdict(lenient) != reconcile.VerdictInLine || standings(plan) != "ADMIN notMet" {
			t.Errorf("not settable: %s, %s", plan.Verdict(lenient), standings(plan))
		}
		off := newBench(t, simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 12, AuditDisabled: true}))
		plan = off.check(parse(t, "mailboxes:\n  all: {record: {owner: {defaults: true}}, controls: [BOX]}\n"))
		if got := standings(plan); got != "BOX notMet" {
			t.Errorf("auditing is off, and the policy is silent about it: %s", got)
		}
		late, s := newBench(t, simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 12, AuditDisabled: true, UnifiedLogOff: true}), simulator.WithReadLag(20*time.Minute)), newShelf()
		late.applying(s, late.later(controlled, "run-1"))
		plan = late.remembering(s, late.later(controlled, "run-2"))
		if got := standings(plan); got != "BOX notJudged, BYPASS met, LOG notJudged, ON notJudged" {
			t.Errorf("awaiting confirmation: %s", got)
		}
	})
}

// TestControlsUntold: rows that cannot be told apart, and those of one mailbox that do
// not agree, leave what speaks of mailboxes open.
func TestControlsUntold(t *testing.T) {
	ids := []string{}
	for name, edit := range map[string]func(row *simulator.Row){
		"no id": func(row *simulator.Row) {
			row.Delete("Guid")
		},
		"one id twice": func(row *simulator.Row) {
			if id, ok := row.Get("Guid"); ok && len(ids) == 0 {
				ids = append(ids, string(id))
			} else if ok && len(ids) == 1 && ids[0] != string(id) {
				row.Set("Guid", ids[0])
				row.Set("AuditOwner", `["MailboxLogin"]`)
				row.Set("DefaultAuditSet", `["Admin","Delegate"]`)
				ids = append(ids, "")
			}
		},
	} {
		b := newBench(t, healthyTenant(12), simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
			if kind, _ := row.Get("RecipientTypeDetails"); cmdlet == "Get-Mailbox" && string(kind) == `"UserMailbox"` {
				edit(row)
			}
		}))
		plan := b.check(parse(t, controlled))
		if got := standings(plan); got != "BOX notJudged, BYPASS met, LOG met, ON met" {
			t.Errorf("%s: %s", name, got)
		}
		if c := plan.Controls()[0]; c.Unknown == 0 || !slices.ContainsFunc(c.Why, func(s string) bool { return s != "" }) {
			t.Errorf("%s: %+v", name, c)
		}
	}
}
