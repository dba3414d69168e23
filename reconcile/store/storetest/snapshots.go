package storetest

import (
	"bytes"
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

func wantSnapshot(t *testing.T, s store.Store, tenant, name string, version int64, data string) {
	t.Helper()
	got, err := s.Snapshot(t.Context(), tenant, name)
	if err != nil || got.Name != name || got.Version != version || string(got.Data) != data {
		t.Errorf("Snapshot %q = version %d, %q, %v; want version %d, %q", name, got.Version, got.Data, err, version, data)
	}
}

func wantConflict(t *testing.T, s store.Store, name string, list ...store.Snapshot) {
	t.Helper()
	err := s.PutSnapshots(t.Context(), ours, list)
	if conflict, ok := errors.AsType[*store.ConflictError](err); !ok || conflict.Name != name || conflict.Tenant != ours {
		t.Errorf("PutSnapshots: %#v; want a conflict about %q", err, name)
	}
}

func putAll(t *testing.T, s store.Store, list ...store.Snapshot) {
	t.Helper()
	if err := s.PutSnapshots(t.Context(), ours, list); err != nil {
		t.Fatalf("PutSnapshots: %v", err)
	}
}

func snapshots(t *testing.T, s store.Store, _ *Clock) {
	wantSnapshot(t, s, ours, "sweep", 0, "")
	putAll(t, s)
	wantConflict(t, s, "sweep", store.Snapshot{Name: "sweep", Version: 1, Data: []byte("early")})
	putAll(t, s, store.Snapshot{Name: "sweep", Data: []byte("one \x00\xff")})
	wantSnapshot(t, s, ours, "sweep", 1, "one \x00\xff")
	wantConflict(t, s, "sweep", store.Snapshot{Name: "sweep", Data: []byte("late")})
	putAll(t, s, store.Snapshot{Name: "sweep", Version: 1, Data: []byte("two")})
	wantConflict(t, s, "sweep", store.Snapshot{Name: "sweep", Version: 1, Data: []byte("late")})
	putAll(t, s, store.Snapshot{Name: "sweep", Version: 2})
	wantSnapshot(t, s, ours, "sweep", 3, "")
	large := bytes.Repeat([]byte("0123456789abcdef"), 300_000)
	putAll(t, s, store.Snapshot{Name: "large", Data: large})
	wantSnapshot(t, s, ours, "large", 1, string(large))
}

func snapshotsWhole(t *testing.T, s store.Store, _ *Clock) {
	putAll(t, s, store.Snapshot{Name: "a", Data: []byte("a1")}, store.Snapshot{Name: "b", Data: []byte("b1")})
	wantConflict(t, s, "b",
		store.Snapshot{Name: "a", Version: 1, Data: []byte("a2")}, store.Snapshot{Name: "b", Data: []byte("b2")},
		store.Snapshot{Name: "c", Data: []byte("c1")})
	wantSnapshot(t, s, ours, "a", 1, "a1")
	wantSnapshot(t, s, ours, "b", 1, "b1")
	wantSnapshot(t, s, ours, "c", 0, "")
	wantConflict(t, s, "a",
		store.Snapshot{Name: "a", Version: 1, Data: []byte("a2")}, store.Snapshot{Name: "a", Version: 1, Data: []byte("a2 too")})
	wantSnapshot(t, s, ours, "a", 1, "a1")
}

func snapshotsContended(t *testing.T, s store.Store, _ *Clock) {
	const each, writers = 10, 5
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for n := 0; n < each; {
				snap, err := s.Snapshot(t.Context(), ours, "sum")
				if err != nil {
					t.Error(err)
					return
				}
				sum, _ := strconv.Atoi(string(snap.Data))
				snap.Data = strconv.AppendInt(nil, int64(sum)+1, 10)
				err = s.PutSnapshots(t.Context(), ours, []store.Snapshot{snap})
				if _, conflict := errors.AsType[*store.ConflictError](err); conflict {
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
	wantSnapshot(t, s, ours, "sum", each*writers, strconv.Itoa(each*writers))
}
