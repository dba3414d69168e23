// Package reconcile compares what a policy wants with what a tenant has, and
// makes the tenant so.
//
// The loop is four steps, each a value for the next:
//
//	observe   the tenant, once, in pages       -> a compact population
//	diff      population x policy              -> Plan (data; no function lives in it)
//	guard     Plan x limits                    -> Plan with its refusals, before any write
//	apply     Plan, journal first, read back   -> Run: the plan with a result per change
//
// What a change can become:
//
//	the tenant has        the policy wants            the plan says
//	--------------        ----------------            -------------
//	a value it accepts    that value                  nothing; the object is inSync
//	less                  more                        planned
//	more                  exactly less                blocked: allowWeakening
//	something else        what the service cannot set unsupported
//	a bypass              that bypass, allowed        exempt
//	less                  more, with an exemption     exempt, as long as it is not below
//	                                                  what that accepts; then planned, to there
//	a value not readable  anything                    unknown, and never written
//
// Two rules run through all of it. A value that could not be read is never
// taken for one that complies: it makes its object unknown and the run
// incomplete. And nothing is written that was not first recorded together with
// its inverse.
//
// What a run leaves for later ones is a [Memory], which a [Session] keeps in a store:
// the last complete sweep with its open findings, from when on to look for changes,
// and what must not be written now, since it was written and does not show yet, since
// the service would not set it, or since somebody sets it back again and again. It
// can only take changes out of a plan or add findings to it: what this run has read
// always stands before what is remembered. A run without a store has no memory; the
// last complete sweep is then this run, and nothing is held.
//
// A look at what changed ([Request.SinceLastRun]) reads the mailboxes that the service
// says were changed or made since the last complete run, and carries what is open of
// the others; a [Change] says of itself that it is carried. It stands on a complete
// full sweep that is not too old, and becomes a full sweep wherever it would have to
// guess: another policy, an exemption that ended, a filter that was ignored or
// refused, clocks that differ by more than an hour, other members of a group. What it
// cannot see waits for the next full sweep, which is why one has to be made each day:
// a change that does not show on the mailbox itself, such as a right to it; retention
// policies; what was found of a mailbox that is gone since.
//
// Limits: what is remembered of writes has the times of their runs, not of the single
// writes. A request that brings no means to compare a part of its policy is refused
// as a whole ([UnsupportedError]).
//
// Memory is bounded by design section 7: a mailbox is folded while its page is
// read to an identity, a name and the number of its case; a case is one
// distinct combination of audit values and matching rules, and the diff runs
// once per case. Changes are produced when they are asked for.
package reconcile
