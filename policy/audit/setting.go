package audit

// Setting names one thing that a plan can change, as it stands in the plan's
// JSON and in a policy's severity section.
type Setting string

// The settings, in the order of the plan's documentation.
const (
	SettingAuditDisabled                   Setting = "auditDisabled"
	SettingUnifiedAuditLogIngestionEnabled Setting = "unifiedAuditLogIngestionEnabled"
	SettingAdminAuditLogEnabled            Setting = "adminAuditLogEnabled"
	SettingAdminAuditLogCmdlets            Setting = "adminAuditLogCmdlets"
	SettingAdminAuditLogParameters         Setting = "adminAuditLogParameters"
	SettingAdminAuditLogExcludedCmdlets    Setting = "adminAuditLogExcludedCmdlets"
	SettingAdminAuditLogAgeLimit           Setting = "adminAuditLogAgeLimit"
	SettingAuditBypassEnabled              Setting = "auditBypassEnabled" //nolint:gosec // the name of a setting, no credential
	SettingAuditEnabled                    Setting = "auditEnabled"
	SettingAuditAdmin                      Setting = "auditAdmin"
	SettingAuditDelegate                   Setting = "auditDelegate"
	SettingAuditOwner                      Setting = "auditOwner"
	SettingDefaultAuditSet                 Setting = "defaultAuditSet"
	SettingAuditLogAgeLimit                Setting = "auditLogAgeLimit"
	SettingRetentionPolicy                 Setting = "retentionPolicy"
)

// Settings gives every setting in the order of the plan's documentation.
func Settings() []Setting {
	return []Setting{
		SettingAuditDisabled, SettingUnifiedAuditLogIngestionEnabled,
		SettingAdminAuditLogEnabled, SettingAdminAuditLogCmdlets, SettingAdminAuditLogParameters,
		SettingAdminAuditLogExcludedCmdlets, SettingAdminAuditLogAgeLimit,
		SettingAuditBypassEnabled, SettingAuditEnabled,
		SettingAuditAdmin, SettingAuditDelegate, SettingAuditOwner, SettingDefaultAuditSet,
		SettingAuditLogAgeLimit, SettingRetentionPolicy,
	}
}

// ListSetting gives the setting that holds the action list of a logon type.
func ListSetting(l LogonType) Setting {
	return [...]Setting{SettingAuditAdmin, SettingAuditDelegate, SettingAuditOwner}[l]
}

// Kind says on what kind of object a setting lives; empty for a name that is no
// setting.
func (s Setting) Kind() SubjectKind {
	switch s {
	case SettingAuditDisabled, SettingUnifiedAuditLogIngestionEnabled:
		return KindOrganization
	case SettingAdminAuditLogEnabled, SettingAdminAuditLogCmdlets, SettingAdminAuditLogParameters,
		SettingAdminAuditLogExcludedCmdlets, SettingAdminAuditLogAgeLimit:
		return KindAdminAudit
	case SettingAuditBypassEnabled:
		return KindBypass
	case SettingAuditEnabled, SettingAuditAdmin, SettingAuditDelegate, SettingAuditOwner,
		SettingDefaultAuditSet, SettingAuditLogAgeLimit:
		return KindMailbox
	case SettingRetentionPolicy:
		return KindRetention
	default:
		return ""
	}
}

// Severity says how much a drift of a setting matters.
type Severity uint8

// The severities, ordered: a greater one matters more.
const (
	Info Severity = iota
	Low
	Medium
	High
)

// Severities gives every severity, from the least to the greatest.
func Severities() [4]Severity { return [4]Severity{Info, Low, Medium, High} }

// String gives the word used in policies, flags and plans: info, low, medium or high.
func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Low:
		return "low"
	case Medium:
		return "medium"
	case High:
		return "high"
	default:
		return "severity(?)"
	}
}

// ParseSeverity reads the word that [Severity.String] gives, in lower case only.
func ParseSeverity(word string) (Severity, bool) {
	for _, s := range Severities() {
		if s.String() == word {
			return s, true
		}
	}
	return 0, false
}

// DefaultSeverity is the built-in severity of a setting: high where recording
// can stop, low for an age limit that governs a copy which the service may no
// longer write (semantics 2.5), info for what the service shows as read-only.
// A name that is no setting counts as high, so that it cannot hide.
func DefaultSeverity(s Setting) Severity {
	switch s {
	case SettingAuditEnabled, SettingRetentionPolicy:
		return Medium
	case SettingAuditLogAgeLimit:
		return Low
	case SettingAdminAuditLogEnabled, SettingAdminAuditLogCmdlets, SettingAdminAuditLogParameters,
		SettingAdminAuditLogExcludedCmdlets, SettingAdminAuditLogAgeLimit:
		return Info
	default:
		return High
	}
}

// SubjectKind names the kind of object that a setting belongs to. Plans sort by
// the bytes of the kind.
type SubjectKind string

// The kinds of subjects.
const (
	KindOrganization SubjectKind = "organization"
	KindAdminAudit   SubjectKind = "adminAudit"
	KindRetention    SubjectKind = "retention"
	KindBypass       SubjectKind = "bypass"
	KindMailbox      SubjectKind = "mailbox"
)

// SubjectKinds gives every kind in the order in which plans list them.
func SubjectKinds() [5]SubjectKind {
	return [5]SubjectKind{KindAdminAudit, KindBypass, KindMailbox, KindOrganization, KindRetention}
}
