package daemon

import (
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestServeReloadBetweenLongRuns: where every run takes longer than the interval, so
// that one follows upon the other, a reload comes between two of them all the same.
func TestServeReloadBetweenLongRuns(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 5}, func(t *testing.T, b *bench) {
		stop := b.start()
		defer stop()
		wait(30 * time.Minute)
		b.daemon.Reload()
		wait(20 * time.Minute)
		if b.hears("reloaded") != 1 || len(b.runs()) < 5 {
			t.Errorf("after %d runs heard %v", len(b.runs()), b.heard)
		}
	}, simulator.WithFaults(simulator.Delayed("Get-OrganizationConfig", 0, 6*time.Minute)))
}

// TestJitterKeepsTheInterval: runs are put off, each tenant's by a time of its own, and
// yet no two of a loop are further apart than its interval: what is created right
// after a run is in line one interval later.
func TestJitterKeepsTheInterval(t *testing.T) {
	t.Parallel()
	every, err := ParseSchedule("5m", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	put := map[time.Duration]bool{}
	for _, tenant := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		jitter := seededJitter(tenant)
		now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
		c := clock{Loop: Loop{Name: loopIncremental, Schedule: every}, last: now}
		c.arm(now, jitter)
		first := c.wake.Sub(c.due)
		if first < 0 || first > 30*time.Second {
			t.Errorf("tenant %s: put off by %s", tenant, first)
		}
		put[first] = true
		for range 1000 {
			ran := c.wake
			c.served(ran)
			c.arm(ran.Add(3*time.Second), jitter)
			if gap := c.wake.Sub(ran); gap > 5*time.Minute {
				t.Fatalf("tenant %s: %s between two runs", tenant, gap)
			}
		}
	}
	if len(put) < 6 {
		t.Errorf("eight tenants are put off by %d different times", len(put))
	}
}

// TestServeReloadKeepsWhatIsDue: a sweep that failed is made again in its time, also
// where a reload comes in between.
func TestServeReloadKeepsWhatIsDue(t *testing.T) {
	inBubble(t, simulator.Seed{Mailboxes: 5}, func(t *testing.T, b *bench) {
		b.incremental, b.bypass = "12h", "12h"
		stop := b.start()
		defer stop()
		wait(8 * time.Minute) // at 0, 1, 3, 7
		b.service.DisarmFaults()
		b.daemon.Reload()
		wait(8 * time.Minute) // the next is at 15
		if got := b.runs(); len(got) != 5 || b.last().Loop != loopFull || !b.last().Complete() {
			t.Errorf("ran %v, the last %s", got, b.last().Verdict())
		}
	}, simulator.WithFaults(simulator.Refused("Get-Mailbox")))
}
