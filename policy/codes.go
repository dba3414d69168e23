package policy

import "github.com/exoaudit/exoaudit/policy/strict"

// Pos is a place in a policy file.
type Pos = strict.Pos

// Diagnostic is one finding about a policy file.
type Diagnostic = strict.Diagnostic

// Diagnostics is a sorted list of findings about a policy file.
type Diagnostics = strict.Diagnostics

// The codes of diagnostics that this package adds to those of package strict. A
// code never changes its meaning; scripts may rely on it.
const (
	// CodeBadVersion is an apiVersion or kind that is not of this language.
	CodeBadVersion = "bad-version"
	// CodeBadName is a policy or rule name with characters that names may not have.
	CodeBadName = "bad-name"
	// CodeEmptyValue is a list, map or text that must hold something; for a text
	// that people read, a word.
	CodeEmptyValue = "empty-value"
	// CodeRefused is a value that would weaken auditing, or a false that says
	// nothing.
	CodeRefused = "refused-value"
	// CodeOutOfRange is a number outside its limits.
	CodeOutOfRange = "out-of-range"
	// CodeBadDuration is a duration that cannot be read, or zero.
	CodeBadDuration = "bad-duration"
	// CodeBadDate is a date that does not exist or is not written YYYY-MM-DD.
	CodeBadDate = "bad-date"
	// CodeBadAction is an action that the service refuses for its logon type or
	// would take for another one, or no action at all.
	CodeBadAction = "bad-action"
	// CodeUnknownAction warns of an action that this version does not know.
	CodeUnknownAction = "unknown-action"
	// CodeUselessAction warns of an action that the service accepts and never
	// records; it is left out of the wish.
	CodeUselessAction = "useless-action"
	// CodeBadType is a mailbox type that is unknown or out of scope.
	CodeBadType = "bad-type"
	// CodeNotSettable is a wish that the service has no way to fulfil for a
	// mailbox type.
	CodeNotSettable = "not-settable"
	// CodeBadAttribute is an attribute that selectors cannot use.
	CodeBadAttribute = "bad-attribute"
	// CodeBadPattern is an address pattern that can match no address, or
	// one that lacks both the @ and a *.
	CodeBadPattern = "bad-pattern"
	// CodeBadValue is an attribute's value that begins or ends with a blank.
	CodeBadValue = "bad-value"
	// CodeBroadPattern warns of an address pattern without an @.
	CodeBroadPattern = "broad-pattern"
	// CodeBadAccount is an allow entry whose account or id has the wrong form, or
	// that has both or neither.
	CodeBadAccount = "bad-account"
	// CodeBadSetting is a severity for a setting that does not exist.
	CodeBadSetting = "bad-setting"
	// CodeBadWord is a text that is none of the words expected.
	CodeBadWord = "bad-word"
	// CodeDuplicateValue is a value that stands twice in one list.
	CodeDuplicateValue = "duplicate-value"
	// CodeConflict is two wishes that no mailbox can fulfil together.
	CodeConflict = "conflict"
	// CodeEmptyRule is a rule that wishes nothing.
	CodeEmptyRule = "empty-rule"
	// CodeHalfCovered warns of values that may all be written in the form that the
	// service does not show, so that none of them would ever match.
	CodeHalfCovered = "half-covered"
	// CodeNoOpinion warns of a policy that wishes nothing.
	CodeNoOpinion = "no-opinion"
	// CodeExpired warns of an allow entry whose last day is over.
	CodeExpired = "expired"
	// CodeExpiresSoon warns of an allow entry that ends within two weeks.
	CodeExpiresSoon = "expires-soon"
	// CodeExpiresLate warns of an allow entry that ends in more than ten years.
	CodeExpiresLate = "expires-late"
	// CodeBadRing is a ring that is neither a number of mailboxes nor a share.
	CodeBadRing = "bad-ring"
	// CodeBadGroup is a text that cannot be the address of a group.
	CodeBadGroup = "bad-group"
	// CodeBadRecordType is a text that cannot be the name of a record type.
	CodeBadRecordType = "bad-record-type"
	// CodeUnknownRecordType warns of a record type that this version does not know.
	CodeUnknownRecordType = "unknown-record-type"
	// CodeHidesAudit warns of an exclusion that covers a cmdlet by which auditing
	// can be weakened.
	CodeHidesAudit = "hides-audit"
	// CodeBadControl is a text that cannot be the identifier of a control.
	CodeBadControl = "bad-control"
	// CodeBadSubject is an exemption for both mailboxes and a tenant setting, for
	// neither, or for something that cannot be exempted.
	CodeBadSubject = "bad-subject"
	// CodeUnfilled warns of a reason or owner that is a mark to be filled in.
	CodeUnfilled = "unfilled"
	// CodeBadOverride is an override of something that is not there or that
	// cannot be overridden, or a reason for no override.
	CodeBadOverride = "bad-override"
	// CodeUselessOverride warns of an override that loosens nothing.
	CodeUselessOverride = "useless-override"
	// CodeLooser is a value that asks for less than an extended policy does,
	// without a reason under overrides.
	CodeLooser = "looser"
	// CodeDuplicateName is a rule, exemption or allow entry that an extended policy
	// has as well.
	CodeDuplicateName = "duplicate-name"
	// CodeBadExtends is an entry of extends that names no baseline and no file that
	// may be read.
	CodeBadExtends = "bad-extends"
	// CodeUnreadable is an extended file that could not be read.
	CodeUnreadable = "unreadable"
	// CodeCycle is a file that extends itself, directly or by others.
	CodeCycle = "cycle"
	// CodeTooMany is a chain of extended files that is too long, or too many files.
	CodeTooMany = "too-many"
)
