package exchange_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestSlowServiceCostsTimeAndNoResult: four batches are in flight at a service that
// saves up less than one of them weighs; and one batch waits for longer than its
// budget in all. As long as something of a batch goes through nothing of it is given
// up, and only what was refused is sent again.
func TestSlowServiceCostsTimeAndNoResult(t *testing.T) {
	for name, c := range map[string]struct {
		perSecond  float64
		batches    int
		retryAfter bool
		least      time.Duration // that it takes
	}{
		"four batches, with Retry-After": {2, 4, true, 10 * time.Second},
		"four batches, with nothing":     {2, 4, false, 10 * time.Second},
		"beyond the budget":              {1.0 / 240, 1, false, 15 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulator.New(simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 80}),
					simulator.WithThrottle(simulator.Throttle{PerSecond: c.perSecond, Burst: 2, RetryAfter: c.retryAfter}))
				client := connect(t, s)
				var edits []exchange.MailboxEdit
				for m := range s.Tenant().AllMailboxes() {
					if m.Type == "UserMailbox" && len(edits) < c.batches*exchange.BatchSize {
						edits = append(edits, exchange.MailboxEdit{Ref: exchange.MailboxRef{Guid: m.Guid}, AuditLogAgeLimit: "200.00:00:00"})
					}
				}
				start := time.Now()
				var group sync.WaitGroup
				for part := range slices.Chunk(edits, exchange.BatchSize) {
					group.Go(func() {
						for _, r := range client.SetMailboxes(t.Context(), part) {
							if r.Err != nil {
								t.Error(r.Err)
							}
						}
					})
				}
				group.Wait()
				if took := time.Since(start); took < c.least {
					t.Errorf("it took %v, less than the service needs", took)
				}
				writtenOnce(t, s, c.batches*exchange.BatchSize)
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
