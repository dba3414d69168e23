package sqlite

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/storetest"
)

func TestMain(m *testing.M) {
	if child(m) {
		return
	}
	goleak.VerifyTestMain(m)
}

func clock() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC) }

// opened opens a store for as long as a test runs.
func opened(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store {
		s, err := Open(t.Context(), filepath.Join(t.TempDir(), "of one?", "100%.db"), now)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestStoreReopened(t *testing.T) {
	t.Parallel()
	storetest.RunReopened(t, func(t *testing.T, place string, now func() time.Time) store.Store {
		s, err := Open(t.Context(), filepath.Join(place, "state.db"), now)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// TestStoreInABubble: nothing of a store may keep the clock of a bubble from
// moving, or outlive Close.
func TestStoreInABubble(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.Context(), path, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		first, err := s.Acquire(ctx, "t", store.Holder{Name: "a", Place: "a"}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		second, err := s.Acquire(ctx, "t", store.Holder{Name: "b", Place: "b"}, time.Minute)
		if err != nil || second.Token <= first.Token {
			t.Errorf("an hour later: %+v, %v", second, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
