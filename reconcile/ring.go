package reconcile

import (
	"math"

	"github.com/exoaudit/exoaudit/policy"
)

// Ring is a part of the mailboxes that is written and read back before the
// next one is begun. Mailboxes is its size; 0 is all that are left.
type Ring struct {
	Mailboxes int
}

// ringsOf gives the rings for a number of changed mailboxes: those of the policy,
// or where it names none the built-in ones from a number on at which a mistake
// is worth finding early. A share is of the changed mailboxes and rounded up, so
// that no ring is empty. The last ring is all that are left.
func ringsOf(g policy.Guards, changed int) []Ring {
	sizes := g.Rings
	if sizes == nil && changed >= policy.DefaultRingsFrom {
		sizes = policy.DefaultRings()
	}
	var out []Ring
	left := changed
	for _, s := range sizes {
		n := s.Count
		if n == 0 {
			n = shareOf(s.Percent, changed)
		}
		if n >= left {
			break
		}
		out = append(out, Ring{Mailboxes: n})
		left -= n
	}
	return append(out, Ring{})
}

// shareOf gives a percentage of a number, rounded up. The tolerance is for
// percentages that have no exact binary form.
func shareOf(percent float64, whole int) int {
	return max(1, int(math.Ceil(percent*float64(whole)/100-1e-9)))
}

// rings are those by which this plan is written.
func (p *Plan) rings() []Ring { return ringsOf(p.policy.Guards, p.selectedMailboxes()) }
