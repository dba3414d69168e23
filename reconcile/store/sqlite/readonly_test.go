package sqlite

import (
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/storetest"
)

// wantReadOnly checks that a store can be read, and that it takes nothing.
func wantReadOnly(t *testing.T, s *Store, head store.Head) {
	t.Helper()
	if !s.ReadOnly() {
		t.Error("it is not read-only")
	}
	if got, err := s.Head(t.Context(), tenant); err != nil || got != head {
		t.Errorf("Head = %+v, %v; want %+v", got, err, head)
	}
	if lines := storetest.Read(t, s, tenant, store.Head{}); int64(len(lines)) != head.Seq {
		t.Errorf("%d lines, want %d", len(lines), head.Seq)
	}
	if text, err := s.Document(t.Context(), tenant, "run-1"); err != nil || string(text) != `{"verdict":"drift"}` {
		t.Errorf("Document = %s, %v", text, err)
	}
	if snap, err := s.Snapshot(t.Context(), tenant, "sweep"); err != nil || snap.Version != 1 {
		t.Errorf("Snapshot = %+v, %v", snap, err)
	}
	l := store.Lease{Tenant: tenant}
	_, acquire := s.Acquire(t.Context(), tenant, store.Holder{}, time.Minute)
	_, renew := s.Renew(t.Context(), l, time.Minute)
	for name, err := range map[string]error{
		"Append":       s.Append(t.Context(), l, head, nil),
		"SaveRun":      s.SaveRun(t.Context(), store.Run{Tenant: tenant}),
		"PutSnapshots": s.PutSnapshots(t.Context(), tenant, []store.Snapshot{{Name: "x"}}),
		"Acquire":      acquire, "Renew": renew, "Release": s.Release(t.Context(), l),
	} {
		if !errors.Is(err, store.ErrReadOnly) || !strings.Contains(err.Error(), s.path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	head := filled(t, path, 30)
	before := folder(t, filepath.Dir(path))
	s, err := OpenReadOnly(t.Context(), path, clock)
	if err != nil {
		t.Fatal(err)
	}
	wantReadOnly(t, s, head)
	if err := s.Examine(t.Context()); err != nil {
		t.Error(err)
	}
	closed(t, s)
	if !maps.Equal(folder(t, filepath.Dir(path)), before) {
		t.Error("reading it changed a file")
	}
}

// TestReadOnlyBesideWriter: where another has the file open, each commit of it is
// seen.
func TestReadOnlyBesideWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	head := filled(t, path, 30)
	w := opened(t, path)
	head = grown(t, w, leased(t, w), head, 5)
	s, err := OpenReadOnly(t.Context(), path, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	wantReadOnly(t, s, head)
	head = grown(t, w, leased(t, w), head, 5)
	wantReadOnly(t, s, head)
}

// TestReadOnlyBeforeWriter: what was opened to be read while nobody had it open has
// no locks on it, so it says when somebody begins to write.
func TestReadOnlyBeforeWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	head := filled(t, path, 30)
	s, err := OpenReadOnly(t.Context(), path, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	wantReadOnly(t, s, head)
	w := opened(t, path)
	grown(t, w, leased(t, w), head, 5)
	for range 2 {
		if got, err := s.Head(t.Context(), tenant); err == nil {
			t.Errorf("Head = %+v", got)
		}
		var last error
		for _, last = range s.Lines(t.Context(), tenant, 0) {
			if last != nil {
				break
			}
		}
		if last == nil {
			t.Error("Lines gave no error")
		}
		closed(t, w)
	}
}

// TestReadOnlyAfterCrash: what a process that was killed left in the log is read.
func TestReadOnlyAfterCrash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	head := filled(t, path, 30)
	w := opened(t, path)
	head = grown(t, w, leased(t, w), head, 5)
	for name, endings := range map[string][]string{"with its index": {"", "-wal", "-shm"}, "without": {"", "-wal"}} {
		t.Run(name, func(t *testing.T) {
			left := filepath.Join(t.TempDir(), "state.db")
			for _, ending := range endings {
				write(t, left+ending, read(t, path+ending))
			}
			s, err := OpenReadOnly(t.Context(), left, clock)
			if err != nil {
				t.Fatal(err)
			}
			wantReadOnly(t, s, head)
			closed(t, s)
			s = opened(t, left)
			grown(t, s, leased(t, s), head, 1)
		})
	}
}
