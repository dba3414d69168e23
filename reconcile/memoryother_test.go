package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// TestOtherPolicySettlesNothing: a look at one mailbox by another policy, or by
// another version of the program, says nothing of what the sweep found by its own.
func TestOtherPolicySettlesNothing(t *testing.T) {
	for name, change := range map[string]func(*reconcile.Request){
		"another policy":  func(r *reconcile.Request) { r.Policy = parse(t, strings.Replace(longAge, "90d", "7d", 1)) },
		"another version": func(r *reconcile.Request) { r.Tool = "exoaudit v2.0.0" },
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := bubbleTenant(10)
				guid := anyUser(t, tenant)
				shorten(tenant, guid)
				b, s := swept(t, longAge, tenant)
				req := b.later(longAge, "other")
				req.Mailbox = guid
				change(&req)
				b.remembering(s, req)
				if name == "another version" { // it finds the same, and settles nothing by saying so
					tenant.Update(guid, func(m *simulator.Mailbox) { m.AgeLimit = "90.00:00:00" })
					b.remembering(s, req)
				}
				if got := remembered(t, s, b).Open(); got != 1 {
					t.Errorf("%d are open after it, want 1", got)
				}
				if name == "another policy" {
					time.Sleep(3 * time.Hour)
					if plan := b.since(s, longAge); plan.Verdict(strict) != reconcile.VerdictDrift {
						t.Errorf("verdict %s", plan.Verdict(strict))
					}
				}
			})
		})
	}
}

// TestOtherPolicyEndsNoWaiting: a policy to which the value of before is as good as
// what was written does not end the waiting for it.
func TestOtherPolicyEndsNoWaiting(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		const other = "mailboxes: {everyone: {types: [UserMailbox], record: {owner: {managed: true}}}}\nguards: {maxChangedPercent: 100}\n"
		tenant := bubbleTenant(10)
		shorten(tenant, anyUser(t, tenant))
		b, s := newBench(t, tenant, simulator.WithReadLag(10*time.Minute)), newShelf()
		if r := b.applying(s, b.later(longAge, "run-1")).Results(); r[reconcile.ResultUnconfirmed] != 1 {
			t.Fatalf("results %v", r)
		}
		if plan := b.remembering(s, b.later(other, "run-2")); plan.Verdict(strict) != reconcile.VerdictInLine {
			t.Fatalf("verdict %s", plan.Verdict(strict))
		}
		sent := b.writes()
		run := b.applying(s, b.later(longAge, "run-3"))
		if n := b.writes() - sent; n != 0 || run.Verdict(strict) != reconcile.VerdictIncomplete {
			t.Errorf("%d writes again, verdict %s", n, run.Verdict(strict))
		}
	})
}

// TestUnreadableSettlesNothing: a look at one mailbox whose value cannot be read does
// not settle what the sweep found of it.
func TestUnreadableSettlesNothing(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := bubbleTenant(10)
		guid := anyUser(t, tenant)
		shorten(tenant, guid)
		blind := false
		b, s := swept(t, longAge, tenant, simulator.WithRowEdit(func(_ string, row *simulator.Row) {
			if blind {
				row.Delete("AuditLogAgeLimit")
			}
		}))
		blind = true
		req := b.later(longAge, "other")
		req.Mailbox = guid
		if plan := b.remembering(s, req); plan.Verdict(strict) != reconcile.VerdictIncomplete {
			t.Fatalf("verdict %s", plan.Verdict(strict))
		}
		if got := remembered(t, s, b).Open(); got != 1 {
			t.Errorf("%d are open after it, want 1", got)
		}
		blind = false
		time.Sleep(3 * time.Hour)
		if plan := b.since(s, longAge); plan.Verdict(strict) == reconcile.VerdictInLine {
			t.Error("what was found is forgotten")
		}
	})
}

// TestOtherSweepStandsBesideAnApply: where somebody sweeps by another policy while
// an apply over what changed is at work, its findings are its own.
func TestOtherSweepStandsBesideAnApply(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		const strictAge = "mailboxes: {everyone: {ageLimit: 1y}}\nguards: {maxChangedPercent: 100}\n"
		tenant := bubbleTenant(10)
		b, s := swept(t, longAge, tenant)
		shorten(tenant, anyUser(t, tenant))
		req := b.later(longAge, "apply")
		req.SinceLastRun = true
		open := 0
		b.applying(s, req, func(*reconcile.ApplyOptions) { // between the plan and the writes
			b.remembering(s, b.later(strictAge, "other"))
			open = remembered(t, s, b).Open()
		})
		_, run := remembered(t, s, b).LastSweep()
		if got := remembered(t, s, b).Open(); run != "other" || got != open || open == 0 {
			t.Errorf("sweep %s, %d open, want %d: none has what the sweep's policy asks for", run, got, open)
		}
	})
}

// TestClockWasWrong: what a run wrote down by a clock that was a year ahead holds
// nothing up once the clock is right.
func TestClockWasWrong(t *testing.T) {
	ahead := func() time.Time { return time.Now().AddDate(1, 0, 0) }
	t.Run("waiting", func(t *testing.T) {
		synctestRun(t, func(t *testing.T) {
			tenant := bubbleTenant(10)
			shorten(tenant, anyUser(t, tenant))
			b, s := newBench(t, tenant, simulator.WithReadLag(time.Hour)), newShelf()
			req := b.later(longAge, "run-1")
			req.Now = ahead
			time.Sleep(2 * time.Hour)
			if run := b.applying(s, req, func(o *reconcile.ApplyOptions) { o.Now = ahead }); run.Results()[reconcile.ResultUnconfirmed] != 1 {
				t.Fatalf("results %v", run.Results())
			}
			// It waits as long as it would have by a right clock, from the first run on.
			if got := b.remembering(s, b.later(longAge, "run-2")).Summary().Changes; got.Blocked != 1 {
				t.Errorf("at once: %+v", got)
			}
			time.Sleep(16 * time.Minute)
			if got := b.remembering(s, b.later(longAge, "run-3")).Summary().Changes; got.Planned != 1 {
				t.Errorf("a quarter of an hour later: %+v", got)
			}
		})
	})
	t.Run("contested", func(t *testing.T) {
		synctestRun(t, func(t *testing.T) {
			tenant := bubbleTenant(10)
			guid := anyUser(t, tenant)
			b, s := newBench(t, tenant), newShelf()
			for range 3 {
				shorten(tenant, guid)
				req := b.later(longAge, "fix")
				req.Now = ahead
				b.applying(s, req, func(o *reconcile.ApplyOptions) { o.Now = ahead })
			}
			shorten(tenant, guid)
			if plan := b.remembering(s, b.later(longAge, "right")); len(contestedChanges(plan)) != 0 || plan.Summary().Changes.Planned != 1 {
				t.Errorf("%+v", plan.Summary().Changes)
			}
		})
	})
}

// TestExpiryByOneClock: an exemption ends by the same clock for the sweep that
// judges by it and for the look at what changed that asks whether it did.
func TestExpiryByOneClock(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		const text = longAge + "exemptions: {import: {where: {address: \"*\"}, accept: {ageLimit: 1d}, reason: r, owner: o@contoso.com, expires: 2000-01-01}}\n"
		tenant := bubbleTenant(10)
		guid := anyUser(t, tenant)
		shorten(tenant, guid)
		b, s := newBench(t, tenant), newShelf()
		slow := func() time.Time { return time.Now().Add(-40 * time.Minute) }
		req := b.later(text, "sweep")
		req.Now = slow
		time.Sleep(24*time.Hour + 10*time.Minute) // past midnight, but not by our clock
		if in := b.remembering(s, req).Acceptances(); len(in) != 1 || !in[0].Expired || in[0].Accepted != 0 {
			t.Errorf("the plan judged by an exemption that it lists as %+v", in)
		}
		e, err := reconcile.Explain(t.Context(), b.client, reconcile.ExplainRequest{Policy: req.Policy, Identity: guid, Now: slow})
		if err != nil || len(e.Exemptions) != 1 || !e.Exemptions[0].Expired || e.State != reconcile.Drifted {
			t.Errorf("explained as %s, %v", e.State, err)
		}
		time.Sleep(3 * time.Hour)
		plan := b.since(s, text, func(r *reconcile.Request) { r.Now = slow })
		if got := found(plan); !slices.Equal(got, []string{guid}) {
			t.Errorf("scope %s: found %v, want %s", plan.Coverage.Scope, got, guid)
		}
	})
}

// TestKnownAccountMustBeNamed: an answer that does not say whose it is says nothing
// of the account that was asked for.
func TestKnownAccountMustBeNamed(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := bubbleTenant(10)
		tenant.SetBypass(anyUser(t, tenant), true)
		nameless := false
		b, s := swept(t, "bypass: {}\n", tenant, simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
			if nameless && cmdlet == "Get-MailboxAuditBypassAssociation" {
				row.Delete("Guid")
				row.Delete("ExchangeObjectId")
				row.Set("AuditBypassEnabled", "false")
			}
		}))
		nameless = true
		plan := b.since(s, "bypass: {}\n", func(r *reconcile.Request) { r.BypassEvery = 24 * time.Hour })
		if plan.Verdict(strict) != reconcile.VerdictIncomplete || plan.Summary().States[audit.KindBypass].InSync != 0 {
			t.Errorf("verdict %s, %+v", plan.Verdict(strict), plan.Summary().States[audit.KindBypass])
		}
	})
}
