package policy

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// Policy is one policy file, checked. It is never changed after [Parse].
type Policy struct {
	// File is the name given to Parse.
	File string
	// Name is the policy's own name.
	Name string
	// Organization is nil where the policy has no opinion on the tenant switches.
	Organization *Organization
	// Mailboxes holds the rules in the order of the file.
	Mailboxes []Rule
	// MailboxesPos is where the mailboxes section stands; zero where there is none.
	MailboxesPos Pos
	// Bypass is nil where the policy has no opinion on bypassed accounts.
	Bypass *Bypass
	// Guards always holds values, the built-in ones where the file has none.
	Guards Guards
	// AllowUnknownActions lets actions be written that the matrix does not know.
	AllowUnknownActions bool

	severity map[audit.Setting]audit.Severity
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
}

// Allow lets one account be exempt from recording, for a reason and a time.
type Allow struct {
	Pos Pos
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
}

// Guards bounds what one run may change.
type Guards struct {
	// MaxChangedPercent is of the mailboxes of the last complete sweep; 30 where
	// the file has none.
	MaxChangedPercent float64
	// MaxChanged is a number of mailboxes, nil for no limit.
	MaxChanged *int
	// AllowWeakening lets changes be made that weaken auditing.
	AllowWeakening bool
	// MaxSweepAge is how old the last full sweep may be; 26 hours where the file
	// has none.
	MaxSweepAge time.Duration
}

// The guards of a policy that names none.
const (
	DefaultMaxChangedPercent = 30.0
	DefaultMaxSweepAge       = 26 * time.Hour
)

// HasMailboxes tells whether the policy has an opinion on mailboxes.
func (p *Policy) HasMailboxes() bool { return len(p.Mailboxes) > 0 }

// Severity gives how much a drift of a setting matters under this policy.
func (p *Policy) Severity(s audit.Setting) audit.Severity {
	if v, ok := p.severity[s]; ok {
		return v
	}
	return audit.DefaultSeverity(s)
}

// Attributes gives the attributes that selectors ask about, sorted: what a
// listing has to select for them.
func (p *Policy) Attributes() []Attribute {
	set := map[Attribute]bool{}
	for _, r := range p.Mailboxes {
		walk(r.Where, func(s Selector) {
			if a, ok := s.(*attributeSelector); ok {
				set[a.attribute] = true
			}
		})
	}
	return slices.Sorted(maps.Keys(set))
}

// NeedsAddresses tells whether a selector asks about addresses.
func (p *Policy) NeedsAddresses() bool {
	needs := false
	for _, r := range p.Mailboxes {
		walk(r.Where, func(s Selector) {
			_, ok := s.(*addressSelector)
			needs = needs || ok
		})
	}
	return needs
}

// Types gives every mailbox type that a rule speaks of, sorted.
func (p *Policy) Types() []audit.MailboxType {
	set := map[audit.MailboxType]bool{}
	for _, r := range p.Mailboxes {
		for _, t := range r.Types {
			set[t] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// NeedsStoredAuditEnabled tells whether a rule asks for the stored AuditEnabled,
// which only a filtered listing can show (semantics 2.2).
func (p *Policy) NeedsStoredAuditEnabled() bool {
	return slices.ContainsFunc(p.Mailboxes, func(r Rule) bool {
		return r.AuditEnabled != nil && r.AuditEnabled.Value == Explicit
	})
}

// Origin is the place in a policy that asks for a value. It is put into plans
// and reports.
type Origin struct {
	Pos
	// Rule is the rule's name, empty outside of rules.
	Rule string
}

// compare orders origins by place.
func (o Origin) compare(p Origin) int {
	return cmp.Or(o.Pos.Compare(p.Pos), cmp.Compare(o.Rule, p.Rule))
}
