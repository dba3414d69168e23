// Package store keeps what the runs on a tenant leave for the next ones: the
// journal of writes, the runs, opaque snapshots of what was remembered, and the
// lease that lets one process at a time write to a tenant.
//
// The interface is small on purpose. It knows lines of a journal, rows of runs,
// and bytes; what they mean is the business of packages journal and reconcile.
// Everything belongs to a tenant, and nothing of one tenant is seen by another.
//
// Package storetest holds the law that every implementation has to obey.
package store
