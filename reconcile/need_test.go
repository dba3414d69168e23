package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

// needsAll is a policy that touches everything that this tool can.
const needsAll = `
organization: {unifiedAuditLog: true, mailboxAuditing: true, enableCustomization: true}
mailboxes:
  everyone:
    types: [UserMailbox, SharedMailbox]
    record:
      admin: {defaults: true, plus: [Copy]}
      delegate: {managed: true}
      owner: {defaults: true}
    auditEnabled: explicit
    ageLimit: 180d
  delegates:
    types: [RoomMailbox]
    record: {delegate: {plus: [FolderBind]}}
  chosen:
    where: {anyOf: [{memberOf: [list@contoso.com, dynamic@contoso.com, team@contoso.com]}, {hasDelegates: true}]}
    ageLimit: 1y
  groups: {types: [GroupMailbox], ageLimit: 180d}
  folders: {types: [PublicFolderMailbox], auditEnabled: effective}
bypass:
  allow:
    - {account: nobody@contoso.com, reason: a test, owner: sec@contoso.com, expires: 2099-01-01}
guards: {maxChangedPercent: 100}
`

func cmdletsOf(needs []reconcile.Need) string {
	var out []string
	for _, n := range needs {
		out = append(out, strings.TrimSpace(n.Cmdlet+" "+strings.Join(n.Parameters, ",")))
	}
	return strings.Join(out, "\n")
}

// TestNeeds: a policy needs what it speaks of; all that can be needed is what a
// policy needs that speaks of everything.
func TestNeeds(t *testing.T) {
	if diff := cmp.Diff(reconcile.Needs(nil), reconcile.Needs(parse(t, needsAll))); diff != "" {
		t.Errorf("everything differs from the policy that asks for everything:\n%s", diff)
	}
	for _, tt := range []struct{ name, policy, want string }{
		{
			"the log alone", "organization: {unifiedAuditLog: true}",
			"Get-OrganizationConfig\nGet-AdminAuditLogConfig\nSet-AdminAuditLogConfig UnifiedAuditLogIngestionEnabled",
		},
		{
			"the switch alone", "organization: {mailboxAuditing: true}",
			"Get-OrganizationConfig\nSet-OrganizationConfig AuditDisabled",
		},
		{
			"no bypass", "bypass: {}",
			"Get-OrganizationConfig\nGet-MailboxAuditBypassAssociation Identity,ResultSize\n" +
				"Set-MailboxAuditBypassAssociation AuditBypassEnabled,Identity",
		},
		{
			"one list", "mailboxes: {a: {record: {owner: {defaults: true}}}}",
			"Get-OrganizationConfig\nGet-Mailbox Filter,Identity,ResultSize\nSet-Mailbox AuditOwner,Identity",
		},
		{
			"a managed list", "mailboxes: {a: {record: {owner: {managed: true}}}}",
			"Get-OrganizationConfig\nGet-Mailbox Filter,Identity,ResultSize\nSet-Mailbox DefaultAuditSet,Identity",
		},
		{
			"groups", "mailboxes: {a: {types: [GroupMailbox], ageLimit: 90d}}",
			"Get-OrganizationConfig\nGet-Mailbox Filter,GroupMailbox,Identity,ResultSize\nSet-Mailbox AuditLogAgeLimit,GroupMailbox,Identity",
		},
		{
			"a group", "mailboxes: {a: {where: {memberOf: all@contoso.com}, ageLimit: 90d}}",
			"Get-OrganizationConfig\nGet-Mailbox Filter,Identity,ResultSize\nGet-Recipient Identity\nGet-DistributionGroupMember Identity,ResultSize\n" +
				"Get-DynamicDistributionGroupMember Identity,ResultSize\nGet-UnifiedGroupLinks Identity,LinkType,ResultSize\n" +
				"Set-Mailbox AuditLogAgeLimit,Identity",
		},
		{
			"delegates", "mailboxes: {a: {where: {hasDelegates: true}, ageLimit: 90d}}",
			"Get-OrganizationConfig\nGet-Mailbox Filter,Identity,ResultSize\nGet-RecipientPermission Identity,ResultSize\n" +
				"Get-MailboxPermission Identity,ResultSize\nSet-Mailbox AuditLogAgeLimit,Identity",
		},
		{
			"the stored value", "mailboxes: {a: {auditEnabled: explicit}}",
			"Get-OrganizationConfig\nGet-Mailbox Filter,Identity,ResultSize\nSet-Mailbox AuditEnabled,Identity",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, cmdletsOf(reconcile.Needs(parse(t, tt.policy)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNeedsCoverEveryCall: an apply that has everything to do calls nothing,
// and passes no parameter, that is not among the needs; and each need is met
// by a call, so that the list asks for nothing in vain.
func TestNeedsCoverEveryCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, needsCoverEveryCall)
}

func needsCoverEveryCall(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{
		Seed: 3, Mailboxes: 60, Users: 3, Groups: 2, PublicFolders: 2, Drift: 1, Bypassed: 0.1,
		UnifiedLogOff: true, AuditDisabled: true, Dehydrated: true, Now: time.Now(),
	})
	tenant.AddGroup(simulator.Group{PrimarySMTPAddress: "list@contoso.com"})
	tenant.AddGroup(simulator.Group{Type: "DynamicDistributionGroup", PrimarySMTPAddress: "dynamic@contoso.com"})
	tenant.AddGroup(simulator.Group{Type: "GroupMailbox", PrimarySMTPAddress: "team@contoso.com"})
	addTwins(tenant)
	b := newBench(t, tenant)
	p := parse(t, needsAll)
	b.apply(b.check(p))
	called := map[string]bool{}
	for _, call := range b.service.Calls() {
		for _, in := range call.Cmdlets {
			called[in.Cmdlet] = true
			for name := range in.Parameters {
				called[in.Cmdlet+" -"+name] = true
			}
		}
	}
	needed := map[string]bool{}
	for _, n := range reconcile.Needs(p) {
		needed[n.Cmdlet] = true
		for _, name := range n.Parameters {
			needed[n.Cmdlet+" -"+name] = true
		}
	}
	for c := range called {
		if !needed[c] {
			t.Errorf("%s was called and is not among the needs", c)
		}
	}
	var idle []string
	for n := range needed {
		if !called[n] {
			idle = append(idle, n)
		}
	}
	slices.Sort(idle)
	if len(idle) > 0 {
		t.Errorf("needed and not called: %q", idle)
	}
}
