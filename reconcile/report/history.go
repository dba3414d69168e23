package report

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
)

// HistoryOptions say which part of past runs is written, and how.
type HistoryOptions struct {
	// Subject keeps the changes of one object only, by its name or id, and leaves
	// out the runs without any; empty keeps all.
	Subject string
	// Limit is the number of runs to write; 0 is all.
	Limit int
	// Changes adds each change to the text.
	Changes bool
	// Color repeats in colour what the words say.
	Color bool
}

// WriteHistory writes past runs as exoaudit/history/v1, in the order given: each as
// it was reported, where its report was kept, else as the journal tells it. One run
// at a time is held. It gives what a reader should know of the runs beside.
func WriteHistory(ctx context.Context, w io.Writer, h *reconcile.History, runs []reconcile.PastRun, o HistoryOptions) ([]string, error) {
	out := bufio.NewWriter(w)
	p, err := newPast(ctx, h, o)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "{\n\"schema\": %q,\n\"runs\": [", reconcile.HistorySchema)
	written := 0
	for _, r := range runs {
		if o.Limit > 0 && written >= o.Limit {
			break
		}
		text, kept, err := p.document(ctx, r)
		if err != nil {
			return p.notices, err
		}
		if o.Subject != "" && kept == 0 {
			continue
		}
		if written++; written > 1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(bytes.TrimSpace(text))
	}
	if written > 0 {
		out.WriteByte('\n')
	}
	out.WriteString("]}\n")
	return p.notices, out.Flush()
}

// WriteHistoryText writes past runs for people: a line for each, and with
// o.Changes or o.Subject a line for each change. It gives what a reader should know
// of the runs beside.
func WriteHistoryText(ctx context.Context, w io.Writer, h *reconcile.History, runs []reconcile.PastRun, o HistoryOptions) ([]string, error) {
	p, err := newPast(ctx, h, o)
	if err != nil {
		return nil, err
	}
	t := &textWriter{w: bufio.NewWriter(w), opts: TextOptions{Color: o.Color}}
	written := 0
	for _, r := range runs {
		if o.Limit > 0 && written >= o.Limit {
			break
		}
		if !o.Changes && o.Subject == "" {
			t.pastRun(r)
			written++
			continue
		}
		changes, err := p.changes(ctx, r)
		if err != nil {
			return p.notices, err
		}
		if o.Subject != "" && len(changes) == 0 {
			continue
		}
		t.pastRun(r)
		for _, c := range changes {
			t.pastChange(c)
		}
		written++
	}
	if written == 0 {
		t.line("No run is recorded.")
	}
	return p.notices, t.w.Flush()
}

// past reads runs of the past, one at a time.
type past struct {
	history *reconcile.History
	subject string
	ids     []string // under which the subject was written
	notices []string
}

func newPast(ctx context.Context, h *reconcile.History, o HistoryOptions) (*past, error) {
	p := &past{history: h, subject: o.Subject}
	var err error
	if o.Subject != "" {
		p.ids, err = h.Identities(ctx, o.Subject)
	}
	return p, err
}

// keeps tells whether the changes of an object are wanted.
func (p *past) keeps(s reconcile.Subject) bool {
	return p.subject == "" || strings.EqualFold(s.ID, p.subject) || strings.EqualFold(s.Name, p.subject) || slices.Contains(p.ids, s.ID)
}

// document gives a run as JSON, with the number of changes and unknown objects that
// are wanted of it.
func (p *past) document(ctx context.Context, r reconcile.PastRun) ([]byte, int, error) {
	stored, err := p.history.Document(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	if stored != nil {
		var out bytes.Buffer
		kept, err := copyRun(&out, stored, p.keeps)
		if err == nil {
			return out.Bytes(), kept, nil
		}
		p.noticeUnreadable(r)
	}
	changes, err := p.written(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	var out bytes.Buffer
	err = writeJSON(&out, rebuilt(r, changes))
	return out.Bytes(), len(changes), err
}

// written gives the writes of a run that are wanted, as the journal has them.
func (p *past) written(ctx context.Context, r reconcile.PastRun) ([]reconcile.PastChange, error) {
	changes, err := p.history.Changes(ctx, r)
	return slices.DeleteFunc(changes, func(c reconcile.PastChange) bool { return !p.keeps(c.Subject) }), err
}

func (p *past) noticeUnreadable(r reconcile.PastRun) {
	p.notices = append(p.notices, fmt.Sprintf("the report of run %s in the store is not readable; it is told as the journal has it", Line(r.ID)))
}

// changes gives the changes of a run that are wanted: what was planned and not done
// the report knows, when a write was begun the journal.
func (p *past) changes(ctx context.Context, r reconcile.PastRun) ([]reconcile.PastChange, error) {
	written, err := p.written(ctx, r)
	if err != nil {
		return nil, err
	}
	stored, err := p.history.Document(ctx, r)
	if err != nil || stored == nil {
		return written, err
	}
	reported, err := changesIn(stored, p.keeps)
	if err != nil {
		p.noticeUnreadable(r)
		return written, nil
	}
	at := map[string]time.Time{}
	for _, c := range written {
		at[c.ID] = c.At
	}
	for i := range reported {
		reported[i].At = at[reported[i].ID]
	}
	return reported, nil
}
