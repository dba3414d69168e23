// Package policy is the language in which a team writes down how its tenants
// must be audited, and the rules by which several wishes become one.
//
// [Load] turns the text of a policy file, and of all that it extends, into a
// [Policy], or says, for every mistake at once, where it stands and what was
// expected. Nothing that a file says is ignored: a key this version does not know
// is an error.
//
// # The language in one page
//
// A policy has an opinion on what it names and none on what it leaves out. The
// sections are organization (the two tenant switches), adminAudit and retention
// (the admin audit log, and how long the unified log keeps records), mailboxes
// (named rules), bypass (the accounts whose actions may go unrecorded; all others
// may not), exemptions (what may stay below a wish, for a reason and a time),
// severity and guards.
//
// A policy may extend others: built-in ones ([Baselines]) by name and files by
// relative paths. What they ask for applies beside its own. It may replace a named
// part, or loosen a single value, only with a reason.
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
// Of two lists of patterns whether one covers the other is judged pattern by
// pattern: what only several patterns together cover counts as not covered, which
// is the stricter answer wherever it is asked.
//
// The package is pure: it reads no file, opens no connection and knows no clock;
// callers hand over bytes, a way to read further files, and the time. [Schema] and
// [ParseTest] serve those who write policies: the shape of the language for their
// editors, and cases that show what a policy wants without a tenant.
package policy
