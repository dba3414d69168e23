package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// excuseRetention turns what exemptions accept into listed differences, as for
// mailboxes: each is a permission of its own, one for the floor and another for what
// is required may stand beside each other, and where nothing is satisfied the first
// that speaks of each is what must be reached.
func (d differ) excuseRetention(f *finding, list []retained) {
	if len(f.changes) == 0 {
		return
	}
	var in []policy.Exemption
	for _, e := range d.policy.Exemptions {
		switch {
		case e.Subject != audit.KindRetention:
		case e.Expired(d.now):
			for i := range f.changes {
				f.changes[i].Reason += fmt.Sprintf("; exemption %s ended on %s", e.Name, e.Expires.Format(time.DateOnly))
			}
		default:
			in = append(in, e)
		}
	}
	if len(in) == 0 {
		return
	}
	pardons, lowered := d.lowerRetention(list, in)
	left := lowered.changes
	for _, c := range f.changes {
		if !changesPolicy(left, c.Subject.ID) {
			c.Origin.Controls = d.policy.Retention.Controls
			c.excuse(d.pardonOf(c, list, pardons))
			lowered.changes = append(lowered.changes, c)
		}
	}
	f.changes = lowered.changes // What could not be judged stays so.
}

// lowerRetention picks the exemptions that make the difference, and says what is left
// to be changed with them.
func (d differ) lowerRetention(list []retained, in []policy.Exemption) ([]policy.Exemption, finding) {
	for _, first := range in {
		if g := d.retentionFor(list, acceptedRetention(*d.policy.Retention, first.Accept)); len(g.changes) == 0 {
			return []policy.Exemption{first}, g
		}
	}
	for _, floor := range in {
		for _, require := range in {
			pair := []policy.Exemption{floor, require}
			if g := d.retentionFor(list, acceptedByEach(*d.policy.Retention, pair)); len(g.changes) == 0 {
				return pair, g
			}
		}
	}
	return in, d.retentionFor(list, acceptedByEach(*d.policy.Retention, in))
}

// pardonOf is the exemption that accepts a difference by itself; the last where it
// takes several.
func (d differ) pardonOf(c Change, list []retained, of []policy.Exemption) policy.Exemption {
	for _, e := range of[:len(of)-1] {
		if left := d.retentionFor(list, acceptedRetention(*d.policy.Retention, e.Accept)).changes; !changesPolicy(left, c.Subject.ID) {
			return e
		}
	}
	return of[len(of)-1]
}

func changesPolicy(changes []Change, name string) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return c.Subject.ID == name })
}

// acceptedByEach lowers each part of the wish to what the first of some exemptions
// that speaks of it accepts.
func acceptedByEach(want policy.Retention, of []policy.Exemption) policy.Retention {
	var a policy.Accept
	for _, e := range of {
		a.Floor, a.Require = cmp.Or(a.Floor, e.Accept.Floor), cmp.Or(a.Require, e.Accept.Require)
	}
	return acceptedRetention(want, a)
}

// acceptedRetention is the wish as an exemption lowers it.
func acceptedRetention(want policy.Retention, a policy.Accept) policy.Retention {
	if a.Floor != nil && want.Floor != nil && a.Floor.Value < want.Floor.Value {
		want.Floor = a.Floor
	}
	if a.Require != nil {
		want.Require = a.Require.Value
	}
	return want
}

// countRetention counts policies by how they stand.
func (d differ) countRetention(list []retained, f finding) StateCounts {
	n := StateCounts{Unknown: len(f.unknown)}
	r := retentionDiff{want: *d.policy.Retention, needs: needsOfRetention(*d.policy.Retention)}
	changed := map[string]bool{}
	for _, c := range f.changes {
		changed[c.Subject.ID] = true
		if c.Fate == FateExempt {
			n.Exempt++
		} else {
			n.Drifted++
		}
	}
	for _, p := range list {
		switch {
		case changed[p.name] || p.missing != "" && r.relevant(p):
		case r.relevant(p):
			n.InSync++
		default:
			n.NotApplicable++
		}
	}
	return n
}
