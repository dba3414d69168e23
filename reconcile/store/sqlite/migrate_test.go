package sqlite

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/storetest"
)

// older makes a store of an older version of the schema.
func older(t *testing.T, path string, steps []string) *Store {
	t.Helper()
	s := &Store{path: path, now: clock}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.openWritable(t.Context(), steps, "", true); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestMigrations: a store of each older version is brought up to date with what is
// in it.
func TestMigrations(t *testing.T) {
	t.Parallel()
	steps, err := migrations()
	if err != nil || len(steps) < 2 {
		t.Fatalf("%d steps, %v", len(steps), err)
	}
	for version := 1; version < len(steps); version++ {
		t.Run(fmt.Sprint("from version ", version), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "state.db")
			s := older(t, path, steps[:version])
			l := leased(t, s)
			head := grown(t, s, l, store.Head{}, 3)
			if err := s.SaveRun(t.Context(), store.Run{ID: "old", Tenant: tenant}); err != nil {
				t.Fatal(err)
			}
			closed(t, s)
			if _, err := OpenReadOnly(t.Context(), path, clock); !is[*store.FileError](err) {
				t.Errorf("it was opened to be read, though it is of an older version: %v", err)
			}

			s = opened(t, path)
			if h, err := readHeader(t.Context(), s.writer); err != nil || h.version != len(steps) {
				t.Errorf("version %d, %v", h.version, err)
			}
			head = grown(t, s, l, head, 1)
			if lines := storetest.Read(t, s, tenant, store.Head{}); len(lines) != 4 || lines[3].Hash != head.Hash {
				t.Errorf("%d lines", len(lines))
			}
			for _, id := range []string{"old", "new"} {
				if err := s.SaveRun(t.Context(), store.Run{ID: id, Tenant: tenant, Document: []byte(id)}); err != nil {
					t.Error(err)
				}
			}
			if runs, err := s.Runs(t.Context(), tenant, store.RunQuery{}); err != nil || len(runs) != 2 {
				t.Errorf("%d runs, %v", len(runs), err)
			}
			if err := s.PutSnapshots(t.Context(), tenant, []store.Snapshot{{Name: "sweep"}}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMigrationFails: a step that fails leaves the version before it, whole.
func TestMigrationFails(t *testing.T) {
	t.Parallel()
	steps, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	head := filled(t, path, 3)
	s := &Store{path: path, now: clock}
	bad := append(slices.Clip(steps), "CREATE TABLE half (x); INSERT INTO half VALUES (1); CREATE TABLE half (y)")
	if err := s.openWritable(t.Context(), bad, "", false); err == nil {
		t.Error("a step that cannot work did")
	}
	closed(t, s)
	s = opened(t, path)
	if got, err := s.Head(t.Context(), tenant); err != nil || got != head {
		t.Errorf("Head = %+v, %v", got, err)
	}
	if _, err := s.writer.ExecContext(t.Context(), "SELECT * FROM half"); err == nil {
		t.Error("half of the step was done")
	}
}
