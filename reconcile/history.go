package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// HistorySchema names the form of a list of past runs.
const HistorySchema = "exoaudit/history/v1"

// HistoryQuery selects runs of the past. Zero fields select all that wrote.
type HistoryQuery struct {
	// Run is the id of a run, or the beginning of one.
	Run string
	// Since and Until bound when a run started; Until itself is left out.
	Since, Until time.Time
	// All adds the runs that only compared.
	All bool
}

// PastRun is one run of the past: the row that it left, or where it was killed
// before it left one, what the journal tells of it.
type PastRun struct {
	store.Run
	// Journaled tells that the journal at hand holds its beginning.
	Journaled bool
	// Ended tells that it came to its end.
	Ended bool
	// Results counts the writes that the journal at hand holds by what became of
	// them; one without outcome is unconfirmed.
	Results map[Result]int
}

// History is what is known of the runs on one tenant: the rows of a store, and a
// journal. The journal was gone through once, and of each run only numbers are held.
type History struct {
	store  store.Store // nil where the journal is a file
	tenant string
	lines  func(ctx context.Context, after int64) iter.Seq2[journal.Line, error]
	traced map[string]*traced
	// Broken is the *journal.ChainError of a journal that does not hold together,
	// nil where it does. What stands behind that place is not told.
	Broken error
}

// OpenHistory reads what a store has of a tenant.
func OpenHistory(ctx context.Context, st store.Store, tenant string) (*History, error) {
	h := &History{store: st, tenant: tenant, traced: map[string]*traced{}}
	h.lines = func(ctx context.Context, after int64) iter.Seq2[journal.Line, error] {
		return st.Lines(ctx, tenant, after)
	}
	if err := h.trace(ctx); err != nil {
		return nil, fmt.Errorf("reading the journal in %s: %w", st.Describe(), err)
	}
	return h, nil
}

// FileHistory reads the journal of a file. It is read again from its start for
// each run whose changes are asked for.
func FileHistory(ctx context.Context, f io.ReadSeeker) (*History, error) {
	h := &History{traced: map[string]*traced{}}
	h.lines = func(_ context.Context, after int64) iter.Seq2[journal.Line, error] {
		return func(yield func(journal.Line, error) bool) {
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				yield(journal.Line{}, fmt.Errorf("reading the journal: %w", err))
				return
			}
			n := int64(0)
			for line, err := range journal.Lines(f) {
				if n++; (err != nil || n > after) && !yield(line, err) {
					return
				}
			}
		}
	}
	return h, h.trace(ctx)
}

// trace goes through the journal once.
func (h *History) trace(ctx context.Context) error {
	_, err := journal.Follow(journal.Tail{}, h.lines(ctx, 0), func(line journal.Line, e journal.Entry) error {
		h.take(line, e)
		return context.Cause(ctx)
	})
	if _, broken := errors.AsType[*journal.ChainError](err); broken {
		h.Broken = err
		return nil
	}
	return err
}

// take notes one entry. The outcome of a write may stand in a later run.
func (h *History) take(line journal.Line, e journal.Entry) {
	run := e.Run
	if e.Outcome != nil && e.Outcome.Of != "" {
		run = e.Outcome.Of
	}
	t := h.traced[run]
	if t == nil {
		if e.Outcome != nil {
			return // of a run that began before this journal
		}
		t = &traced{before: journal.Tail{Head: line.Prev, Seq: e.Seq - 1}, started: e.At, results: map[Result]int{}, live: map[string]Result{}}
		h.traced[run] = t
	}
	t.last = e.Seq
	t.take(line, e)
}

// traced is what the journal tells of one run.
type traced struct {
	begin journal.Begin
	// before is the place before its first entry, and last the number of the last
	// one that is about it.
	before            journal.Tail
	last              int64
	started, finished time.Time
	head              string
	ended             bool
	results           map[Result]int
	// live are the writes of a run that has not ended, and those that it left open.
	live map[string]Result
}

func (t *traced) take(line journal.Line, e journal.Entry) {
	switch e.Kind {
	case journal.KindBegin:
		t.begin, t.started = *e.Begin, e.At
	case journal.KindIntent:
		t.live[writeOf(e.Intent.Subject, string(e.Intent.Setting), e.Intent.Change)] = ResultNone
	case journal.KindOutcome:
		if key := writeOf(e.Outcome.Subject, string(e.Outcome.Setting), e.Outcome.Change); t.knows(key) {
			t.live[key] = Result(e.Outcome.Result)
		}
		if e.Outcome.Of != "" {
			return // a later run has written it
		}
	case journal.KindEnd:
		t.ended, t.finished = true, e.At
		for key, result := range t.live {
			if result != ResultNone {
				t.results[result]++
				delete(t.live, key)
			}
		}
	}
	t.head = line.Hash
}

func (t *traced) knows(key string) bool {
	_, ok := t.live[key]
	return ok
}

// writeOf tells the writes of one run apart.
func writeOf(s journal.Subject, setting, change string) string {
	return strings.Join([]string{string(s.Kind), s.ID, setting, change}, "\x1f")
}

// counts are the writes of the run by what became of them.
func (t *traced) counts() map[Result]int {
	out := maps.Clone(t.results)
	for _, r := range t.live {
		if r == ResultNone {
			r = ResultUnconfirmed
		}
		out[r]++
	}
	return out
}

// Runs gives the runs that a query selects, the newest start first.
func (h *History) Runs(ctx context.Context, q HistoryQuery) ([]PastRun, error) {
	var rows []store.Run
	if h.store != nil {
		var err error
		if rows, err = h.store.Runs(ctx, h.tenant, store.RunQuery{ID: q.Run}); err != nil {
			return nil, fmt.Errorf("reading the runs in %s: %w", h.store.Describe(), err)
		}
	}
	var out []PastRun
	kept := map[string]bool{}
	for _, row := range rows {
		kept[row.ID] = true
		out = append(out, h.past(row))
	}
	for id := range h.traced {
		if !kept[id] {
			out = append(out, h.past(store.Run{ID: id}))
		}
	}
	out = slices.DeleteFunc(out, func(r PastRun) bool { return !q.selects(r) })
	slices.SortFunc(out, func(a, b PastRun) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

func (q HistoryQuery) selects(r PastRun) bool {
	wrote := r.Journaled || r.JournalHead != "" || r.JournalFile != ""
	return strings.HasPrefix(r.ID, q.Run) && (q.All || wrote) && !r.StartedAt.Before(q.Since) &&
		(q.Until.IsZero() || r.StartedAt.Before(q.Until))
}

// past completes a row by what the journal tells. Of a run that left no row the
// journal is all there is: what it read is not known, so its verdict is incomplete.
func (h *History) past(row store.Run) PastRun {
	r := PastRun{Run: row, Ended: true, Results: map[Result]int{}}
	t := h.traced[row.ID]
	if t == nil {
		return r
	}
	r.Journaled, r.Results = true, t.counts()
	if row.StartedAt.IsZero() {
		r.Run = store.Run{
			ID: row.ID, Tenant: t.begin.Tenant, StartedAt: t.started, FinishedAt: t.finished, Verdict: string(VerdictIncomplete),
			Tool: t.begin.Tool, PolicyName: t.begin.PolicyName, PolicyDigest: t.begin.PolicyDigest, JournalHead: t.head,
		}
		r.Ended = t.ended
		for _, n := range r.Results {
			r.Wrote += n
		}
	}
	return r
}

// Document gives the run as it was reported (exoaudit/run/v1); nil where no report
// of it was kept.
func (h *History) Document(ctx context.Context, r PastRun) ([]byte, error) {
	if h.store == nil {
		return nil, nil
	}
	text, err := h.store.Document(ctx, h.tenant, r.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the report of run %s: %w", r.ID, err)
	}
	return text, nil
}

// Identities gives the ids of the objects that were once written under a name, in
// any case, sorted: a mailbox whose address has changed has the same Guid.
func (h *History) Identities(ctx context.Context, name string) ([]string, error) {
	found := map[string]bool{}
	_, err := journal.Follow(journal.Tail{}, h.lines(ctx, 0), func(_ journal.Line, e journal.Entry) error {
		if e.Intent != nil && strings.EqualFold(e.Intent.Subject.Name, name) {
			found[e.Intent.Subject.ID] = true
		}
		return context.Cause(ctx)
	})
	if _, broken := errors.AsType[*journal.ChainError](err); err != nil && !broken {
		return nil, err
	}
	return slices.Sorted(maps.Keys(found)), nil
}
