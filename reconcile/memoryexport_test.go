package reconcile

import "time"

// Watermark lets tests see from when on the next incremental run looks.
func (m *Memory) Watermark() time.Time { return m.watermark }

// Open lets tests see how many mailboxes have open findings; -1 without a sweep.
func (m *Memory) Open() int {
	if m.sweep == nil {
		return -1
	}
	return len(m.sweep.open.records)
}

// Without gives the memory without its last sweep, as an undo leaves it.
func (m *Memory) Without() *Memory { return m.withoutSweep() }
