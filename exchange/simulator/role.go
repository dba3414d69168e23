package simulator

import (
	"slices"
	"strings"
)

// Role is what the caller may do: cmdlets, and of each the parameters. What the access
// token says about roles is the authority's business; this is what the service does
// about it.
type Role struct {
	Name    string
	Entries []RoleEntry
}

// RoleEntry is one cmdlet of a [Role].
type RoleEntry struct {
	Cmdlet     string
	Parameters []string // Those that may be passed; nil is all.
}

// WithRole gives the caller a role. Without it the caller may do everything.
func WithRole(role Role) Option { return func(s *Service) { s.role = &role } }

// SecurityReader is the directory role Security Reader, as measured: it reads the unified
// audit log switch and the bypass associations, and neither mailboxes nor the
// organization (wire 6). What was not measured is left out.
func SecurityReader() Role {
	return Role{Name: "Security Reader", Entries: []RoleEntry{
		{Cmdlet: "Get-AdminAuditLogConfig"}, {Cmdlet: "Get-MailboxAuditBypassAssociation"},
	}}
}

// GlobalReader is the directory role Global Reader: every read (wire 6).
func GlobalReader() Role {
	return Role{Name: "Global Reader", Entries: []RoleEntry{
		{Cmdlet: "Get-AdminAuditLogConfig"},
		{Cmdlet: "Get-DistributionGroupMember"},
		{Cmdlet: "Get-DynamicDistributionGroupMember"},
		{Cmdlet: "Get-Mailbox"},
		{Cmdlet: "Get-MailboxAuditBypassAssociation"},
		{Cmdlet: "Get-MailboxPermission"},
		{Cmdlet: "Get-OrganizationConfig"},
		{Cmdlet: "Get-Recipient"},
		{Cmdlet: "Get-RecipientPermission"},
		{Cmdlet: "Get-UnifiedGroupLinks"},
		{Cmdlet: "Get-User"},
	}}
}

// ExchangeAdministrator is the directory role Exchange Administrator: everything (wire 6).
func ExchangeAdministrator() Role {
	entries := append(GlobalReader().Entries,
		RoleEntry{Cmdlet: "Enable-OrganizationCustomization"}, RoleEntry{Cmdlet: "Set-AdminAuditLogConfig"},
		RoleEntry{Cmdlet: "Set-Mailbox"}, RoleEntry{Cmdlet: "Set-MailboxAuditBypassAssociation"}, RoleEntry{Cmdlet: "Set-OrganizationConfig"})
	return Role{Name: "Exchange Administrator", Entries: entries}
}

// AuditOperator is a custom role group with no more than the reading and setting of the
// audit configuration takes. That the service lets such a group be made of these entries
// is not known; its shape is semantics 4.5.
func AuditOperator() Role {
	return Role{Name: "Audit Operator", Entries: []RoleEntry{
		{"Enable-OrganizationCustomization", []string{}},
		{"Get-AdminAuditLogConfig", []string{}},
		{"Get-DistributionGroupMember", []string{"Identity", "ResultSize"}},
		{"Get-DynamicDistributionGroupMember", []string{"Identity", "ResultSize"}},
		{"Get-Mailbox", []string{"Filter", "GroupMailbox", "Identity", "PublicFolder", "ResultSize"}},
		{"Get-MailboxAuditBypassAssociation", []string{"Identity", "ResultSize"}},
		{"Get-MailboxPermission", []string{"Identity", "ResultSize"}},
		{"Get-OrganizationConfig", []string{}},
		{"Get-Recipient", []string{"Identity"}},
		{"Get-RecipientPermission", []string{"Identity", "ResultSize"}},
		{"Get-UnifiedGroupLinks", []string{"Identity", "LinkType", "ResultSize"}},
		{"Get-User", []string{"Identity"}},
		{"Set-AdminAuditLogConfig", []string{"UnifiedAuditLogIngestionEnabled"}},
		{"Set-Mailbox", []string{
			"AuditAdmin", "AuditDelegate", "AuditEnabled", "AuditLogAgeLimit", "AuditOwner", "DefaultAuditSet",
			"GroupMailbox", "Identity", "PublicFolder",
		}},
		{"Set-MailboxAuditBypassAssociation", []string{"AuditBypassEnabled", "Identity"}},
		{"Set-OrganizationConfig", []string{"AuditDisabled"}},
	}}
}

// namedRoles are the roles that a flag can name.
func namedRoles() []struct {
	name string
	role Role
} {
	return []struct {
		name string
		role Role
	}{
		{"securityReader", SecurityReader()},
		{"globalReader", GlobalReader()},
		{"exchangeAdministrator", ExchangeAdministrator()},
		{"auditOperator", AuditOperator()},
	}
}

// RoleNames lists the names that [RoleNamed] knows.
func RoleNames() []string {
	var names []string
	for _, r := range namedRoles() {
		names = append(names, r.name)
	}
	return names
}

// RoleNamed returns a role by one of [RoleNames], or by its Name, without regard to case.
func RoleNamed(name string) (Role, bool) {
	for _, r := range namedRoles() {
		if strings.EqualFold(r.name, name) || strings.EqualFold(r.role.Name, name) {
			return r.role, true
		}
	}
	return Role{}, false
}

// Without returns the role less a cmdlet.
func (r Role) Without(cmdlet string) Role {
	kept := slices.DeleteFunc(slices.Clone(r.Entries), func(e RoleEntry) bool { return strings.EqualFold(e.Cmdlet, cmdlet) })
	return Role{Name: r.Name + " without " + cmdlet, Entries: kept}
}

// Lacking returns the role less one parameter of a cmdlet.
func (r Role) Lacking(cmdlet, parameter string) Role {
	lacking := Role{Name: r.Name + " lacking " + parameter + " of " + cmdlet}
	for _, e := range r.Entries {
		if strings.EqualFold(e.Cmdlet, cmdlet) {
			have := e.Parameters
			if have == nil {
				have = allParameters(cmdlet)
			}
			e.Parameters = slices.DeleteFunc(append([]string{}, have...), func(name string) bool { return strings.EqualFold(name, parameter) })
		}
		lacking.Entries = append(lacking.Entries, e)
	}
	return lacking
}

// allParameters lists what a modelled cmdlet takes, in order.
func allParameters(cmdlet string) []string {
	names := []string{}
	if c := modelledCmdlets()[strings.ToLower(cmdlet)]; c != nil {
		for _, p := range c.parameters {
			names = append(names, p.name)
		}
	}
	slices.Sort(names)
	return names
}

// permits says whether the role may call a cmdlet.
func (r *Role) permits(cmdlet string) bool {
	return r == nil || slices.ContainsFunc(r.Entries, func(e RoleEntry) bool { return strings.EqualFold(e.Cmdlet, cmdlet) })
}

// permitsParameter says whether the role may pass a parameter to a cmdlet; two entries of
// one cmdlet add up.
func (r *Role) permitsParameter(cmdlet, parameter string) bool {
	return r == nil || slices.ContainsFunc(r.Entries, func(e RoleEntry) bool {
		return strings.EqualFold(e.Cmdlet, cmdlet) && (e.Parameters == nil || containsFold(e.Parameters, parameter))
	})
}
