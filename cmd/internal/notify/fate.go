package notify

import "sync/atomic"

// fate is what becomes of one event at all of its targets.
type fate struct {
	left  atomic.Int32 // targets that may still get it
	heard atomic.Bool  // by one of them at least
	lost  func()       // is called when nobody will hear it any more; may be nil
}

// settle notes what became of the event at one target.
func (f *fate) settle(heard bool) {
	if heard {
		f.heard.Store(true)
	}
	if f.left.Add(-1) == 0 && !f.heard.Load() && f.lost != nil {
		f.lost()
	}
}
