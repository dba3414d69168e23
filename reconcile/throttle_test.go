package reconcile_test

import (
	"context"
	"runtime/debug"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// The limit of TestLargeThrottle, in cmdlets a second, reads and writes together:
// high, then a fifth of it, then high again.
const (
	throttleHigh  = 200.0
	throttleLow   = throttleHigh / 5
	throttleBurst = 200
	// throttleLatency is short enough for four batches in flight to reach the limit:
	// with 300 ms they would carry 133 cmdlets a second, limit or not.
	throttleLatency = 20 * time.Millisecond
	// throttleFalls and throttleRises are when the limit changes, after the first
	// write.
	throttleFalls = 100 * time.Second
	throttleRises = 220 * time.Second
	// throttleSettles is how long the client may take to find the rate after a
	// change before it is measured.
	throttleSettles = 60 * time.Second
)

// TestLargeThrottle writes 20,000 mailboxes while the service limits the rate of
// cmdlets and changes the limit: each is written once, none is lost, and of the
// stable parts together at least 0.95 of the limit is used, with few refusals.
func TestLargeThrottle(t *testing.T) {
	skipShort(t)
	// The log of all calls is kept: collecting it again and again is half the time.
	before := debug.SetGCPercent(400)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	drifted := simulator.NewTenant(simulator.Seed{Seed: 9, Mailboxes: 20_000})
	for m := range drifted.AllMailboxes() {
		drifted.Update(m.Guid, func(m *simulator.Mailbox) { m.AgeLimit = "30.00:00:00" })
	}
	for _, c := range []struct {
		name    string
		limit   simulator.Throttle
		refused float64 // bound of the share of refused cmdlets where the limit is stable
	}{
		{"with headers", simulator.Throttle{Headers: true, RetryAfter: true}, 0},
		{"with Retry-After alone", simulator.Throttle{RetryAfter: true}, 0.05},
		{"with neither", simulator.Throttle{}, 0.05},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tenant := drifted.Snapshot()
			synctestRun(t, func(t *testing.T) { applyThrottled(t, tenant, c.limit, c.refused) })
		})
	}
}

func applyThrottled(t *testing.T, tenant *simulator.Tenant, limit simulator.Throttle, mostRefused float64) {
	limit.PerSecond, limit.Burst = throttleHigh, throttleBurst
	b := newBench(t, tenant, simulator.WithThrottle(limit), simulator.WithLatency(throttleLatency))
	b.client = defaultClient(t, b)
	p := parse(t, `mailboxes: {everyone: {types: [UserMailbox, SharedMailbox, RoomMailbox, EquipmentMailbox, DiscoveryMailbox], ageLimit: 90d}}`+"\nguards: {maxChangedPercent: 100}\n")
	plan := b.check(p)
	want := plan.Summary().ChangedMailboxes
	b.service.ResetCalls()
	begun := time.Now()
	changing := make(chan struct{})
	go func() {
		defer close(changing)
		for _, at := range []struct {
			after time.Duration
			rate  float64
		}{{throttleFalls, throttleLow}, {throttleRises, throttleHigh}} {
			time.Sleep(time.Until(begun.Add(at.after)))
			limit.PerSecond = at.rate
			b.service.SetThrottle(limit)
		}
	}()
	run := b.apply(plan, with(&tally{}))
	finished := time.Now()
	<-changing
	if r := run.Results(); r[reconcile.ResultVerified] != want || len(r) != 1 || run.Stopped != "" {
		t.Errorf("results %v of %d changes, stopped: %s", r, want, run.Stopped)
	}
	b.satisfied(p)
	calls := b.service.Calls()
	writtenOnce(t, calls, want)
	var used, allowed float64
	for _, w := range []struct {
		name     string
		from, to time.Duration
		limit    float64
	}{
		{"at first", throttleSettles, throttleFalls, throttleHigh},
		{"after the fall", throttleFalls + throttleSettles, throttleRises, throttleLow},
		{"after the rise", throttleRises + throttleSettles, finished.Sub(begun) - 5*time.Second, throttleHigh},
	} {
		done, refused := meter(calls, begun.Add(w.from), begun.Add(w.to))
		share := float64(refused) / float64(done+refused)
		rate := float64(done) / (w.to - w.from).Seconds()
		t.Logf("%s: limit %.0f/s, %.1f/s used = %.3f, %.2f%% refused, over %v", w.name, w.limit, rate, rate/w.limit, 100*share, w.to-w.from)
		used, allowed = used+float64(done), allowed+w.limit*(w.to-w.from).Seconds()
		if rate < 0.9*w.limit { // one window may hold two searches and the rests after them
			t.Errorf("%s: %.1f cmdlets a second, want at least 0.9 of %.0f", w.name, rate, w.limit)
		}
		if share > mostRefused {
			t.Errorf("%s: %.2f%% of the cmdlets were refused, want at most %.2f%%", w.name, 100*share, 100*mostRefused)
		}
	}
	t.Logf("in all stable parts %.3f of the limit was used", used/allowed)
	if used < 0.95*allowed {
		t.Errorf("in the stable parts %.3f of the limit was used, want at least 0.95", used/allowed)
	}
	stats := b.client.Stats()
	t.Logf("%d mailboxes in %v of simulated time: %d requests, %d answers 429", want, finished.Sub(begun).Round(time.Second), stats.Requests, stats.Throttled)
}

// defaultClient is a client as the program makes it, with the rates by default.
func defaultClient(t *testing.T, b *bench) *exchange.Client {
	client, err := exchange.New(exchange.Config{
		Endpoint: "https://outlook.office365.com", TenantID: b.tenant.ID(), Transport: b.service.RoundTripper(),
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "a-token", TokenType: "Bearer"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// writtenOnce fails the test unless so many mailboxes were written, each by one
// Set-Mailbox that the service accepted.
func writtenOnce(t *testing.T, calls []simulator.Call, want int) {
	t.Helper()
	accepted := map[any]int{}
	for _, call := range calls {
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

// meter counts the cmdlets of calls that arrived between two times.
func meter(calls []simulator.Call, from, to time.Time) (done, refused int) {
	for _, call := range calls {
		if call.At.Before(from) || !call.At.Before(to) {
			continue
		}
		for _, cmdlet := range call.Cmdlets {
			if cmdlet.Status == 429 {
				refused++
			} else {
				done++
			}
		}
	}
	return done, refused
}

// tally is a record that keeps nothing: the disk has no part in what is measured.
type tally struct{}

func (*tally) Begin(context.Context, journal.Begin) error        { return nil }
func (*tally) Intend(context.Context, []journal.Intent) error    { return nil }
func (*tally) Conclude(context.Context, []journal.Outcome) error { return nil }
func (*tally) End(context.Context) error                         { return nil }
func (*tally) Head() string                                      { return "" }
