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

	mu     sync.Mutex
	loaded bool
	state  State
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
		o = OutcomeOfRun(run, r.Threshold)
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

// tell decides, sends and keeps. Events are sent even where the state cannot be kept:
// to hear twice is better than not to.
func (r *Reporter) tell(ctx context.Context, o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.load(ctx)
	next, events := Decide(r.state, o)
	for _, e := range events {
		r.Sender.Notify(ctx, e)
	}
	changed := !next.equal(r.state)
	r.state = next
	if !changed || r.Save == nil {
		return
	}
	data, err := next.Encode()
	if err == nil {
		err = r.Save(context.WithoutCancel(ctx), data)
	}
	if err != nil {
		r.Logger.WarnContext(ctx, "what was told of the tenant could not be kept, so it may be told again: "+err.Error())
	}
}

// load reads the state that an earlier process left, once. Without it things may be
// told again, which is no reason to tell nothing.
func (r *Reporter) load(ctx context.Context) {
	if r.loaded || r.Load == nil {
		return
	}
	data, err := r.Load(context.WithoutCancel(ctx))
	if err == nil {
		r.state, err = DecodeState(data)
	}
	r.loaded = true
	if err != nil {
		r.Logger.WarnContext(ctx, "what was told of the tenant before is not known, so it may be told again: "+err.Error())
	}
}
