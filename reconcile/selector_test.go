package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// selecting is a policy that asks something of the mailboxes that a selector means.
func selecting(where string) string {
	return "mailboxes: {chosen: {types: [UserMailbox, SharedMailbox, GroupMailbox], where: " + where + ", ageLimit: 180d}}\nguards: {maxChangedPercent: 100}\n"
}

// people adds mailboxes that keep their log for too short a time for selecting.
func people(tenant *simulator.Tenant, names ...string) map[string]string {
	guids := map[string]string{}
	for _, name := range names {
		m := tenant.AddMailbox(simulator.Mailbox{
			Type: "UserMailbox", Name: name, PrimarySMTPAddress: name + "@contoso.com", AgeLimit: "90.00:00:00", Capabilities: []string{"BPOS_S_Enterprise"},
		})
		guids[name] = m.Guid
	}
	return guids
}

// chosen are the mailboxes with a planned change, those that are unknown, by the
// local part of their names.
func chosen(plan *reconcile.Plan) (planned, unknown []string) {
	local := func(name string) string { head, _, _ := strings.Cut(name, "@"); return head }
	for c := range plan.Changes() {
		if c.Subject.Kind == audit.KindMailbox && c.Fate == reconcile.FatePlanned {
			planned = append(planned, local(c.Subject.Name))
		}
	}
	for u := range plan.Unknown() {
		if u.Subject.ID != "" {
			unknown = append(unknown, local(u.Subject.Name))
		}
	}
	return planned, unknown
}

// costs is the cost of a plan, a line each.
func costs(plan *reconcile.Plan) []string {
	out := []string{}
	for _, c := range plan.Coverage.Cost {
		out = append(out, fmt.Sprintf("%d %s: %s", c.Requests, c.For, c.Why))
	}
	return out
}

func expect(t *testing.T, plan *reconcile.Plan, planned, unknown string) {
	t.Helper()
	p, u := chosen(plan)
	if diff := cmp.Diff(strings.Fields(planned), append([]string{}, p...)); diff != "" {
		t.Errorf("planned: %s", diff)
	}
	if diff := cmp.Diff(strings.Fields(unknown), append([]string{}, u...)); diff != "" {
		t.Errorf("unknown: %s", diff)
	}
	if plan.Coverage.Complete != (unknown == "" && len(plan.Coverage.Reasons) == 0) {
		t.Errorf("complete: %t, reasons %q", plan.Coverage.Complete, plan.Coverage.Reasons)
	}
}

// groupTenant has a group of each kind: leads holds nested, which holds leads again;
// dynamic and team hold nested too.
func groupTenant() (*simulator.Tenant, map[string]string) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 4, BypassPerMailbox: -1})
	guids := people(tenant, "ann", "ben", "cat", "dan", "eve")
	nested := tenant.AddGroup(simulator.Group{Type: "MailUniversalSecurityGroup", PrimarySMTPAddress: "nested@contoso.com"})
	leads := tenant.AddGroup(simulator.Group{PrimarySMTPAddress: "leads@contoso.com", Members: []string{guids["ann"], nested.Guid}})
	tenant.SetMembers(nested.Guid, guids["ben"], leads.Guid)
	tenant.AddGroup(simulator.Group{Type: "DynamicDistributionGroup", PrimarySMTPAddress: "dynamic@contoso.com", Members: []string{guids["cat"]}})
	tenant.AddGroup(simulator.Group{
		Type: "GroupMailbox", Guid: "0000000a-0000-4000-8000-000000000001", Name: "team", PrimarySMTPAddress: "team@contoso.com", Members: []string{guids["dan"], nested.Guid},
	})
	tenant.AddGroup(simulator.Group{PrimarySMTPAddress: "empty@contoso.com"})
	guids["nested"], guids["leads"] = nested.Guid, leads.Guid
	return tenant, guids
}

func TestMemberOf(t *testing.T) {
	for _, tt := range []struct {
		where, planned string
		costs          []string
	}{
		{"{memberOf: leads@contoso.com}", "ann ben", []string{
			"1 memberOf: looking up 1 group by address", "2 memberOf leads@contoso.com: listing 4 members, 1 nested group",
		}},
		{"{memberOf: NESTED@contoso.com}", "ann ben", []string{
			"1 memberOf: looking up 1 group by address", "2 memberOf nested@contoso.com: listing 4 members, 1 nested group",
		}},
		{"{memberOf: dynamic@contoso.com}", "cat", []string{
			"1 memberOf: looking up 1 group by address", "1 memberOf dynamic@contoso.com: listing 1 member",
		}},
		{"{memberOf: empty@contoso.com}", "", []string{
			"1 memberOf: looking up 1 group by address", "1 memberOf empty@contoso.com: listing 0 members",
		}},
		{"{memberOf: [leads@contoso.com, team@contoso.com]}", "ann ben dan", []string{
			"1 memberOf: looking up 2 groups by address", "2 memberOf leads@contoso.com: listing 4 members, 1 nested group",
			"1 memberOf team@contoso.com: listing 2 members, 2 nested groups, 2 groups of them read for another address",
		}},
		{"{allOf: [{not: {memberOf: leads@contoso.com}}, {memberOf: [team@contoso.com]}]}", "dan", []string{
			"1 memberOf: looking up 2 groups by address", "2 memberOf leads@contoso.com: listing 4 members, 1 nested group",
			"1 memberOf team@contoso.com: listing 2 members, 2 nested groups, 2 groups of them read for another address",
		}},
	} {
		t.Run(tt.where, func(t *testing.T) {
			tenant, _ := groupTenant()
			b := newBench(t, tenant)
			p := parse(t, selecting(tt.where))
			plan := b.check(p)
			expect(t, plan, tt.planned, "")
			warned := slices.ContainsFunc(plan.Warnings, func(w string) bool { return strings.Contains(w, "empty@contoso.com (policy.yaml:") })
			if want := strings.Contains(tt.where, "empty@"); warned != want {
				t.Errorf("warnings %q", plan.Warnings)
			}
			if diff := cmp.Diff(tt.costs, costs(plan)); diff != "" {
				t.Error(diff)
			}
			spent := 0
			for _, c := range plan.Coverage.Cost {
				spent += c.Requests
			}
			// The organization, and the listings of ordinary and of group mailboxes.
			if n := b.service.Requests(); n != 3+spent || plan.Coverage.Requests != n {
				t.Errorf("%d requests, the plan says %d, of them %d for groups", n, plan.Coverage.Requests, spent)
			}
			b.apply(plan)
			b.satisfied(p)
		})
	}
}

// TestMemberOfOpen: what is not known of a group leaves open who is in it, never
// that nobody is; what is known still counts.
func TestMemberOfOpen(t *testing.T) {
	lasting := func(f simulator.Fault) simulator.Fault { f.Call, f.Times = 0, 0; return f }
	for name, tt := range map[string]struct {
		where   string
		spoil   func(*simulator.Tenant, map[string]string)
		faults  []simulator.Fault
		planned string
		unknown string
		reason  string
		verdict reconcile.Verdict
	}{
		"no such group":          {where: "{memberOf: gone@contoso.com}", unknown: "ann ben cat dan eve", reason: "gone@contoso.com"},
		"not even for some":      {where: "{allOf: [{address: \"ann@*\"}, {memberOf: gone@contoso.com}]}", unknown: "ann", reason: "policy.yaml:"},
		"nor the other way":      {where: "{not: {memberOf: gone@contoso.com}}", unknown: "ann ben cat dan eve", reason: "cannot be told"},
		"nobody asks":            {where: "{allOf: [{address: \"nobody@*\"}, {memberOf: gone@contoso.com}]}", reason: "gone@contoso.com"},
		"one of two":             {where: "{memberOf: [gone@contoso.com, leads@contoso.com]}", planned: "ann ben", unknown: "cat dan eve", reason: "gone@contoso.com"},
		"a group of that name":   {where: "{memberOf: old@contoso.com}", spoil: nameLikeAddress, unknown: "ann ben cat dan eve", reason: "does not have the address"},
		"a person":               {where: "{memberOf: eve@contoso.com}", unknown: "ann ben cat dan eve", reason: "UserMailbox and no group"},
		"a nested room list":     {where: "{memberOf: leads@contoso.com}", spoil: nestRoomList, planned: "ann ben", unknown: "cat dan eve", reason: "RoomList"},
		"members refused":        {where: "{memberOf: leads@contoso.com}", faults: []simulator.Fault{simulator.Refused("Get-DistributionGroupMember")}, unknown: "ann ben cat dan eve", reason: "leads@contoso.com is known", verdict: reconcile.VerdictFailed},
		"look-up refused":        {where: "{memberOf: leads@contoso.com}", faults: []simulator.Fault{simulator.Refused("Get-Recipient")}, unknown: "ann ben cat dan eve", reason: "Get-Recipient", verdict: reconcile.VerdictFailed},
		"nested group cut short": {where: "{memberOf: leads@contoso.com}", faults: []simulator.Fault{lasting(simulator.NextLinkMissing("Get-DistributionGroupMember", 0))}, planned: "ann ben", unknown: "cat dan eve", reason: "of the group nested@contoso.com"},
		"rows without a type":    {where: "{memberOf: leads@contoso.com}", planned: "ann", unknown: "ben cat dan eve", reason: "cannot be looked into"},
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant, guids := groupTenant()
				if tt.spoil != nil {
					tt.spoil(tenant, guids)
				}
				b := newBench(t, tenant, simulator.WithFaults(tt.faults...), simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
					if name == "rows without a type" && cmdlet == "Get-DistributionGroupMember" {
						row.Delete("RecipientTypeDetails")
					}
				}))
				plan := b.check(parse(t, selecting(tt.where)))
				// Group mailboxes are asked about alike, and are not looked at here.
				_, unknown := chosen(plan)
				if strings.Contains(tt.unknown, "ann ben cat") && !slices.Contains(unknown, "team") {
					t.Errorf("of the group mailbox it is known")
				}
				want := tt.unknown
				if slices.Contains(unknown, "team") {
					want += " team"
				}
				expect(t, plan, tt.planned, want)
				verdict := tt.verdict
				if verdict == "" {
					verdict = reconcile.VerdictIncomplete
				}
				if got := plan.Verdict(strict); got != verdict {
					t.Errorf("verdict %s, want %s", got, verdict)
				}
				named := 0
				for _, r := range plan.Coverage.Reasons {
					if strings.Contains(r, tt.reason) {
						named++
					}
				}
				if named != 1 {
					t.Errorf("%q is named %d times in %q", tt.reason, named, plan.Coverage.Reasons)
				}
			})
		})
	}
}

// nameLikeAddress makes a group whose name is an address that no group has.
func nameLikeAddress(tenant *simulator.Tenant, guids map[string]string) {
	tenant.AddGroup(simulator.Group{Name: "old@contoso.com", PrimarySMTPAddress: "mine@contoso.com", Members: []string{guids["eve"]}})
}

// TestMemberOfByProxy: a group is found by each of its addresses.
func TestMemberOfByProxy(t *testing.T) {
	tenant, guids := groupTenant()
	tenant.AddGroup(simulator.Group{
		PrimarySMTPAddress: "new@contoso.com", Addresses: []string{"SMTP:new@contoso.com", "smtp:Before@contoso.com"}, Members: []string{guids["eve"]},
	})
	plan := newBench(t, tenant).check(parse(t, selecting("{memberOf: before@contoso.com}")))
	expect(t, plan, "eve", "")
}

func nestRoomList(tenant *simulator.Tenant, guids map[string]string) {
	rooms := tenant.AddGroup(simulator.Group{Type: "RoomList", PrimarySMTPAddress: "rooms@contoso.com"})
	tenant.SetMembers(guids["nested"], guids["ben"], rooms.Guid)
}

// TestUnknownIsNotWritten: what hangs on a group that is not there is left alone,
// and the rest is written.
func TestUnknownIsNotWritten(t *testing.T) {
	tenant, guids := groupTenant()
	b := newBench(t, tenant)
	run := b.apply(b.check(parse(t, "mailboxes:\n  chosen: {where: {allOf: [{memberOf: gone@contoso.com}, {address: \"ann@*\"}]}, ageLimit: 1y}\n  all: {ageLimit: 180d}\nguards: {maxChangedPercent: 100}\n")))
	for name, want := range map[string]string{"ann": "90.00:00:00", "ben": "180.00:00:00"} {
		if m, _ := tenant.Mailbox(guids[name]); m.AgeLimit != want {
			t.Errorf("%s keeps %s, want %s", name, m.AgeLimit, want)
		}
	}
	if got := run.Verdict(strict); got != reconcile.VerdictIncomplete {
		t.Errorf("verdict %s", got)
	}
}

func TestCapability(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 4, BypassPerMailbox: -1})
	guids := people(tenant, "ann", "ben", "cat")
	tenant.Update(guids["ben"], func(m *simulator.Mailbox) { m.Capabilities = []string{"m365auditing"} })
	b := newBench(t, tenant, simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
		if guid, _ := row.Get("Guid"); cmdlet == "Get-Mailbox" && strings.Contains(string(guid), guids["cat"]) {
			row.Delete("PersistedCapabilities")
		}
	}))
	expect(t, b.check(parse(t, selecting("{capability: M365Auditing}"))), "ben", "cat")
	expect(t, b.check(parse(t, selecting("{capability: [Other, BPOS_S_Enterprise]}"))), "ann", "cat")
	if c := b.check(parse(t, selecting("{capability: X}"))).Coverage.Cost; len(c) != 0 {
		t.Errorf("it costs %v", c)
	}
}
