// Package journal records what the tool is about to do to a tenant, before it
// does it, and what came of it.
//
// This tool is a privileged operator, so its own work must be open to audit:
// an [Intent] with its inverse is on disk before the write it speaks of, an
// [Outcome] follows. An intent without an outcome is a write of which nobody
// knows whether it happened; it has to be read again from the tenant, never
// replayed.
//
// A [File] is newline-delimited JSON, one [Line] each. Every line holds the
// hash of the one before, so that a line that was changed, taken out or put in
// breaks the chain; a tail that was cut off shows only against a head that was
// noted elsewhere. [Verify] goes through a whole journal, in a file or a store, and
// names the place where it does not hold.
package journal
