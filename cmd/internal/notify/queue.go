package notify

import (
	"slices"
	"sync"
	"time"
)

// maxQueued is how many events wait for one target, beside the one in the hands of its
// worker.
const maxQueued = 64

// item is an event on its way to one target.
type item struct {
	event Event
	// fates are those of the event and of the older ones for which it stands.
	fates []*fate
	put   time.Time
	// failed counts the attempts so far; the next is not made before due.
	failed int
	due    time.Time
}

// queue holds the events that one target has not had, oldest first. What is in the
// hands of the worker is not in it.
type queue struct {
	mu     sync.Mutex
	items  []item
	held   time.Time // until when the target asked to be left alone
	closed bool
	// wake has room for one, so that putting never waits.
	wake chan struct{}
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// put adds an event, and gives the one that had to make room. It tells whether the
// event was merged with an older one. Nothing is added to a queue that is closed; the
// event itself is then what was lost.
func (q *queue) put(it item) (lost *item, merged bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.signal()
	if q.closed {
		return &it, false
	}
	if i := slices.IndexFunc(q.items, func(old item) bool { return merges(old.event, it.event) }); i >= 0 {
		old := q.items[i]
		q.items = append(slices.Delete(q.items, i, i+1), merge(old, it))
		return nil, true
	}
	if len(q.items) >= maxQueued {
		i := max(0, slices.IndexFunc(q.items, func(old item) bool { return !standing(old.event.Kind) }))
		old := q.items[i]
		q.items = slices.Delete(q.items, i, i+1)
		lost = &old
	}
	q.items = append(q.items, it)
	return lost, false
}

// hold leaves the target alone until a time.
func (q *queue) hold(until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if until.After(q.held) {
		q.held = until
	}
}

// again puts back what could not be delivered. It tells whether a newer event stands
// for it: to hear of the older one after that would mislead.
func (q *queue) again(it item) (merged bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.IndexFunc(q.items, func(newer item) bool { return merges(it.event, newer.event) }); i >= 0 {
		q.items[i] = merge(it, q.items[i])
		return true
	}
	q.items = slices.Insert(q.items, 0, it)
	return false
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take gives the oldest event that is due, so that one which its receiver cannot take
// does not keep back those behind it. Of a queue that is closed each is due. Where there
// is none, wait is how long that stays so, below zero until something is put; done
// tells that there will be no more.
func (q *queue) take(now time.Time) (it item, ok bool, wait time.Duration, done bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	wait = -1
	for i, it := range q.items {
		due := it.due
		if q.held.After(due) {
			due = q.held
		}
		left := due.Sub(now)
		if left <= 0 || q.closed {
			q.items = slices.Delete(q.items, i, i+1)
			return it, true, 0, false
		}
		if wait < 0 || left < wait {
			wait = left
		}
	}
	return item{}, false, wait, q.closed
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
func merge(old, it item) item {
	it.event.others = it.event.others || old.event.others
	it.fates = slices.Concat(old.fates, it.fates)
	if e := &it.event; old.event.Kind == EventStateChanged {
		e.Kind = EventStateChanged
		e.VerdictBefore, e.DriftingBefore = old.event.VerdictBefore, old.event.DriftingBefore
		e.Text = e.line()
	}
	return it
}
