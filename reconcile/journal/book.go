package journal

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Book seals the entries of one run and hands them on in order, wherever the
// journal is kept. Every method returns only after its entries are durable. It is
// safe for concurrent use.
type Book struct {
	mu   sync.Mutex
	now  func() time.Time
	run  string
	head string
	seq  int64
	keep func(ctx context.Context, lines []Line) error
	// broken is why nothing more can be recorded: after a write that failed
	// nobody knows what the journal holds.
	broken error
}

// NewBook goes on with a journal that ends with the line of number seq and hash
// head. Entries are stamped with run and now. Keep makes lines durable, all of
// them or none.
func NewBook(run string, now func() time.Time, head string, seq int64, keep func(ctx context.Context, lines []Line) error) *Book {
	return &Book{run: run, now: now, head: head, seq: seq, keep: keep}
}

// Head is the hash of the last entry, empty for an empty journal. Noted
// elsewhere it proves later that nothing was cut off.
func (b *Book) Head() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.head
}

// Begin records the start of a run.
func (b *Book) Begin(ctx context.Context, begin Begin) error {
	if begin.Raised == nil {
		begin.Raised = []Raised{}
	}
	return b.append(ctx, Entry{Kind: KindBegin, Begin: &begin})
}

// Intend records writes that are about to be made.
func (b *Book) Intend(ctx context.Context, intents []Intent) error {
	entries := make([]Entry, len(intents))
	for i := range intents {
		entries[i] = Entry{Kind: KindIntent, Intent: &intents[i]}
	}
	return b.append(ctx, entries...)
}

// Conclude records what became of writes.
func (b *Book) Conclude(ctx context.Context, outcomes []Outcome) error {
	entries := make([]Entry, len(outcomes))
	for i := range outcomes {
		entries[i] = Entry{Kind: KindOutcome, Outcome: &outcomes[i]}
	}
	return b.append(ctx, entries...)
}

// End records that a run came to its end.
func (b *Book) End(ctx context.Context) error { return b.append(ctx, Entry{Kind: KindEnd}) }

// append seals entries and has them kept.
func (b *Book) append(ctx context.Context, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil {
		return b.broken
	}
	lines := make([]Line, len(entries))
	head, seq := b.head, b.seq
	for i, e := range entries {
		seq++
		e.Seq, e.At, e.Run = seq, b.now().UTC(), b.run
		line, err := seal(head, e)
		if err != nil {
			return err
		}
		lines[i], head = line, line.Hash
	}
	if err := b.keep(ctx, lines); err != nil {
		b.broken = fmt.Errorf("writing the journal: %w", err)
		return b.broken
	}
	b.head, b.seq = head, seq
	return nil
}
