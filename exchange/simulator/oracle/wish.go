package oracle

import "time"

// Record is what one logon type of a mailbox is to record. The parts are
// and-ed; the zero Record asks for nothing.
type Record struct {
	// Defaults asks for at least what Microsoft's default set records. A list
	// that Microsoft manages satisfies it as it stands.
	Defaults bool
	// Plus asks for at least these actions.
	Plus []string
	// Managed asks that the logon type is listed in DefaultAuditSet.
	Managed bool
	// Exact asks for these actions and no other; nil asks for nothing, an
	// empty list for an empty list.
	Exact []string
}

// Wish is what one mailbox is to be, resolved: which rules led to it is
// forgotten. Guid is its Guid, in any case.
type Wish struct {
	Guid string
	// Admin, Delegate and Owner are nil where there is no opinion.
	Admin, Delegate, Owner *Record
	// AuditEnabled is "" for no opinion, "effective" for a mailbox that is
	// audited by its stored value or by its type, and "explicit" for a stored
	// value of true (semantics 2.2).
	AuditEnabled string
	// AgeLimit is the least AuditLogAgeLimit; 0 for no opinion.
	AgeLimit time.Duration
}

// BypassWish asks that no account but the allowed ones is bypassed. It does
// not ask that the allowed ones are.
type BypassWish struct {
	// Allowed holds the Guid or the ExchangeObjectId of each, in any case.
	Allowed []string
}

// Wishes is what a tenant is to be.
type Wishes struct {
	Mailboxes []Wish
	// UnifiedAuditLog asks that the unified audit log takes records in.
	UnifiedAuditLog bool
	// MailboxAuditing asks that AuditDisabled of the organization is false.
	MailboxAuditing bool
	// Bypass is nil for no opinion; its zero value denies every bypass.
	Bypass *BypassWish
	// AdminAudit and Retention are nil for no opinion.
	AdminAudit *AdminAuditWish
	Retention  *RetentionWish
}

// Finding is one wish that the tenant does not satisfy.
type Finding struct {
	// Kind is organization, adminAudit, retention, bypass or mailbox.
	Kind string
	// Guid is the object's Guid, in lower case; for the organization and the admin
	// audit log, their kind; for retention the policy's name, empty where records are
	// meant and no policy.
	Guid string
	// Setting is the name of the setting as a plan spells it: auditDisabled,
	// unifiedAuditLogIngestionEnabled, auditBypassEnabled, auditAdmin,
	// auditDelegate, auditOwner, defaultAuditSet, auditEnabled, auditLogAgeLimit,
	// retentionPolicy, or one that begins with adminAuditLog; empty where the object as a whole is not there.
	Setting string
	// Why says what was found and what was wished.
	Why string
}
