package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func clock() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC) }

const tenant = "0a5f6c1e-7d4b-4f0e-9a55-3c2c5b1f7a10"

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

func closed(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// leased takes the tenant's lease, as a process that has the lock of its place.
func leased(t testing.TB, s store.Store) store.Lease {
	t.Helper()
	l, err := s.Acquire(t.Context(), tenant, store.Holder{Name: "a", Place: "here"}, store.LeaseTTL)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// grown appends n lines to a journal, and gives its head.
func grown(t testing.TB, s store.Store, l store.Lease, after store.Head, n int) store.Head {
	t.Helper()
	lines := storetest.Chain(after, n, "a mailbox that somebody weakened")
	if err := s.Append(t.Context(), l, after, lines); err != nil {
		t.Fatal(err)
	}
	return storetest.HeadOf(after, lines)
}

// filled makes a store with n lines in its journal, one run and one snapshot.
func filled(t testing.TB, path string, n int) store.Head {
	t.Helper()
	s := opened(t, path)
	head := grown(t, s, leased(t, s), store.Head{}, n)
	run := store.Run{ID: "run-1", Tenant: tenant, StartedAt: clock(), FinishedAt: clock(), Document: []byte(`{"verdict":"drift"}`)}
	if err := s.SaveRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if err := s.PutSnapshots(t.Context(), tenant, []store.Snapshot{{Name: "sweep", Data: []byte("remembered")}}); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	return head
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store {
		s, err := Open(t.Context(), filepath.Join(t.TempDir(), "of one?", "a+b & 100%.db"), now)
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
			t.Error(err)
			panic(err) // several goroutines open
		}
		return s
	})
}

// TestStoreInABubble: nothing of a store may keep the clock of a bubble from
// moving, or outlive Close. Two stores on one file wait for each other by it.
func TestStoreInABubble(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		one, err := Open(ctx, path, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		two, err := Open(ctx, path, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		first, err := one.Acquire(ctx, tenant, store.Holder{Name: "a", Place: "a"}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		second, err := two.Acquire(ctx, tenant, store.Holder{Name: "b", Place: "b"}, time.Minute)
		if err != nil || second.Token <= first.Token {
			t.Errorf("an hour later: %+v, %v", second, err)
		}
		done := make(chan error)
		go func() {
			var errs error
			for range 20 {
				errs = errors.Join(errs, one.SaveRun(ctx, store.Run{ID: "one", Tenant: tenant}))
			}
			done <- errs
		}()
		for range 20 {
			if err := two.SaveRun(ctx, store.Run{ID: "two", Tenant: tenant}); err != nil {
				t.Error(err)
			}
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		closed(t, one)
		closed(t, two)
	})
}
