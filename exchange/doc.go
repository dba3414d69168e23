// Package exchange is a client for the Exchange Online admin REST API: the
// InvokeCommand action and its $batch, which run one cmdlet per call.
//
// A [Client] is bound to one tenant and one host for its whole life; its token
// goes to that host and, where the worldwide front door sends it to the internal
// host of a region, to the public host of that region, and to no other. It offers the few cmdlets that audit
// configuration needs, each as a typed method: listings as iterators
// ([Client.Mailboxes], [Client.BypassAssociations]), singletons
// ([Client.Organization], [Client.AdminAuditLog]), reads and writes of up to
// ten objects in one HTTP request ([Client.MailboxesByID],
// [Client.SetMailboxes]).
//
// Three ideas carry the package.
//
// A listing is whole or it is an error. The service can end a listing early in
// many ways that look like success (wire 1.5, 1.6): each of them ends the
// iterator with one [IncompleteError]. The iterator never starts again by
// itself; a lost cursor is a typed case, [CursorLostError], so that the caller
// can begin afresh with an empty accumulator.
//
// A property is what the service said, or it is known to be unknown. Rows are
// read token by token into a [Field] per property, whose State says whether it
// was there, null, of the wrong type or given twice. A strange property spoils
// that property of that object and nothing else.
//
// Failures hide inside a 200: answers are decoded first, and one predicate at
// the call layer then decides whether to try again. A success is a 200 that
// says nothing else by any spelling. A read is repeated after what passes, a
// success that is not whole among it; a write only after a refusal that says that
// nothing was executed: 429, a token that has expired, the wrong backend, another
// region. A further page moves a cursor, so where it fails in a way that passes
// the cursor is lost, and whoever lists may begin again. A 429 costs time and
// never a result, within a budget.
//
// The rate is counted in cmdlets, of reads and of writes apart, and found by
// itself: where the service tells what remains until when, that is spread over the
// time; else the rate falls at a 429 to what was used or accepted, rests, and
// climbs again. What the service counts, and over which window, is not known (wire
// 2, 5.3).
//
// Limits: the API is undocumented for third parties; what is known of it was
// gathered from public clients and captures ("wire" and "semantics" in the
// comments are the project's collected notes on the protocol and on the audit
// settings). Where the wire is not known the client fails closed. Other
// redirects are not followed. A Client refuses the Security & Compliance host, because it answers
// Get-AdminAuditLogConfig with a value that is always false (semantics 4.3); a
// [ComplianceClient] speaks to it about retention policies, and about nothing else.
package exchange
