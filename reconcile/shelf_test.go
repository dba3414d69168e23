package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// shelf is a store in memory, for one tenant.
type shelf struct {
	mu        sync.Mutex
	lines     []store.Line
	head      store.Head
	runs      []store.Run
	snapshots map[string]store.Snapshot
	lease     store.Lease
	readOnly  bool
	// reading is called before a snapshot is read.
	reading func(name string)
}

func newShelf() *shelf { return &shelf{snapshots: map[string]store.Snapshot{}} }

func (s *shelf) Append(_ context.Context, l store.Lease, after store.Head, lines []store.Line) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.Token != s.lease.Token {
		return &store.LeaseLostError{Tenant: l.Tenant, By: s.lease.Holder}
	}
	if after != s.head {
		return &store.HeadMovedError{Tenant: l.Tenant, Want: after, Found: s.head}
	}
	s.lines = append(s.lines, lines...)
	s.head = store.Head{Seq: int64(len(s.lines)), Hash: s.lines[len(s.lines)-1].Hash}
	return nil
}

func (s *shelf) Head(context.Context, string) (store.Head, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head, nil
}

func (s *shelf) Lines(_ context.Context, _ string, after int64) iter.Seq2[store.Line, error] {
	s.mu.Lock()
	lines := slices.Clone(s.lines[after:])
	s.mu.Unlock()
	return func(yield func(store.Line, error) bool) {
		for _, l := range lines {
			if !yield(l, nil) {
				return
			}
		}
	}
}

func (s *shelf) SaveRun(_ context.Context, r store.Run) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readOnly {
		return store.ErrReadOnly
	}
	s.runs = append(s.runs, r)
	return nil
}

func (s *shelf) Runs(context.Context, string, store.RunQuery) ([]store.Run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.runs), nil
}

func (s *shelf) Document(context.Context, string, string) ([]byte, error) {
	return nil, store.ErrNotFound
}

func (s *shelf) Snapshot(_ context.Context, _, name string) (store.Snapshot, error) {
	if s.reading != nil {
		s.reading(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshots[name], nil
}

func (s *shelf) PutSnapshots(_ context.Context, tenant string, list []store.Snapshot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readOnly {
		return store.ErrReadOnly
	}
	for _, n := range list {
		if s.snapshots[n.Name].Version != n.Version {
			return &store.ConflictError{Tenant: tenant, Name: n.Name}
		}
	}
	for _, n := range list {
		n.Version++
		s.snapshots[n.Name] = n
	}
	return nil
}

func (s *shelf) Acquire(_ context.Context, tenant string, h store.Holder, ttl time.Duration) (store.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lease = store.Lease{Tenant: tenant, Token: s.lease.Token + 1, Holder: h, Until: time.Now().Add(ttl)}
	return s.lease, nil
}

func (s *shelf) Renew(_ context.Context, l store.Lease, ttl time.Duration) (store.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.Token != s.lease.Token {
		return l, &store.LeaseLostError{Tenant: l.Tenant, By: s.lease.Holder}
	}
	s.lease.Until = time.Now().Add(ttl)
	return s.lease, nil
}

func (s *shelf) Release(context.Context, store.Lease) error { return nil }

func (s *shelf) Holding(context.Context, string) (store.Lease, error) { return s.lease, nil }

func (s *shelf) Tenants(context.Context) ([]string, error) { return nil, errors.ErrUnsupported }
func (s *shelf) Describe() string                          { return "a shelf" }
func (s *shelf) Close() error                              { return nil }

// session is a session on the tenant of a bench.
func (b *bench) session(s store.Store) *reconcile.Session {
	return &reconcile.Session{Store: s, TenantID: b.tenant.ID(), Client: b.client, Now: time.Now, Holder: store.Holder{Name: "test", Place: "here"}}
}

// remembering compares, and keeps the comparison.
func (b *bench) remembering(s store.Store, req reconcile.Request) *reconcile.Plan {
	b.t.Helper()
	session := b.session(s)
	plan, err := session.Check(b.ctx(), req)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := session.Keep(b.ctx(), "check", plan, strict); err != nil {
		b.t.Fatal(err)
	}
	return plan
}

// applying compares, applies and keeps, as apply does.
func (b *bench) applying(s store.Store, req reconcile.Request, change ...func(*reconcile.ApplyOptions)) *reconcile.Run {
	b.t.Helper()
	session := b.session(s)
	w, err := session.Begin(b.ctx(), req.RunID, nil, "")
	if err != nil {
		b.t.Fatal(err)
	}
	defer closing(b.t, w)
	plan, err := w.Check(b.ctx(), req)
	if err != nil {
		b.t.Fatal(err)
	}
	opts := reconcile.ApplyOptions{Now: time.Now}
	for _, f := range change {
		f(&opts)
	}
	run, err := w.Apply(b.ctx(), plan, opts)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := w.Keep(b.ctx(), "apply", run, strict, noDocument); err != nil {
		b.t.Fatal(err)
	}
	return run
}

func closing(t testing.TB, w *reconcile.Writing) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func noDocument(w io.Writer) error {
	_, err := io.WriteString(w, "{}")
	return err
}

// entries are those of the journal.
func (s *shelf) entries(t testing.TB) []journal.Entry {
	t.Helper()
	var out []journal.Entry
	for _, l := range s.lines {
		var e journal.Entry
		if err := json.Unmarshal(l.Entry, &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}
