package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/report"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// lastRun names the newest run that wrote.
const lastRun = "last"

// maxJournal bounds the size of a journal file: a line has some kilobytes, and
// nobody undoes a run from among a hundred million.
const maxJournal = 1 << 36

// newestShown is how many runs are named where the one that is meant is not there.
const newestShown = 5

// pastRun is a run as the journal has it.
type pastRun struct {
	id, tenant string
	at         time.Time
	// wrote tells a run that wrote anything, retention one that wrote a retention policy.
	wrote, retention bool
	entries          []journal.Entry
}

// walk goes through the journal that the run is read from, and checks its chain.
func (r *undoRun) walk(ctx context.Context, c *comparing, each func(journal.Entry)) error {
	if r.flags.from == "" {
		return follow(c.session.Store.Lines(ctx, c.conn.tenant, 0), c.session.Store.Describe(), each)
	}
	f, err := openInput(r.flags.from, maxJournal, 0)
	if err != nil {
		return fileProblem("--from", err)
	}
	return errors.Join(follow(journal.Lines(f), r.flags.from, each), f.Close())
}

func follow(lines iter.Seq2[journal.Line, error], where string, each func(journal.Entry)) error {
	_, err := journal.Follow(journal.Tail{}, lines, func(_ journal.Line, e journal.Entry) error {
		each(e)
		return nil
	})
	if err != nil {
		return noReport("the journal in %s cannot be relied on: %w", report.Line(where), err)
	}
	return nil
}

// find reads which run is meant.
func (r *undoRun) find(ctx context.Context, c *comparing, text string) (*pastRun, error) {
	var runs []*pastRun
	byID := map[string]*pastRun{}
	if err := r.walk(ctx, c, func(e journal.Entry) {
		switch {
		case e.Begin != nil && byID[e.Run] == nil:
			p := &pastRun{id: e.Run, tenant: e.Begin.Tenant, at: e.At}
			runs, byID[e.Run] = append(runs, p), p
		case e.Intent != nil && byID[e.Run] != nil:
			p := byID[e.Run]
			p.wrote, p.retention = true, p.retention || reconcile.OnRetention(*e.Intent)
		}
	}); err != nil {
		return nil, err
	}
	if text == lastRun {
		for _, p := range slices.Backward(runs) {
			if p.wrote {
				return p, nil
			}
		}
		return nil, invalid("no run in the journal has written anything")
	}
	if p := byID[text]; p != nil {
		return p, nil
	}
	var found []*pastRun
	for _, p := range runs {
		if strings.HasPrefix(p.id, text) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return r.elsewhere(ctx, c, text, runs)
	default:
		return nil, invalid("%s is the beginning of several runs: %s", report.Line(text), named(found))
	}
}

// elsewhere looks for a run that is not in the journal: one that kept its record in a
// file, or wrote nothing.
func (r *undoRun) elsewhere(ctx context.Context, c *comparing, text string, runs []*pastRun) (*pastRun, error) {
	if r.flags.from == "" {
		rows, err := c.session.Store.Runs(ctx, c.conn.tenant, store.RunQuery{ID: text, Limit: 2})
		switch {
		case err != nil:
			return nil, noReport("the runs in %s cannot be read: %w", c.session.Store.Describe(), err)
		case len(rows) == 1 && rows[0].JournalFile != "":
			return nil, invalid("run %s kept its record in %s; give --from FILE", rows[0].ID, report.Line(rows[0].JournalFile))
		case len(rows) == 1:
			return &pastRun{id: rows[0].ID, tenant: c.conn.tenant}, nil
		case len(rows) > 1:
			return nil, invalid("%s is the beginning of several runs; give more of it", report.Line(text))
		}
	}
	runs = slices.DeleteFunc(runs, func(p *pastRun) bool { return !p.wrote })
	if len(runs) == 0 {
		return nil, invalid("there is no run %s, and none in the journal has written anything", report.Line(text))
	}
	return nil, invalid("there is no run %s; the newest that wrote are %s", report.Line(text), named(runs))
}

// named lists the newest runs, with when they began.
func named(runs []*pastRun) string {
	var out []string
	for _, p := range slices.Backward(runs) {
		if len(out) == newestShown {
			break
		}
		out = append(out, fmt.Sprintf("%s (%s)", report.Line(p.id), p.at.UTC().Format(time.RFC3339)))
	}
	return strings.Join(out, ", ")
}

// entries reads what the journal has of a run, and what later runs recorded of its
// writes.
func (r *undoRun) entries(ctx context.Context, c *comparing, run string) ([]journal.Entry, error) {
	var out []journal.Entry
	err := r.walk(ctx, c, func(e journal.Entry) {
		if e.Run == run || e.Outcome != nil && e.Outcome.Of == run {
			out = append(out, e)
		}
	})
	return out, err
}
