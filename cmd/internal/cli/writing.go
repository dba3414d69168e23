package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// write locks the tenant, takes its lease, and opens the journal of a run: in the
// file at path, or where that is empty in the store. What an earlier run left open
// is closed by a look at the tenant, and said. The function gives all of it back.
func (c *comparing) write(ctx context.Context, runID, path string) (*reconcile.Writing, func(), error) {
	l, err := c.lockTenant(c.conn.tenant)
	if err != nil {
		return nil, nil, err
	}
	if l.place == "" {
		c.logger().WarnContext(ctx, "there is no state folder (no home folder is set), so the tenant is not locked on this host: "+
			"a run on this tenant with another journal or store is not held back")
	}
	c.session.Holder = holder(l.place)
	var file reconcile.JournalFile
	closeFile := func() {}
	if path != "" {
		f, err := l.openJournal(path, runID, c.env.Now)
		if err != nil {
			l.release()
			return nil, nil, err
		}
		file, closeFile = f, func() { _ = f.Close() } // every entry is on disk already
	}
	w, err := c.session.Begin(ctx, runID, file, path)
	if err != nil {
		closeFile()
		l.release()
		return nil, nil, cannotWrite(err)
	}
	c.sayJournal(ctx, path)
	c.sayRecovered(ctx, w)
	return w, func() {
		if err := w.Close(); err != nil {
			c.logger().WarnContext(ctx, "the lease of the tenant could not be given back: "+err.Error())
		}
		closeFile()
		l.release()
	}, nil
}

// cannotWrite says why a run may not write.
func cannotWrite(err error) error {
	if held, ok := errors.AsType[*store.LeaseHeldError](err); ok {
		return noReport("%w; wait for it to end", held)
	}
	if statusOf(err) == ExitNoReport {
		return noReport("nothing was written: %w", err)
	}
	return err
}

func (c *comparing) sayJournal(ctx context.Context, path string) {
	if path == "" {
		path = c.session.Store.Describe()
	}
	c.logger().InfoContext(ctx, "recording changes in "+path)
}

// planned gives the plan of a run that writes. What came up while the journal was
// opened is among its warnings; without a plan it is said here, and not lost.
func (c *comparing) planned(ctx context.Context, w *reconcile.Writing, p *reconcile.Plan, err error) (*reconcile.Plan, error) {
	if err != nil {
		for _, text := range w.Warnings {
			c.logger().WarnContext(ctx, text)
		}
	}
	return checked(p, err)
}

// sayRecovered says what became of writes whose run was killed.
func (c *comparing) sayRecovered(ctx context.Context, w *reconcile.Writing) {
	if len(w.Recovered) == 0 {
		return
	}
	byResult := map[string]int{}
	for _, o := range w.Recovered {
		byResult[o.Result]++
	}
	c.logger().WarnContext(ctx, fmt.Sprintf("%d writes of earlier runs had no recorded outcome; the tenant shows %d as made, %d as not made, %d cannot be told",
		len(w.Recovered), byResult[string(reconcile.ResultVerified)], byResult[string(reconcile.ResultFailed)], byResult[string(reconcile.ResultUnconfirmed)]))
}
