package simulator

import "strings"

// modelledCmdlets are those that do something here, by lower-case name. Which cmdlet
// spells its errors in which of the three ways is arbitrary; clients must read all.
func modelledCmdlets() map[string]*cmdlet {
	table := map[string]*cmdlet{}
	for _, c := range append(directoryCmdlets(), []cmdlet{
		{
			"Get-Mailbox", parameters(getMailboxParameters(), "Filter GroupMailbox Identity PublicFolder RecipientTypeDetails ResultSize"),
			spellIDTypeText, true, getMailbox,
		},
		{
			"Set-Mailbox", parameters(setMailboxParameters(), "AuditAdmin AuditDelegate AuditEnabled AuditLogAgeLimit AuditOwner DefaultAuditSet Force GroupMailbox Identity PublicFolder"),
			spellTypeText, false, setMailbox,
		},
		{
			"Get-MailboxAuditBypassAssociation", parameters(map[string]string{"System.Object": "Identity ResultSize"}, "Identity ResultSize"),
			spellTypeText, true, getBypass,
		},
		{
			"Set-MailboxAuditBypassAssociation", parameters(map[string]string{"System.Object": "Identity", "bool": "AuditBypassEnabled"}, "Identity AuditBypassEnabled"),
			spellJSON, false, setBypass,
		},
		{"Get-User", parameters(getUserParameters(), "Identity ResultSize"), spellIDTypeText, true, getUser},
		{"Get-OrganizationConfig", parameters(map[string]string{"switch": "RetrieveEwsOperationAccessPolicy"}, ""), spellIDTypeText, true, getOrganization},
		{"Set-OrganizationConfig", parameters(setOrganizationParameters(), "AuditDisabled Force"), spellJSON, false, setOrganization},
		{"Get-AdminAuditLogConfig", map[string]parameter{}, spellIDTypeText, true, getAdminAuditLog},
		{
			"Set-AdminAuditLogConfig", parameters(map[string]string{"bool": "UnifiedAuditLogIngestionEnabled", "switch": "Force"}, "UnifiedAuditLogIngestionEnabled Force"),
			spellTypeText, false, setAdminAuditLog,
		},
		{"Enable-OrganizationCustomization", map[string]parameter{}, spellJSON, false, enableCustomization},
	}...) {
		table[strings.ToLower(c.name)] = &c
	}
	return table
}

// rehearsed answers a WhatIf or a Confirm:true, which change nothing (wire 1.2). The
// texts are this package's own.
func (c *call) rehearsed(target string) (outcome, bool) {
	out := nothing()
	switch {
	case c.validate:
		out.confirmation = "Are you sure you want to perform this action? " + c.cmdlet.name + " on \"" + target + "\"."
	case c.whatIf:
		out.confirmation = "What if: " + c.cmdlet.name + " on \"" + target + "\"."
	default:
		return outcome{}, false
	}
	return out, true
}

// written is the answer of a Set-*: the warning where nothing was different (semantics 1.3 E5).
func written(changed bool, target string) outcome {
	if changed {
		return nothing()
	}
	return nothing("The command completed successfully but no settings of '" + target + "' have been modified.")
}

// later notes what reads still see for a while.
func (c *call) later(key string, was any) {
	c.s.history.remember(key, was)
	if c.s.lag > 0 {
		c.s.history.keep(key, was, c.now.Add(c.s.lag))
	}
}
