package policy

import (
	"cmp"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// Policy is one policy file, checked. It is never changed after [Parse].
type Policy struct {
	// File is the name given to Parse.
	File string
	// Name is the policy's own name.
	Name string
	// Extends names every baseline and file that the policy is made of besides its
	// own, each once, in the order in which they were read.
	Extends []Extended
	// Organization is nil where the policy has no opinion on the tenant switches.
	Organization *Organization
	// AdminAudit is nil where the policy has no opinion on the admin audit log.
	AdminAudit *AdminAudit
	// Retention is nil where the policy has no opinion on retention policies.
	Retention *Retention
	// Mailboxes holds the rules in the order of the file.
	Mailboxes []Rule
	// MailboxesPos is where the mailboxes section stands; zero where there is none.
	MailboxesPos Pos
	// Bypass is nil where the policy has no opinion on bypassed accounts.
	Bypass *Bypass
	// Exemptions holds what may stay below a wish, in the order of the file.
	Exemptions []Exemption
	// Guards always holds values, the built-in ones where the file has none.
	Guards Guards
	// AllowUnknownActions lets actions be written that the matrix does not know.
	AllowUnknownActions bool
	// Overrides holds what the policy loosens of those it extends, and why.
	Overrides []Override

	severity     map[audit.Setting]Located[audit.Severity]
	allowUnknown *Located[bool]
	wishes       bool    // whether it asks for anything
	clashes      []clash // between those it extends, for the policy above to settle
}

// Located is a value and where the file says it.
type Located[T any] struct {
	Value T
	Pos   Pos
}

// Organization is what the tenant switches must be. A nil switch is no opinion;
// a switch that is present is always true, since the language has no way to ask
// for less.
type Organization struct {
	Pos Pos
	// UnifiedAuditLog wants UnifiedAuditLogIngestionEnabled true.
	UnifiedAuditLog *Located[bool]
	// MailboxAuditing wants AuditDisabled false.
	MailboxAuditing *Located[bool]
	// EnableCustomization consents to Enable-OrganizationCustomization.
	EnableCustomization bool
	// Controls are identifiers of published controls that the section serves,
	// sorted; those of one switch alone are in [Organization.ControlsOf] only.
	Controls []string

	customization    *Located[bool]
	unifiedControls  []string
	auditingControls []string
}

// Rule is a named set of wishes for the mailboxes it matches.
type Rule struct {
	Name string
	Pos  Pos
	// Types is sorted and never empty.
	Types []audit.MailboxType
	// Where is nil for all mailboxes of the types.
	Where Selector
	// Record holds a wish per logon type, nil for no opinion.
	Record [3]*Record
	// AuditEnabled is nil for no opinion.
	AuditEnabled *Located[EnabledMode]
	// AgeLimit is the least AuditLogAgeLimit, nil for no opinion.
	AgeLimit *Located[time.Duration]
	// Controls are identifiers of published controls that the rule serves, sorted.
	Controls []string

	override *override
}

// Record is what a rule asks one logon type to record. At least one part is
// present. Defaults and Managed are never false.
type Record struct {
	Pos      Pos
	Defaults *Located[bool]
	Managed  *Located[bool]
	Plus     *ActionList
	Exact    *ActionList
}

// ActionList is a list of actions as the file has it. It is not empty and names
// no action twice.
type ActionList struct {
	Pos     Pos
	Actions []Located[audit.Action]
}

// Set gives the actions of the list; a nil list is the empty set.
func (l *ActionList) Set() audit.ActionSet {
	if l == nil {
		return audit.ActionSet{}
	}
	names := make([]string, len(l.Actions))
	for i, a := range l.Actions {
		names[i] = string(a.Value)
	}
	return audit.SetOf(names)
}

// EnabledMode says what must hold of AuditEnabled. A greater mode asks for more.
type EnabledMode uint8

const (
	// Effective wants it shown true, or the type covered by auditing on by default.
	Effective EnabledMode = iota
	// Explicit wants the stored value to be true.
	Explicit
)

// String gives the word of the language.
func (m EnabledMode) String() string {
	if m == Explicit {
		return "explicit"
	}
	return "effective"
}

// Bypass says that no account may be exempt from recording except those allowed.
type Bypass struct {
	Pos   Pos
	Allow []Allow
	// Controls are identifiers of published controls that the section serves, sorted.
	Controls []string
}

// Allow lets one account be exempt from recording, for a reason and a time.
type Allow struct {
	Pos Pos
	// Name lets another policy override the entry; it may be empty.
	Name string
	// Account is an address in lower case; empty where ID is given.
	Account string
	// ID is a GUID in lower case: an Exchange Guid, an ExchangeObjectId or an
	// Entra object id. Empty where Account is given.
	ID     string
	Reason string
	Owner  string
	// Expires is the last day of the permission, 00:00 UTC.
	Expires time.Time

	expiresPos Pos
	override   *override
}

// HasMailboxes tells whether the policy has an opinion on mailboxes.
func (p *Policy) HasMailboxes() bool { return len(p.Mailboxes) > 0 }

// Severity gives how much a drift of a setting matters under this policy.
func (p *Policy) Severity(s audit.Setting) audit.Severity {
	if v, ok := p.severity[s]; ok {
		return v.Value
	}
	return audit.DefaultSeverity(s)
}

// Origin is the place in a policy that asks for a value. It is put into plans
// and reports.
type Origin struct {
	Pos
	// Rule is the rule's name, empty outside of rules.
	Rule string
	// Controls are identifiers of published controls that the value serves, sorted.
	// They are shared with the policy and must not be changed.
	Controls []string
}

// compare orders origins by place.
func (o Origin) compare(p Origin) int {
	return cmp.Or(o.Pos.Compare(p.Pos), cmp.Compare(o.Rule, p.Rule))
}
