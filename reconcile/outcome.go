package reconcile

import "sync"

// outcome is what became of one change.
type outcome struct {
	result Result
	note   string
	// hidden marks a stored AuditEnabled that was accepted and that only the
	// filter can confirm; unchanged that the service said nothing was different.
	hidden, unchanged bool
	// lost marks a write that may not have been made, and is worth sending again
	// where a read shows that it is still needed.
	lost bool
}

// maxNotes bounds the notes that name single requests and so differ from
// mailbox to mailbox; beyond it a note points to the journal, which has all.
const maxNotes = 10_000

// seeJournal is the note of an outcome whose own was one too many.
const seeJournal = "see the journal"

// outcomeTable keeps the outcomes of the changes of all mailboxes in one byte
// each: the number of an outcome among the distinct ones.
type outcomeTable struct {
	mu       sync.Mutex
	stride   int
	codes    []uint8
	distinct []outcome
	// notes are those for which distinct has no room.
	notes map[int]string
}

// newOutcomeTable makes room for the mailboxes of a plan.
func newOutcomeTable(p *Plan) *outcomeTable {
	t := &outcomeTable{stride: 1, distinct: []outcome{{}}, notes: map[int]string{}}
	for _, f := range p.cases {
		t.stride = max(t.stride, len(f.changes))
	}
	t.codes = make([]uint8, t.stride*len(p.pop.records))
	return t
}

// set notes the outcome of one change of a mailbox.
func (t *outcomeTable) set(record, slot int, o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := record*t.stride + slot
	delete(t.notes, at)
	if code, ok := t.code(o); ok {
		t.codes[at] = code
		return
	}
	if len(t.notes) < maxNotes {
		t.notes[at] = o.note
	}
	o.note = seeJournal
	t.codes[at], _ = t.code(o)
}

// code numbers an outcome. Half of the numbers are kept for outcomes without a
// note of their own, of which there are few.
func (t *outcomeTable) code(o outcome) (uint8, bool) {
	for i, known := range t.distinct {
		if known == o {
			return uint8(i), true
		}
	}
	limit := 128
	if o.note == "" || o.note == seeJournal {
		limit = 256
	}
	if len(t.distinct) >= limit {
		return 0, false
	}
	t.distinct = append(t.distinct, o)
	return uint8(len(t.distinct) - 1), true //nolint:gosec // Below the limit.
}

// at gives the outcome of one change of a mailbox; a nil table has none.
func (t *outcomeTable) at(record, slot int) outcome {
	if t == nil {
		return outcome{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	at := record*t.stride + slot
	o := t.distinct[t.codes[at]]
	if note, ok := t.notes[at]; ok {
		o.note = note
	}
	return o
}

// hidden gives the changes that only the filter can confirm, as pairs of
// record and slot.
func (t *outcomeTable) hidden(yield func(record, slot int) bool) {
	if t == nil {
		return
	}
	for at, code := range t.codes {
		if t.distinct[code].hidden && !yield(at/t.stride, at%t.stride) {
			return
		}
	}
}
