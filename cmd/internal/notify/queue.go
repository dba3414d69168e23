package notify

import (
	"slices"
	"sync"
)

// maxQueued is how many events wait for one target.
const maxQueued = 64

// queue holds the events that one target has not had, oldest first. What is in the
// hands of the worker is not in it.
type queue struct {
	mu     sync.Mutex
	events []Event
	closed bool
	// wake has room for one, so that putting never waits.
	wake chan struct{}
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// put adds an event, and gives the one that had to make room or was merged with it:
// merged tells which. Nothing is added to a queue that is closed; the event itself is
// then what was lost.
func (q *queue) put(e Event) (lost *Event, merged bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.signal()
	if q.closed {
		return &e, false
	}
	if i := slices.IndexFunc(q.events, func(old Event) bool { return merges(old, e) }); i >= 0 {
		old := q.events[i]
		q.events = append(slices.Delete(q.events, i, i+1), merge(old, e))
		return &old, true
	}
	if len(q.events) >= maxQueued {
		i := max(0, slices.IndexFunc(q.events, func(old Event) bool { return !standing(old.Kind) }))
		old := q.events[i]
		q.events = slices.Delete(q.events, i, i+1)
		lost = &old
	}
	q.events = append(q.events, e)
	return lost, false
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take gives the oldest event; done tells that there will be no more.
func (q *queue) take() (e Event, ok, done bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.events) == 0 {
		return Event{}, false, q.closed
	}
	e = q.events[0]
	q.events = slices.Delete(q.events, 0, 1)
	return e, true, false
}

// close lets no further event in.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// standing tells whether events of a kind say how a tenant stands: the latest of them
// says all, and it must not be lost.
func standing(k EventKind) bool { return k == EventStateChanged || k == EventStillDrifting }

// merges tells whether an event can stand for an older one too.
func merges(old, e Event) bool {
	return old.Tenant == e.Tenant &&
		(standing(old.Kind) && standing(e.Kind) || e.Kind == EventHeartbeat && old.Kind == EventHeartbeat)
}

// merge gives the newer event as one that began where the older did. Where a receiver
// hears of a change only now, it is a change to it.
func merge(old, e Event) Event {
	if old.Kind == EventStateChanged {
		e.Kind = EventStateChanged
		e.VerdictBefore, e.DriftingBefore = old.VerdictBefore, old.DriftingBefore
		e.Text = e.line()
	}
	return e
}
