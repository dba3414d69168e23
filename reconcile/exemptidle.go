package reconcile

import (
	"fmt"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// idle warns of exemptions for settings of the tenant of which the policy asks
// nothing: there is nothing that they could exempt.
func idle(p *policy.Policy) []string {
	var out []string
	for _, e := range p.Exemptions {
		asked := true
		switch e.Subject {
		case audit.KindOrganization:
			asked = asksSwitches(p, e.Accept)
		case audit.KindAdminAudit:
			asked = p.AdminAudit != nil && asksAdminAudit(*p.AdminAudit, e.Accept)
		default:
		}
		if !asked {
			out = append(out, fmt.Sprintf("exemption %s (%s) exempts nothing: the policy asks for none of what it accepts less of", e.Name, e.Pos))
		}
	}
	return out
}

// asksSwitches tells whether the policy asks for a switch that may be off. Rules
// for mailboxes ask for mailbox auditing too (see mailboxAuditing).
func asksSwitches(p *policy.Policy, a policy.Accept) bool {
	org := p.Organization
	log := org != nil && org.UnifiedAuditLog != nil
	auditing := org != nil && org.MailboxAuditing != nil || p.HasMailboxes()
	return log && a.UnifiedAuditLog != nil || auditing && a.MailboxAuditing != nil
}

func asksAdminAudit(w policy.AdminAudit, a policy.Accept) bool {
	return w.Enabled != nil && a.Enabled != nil || w.Cmdlets != nil && a.Cmdlets != nil ||
		w.Parameters != nil && a.Parameters != nil || w.ExcludedCmdlets != nil && a.ExcludedCmdlets != nil ||
		w.AgeLimit != nil && a.AgeLimit != nil
}
