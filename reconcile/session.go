package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// Session is what the runs on one tenant share: the client, the store, the clock.
// It loads what earlier runs left, and keeps what later ones need.
type Session struct {
	// Store is nil where nothing is kept.
	Store store.Store
	// TenantID is the GUID of the tenant.
	TenantID   string
	Client     Tenant
	Compliance Compliance // nil where the policy does not speak of retention
	Now        func() time.Time
	// Holder names this process where it takes the tenant's lease.
	Holder store.Holder
}

// Check compares as the function of the same name does, with what earlier runs
// left. Nothing is kept of it before [Session.Keep].
func (s *Session) Check(ctx context.Context, req Request) (*Plan, error) {
	m, err := s.memory(ctx)
	if err != nil {
		return nil, err
	}
	req.Memory, req.Tenant = m, s.TenantID
	return Check(ctx, s.Client, req)
}

func (s *Session) memory(ctx context.Context) (*Memory, error) {
	if s.Store == nil {
		return nil, nil //nolint:nilnil // A run without a store has no memory.
	}
	m, err := LoadMemory(ctx, s.Store, s.TenantID)
	if err != nil {
		return nil, fmt.Errorf("reading what earlier runs left in %s: %w", s.Store.Describe(), err)
	}
	return m, nil
}

// Keep keeps a comparison: its row, and what later runs need of it. A
// *store.ConflictError says that another run did so meanwhile, or wrote to the
// tenant, so that what this one saw may not be so any more; the row is kept all the
// same, and what the other run saw is what is remembered. A store that is read-only
// keeps nothing, which is store.ErrReadOnly.
func (s *Session) Keep(ctx context.Context, command string, p *Plan, t Threshold) error {
	if s.Store == nil {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	err := s.remember(ctx, p)
	if _, conflict := errors.AsType[*store.ConflictError](err); err != nil && !conflict {
		return err
	}
	return errors.Join(s.Store.SaveRun(ctx, s.row(command, p, p.Verdict(t))), err)
}

// remember keeps what later runs need of a comparison that was made without the
// lease of the tenant.
func (s *Session) remember(ctx context.Context, p *Plan) error {
	m := p.Remember(p.memory)
	if m == nil {
		return nil
	}
	head, err := s.Store.Head(ctx, s.TenantID)
	if err != nil {
		return err
	}
	if head.Seq != m.journal {
		return &store.ConflictError{Tenant: s.TenantID, Name: "journal"}
	}
	return m.Save(ctx, s.Store, s.TenantID)
}

// row is a run as the store has it.
func (s *Session) row(command string, p *Plan, v Verdict) store.Run {
	return store.Run{
		ID: p.RunID, Tenant: s.TenantID, Command: command, StartedAt: p.CreatedAt, FinishedAt: s.Now().UTC(),
		Scope: string(p.Coverage.Scope), Verdict: string(v), Complete: p.Coverage.Complete,
		Tool: p.Tool, PolicyName: p.Policy.Name, PolicyDigest: p.Policy.Digest,
	}
}

// JournalFile is a journal that is kept in a file instead of the store, where no
// store lasts. *journal.File satisfies it.
type JournalFile interface {
	Recorder
	// OpenFor gives the intents of earlier runs that have no outcome, those of runs on
	// other tenants apart.
	OpenFor(tenant string) (own, others []journal.Entry)
}

// Writing is the time in which a session may write to its tenant: it has the lease,
// and an open journal.
type Writing struct {
	s        *Session
	recorder Recorder
	file     string
	// Recovered are the outcomes of writes that an earlier run left open, as a
	// look at the tenant showed them.
	Recovered []journal.Outcome
	// Warnings came up while the journal was opened.
	Warnings []string

	mu    sync.Mutex
	lease store.Lease
	lost  error
	stop  context.CancelFunc
	done  chan struct{}
}

// Begin takes the lease of the tenant, opens the journal for a run, and closes the
// intents that an earlier run left open, by a look at the tenant. Where file is not nil the
// journal is kept there, under the name path. A lease that another process holds is a
// *store.LeaseHeldError.
func (s *Session) Begin(ctx context.Context, runID string, file JournalFile, path string) (*Writing, error) {
	w := &Writing{s: s, done: make(chan struct{})}
	if s.Store == nil && file == nil {
		return nil, errors.New("there is neither a store nor a file for the journal, and nothing is written without one")
	}
	if s.Store != nil {
		var err error
		if w.lease, err = s.Store.Acquire(ctx, s.TenantID, s.Holder, store.LeaseTTL); err != nil {
			return nil, err
		}
	}
	w.keepLease(ctx)
	if err := w.open(ctx, runID, file, path); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Check compares within the lease. What became of writes that an earlier run left
// open is among the warnings of the plan.
func (w *Writing) Check(ctx context.Context, req Request) (*Plan, error) {
	p, err := w.s.Check(ctx, req)
	if err == nil {
		p.Warnings = append(p.Warnings, w.Warnings...)
	}
	return p, err
}

// Apply applies a plan within the lease: the lease is looked at before each batch,
// and the store refuses entries of one that was taken over.
func (w *Writing) Apply(ctx context.Context, p *Plan, opts ApplyOptions) (*Run, error) {
	opts.Recorder, opts.Permit = w.recorder, w.permit
	if w.s.Compliance != nil {
		opts.Compliance = w.s.Compliance
	}
	return Apply(ctx, w.s.Client, p, opts)
}

// Keep keeps a run: its row with the document that the function writes, and what
// later runs need of it.
func (w *Writing) Keep(ctx context.Context, command string, r *Run, t Threshold, document func(io.Writer) error) error {
	if w.s.Store == nil {
		return nil
	}
	return w.keep(context.WithoutCancel(ctx), command, r, t, document)
}

// Close gives back the lease.
func (w *Writing) Close() error {
	if w.stop != nil {
		w.stop()
		<-w.done
	}
	if w.s.Store == nil {
		return nil
	}
	w.mu.Lock()
	lease := w.lease
	w.mu.Unlock()
	return w.s.Store.Release(context.Background(), lease)
}
