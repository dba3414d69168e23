// Package simulator is Exchange Online's admin API as an [net/http.Handler]: a
// tenant in memory, and the InvokeCommand, $batch and EXOModuleFile endpoints in
// front of it.
//
// It exists so that a client, a test or a curious person can talk to something
// that refuses what the service refuses. Two kinds of "no" are kept apart: what
// the service refuses is answered as the service does it (400, 401, 403, 404, 405,
// 429), what this package has not modelled is a loud 501 that names it.
//
// A [Tenant] is the stored truth. Its generated mailboxes are never held: mailbox i
// is computed from the seed when somebody asks for it, its Guid and its addresses
// can be turned back into i, and only objects that somebody changed occupy memory.
// That is how a million mailboxes fit.
//
// A [Service] is the wire: token check, anchor mailbox, paging cursors, annotations,
// error spellings, throttling, and what the caller's [Role] allows. Where the wire is not
// known, [Switches] offers both readings; what can go wrong is a [Fault], and [FaultKinds]
// lists all of it.
//
// # Limits
//
// The package imports the standard library only and keeps its own table of the
// service's rules, so that a mistake in the project's other table cannot hide
// behind the same mistake here. It models the audit configuration of mailboxes, the
// bypass associations, the accounts behind them, the organization switch, the unified
// audit log switch and the admin audit log, groups with their members, and permissions
// on mailboxes; every other cmdlet is a 501. [NewCompliance] is the Security &
// Compliance service of the same tenant with its retention policies. Sources are cited as "wire
// N" and "semantics N", sections of the project's reference on the REST protocol
// and on the audit settings.
package simulator
