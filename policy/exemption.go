package policy

import (
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// Exemption lets some mailboxes, or one kind of tenant setting, stay below the
// policy for a reason and a time. What it accepts is a floor: less is drift.
type Exemption struct {
	Name string
	Pos  Pos
	// Where says which mailboxes, of all types; nil where Subject is not empty.
	Where Selector
	// Subject is the kind of the tenant setting; empty for mailboxes.
	Subject audit.SubjectKind
	// Accept is the floor.
	Accept Accept
	Reason string
	Owner  string
	// Expires is the last day of the exemption, 00:00 UTC.
	Expires time.Time

	expiresPos Pos
	override   *override
}

// Match tells whether the exemption speaks of a mailbox, whatever its type.
func (e Exemption) Match(s Subject) Match {
	if e.Where == nil {
		return No
	}
	return e.Where.Match(s)
}

// Expired tells whether the last day of the exemption is over, in UTC.
func (e Exemption) Expired(now time.Time) bool { return isOver(e.Expires, now) }

// Accept is what an exemption lets be. A nil part is not exempted. The parts for
// mailboxes and those of each tenant setting never stand together.
type Accept struct {
	Pos Pos
	// Record holds a floor per logon type.
	Record [3]*AcceptedRecord
	// AuditEnabled is the least that AuditEnabled must be.
	AuditEnabled *Located[AcceptedEnabled]
	// AgeLimit is the least AuditLogAgeLimit, or AdminAuditLogAgeLimit for the
	// subject adminAudit.
	AgeLimit *Located[time.Duration]

	// UnifiedAuditLog and MailboxAuditing are false where the switch may be off.
	UnifiedAuditLog, MailboxAuditing *Located[bool]

	// Enabled is false where AdminAuditLogEnabled may be.
	Enabled *Located[bool]
	// Cmdlets and Parameters are what must still be covered; they may be empty.
	Cmdlets, Parameters *Located[[]string]
	// ExcludedCmdlets are the patterns that may be excluded besides the policy's.
	ExcludedCmdlets *Located[[]string]

	// Floor is the shortest duration that a retention policy may have.
	Floor *Located[time.Duration]
	// Require is what must still be covered, in place of the policy's list.
	Require *Located[[]RequiredRetention]
}

// AcceptedRecord is the least that a logon type must record: a list of actions,
// or a record as in rules.
type AcceptedRecord struct {
	Pos Pos
	// Floor is the list; it may be empty. It says nothing where Form is present.
	Floor audit.ActionSet
	// Form is nil where a list is given.
	Form *Record
}

// AcceptedEnabled is the least that AuditEnabled must be.
type AcceptedEnabled struct {
	// None means that the mailbox need not be audited at all.
	None bool
	// Mode counts where None is false.
	Mode EnabledMode
}

// String gives the word of the language.
func (a AcceptedEnabled) String() string {
	if a.None {
		return wordNone
	}
	return a.Mode.String()
}

// wordNone is how the language writes that nothing is accepted as well.
const wordNone = "none"

// Override is a place where a policy asks for less than one that it extends, or
// replaces a named part of it, and why.
type Override struct {
	// Path names what is overridden, such as guards.maxChanged or
	// mailboxes.everyone.
	Path   string
	Reason string
	Pos    Pos
}

// override is the override key of a named part.
type override struct {
	pos    Pos
	reason string
}
