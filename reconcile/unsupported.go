package reconcile

import (
	"fmt"

	"github.com/exoaudit/exoaudit/policy"
)

// UnsupportedError says that a policy asks for something that this version can
// read and cannot do. It is an error of the policy as a whole: a comparison that
// left the part out would call a tenant in line that is not.
type UnsupportedError struct {
	// Part is the part of the language.
	Part string
	// Pos is the first place that uses it.
	Pos policy.Pos
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s: this version cannot compare a tenant with %s; take it out of the policy", e.Pos, e.Part)
}

// notWired gives an *UnsupportedError for the first part of a policy that the
// comparison would pass over; nil where there is none.
func notWired(p *policy.Policy) error {
	if r := p.Retention; r != nil {
		return &UnsupportedError{Part: "retention", Pos: r.Pos}
	}
	return nil
}
