package evidence

import (
	"encoding/json"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// Journal is where the journal of the tenant is taken from.
type Journal struct {
	// Source says for people where it is kept.
	Source string
	// Lines are all of its lines, from the first on: a part of a chain proves nothing.
	Lines iter.Seq2[journal.Line, error]
	// Since is from when on entries are taken into the bundle, with all that follow.
	Since time.Time
}

// write writes the lines as a journal file has them, which is how they were sealed. A
// chain that does not hold ends them, and is said.
func (in *Journal) write(w io.Writer, m *ManifestJournal) error {
	if in == nil {
		return nil
	}
	*m = ManifestJournal{Kept: true, Source: report.Line(in.Source), Since: stamp(in.Since), Whole: true}
	begun := false
	tail, err := journal.Follow(journal.Tail{}, in.Lines, func(line journal.Line, e journal.Entry) error {
		if begun = begun || !e.At.Before(in.Since); !begun {
			m.PreviousSeq, m.PreviousHash = e.Seq, line.Hash
			return nil
		}
		m.Entries++
		text, err := json.Marshal(line)
		if err == nil {
			_, err = w.Write(append(text, '\n'))
		}
		return err
	})
	m.HeadSeq, m.HeadHash = tail.Seq, tail.Head
	if broken, ok := errors.AsType[*journal.ChainError](err); ok {
		m.Whole, m.Why = false, broken.Error()
		return nil
	}
	return err
}
