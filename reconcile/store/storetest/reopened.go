package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

// Reopener opens the store at a place, a folder; what was kept there before is in
// it. Several may be open at one place.
type Reopener func(t *testing.T, place string, now func() time.Time) store.Store

// RunReopened holds a store to what is to be left when it is closed, and to what
// two that are open at one place see of each other.
func RunReopened(t *testing.T, open Reopener) {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC) }
	t.Run("what was kept is there again", func(t *testing.T) {
		t.Parallel()
		place := t.TempDir()
		s := open(t, place, now)
		l := acquire(t, s, ours, "a")
		lines := Chain(store.Head{}, 4, "x")
		head := add(t, s, l, store.Head{}, lines)
		run := aRun("r", now())
		run.Document = []byte("document")
		save(t, s, run)
		putAll(t, s, store.Snapshot{Name: "sweep", Data: []byte("data")})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}

		s = open(t, place, now)
		defer func() { _ = s.Close() }()
		wantHead(t, s, ours, head)
		if got := Read(t, s, ours, store.Head{}); !sameLines(got, lines) {
			t.Errorf("the lines are\n%q", got)
		}
		wantHolding(t, s, ours, l)
		wantSnapshot(t, s, ours, "sweep", 1, "data")
		if got := document(t, s, "r"); string(got) != "document" {
			t.Errorf("the document is %q", got)
		}
		head = add(t, s, l, head, Chain(head, 1, "y"))
		wantHead(t, s, ours, head)
	})
	t.Run("two see each other", func(t *testing.T) {
		t.Parallel()
		place := t.TempDir()
		one, two := open(t, place, now), open(t, place, now)
		defer func() { _ = two.Close() }()
		l := acquire(t, one, ours, "a")
		wantHeld(t, two, "b", l)
		head := add(t, one, l, store.Head{}, Chain(store.Head{}, 2, "x"))
		wantHead(t, two, ours, head)
		head = add(t, two, l, head, Chain(head, 2, "y"))
		wantHead(t, one, ours, head)
		if err := one.Close(); err != nil {
			t.Fatal(err)
		}
		head = add(t, two, l, head, Chain(head, 1, "z"))
		wantHead(t, two, ours, head)
	})
	t.Run("many open a new one at once", func(t *testing.T) {
		t.Parallel()
		place := t.TempDir()
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				s := open(t, place, now)
				defer func() { _ = s.Close() }()
				run := aRun(fmt.Sprint("run ", i), now())
				if err := s.SaveRun(t.Context(), run); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s := open(t, place, now)
		defer func() { _ = s.Close() }()
		if got := listed(t, s, store.RunQuery{}); len(got) != 6 {
			t.Errorf("%d runs of 6", len(got))
		}
	})
}
