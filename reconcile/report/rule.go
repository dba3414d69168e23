package report

import "slices"

// rule is what a kind of finding is called where hosts keep track of findings over
// time. Ids are an interface: they are never renumbered, and a new kind of finding gets
// a new number.
type rule struct {
	ID string
	// Setting is the name in plans and policies.
	Setting string
	// Title is a few words, Short one sentence, Help what it means and what to do.
	Title, Short, Help string
}

// What several rules have for their help.
const (
	readOnly = "Exchange Online documents this setting as read-only; a finding is for a person to look at."
	onlyAdds = "Apply the policy: missing actions are added, and none is taken away."
)

// rules gives every kind of finding in the order of its number.
func rules() []rule { return slices.Concat(tenantRules(), mailboxRules()) }

// tenantRules are those of the tenant's own settings.
func tenantRules() []rule {
	return []rule{
		{
			"EXA001", "auditDisabled", "Mailbox auditing is off for the tenant",
			"The tenant's switch turns mailbox auditing off.",
			"While AuditDisabled is true no mailbox records anything, whatever its own settings say. Ask for organization.mailboxAuditing: true and apply the policy.",
		},
		{
			"EXA002", "unifiedAuditLogIngestionEnabled", "The unified audit log is off",
			"Nothing reaches the unified audit log.",
			"What is recorded while ingestion is off cannot be searched later. Ask for organization.unifiedAuditLog: true and apply the policy.",
		},
		{
			"EXA003", "adminAuditLogEnabled", "The admin audit log is off",
			"Cmdlets of administrators are not recorded.",
			readOnly,
		},
		{
			"EXA004", "adminAuditLogCmdlets", "The admin audit log leaves out cmdlets",
			"Not all cmdlets that the policy names are recorded.",
			readOnly,
		},
		{
			"EXA005", "adminAuditLogParameters", "The admin audit log leaves out parameters",
			"Not all parameters that the policy names are recorded.",
			readOnly,
		},
		{
			"EXA006", "adminAuditLogExcludedCmdlets", "The admin audit log excludes cmdlets",
			"Cmdlets are excluded from recording that the policy does not exclude.",
			readOnly,
		},
		{
			"EXA007", "adminAuditLogAgeLimit", "The admin audit log is kept too short",
			"Entries are kept for less time than the policy asks for.",
			readOnly,
		},
	}
}

// mailboxRules are those of accounts, mailboxes and what becomes of their records.
func mailboxRules() []rule {
	return []rule{
		{
			"EXA008", "auditBypassEnabled", "An account bypasses mailbox auditing",
			"What this account does in mailboxes is not recorded.",
			"Whoever holds the account leaves no trace in any mailbox. Apply the policy to end the bypass, or allow the account under bypass.allow with a reason, an owner and a last day.",
		},
		{
			"EXA009", "auditEnabled", "A mailbox is not audited",
			"The mailbox's own switch for auditing is not as the policy asks.",
			"Which mailboxes the tenant's default covers depends on their type. Apply the policy to set the mailbox's own value.",
		},
		{
			"EXA010", "auditAdmin", "Actions of admins are not recorded",
			"The mailbox does not record all actions of administrators that the policy asks for.",
			onlyAdds,
		},
		{
			"EXA011", "auditDelegate", "Actions of delegates are not recorded",
			"The mailbox does not record all actions of delegates that the policy asks for.",
			onlyAdds,
		},
		{
			"EXA012", "auditOwner", "Actions of the owner are not recorded",
			"The mailbox does not record all actions of its owner that the policy asks for.",
			onlyAdds,
		},
		{
			"EXA013", "defaultAuditSet", "A logon type is not managed by Microsoft",
			"A list of actions is pinned that the policy leaves to Microsoft.",
			"A pinned list receives no new default actions. Apply the policy to hand it back, where that takes no action away.",
		},
		{
			"EXA014", "auditLogAgeLimit", "Audit entries are kept too short in the mailbox",
			"The mailbox keeps its audit entries for less time than the policy asks for.",
			"Apply the policy to lengthen it.",
		},
		{
			"EXA015", "retentionPolicy", "Audit records are kept too short",
			"No retention policy of the unified audit log keeps these records as long as the policy asks, or one keeps them for less.",
			"Apply the policy to create or lengthen the retention policy.",
		},
	}
}

// ruleOf gives the rule of a setting. One that has none, which the tests do not allow,
// goes by its own name, so that no finding is lost.
func ruleOf(setting string) rule {
	for _, r := range rules() {
		if r.Setting == setting {
			return r
		}
	}
	return rule{ID: setting, Setting: setting, Title: setting}
}
