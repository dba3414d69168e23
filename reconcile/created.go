package reconcile

import (
	"iter"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// noteCreated keeps when a mailbox was made, where that is what the run looks for. A
// nil window keeps nothing: a sweep does not ask for the date.
func (w *window) noteCreated(p *population, id guid, m exchange.Mailbox) {
	if w == nil {
		return
	}
	if at, ok := date(m.WhenMailboxCreated); ok && !at.Before(w.created) {
		p.noteCreated(id, at)
	}
}

func (p *population) noteCreated(id guid, at time.Time) {
	if p.created == nil {
		p.created = map[guid]time.Time{}
	}
	p.created[id] = at
}

// CreatedInLine gives when mailboxes were made that the run brought in line for the
// first time: such as the last complete sweep has not seen and no run of the last day
// has fixed, of which every change that counts is verified now. Only runs over what is
// new know the dates (design section 7).
func (r *Run) CreatedInLine() iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		p := r.Plan
		if len(p.pop.created) == 0 {
			return
		}
		settled := r.settledMailboxes()
		for _, rec := range p.pop.records {
			at, isNew := p.pop.created[rec.id]
			if !isNew || !settled[rec.id] || p.memory.knew(rec.id) || p.memory.fixed(rec.id) || p.stateOf(rec) == Unknown {
				continue
			}
			if !yield(at) {
				return
			}
		}
	}
}

// settledMailboxes are those of which something was verified, and nothing that counts
// is left.
func (r *Run) settledMailboxes() map[guid]bool {
	settled, left := map[guid]bool{}, map[guid]bool{}
	for c := range r.Changes() {
		id, ok := parseGUID(c.Subject.ID)
		switch {
		case !ok || c.Subject.Kind != audit.KindMailbox || c.Fate == FateExempt || c.Result == ResultNotNeeded:
		case c.Result == ResultVerified:
			settled[id] = true
		default:
			left[id] = true
		}
	}
	for id := range left {
		delete(settled, id)
	}
	return settled
}

// fixed tells whether a run of the last day verified a change of a mailbox.
func (m *Memory) fixed(id guid) bool {
	return m != nil && slices.ContainsFunc(m.fixes, func(f fixes) bool { return f.kind == audit.KindMailbox && f.has(id) })
}
