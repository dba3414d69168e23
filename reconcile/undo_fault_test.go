package reconcile_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// TestUndoUnderFaults: lost answers, late reads and refusals cost no more than they
// do in an apply.
func TestUndoUnderFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simulator.Fault{
		"a lost answer":      simulator.ItemDropped("Set-Mailbox", 1),
		"no answer":          {Name: "unavailable", Cmdlet: "Set-Mailbox", Item: true, Times: 2, Do: simulator.DoStatus, Status: 503},
		"a lost switch":      {Name: "broken", Cmdlet: "Set-OrganizationConfig", Call: 1, Do: simulator.DoStatus, Status: 500},
		"throttled":          simulator.ItemThrottled("Set-Mailbox", 1, 3*time.Second),
		"a refused read":     {Name: "read", Cmdlet: "Get-OrganizationConfig", Call: 1, Do: simulator.DoStatus, Status: 503},
		"a stumble on reads": {Name: "read", Cmdlet: "Get-Mailbox", Item: true, Times: 1, Do: simulator.DoStatus, Status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				b, before := broughtInLine(t)
				plan := b.planUndo(b.undoRequest("run-1", "run-2"))
				b.service.AddFaults(fault)
				run := b.applyUndo(plan)
				now := auditSettings(b.tenant)
				diff := differences(before, now)
				failed := run.Results()[reconcile.ResultFailed]
				if len(diff) > 0 && failed == 0 {
					t.Errorf("results %v, stopped %q, and not as before:\n%s", run.Results(), run.Stopped, strings.Join(diff, "\n"))
				}
				if failed > 0 && name != "a stumble on reads" && name != "a refused read" {
					t.Errorf("results %v", run.Results())
				}
				var pending journal.Pending
				for _, e := range journalAt(t, b.journal) {
					pending.Take(e)
				}
				if n := len(pending.Open()); n > 0 {
					t.Errorf("%d intents are open", n)
				}
			})
		})
	}
}

// TestUndoReadLag: what does not show at once is looked at again, and what never
// shows is not called done.
func TestUndoReadLag(t *testing.T) {
	t.Parallel()
	for lag, want := range map[time.Duration]reconcile.Result{
		4 * time.Second: reconcile.ResultVerified, 29 * time.Second: reconcile.ResultVerified, time.Hour: reconcile.ResultUnconfirmed,
	} {
		t.Run(lag.String(), func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				b, _ := broughtInLine(t)
				late := newUndoBench(t, b.tenant, simulator.WithReadLag(lag))
				late.journal = b.journal
				run := late.applyUndo(late.planUndo(late.undoRequest("run-1", "run-2")))
				results := run.Results()
				if len(results) != 1 || results[want] == 0 {
					t.Errorf("results %v, want all %s", results, want)
				}
				for c := range run.Changes() {
					if c.Fate == reconcile.FatePlanned && c.Result != want {
						t.Errorf("%s of %s ended %s: %s", c.Setting, c.Subject.Name, c.Result, c.Note)
					}
				}
			})
		})
	}
}

// TestUndoStops: an interrupt, a lost lease and a journal that fails begin nothing
// more, and leave no write without its intent.
func TestUndoStops(t *testing.T) {
	t.Parallel()
	lost := errors.New("the lease is lost")
	for name, stop := range map[string]func(cancel func(), o *reconcile.ApplyOptions, r *recorder){
		"interrupt": func(cancel func(), _ *reconcile.ApplyOptions, r *recorder) { r.onIntend = cancel },
		"lease": func(_ func(), o *reconcile.ApplyOptions, r *recorder) {
			o.Permit = func() error {
				if r.intended() > 0 {
					return lost
				}
				return nil
			}
		},
		"journal": func(_ func(), _ *reconcile.ApplyOptions, r *recorder) {
			r.fail = func(n int) error {
				if n > 0 {
					return lost
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 60, Drift: 1, AuditDisabled: true})
				b := newUndoBench(t, tenant)
				b.carry(b.plan(parse(t, everything)))
				plan := b.planUndo(b.undoRequest("run-1", "run-2"))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				rec := &recorder{}
				opts := reconcile.ApplyOptions{Recorder: rec, Now: time.Now, Compliance: b.compliance, InFlight: 1}
				stop(cancel, &opts, rec)
				b.service.ResetCalls()
				run, err := reconcile.ApplyUndo(ctx, b.client, plan, opts)
				if err != nil {
					t.Fatal(err)
				}
				if run.Stopped == "" || run.Results()[reconcile.ResultSkipped] == 0 || run.Verdict(strict) != reconcile.VerdictIncomplete {
					t.Errorf("stopped %q, results %v", run.Stopped, run.Results())
				}
				if len(rec.outcomes) != len(rec.intents) || len(rec.intents) == 0 {
					t.Errorf("%d intents, %d outcomes", len(rec.intents), len(rec.outcomes))
				}
				if n := b.service.Count("Set-OrganizationConfig"); n != 0 {
					t.Error("the tenant's switch was written after the stop")
				}
			})
		})
	}
}

// TestUndoNamesMovedDefaults: a list that Microsoft manages again may be another
// than before; no undo brings the former one back.
func TestUndoNamesMovedDefaults(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		moved := false
		var guid string
		b, _ := broughtInLine(t, simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
			if id, ok := row.Get("Guid"); moved && ok && cmdlet == "Get-Mailbox" && strings.Contains(string(id), guid) {
				if set, _ := row.Get("DefaultAuditSet"); strings.Contains(string(set), "Delegate") {
					row.Set("AuditDelegate", `["SendAs", "Update", "Teleport"]`)
				}
			}
		}))
		guid, moved = guidOf(t, b.tenant, "managed"), true
		run := b.applyUndo(b.planUndo(b.undoRequest("run-1", "run-2")))
		named := slices.ContainsFunc(run.Warnings, func(w string) bool {
			return strings.Contains(w, "AuditDelegate of mailbox "+guid) && strings.Contains(w, "Teleport") && strings.Contains(w, "HardDelete")
		})
		if !named {
			t.Errorf("warnings %q", run.Warnings)
		}
	})
}

// TestUndoSendsEachAloneWhereOneIsRefused: what the service refuses of one setting
// does not keep the others of its mailbox from their way back.
func TestUndoSendsEachAloneWhereOneIsRefused(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7})
		tenant.AddMailbox(simulator.Mailbox{
			Type: "UserMailbox", Name: "ann", PrimarySMTPAddress: "ann@contoso.com", AgeLimit: "30.00:00:00", AuditEnabled: simulator.True,
			Admin: []string{"Update"}, Delegate: []string{"Update", "SendAs"}, Owner: []string{"Update", "Move", "MailItemsAccessed"},
		})
		b := newUndoBench(t, tenant)
		b.carry(b.plan(parse(t, "mailboxes: {all: {record: {owner: {exact: [Update, Move]}, admin: {plus: [Move]}}, ageLimit: 90d}}\nguards: {allowWeakening: true}\n")))
		guid := guidOf(t, tenant, "ann")
		tenant.Update(guid, func(m *simulator.Mailbox) { m.Unlicensed = true })
		run := b.applyUndo(b.planUndo(b.undoRequest("run-1", "run-2")))
		results := map[audit.Setting]reconcile.Result{}
		for c := range run.Changes() {
			results[c.Setting] = c.Result
		}
		want := map[audit.Setting]reconcile.Result{
			audit.SettingAuditOwner: reconcile.ResultUnsupported, audit.SettingAuditAdmin: reconcile.ResultVerified, audit.SettingAuditLogAgeLimit: reconcile.ResultVerified,
		}
		if !maps.Equal(results, want) {
			t.Errorf("results %v, want %v", results, want)
		}
		if m, _ := tenant.Mailbox(guid); m.AgeLimit != "30.00:00:00" || !slices.Equal(m.Admin, []string{"Update"}) {
			t.Errorf("the mailbox has %s and %v", m.AgeLimit, m.Admin)
		}
	})
}
