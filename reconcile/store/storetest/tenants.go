package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

func wantTenants(t *testing.T, s store.Store, want ...string) {
	t.Helper()
	if got, err := s.Tenants(t.Context()); err != nil || !slices.Equal(got, want) {
		t.Errorf("Tenants = %q, %v; want %q", got, err, want)
	}
}

func tenantsApart(t *testing.T, s store.Store, c *Clock) {
	wantTenants(t, s)
	a, b := acquire(t, s, ours, "a"), acquire(t, s, theirs, "b")
	headA := add(t, s, a, store.Head{}, Chain(store.Head{}, 2, "ours"))
	headB := add(t, s, b, store.Head{}, Chain(store.Head{}, 3, "theirs"))
	headA = add(t, s, a, headA, Chain(headA, 1, "ours"))
	wantHead(t, s, ours, headA)
	wantHead(t, s, theirs, headB)
	if n := len(Read(t, s, ours, store.Head{})); n != 3 {
		t.Errorf("%d lines of ours", n)
	}
	run := aRun("same", c.Now())
	run.Document = []byte("ours")
	save(t, s, run)
	run.Tenant, run.Document, run.Verdict = theirs, []byte("theirs"), "inLine"
	save(t, s, run)
	if list := listed(t, s, store.RunQuery{}); len(list) != 1 || list[0].Verdict != "drift" || list[0].Tenant != ours {
		t.Errorf("our runs: %+v", list)
	}
	if got := document(t, s, "same"); string(got) != "ours" {
		t.Errorf("our document is %q", got)
	}
	putAll(t, s, store.Snapshot{Name: "sweep", Data: []byte("ours")})
	wantSnapshot(t, s, theirs, "sweep", 0, "")
	wantTenants(t, s, ours, theirs)
}

func hostileNames(t *testing.T, s store.Store, c *Clock) {
	names := []string{
		"", "'; DROP TABLE runs; --", "%", "../../etc/passwd", "a\x00b", "a\x00c", "a", "line\nbreak", "\x1b[31m", "\xff\xfe",
		"é", "e\u0301", "ID", "id", string(slices.Repeat([]byte("x"), 10_000)),
	}
	for _, name := range names {
		l := acquire(t, s, name, "holder '"+name)
		head := add(t, s, l, store.Head{}, Chain(store.Head{}, 1, name))
		wantHead(t, s, name, head)
		wantHolding(t, s, name, l)
		r := aRun(name, c.Now())
		r.Tenant, r.Document, r.PolicyName = name, []byte(name), name
		save(t, s, r)
		list, err := s.Runs(t.Context(), name, store.RunQuery{ID: name})
		if err != nil || len(list) != 1 || list[0].ID != name || list[0].PolicyName != name {
			t.Errorf("%q: Runs = %+v, %v", name, list, err)
		}
		if text, err := s.Document(t.Context(), name, name); err != nil || string(text) != name {
			t.Errorf("%q: Document = %q, %v", name, text, err)
		}
		if err := s.PutSnapshots(t.Context(), name, []store.Snapshot{{Name: name, Data: []byte(name)}}); err != nil {
			t.Errorf("%q: PutSnapshots: %v", name, err)
		}
		wantSnapshot(t, s, name, name, 1, name)
	}
	slices.Sort(names)
	wantTenants(t, s, names...)
}

// contextDone: nothing is done for a context that is over.
func contextDone(t *testing.T, s store.Store, c *Clock) {
	l := acquire(t, s, ours, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls := everything(ctx, s, l, c)
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		if err := calls[name](); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantHead(t, s, ours, store.Head{})
	wantHolding(t, s, ours, l)
	wantSnapshot(t, s, ours, "sweep", 0, "")
	wantTenants(t, s, ours)
}

// contextEnds: a context that ends at any moment leaves all of a call or nothing,
// and an error only where it is nothing.
func contextEnds(t *testing.T, s store.Store, _ *Clock) {
	l := acquire(t, s, ours, "a")
	head, kept, refused := store.Head{}, 0, 0
	for i := range 60 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*50*time.Microsecond)
		lines := Chain(head, 50, "x")
		err := s.Append(ctx, l, head, lines)
		cancel()
		if err == nil {
			head, kept = HeadOf(head, lines), kept+1
		} else if refused++; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Append: %v", err)
		}
		wantHead(t, s, ours, head)
	}
	if got := Read(t, s, ours, store.Head{}); int64(len(got)) != head.Seq {
		t.Errorf("%d lines, want %d", len(got), head.Seq)
	}
	t.Logf("%d kept, %d refused", kept, refused)

	head = add(t, s, l, head, Chain(head, 5, "y"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	n := int64(0)
	for _, err := range s.Lines(ctx, ours, head.Seq-5) {
		if last = err; err == nil {
			n++
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) && n != 5 {
		t.Errorf("the reading ended after %d lines of 5 with %v", n, last)
	}
}

// everything calls each method that can fail once.
func everything(ctx context.Context, s store.Store, l store.Lease, c *Clock) map[string]func() error {
	return map[string]func() error{
		"Append": func() error { return s.Append(ctx, l, store.Head{}, Chain(store.Head{}, 1, "x")) },
		"Head":   func() error { _, err := s.Head(ctx, ours); return err },
		"Lines": func() error {
			for _, err := range s.Lines(ctx, ours, 0) {
				return err
			}
			return nil
		},
		"SaveRun":      func() error { return s.SaveRun(ctx, aRun("r", c.Now())) },
		"Runs":         func() error { _, err := s.Runs(ctx, ours, store.RunQuery{}); return err },
		"Document":     func() error { _, err := s.Document(ctx, ours, "r"); return err },
		"Snapshot":     func() error { _, err := s.Snapshot(ctx, ours, "sweep"); return err },
		"PutSnapshots": func() error { return s.PutSnapshots(ctx, theirs, []store.Snapshot{{Name: "sweep"}}) },
		"Acquire":      func() error { _, err := s.Acquire(ctx, theirs, holder("b"), time.Minute); return err },
		"Renew":        func() error { _, err := s.Renew(ctx, l, time.Minute); return err },
		"Release":      func() error { return s.Release(ctx, l) },
		"Holding":      func() error { _, err := s.Holding(ctx, ours); return err },
		"Tenants":      func() error { _, err := s.Tenants(ctx); return err },
	}
}

func closed(t *testing.T, s store.Store, c *Clock) {
	l := acquire(t, s, ours, "a")
	described := s.Describe()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	calls := everything(t.Context(), s, l, c)
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		if err := calls[name](); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s on a closed store: %v", name, err)
		}
	}
	if s.Describe() != described || described == "" {
		t.Errorf("it describes itself as %q, and as %q once closed", described, s.Describe())
	}
}
