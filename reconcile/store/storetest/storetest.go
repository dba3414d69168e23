package storetest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

// Opener opens a new store with nothing in it, whose leases run by the clock now.
// Run closes it.
type Opener func(t *testing.T, now func() time.Time) store.Store

// Run holds a store to the law.
func Run(t *testing.T, open Opener) {
	t.Helper()
	laws := []struct {
		name string
		test func(t *testing.T, s store.Store, c *Clock)
	}{
		{"a journal grows at its end", journalGrows},
		{"a journal that moved takes nothing", journalMoved},
		{"a journal takes all lines or none", journalWhole},
		{"a journal is written under the lease in force", journalFenced},
		{"one of many appenders wins", journalContended},
		{"a journal may be written while it is read", journalReadWhileWritten},
		{"a lease goes to one", leaseGoesToOne},
		{"a lease is renewed", leaseRenewed},
		{"a lease is given back", leaseReleased},
		{"tokens grow", tokensGrow},
		{"one of many takes a lease", leaseContended},
		{"runs are kept", runsKept},
		{"runs are selected", runsSelected},
		{"documents are kept apart", documents},
		{"snapshots have versions", snapshots},
		{"snapshots are put all or none", snapshotsWhole},
		{"one of many puts a snapshot", snapshotsContended},
		{"tenants are kept apart", tenantsApart},
		{"names are data", hostileNames},
		{"a context that is done does nothing", contextDone},
		{"a context that ends leaves a whole", contextEnds},
		{"a closed store says so", closed},
	}
	for _, law := range laws {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel()
			c := &Clock{now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
			s := open(t, c.Now)
			defer func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			law.test(t, s, c)
		})
	}
}

// Clock is a clock that stands until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now tells the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the clock on.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// The tenants and the holders of leases in the tests.
const (
	ours   = "0a5f6c1e-7d4b-4f0e-9a55-3c2c5b1f7a10"
	theirs = "9b0c54a2-11f3-4a6e-8d1f-60e2a1f0c9d4"
)

func holder(name string) store.Holder { return store.Holder{Name: name, Place: "place of " + name} }

// Chain gives n lines that follow a head, with text in each.
func Chain(after store.Head, n int, text string) []store.Line {
	lines := make([]store.Line, n)
	prev := after.Hash
	for i := range lines {
		entry := fmt.Sprintf(`{"seq": %d, "text":%q}`, after.Seq+int64(i)+1, text)
		sum := sha256.Sum256([]byte(prev + "\n" + entry))
		lines[i] = store.Line{Prev: prev, Hash: hex.EncodeToString(sum[:]), Entry: []byte(entry)}
		prev = lines[i].Hash
	}
	return lines
}

// HeadOf gives the head of a journal in which lines follow after.
func HeadOf(after store.Head, lines []store.Line) store.Head {
	if len(lines) == 0 {
		return after
	}
	return store.Head{Seq: after.Seq + int64(len(lines)), Hash: lines[len(lines)-1].Hash}
}

// acquire takes a lease that is free.
func acquire(t *testing.T, s store.Store, tenant, name string) store.Lease {
	t.Helper()
	l, err := s.Acquire(t.Context(), tenant, holder(name), store.LeaseTTL)
	if err != nil {
		t.Fatalf("Acquire for %s: %v", name, err)
	}
	return l
}

// add appends lines to a journal and gives its head.
func add(t *testing.T, s store.Store, l store.Lease, after store.Head, lines []store.Line) store.Head {
	t.Helper()
	if err := s.Append(t.Context(), l, after, lines); err != nil {
		t.Fatalf("Append after %d: %v", after.Seq, err)
	}
	return HeadOf(after, lines)
}

// Read reads a journal from the line after number after, and checks that it follows
// a head of that number.
func Read(t *testing.T, s store.Store, tenant string, after store.Head) []store.Line {
	t.Helper()
	var lines []store.Line
	prev := after.Hash
	for line, err := range s.Lines(t.Context(), tenant, after.Seq) {
		if err != nil {
			t.Fatalf("Lines: %v", err)
		}
		if line.Prev != prev {
			t.Fatalf("line %d does not follow the one before it", after.Seq+int64(len(lines))+1)
		}
		prev = line.Hash
		lines = append(lines, line)
	}
	return lines
}

// wantHead checks the end of a journal.
func wantHead(t *testing.T, s store.Store, tenant string, want store.Head) {
	t.Helper()
	if got, err := s.Head(t.Context(), tenant); err != nil || got != want {
		t.Errorf("Head = %+v, %v; want %+v", got, err, want)
	}
}
