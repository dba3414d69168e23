package reconcile_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// written is a journal that somebody has written by hand: a run with these writes,
// each with the outcome that stands beside it.
func written(b *retentionBench, deeds ...journal.Entry) []journal.Entry {
	out := []journal.Entry{{Run: "run-1", Kind: journal.KindBegin, Begin: &journal.Begin{Tenant: b.tenant.ID()}}}
	for _, d := range deeds {
		d.At = time.Now()
		if d.Intent != nil {
			d.Run, d.Kind = "run-1", journal.KindIntent
		}
		out = append(out, d)
	}
	for i := range out {
		out[i].Seq = int64(i + 1)
	}
	return out
}

func intent(kind audit.SubjectKind, id string, s audit.Setting, before, after any) journal.Entry {
	return journal.Entry{Intent: &journal.Intent{
		Subject: journal.Subject{Kind: kind, ID: id}, Setting: s, Before: before, After: after, Inverse: journal.Inverse{Setting: s},
	}}
}

// ended is the outcome of an intent; with of it is by a later run.
func ended(e journal.Entry, result reconcile.Result, of string) journal.Entry {
	i := e.Intent
	run := "run-1"
	if of != "" {
		run = "run-later"
	}
	return journal.Entry{Run: run, Kind: journal.KindOutcome, Outcome: &journal.Outcome{
		Subject: i.Subject, Setting: i.Setting, Change: i.Change, Result: string(result), Of: of,
	}}
}

// fates is what a plan does with each setting.
func fates(plan *reconcile.Plan) map[audit.Setting]reconcile.Fate {
	out := map[audit.Setting]reconcile.Fate{}
	for c := range plan.Changes() {
		out[c.Setting] = c.Fate
	}
	return out
}

// TestUndoOfAForgedJournal: a chain proves nothing against its author, so what a
// journal says of a value is believed only where it does no harm: nothing is weakened
// without leave, and nothing is done that no run would have done.
func TestUndoOfAForgedJournal(t *testing.T) {
	t.Parallel()
	pinned := func(b *retentionBench) string {
		m, _ := b.tenant.FindMailbox("pinned@contoso.com")
		return m.Guid
	}
	restore := func(b *retentionBench, before ...any) journal.Entry {
		e := intent(audit.KindMailbox, pinned(b), audit.SettingAuditOwner, before, []any{"Move", "Update"})
		e.Intent.Inverse.Setting = audit.SettingDefaultAuditSet
		return e
	}
	policyOf := func(name string, before, after any) func(*retentionBench) journal.Entry {
		return func(*retentionBench) journal.Entry {
			return intent(audit.KindRetention, name, audit.SettingRetentionPolicy, before, after)
		}
	}
	short := []any{"Priority=1", "RecordTypes=ExchangeItem", "RetentionDuration=ThreeMonths"}
	tests := []struct {
		name    string
		entry   func(*retentionBench) journal.Entry
		allow   bool // weakening
		refused bool // it is no deed at all
	}{
		{"defaults that are richer than they are", func(b *retentionBench) journal.Entry {
			return restore(b, "Move", "Update", "HardDelete", "SoftDelete", "MoveToDeletedItems")
		}, false, false},
		{"a retention policy that keeps less", policyOf("exoaudit 1", short, nil), false, false},
		{"one of every type", policyOf("exoaudit 1", []any{"Priority=1", "RetentionDuration=ThreeMonths"}, nil), false, false},
		{"the making of a policy of others", policyOf("short", nil, []any{"Priority=50", "RecordTypes=ExchangeAdmin", "RetentionDuration=ThreeMonths"}), true, true},
		{"the removal of a policy of others", policyOf("Company", short, nil), true, true},
		{"a name that is nearly ours", policyOf("exoaudit 01", short, nil), true, true},
		{"a bypass that was set", func(b *retentionBench) journal.Entry {
			return intent(audit.KindBypass, pinned(b), audit.SettingAuditBypassEnabled, false, true)
		}, true, true},
		{"a bypass that was there", func(b *retentionBench) journal.Entry {
			return intent(audit.KindBypass, pinned(b), audit.SettingAuditBypassEnabled, true, false)
		}, true, false},
		{"a switch that was never turned", func(*retentionBench) journal.Entry {
			return intent(audit.KindOrganization, "organization", audit.SettingAuditDisabled, true, true)
		}, true, false},
		{"an AuditEnabled that was never set", func(b *retentionBench) journal.Entry {
			return intent(audit.KindMailbox, pinned(b), audit.SettingAuditEnabled, false, false)
		}, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := shortfall()
				tenant.UpdateOrganization(func(o *simulator.Organization) { o.AuditDisabled, o.UnifiedAuditLog = false, true })
				b := newUndoBench(t, tenant)
				before := auditSettings(tenant)
				req := b.undoOf("run-1", "run-2", written(b, test.entry(b)))
				req.AllowWeakening = test.allow
				plan, err := reconcile.PlanUndo(t.Context(), b.client, req)
				if _, refused := errors.AsType[*reconcile.DeedError](err); refused != test.refused || !refused && err != nil {
					t.Fatalf("refused %t: %v", refused, err)
				}
				if err == nil {
					b.applyUndo(plan)
				}
				if diff := differences(before, auditSettings(tenant)); len(diff) > 0 {
					t.Errorf("the tenant was changed:\n%s", strings.Join(diff, "\n"))
				}
			})
		})
	}
}

// TestUndoKeepsOneOfTwo: where either of two retention policies is enough for the
// policy file, not both are removed.
func TestUndoKeepsOneOfTwo(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(1)
		b := newUndoBench(t, tenant)
		var deeds []journal.Entry
		for i, name := range []string{"exoaudit 1", "exoaudit 2"} {
			tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: name, Priority: 10 + i, Duration: "TwelveMonths", RecordTypes: []string{"ExchangeItem"}})
			deeds = append(deeds, intent(audit.KindRetention, name, audit.SettingRetentionPolicy, nil,
				[]any{"Priority=" + itoa(10+i), "RecordTypes=ExchangeItem", "RetentionDuration=TwelveMonths"}))
		}
		req := b.undoOf("run-1", "run-2", written(b, deeds...))
		req.AllowWeakening, req.Policy = false, parse(t, "retention: {require: [{recordTypes: [ExchangeItem], atLeast: 1y}]}\n")
		b.applyUndo(b.planUndo(req))
		if left := tenant.RetentionPolicies(); len(left) != 1 {
			t.Errorf("%d policies are left: %+v", len(left), left)
		}
	})
}

// TestUndoHasNoRoom: a retention policy does not come back over another of its
// priority, and a list that was empty is not emptied.
func TestUndoHasNoRoom(t *testing.T) {
	for priority, want := range map[int]reconcile.Fate{10: reconcile.FateBlocked, 11: reconcile.FatePlanned} {
		synctestRun(t, func(t *testing.T) {
			tenant := healthyTenant(1)
			tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "other", Priority: priority, Duration: "TenYears", RecordTypes: []string{"ExchangeItem"}})
			b := newUndoBench(t, tenant)
			gone := intent(audit.KindRetention, "exoaudit 1", audit.SettingRetentionPolicy,
				[]any{"Priority=10", "RecordTypes=ExchangeItem", "RetentionDuration=TwelveMonths"}, nil)
			if got := fates(b.planUndo(b.undoOf("run-1", "run-2", written(b, gone))))[audit.SettingRetentionPolicy]; got != want {
				t.Errorf("beside one of priority %d it is %s, want %s", priority, got, want)
			}
		})
	}
	synctestRun(t, func(t *testing.T) {
		b := newUndoBench(t, shortfall())
		filled := intent(audit.KindMailbox, guidOf(t, b.tenant, "pinned"), audit.SettingAuditOwner, []any{}, []any{"Move", "Update"})
		if got := fates(b.planUndo(b.undoOf("run-1", "run-2", written(b, filled))))[audit.SettingAuditOwner]; got != reconcile.FateBlocked {
			t.Errorf("a list that was empty is %s", got)
		}
	})
}

// TestUndoNoResendOverAnother: what somebody set after a write that was lost is not
// written over.
func TestUndoNoResendOverAnother(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		b := newUndoBench(t, shortfall())
		pinned := guidOf(t, b.tenant, "pinned")
		longer := intent(audit.KindMailbox, pinned, audit.SettingAuditLogAgeLimit, "20.00:00:00", "30.00:00:00")
		plan := b.planUndo(b.undoOf("run-1", "run-2", written(b, longer)))
		b.service.AddFaults(
			simulator.Fault{Name: "unavailable", Cmdlet: "Set-Mailbox", Item: true, Times: 1, Do: simulator.DoStatus, Status: 503},
			simulator.Fault{Name: "another", Cmdlet: "Set-Mailbox", Item: true, Times: 1, Do: simulator.DoRun, Run: func(tenant *simulator.Tenant) {
				tenant.Update(pinned, func(m *simulator.Mailbox) { m.AgeLimit = "365.00:00:00" })
			}},
		)
		b.service.ResetCalls()
		run := b.applyUndo(plan)
		if m, _ := b.tenant.Mailbox(pinned); m.AgeLimit != "365.00:00:00" || b.service.Count("Set-Mailbox") != 1 {
			t.Errorf("the age limit is %s after %d writes, results %v", m.AgeLimit, b.service.Count("Set-Mailbox"), run.Results())
		}
	})
}

// TestUndoFilterThatContradicts: a listing of stored values that contradicts what a
// mailbox shows says nothing of those that do not show it.
func TestUndoFilterThatContradicts(t *testing.T) {
	for _, ignored := range []bool{false, true} {
		synctestRun(t, func(t *testing.T) {
			tenant := shortfall()
			shows := tenant.AddMailbox(simulator.Mailbox{Type: "EquipmentMailbox", AgeLimit: "30.00:00:00", AuditEnabled: simulator.True}).Guid
			b := newUndoBench(t, tenant)
			pinned := guidOf(t, tenant, "pinned")
			if ignored {
				b.service.AddFaults(simulator.Fault{Cmdlet: "Get-Mailbox", With: []string{"Filter"}, Do: simulator.DoIgnoreFilter})
			}
			plan := b.planUndo(b.undoOf("run-1", "run-2", written(b,
				intent(audit.KindMailbox, pinned, audit.SettingAuditEnabled, false, true),
				intent(audit.KindMailbox, shows, audit.SettingAuditLogAgeLimit, "20.00:00:00", "30.00:00:00"))))
			unknown := slices.ContainsFunc(slices.Collect(plan.Unknown()), func(u reconcile.UnknownObject) bool { return strings.Contains(u.Reason, "contradicts") })
			if fate := fates(plan)[audit.SettingAuditEnabled]; unknown != ignored || !ignored && fate != reconcile.FatePlanned {
				t.Errorf("ignored %t: unknown %t, fate %s", ignored, unknown, fate)
			}
		})
	}
}

// TestUndoOfWritesThatFailed: what a run saw fail may have been made all the same. It
// is not taken for the run's, nor passed over.
func TestUndoOfWritesThatFailed(t *testing.T) {
	const shown, other = "30.00:00:00", "20.00:00:00"
	tests := []struct {
		name          string
		before, after string
		of            string
		want          reconcile.Fate // empty: no change
	}{
		{"it shows", other, shown, "", reconcile.FateBlocked},
		{"it shows, and only a later run did not see it", other, shown, "run-1", reconcile.FatePlanned},
		{"it does not show", shown, other, "", ""},
		{"something else shows", other, "40.00:00:00", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				b := newUndoBench(t, shortfall())
				e := intent(audit.KindMailbox, guidOf(t, b.tenant, "pinned"), audit.SettingAuditLogAgeLimit, test.before, test.after)
				plan := b.planUndo(b.undoOf("run-1", "run-2", written(b, e, ended(e, reconcile.ResultFailed, test.of))))
				if got := fates(plan)[audit.SettingAuditLogAgeLimit]; got != test.want {
					t.Errorf("it is %q, want %q", got, test.want)
				}
				run := b.applyUndo(plan)
				m, _ := b.tenant.FindMailbox("pinned@contoso.com")
				if back := m.AgeLimit == other; back != (test.want == reconcile.FatePlanned) {
					t.Errorf("the age limit is %s", m.AgeLimit)
				}
				if named := run.Verdict(strict) == reconcile.VerdictDrift; named != (test.want == reconcile.FateBlocked) {
					t.Errorf("verdict %s", run.Verdict(strict))
				}
			})
		})
	}
}

// TestUndoWaitsForWhatMayYetShow: the former value of a write that nobody has seen
// is not taken to last, and is once the time is over in which it could show.
func TestUndoWaitsForWhatMayYetShow(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := shortfall()
		b := newUndoBench(t, tenant, simulator.WithReadLag(10*time.Minute))
		before := auditSettings(tenant)
		if r := b.carry(b.plan(parse(t, strictRules))).Results(); r[reconcile.ResultUnconfirmed] == 0 {
			t.Fatalf("results %v", r)
		}
		undo := func(id string) *reconcile.Run { return b.applyUndo(b.planUndo(b.undoRequest("run-1", id))) }
		early := undo("run-2")
		if early.Wrote() > 0 || early.Verdict(strict) != reconcile.VerdictIncomplete || !slices.ContainsFunc(slices.Collect(early.Plan.Unknown()), func(u reconcile.UnknownObject) bool {
			return strings.Contains(u.Reason, "awaiting confirmation until")
		}) {
			t.Errorf("%d written, verdict %s", early.Wrote(), early.Verdict(strict))
		}
		time.Sleep(time.Hour + time.Minute)
		undo("run-3")
		for m := range tenant.AllMailboxes() {
			if is, was := m.AgeLimit, before["mailbox/"+m.Guid+"/AuditLogAgeLimit"]; is != was {
				t.Errorf("the age limit of %s is %s and was %s", m.Name, is, was)
			}
		}
		time.Sleep(time.Hour + time.Minute)
		if again := b.planUndo(b.undoRequest("run-1", "run-4")); again.Summary().Changes.Planned != 0 || !again.Coverage.Complete {
			t.Errorf("%+v, %+v", again.Summary(), again.Coverage)
		}
	})
}

// TestUndoWaitsForAnUndo: what an undo has written and not seen is not written again
// by the next one.
func TestUndoWaitsForAnUndo(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		b, _ := broughtInLine(t)
		late := newUndoBench(t, b.tenant, simulator.WithReadLag(10*time.Minute))
		late.journal = b.journal
		first := late.applyUndo(late.planUndo(late.undoRequest("run-1", "run-2")))
		if first.Results()[reconcile.ResultUnconfirmed] == 0 {
			t.Fatalf("results %v", first.Results())
		}
		req := late.undoRequest("run-1", "run-3")
		req.Memory = first.Remember(&reconcile.Memory{})
		plan := late.planUndo(req)
		if n := plan.Summary().Changes.Planned; n > 0 || plan.Coverage.Complete {
			t.Errorf("%d changes planned again, coverage %+v", n, plan.Coverage)
		}
	})
}

// TestUndoKnowsItsShare: an undo forgets the sweep, and not how many mailboxes there
// are, so that the next one is held to its share of them.
func TestUndoKnowsItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newUndoBench(t, simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 20, Drift: 1}))
		plan := b.plan(parse(t, "mailboxes: {all: {ageLimit: 1y}}\nguards: {maxChangedPercent: 100}\n"))
		b.carry(plan)
		req := b.undoRequest("run-1", "run-2")
		req.Policy = parse(t, "mailboxes: {all: {ageLimit: 1d}}\n")
		req.Memory = plan.Remember(&reconcile.Memory{}).Without()
		if back := b.planUndo(req); !back.GuardRefused() {
			t.Errorf("guards %+v, %+v", back.Guards, back.Summary().Changes)
		}
	})
}
