package reconcile_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

// order lists what was called on one object, and on the tenant's switches, as
// the service saw it.
func order(b *bench, identity string) string {
	var out []string
	for _, call := range b.service.Calls() {
		for _, in := range call.Cmdlets {
			if id, _ := in.Parameters["Identity"].(string); id == identity {
				verb, _, _ := strings.Cut(in.Cmdlet, "-")
				out = append(out, verb)
			}
		}
	}
	return strings.Join(out, " ")
}

// TestResendOnlyAfterARead: a write whose fate is not known is sent again at
// most twice, and each time only after a read of its object.
func TestResendOnlyAfterARead(t *testing.T) {
	for fails, want := range map[int]string{
		0: "Set Get", 1: "Set Get Get Set Get", 2: "Set Get Get Set Get Get Set Get", 9: "Set Get Get Set Get Get Set Get Get Get",
	} {
		t.Run(fmt.Sprint(fails), func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := healthyTenant(3)
				user := anyUser(t, tenant)
				tenant.Update(user, func(m *simulator.Mailbox) { m.AgeLimit = "30.00:00:00" })
				b := newBench(t, tenant)
				if fails > 0 {
					b.service.AddFaults(simulator.Fault{Name: "unavailable", Cmdlet: "Set-Mailbox", Item: true, Times: fails, Do: simulator.DoStatus, Status: 503})
				}
				run := b.apply(b.check(parse(t, modest)))
				if got := order(b, user); got != want {
					t.Errorf("%s, want %s", got, want)
				}
				result := reconcile.ResultVerified
				if fails > 2 {
					result = reconcile.ResultUnconfirmed
				}
				if r := run.Results(); r[result] != 1 || len(r) != 1 {
					t.Errorf("results %v, want %s", r, result)
				}
			})
		})
	}
}

// TestNoResendWhereTheReadFails: what cannot be read is not written again.
func TestNoResendWhereTheReadFails(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(3)
		user := anyUser(t, tenant)
		tenant.Update(user, func(m *simulator.Mailbox) { m.AgeLimit = "30.00:00:00" })
		b := newBench(t, tenant, simulator.WithFaults(
			simulator.Fault{Name: "unavailable", Cmdlet: "Set-Mailbox", Item: true, Do: simulator.DoStatus, Status: 503},
			simulator.Fault{Name: "unreadable", Cmdlet: "Get-Mailbox", Item: true, With: []string{"Identity"}, Do: simulator.DoErrorInside, Text: "gone"}))
		run := b.apply(b.check(parse(t, modest)))
		if n := b.service.Count("Set-Mailbox"); n != 1 {
			t.Errorf("%d writes", n)
		}
		if r := run.Results(); r[reconcile.ResultUnconfirmed] != 1 {
			t.Errorf("results %v", r)
		}
	})
}

// TestNoResendAfterARefusal: an answer that names what is wrong stays one.
func TestNoResendAfterARefusal(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(3)
		user := anyUser(t, tenant)
		tenant.Update(user, func(m *simulator.Mailbox) { m.AgeLimit = "30.00:00:00" })
		b := newBench(t, tenant, simulator.WithFaults(
			simulator.Fault{Name: "bad request", Cmdlet: "Set-Mailbox", Item: true, Do: simulator.DoStatus, Status: 400}))
		run := b.apply(b.check(parse(t, modest)))
		if n := b.service.Count("Set-Mailbox"); n != 1 || run.Results()[reconcile.ResultFailed] != 1 {
			t.Errorf("%d writes, results %v", n, run.Results())
		}
	})
}

// TestNoResendOverAnother: where something is taken away, and somebody has
// changed the list meanwhile, what would be lost is not known.
func TestNoResendOverAnother(t *testing.T) {
	for name, meanwhile := range map[string]bool{"as it was": false, "changed by another": true} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := healthyTenant(3)
				user := anyUser(t, tenant)
				tenant.Update(user, func(m *simulator.Mailbox) {
					m.Managed, m.Owner = []string{"Admin", "Delegate"}, []string{"HardDelete", "Move"}
				})
				b := newBench(t, tenant, simulator.WithFaults(
					simulator.Fault{Name: "unavailable", Cmdlet: "Set-Mailbox", Item: true, Times: 1, Do: simulator.DoStatus, Status: 503}))
				if meanwhile {
					b.service.AddFaults(simulator.Fault{Name: "another", Cmdlet: "Set-Mailbox", Item: true, Times: 1, Do: simulator.DoRun, Run: func(tenant *simulator.Tenant) {
						tenant.Update(user, func(m *simulator.Mailbox) { m.Owner = append(m.Owner, "Update") })
					}})
				}
				const exact = "mailboxes: {everyone: {where: {address: \"*\"}, types: [UserMailbox], record: {owner: {exact: [HardDelete]}}}}\nguards: {maxChangedPercent: 100, allowWeakening: true}\n"
				plan := b.checkRequest(oneMailbox(b.request(parse(t, exact)), user))
				b.apply(plan)
				want := 2
				if meanwhile {
					want = 1
				}
				if n := b.service.Count("Set-Mailbox"); n != want {
					t.Errorf("%d writes, want %d", n, want)
				}
			})
		})
	}
}

func oneMailbox(r reconcile.Request, guid string) reconcile.Request {
	r.Mailbox = guid
	return r
}

// TestInterruptedResend: told to end, a run sends nothing again, and leaves no
// change without a result.
func TestInterruptedResend(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(3)
		user := anyUser(t, tenant)
		tenant.Update(user, func(m *simulator.Mailbox) { m.AgeLimit = "30.00:00:00" })
		b := newBench(t, tenant, simulator.WithFaults(
			simulator.Fault{Name: "unavailable", Cmdlet: "Set-Mailbox", Item: true, Do: simulator.DoStatus, Status: 503}))
		plan := b.check(parse(t, modest))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		rec := &recorder{}
		run, err := reconcile.Apply(ctx, b.client, plan, reconcile.ApplyOptions{Recorder: rec, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if n := b.service.Count("Set-Mailbox"); n != 1 || run.Results()[reconcile.ResultUnconfirmed] != 1 {
			t.Errorf("%d writes, results %v", n, run.Results())
		}
		if len(rec.intents) != 1 || len(rec.outcomes) != 1 {
			t.Errorf("%d intents, %d outcomes", len(rec.intents), len(rec.outcomes))
		}
	})
}

// TestCustomizationIsNotRepeatedBlindly: a refusal for want of hydration does
// not make a tenant its own that says it is already, and a lost answer does not
// make it so twice.
func TestCustomizationIsNotRepeatedBlindly(t *testing.T) {
	const consent = "organization: {unifiedAuditLog: true, enableCustomization: true}\n"
	for name, c := range map[string]struct {
		dehydrated bool
		fault      simulator.Fault
		want       int
	}{
		"hydrated":          {false, simulator.Fault{Name: "f", Cmdlet: "Set-AdminAuditLogConfig", Times: 1, Do: simulator.DoNotHydrated}, 0},
		"the answer lost":   {true, simulator.Fault{Name: "f", Cmdlet: "Enable-OrganizationCustomization", Times: 1, Do: simulator.DoDropConnection}, 1},
		"not carried out":   {true, simulator.Fault{Name: "f", Cmdlet: "Enable-OrganizationCustomization", Times: 1, Do: simulator.DoStatus, Status: 503}, 2},
		"never carried out": {true, simulator.Fault{Name: "f", Cmdlet: "Enable-OrganizationCustomization", Do: simulator.DoStatus, Status: 503}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 2, UnifiedLogOff: true, Dehydrated: c.dehydrated})
				b := newBench(t, tenant, simulator.WithFaults(c.fault))
				run := b.apply(b.check(parse(t, consent)))
				if n := b.service.Count("Enable-OrganizationCustomization"); n != c.want {
					t.Errorf("Enable-OrganizationCustomization ran %d times, want %d", n, c.want)
				}
				if done := run.Results()[reconcile.ResultVerified] == 1; done != (c.want < 3) {
					t.Errorf("results %v", run.Results())
				}
			})
		})
	}
}

// TestRefusedCustomizationIsNotWaitedFor: where the caller may not run it,
// nothing is coming that would let the settings be written.
func TestRefusedCustomizationIsNotWaitedFor(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 2, UnifiedLogOff: true, Dehydrated: true})
		b := newBench(t, tenant, simulator.WithFaults(simulator.Refused("Enable-OrganizationCustomization")))
		began := time.Now()
		run := b.apply(b.check(parse(t, "organization: {unifiedAuditLog: true, enableCustomization: true}\n")))
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("it took %v", took)
		}
		if run.Results()[reconcile.ResultFailed] != 1 || !run.Denied() {
			t.Errorf("results %v, denied %t", run.Results(), run.Denied())
		}
	})
}

// TestRefusedObjectsAreNotARefusedCmdlet: a service that refuses some mailboxes,
// out of the reach of the role say, has not refused the cmdlet: those that are
// sent again are just the refused ones.
func TestRefusedObjectsAreNotARefusedCmdlet(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(25)
		far := 0
		for i, m := range collect(tenant.AllMailboxes()) {
			if m.Type == "UserMailbox" && i%8 == 0 {
				tenant.Update(m.Guid, func(m *simulator.Mailbox) { m.AgeLimit = "30.00:00:00" })
				far++
			}
		}
		b := newBench(t, tenant, simulator.WithFaults(
			simulator.Fault{Name: "out of reach", Cmdlet: "Set-Mailbox", Item: true, With: []string{"AuditLogAgeLimit"}, Do: simulator.DoRefuse}))
		p := parse(t, "mailboxes: {everyone: {types: [UserMailbox], ageLimit: 90d, record: {admin: {plus: [Copy]}}}}\nguards: {maxChangedPercent: 100}\n")
		run := b.apply(b.check(p))
		if r := run.Results(); r[reconcile.ResultFailed] != 2*far || r[reconcile.ResultVerified] == 0 || len(r) != 2 {
			t.Errorf("results %v, want %d failed", r, 2*far)
		}
		if len(run.Refused) > 0 || run.Verdict(strict) != reconcile.VerdictIncomplete {
			t.Errorf("refused %v, verdict %s", run.Refused, run.Verdict(strict))
		}
	})
}
