package simulator

import (
	"sync"
	"time"
)

// history keeps what reads may still see of objects that were written to.
type history struct {
	mu   sync.Mutex
	past map[string][]version
	// before holds what objects were before the newest write to them; order is a ring of
	// its keys, which begins at oldest once it is full.
	before map[string]any
	order  []string
	oldest int
}

type version struct {
	until time.Time
	was   any
}

// rememberMost bounds how many objects a stale read knows from before; it is more than are
// written between a write and its reading back.
const rememberMost = 4096

// remember notes what an object was before a write.
func (h *history) remember(key string, was any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.before == nil {
		h.before = map[string]any{}
	}
	if _, known := h.before[key]; !known {
		if len(h.order) < rememberMost {
			h.order = append(h.order, key)
		} else {
			delete(h.before, h.order[h.oldest])
			h.order[h.oldest] = key
			h.oldest = (h.oldest + 1) % rememberMost
		}
	}
	h.before[key] = was
}

func (h *history) keep(key string, was any, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.past == nil {
		h.past = map[string][]version{}
	}
	h.past[key] = append(h.past[key], version{until, was})
}

// seen returns the object as a call sees it: what it was before the first write that has
// not come through yet, else what it is. A stale read sees it as before its newest write.
func seen[T any](c *call, key string, is T) T {
	h := &c.s.history
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.fired.has(DoStaleRead) {
		if was, ok := h.before[key].(T); ok {
			return was
		}
	}
	versions, ok := h.past[key]
	if !ok {
		return is
	}
	for len(versions) > 0 && !c.now.Before(versions[0].until) {
		versions = versions[1:]
	}
	if len(versions) == 0 {
		delete(h.past, key)
		return is
	}
	h.past[key] = versions
	if was, ok := versions[0].was.(T); ok {
		return was
	}
	return is
}
