// Package policy is the language in which a team writes down how its tenants
// must be audited, and the rules by which several wishes become one.
//
// [Parse] turns the text of a policy file into a [Policy] or says, for every
// mistake at once, where it stands and what was expected. Nothing that a file
// says is ignored: a key this version does not know is an error, and a key that
// belongs to a later version is refused as such.
//
// # The language in one page
//
// A policy has an opinion on what it names and none on what it leaves out. The
// sections are organization (the two tenant switches), mailboxes (named rules),
// bypass (the accounts whose actions may go unrecorded; all others may not),
// severity and guards.
//
// A rule speaks of mailbox types, and of those that its selector matches. For
// each logon type it may ask for Microsoft's default actions, for further ones
// (plus), for management by Microsoft (managed) or for one exact list. All rules
// that match a mailbox apply together and the strictest wins ([Policy.Resolve]):
// adding a rule never asks for less.
//
// Selectors are three-valued. Where a fact about a mailbox is missing the answer
// is [Open], which is never taken for No: a mailbox that cannot be judged must
// not look compliant.
//
// # Limits
//
// Values are compared letter by letter without case. For usageLocation it is not
// documented whether the service shows a code (US) or a name (United States): a
// selector that lists only one form draws a warning, one that lists both matches
// either way.
//
// The package is pure: it reads no file, opens no connection and knows no clock;
// callers hand over bytes and the time. Extending other policies, retention, the
// admin audit log, exemptions, group membership, delegates and rings are not
// part of this version.
package policy
