package store

import (
	"context"
	"iter"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// Line is one sealed line of a journal.
type Line = journal.Line

// Head is the end of a tenant's journal: the number and the hash of its last
// line. The zero Head is that of an empty journal.
type Head struct {
	Seq  int64
	Hash string
}

// Run is the row of one run. Times are UTC, to the millisecond.
type Run struct {
	ID     string
	Tenant string
	// Command is what was run: check, plan, apply, undo, or serve's loops
	// "serve/incremental", "serve/bypass" and "serve/full".
	Command               string
	StartedAt, FinishedAt time.Time
	Scope                 string
	Verdict               string
	Complete              bool
	Tool                  string
	PolicyName            string
	PolicyDigest          string
	// Wrote is the number of changes that were sent to the tenant.
	Wrote int
	// JournalHead is the hash of the last line when the run ended; empty where
	// nothing was recorded.
	JournalHead string
	// JournalFile is the file that holds the run's journal, empty where this store
	// does.
	JournalFile string
	// Document is the run as JSON (exoaudit/run/v1); nil for a run that could not
	// write. Only [Store.Document] gives it back.
	Document []byte
}

// RunQuery selects runs. Zero fields select all.
type RunQuery struct {
	// ID is the id of a run, or the beginning of one.
	ID           string
	Since, Until time.Time
	// Limit is the number of runs to give, the newest first; 0 is all.
	Limit int
}

// Snapshot is a named piece of what a tenant's runs remember.
type Snapshot struct {
	Name string
	// Version counts the times it was put, from 1; 0 is one that was never put.
	Version int64
	Data    []byte
}

// Store is what is kept of tenants between runs. It is safe for concurrent use,
// also by several processes. A method that returns without error has made its
// effect durable: it outlives the process and a loss of power. One that returns
// an error has had no effect, or, after a loss of the connection, an effect as a
// whole. Tenants are named by their GUID.
type Store interface {
	// Append adds lines at the end of a tenant's journal, all or none. A lease
	// that is not the one in force is a *LeaseLostError; where after is not the
	// journal's head it is a *HeadMovedError. Lines once appended are never changed
	// or removed.
	Append(ctx context.Context, l Lease, after Head, lines []Line) error
	// Head gives the end of a tenant's journal.
	Head(ctx context.Context, tenant string) (Head, error)
	// Lines gives the lines of a tenant's journal as they stand, in order, from the
	// one after number after. It does not check the chain; package journal does.
	Lines(ctx context.Context, tenant string, after int64) iter.Seq2[Line, error]

	// SaveRun keeps a run. One with the same id replaces the row.
	SaveRun(ctx context.Context, r Run) error
	// Runs gives the rows of runs, newest start first, without their documents.
	Runs(ctx context.Context, tenant string, q RunQuery) ([]Run, error)
	// Document gives the document of a run; ErrNotFound where it has none.
	Document(ctx context.Context, tenant, runID string) ([]byte, error)

	// Snapshot gives a snapshot; one that was never put has version 0 and no data.
	Snapshot(ctx context.Context, tenant, name string) (Snapshot, error)
	// PutSnapshots puts snapshots, all or none. The Version of each must be the one
	// that was read; where one has moved it is a *ConflictError.
	PutSnapshots(ctx context.Context, tenant string, list []Snapshot) error

	// Acquire takes the lease of a tenant for ttl. Where another holds it, and its
	// time is not over, it is a *LeaseHeldError; a holder of the same Place is gone,
	// and its lease is taken over at once.
	Acquire(ctx context.Context, tenant string, h Holder, ttl time.Duration) (Lease, error)
	// Renew prolongs a lease to ttl from now; one that another took meanwhile is a
	// *LeaseLostError. One that ran out and that nobody took is renewed.
	Renew(ctx context.Context, l Lease, ttl time.Duration) (Lease, error)
	// Release ends a lease. One that is not in force any more is no error.
	Release(ctx context.Context, l Lease) error
	// Holding gives the lease of a tenant as it stands; the zero Lease where there
	// is none.
	Holding(ctx context.Context, tenant string) (Lease, error)

	// Tenants lists the tenants of which anything is kept, sorted.
	Tenants(ctx context.Context) ([]string, error)
	// Describe names the store for people, without secrets: "sqlite:/var/lib/x.db".
	Describe() string
	// Close gives the store back.
	Close() error
}
