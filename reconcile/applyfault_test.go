package reconcile_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// TestReadLag: a write that does not show at once is read again at 5 and at 30
// seconds; what does not show then is unconfirmed, and not a success.
func TestReadLag(t *testing.T) {
	t.Parallel()
	for lag, want := range map[time.Duration]reconcile.Result{
		0: reconcile.ResultVerified, 4 * time.Second: reconcile.ResultVerified, 29 * time.Second: reconcile.ResultVerified, time.Minute: reconcile.ResultUnconfirmed,
	} {
		t.Run(lag.String(), func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 15, Bypassed: 0.1, AuditDisabled: true, UnifiedLogOff: true})
				b := newBench(t, tenant, simulator.WithReadLag(lag))
				run := b.apply(b.check(parse(t, everything)))
				results := run.Results()
				if len(results) != 1 || results[want] == 0 {
					t.Errorf("results %v, want all %s", results, want)
				}
				verdict := map[reconcile.Result]reconcile.Verdict{reconcile.ResultVerified: reconcile.VerdictInLine, reconcile.ResultUnconfirmed: reconcile.VerdictIncomplete}
				if got := run.Verdict(strict); got != verdict[want] {
					t.Errorf("verdict %s", got)
				}
			})
		})
	}
}

// TestHarmStopsTheRun: a mailbox that records less after its write than before
// it ends the writing.
func TestHarmStopsTheRun(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		var b *bench
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 300})
		b = newBench(t, tenant, simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
			if cmdlet == "Get-Mailbox" && b.service.Count("Set-Mailbox") > 0 {
				row.Set("AuditAdmin", `["Copy", "FolderBind", "Move"]`)
			}
		}))
		run := b.apply(b.check(parse(t, everything)), func(o *reconcile.ApplyOptions) { o.InFlight = 1 })
		if n := b.service.Count("Set-Mailbox"); n > 20 {
			t.Errorf("%d mailboxes were written although the first ones were harmed", n)
		}
		if !strings.Contains(run.Stopped, "records less") || run.Verdict(strict) != reconcile.VerdictIncomplete {
			t.Errorf("stopped %q, verdict %s", run.Stopped, run.Verdict(strict))
		}
	})
}

// TestRefusedWriteStopsTheRun: when the role may not write, one attempt shows it.
func TestRefusedWriteStopsTheRun(t *testing.T) {
	t.Parallel()
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 300})
		b := newBench(t, tenant, simulator.WithFaults(simulator.Refused("Set-Mailbox")))
		run := b.apply(b.check(parse(t, everything)))
		if n := b.service.Count("Set-Mailbox"); n > 50 {
			t.Errorf("%d attempts", n)
		}
		if r := run.Results(); r[reconcile.ResultFailed] == 0 || r[reconcile.ResultSkipped] == 0 || r[reconcile.ResultVerified] > 0 {
			t.Errorf("results %v", r)
		}
	})
}

// TestThrottledWrites: a 429 costs time, never a result.
func TestThrottledWrites(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 60})
		b := newBench(t, tenant, simulator.WithFaults(
			simulator.Throttled("$batch", 2, 30*time.Second), simulator.ItemThrottled("Set-Mailbox", 7, 3*time.Second), simulator.ItemThrottled("Set-Mailbox", 23, 0)))
		p := parse(t, everything)
		run := b.apply(b.check(p))
		if r := run.Results(); r[reconcile.ResultVerified] == 0 || len(r) != 1 {
			t.Errorf("results %v", r)
		}
		b.satisfied(p)
	})
}

// TestLostAnswers: a write whose answer is lost is looked at, not repeated.
func TestLostAnswers(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 20})
		b := newBench(t, tenant, simulator.WithFaults(simulator.ItemDropped("Set-Mailbox", 3)))
		p := parse(t, everything)
		plan := b.check(p)
		planned := plan.Summary().ChangedMailboxes
		run := b.apply(plan)
		if n := b.service.Count("Set-Mailbox"); n != planned {
			t.Errorf("%d writes for %d mailboxes", n, planned)
		}
		if r := run.Results(); r[reconcile.ResultVerified] == 0 || len(r) != 1 {
			t.Errorf("results %v", r)
		}
		b.satisfied(p)
	})
}

// TestStoredAuditEnabled: explicit is asked of the filter, confirmed by it, and
// left unsupported where the service swallows the write.
func TestStoredAuditEnabled(t *testing.T) {
	const explicit = "mailboxes: {everyone: {auditEnabled: explicit}}\nguards: {maxChangedPercent: 100}\n"
	for mode, want := range map[simulator.HiddenSetMode]reconcile.Result{
		simulator.HiddenSetStored: reconcile.ResultVerified, simulator.HiddenSetSwallowed: reconcile.ResultUnsupported,
	} {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 25})
		for i, m := range collect(tenant.AllMailboxes()) {
			if i%3 == 0 && m.Type == "UserMailbox" {
				tenant.Update(m.Guid, func(m *simulator.Mailbox) { m.AuditEnabled = simulator.Unset })
			}
		}
		b := newBench(t, tenant, simulator.WithSwitches(simulator.Switches{HiddenSet: mode}))
		p := parse(t, explicit)
		run := b.apply(b.check(p))
		if r := run.Results(); len(r) != 1 || r[want] == 0 {
			t.Errorf("results %v, want all %s", r, want)
		}
		lenient := reconcile.Threshold{FailOn: audit.Low}
		if got := run.Verdict(lenient); got != reconcile.VerdictInLine {
			t.Errorf("verdict %s without strict", got)
		}
		if got := run.Verdict(strict); (got == reconcile.VerdictInLine) != (want == reconcile.ResultVerified) {
			t.Errorf("verdict %s with strict", got)
		}
		if want == reconcile.ResultVerified {
			b.satisfied(p)
		}
	}
}

// TestFilterThatCannotBeTrusted: a filter that contradicts what is shown makes
// stored values unknown.
func TestFilterThatCannotBeTrusted(t *testing.T) {
	const explicit = "mailboxes: {everyone: {types: [UserMailbox], auditEnabled: explicit}}\n"
	tenant := healthyTenant(10)
	tenant.AddMailbox(simulator.Mailbox{Type: "RoomMailbox", PrimarySMTPAddress: "room-x@contoso.com", AuditEnabled: simulator.True})
	b := newBench(t, tenant, simulator.WithSwitches(simulator.Switches{Filter: simulator.FilterIgnored}))
	plan := b.check(parse(t, explicit))
	if got := plan.Verdict(strict); got != reconcile.VerdictIncomplete {
		t.Errorf("verdict %s", got)
	}
	if run := b.apply(plan); b.writes() != 0 || run.Verdict(strict) != reconcile.VerdictIncomplete {
		t.Errorf("%d writes on values that nobody knows", b.writes())
	}
}

// TestFailedRestore: what failed is failed, whatever else of the mailbox worked.
func TestFailedRestore(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(5)
		tenant.Update(anyUser(t, tenant), func(m *simulator.Mailbox) {
			m.Managed, m.Owner, m.AgeLimit = []string{"Admin", "Delegate"}, []string{"Update"}, "30.00:00:00"
		})
		fault := simulator.Fault{Name: "bad request", Cmdlet: "Set-Mailbox", Item: true, Call: 1, Do: simulator.DoStatus, Status: http.StatusBadRequest}
		b := newBench(t, tenant, simulator.WithFaults(fault))
		run := b.apply(b.check(parse(t, "mailboxes: {everyone: {record: {owner: {managed: true}}, ageLimit: 90d}}\n")))
		got := map[audit.Setting]reconcile.Result{}
		for c := range run.Changes() {
			got[c.Setting] = c.Result
		}
		want := map[audit.Setting]reconcile.Result{audit.SettingDefaultAuditSet: reconcile.ResultFailed, audit.SettingAuditLogAgeLimit: reconcile.ResultVerified}
		if !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// TestUnlicensed: where the service wants a licence for an action the lists of
// that mailbox are unsupported, and the rest of it is applied.
func TestUnlicensed(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(5)
		user := anyUser(t, tenant)
		tenant.Update(user, func(m *simulator.Mailbox) {
			m.Unlicensed, m.Managed, m.Owner, m.AgeLimit = true, []string{"Admin", "Delegate"}, []string{"Update"}, "30.00:00:00"
		})
		b := newBench(t, tenant)
		run := b.apply(b.check(parse(t, "mailboxes: {everyone: {record: {owner: {plus: [MailItemsAccessed]}}, ageLimit: 90d}}\n")))
		got := map[audit.Setting]reconcile.Result{}
		for c := range run.Changes() {
			got[c.Setting] = c.Result
		}
		want := map[audit.Setting]reconcile.Result{audit.SettingAuditOwner: reconcile.ResultUnsupported, audit.SettingAuditLogAgeLimit: reconcile.ResultVerified}
		if !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		if got := run.Verdict(reconcile.Threshold{FailOn: audit.Low}); got != reconcile.VerdictInLine {
			t.Errorf("verdict %s", got)
		}
		want1 := []string{"1 mailbox needs a licence for MailItemsAccessed: their lists were left as they are"}
		if !slices.Equal(run.Warnings, want1) {
			t.Errorf("warnings %q", run.Warnings)
		}
	})
}

// TestLicencesAreCounted: who reads of a large run is told once how many
// mailboxes want a licence, and for what.
func TestLicencesAreCounted(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(40)
		n := 0
		for m := range tenant.AllMailboxes() {
			if m.Type == "UserMailbox" && n < 12 {
				n++
				tenant.Update(m.Guid, func(m *simulator.Mailbox) {
					m.Unlicensed, m.Managed, m.Owner = true, []string{"Admin", "Delegate"}, []string{"Update"}
				})
			}
		}
		b := newBench(t, tenant)
		run := b.apply(b.check(parse(t, "mailboxes: {everyone: {record: {owner: {plus: [MailItemsAccessed]}}}}\nguards: {maxChangedPercent: 100}\n")))
		if len(run.Warnings) != 1 || !strings.HasPrefix(run.Warnings[0], "12 mailboxes need a licence for MailItemsAccessed:") {
			t.Errorf("warnings %q, results %v", run.Warnings, run.Results())
		}
	})
}

// TestRefusedWriteLeavesTheOtherKinds: a cmdlet that the role may not use ends
// its own kind only.
func TestRefusedWriteLeavesTheOtherKinds(t *testing.T) {
	t.Parallel()
	for cmdlet, others := range map[string][]string{
		"Set-AdminAuditLogConfig":           {"Set-OrganizationConfig", "Set-MailboxAuditBypassAssociation", "Set-Mailbox"},
		"Set-OrganizationConfig":            {"Set-AdminAuditLogConfig", "Set-MailboxAuditBypassAssociation", "Set-Mailbox"},
		"Set-MailboxAuditBypassAssociation": {"Set-AdminAuditLogConfig", "Set-OrganizationConfig", "Set-Mailbox"},
		"Set-Mailbox":                       {"Set-AdminAuditLogConfig", "Set-OrganizationConfig", "Set-MailboxAuditBypassAssociation"},
	} {
		t.Run(cmdlet, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 100, Bypassed: 0.3, UnifiedLogOff: true, AuditDisabled: true})
				b := newBench(t, tenant, simulator.WithFaults(simulator.Refused(cmdlet)))
				run := b.apply(b.check(parse(t, everything)))
				if got := run.Verdict(strict); got != reconcile.VerdictFailed || !slices.Contains(run.Refused, cmdlet) {
					t.Errorf("verdict %s, refused %v", got, run.Refused)
				}
				for _, other := range others {
					if b.service.Count(other) == 0 {
						t.Errorf("%s was not tried", other)
					}
				}
				if n := b.service.Count(cmdlet); n > 50 {
					t.Errorf("%d attempts of %s", n, cmdlet)
				}
			})
		})
	}
}

// TestLostAnswersThatShowLate: an answer that was lost is no failure while the
// write may still show.
func TestLostAnswersThatShowLate(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 20})
		b := newBench(t, tenant, simulator.WithFaults(simulator.ItemDropped("Set-Mailbox", 3)), simulator.WithReadLag(3*time.Second))
		run := b.apply(b.check(parse(t, everything)))
		if r := run.Results(); r[reconcile.ResultVerified] == 0 || len(r) != 1 {
			t.Errorf("results %v", r)
		}
	})
}

// TestReadBackOfAnotherObject: an answer about something else confirms nothing.
func TestReadBackOfAnotherObject(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 10, Bypassed: 0.5})
		var b *bench
		b = newBench(t, tenant, simulator.WithRowEdit(func(_ string, row *simulator.Row) {
			if b.writes() > 0 {
				row.Set("Guid", `"11111111-2222-4333-8444-555555555555"`)
			}
		}))
		run := b.apply(b.check(parse(t, everything)))
		if r := run.Results(); r[reconcile.ResultVerified] > 0 || r[reconcile.ResultUnconfirmed] == 0 {
			t.Errorf("results %v", r)
		}
	})
}

// TestLossByRestoreStopsTheRun: Microsoft's defaults were learned, and may turn
// out to hold less than the list that they replace.
func TestLossByRestoreStopsTheRun(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(60)
		for m := range tenant.AllMailboxes() {
			if m.Type == "UserMailbox" {
				tenant.Update(m.Guid, func(m *simulator.Mailbox) {
					m.Managed, m.Owner = []string{"Admin", "Delegate"}, []string{"HardDelete", "Update"}
				})
			}
		}
		var b *bench
		b = newBench(t, tenant, simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
			if cmdlet == "Get-Mailbox" && b.service.Count("Set-Mailbox") > 0 {
				row.Set("AuditOwner", `["Update"]`)
			}
		}))
		run := b.apply(b.check(parse(t, "mailboxes: {everyone: {types: [UserMailbox], record: {owner: {managed: true}}}}\nguards: {maxChangedPercent: 100}\n")),
			func(o *reconcile.ApplyOptions) { o.InFlight = 1 })
		if !strings.Contains(run.Stopped, "records less") || b.service.Count("Set-Mailbox") > 20 {
			t.Errorf("stopped %q after %d writes", run.Stopped, b.service.Count("Set-Mailbox"))
		}
	})
}

// TestLateReadsGoSideBySide: what does not show at once is most of a large
// tenant where reads lag, so it is not read back one batch after another.
func TestLateReadsGoSideBySide(t *testing.T) {
	t.Parallel()
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 400})
		b := newBench(t, tenant, simulator.WithReadLag(4*time.Second), simulator.WithLatency(2*time.Second))
		plan := b.check(parse(t, strings.Replace(everything, "guards: {", "guards: {rings: [], ", 1)))
		start := time.Now()
		run := b.apply(plan)
		if r := run.Results(); len(r) != 1 || r[reconcile.ResultVerified] == 0 {
			t.Errorf("results %v", r)
		}
		// Forty batches, four at once: ten times two requests to write, the pause,
		// and ten times one to look again.
		if took := time.Since(start); took > 70*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
