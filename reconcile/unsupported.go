package reconcile

import (
	"fmt"

	"github.com/exoaudit/exoaudit/policy"
)

// UnsupportedError says that a policy asks for something that a run has no means
// to compare. It is an error of the policy as a whole: a comparison that
// left the part out would call a tenant in line that is not.
type UnsupportedError struct {
	// Part is the part of the language.
	Part string
	// Pos is the first place that uses it.
	Pos policy.Pos
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s: this run cannot compare a tenant with %s; take it out of the policy", e.Pos, e.Part)
}

// withoutCompliance is the error of a request that speaks of retention and brings
// no way to read it; nil for any other.
func withoutCompliance(req Request) error {
	if r := req.Policy.Retention; r != nil && req.Compliance == nil && req.Mailbox == "" {
		return &UnsupportedError{Part: "retention, as it has no client of the Security & Compliance service", Pos: r.Pos}
	}
	return nil
}
