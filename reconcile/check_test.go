package reconcile_test

import (
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

const everything = `
organization: {unifiedAuditLog: true, mailboxAuditing: true}
mailboxes:
  everyone:
    types: [UserMailbox, SharedMailbox, RoomMailbox, EquipmentMailbox]
    record:
      admin: {defaults: true, plus: [Copy, FolderBind, Move]}
      delegate: {defaults: true, plus: [FolderBind]}
      owner: {defaults: true}
    auditEnabled: effective
    ageLimit: 180d
bypass: {}
guards: {maxChangedPercent: 100}
`

func TestApplyBringsATenantInLine(t *testing.T) {
	b := newBench(t, simulator.NewTenant(simulator.Seed{
		Seed: 7, Mailboxes: 60, Groups: 3, PublicFolders: 2, Users: 5, Drift: 0.5, Bypassed: 0.1,
		AuditDisabled: true, UnifiedLogOff: true,
	}))
	p := parse(t, everything)
	plan := b.check(p)
	for c := range plan.Changes() {
		t.Logf("%s %s %s %v -> %v %s %q", c.Subject.Name, c.Setting, c.Fate, c.Before, c.After, c.Origin, c.Reason)
	}
	t.Logf("%+v\n%+v\n%+v %v", plan.Coverage, plan.Summary(), plan.Guards, plan.Warnings)
	if got := plan.Verdict(strict); got != reconcile.VerdictDrift {
		t.Fatalf("verdict before the apply: %s, coverage %+v", got, plan.Coverage)
	}
	run := b.apply(plan)
	t.Logf("%v stopped=%q", run.Results(), run.Stopped)
	b.satisfied(p)
	if got := run.Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("verdict of the run: %s, results %v", got, run.Results())
	}
	again := b.check(p)
	if got := again.Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("verdict of a second check: %s", got)
	}
}
