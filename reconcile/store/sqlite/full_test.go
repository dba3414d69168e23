package sqlite

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/storetest"
)

// fill appends until the disk is full, and checks that what was there is intact.
func fill(t *testing.T, s *Store, l store.Lease, head store.Head) store.Head {
	t.Helper()
	for range 10_000 {
		lines := storetest.Chain(head, 20, strings.Repeat("x", 400))
		err := s.Append(t.Context(), l, head, lines)
		if err == nil {
			head = storetest.HeadOf(head, lines)
			continue
		}
		if !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), s.path) {
			t.Errorf("Append: %v", err)
		}
		if got, err := s.Head(t.Context(), tenant); err != nil || got != head {
			t.Errorf("Head = %+v, %v; want %+v", got, err, head)
		}
		if lines := storetest.Read(t, s, tenant, store.Head{}); int64(len(lines)) != head.Seq {
			t.Errorf("%d lines, want %d", len(lines), head.Seq)
		}
		return head
	}
	t.Fatal("the disk did not fill")
	return head
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := open(t.Context(), path, clock, "max_page_count(80)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	l := leased(t, s)
	head := fill(t, s, l, store.Head{})
	if head.Seq == 0 {
		t.Error("nothing was kept")
	}
	if _, err := s.writer.ExecContext(t.Context(), "PRAGMA max_page_count = 200"); err != nil {
		t.Fatal(err)
	}
	head = grown(t, s, l, head, 20)
	closed(t, s)
	s = opened(t, path)
	head = grown(t, s, leased(t, s), head, 20)
	if lines := storetest.Read(t, s, tenant, store.Head{}); int64(len(lines)) != head.Seq {
		t.Errorf("%d lines, want %d", len(lines), head.Seq)
	}
	if err := s.Examine(t.Context()); err != nil {
		t.Error(err)
	}
}
