package reconcile

import (
	"fmt"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// excuseRetention turns what an exemption accepts into listed differences, as for
// mailboxes: it is enough to satisfy one; where none is satisfied the first is what
// must be reached.
func (d differ) excuseRetention(f *finding, list []retained) {
	if len(f.changes) == 0 {
		return
	}
	var pardon *policy.Exemption
	var lowered finding
	for _, e := range d.policy.Exemptions {
		if e.Subject != audit.KindRetention {
			continue
		}
		if e.Expired(d.now) {
			for i := range f.changes {
				f.changes[i].Reason += fmt.Sprintf("; exemption %s ended on %s", e.Name, e.Expires.Format(time.DateOnly))
			}
			continue
		}
		g := d.retentionFor(list, acceptedRetention(*d.policy.Retention, e.Accept))
		if pardon == nil || len(lowered.changes) > 0 && len(g.changes) == 0 {
			pardon, lowered = &e, g
		}
	}
	if pardon == nil {
		return
	}
	left := lowered.changes
	for _, c := range f.changes {
		if !slices.ContainsFunc(left, func(l Change) bool { return l.Subject.ID == c.Subject.ID }) {
			c.Origin.Controls = d.policy.Retention.Controls
			c.excuse(*pardon)
			lowered.changes = append(lowered.changes, c)
		}
	}
	f.changes = lowered.changes // What could not be judged stays so.
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
