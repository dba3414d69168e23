package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// markName is the snapshot that says up to where the journal was checked.
const markName = "journal"

// markEvery is how many entries are checked again by each run before one of them
// moves the mark: a tick that writes nothing shall not cost a write for it.
const markEvery = 256

// mark is a place in the journal up to which the chain holds and no intent is
// open. It saves reading all of it at each run, and is believed in nothing else: that the
// journal holds the entry is looked at, and the intents behind it are read anew.
type mark struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// opened is the journal of a tenant as a run finds it.
type opened struct {
	head store.Head
	// pending are the intents that have no outcome.
	pending  []journal.Entry
	warnings []string
}

// readJournal reads the journal in the store: where it ends, and the intents that
// have no outcome. It goes on from where an earlier run found the chain whole; the whole of
// it is what verify checks. A chain that does not hold is an error that wraps
// *journal.ChainError: what follows a forged entry would prove nothing.
func (s *Session) readJournal(ctx context.Context) (opened, error) {
	snap, err := s.Store.Snapshot(ctx, s.TenantID, markName)
	if err != nil {
		return opened{}, fmt.Errorf("reading the journal in %s: %w", s.Store.Describe(), err)
	}
	var o opened
	at, why, err := s.placeOf(ctx, snap)
	if err != nil {
		return opened{}, fmt.Errorf("reading the journal in %s: %w", s.Store.Describe(), err)
	}
	if why != "" {
		o.warnings = append(o.warnings, why)
	}
	var open journal.Pending
	tail, err := journal.Follow(at, s.Store.Lines(ctx, s.TenantID, at.Seq), func(_ journal.Line, e journal.Entry) error {
		open.Take(e)
		return nil
	})
	if _, broken := errors.AsType[*journal.ChainError](err); broken {
		return opened{}, fmt.Errorf("the journal in %s does not hold together: %w; exoaudit verify says more, and nothing is written while it is so",
			s.Store.Describe(), err)
	}
	if err != nil {
		return opened{}, fmt.Errorf("reading the journal in %s: %w", s.Store.Describe(), err)
	}
	o.head, o.pending = store.Head{Seq: tail.Seq, Hash: tail.Head}, open.Open()
	if why != "" || tail.Seq-at.Seq >= markEvery {
		s.moveMark(ctx, snap, o)
	}
	return o, nil
}

// placeOf gives the place from which the journal is to be read: the mark, where the
// journal holds it, else the beginning. That it does not is worth a word: a tail was
// cut off, or somebody wrote into the store.
func (s *Session) placeOf(ctx context.Context, snap store.Snapshot) (at journal.Tail, why string, err error) {
	if snap.Version == 0 {
		return at, "", nil
	}
	var m mark
	if err := json.Unmarshal(snap.Data, &m); err != nil || m.Seq < 1 {
		return at, "the note about the journal in " + s.Store.Describe() + " is not readable, so all of it was checked", nil
	}
	line, found, err := firstLine(s.Store.Lines(ctx, s.TenantID, m.Seq-1))
	switch {
	case err != nil:
		return at, "", err
	case !found || line.Hash != m.Hash:
		return at, fmt.Sprintf("the journal in %s does not hold entry %d as an earlier run noted it: its end was cut off, or the note was changed; "+
			"all of it was checked, compare its head with one kept elsewhere (exoaudit verify --head)", s.Store.Describe(), m.Seq), nil
	}
	return journal.Tail{Head: m.Hash, Seq: m.Seq}, "", nil
}

func firstLine(lines iter.Seq2[store.Line, error]) (store.Line, bool, error) {
	for line, err := range lines {
		return line, err == nil, err
	}
	return store.Line{}, false, nil
}

// moveMark notes how far the journal was checked: up to its end, or to the entry
// before the first intent that is open. It saves work and nothing else, so a run
// does not end for want of it.
func (s *Session) moveMark(ctx context.Context, snap store.Snapshot, o opened) {
	m := mark{o.head.Seq, o.head.Hash}
	if len(o.pending) > 0 {
		m.Seq = o.pending[0].Seq - 1
		line, found, err := firstLine(s.Store.Lines(ctx, s.TenantID, m.Seq))
		if err != nil || !found {
			return
		}
		m.Hash = line.Prev
	}
	data, err := json.Marshal(m)
	if err != nil {
		return
	}
	_ = s.Store.PutSnapshots(ctx, s.TenantID, []store.Snapshot{{Name: markName, Version: snap.Version, Data: data}})
}
