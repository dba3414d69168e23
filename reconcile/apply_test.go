package reconcile_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

func TestApplyBringsATenantInLine(t *testing.T) {
	b := newBench(t, simulator.NewTenant(simulator.Seed{
		Seed: 7, Mailboxes: 60, Groups: 3, PublicFolders: 2, Users: 5, Drift: 0.5, Bypassed: 0.1,
		AuditDisabled: true, UnifiedLogOff: true,
	}))
	p := parse(t, everything)
	plan := b.check(p)
	if got := plan.Verdict(strict); got != reconcile.VerdictDrift {
		t.Fatalf("verdict before the apply: %s, coverage %+v", got, plan.Coverage)
	}
	run := b.apply(plan)
	b.satisfied(p)
	if got := run.Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("verdict of the run: %s, results %v", got, run.Results())
	}
	if got := b.check(p).Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("verdict of a second check: %s", got)
	}
}

// TestOrderOfWrites: unified log, mailbox auditing, bypass, mailboxes; and what
// restores Microsoft's defaults is answered before anything else of the same
// mailboxes is sent.
func TestOrderOfWrites(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 12, Bypassed: 0.2, AuditDisabled: true, UnifiedLogOff: true})
	tenant.Update(anyUser(t, tenant), func(m *simulator.Mailbox) {
		m.Managed, m.Owner = []string{"Admin", "Delegate"}, []string{"Update"}
	})
	b := newBench(t, tenant)
	p := parse(t, `
organization: {unifiedAuditLog: true, mailboxAuditing: true}
mailboxes: {everyone: {record: {owner: {managed: true}}, ageLimit: 180d}}
bypass: {}
guards: {maxChangedPercent: 100}
`)
	b.apply(b.check(p))
	var order []string
	for _, call := range b.service.Calls() {
		for _, in := range call.Cmdlets {
			name := in.Cmdlet
			if in.Parameters["DefaultAuditSet"] != nil {
				name += " restore"
			}
			if !strings.HasPrefix(name, "Get-") && !slices.Contains(order, name) {
				order = append(order, name)
			}
			if len(call.Cmdlets) > 1 && in.Parameters["DefaultAuditSet"] != nil && call.Cmdlets[0].Parameters["DefaultAuditSet"] == nil {
				t.Error("a restore shares its batch with other writes")
			}
		}
	}
	want := []string{"Set-AdminAuditLogConfig", "Set-OrganizationConfig", "Set-MailboxAuditBypassAssociation", "Set-Mailbox restore", "Set-Mailbox"}
	if !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	b.satisfied(p)
}

// TestInterrupt: when the run is told to end, no new write is begun; those
// under way are finished, recorded and reported.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 200})
		b := newBench(t, tenant, simulator.WithLatency(time.Second))
		p := parse(t, everything)
		plan := b.check(p)
		ctx, cancel := context.WithCancel(t.Context())
		rec := &recorder{}
		batches := 0
		rec.onIntend = func() {
			if batches++; batches == 6 {
				cancel()
			}
		}
		run, err := reconcile.Apply(ctx, b.client, plan, reconcile.ApplyOptions{Recorder: rec, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		results := run.Results()
		if results[reconcile.ResultVerified] != len(rec.intents) || len(rec.outcomes) != len(rec.intents) {
			t.Errorf("%v, with %d intents and %d outcomes", results, len(rec.intents), len(rec.outcomes))
		}
		if results[reconcile.ResultSkipped] == 0 || run.Stopped != "interrupted" {
			t.Errorf("%v, stopped %q", results, run.Stopped)
		}
		// The three other workers may have a batch in hand that they had begun,
		// and not yet recorded, when the sixth was.
		if n := b.service.Count("Set-Mailbox"); n > 90 {
			t.Errorf("%d mailboxes were written with an interrupt in the sixth batch", n)
		}
		written := map[string]bool{}
		for _, i := range rec.intents {
			written[i.Subject.ID] = true
		}
		if n := b.service.Count("Set-Mailbox"); n != len(written) {
			t.Errorf("%d mailboxes were written, %d recorded", n, len(written))
		}
	})
}

// TestHydration: a tenant on shared defaults is given its own configuration
// only where the policy consents, once.
func TestHydration(t *testing.T) {
	for consent, want := range map[bool]reconcile.Verdict{true: reconcile.VerdictInLine, false: reconcile.VerdictDrift} {
		t.Run(fmt.Sprint(consent), func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 3, Dehydrated: true, UnifiedLogOff: true})
				b := newBench(t, tenant)
				run := b.apply(b.check(parse(t, fmt.Sprintf("organization: {unifiedAuditLog: true, enableCustomization: %t}\n", consent))))
				if got := run.Verdict(strict); got != want {
					t.Errorf("verdict %s, results %v", got, run.Results())
				}
				if n := b.service.Count("Enable-OrganizationCustomization"); n != map[bool]int{true: 1, false: 0}[consent] {
					t.Errorf("Enable-OrganizationCustomization ran %d times", n)
				}
			})
		})
	}
}

// TestRings: a ring is begun only when the one before it shows what was
// written. Without any in the options they are the policy's, and without any
// there the built-in ones, from 100 changed mailboxes on.
func TestRings(t *testing.T) {
	t.Parallel()
	three := []reconcile.Ring{{Mailboxes: 5}, {Mailboxes: 20}, {}}
	for name, c := range map[string]struct {
		mailboxes int
		guards    string
		rings     []reconcile.Ring
		lag       time.Duration
		want      int // mailboxes that are written; all where not given
	}{
		"shows in time":           {mailboxes: 50, rings: three, lag: 10 * time.Second},
		"does not show":           {mailboxes: 50, rings: three, lag: time.Hour, want: 5},
		"the policy's":            {mailboxes: 50, guards: ", rings: [10%, 3]", lag: time.Hour, want: 5},
		"the policy's, in time":   {mailboxes: 50, guards: ", rings: [10%, 3]", lag: 10 * time.Second},
		"built in":                {mailboxes: 120, lag: time.Hour, want: 5},
		"built in, in time":       {mailboxes: 120, lag: 10 * time.Second},
		"not for few":             {mailboxes: 50, lag: time.Hour},
		"the policy wants none":   {mailboxes: 120, guards: ", rings: []", lag: time.Hour},
		"the options go before":   {mailboxes: 50, guards: ", rings: [3]", rings: three, lag: time.Hour, want: 5},
		"a ring of all is no end": {mailboxes: 50, guards: ", rings: [100%]", lag: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: c.mailboxes})
				b := newBench(t, tenant, simulator.WithReadLag(c.lag))
				p := parse(t, strings.Replace(everything, "maxChangedPercent: 100", "maxChangedPercent: 100"+c.guards, 1))
				plan := b.check(p)
				want := c.want
				if want == 0 {
					want = plan.Summary().ChangedMailboxes
				}
				run := b.apply(plan, func(o *reconcile.ApplyOptions) { o.Rings = c.rings })
				if n := b.service.Count("Set-Mailbox"); n != want {
					t.Errorf("%d mailboxes were written, want %d; stopped %q", n, want, run.Stopped)
				}
				if (run.Stopped == "") != (c.want == 0) {
					t.Errorf("stopped %q, results %v", run.Stopped, run.Results())
				}
			})
		})
	}
}

// TestRestoreBesideAPin: one logon type goes back to Microsoft while another is
// taken from it; both show, and the record holds the list that was replaced.
func TestRestoreBesideAPin(t *testing.T) {
	tenant := healthyTenant(5)
	user := anyUser(t, tenant)
	tenant.Update(user, func(m *simulator.Mailbox) {
		m.Managed, m.Owner = []string{"Admin", "Delegate"}, []string{"SearchQueryInitiated", "Update"}
	})
	b, rec := newBench(t, tenant), &recorder{}
	p := parse(t, "mailboxes: {everyone: {types: [UserMailbox], record: {owner: {managed: true}, admin: {plus: [Copy]}}}}\nguards: {allowWeakening: true, maxChangedPercent: 100}\n")
	run := b.apply(b.check(p), with(rec))
	if r := run.Results(); len(r) != 1 || r[reconcile.ResultVerified] == 0 {
		t.Errorf("results %v", r)
	}
	b.satisfied(p)
	for _, i := range rec.intents {
		if i.Subject.ID == user && i.Setting == audit.SettingDefaultAuditSet {
			if !slices.Equal(i.Inverse.Lists[audit.SettingAuditOwner], []string{"SearchQueryInitiated", "Update"}) {
				t.Errorf("the list that was replaced is nowhere: %+v", i.Inverse)
			}
			return
		}
	}
	t.Error("the restore was not intended")
}

// TestInterruptAfterTheLastWrite: a run that was gone through is not stopped.
func TestInterruptAfterTheLastWrite(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 3, UnifiedLogOff: true})
	b := newBench(t, tenant)
	ctx, cancel := context.WithCancel(t.Context())
	rec := &recorder{onIntend: cancel}
	run, err := reconcile.Apply(ctx, b.client, b.check(parse(t, "organization: {unifiedAuditLog: true}\n")), reconcile.ApplyOptions{Recorder: rec, Now: time.Now})
	if err != nil || run.Stopped != "" || run.Verdict(strict) != reconcile.VerdictInLine {
		t.Errorf("stopped %q, verdict %s, %v", run.Stopped, run.Verdict(strict), err)
	}
}

// TestInterruptBeforeHydration: what cannot be undone is not begun after an
// interrupt.
func TestInterruptBeforeHydration(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 3, UnifiedLogOff: true, Dehydrated: true})
		b := newBench(t, tenant)
		ctx, cancel := context.WithCancel(t.Context())
		plan := b.check(parse(t, "organization: {unifiedAuditLog: true, enableCustomization: true}\n"))
		if _, err := reconcile.Apply(ctx, b.client, plan, reconcile.ApplyOptions{Recorder: &recorder{onIntend: cancel}, Now: time.Now}); err != nil {
			t.Fatal(err)
		}
		if n := b.service.Count("Enable-OrganizationCustomization"); n != 0 {
			t.Errorf("it ran %d times", n)
		}
	})
}

// TestManagedListIsSentWithoutWhatMustNotBe: MessageBind may stand in a list,
// and is never sent.
func TestManagedListIsSentWithoutWhatMustNotBe(t *testing.T) {
	tenant := healthyTenant(6)
	b := newBench(t, tenant, simulator.WithRowEdit(func(_ string, row *simulator.Row) {
		if list, ok := row.Get("AuditAdmin"); ok {
			row.Set("AuditAdmin", strings.Replace(string(list), "[", `["MessageBind","AddFolderPermissions",`, 1))
		}
	}))
	run := b.apply(b.check(parse(t, "mailboxes: {everyone: {record: {admin: {plus: [Copy]}}}}\nguards: {maxChangedPercent: 100}\n")))
	for _, call := range b.service.Calls() {
		for _, in := range call.Cmdlets {
			if text := fmt.Sprint(in.Parameters["AuditAdmin"]); strings.Contains(text, "MessageBind") || strings.Contains(text, "AddFolder") {
				t.Errorf("sent %s", text)
			}
		}
	}
	if r := run.Results(); r[reconcile.ResultVerified] == 0 {
		t.Errorf("results %v", r)
	}
}
