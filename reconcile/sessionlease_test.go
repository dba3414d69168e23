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

// TestLeaseEndsWhileThrottled: writes that wait because the service throttles them
// are not sent when the lease of the tenant is not ours any more. Another process may
// write meanwhile, and the journal would take no outcome of them.
func TestLeaseEndsWhileThrottled(t *testing.T) {
	const text = "mailboxes: {everyone: {ageLimit: 90d}}\nguards: {maxChangedPercent: 100}\n"
	faults := map[string]simulator.Fault{
		"a batch": {Cmdlet: "$batch", With: nil, Do: simulator.DoThrottle, RetryAfter: 5 * time.Minute, Times: 1},
		"items":   {Cmdlet: "Set-Mailbox", Item: true, Do: simulator.DoThrottle, RetryAfter: 5 * time.Minute, Times: 4},
	}
	for name, fault := range faults {
		for _, taken := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctestRun(t, func(t *testing.T) {
					tenant := simulator.NewTenant(simulator.Seed{Seed: 3, Mailboxes: 8})
					shorten(tenant, users(tenant)[:5]...)
					b, s := newBench(t, tenant), newShelf()
					var st store.Store = unrenewed{s}
					if taken {
						st = s
					}
					w, err := b.session(st).Begin(t.Context(), "run-1", nil, "")
					if err != nil {
						t.Fatal(err)
					}
					defer func() { _ = w.Close() }() // the lease is another's
					plan, err := w.Check(t.Context(), b.later(text, "run-1"))
					if err != nil {
						t.Fatal(err)
					}
					b.service.AddFaults(fault)
					b.service.ResetCalls()
					go func() {
						time.Sleep(90 * time.Second)
						b.service.ResetCalls()
						if taken {
							_, _ = s.Acquire(context.Background(), tenant.ID(), store.Holder{Name: "another"}, store.LeaseTTL)
						}
					}()
					run, err := w.Apply(t.Context(), plan, reconcile.ApplyOptions{Now: time.Now})
					if err != nil {
						t.Fatal(err)
					}
					if n := b.writes(); n > 0 || !strings.Contains(run.Stopped, "lease") || run.Verdict(strict) == reconcile.VerdictInLine {
						t.Errorf("taken %v: %d writes were made without the lease; stopped %q, %s, %v", taken, n, run.Stopped, run.Verdict(strict), run.Results())
					}
				})
			})
		}
	}
}
