package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

func wantHolding(t *testing.T, s store.Store, tenant string, want store.Lease) {
	t.Helper()
	got, err := s.Holding(t.Context(), tenant)
	if err != nil || got.Tenant != want.Tenant || got.Token != want.Token || got.Holder != want.Holder || !got.Until.Equal(want.Until) {
		t.Errorf("Holding = %+v, %v; want %+v", got, err, want)
	}
}

func wantHeld(t *testing.T, s store.Store, name string, by store.Lease) {
	t.Helper()
	_, err := s.Acquire(t.Context(), by.Tenant, holder(name), store.LeaseTTL)
	held, ok := errors.AsType[*store.LeaseHeldError](err)
	if !ok || held.Tenant != by.Tenant || held.Holder != by.Holder || !held.Until.Equal(by.Until) {
		t.Errorf("Acquire for %s: %#v; want that %s holds it", name, err, by.Holder.Name)
	}
}

func leaseGoesToOne(t *testing.T, s store.Store, c *Clock) {
	wantHolding(t, s, ours, store.Lease{})
	first := acquire(t, s, ours, "a")
	if first.Tenant != ours || first.Holder != holder("a") || !first.Until.Equal(c.Now().Add(store.LeaseTTL)) || first.Until.Location() != time.UTC {
		t.Errorf("the lease is %+v", first)
	}
	wantHolding(t, s, ours, first)
	wantHeld(t, s, "b", first)

	// A process that has the lock of the same place: the one before is dead.
	again, err := s.Acquire(t.Context(), ours, store.Holder{Name: "another process", Place: first.Holder.Place}, store.LeaseTTL)
	if err != nil || again.Token <= first.Token {
		t.Fatalf("Acquire for the same place: %+v, %v", again, err)
	}
	wantHolding(t, s, ours, again)
	wantHeld(t, s, "b", again)

	c.Move(store.LeaseTTL - time.Millisecond)
	wantHeld(t, s, "b", again)
	c.Move(time.Millisecond)
	wantHolding(t, s, ours, again) // its time is over, and nobody took it
	second := acquire(t, s, ours, "b")
	if second.Token <= again.Token {
		t.Errorf("the token went from %d to %d", again.Token, second.Token)
	}
	wantHolding(t, s, ours, second)
	wantHeld(t, s, "a", second)

	nowhere := store.Holder{Name: "has no lock"}
	l, err := s.Acquire(t.Context(), theirs, nowhere, store.LeaseTTL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Acquire(t.Context(), theirs, nowhere, store.LeaseTTL); !isHeld(err) {
		t.Errorf("no place was taken for a place: %v, after %+v", err, l)
	}
}

func isHeld(err error) bool {
	_, ok := errors.AsType[*store.LeaseHeldError](err)
	return ok
}

func wantLost(t *testing.T, what string, err error, by store.Holder) {
	t.Helper()
	if lost, ok := errors.AsType[*store.LeaseLostError](err); !ok || lost.By != by || lost.Tenant != ours {
		t.Errorf("%s: %#v; want that it is lost to %q", what, err, by.Name)
	}
}

func leaseRenewed(t *testing.T, s store.Store, c *Clock) {
	l := acquire(t, s, ours, "a")
	for range 5 {
		c.Move(store.LeaseTTL / 2)
		next, err := s.Renew(t.Context(), l, store.LeaseTTL)
		if err != nil || next.Token != l.Token || !next.Until.Equal(c.Now().Add(store.LeaseTTL)) {
			t.Fatalf("Renew: %+v, %v", next, err)
		}
		l = next
		wantHolding(t, s, ours, l)
	}
	c.Move(store.LeaseTTL * 3)
	l, err := s.Renew(t.Context(), l, store.LeaseTTL)
	if err != nil {
		t.Fatalf("Renew of one that ran out: %v", err)
	}
	wantHeld(t, s, "b", l)
	c.Move(store.LeaseTTL)
	taken := acquire(t, s, ours, "b")
	_, err = s.Renew(t.Context(), l, store.LeaseTTL)
	wantLost(t, "Renew of one that was taken", err, holder("b"))
	wantHolding(t, s, ours, taken)
	_, err = s.Renew(t.Context(), store.Lease{Tenant: ours, Token: taken.Token, Holder: holder("a")}, store.LeaseTTL)
	wantLost(t, "Renew under the token of another", err, holder("b"))
}

func leaseReleased(t *testing.T, s store.Store, c *Clock) {
	old := acquire(t, s, ours, "a")
	if err := s.Release(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	wantHolding(t, s, ours, store.Lease{})
	if err := s.Release(t.Context(), old); err != nil {
		t.Errorf("Release of one that was given back: %v", err)
	}
	_, err := s.Renew(t.Context(), old, store.LeaseTTL)
	wantLost(t, "Renew of one that was given back", err, store.Holder{})

	c.Move(time.Second)
	next := acquire(t, s, ours, "b")
	if err := s.Release(t.Context(), old); err != nil {
		t.Errorf("Release of one that was taken: %v", err)
	}
	wantHolding(t, s, ours, next)
	if err := s.Release(t.Context(), store.Lease{Tenant: theirs, Token: 7}); err != nil {
		t.Errorf("Release of one that never was: %v", err)
	}
}

func tokensGrow(t *testing.T, s store.Store, c *Clock) {
	last := int64(0)
	for i := range 12 {
		l := acquire(t, s, ours, "a")
		if l.Token <= last {
			t.Fatalf("token %d after %d", l.Token, last)
		}
		last = l.Token
		switch i % 3 {
		case 0:
			if err := s.Release(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		case 1:
			c.Move(store.LeaseTTL)
		}
	}
}

func leaseContended(t *testing.T, s store.Store, c *Clock) {
	for round := range 5 {
		var mu sync.Mutex
		var wg sync.WaitGroup
		won := 0
		for i := range 6 {
			wg.Go(func() {
				_, err := s.Acquire(t.Context(), ours, holder(fmt.Sprint(i, " of round ", round)), store.LeaseTTL)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case !isHeld(err):
					t.Errorf("Acquire: %v", err)
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d holders of one lease", won)
		}
		c.Move(store.LeaseTTL)
	}
}
