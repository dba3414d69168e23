package daemon

import (
	"context"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
	"github.com/exoaudit/exoaudit/reconcile"
)

// Hooks hear of what the service does. Each may be nil. They are called by the
// goroutine that runs the loops, one at a time, and must not wait.
type Hooks struct {
	// Sleeping hears that nothing will be done for a while.
	Sleeping func(time.Duration)
	// Started hears that a run of a loop begins.
	Started func(loop string)
	// Lease hears whether this process got the right to write when it asked.
	Lease func(held bool)
	// Applying hears of a plan whose writes are about to begin.
	Applying func(ctx context.Context, loop string, p *reconcile.Plan)
	// Ended hears of a run that is over. One that was interrupted, or for which
	// another process had the right to write, is none.
	Ended func(ctx context.Context, runID string, e Ended)
	// Adopted hears of what is enforced from now on.
	Adopted func(*Assignment)
	// Swept hears when the last complete sweep of earlier processes began; the zero
	// time where there was none.
	Swept func(time.Time)
	// Reloaded hears how an attempt to load anew ended.
	Reloaded func(error)
}

// Observing gives the hooks by which figures and health know of the service.
func Observing(m *Metrics, h *Health, now func() time.Time) Hooks {
	return Hooks{
		Sleeping: h.Sleeping,
		Started:  func(string) { h.Working() },
		Lease: func(held bool) {
			m.Lease(held)
			h.Lease(held)
		},
		Applying: func(context.Context, string, *reconcile.Plan) { h.Working() },
		Ended: func(_ context.Context, _ string, e Ended) {
			m.Ran(e)
			h.Ran(e)
		},
		Adopted: func(a *Assignment) {
			var shortest time.Duration
			for _, l := range a.Loops {
				period := l.Schedule.Period(now())
				m.Scheduled(l.Name, period)
				if shortest == 0 || period < shortest {
					shortest = period
				}
			}
			h.Every(shortest)
			h.Loaded()
			m.SweepLimit(a.Request.Policy.Guards.MaxSweepAge)
			h.SweepLimit(a.Request.Policy.Guards.MaxSweepAge)
		},
		Swept: func(at time.Time) {
			m.Swept(at)
			h.Swept(at)
		},
		Reloaded: m.Reloaded,
	}
}

// Telling gives the hooks by which receivers of notifications hear of runs.
func Telling(r *notify.Reporter) Hooks {
	return Hooks{
		Applying: func(ctx context.Context, loop string, p *reconcile.Plan) { r.BeforeApply(ctx, Command(loop), p) },
		Ended: func(ctx context.Context, runID string, e Ended) {
			r.Ended(ctx, Command(e.Loop), runID, e.Plan, e.Run, e.Err)
		},
	}
}

// Command is what the runs of a loop are called where runs are listed.
func Command(loop string) string { return "serve/" + loop }
