package daemon

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/store"
)

// forgetful is a store in memory that keeps the last run alone, so that it does not
// grow, and makes nothing durable, so that ten thousand runs take no time. It is for
// one tenant and one process.
type forgetful struct {
	mu    sync.Mutex
	last  store.Run
	lines []store.Line
	snaps map[string]store.Snapshot
	lease store.Lease
	token int64
}

func (f *forgetful) Append(_ context.Context, l store.Lease, after store.Head, lines []store.Line) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch head := f.head(); {
	case l.Token != f.lease.Token:
		return &store.LeaseLostError{Tenant: l.Tenant}
	case head != after:
		return &store.HeadMovedError{Tenant: l.Tenant, Want: after, Found: head}
	}
	f.lines = append(f.lines, lines...)
	return nil
}

func (f *forgetful) head() store.Head {
	if len(f.lines) == 0 {
		return store.Head{}
	}
	return store.Head{Seq: int64(len(f.lines)), Hash: f.lines[len(f.lines)-1].Hash}
}

func (f *forgetful) Head(context.Context, string) (store.Head, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head(), nil
}

func (f *forgetful) Lines(_ context.Context, _ string, after int64) iter.Seq2[store.Line, error] {
	return func(yield func(store.Line, error) bool) {
		f.mu.Lock()
		lines := slices.Clone(f.lines[after:])
		f.mu.Unlock()
		for _, l := range lines {
			if !yield(l, nil) {
				return
			}
		}
	}
}

func (f *forgetful) SaveRun(_ context.Context, r store.Run) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = r
	return nil
}

func (f *forgetful) Runs(context.Context, string, store.RunQuery) ([]store.Run, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return []store.Run{f.last}, nil
}

func (f *forgetful) Document(context.Context, string, string) ([]byte, error) {
	return nil, store.ErrNotFound
}

func (f *forgetful) Snapshot(_ context.Context, _, name string) (store.Snapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.snaps[name]
	s.Name = name
	return s, nil
}

func (f *forgetful) PutSnapshots(_ context.Context, tenant string, list []store.Snapshot) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range list {
		if f.snaps[s.Name].Version != s.Version {
			return &store.ConflictError{Tenant: tenant, Name: s.Name}
		}
	}
	for _, s := range list {
		s.Version++
		f.snaps[s.Name] = s
	}
	return nil
}

func (f *forgetful) Acquire(_ context.Context, tenant string, h store.Holder, ttl time.Duration) (store.Lease, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.token++
	f.lease = store.Lease{Tenant: tenant, Token: f.token, Holder: h, Until: time.Now().Add(ttl)}
	return f.lease, nil
}

func (f *forgetful) Renew(_ context.Context, l store.Lease, ttl time.Duration) (store.Lease, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.Token != f.lease.Token {
		return l, &store.LeaseLostError{Tenant: l.Tenant}
	}
	f.lease.Until = time.Now().Add(ttl)
	return f.lease, nil
}

func (f *forgetful) Release(context.Context, store.Lease) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lease = store.Lease{}
	return nil
}

func (f *forgetful) Holding(context.Context, string) (store.Lease, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lease, nil
}

func (f *forgetful) Tenants(context.Context) ([]string, error) { return nil, nil }

func (f *forgetful) Describe() string { return "memory" }

func (f *forgetful) Close() error { return nil }
