package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// unheld is a finding as it was before something of it was held: what holds it is
// remembered apart, and looked at anew by each run.
func (f *finding) unheld() *finding {
	if f.raw != nil {
		return f.raw
	}
	return f
}

// lookup finds the mailboxes that a run has read, by id.
type lookup []looked

type looked struct {
	id guid
	at int32 // its index in the population
}

// lookup orders the mailboxes that the run has read, leaving out what it carries.
func (p *Plan) lookup() lookup {
	out := make(lookup, 0, len(p.pop.records))
	for i, r := range p.pop.records {
		if !p.cases[r.kase].carried {
			out = append(out, looked{r.id, int32(i)})
		}
	}
	slices.SortFunc(out, func(a, b looked) int { return compareGUID(a.id, b.id) })
	return out
}

// find gives the index of a mailbox in the population.
func (l lookup) find(id guid) (int, bool) {
	at, found := slices.BinarySearchFunc(l, id, func(x looked, id guid) int { return compareGUID(x.id, id) })
	if !found {
		return 0, false
	}
	return int(l[at].at), true
}

// open gives what is left open of the mailboxes that the run has read, and of
// retention where it has read that: what drifts and what could not be judged,
// without what a run has settled.
func (p *Plan) open(r *Run) *carried {
	out := &carried{}
	made := map[string]int32{}
	for i, rec := range p.pop.records {
		if p.cases[rec.kase].carried {
			continue
		}
		key := p.openKey(i, r)
		if key == "" {
			continue
		}
		kase, known := made[key]
		if !known {
			kase = int32(len(out.cases)) //nolint:gosec // Bounded by the number of mailboxes.
			made[key] = kase
			out.cases = append(out.cases, p.openCase(i, r))
		}
		out.records = append(out.records, record{id: rec.id, name: rec.name, kase: kase})
	}
	for i, c := range p.tenant {
		if c.Subject.Kind != audit.KindRetention {
			continue
		}
		o := outcome{}
		if r != nil {
			o = r.tenant[i]
		}
		if raw, wasHeld := p.lasting.tenant[i]; wasHeld {
			c = raw
		}
		if c, open := c.left(o); open {
			out.tenant = append(out.tenant, c)
		}
	}
	return out
}

// openKey is the same for mailboxes of which the same is left open, and empty where
// nothing is.
func (p *Plan) openKey(i int, r *Run) string {
	rec := p.pop.records[i]
	f := &p.cases[rec.kase]
	why, repeated := p.pop.repeated[rec.id]
	open := repeated || len(f.unheld().unknown) > 0
	var key strings.Builder
	fmt.Fprintf(&key, "%d %q", rec.kase, why)
	for slot, c := range f.changes {
		left, is := c.left(r.outcomeOf(i, slot))
		open = open || is
		fmt.Fprintf(&key, " %t %q", is, left.Fate)
	}
	if !open {
		return ""
	}
	return key.String()
}

// openCase is what is left open of a mailbox.
func (p *Plan) openCase(i int, r *Run) carriedCase {
	rec := p.pop.records[i]
	prof := p.pop.profileOf(rec.kase)
	f := &p.cases[rec.kase]
	out := carriedCase{kind: prof.kind.value, listing: prof.listing}
	out.state, out.unknown = Drifted, slices.Clone(f.unheld().unknown)
	if why, repeated := p.pop.repeated[rec.id]; repeated {
		out.unknown = append(out.unknown, UnknownObject{Reason: why})
	}
	if len(out.unknown) > 0 {
		out.state = Unknown
	}
	for slot, c := range f.changes {
		o := r.outcomeOf(i, slot)
		if f.raw != nil {
			c = f.raw.like(c)
		}
		if left, open := c.left(o); open {
			out.changes = append(out.changes, left)
		}
	}
	sortChanges(out.changes)
	return out
}

// like finds the change that became c when it was held.
func (f *finding) like(c Change) Change {
	at := slices.IndexFunc(f.changes, func(raw Change) bool {
		return raw.Setting == c.Setting && slices.Equal(raw.Add, c.Add) && slices.Equal(raw.Remove, c.Remove)
	})
	if at < 0 {
		return c
	}
	return f.changes[at]
}

// outcomeOf is what came of a change of a mailbox; nothing without a run.
func (r *Run) outcomeOf(record, slot int) outcome {
	if r == nil {
		return outcome{}
	}
	return r.mailbox.at(record, slot)
}

// left gives a change as it stands after a run, and tells whether it is open still.
// What the service said cannot be set here counts as that from then on.
func (c Change) left(o outcome) (Change, bool) {
	switch {
	case c.Fate == FateExempt:
		return c, false
	case c.Fate != FatePlanned:
		return c, true
	case o.result == ResultVerified || o.result == ResultNotNeeded:
		return c, false
	case o.result == ResultUnsupported:
		c.Fate = FateUnsupported
		c.Reason += "; the service answered that it cannot be set here"
	}
	return c, true
}

// replaced gives open findings with those of the mailboxes that a later run has read
// put in the place of what was said of them.
func (c *carried) replaced(fresh *carried, read lookup) *carried {
	out := &carried{}
	renumbered := map[int32]int32{}
	if c != nil {
		out.tenant, out.unknown = c.tenant, c.unknown
		for _, r := range c.records {
			if _, again := read.find(r.id); again {
				continue
			}
			kase, known := renumbered[r.kase]
			if !known {
				kase = int32(len(out.cases)) //nolint:gosec // Bounded by the number of mailboxes.
				renumbered[r.kase] = kase
				out.cases = append(out.cases, c.cases[r.kase])
			}
			out.records = append(out.records, record{id: r.id, name: r.name, kase: kase})
		}
	}
	first := int32(len(out.cases)) //nolint:gosec // Ditto.
	out.cases = append(out.cases, fresh.cases...)
	for _, r := range fresh.records {
		out.records = append(out.records, record{id: r.id, name: r.name, kase: first + r.kase})
	}
	slices.SortFunc(out.records, func(a, b record) int {
		return cmp.Or(strings.Compare(a.name, b.name), compareGUID(a.id, b.id))
	})
	return out
}
