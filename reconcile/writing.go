package reconcile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// renewals is how often a lease is renewed within its time.
const renewals = 4

// keepLease renews the lease until Close.
func (w *Writing) keepLease(ctx context.Context) {
	if w.s.Store == nil {
		close(w.done)
		return
	}
	ctx, w.stop = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(w.done)
		for wait(ctx, store.LeaseTTL/renewals) {
			w.renew(ctx)
		}
	}()
}

// renew prolongs the lease once. One that was lost is not asked for again: another
// has it.
func (w *Writing) renew(ctx context.Context) {
	w.mu.Lock()
	lease, lost := w.lease, w.lost
	w.mu.Unlock()
	if lost != nil {
		return
	}
	next, err := w.s.Store.Renew(ctx, lease, store.LeaseTTL)
	w.mu.Lock()
	defer w.mu.Unlock()
	if gone, ok := errors.AsType[*store.LeaseLostError](err); ok {
		w.lost = gone
	}
	if err == nil {
		w.lease = next
	}
}

// permit tells why no further write may be begun; nil where one may.
func (w *Writing) permit() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.lost != nil:
		return w.lost
	case w.s.Store != nil && !w.lease.InForce(w.s.Now()):
		return fmt.Errorf("the lease of the tenant could not be renewed in time; it ends at %s", w.lease.Until.UTC().Format(time.RFC3339))
	}
	return nil
}

// open opens the journal, and closes what an earlier run left open in it.
func (w *Writing) open(ctx context.Context, runID string, file JournalFile, path string) error {
	var pending []journal.Entry
	if file != nil {
		var others []journal.Entry
		w.recorder, w.file = file, path
		if pending, others = file.OpenFor(w.s.TenantID); len(others) > 0 {
			w.Warnings = append(w.Warnings, counted(len(others), "write")+" of earlier runs on another tenant stay open in the journal; a run on that tenant looks for them")
		}
	} else {
		found, err := w.s.readJournal(ctx)
		if err != nil {
			return err
		}
		pending, w.Warnings = found.pending, found.warnings
		w.recorder = journal.NewBook(runID, w.s.Now, found.head.Hash, found.head.Seq, w.appender(found.head))
	}
	if len(pending) == 0 {
		return nil
	}
	recovered, warnings, err := recoverOpen(ctx, w.s, w.recorder, pending)
	w.Recovered, w.Warnings = recovered, append(w.Warnings, warnings...)
	return err
}

// appender puts lines behind the head in the store, under the lease.
func (w *Writing) appender(head store.Head) func(context.Context, []journal.Line) error {
	return func(ctx context.Context, lines []journal.Line) error {
		w.mu.Lock()
		lease := w.lease
		w.mu.Unlock()
		if err := w.s.Store.Append(ctx, lease, head, lines); err != nil {
			return err
		}
		head = store.Head{Seq: head.Seq + int64(len(lines)), Hash: lines[len(lines)-1].Hash}
		return nil
	}
}

// keep is Keep with a store.
func (w *Writing) keep(ctx context.Context, command string, r *Run, t Threshold, document func(io.Writer) error) error {
	var text bytes.Buffer
	if err := document(&text); err != nil {
		return fmt.Errorf("writing the run for the store: %w", err)
	}
	row := w.s.row(command, r.Plan, r.Verdict(t))
	row.StartedAt, row.FinishedAt = r.StartedAt, r.FinishedAt
	row.JournalHead, row.JournalFile, row.Document, row.Wrote = r.JournalHead, w.file, text.Bytes(), r.Wrote()
	return errors.Join(w.s.Store.SaveRun(ctx, row), w.remember(ctx, r.Plan.memory, r.Remember))
}

// memoryAttempts bounds how often what a run leaves is put on top of what others
// have kept meanwhile.
const memoryAttempts = 5

// remember keeps what a run leaves. A comparison without the lease may have kept
// something meanwhile; this run wrote, and knows better: it is put on top.
func (w *Writing) remember(ctx context.Context, m *Memory, next func(*Memory) *Memory) error {
	var err error
	for range memoryAttempts {
		if m == nil {
			if m, err = LoadMemory(ctx, w.s.Store, w.s.TenantID); err != nil {
				return err
			}
		}
		err = next(m).Save(ctx, w.s.Store, w.s.TenantID)
		if _, conflict := errors.AsType[*store.ConflictError](err); !conflict {
			return err
		}
		m = nil
	}
	return err
}

// forgetSweep forgets the last complete sweep before something is undone: should
// this process die meanwhile, nothing is taken to be in line on the word of a sweep
// that is not true any more.
func (w *Writing) forgetSweep(ctx context.Context) error {
	if w.s.Store == nil {
		return nil
	}
	return w.remember(context.WithoutCancel(ctx), nil, (*Memory).withoutSweep)
}
