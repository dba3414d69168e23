package reconcile

import (
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// Need is one cmdlet that a policy takes, with every parameter that this tool
// passes to it.
type Need struct {
	Cmdlet string
	// Parameters is sorted, and empty for a cmdlet that is called without any.
	Parameters []string
	// Write tells a cmdlet that apply needs and check does not.
	Write bool
	// For says in a few words what it is needed for.
	For string
}

// Needs derives the cmdlets and parameters that a policy takes: the reads of
// check first, then the writes of apply, each in the order of a run. A nil
// policy gives everything that this tool can ever need. What a role must allow
// is derived from this list and from nothing else.
func Needs(p *policy.Policy) []Need {
	w := wantsOf(p)
	list := append(w.reads(), w.writes()...)
	for i := range list {
		slices.Sort(list[i].Parameters)
	}
	return list
}

// wants says which parts of the service a policy touches.
type wants struct {
	unifiedLog, mailboxAuditing, customization bool
	adminAudit                                 bool
	mailboxes, enabled, age, restore           bool
	lists                                      [3]bool
	groups, publicFolders                      bool
	bypass, accounts                           bool
	memberOf, hasDelegates                     bool
}

func wantsOf(p *policy.Policy) wants {
	if p == nil {
		return wants{
			unifiedLog: true, mailboxAuditing: true, customization: true,
			mailboxes: true, enabled: true, age: true, restore: true,
			lists: [3]bool{true, true, true}, groups: true, publicFolders: true,
			bypass: true, accounts: true, memberOf: true, hasDelegates: true,
		}
	}
	n := needsOf(p)
	w := wants{
		mailboxes: p.HasMailboxes(), enabled: n.enabled, age: n.age,
		groups:        slices.Contains(n.listings, exchange.Groups),
		publicFolders: slices.Contains(n.listings, exchange.PublicFolders),
		bypass:        p.Bypass != nil,
		accounts:      p.Bypass != nil && len(p.Bypass.Allow) > 0,
		memberOf:      p.HasMailboxes() && len(p.Groups()) > 0,
		hasDelegates:  n.delegates,
		adminAudit:    p.AdminAudit != nil,
	}
	if org := p.Organization; org != nil {
		w.unifiedLog, w.mailboxAuditing = org.UnifiedAuditLog != nil, org.MailboxAuditing != nil
		w.customization = org.EnableCustomization
	}
	for _, r := range p.Mailboxes {
		for i, record := range r.Record {
			if record != nil {
				w.takeList(i, record.Managed != nil)
			}
		}
	}
	w.takeAccepted(p)
	return w
}

// takeList notes how a list is written: a managed one is restored and never
// edited, any other is edited and never restored (design section 3).
func (w *wants) takeList(i int, managed bool) {
	w.restore = w.restore || managed
	w.lists[i] = w.lists[i] || !managed
}

// takeAccepted notes how lists are brought back to what exemptions accept, where
// a rule has a wish for them at all.
func (w *wants) takeAccepted(p *policy.Policy) {
	for _, e := range p.Exemptions {
		for i, accepted := range e.Accept.Record {
			asked := slices.ContainsFunc(p.Mailboxes, func(r policy.Rule) bool { return r.Record[i] != nil })
			if accepted != nil && asked {
				w.takeList(i, accepted.Form != nil && accepted.Form.Managed != nil)
			}
		}
	}
}

// reads lists what check calls, and apply when it reads back.
func (w wants) reads() []Need {
	// It is read under every policy: it says whether the tenant records at all.
	list := []Need{{Cmdlet: "Get-OrganizationConfig", For: "AuditDisabled, and whether the tenant is hydrated"}}
	// What adminAudit.attempt passes to Set-AdminAuditLogConfig is not among the
	// needs: the cloud's cmdlet has no such parameters, so no role has them.
	if w.unifiedLog || w.adminAudit {
		n := Need{Cmdlet: "Get-AdminAuditLogConfig", For: "the unified audit log"}
		if !w.unifiedLog {
			n.For = "the admin audit log"
		}
		list = append(list, n)
	}
	if w.mailboxes {
		// Filter is what a look at what changed goes by, and the only way to see what is
		// stored of AuditEnabled.
		n := Need{Cmdlet: "Get-Mailbox", Parameters: []string{"Filter", "Identity", "ResultSize"}, For: "mailboxes, what changed of them, and reading them back"}
		n.Parameters = append(n.Parameters, w.switches()...)
		list = append(list, n)
	}
	if w.bypass {
		list = append(list, Need{
			Cmdlet: "Get-MailboxAuditBypassAssociation", Parameters: []string{"Identity", "ResultSize"},
			For: "accounts that bypass recording",
		})
	}
	if w.accounts {
		list = append(list, Need{Cmdlet: "Get-User", Parameters: []string{"Identity"}, For: "allowed accounts that are no mailbox"})
	}
	return append(list, w.selectorReads()...)
}

// switches are the parameters that reads and writes of some mailboxes take.
func (w wants) switches() []string {
	var list []string
	if w.groups {
		list = append(list, "GroupMailbox")
	}
	if w.publicFolders {
		list = append(list, "PublicFolder")
	}
	return list
}

// writes lists what apply calls beside the reads.
func (w wants) writes() []Need {
	var list []Need
	if w.customization {
		list = append(list, Need{
			Cmdlet: "Enable-OrganizationCustomization", Write: true, For: "a tenant that is not hydrated, once",
		})
	}
	if w.unifiedLog {
		list = append(list, Need{
			Cmdlet: "Set-AdminAuditLogConfig", Parameters: []string{"UnifiedAuditLogIngestionEnabled"},
			Write: true, For: "turning the unified audit log on",
		})
	}
	if w.mailboxAuditing {
		list = append(list, Need{
			Cmdlet: "Set-OrganizationConfig", Parameters: []string{"AuditDisabled"}, Write: true, For: "turning mailbox auditing on",
		})
	}
	if w.bypass {
		list = append(list, Need{
			Cmdlet: "Set-MailboxAuditBypassAssociation", Parameters: []string{"Identity", "AuditBypassEnabled"},
			Write: true, For: "ending a bypass",
		})
	}
	if w.mailboxes {
		list = append(list, Need{
			Cmdlet: "Set-Mailbox", Parameters: append(w.settings(), w.switches()...), Write: true, For: "the settings of mailboxes",
		})
	}
	return list
}

// settings are the parameters by which a mailbox is named and changed.
func (w wants) settings() []string {
	list := []string{"Identity"}
	if w.enabled {
		list = append(list, "AuditEnabled")
	}
	if w.age {
		list = append(list, "AuditLogAgeLimit")
	}
	for _, l := range audit.LogonTypes() {
		if w.lists[l] {
			list = append(list, "Audit"+l.String())
		}
	}
	if w.restore {
		list = append(list, "DefaultAuditSet")
	}
	return list
}

// selectorReads are those of the selectors that ask about more than the mailbox's
// own row. Which kind a group is of is not known before it is looked up.
func (w wants) selectorReads() []Need {
	var list []Need
	if w.memberOf {
		const members = "who is in a group that the policy names"
		list = append(list,
			Need{Cmdlet: "Get-Recipient", Parameters: []string{"Identity"}, For: "the groups that the policy names"},
			Need{Cmdlet: "Get-DistributionGroupMember", Parameters: []string{"Identity", "ResultSize"}, For: members},
			Need{Cmdlet: "Get-DynamicDistributionGroupMember", Parameters: []string{"Identity", "ResultSize"}, For: members},
			Need{Cmdlet: "Get-UnifiedGroupLinks", Parameters: []string{"Identity", "LinkType", "ResultSize"}, For: members},
		)
	}
	if w.hasDelegates {
		list = append(list,
			Need{Cmdlet: "Get-RecipientPermission", Parameters: []string{"Identity", "ResultSize"}, For: "who may send as a mailbox"},
			Need{Cmdlet: "Get-MailboxPermission", Parameters: []string{"Identity", "ResultSize"}, For: "who has full access to a mailbox"},
		)
	}
	return list
}
