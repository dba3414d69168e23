package exchange_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// guids are the Guids of the tenant's ordinary mailboxes, in order.
func guids(tenant *simulator.Tenant) []string {
	var list []string
	for m := range tenant.AllMailboxes() {
		if m.Type != "GroupMailbox" && m.Type != "PublicFolderMailbox" {
			list = append(list, m.Guid)
		}
	}
	return list
}

// TestGroups reads the members of the four kinds of group under every switch.
func TestGroups(t *testing.T) {
	for name, switches := range simulator.EachSwitch() {
		t.Run(name, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 12, Groups: 1})
			people := guids(tenant)
			c := connect(t, simulator.New(tenant, simulator.WithSwitches(switches), simulator.WithPageSize(2)))
			for i, kind := range []exchange.GroupKind{exchange.DistributionList, exchange.SecurityGroup, exchange.Microsoft365Group, exchange.DynamicList} {
				made := tenant.AddGroup(simulator.Group{Type: string(kind), PrimarySMTPAddress: "leads" + string(kind) + "@contoso.com", Members: people[i : i+5]})
				found := c.GroupByID(t.Context(), []string{strings.ToUpper(made.PrimarySMTPAddress), made.Guid})
				for _, r := range found {
					if r.Err != nil || r.Value.Kind != kind || r.Value.Guid != made.Guid || r.Value.Address != exchange.Of(made.PrimarySMTPAddress) ||
						!slices.Equal(r.Value.Addresses.Value, []string{"SMTP:" + made.PrimarySMTPAddress}) {
						t.Fatalf("%s: %+v", kind, r)
					}
				}
				members, err := collect(c.GroupMembers(t.Context(), found[0].Value))
				var got []string
				for _, m := range members {
					got = append(got, m.Guid.Value)
					if _, nested, err := m.Group(); nested || err != nil || m.Type.State != exchange.Set || m.ExternalDirectoryObjectID.State != exchange.Set {
						t.Errorf("%s: member %+v: %v %v", kind, m, nested, err)
					}
				}
				if err != nil || !slices.Equal(got, people[i:i+5]) {
					t.Errorf("%s: members %v, %v; want %v", kind, got, err, people[i:i+5])
				}
			}
		})
	}
}

// TestNestedGroups walks a cycle of groups as a caller would.
func TestNestedGroups(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 6})
	people := guids(tenant)
	inner := tenant.AddGroup(simulator.Group{Name: "inner", Type: "MailUniversalSecurityGroup"})
	outer := tenant.AddGroup(simulator.Group{Name: "outer", Members: []string{people[0], inner.Guid}})
	tenant.SetMembers(inner.Guid, people[1], outer.Guid, people[2])
	s := simulator.New(tenant)
	c := connect(t, s)
	var mailboxes []string
	read := map[string]bool{}
	for open := []exchange.Group{{Guid: outer.Guid, Kind: exchange.DistributionList}}; len(open) > 0; open = open[1:] {
		if read[open[0].Guid] {
			continue
		}
		read[open[0].Guid] = true
		for m, err := range c.GroupMembers(t.Context(), open[0]) {
			if err != nil {
				t.Fatal(err)
			}
			group, nested, err := m.Group()
			switch {
			case err != nil:
				t.Fatal(err)
			case nested:
				open = append(open, group)
			default:
				mailboxes = append(mailboxes, m.Guid.Value)
			}
		}
	}
	if want := people[:3]; !slices.Equal(mailboxes, want) || !slices.Equal(tenant.Members(outer.Guid), want) || s.Requests() != 2 {
		t.Errorf("found %v, %d requests, the tenant has %v; want %v", mailboxes, s.Requests(), tenant.Members(outer.Guid), want)
	}
}

// TestNoGroup covers what is asked for as a group and is none.
func TestNoGroup(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 3})
	room := tenant.AddGroup(simulator.Group{Name: "rooms", Type: "RoomList"})
	contact := tenant.AddGroup(simulator.Group{Name: "contact", Type: "MailContact"})
	twins := simulator.Group{Name: "twins", PrimarySMTPAddress: "twins@contoso.com"}
	tenant.AddGroup(twins)
	tenant.AddGroup(twins)
	s := simulator.New(tenant)
	c := connect(t, s)
	results := c.GroupByID(t.Context(), []string{guids(tenant)[0], room.Guid, contact.PrimarySMTPAddress, "nobody@contoso.com", "", "twins@contoso.com", "lead*"})
	for i, want := range []string{"UserMailbox", "RoomList", "MailContact"} {
		e, ok := errors.AsType[*exchange.NotAGroupError](results[i].Err)
		if !ok || e.Type != want || !strings.Contains(e.Error(), want) {
			t.Errorf("%s: %v", want, results[i].Err)
		}
	}
	if !exchange.IsNotFound(results[3].Err) || !errors.Is(results[4].Err, exchange.ErrInvalidCall) || results[5].Err == nil || !errors.Is(results[6].Err, exchange.ErrInvalidCall) {
		t.Errorf("%v", results[3:])
	}
	for _, g := range []exchange.Group{{Guid: room.Guid, Kind: "RoomList"}, {Guid: "twins", Kind: exchange.DynamicList}, {}} {
		if rows, err := collect(c.GroupMembers(t.Context(), g)); err == nil || len(rows) > 0 {
			t.Errorf("%+v: %d members, %v", g, len(rows), err)
		}
	}
	// A list is none of another kind.
	if _, err := collect(c.GroupMembers(t.Context(), exchange.Group{Guid: contact.Guid, Kind: exchange.Microsoft365Group})); !exchange.IsNotFound(err) {
		t.Errorf("%v", err)
	}
	if n := s.Requests(); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// TestGroupListingsAreWholeOrErrors puts the usual faults into them.
func TestGroupListingsAreWholeOrErrors(t *testing.T) {
	for _, cmdlet := range []string{"Get-DistributionGroupMember", "Get-RecipientPermission"} {
		for _, fault := range []simulator.Fault{
			simulator.CursorLost(cmdlet, 0), simulator.NextLinkMissing(cmdlet, 1), simulator.NextLinkForeign(cmdlet, "evil.example"),
			simulator.ErrorInside(cmdlet, 2, "half of it"), simulator.Warned(cmdlet, 1, "the rest was left out"), simulator.ValueNull(cmdlet, 0),
		} {
			synctest.Test(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 9})
				g := tenant.AddGroup(simulator.Group{Members: guids(tenant)})
				c := connect(t, simulator.New(tenant, simulator.WithPageSize(4), simulator.WithFaults(fault)))
				var err error
				if cmdlet == "Get-RecipientPermission" {
					_, err = collect(c.RecipientPermissions(t.Context()))
				} else {
					_, err = collect(c.GroupMembers(t.Context(), exchange.Group{Guid: g.Guid, Kind: exchange.DistributionList}))
				}
				if !exchange.IsIncomplete(err) {
					t.Errorf("%s, %s: %v", cmdlet, fault.Name, err)
				}
			})
		}
	}
}

// TestPermissions finds the delegates among the noise.
func TestPermissions(t *testing.T) {
	for _, options := range [][]simulator.Option{nil, {simulator.WithPermissionList()}} {
		tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 40})
		people := guids(tenant)
		tenant.AddMailboxPermission(people[3], simulator.Permission{Trustee: "ann@contoso.com"})
		tenant.AddMailboxPermission(people[4], simulator.Permission{Trustee: "ann@contoso.com", Deny: true})
		tenant.AddMailboxPermission(people[5], simulator.Permission{Trustee: "ann@contoso.com", Inherited: true})
		tenant.AddMailboxPermission(people[6], simulator.Permission{Trustee: "ann@contoso.com", Rights: []string{"ReadPermission"}})
		tenant.AddMailboxPermission(people[7], simulator.Permission{Trustee: "S-1-5-21-1-2-3-4"})
		tenant.AddRecipientPermission(people[8], simulator.Permission{Trustee: "ben@contoso.com"})
		tenant.AddRecipientPermission(people[9], simulator.Permission{Trustee: "ben@contoso.com", Deny: true})
		tenant.Update(people[10], func(m *simulator.Mailbox) { m.SendOnBehalf = []string{"Ann"} })
		s := simulator.New(tenant, append(options, simulator.WithPageSize(7))...)
		c := connect(t, s)
		identities := map[string]string{}
		for m, err := range c.Mailboxes(t.Context(), exchange.MailboxQuery{Select: []string{"Identity", "GrantSendOnBehalfTo"}}) {
			if err != nil {
				t.Fatal(err)
			}
			identities[m.Identity.Value] = m.Guid.Value
			if on := len(m.GrantSendOnBehalfTo.Value) > 0; m.GrantSendOnBehalfTo.State != exchange.Set || on != (m.Guid.Value == people[10]) {
				t.Errorf("send on behalf of %s: %+v", m.Guid.Value, m.GrantSendOnBehalfTo)
			}
		}
		var sendAs []string
		rows, err := collect(c.RecipientPermissions(t.Context()))
		if err != nil || len(rows) <= len(people) {
			t.Fatalf("%d rows for %d mailboxes: %v", len(rows), len(people), err)
		}
		for _, row := range rows {
			if row.Delegation() == exchange.Delegated {
				sendAs = append(sendAs, identities[row.Identity.Value])
			} else if row.Delegation() == exchange.DelegationUnknown {
				t.Errorf("unknown: %+v", row)
			}
		}
		if !slices.Equal(sendAs, []string{people[8]}) {
			t.Errorf("send as: %v", sendAs)
		}
		for i, r := range c.RecipientPermissionsByID(t.Context(), people[3:10]) {
			as := slices.ContainsFunc(r.Value, func(p exchange.RecipientPermission) bool { return p.Delegation() != exchange.NotDelegated })
			if r.Err != nil || len(r.Value) == 0 || as != (i == 5) {
				t.Errorf("mailbox %d: %+v", i, r)
			}
		}
		before := s.Requests()
		for i, r := range c.MailboxPermissions(t.Context(), people[:7]) {
			full := false
			for _, p := range r.Value {
				full = full || p.Delegation() != exchange.NotDelegated
			}
			if r.Err != nil || len(r.Value) < 3 || full != (i == 3) {
				t.Errorf("mailbox %d: %+v", i, r)
			}
		}
		if s.Requests() != before+1 {
			t.Errorf("%d requests for a batch", s.Requests()-before)
		}
	}
}

// TestPermissionsOfOneMailbox covers what is no whole answer.
func TestPermissionsOfOneMailbox(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 3})
	people := guids(tenant)
	for i := range 12 {
		tenant.AddMailboxPermission(people[0], simulator.Permission{Trustee: string(rune('a'+i)) + "@contoso.com"})
	}
	c := connect(t, simulator.New(tenant, simulator.WithPageSize(5)))
	r := c.MailboxPermissions(t.Context(), []string{people[0], people[1], "11111111-2222-4333-8444-555555555555", "ann@contoso.com"})
	if !exchange.IsIncomplete(r[0].Err) || r[0].Value != nil || r[1].Err != nil || !exchange.IsNotFound(r[2].Err) || !errors.Is(r[3].Err, exchange.ErrInvalidCall) {
		t.Errorf("%+v", r)
	}
}

// TestAdminAuditLogFields reads what cannot be set, and tries to set it.
func TestAdminAuditLogFields(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{})
	tenant.UpdateAdminAudit(func(a *simulator.AdminAudit) {
		a.Enabled, a.AgeLimit, a.LogLevel, a.ExcludedCmdlets = false, "30.00:00:00", "Verbose", []string{"*-Mailbox*"}
	})
	s := simulator.New(tenant)
	c := connect(t, s)
	log, err := c.AdminAuditLog(t.Context())
	if err != nil || log.AdminAuditLogEnabled != exchange.Of(false) || log.AdminAuditLogAgeLimit != exchange.Of("30.00:00:00") || log.LogLevel != exchange.Of("Verbose") ||
		!slices.Equal(log.AdminAuditLogExcludedCmdlets.Value, []string{"*-Mailbox*"}) || !slices.Equal(log.AdminAuditLogCmdlets.Value, []string{"*"}) || log.TestCmdletLoggingEnabled != exchange.Of(false) {
		t.Errorf("%+v, %v", log, err)
	}
	sent := s.Requests()
	for _, edit := range []exchange.AdminAuditEdit{
		{Enabled: new(true)},
		{AgeLimit: "90.00:00:00"},
		{Cmdlets: &exchange.ListEdit{Replace: []string{"*"}}},
		{Parameters: &exchange.ListEdit{Add: []string{"*"}}},
		{ExcludedCmdlets: &exchange.ListEdit{Remove: []string{"*-Mailbox*"}}},
	} {
		r := c.SetAdminAuditLog(t.Context(), edit)
		if !exchange.IsUnknownParameter(r.Err) || exchange.IsRefused(r.Err) {
			t.Errorf("%+v: %v", edit, r.Err)
		}
	}
	if s.Requests() != sent+5 || tenant.AdminAudit().Enabled {
		t.Errorf("%d requests, %+v", s.Requests()-sent, tenant.AdminAudit())
	}
	for _, edit := range []exchange.AdminAuditEdit{
		{},
		{AgeLimit: "0"},
		{AgeLimit: "00:00:00"},
		{Cmdlets: &exchange.ListEdit{}},
		{ExcludedCmdlets: &exchange.ListEdit{Add: []string{"**"}}},
		{ExcludedCmdlets: &exchange.ListEdit{Replace: []string{"*"}}},
		{Cmdlets: &exchange.ListEdit{Add: []string{" "}}},
		{Cmdlets: &exchange.ListEdit{Add: []string{"a"}, Remove: []string{"A"}}},
		{Cmdlets: &exchange.ListEdit{Add: []string{"a"}, Replace: []string{"b"}}},
	} {
		if r := c.SetAdminAuditLog(t.Context(), edit); !errors.Is(r.Err, exchange.ErrInvalidCall) {
			t.Errorf("%+v: %v", edit, r.Err)
		}
	}
	if s.Requests() != sent+5 {
		t.Error("an edit that says nothing was sent")
	}
	if exchange.IsUnknownParameter(&exchange.Error{Status: http.StatusForbidden, Message: "Invalid cmdlet parameters specified"}) {
		t.Error("a 403 is no unknown parameter")
	}
}
