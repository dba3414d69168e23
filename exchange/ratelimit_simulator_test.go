package exchange_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestSlowServiceCostsTimeAndNoResult: four batches of five are in flight at a
// service that carries out one cmdlet in ten seconds and saves up two. Each batch
// waits for longer than its budget in all, and as long as something of it goes
// through nothing is given up, and only what was refused is sent again.
func TestSlowServiceCostsTimeAndNoResult(t *testing.T) {
	for name, retryAfter := range map[string]bool{"with Retry-After": true, "with nothing": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulator.New(simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 40}),
					simulator.WithThrottle(simulator.Throttle{PerSecond: 0.1, Burst: 2, RetryAfter: retryAfter}))
				const budget = 3 * time.Minute
				c := connect(t, s, func(cfg *exchange.Config) { cfg.Retry.Budget = budget })
				var edits []exchange.MailboxEdit
				for m := range s.Tenant().AllMailboxes() {
					if m.Type == "UserMailbox" && len(edits) < 20 {
						edits = append(edits, exchange.MailboxEdit{Ref: exchange.MailboxRef{Guid: m.Guid}, AuditLogAgeLimit: "200.00:00:00"})
					}
				}
				start := time.Now()
				var group sync.WaitGroup
				for i := range 4 {
					part := edits[i*len(edits)/4 : (i+1)*len(edits)/4]
					group.Go(func() {
						for _, r := range c.SetMailboxes(t.Context(), part) {
							if r.Err != nil {
								t.Error(r.Err)
							}
						}
					})
				}
				group.Wait()
				if took := time.Since(start); took < budget {
					t.Fatalf("it took %v, so the budget of %v was never in danger", took, budget)
				}
				writtenOnce(t, s, len(edits))
			})
		})
	}
}

// writtenOnce fails the test unless so many mailboxes were written, each once.
func writtenOnce(t *testing.T, s *simulator.Service, want int) {
	t.Helper()
	accepted := map[any]int{}
	for _, call := range s.Calls() {
		for _, cmdlet := range call.Cmdlets {
			if cmdlet.Cmdlet == "Set-Mailbox" && cmdlet.Status == 200 {
				accepted[cmdlet.Parameters["Identity"]]++
			}
		}
	}
	for identity, n := range accepted {
		if n != 1 {
			t.Errorf("%v was written %d times", identity, n)
		}
	}
	if len(accepted) != want {
		t.Errorf("%d mailboxes were written, want %d", len(accepted), want)
	}
}
