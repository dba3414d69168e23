package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

func sameLines(a, b []store.Line) bool {
	return slices.EqualFunc(a, b, func(a, b store.Line) bool {
		return a.Prev == b.Prev && a.Hash == b.Hash && string(a.Entry) == string(b.Entry)
	})
}

func journalGrows(t *testing.T, s store.Store, _ *Clock) {
	wantHead(t, s, ours, store.Head{})
	if lines := Read(t, s, ours, store.Head{}); len(lines) != 0 {
		t.Errorf("an empty journal has lines: %v", lines)
	}
	l := acquire(t, s, ours, "a")
	first := Chain(store.Head{}, 3, "é \x00 <&>")
	head := add(t, s, l, store.Head{}, first)
	wantHead(t, s, ours, head)
	second := Chain(head, 2, "second")
	whole := add(t, s, l, head, second)
	wantHead(t, s, ours, whole)
	if got := add(t, s, l, whole, nil); got != whole {
		t.Errorf("no lines moved the head to %+v", got)
	}
	wantHead(t, s, ours, whole)

	if got := Read(t, s, ours, store.Head{}); !sameLines(got, slices.Concat(first, second)) {
		t.Errorf("the lines are not as they were appended:\n%q", got)
	}
	if got := Read(t, s, ours, head); !sameLines(got, second) {
		t.Errorf("the lines after 3 are\n%q", got)
	}
	if got := Read(t, s, ours, whole); len(got) != 0 {
		t.Errorf("there are lines after the last: %q", got)
	}
	n := 0
	for _, err := range s.Lines(t.Context(), ours, 0) {
		if n++; n == 2 || err != nil {
			break
		}
	}
	if n != 2 {
		t.Errorf("the reading did not stop: %d lines", n)
	}
}

func journalMoved(t *testing.T, s store.Store, _ *Clock) {
	l := acquire(t, s, ours, "a")
	head := add(t, s, l, store.Head{}, Chain(store.Head{}, 2, "x"))
	for name, wrong := range map[string]store.Head{
		"the beginning": {}, "before it": {Seq: 1, Hash: head.Hash}, "after it": {Seq: 3, Hash: head.Hash}, "another line": {Seq: 2, Hash: "00"},
	} {
		err := s.Append(t.Context(), l, wrong, Chain(wrong, 1, "y"))
		moved, ok := errors.AsType[*store.HeadMovedError](err)
		if !ok || moved.Tenant != ours || moved.Want != wrong || moved.Found != head {
			t.Errorf("Append at %s: %#v", name, err)
		}
		if err := s.Append(t.Context(), l, wrong, nil); err == nil {
			t.Errorf("Append of nothing at %s does not say that the journal moved", name)
		}
	}
	wantHead(t, s, ours, head)
}

func journalWhole(t *testing.T, s store.Store, _ *Clock) {
	l := acquire(t, s, ours, "a")
	const n = 3000
	head := add(t, s, l, store.Head{}, Chain(store.Head{}, n, "many at once"))
	if got := Read(t, s, ours, store.Head{}); len(got) != n {
		t.Errorf("%d lines, want %d", len(got), n)
	}
	wantHead(t, s, ours, head)
}

func journalFenced(t *testing.T, s store.Store, c *Clock) {
	line := Chain(store.Head{}, 1, "x")
	lost := func(what string, l store.Lease, by string) {
		t.Helper()
		err := s.Append(t.Context(), l, store.Head{}, line)
		if gone, ok := errors.AsType[*store.LeaseLostError](err); !ok || gone.By.Name != by || gone.Tenant != l.Tenant {
			t.Errorf("Append %s: %#v", what, err)
		}
	}
	lost("without a lease", store.Lease{Tenant: ours}, "")
	lost("under a lease of one's own making", store.Lease{Tenant: ours, Token: 1, Holder: holder("a"), Until: c.Now().Add(time.Hour)}, "")

	old := acquire(t, s, ours, "a")
	forged := old
	forged.Token++
	lost("under a later token", forged, "a")
	forged = old
	forged.Holder = holder("b")
	lost("under the lease of another", forged, "a")
	elsewhere := old
	elsewhere.Tenant = theirs
	lost("to another tenant", elsewhere, "")

	c.Move(store.LeaseTTL * 2)
	head := add(t, s, old, store.Head{}, line) // nobody took it
	next := acquire(t, s, ours, "b")
	line = Chain(head, 1, "y")
	err := s.Append(t.Context(), old, head, line)
	if gone, ok := errors.AsType[*store.LeaseLostError](err); !ok || gone.By != holder("b") {
		t.Errorf("Append under a lease that was taken over: %#v", err)
	}
	head = add(t, s, next, head, line)
	if err := s.Release(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	lost("under a lease that was given back", next, "")
	wantHead(t, s, ours, head)
}

func journalContended(t *testing.T, s store.Store, _ *Clock) {
	l := acquire(t, s, ours, "a")
	const each, appenders = 12, 6
	var wg sync.WaitGroup
	for i := range appenders {
		wg.Go(func() {
			for n := 0; n < each; {
				head, err := s.Head(t.Context(), ours)
				if err == nil {
					err = s.Append(t.Context(), l, head, Chain(head, 1+i, "x"))
				}
				if _, moved := errors.AsType[*store.HeadMovedError](err); moved {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				n++
			}
		})
	}
	wg.Wait()
	want := 0
	for i := range appenders {
		want += each * (1 + i)
	}
	if got := Read(t, s, ours, store.Head{}); len(got) != want {
		t.Errorf("%d lines, want %d", len(got), want)
	}
}

func journalReadWhileWritten(t *testing.T, s store.Store, _ *Clock) {
	l := acquire(t, s, ours, "a")
	head := add(t, s, l, store.Head{}, Chain(store.Head{}, 4, "before"))
	n := 0
	for _, err := range s.Lines(t.Context(), ours, 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		head = add(t, s, l, head, Chain(head, 1, "meanwhile"))
		if _, err := s.Head(t.Context(), ours); err != nil {
			t.Fatal(err)
		}
		for _, err := range s.Lines(t.Context(), ours, 2) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if n != 4 {
		t.Errorf("the reading gave %d lines, not the 4 that were there when it began", n)
	}
	wantHead(t, s, ours, store.Head{Seq: 8, Hash: head.Hash})
}
