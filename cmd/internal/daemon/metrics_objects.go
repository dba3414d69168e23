package daemon

import (
	"github.com/exoaudit/exoaudit/reconcile"
)

// statesAfter counts the objects of each kind by state as a run left them: by the
// plan, with those moved that the writing changed.
func statesAfter(e Ended) map[string]map[reconcile.State]int {
	out := map[string]map[reconcile.State]int{}
	for kind, c := range e.Plan.Summary().States {
		out[string(kind)] = map[reconcile.State]int{
			reconcile.InSync: c.InSync, reconcile.Drifted: c.Drifted, reconcile.Exempt: c.Exempt,
			reconcile.NotApplicable: c.NotApplicable, reconcile.Unknown: c.Unknown,
		}
	}
	if e.Run == nil {
		return out
	}
	unknown := unjudged(e.Plan)
	var object settling
	for c := range e.Run.Changes() {
		if id := (objectID{string(c.Subject.Kind), c.Subject.ID}); id != object.id {
			object.settle(out)
			_, blind := unknown[id]
			object = settling{id: id, blind: blind}
		}
		object.add(c)
	}
	object.settle(out)
	return out
}

// objectID names an object by its kind and id, never by its name.
type objectID struct{ kind, id string }

// unjudged are the objects that the plan could not judge: what is written to them
// does not make them known.
func unjudged(p *reconcile.Plan) map[objectID]struct{} {
	out := map[objectID]struct{}{}
	for u := range p.Unknown() {
		out[objectID{string(u.Subject.Kind), u.Subject.ID}] = struct{}{}
	}
	return out
}

// settling gathers the changes of one object, which stand side by side in a run.
type settling struct {
	id objectID
	// drifts says that there was a difference that the policy does not accept, left
	// that one of them is still there, waits that nobody knows yet.
	drifts, left, waits, exempt bool
	// blind is an object that the plan could not judge.
	blind bool
}

func (s *settling) add(c reconcile.Change) {
	if c.Fate == reconcile.FateExempt {
		s.exempt = true
		return
	}
	s.drifts = true
	switch c.Result {
	case reconcile.ResultVerified, reconcile.ResultNotNeeded:
	case reconcile.ResultUnconfirmed:
		s.waits = true
	default:
		s.left = true
	}
}

// settle moves the object from drifted to what it is after the writing.
func (s *settling) settle(counts map[string]map[reconcile.State]int) {
	if s.blind || !s.drifts || s.left && !s.waits {
		return
	}
	states, ok := counts[s.id.kind]
	if !ok || states[reconcile.Drifted] == 0 {
		return
	}
	states[reconcile.Drifted]--
	switch {
	case s.waits:
		states[reconcile.Unknown]++
	case s.exempt:
		states[reconcile.Exempt]++
	default:
		states[reconcile.InSync]++
	}
}
