package simulator_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestThrottle: items count one each, what is refused costs nothing, and the
// headers tell the truth.
func TestThrottle(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	limit := simulator.Throttle{PerSecond: 2, Burst: 4, Headers: true, RetryAfter: true}
	p := newProbe(t, simulator.Seed{Mailboxes: 3}, simulator.WithClock(func() time.Time { return now }), simulator.WithThrottle(limit))
	six := func() (ok, refused int, a batchAnswer) {
		var items []item
		for i := range 6 {
			items = append(items, p.item(fmt.Sprint(i), "Get-OrganizationConfig", nil))
		}
		a = p.batch(nil, items...)
		for _, r := range a.Responses {
			switch r.Status {
			case http.StatusOK:
				ok++
			case http.StatusTooManyRequests:
				refused++
				if r.Headers["Retry-After"] != "1" {
					t.Errorf("an item says Retry-After %q, want 1", r.Headers["Retry-After"])
				}
			}
		}
		return ok, refused, a
	}
	ok, refused, a := six()
	if a.Status != http.StatusOK || ok != 4 || refused != 2 {
		t.Fatalf("%d: %d items done and %d refused, want the burst of 4 and the rest", a.Status, ok, refused)
	}
	if a.Header.Get("Rate-Limit-Limit") != "4" || a.Header.Get("Rate-Limit-Remaining") != "0" || a.Header.Get("Rate-Limit-Reset") != "2026-07-01T12:00:02.000Z" {
		t.Errorf("headers %v", a.Header)
	}
	if whole := p.invoke("Get-OrganizationConfig", nil); whole.Status != http.StatusTooManyRequests || whole.Header.Get("Retry-After") != "1" {
		t.Errorf("a whole call is answered by %d, Retry-After %q", whole.Status, whole.Header.Get("Retry-After"))
	}
	now = now.Add(500 * time.Millisecond)
	if whole := p.invoke("Get-OrganizationConfig", nil); whole.Status != http.StatusOK {
		t.Errorf("a call after half a second is answered by %d", whole.Status)
	}
	now = now.Add(time.Minute)
	if ok, _, _ = six(); ok != 4 {
		t.Errorf("after a rest %d were done, want no more than the burst of 4", ok)
	}
}

func TestThrottleIsChanged(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	p := newProbe(t, simulator.Seed{Mailboxes: 3}, simulator.WithClock(func() time.Time { return now }))
	done := func() (n int) {
		for range 20 {
			if a := p.invoke("Get-OrganizationConfig", nil); a.Status == http.StatusOK {
				n++
			} else if a.Header.Get("Retry-After") != "" {
				t.Error("a Retry-After that was not asked for")
			}
		}
		return n
	}
	if a := p.invoke("Get-OrganizationConfig", nil); a.Header.Get("Rate-Limit-Limit") == "" {
		t.Error("without a limit the usual headers are absent")
	}
	p.s.SetThrottle(simulator.Throttle{PerSecond: 10, Burst: 10})
	if n := done(); n != 10 {
		t.Errorf("%d at once, want the burst of 10", n)
	}
	if a := p.invoke("Get-OrganizationConfig", nil); a.Header.Get("Rate-Limit-Limit") != "" {
		t.Error("with a limit that tells nothing there are headers")
	}
	now = now.Add(time.Second)
	p.s.SetThrottle(simulator.Throttle{PerSecond: 2, Burst: 4})
	if n := done(); n != 4 {
		t.Errorf("%d after the change, want what the new burst holds of the savings", n)
	}
	now = now.Add(time.Second)
	if n := done(); n != 2 {
		t.Errorf("%d in a second, want 2", n)
	}
	p.s.SetThrottle(simulator.Throttle{})
	if n := done(); n != 20 {
		t.Errorf("%d without a limit, want all 20", n)
	}
}
