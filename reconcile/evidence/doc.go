// Package evidence bundles one run for whoever has to show later how a tenant stood:
// an auditor, or somebody who looks into an incident.
//
// A bundle is a zip archive. It holds the report of the run, each control with what
// was asked for and what was found, the values that were read, every call that read
// them, the policy, and a part of the journal. [Write] makes it from a plan in memory
// and streams: it takes no more memory than the plan has taken already. The same
// inputs give the same bytes, since nothing in it is from a clock, the environment or
// the order of a map.
//
// Two things hold it together. The manifest has the size and the SHA-256 of every
// other file, so that people can check them by hand. The seal, which is the archive's
// own comment, has the SHA-256 of all bytes before it, those of the archive's headers
// included, so that [Verify] finds any byte that was changed, added or removed. It does
// so without the tenant, the policy or a store.
//
// What it cannot show: that nobody made the bundle anew from changed contents. For
// that its own SHA-256 must have been kept elsewhere when it was made, as with the head
// of a journal.
package evidence
