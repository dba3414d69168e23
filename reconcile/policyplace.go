package reconcile

import (
	"slices"

	"github.com/exoaudit/exoaudit/policy"
)

// PolicyFile is the name of the file of the policy that the plan was made from, as it
// was given; it is empty for a plan that was made without one.
func (p *Plan) PolicyFile() string {
	if p.policy == nil {
		return ""
	}
	return p.policy.File
}

// Extends names every baseline and file that the policy is made of besides its own
// text, each once and with the first place that names it, in the order of reading. It
// leads from a wish in a built-in baseline, which is in no file, to the line that a
// person has written.
func (p *Plan) Extends() []policy.Extended {
	if p.policy == nil {
		return nil
	}
	return slices.Clone(p.policy.Extends)
}
