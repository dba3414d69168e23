package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// since compares what changed since the last run, and keeps the comparison.
func (b *bench) since(s store.Store, text string, change ...func(*reconcile.Request)) *reconcile.Plan {
	b.t.Helper()
	req := b.later(text, "since-"+time.Now().UTC().Format("0102T150405"))
	req.SinceLastRun = true
	for _, f := range change {
		f(&req)
	}
	plan := b.remembering(s, req)
	if t, ok := b.t.(*testing.T); ok && plan.Coverage.Complete {
		agrees(t, plan)
	}
	return plan
}

// swept is a tenant of which a full sweep is remembered, made hours after what was
// done to the tenant before.
func swept(t *testing.T, text string, tenant *simulator.Tenant, opts ...simulator.Option) (*bench, *shelf) {
	t.Helper()
	b, s := newBench(t, tenant, opts...), newShelf()
	time.Sleep(3 * time.Hour)
	b.remembering(s, b.later(text, "sweep"))
	time.Sleep(time.Hour)
	return b, s
}

// bubbleTenant is a tenant that was made before the bubble of a test began.
func bubbleTenant(mailboxes int) *simulator.Tenant {
	return simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: mailboxes, Users: 3, Now: time.Now()})
}

// found are the names of the mailboxes that drift, sorted.
func found(plan *reconcile.Plan) []string {
	var out []string
	for c := range plan.Changes() {
		if c.Subject.Kind == audit.KindMailbox && c.Fate != reconcile.FateExempt {
			out = append(out, c.Subject.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestSinceLastRun: what was created, changed, retyped or restored since the last
// run is found by a look at what changed, and stays found by later ones until it
// is settled.
func TestSinceLastRun(t *testing.T) {
	t.Parallel()
	const text = "mailboxes: {everyone: {ageLimit: 90d}, rooms: {types: [RoomMailbox], ageLimit: 90d}}\nguards: {maxChangedPercent: 100}\n"
	short := func(m *simulator.Mailbox) { m.AgeLimit = "30.00:00:00" }
	for name, change := range map[string]func(tenant *simulator.Tenant, user string) string{
		"nothing": func(*simulator.Tenant, string) string { return "" },
		"weakened": func(tenant *simulator.Tenant, user string) string {
			tenant.Update(user, short)
			return user
		},
		"created": func(tenant *simulator.Tenant, _ string) string {
			return tenant.AddMailbox(simulator.Mailbox{AgeLimit: "30.00:00:00"}).Guid
		},
		"created in a time zone far away": func(tenant *simulator.Tenant, _ string) string {
			return tenant.AddMailbox(simulator.Mailbox{AgeLimit: "30.00:00:00", Created: time.Now().Add(-14 * time.Hour), Changed: time.Now().AddDate(0, 0, -9)}).Guid
		},
		"retyped": func(tenant *simulator.Tenant, _ string) string {
			// Of an equipment mailbox the policy asks nothing; of a shared one it does.
			m := tenant.AddMailbox(simulator.Mailbox{Type: "EquipmentMailbox", AgeLimit: "30.00:00:00", Created: time.Now().AddDate(-1, 0, 0)})
			tenant.Update(m.Guid, func(m *simulator.Mailbox) { m.Type = "SharedMailbox" })
			return m.Guid
		},
		"restored": func(tenant *simulator.Tenant, user string) string {
			m, _ := tenant.Mailbox(user)
			tenant.RemoveMailbox(user)
			m.AgeLimit = "30.00:00:00"
			return tenant.RestoreMailbox(m).Guid
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := bubbleTenant(20)
				b, s := swept(t, text, tenant)
				guid := change(tenant, anyUser(t, tenant))
				want, verdict := []string(nil), reconcile.VerdictInLine
				if guid != "" {
					want, verdict = []string{guid}, reconcile.VerdictDrift
				}
				for n := range 3 {
					before := b.service.Requests()
					plan := b.since(s, text)
					if plan.Coverage.Scope != reconcile.ScopeIncremental || plan.Coverage.BaseRun != "sweep" || !plan.Coverage.Complete {
						t.Fatalf("coverage %+v, warnings %q", plan.Coverage, plan.Warnings)
					}
					if got := found(plan); !slices.Equal(got, want) || plan.Verdict(strict) != verdict {
						t.Errorf("look %d: found %v, verdict %s; want %v, %s", n, got, plan.Verdict(strict), want, verdict)
					}
					if got := b.service.Requests() - before; got != 2 || plan.Coverage.Requests != got {
						t.Errorf("look %d: %d requests, the plan says %d", n, got, plan.Coverage.Requests)
					}
					time.Sleep(7 * time.Hour)
				}
				if guid == "" {
					return
				}
				tenant.Update(guid, func(m *simulator.Mailbox) { m.AgeLimit = "90.00:00:00" })
				if plan := b.since(s, text); plan.Verdict(strict) != reconcile.VerdictInLine || len(found(plan)) > 0 {
					t.Errorf("after it was settled: verdict %s, found %v", plan.Verdict(strict), found(plan))
				}
			})
		})
	}
}

// TestCarried: what a full sweep left open stays in the verdict, marked, until it
// is read again; an apply does not write what it has not read.
func TestCarried(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := bubbleTenant(20)
		list := users(tenant)
		shorten(tenant, list[0], list[1])
		b, s := swept(t, longAge, tenant)
		time.Sleep(3 * time.Hour)
		plan := b.since(s, longAge)
		for c := range plan.Changes() {
			if !c.Carried || c.Fate != reconcile.FatePlanned || c.Subject.Type != "UserMailbox" || c.ID == "" {
				t.Errorf("%+v", c)
			}
		}
		if rules, types := plan.ByRule(), plan.ByType(); len(rules) != 1 || rules[0].States.Drifted != 0 || len(types) != 1 || types[0].States.Drifted != 2 {
			t.Errorf("what is carried counts by type, and by no rule: %+v, %+v", rules, types)
		}
		summary := plan.Summary()
		if got := found(plan); len(got) != 2 || plan.Verdict(strict) != reconcile.VerdictDrift || summary.Changes.Planned != 2 || summary.Carried != 2 || plan.Estimate().Writes != 0 {
			t.Fatalf("found %v, verdict %s, summary %+v", got, plan.Verdict(strict), summary)
		}
		shorten(tenant, list[2])
		tenant.Update(list[1], func(m *simulator.Mailbox) { m.Office = "elsewhere" })
		req := b.later(longAge, "apply")
		req.SinceLastRun = true
		run := b.applying(s, req)
		results := run.Results()
		if results[reconcile.ResultVerified] != 2 || results[reconcile.ResultSkipped] != 1 || b.writes() != 2 || run.Verdict(strict) != reconcile.VerdictDrift {
			t.Fatalf("results %v, %d writes, verdict %s", results, b.writes(), run.Verdict(strict))
		}
		for c := range run.Changes() {
			if c.Carried && (c.Subject.ID != list[0] || c.Result != reconcile.ResultSkipped || !strings.Contains(c.Note, "sweep")) {
				t.Errorf("%+v", c)
			}
		}
		time.Sleep(3 * time.Hour)
		if got := found(b.since(s, longAge)); !slices.Equal(got, list[:1]) {
			t.Errorf("found %v afterwards, want %s", got, list[0])
		}
		tenant.RemoveMailbox(list[0])
		if got := found(b.since(s, longAge)); !slices.Equal(got, list[:1]) {
			t.Errorf("found %v after it was deleted: a look at what changed cannot tell that from no change", got)
		}
		if got := found(b.remembering(s, b.later(longAge, "full"))); len(got) != 0 {
			t.Errorf("found %v in the next full sweep", got)
		}
	})
}

// TestCarriedCounts: what is carried counts for the guards.
func TestCarriedCounts(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		const text = "mailboxes: {everyone: {ageLimit: 90d}}\nguards: {maxChanged: 2, maxChangedPercent: 100}\n"
		tenant := bubbleTenant(20)
		list := users(tenant)
		shorten(tenant, list[0], list[1])
		b, s := swept(t, text, tenant)
		time.Sleep(3 * time.Hour)
		if plan := b.since(s, text); plan.GuardRefused() {
			t.Fatalf("guards %+v", plan.Guards)
		}
		shorten(tenant, list[2])
		plan := b.since(s, text)
		if !plan.GuardRefused() {
			t.Errorf("guards %+v", plan.Guards)
		}
		for c := range plan.Changes() {
			if c.Fate != reconcile.FateBlocked {
				t.Errorf("%+v", c)
			}
		}
	})
}

// TestSinceWithoutSweep: nothing is in line on the word of no sweep, or of too old
// a one; what is new is found all the same.
func TestSinceWithoutSweep(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := bubbleTenant(20)
		b, s := newBench(t, tenant), newShelf()
		plan := b.since(s, longAge)
		if plan.Verdict(strict) != reconcile.VerdictIncomplete || plan.Coverage.BaseRun != "" || !strings.Contains(strings.Join(plan.Coverage.Reasons, "\n"), "no complete full sweep") {
			t.Errorf("without a sweep: verdict %s, coverage %+v", plan.Verdict(strict), plan.Coverage)
		}
		created := tenant.AddMailbox(simulator.Mailbox{AgeLimit: "30.00:00:00"})
		time.Sleep(40 * time.Hour)
		if plan = b.since(s, longAge); plan.Verdict(strict) != reconcile.VerdictIncomplete || !slices.Contains(found(plan), created.Guid) {
			t.Errorf("without a sweep: verdict %s, found %v", plan.Verdict(strict), found(plan))
		}
		tenant.RemoveMailbox(created.Guid)
		b.remembering(s, b.later(longAge, "sweep"))
		time.Sleep(26 * time.Hour)
		if plan = b.since(s, longAge); plan.Verdict(strict) != reconcile.VerdictInLine {
			t.Errorf("a sweep of the day before: verdict %s, %+v", plan.Verdict(strict), plan.Coverage)
		}
		time.Sleep(time.Second)
		plan = b.since(s, longAge)
		if plan.Verdict(strict) != reconcile.VerdictIncomplete || plan.Coverage.BaseRun != "sweep" || !strings.Contains(strings.Join(plan.Coverage.Reasons, "\n"), "maxSweepAge") {
			t.Errorf("an old sweep: verdict %s, coverage %+v", plan.Verdict(strict), plan.Coverage)
		}
		if _, err := reconcile.Check(t.Context(), b.client, func() reconcile.Request {
			req := b.later(longAge, "blind")
			req.SinceLastRun = true
			return req
		}()); err == nil {
			t.Error("it looks at what changed without a memory")
		}
	})
}

// TestCreatedDuringTheListing: a mailbox that comes while a full sweep lists the
// others, and is not seen by it, is found by the next look at what changed.
func TestCreatedDuringTheListing(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := bubbleTenant(20)
		var late simulator.Mailbox
		b := newBench(t, tenant, simulator.WithFaults(simulator.Fault{
			Name: "late", Cmdlet: "Get-MailboxAuditBypassAssociation", Times: 1, Do: simulator.DoRun,
			Run: func(tenant *simulator.Tenant) {
				time.Sleep(time.Minute) // until the listing of mailboxes has ended
				late = tenant.AddMailbox(simulator.Mailbox{AgeLimit: "30.00:00:00"})
			},
		}))
		s := newShelf()
		const text = longAge + "bypass: {}\n"
		if plan := b.remembering(s, b.later(text, "sweep")); plan.Verdict(strict) != reconcile.VerdictInLine {
			t.Fatalf("the sweep: verdict %s", plan.Verdict(strict))
		}
		if got := found(b.since(s, text)); !slices.Equal(got, []string{late.Guid}) {
			t.Errorf("found %v, want %s", got, late.Guid)
		}
	})
}

// TestSweepInstead: where a look at what changed would leave something unseen the
// whole tenant is looked at, and that is said.
func TestSweepInstead(t *testing.T) {
	t.Parallel()
	const policy = longAge + "bypass: {allow: [{account: svc@contoso.com, reason: r, owner: o@contoso.com, expires: 2000-01-02}]}\n"
	type world struct {
		*bench
		text  string
		group string
		req   func(*reconcile.Request)
	}
	for name, c := range map[string]struct {
		policy string
		opts   []simulator.Option
		change func(w *world)
		why    string
	}{
		"the policy changed": {policy: longAge, why: "policy", change: func(w *world) {
			w.text = strings.Replace(longAge, "90d", "91d", 1)
		}},
		"a new major version": {policy: longAge, why: "exoaudit v2.0.1", change: func(w *world) {
			w.req = func(r *reconcile.Request) { r.Tool = "exoaudit v2.0.1" }
		}},
		"a permission ended": {policy: policy, why: "permission of svc@contoso.com ended", change: func(*world) { time.Sleep(48 * time.Hour) }},
		"an exemption ended": {
			policy: longAge + "exemptions: {import: {where: {address: \"*\"}, accept: {ageLimit: 1d}, reason: r, owner: o@contoso.com, expires: 2000-01-02}}\n",
			why:    "exemption import ended", change: func(*world) { time.Sleep(48 * time.Hour) },
		},
		"the filter is ignored": {policy: longAge, why: "ignored the filter", opts: []simulator.Option{simulator.WithSwitches(simulator.Switches{Filter: simulator.FilterIgnored})}},
		"the filter is refused": {policy: longAge, why: "refused the filter", change: func(w *world) {
			w.service.AddFaults(simulator.Fault{Cmdlet: "Get-Mailbox", With: []string{"Filter"}, Do: simulator.DoStatus, Status: 400})
		}},
		"the filter is not permitted": {policy: longAge, why: "refused the filter", change: func(w *world) {
			w.service.AddFaults(simulator.Fault{Cmdlet: "Get-Mailbox", With: []string{"Filter"}, Do: simulator.DoRefuse})
		}},
		"no dates": {policy: longAge, why: "does not say when", opts: []simulator.Option{simulator.WithRowEdit(func(_ string, row *simulator.Row) {
			row.Delete("WhenChangedUTC")
		})}, change: func(w *world) { shorten(w.tenant, anyUser(w.t.(*testing.T), w.tenant)) }},
		"our clock is behind": {policy: longAge, why: "clock", change: func(w *world) {
			w.req = func(r *reconcile.Request) {
				r.Now = func() time.Time { return time.Now().Add(-61 * time.Minute) }
			}
		}},
		"our clock is ahead": {policy: longAge, why: "clock", change: func(w *world) {
			w.req = func(r *reconcile.Request) {
				r.Now = func() time.Time { return time.Now().Add(61 * time.Minute) }
			}
		}},
		"the watermark is in the future": {
			policy: longAge, why: "which is in the future",
			opts: []simulator.Option{simulator.WithClock(func() time.Time {
				if now := time.Now(); now.After(time.Date(2000, 1, 1, 3, 30, 0, 0, time.UTC)) { // after the sweep
					return now
				}
				return time.Now().Add(3 * time.Hour)
			})},
		},
		"a group changed": {
			policy: "mailboxes: {leads: {where: {memberOf: leads@contoso.com}, ageLimit: 90d}}\n", why: "group",
			change: func(w *world) {
				w.tenant.SetMembers(w.group, users(w.tenant)[2:4]...)
			},
		},
		"the defaults moved": {
			policy: "mailboxes: {everyone: {record: {owner: {defaults: true}}}}\n", why: "default sets",
			change: func(w *world) {
				for _, guid := range users(w.tenant)[:12] {
					w.tenant.Update(guid, func(m *simulator.Mailbox) { m.Office = "new action" })
				}
			},
			opts: []simulator.Option{simulator.WithRowEdit(func(_ string, row *simulator.Row) {
				if _, shown := row.Get("AuditOwner"); shown && time.Now().After(time.Date(2000, 1, 1, 3, 30, 0, 0, time.UTC)) { // after the sweep
					row.Set("AuditOwner", `["Update", "Teleport"]`)
				}
			})},
		},
		"an allowed account is another": {policy: policy, why: "allow entry for svc@contoso.com", change: func(w *world) {
			w.tenant.AddMailbox(simulator.Mailbox{PrimarySMTPAddress: "svc@contoso.com"})
		}},
		"an allowed account is none any more": {policy: policy, why: "allow entry for svc@contoso.com", change: func(w *world) {
			m, _ := w.tenant.FindMailbox("svc@contoso.com")
			w.tenant.Update(m.Guid, func(m *simulator.Mailbox) {
				m.PrimarySMTPAddress, m.UserPrincipalName, m.Addresses = "other@contoso.com", "other@contoso.com", []string{"SMTP:other@contoso.com"}
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := bubbleTenant(20)
				if strings.HasSuffix(name, "none any more") {
					tenant.AddMailbox(simulator.Mailbox{PrimarySMTPAddress: "svc@contoso.com"})
				}
				group := tenant.AddGroup(simulator.Group{PrimarySMTPAddress: "leads@contoso.com", Members: users(tenant)[:2]})
				b, s := swept(t, c.policy, tenant, c.opts...)
				w := &world{bench: b, text: c.policy, group: group.Guid, req: func(*reconcile.Request) {}}
				if c.change != nil {
					c.change(w)
				}
				plan := b.since(s, w.text, w.req)
				if plan.Coverage.Scope != reconcile.ScopeFull || plan.Coverage.BaseRun != "" || plan.Coverage.Mailboxes.Read < 20 {
					t.Errorf("coverage %+v", plan.Coverage)
				}
				said := strings.Join(plan.Warnings, "\n")
				if !strings.Contains(said, c.why) || !strings.Contains(said, "full sweep instead") {
					t.Errorf("it is not said: %q", plan.Warnings)
				}
			})
		})
	}
}

// TestLittleSkew: clocks that differ by some minutes do no harm; what changed is
// looked for by the service's.
func TestLittleSkew(t *testing.T) {
	for _, skew := range []time.Duration{-50 * time.Minute, -4 * time.Minute, 4 * time.Minute, 50 * time.Minute} {
		synctestRun(t, func(t *testing.T) {
			tenant := bubbleTenant(20)
			b, s := newBench(t, tenant), newShelf()
			ours := func(r *reconcile.Request) { r.Now = func() time.Time { return time.Now().Add(skew) } }
			req := b.later(longAge, "sweep")
			ours(&req)
			b.remembering(s, req)
			if got := time.Since(remembered(t, s, b).Watermark()); got < 0 || got > time.Minute {
				t.Errorf("skew %s: the watermark is %s old by the service's clock", skew, got)
			}
			time.Sleep(10 * time.Minute)
			shorten(tenant, users(tenant)[0])
			plan := b.since(s, longAge, ours)
			if len(found(plan)) != 1 || plan.Coverage.Scope != reconcile.ScopeIncremental {
				t.Errorf("skew %s: found %v, coverage %+v", skew, found(plan), plan.Coverage)
			}
			if said := strings.Contains(strings.Join(plan.Warnings, "\n"), "clock"); said != (skew.Abs() > 5*time.Minute) {
				t.Errorf("skew %s: warnings %q", skew, plan.Warnings)
			}
		})
	}
}

// TestSinceOverlap: what changed before a run that the service did not show it yet is
// found by the next.
func TestSinceOverlap(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := bubbleTenant(10)
		b, s := swept(t, longAge, tenant)
		late := tenant.AddMailbox(simulator.Mailbox{AgeLimit: "30.00:00:00", Created: time.Now().AddDate(-1, 0, 0), Changed: time.Now().Add(-90 * time.Minute)})
		if got := found(b.since(s, longAge)); !slices.Equal(got, []string{late.Guid}) {
			t.Errorf("found %v, want %s", got, late.Guid)
		}
	})
}

// TestSinceBypass: between whole listings the accounts that were bypassed or
// allowed are read by their ids, and the allow entries are not looked up again.
func TestSinceBypass(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := bubbleTenant(20)
		accounts := collect(tenant.AllUsers())
		byUPN := map[string]string{}
		for _, u := range accounts {
			byUPN[u.UserPrincipalName] = u.Guid
		}
		var service simulator.User // the allowed account, which is no mailbox
		for _, u := range accounts {
			if _, is := tenant.Mailbox(u.Guid); !is {
				service = u
			}
		}
		text := longAge + fmt.Sprintf("bypass: {allow: [{account: %q, reason: r, owner: o@contoso.com, expires: 2099-01-01}]}\n", service.UserPrincipalName)
		list := users(tenant)
		tenant.SetBypass(service.Guid, true)
		tenant.SetBypass(list[0], true)
		b, s := newBench(t, tenant), newShelf()
		b.remembering(s, b.later(text, "sweep"))
		look := func(want int, scope reconcile.Scope, bypassed ...string) *reconcile.Plan {
			t.Helper()
			before := len(b.service.Calls())
			plan := b.since(s, text)
			var got []string
			for c := range plan.Changes() {
				if c.Subject.Kind == audit.KindBypass && c.Fate == reconcile.FatePlanned {
					got = append(got, c.Subject.ID)
				}
			}
			slices.Sort(got)
			slices.Sort(bypassed)
			if requests := len(b.service.Calls()) - before; !slices.Equal(got, bypassed) || requests != want || plan.Coverage.Scope != scope {
				t.Errorf("bypassed %v in %d requests, scope %s; want %v in %d", got, requests, plan.Coverage.Scope, bypassed, want)
			}
			return plan
		}
		time.Sleep(10 * time.Minute)
		plan := look(3, reconcile.ScopeIncremental, list[0])
		if n := plan.Summary().States[audit.KindBypass]; n.Exempt != 1 || n.Drifted != 1 || n.Unknown != 0 {
			t.Errorf("states %+v", n)
		}
		if got, _ := time.Parse(time.RFC3339, "2000-01-01T00:00:00Z"); plan.Coverage.Bypass.ReadAt.Sub(got) > time.Minute {
			t.Errorf("the listing is of %s, and is said to be of %s", got, plan.Coverage.Bypass.ReadAt)
		}
		tenant.SetBypass(list[0], false)
		look(3, reconcile.ScopeIncremental)
		tenant.SetBypass(list[0], true)
		look(3, reconcile.ScopeIncremental, list[0])
		tenant.SetBypass(list[1], true) // not seen before the next whole listing
		look(3, reconcile.ScopeIncremental, list[0])
		time.Sleep(time.Hour)
		look(3, reconcile.ScopeIncremental, list[0], list[1])
		look(3, reconcile.ScopeIncremental, list[0], list[1])
		// One that is not found any more makes the listing due.
		tenant.RemoveMailbox(list[0])
		tenant.SetBypass(list[2], true)
		look(4, reconcile.ScopeIncremental, list[1], list[2])
		look(3, reconcile.ScopeIncremental, list[1], list[2])
		// A listing that our clock, once it is put back, has in the future is no fresh one.
		tenant.SetBypass(list[3], true)
		plan = b.since(s, text, func(r *reconcile.Request) { r.Now = func() time.Time { return time.Now().Add(-30 * time.Minute) } })
		if got := plan.Summary().States[audit.KindBypass].Drifted; got != 3 || plan.Coverage.Scope != reconcile.ScopeIncremental {
			t.Errorf("%d bypassed by a clock that was put back, scope %s", got, plan.Coverage.Scope)
		}
		b.service.AddFaults(simulator.Fault{Cmdlet: "Get-MailboxAuditBypassAssociation", Item: true, Do: simulator.DoTransient})
		if plan := b.since(s, text); plan.Verdict(strict) != reconcile.VerdictIncomplete {
			t.Errorf("accounts that could not be read: verdict %s", plan.Verdict(strict))
		}
	})
}

// TestSinceLateAccount: an allowed account that did not exist is looked up once
// somebody is bypassed whom nobody else allows.
func TestSinceLateAccount(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		const text = longAge + "bypass: {allow: [{account: late@contoso.com, reason: r, owner: o@contoso.com, expires: 2099-01-01}]}\n"
		tenant := bubbleTenant(20)
		b, s := swept(t, text, tenant)
		u := tenant.AddUser(simulator.User{UserPrincipalName: "late@contoso.com"})
		tenant.SetBypass(u.Guid, true)
		if plan := b.since(s, text); plan.Verdict(strict) != reconcile.VerdictInLine || plan.Summary().Changes.Exempt != 1 {
			t.Errorf("verdict %s, %+v", plan.Verdict(strict), collect(plan.Changes()))
		}
	})
}

// TestSinceExplicit: the stored value of what changed is asked for by a filter of
// its own, under every reading of the service.
func TestSinceExplicit(t *testing.T) {
	const text = "mailboxes: {everyone: {auditEnabled: explicit, ageLimit: 90d}}\nguards: {maxChangedPercent: 100}\n"
	for name, switches := range simulator.EachSwitch() {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := bubbleTenant(30)
				list := users(tenant)
				tenant.Update(list[0], func(m *simulator.Mailbox) { m.AuditEnabled = simulator.False })
				b, s := swept(t, text, tenant, simulator.WithSwitches(switches))
				time.Sleep(3 * time.Hour)
				tenant.Update(list[1], func(m *simulator.Mailbox) { m.AuditEnabled = simulator.Unset })
				plan := b.since(s, text)
				if switches.Filter == simulator.FilterIgnored {
					if plan.Coverage.Scope != reconcile.ScopeFull || plan.Verdict(strict) == reconcile.VerdictInLine {
						t.Errorf("an ignored filter: verdict %s, %+v", plan.Verdict(strict), plan.Coverage)
					}
					return
				}
				want := []string{list[0], list[1]}
				slices.Sort(want)
				if got := found(plan); !slices.Equal(got, want) {
					t.Errorf("found %v, want %v", got, want)
				}
			})
		})
	}
}

// TestCarriedRetention: retention is read by full sweeps only; what they found of it
// is carried, counted and not written.
func TestCarriedRetention(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		const text = longAge + "retention: {floor: 180d, require: [{recordTypes: [ExchangeAdmin], atLeast: 1y}]}\n"
		tenant := bubbleTenant(10)
		tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "short", Priority: 5, Duration: "ThreeMonths", RecordTypes: []string{"ExchangeItem"}})
		b, s := newRetentionBench(t, tenant), newShelf()
		req := b.later(text, "sweep")
		req.Compliance = b.compliance
		whole := b.remembering(s, req)
		if whole.Summary().States[audit.KindRetention].Drifted == 0 {
			t.Fatalf("nothing drifts: %+v", collect(whole.Changes()))
		}
		time.Sleep(time.Hour)
		calls := len(b.front.Calls())
		req.RunID, req.SinceLastRun = "since", true
		plan := b.remembering(s, req)
		agrees(t, plan)
		if got, want := plan.Summary().States[audit.KindRetention], whole.Summary().States[audit.KindRetention]; got.Drifted != want.Drifted || plan.Verdict(strict) != reconcile.VerdictDrift {
			t.Errorf("retention %+v, want %d drifted; verdict %s", got, want.Drifted, plan.Verdict(strict))
		}
		if plan.Estimate().Writes != 0 || plan.Summary().Carried == 0 {
			t.Errorf("estimate %+v, summary %+v", plan.Estimate(), plan.Summary())
		}
		run := b.applying(s, req, func(o *reconcile.ApplyOptions) { o.Compliance = b.compliance })
		if len(b.front.Calls()) != calls || run.Verdict(strict) != reconcile.VerdictDrift {
			t.Errorf("%d calls for retention, verdict %s", len(b.front.Calls())-calls, run.Verdict(strict))
		}
		for c := range run.Changes() {
			if c.Result != reconcile.ResultSkipped || !strings.Contains(c.Note, "sweep") {
				t.Errorf("%+v", c)
			}
		}
	})
}
