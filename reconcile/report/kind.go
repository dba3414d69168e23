package report

import "github.com/exoaudit/exoaudit/reconcile"

// The kinds of subjects, by the names they have in a plan.
const (
	kindAdminAudit   = "adminAudit"
	kindBypass       = "bypass"
	kindMailbox      = "mailbox"
	kindOrganization = "organization"
	kindRetention    = "retention"
)

// kinds gives every kind in the order of a plan.
func kinds() []string {
	return []string{kindAdminAudit, kindBypass, kindMailbox, kindOrganization, kindRetention}
}

// states gives the counts of a kind, and whether the summary speaks of it.
func states(s reconcile.Summary, kind string) (reconcile.StateCounts, bool) {
	return lookup(s.States, kind)
}

// lookup reads a map whose keys are names of a type that this package does not
// import.
func lookup[K ~string, V any](m map[K]V, key string) (V, bool) {
	v, ok := m[K(key)]
	return v, ok
}
