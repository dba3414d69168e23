package reconcile

import (
	"fmt"
	"maps"
	"time"
)

// delegatesEvery is how long an answer on Full Access is taken for the truth. A
// change of permissions need not show on the mailbox, so that nothing but asking
// again finds it (design section 3: cached with its own interval).
const delegatesEvery = 24 * time.Hour

// delegatesOverlap is how long before an answer a change of the mailbox still
// makes it doubtful: the clocks are two, and answers lag behind.
const delegatesOverlap = 10 * time.Minute

// recall answers from memory what is asked about Full Access, where the answer is
// young enough and the mailbox is not known to have changed since.
func (s settlement) recall(known []delegated) {
	if s.memory == nil {
		return
	}
	n := 0
	for i, c := range s.pop.candidates {
		if known[i] != delegatedAsk || !s.ordinary(c) {
			continue
		}
		fact, found := s.memory.delegates[s.pop.records[c.record].id]
		if !found || !fact.current(s.now()) || fact.doubtful(c.changed) {
			continue
		}
		n++
		known[i] = delegatedNo
		if fact.has {
			known[i] = delegatedYes
		}
	}
	if n > 0 {
		s.obs.delegateCost = append(s.obs.delegateCost, Cost{
			For: "hasDelegates", Why: fmt.Sprintf("full access to %s is known from earlier runs, of the last %d hours", countMailboxes(n), int(delegatesEvery.Hours())),
		})
	}
}

// current tells whether a fact is young enough. One of the future is not.
func (f delegateFact) current(now time.Time) bool {
	age := now.Sub(time.Unix(f.at, 0))
	return age >= 0 && age < delegatesEvery
}

// doubtful tells whether the mailbox changed since the fact was read; the zero time
// says nothing.
func (f delegateFact) doubtful(changed time.Time) bool {
	return changed.After(time.Unix(f.at, 0).Add(-delegatesOverlap))
}

// learnt keeps the answers that were read whole, by the time at which they were
// asked for.
func (s settlement) learnt(asked, answers []delegated, at time.Time) {
	s.obs.delegates = map[guid]delegateFact{}
	for i, c := range s.pop.candidates {
		if asked[i] == delegatedAsk && (answers[i] == delegatedYes || answers[i] == delegatedNo) {
			s.obs.delegates[s.pop.records[c.record].id] = delegateFact{at: at.Unix(), has: answers[i] == delegatedYes}
		}
	}
}

// knownDelegates gives what is known of Full Access after a run: what it read, and
// what is young enough of before.
func (p *Plan) knownDelegates(old map[guid]delegateFact) map[guid]delegateFact {
	out := maps.Clone(old)
	if out == nil {
		out = map[guid]delegateFact{}
	}
	maps.DeleteFunc(out, func(_ guid, f delegateFact) bool { return !f.current(p.CreatedAt) })
	maps.Copy(out, p.lasting.delegates)
	return out
}
