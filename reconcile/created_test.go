package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

// TestCreatedInLine: a mailbox that is new counts once, when the run over what is new
// has brought it in line; not one that was known, that was in line by itself, that
// failed, or that somebody weakened again.
func TestCreatedInLine(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := healthyTenant(10)
		b, s := newBench(t, tenant), newShelf()
		since := func(id string) reconcile.Request {
			time.Sleep(4 * time.Minute)
			req := b.later(longAge, id)
			req.SinceLastRun = true
			return req
		}
		counted := func(id string, want ...time.Time) {
			t.Helper()
			run := b.applying(s, since(id))
			if run.Plan.Coverage.Scope != reconcile.ScopeIncremental {
				t.Fatalf("%s: scope %s, %q", id, run.Plan.Coverage.Scope, run.Plan.Warnings)
			}
			got := slices.Collect(run.CreatedInLine())
			if !slices.EqualFunc(got, want, time.Time.Equal) {
				t.Errorf("%s: %s, want %s (%v)", id, got, want, run.Results())
			}
		}
		b.remembering(s, b.later(longAge, "sweep"))
		time.Sleep(time.Hour)
		made := time.Now()
		box := tenant.AddMailbox(simulator.Mailbox{Name: "new", PrimarySMTPAddress: "new@contoso.com", AgeLimit: "30.00:00:00", Created: made})
		tenant.AddMailbox(simulator.Mailbox{Name: "fine", PrimarySMTPAddress: "fine@contoso.com", AgeLimit: "90.00:00:00", Created: made})
		shorten(tenant, users(tenant)[0])
		counted("first", made)
		counted("nothing new")
		shorten(tenant, box.Guid)
		counted("weakened again")

		tenant.AddMailbox(simulator.Mailbox{Name: "bad", PrimarySMTPAddress: "bad@contoso.com", AgeLimit: "30.00:00:00", Created: time.Now()})
		made = time.Now()
		way := b.service
		b.service = simulator.New(tenant, simulator.WithFaults(simulator.Fault{Name: "no", Cmdlet: "Set-Mailbox", Item: true, Do: simulator.DoStatus, Status: 400}))
		b.reconnect()
		counted("failed")
		b.service = way
		b.reconnect()
		counted("at last", made)

		tenant.AddMailbox(simulator.Mailbox{Name: "swept", PrimarySMTPAddress: "swept@contoso.com", AgeLimit: "30.00:00:00", Created: time.Now()})
		if got := slices.Collect(b.applying(s, b.later(longAge, "second sweep")).CreatedInLine()); len(got) > 0 {
			t.Errorf("a sweep knows when mailboxes were made: %s", got)
		}
	})
}
