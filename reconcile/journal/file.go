package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// File is a journal in a file, for where no store lasts. Every method returns
// only after its entries are on disk. It is safe for concurrent use; one
// process at a time may have a file open, which the caller ensures.
type File struct {
	mu   sync.Mutex
	f    disk
	now  func() time.Time
	run  string
	head string
	seq  int64
	open int
	// broken is why nothing more can be recorded: after a write that failed
	// nobody knows what the file holds.
	broken error
}

// disk is what a journal needs of its file once it is open.
type disk interface {
	io.WriteCloser
	Sync() error
}

// Open opens a journal for appending, or creates it with mode 0600. It reads
// what is there: a broken chain is a *ChainError, since what follows a forged
// line would prove nothing. A last line that was cut off by a crash is taken
// out: an intent that was never whole on disk was never acted on, and an
// outcome that is lost leaves its intent open. Entries are stamped with run and
// now.
func Open(path, run string, now func() time.Time) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // The path is the user's own choice.
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s: a journal must be an ordinary file", path), err, f.Close())
	}
	j := &File{f: f, now: now, run: run}
	if err := j.resume(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return j, nil
}

func (j *File) resume(f *os.File) error {
	intents := map[writeKey]bool{}
	tail, err := Read(f, func(e Entry) error {
		switch {
		case e.Intent != nil:
			intents[writeKey{e.Run, e.Intent.Subject, e.Intent.Setting, e.Intent.Change}] = true
		case e.Outcome != nil:
			delete(intents, writeKey{e.Run, e.Outcome.Subject, e.Outcome.Setting, e.Outcome.Change})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if tail.Torn {
		if err := f.Truncate(tail.Size); err != nil {
			return fmt.Errorf("taking out a torn last line: %w", err)
		}
	}
	if _, err := f.Seek(tail.Size, io.SeekStart); err != nil {
		return fmt.Errorf("finding the end: %w", err)
	}
	j.head, j.seq, j.open = tail.Head, tail.Seq, len(intents)
	return nil
}

// Head is the hash of the last entry, empty for an empty journal. Noted
// elsewhere it proves later that nothing was cut off.
func (j *File) Head() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head
}

// writeKey tells the writes of a journal apart.
type writeKey struct {
	run     string
	subject Subject
	setting audit.Setting
	change  string
}

// OpenIntents is the number of writes of earlier runs of which the journal does
// not know the outcome: their run was killed, or lost its disk. Whether they
// were made is for a fresh look at the tenant to say.
func (j *File) OpenIntents() int { return j.open }

// Begin records the start of a run.
func (j *File) Begin(_ context.Context, b Begin) error {
	if b.Raised == nil {
		b.Raised = []Raised{}
	}
	return j.append(Entry{Kind: KindBegin, Begin: &b})
}

// Intend records writes that are about to be made.
func (j *File) Intend(_ context.Context, intents []Intent) error {
	entries := make([]Entry, len(intents))
	for i := range intents {
		entries[i] = Entry{Kind: KindIntent, Intent: &intents[i]}
	}
	return j.append(entries...)
}

// Conclude records what became of writes.
func (j *File) Conclude(_ context.Context, outcomes []Outcome) error {
	entries := make([]Entry, len(outcomes))
	for i := range outcomes {
		entries[i] = Entry{Kind: KindOutcome, Outcome: &outcomes[i]}
	}
	return j.append(entries...)
}

// End records that a run came to its end.
func (j *File) End(context.Context) error { return j.append(Entry{Kind: KindEnd}) }

// Close closes the file.
func (j *File) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.f.Close(); err != nil {
		return fmt.Errorf("closing the journal: %w", err)
	}
	return nil
}

// append writes entries in one piece and waits for the disk.
func (j *File) append(entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return j.broken
	}
	var buf bytes.Buffer
	head, seq := j.head, j.seq
	for _, e := range entries {
		seq++
		e.Seq, e.At, e.Run = seq, j.now().UTC(), j.run
		line, err := seal(head, e)
		if err != nil {
			return err
		}
		text, err := json.Marshal(line)
		if err != nil {
			return fmt.Errorf("encoding a journal line: %w", err)
		}
		buf.Write(text)
		buf.WriteByte('\n')
		head = line.Hash
	}
	_, err := j.f.Write(buf.Bytes())
	if err == nil {
		err = j.f.Sync()
	}
	if err != nil {
		j.broken = fmt.Errorf("writing the journal: %w", err)
		return j.broken
	}
	j.head, j.seq = head, seq
	return nil
}
