package notify

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
)

// SnapshotName is the name under which a store keeps a tenant's [State].
const SnapshotName = "notify"

// Reporter decides and sends for one tenant. A nil Reporter does nothing. Its methods
// return without waiting for any receiver.
type Reporter struct {
	Sender    *Sender
	Tenant    string
	Threshold reconcile.Threshold
	Now       func() time.Time
	Logger    *slog.Logger
	// ApplicationID is the application (client) id that runs act as; empty where it is
	// not known.
	ApplicationID string
	// Load and Save keep the encoded State between processes, in a snapshot called
	// SnapshotName say. Where they are nil the state is that of this process.
	Load func(context.Context) ([]byte, error)
	Save func(context.Context, []byte) error

	mu    sync.Mutex
	state State
	// ahead tells that the state could not be kept, so that it is newer than what is.
	ahead bool

	lostMu sync.Mutex
	lost   []Event // that no target took
}

// BeforeApply announces the writes of a plan.
func (r *Reporter) BeforeApply(ctx context.Context, command string, p *reconcile.Plan) {
	if r == nil {
		return
	}
	if e, ok := BeforeApply(p, r.Threshold, command, r.ApplicationID, r.Now()); ok {
		r.Sender.Notify(ctx, e)
	}
}

// Ended tells what is to be told of a run that has ended: of its run where it applied,
// else of its plan, else of its error.
func (r *Reporter) Ended(ctx context.Context, command, runID string, p *reconcile.Plan, run *reconcile.Run, err error) {
	if r == nil {
		return
	}
	var o Outcome
	switch {
	case run != nil:
		if o = OutcomeOfRun(run, r.Threshold); err != nil {
			o.notKept(err)
		}
	case err != nil:
		o = OutcomeOfError(err, r.Tenant, runID, r.Now())
	case p != nil:
		o = OutcomeOfPlan(p, r.Threshold, r.Now())
	default:
		return
	}
	o.Command, o.ApplicationID = command, r.ApplicationID
	r.tell(ctx, o)
}

// Undone tells that a run which took another back has ended. That says nothing of how
// the tenant stands to its policy.
func (r *Reporter) Undone(ctx context.Context, command string, run *reconcile.Run) {
	if r == nil {
		return
	}
	o := OutcomeOfRun(run, r.Threshold)
	o.Partial, o.Command, o.ApplicationID = true, command, r.ApplicationID
	r.tell(ctx, o)
}

// Settle keeps what no target took, for the next process to tell. It is for after the
// end of the Sender.
func (r *Reporter) Settle(ctx context.Context) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	lost := r.takeLost()
	if len(lost) == 0 {
		return
	}
	r.load(ctx)
	before := r.state
	for _, e := range lost {
		r.state.owe(e)
	}
	r.keep(ctx, before)
}

// tell decides, sends and keeps. Events are sent even where the state cannot be kept:
// to hear twice is better than not to.
func (r *Reporter) tell(ctx context.Context, o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.load(ctx)
	before := r.state
	for _, e := range r.takeLost() {
		r.state.owe(e)
	}
	next, events := Decide(r.state, o)
	for _, e := range events {
		r.Sender.NotifyOr(ctx, e, func() {
			r.lostMu.Lock()
			defer r.lostMu.Unlock()
			r.lost = append(r.lost, e)
		})
	}
	r.state = next
	r.keep(ctx, before)
}

// takeLost gives what no target took since it was last asked.
func (r *Reporter) takeLost() []Event {
	r.lostMu.Lock()
	defer r.lostMu.Unlock()
	lost := r.lost
	r.lost = nil
	return lost
}

// keep keeps the state where it is another than before, or than what is kept.
func (r *Reporter) keep(ctx context.Context, before State) {
	if r.Save == nil || !r.ahead && r.state.equal(before) {
		return
	}
	data, err := r.state.Encode()
	if err == nil {
		err = r.Save(context.WithoutCancel(ctx), data)
	}
	if r.ahead = err != nil; r.ahead {
		r.Logger.WarnContext(ctx, "what was told of the tenant could not be kept, so it may be told again: "+err.Error())
	}
}

// load reads the state that the last run left, which may be one of another process.
// Without it things may be told again, which is no reason to tell nothing.
func (r *Reporter) load(ctx context.Context) {
	if r.Load == nil || r.ahead {
		return
	}
	data, err := r.Load(context.WithoutCancel(ctx))
	if err == nil {
		var state State
		if state, err = DecodeState(data); err == nil {
			r.state = state
		}
	}
	if err != nil {
		r.Logger.WarnContext(ctx, "what was told of the tenant before is not known, so it may be told again: "+err.Error())
	}
}
