package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// File is a journal in a file, for where no store lasts. Every method returns
// only after its entries are on disk. It is safe for concurrent use; one
// process at a time may have a file open, which the caller ensures.
type File struct {
	*Book
	f    disk
	open Pending
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
	j := &File{f: f}
	if err := j.resume(f, run, now); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return j, nil
}

func (j *File) resume(f *os.File, run string, now func() time.Time) error {
	tail, err := Read(f, func(e Entry) error {
		j.open.Take(e)
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
	j.Book = NewBook(run, now, tail.Head, tail.Seq, j.write)
	return nil
}

// Open gives the intents of earlier runs of which the journal does not know the
// outcome, in their order: their run was killed, or lost its disk. Whether they
// were made is for a fresh look at the tenant to say.
func (j *File) Open() []Entry { return j.open.Open() }

// OpenFor parts them as [Pending.OpenFor] does.
func (j *File) OpenFor(tenant string) (own, others []Entry) { return j.open.OpenFor(tenant) }

// Close closes the file.
func (j *File) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.f.Close(); err != nil {
		return fmt.Errorf("closing the journal: %w", err)
	}
	return nil
}

// write appends lines in one piece and waits for the disk.
func (j *File) write(_ context.Context, lines []Line) error {
	var buf bytes.Buffer
	for _, line := range lines {
		text, err := json.Marshal(line)
		if err != nil {
			return fmt.Errorf("encoding a journal line: %w", err)
		}
		buf.Write(text)
		buf.WriteByte('\n')
	}
	if _, err := j.f.Write(buf.Bytes()); err != nil {
		return err
	}
	return j.f.Sync()
}
