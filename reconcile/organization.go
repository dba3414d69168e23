package reconcile

import (
	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// notHydrated is the reason that blocks tenant settings of a tenant that still
// lives on shared defaults (semantics 4.4).
const notHydrated = "tenant not hydrated: it still lives on shared defaults; " +
	"organization.enableCustomization: true lets this tool run Enable-OrganizationCustomization, once"

// tenantView is what was read of the tenant's own settings.
type tenantView struct {
	auditDisabled  fact[bool]
	dehydrated     fact[bool]
	unifiedLog     fact[bool]
	unifiedLogRead bool
	admin          adminView
	// name is what the service calls the organization: shown, never matched.
	name string
}

// boolFact reads a boolean property that must be there.
func boolFact(name string, f exchange.Field[bool]) fact[bool] {
	return fact[bool]{value: f.Value, missing: unread(name, f.State)}
}

// organization judges the tenant's own switches. Both settings belong to one
// object.
func (d differ) organization(v tenantView) finding {
	f := finding{state: NotApplicable}
	org := d.policy.Organization
	subject := Subject{Kind: audit.KindOrganization, ID: string(audit.KindOrganization), Name: v.name}
	if org != nil && (org.MailboxAuditing != nil || org.UnifiedAuditLog != nil) {
		f.state = InSync
	}
	d.mailboxAuditing(&f, v)
	if org != nil && org.UnifiedAuditLog != nil {
		d.unifiedLog(&f, v, org)
	}
	for i := range f.changes {
		c := &f.changes[i]
		if e, ok := d.pardon(c.Setting); ok {
			c.excuse(e)
		}
		c.Severity = d.policy.Severity(c.Setting)
		c.normalise()
		*c = c.of(subject)
		if f.state == NotApplicable {
			f.state = InSync
		}
		f.stands(c.Fate)
	}
	for i := range f.unknown {
		f.unknown[i].Subject = subject
		f.state = Unknown
	}
	if f.state == Unknown {
		block(f.changes, "another setting of the organization is unknown")
	}
	sortChanges(f.changes)
	return f
}

// pardon finds the exemption in force that lets a switch of the tenant be off.
func (d differ) pardon(s audit.Setting) (policy.Exemption, bool) {
	for _, e := range d.policy.Exemptions {
		accepted := e.Accept.UnifiedAuditLog
		if s == audit.SettingAuditDisabled {
			accepted = e.Accept.MailboxAuditing
		}
		if e.Subject == audit.KindOrganization && accepted != nil && !e.Expired(d.now) {
			return e, true
		}
	}
	return policy.Exemption{}, false
}

// mailboxAuditing judges AuditDisabled. While it is true no mailbox records
// anything, whatever its own settings (semantics 0): a policy with rules for
// mailboxes is not in line there, even if it is silent about the switch. It is
// then shown and not touched, as the policy did not ask for it.
func (d differ) mailboxAuditing(f *finding, v tenantView) {
	org := d.policy.Organization
	asked := org != nil && org.MailboxAuditing != nil
	if !asked && !d.policy.HasMailboxes() {
		return
	}
	if v.auditDisabled.missing != "" {
		f.unknown = append(f.unknown, UnknownObject{Setting: audit.SettingAuditDisabled, Reason: v.auditDisabled.missing})
		return
	}
	if !v.auditDisabled.value {
		return
	}
	c := Change{
		Setting: audit.SettingAuditDisabled, Before: true, After: false, Fate: FatePlanned,
		Reason: "mailbox auditing is off for the whole tenant: no mailbox records anything",
	}
	if asked {
		c.Origin = policy.Origin{Pos: org.MailboxAuditing.Pos, Controls: org.ControlsOf(c.Setting)}
	} else {
		c.Origin = policy.Origin{Pos: d.policy.MailboxesPos}
		c.Fate = FateBlocked
		c.Reason += "; the policy has rules for mailboxes but does not set organization.mailboxAuditing: true, so this is left alone"
	}
	f.changes = append(f.changes, c)
}

// unifiedLog judges the ingestion into the unified audit log. Set-AdminAuditLogConfig
// is refused in a tenant that is not hydrated (semantics 1.3 E7).
func (d differ) unifiedLog(f *finding, v tenantView, org *policy.Organization) {
	if v.unifiedLog.missing != "" {
		f.unknown = append(f.unknown, UnknownObject{Setting: audit.SettingUnifiedAuditLogIngestionEnabled, Reason: v.unifiedLog.missing})
		return
	}
	if v.unifiedLog.value {
		return
	}
	c := Change{
		Setting: audit.SettingUnifiedAuditLogIngestionEnabled, Before: false, After: true, Fate: FatePlanned,
		Reason: "nothing reaches the unified audit log, so nothing can be searched",
		Origin: policy.Origin{Pos: org.UnifiedAuditLog.Pos, Controls: org.ControlsOf(audit.SettingUnifiedAuditLogIngestionEnabled)},
	}
	switch {
	case v.dehydrated.missing != "" || !v.dehydrated.value:
	case org.EnableCustomization:
		c.Reason += "; the tenant is not hydrated: Enable-OrganizationCustomization is run first, once, and cannot be undone"
	default:
		c.Fate, c.Reason = FateBlocked, notHydrated
	}
	f.changes = append(f.changes, c)
}

// rootCauses are the tenant settings that overrule what mailboxes show. They
// are said once, not once a mailbox.
func (d differ) rootCauses(v tenantView) []string {
	var out []string
	if d.policy.HasMailboxes() && v.auditDisabled.missing == "" && v.auditDisabled.value {
		out = append(out, "AuditDisabled is true: until that is changed no mailbox records anything, whatever is said of it below")
	}
	if v.unifiedLogRead && v.unifiedLog.missing == "" && !v.unifiedLog.value {
		out = append(out, "unified audit log ingestion is off: what mailboxes record cannot be searched; "+
			"once it is on, Microsoft says that it can take up to 60 minutes to take effect")
	}
	return out
}
