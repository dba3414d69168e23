package reconcile_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/store"
)

// unrenewed is a store that renews no lease, as on a disk that is full.
type unrenewed struct{ *shelf }

func (unrenewed) Renew(_ context.Context, l store.Lease, _ time.Duration) (store.Lease, error) {
	return l, errors.New("the disk is full")
}

// another takes the lease of a tenant from whoever has it.
func (s *shelf) another(tenant *simulator.Tenant) {
	_, _ = s.Acquire(context.Background(), tenant.ID(), store.Holder{Name: "another"}, store.LeaseTTL)
}

// short is the number of mailboxes whose age limit is too short.
func short(tenant *simulator.Tenant) int {
	n := 0
	for m := range tenant.AllMailboxes() {
		if m.AgeLimit == "30.00:00:00" {
			n++
		}
	}
	return n
}

// planned plans an apply, or the undo of one that was made before, under a lease; it
// gives what makes the writes and gives the lease back.
func (b *bench) planned(st store.Store, s *shelf, undo bool) func() *reconcile.Run {
	b.t.Helper()
	if undo {
		b.applying(s, b.later(longAge, "run-1"))
	}
	w, err := b.session(st).Begin(b.ctx(), "run-2", nil, "")
	if err != nil {
		b.t.Fatal(err)
	}
	var plan *reconcile.Plan
	write := w.Apply
	if undo {
		write = w.Undo
		plan, err = w.PlanUndo(b.ctx(), reconcile.UndoRequest{Tool: "test", RunID: "run-2", Now: time.Now, Run: "run-1", Entries: s.entries(b.t), AllowWeakening: true})
	} else {
		plan, err = w.Check(b.ctx(), b.later(longAge, "run-2"))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return func() *reconcile.Run {
		defer func() { _ = w.Close() }() // The lease may be another's.
		run, err := write(b.ctx(), plan, reconcile.ApplyOptions{Now: time.Now})
		if err != nil {
			b.t.Fatal(err)
		}
		return run
	}
}

// TestLeaseEndsWhileThrottled: writes that wait because the service throttles them
// are not sent when the lease of the tenant is not ours any more. Another process may
// write meanwhile, and the journal would take no outcome of them. As long as it is
// renewed they are sent, however long that takes.
func TestLeaseEndsWhileThrottled(t *testing.T) {
	t.Parallel()
	faults := map[string]simulator.Fault{
		"a batch": {Cmdlet: "$batch", With: nil, Do: simulator.DoThrottle, Times: 1},
		"items":   {Cmdlet: "Set-Mailbox", Item: true, Do: simulator.DoThrottle, Times: 4},
	}
	for name, fault := range faults {
		for _, test := range []struct {
			name       string
			wait, take time.Duration
			unrenewed  bool
			kept       bool
		}{
			{"not renewed", 5 * time.Minute, 0, true, false},
			{"taken when it was over", 5 * time.Minute, 90 * time.Second, false, false},
			{"taken early", 20 * time.Second, time.Second, false, false},
			{"kept", 5 * time.Minute, 0, false, true},
		} {
			for _, undo := range []bool{false, true} {
				t.Run(name+" "+test.name, func(t *testing.T) {
					synctestRun(t, func(t *testing.T) {
						tenant := simulator.NewTenant(simulator.Seed{Seed: 3, Mailboxes: 8})
						shorten(tenant, users(tenant)[:5]...)
						b, s := newBench(t, tenant), newShelf()
						var st store.Store = s
						if test.unrenewed {
							st = unrenewed{s}
						}
						write := b.planned(st, s, undo)
						fault.RetryAfter = test.wait
						b.service.AddFaults(fault)
						b.service.ResetCalls()
						if test.take > 0 {
							time.AfterFunc(test.take, func() { s.another(tenant) })
						}
						run := write()
						if test.kept {
							if run.Stopped != "" || run.Results()[reconcile.ResultVerified] != 5 {
								t.Errorf("undo %t: stopped %q, %v", undo, run.Stopped, run.Results())
							}
							return
						}
						before := 5
						if undo {
							before = 0
						}
						// One item of the five is not throttled, and is written under the lease.
						if n := short(tenant); n < before-1 || n > before+1 || name == "a batch" && n != before {
							t.Errorf("undo %t: %d of %d still have what they had: writes were made without the lease", undo, n, before)
						}
						if !strings.Contains(run.Stopped, "lease") || run.Verdict(strict) == reconcile.VerdictInLine {
							t.Errorf("undo %t: stopped %q, %s, %v", undo, run.Stopped, run.Verdict(strict), run.Results())
						}
					})
				})
			}
		}
	}
}
