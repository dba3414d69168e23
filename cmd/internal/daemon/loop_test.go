package daemon

import (
	"testing"
	"time"
)

// TestSeededJitter: a tenant has a sequence of its own, below the limit.
func TestSeededJitter(t *testing.T) {
	a, again, b := seededJitter("tenant-a"), seededJitter("tenant-a"), seededJitter("tenant-b")
	differ := false
	for range 100 {
		x, y, z := a(time.Minute), again(time.Minute), b(time.Minute)
		if x != y || x < 0 || x >= time.Minute {
			t.Fatalf("%s and %s", x, y)
		}
		differ = differ || x != z
	}
	if !differ {
		t.Error("two tenants have the same sequence")
	}
	if d := a(0); d != 0 {
		t.Errorf("below nothing it gives %s", d)
	}
}

// TestClock: a run is put off by up to a tenth of its period and a minute, the rhythm
// does not move with it, and a tick that has come is not put off.
func TestClock(t *testing.T) {
	most := func(limit time.Duration) time.Duration { return limit }
	at := instant(t, "2026-11-23T10:00:00Z")
	for text, put := range map[string]time.Duration{"1m": 6 * time.Second, "5m": 30 * time.Second, "1h": time.Minute, "0 3 * * *": time.Minute} {
		c := &clock{Loop: Loop{Schedule: scheduleOf(t, text, "UTC")}, last: at}
		c.arm(at, most)
		first := c.due
		if got := c.wake.Sub(c.due); got != put {
			t.Errorf("%s is put off by %s, want %s", text, got, put)
		}
		c.served(c.wake)
		c.arm(c.wake, most)
		if want := c.Schedule.Next(first); !c.due.Equal(want) {
			t.Errorf("%s: after a run that was put off the next is due at %s, want %s", text, c.due, want)
		}
		late := c.wake.Add(100 * 24 * time.Hour)
		c.served(late)
		c.arm(late, most)
		if want := c.Schedule.Next(late); !c.due.Equal(want) {
			t.Errorf("%s: after a run that was late the next is due at %s, want %s", text, c.due, want)
		}
		c.arm(c.due.Add(time.Second), most)
		if want := c.due.Add(time.Second); !c.wake.Equal(want) {
			t.Errorf("%s: a tick that came meanwhile wakes at %s, want %s", text, c.wake, want)
		}
	}
}

// TestCovers: a loop stands for a narrower one where it also does what that would.
func TestCovers(t *testing.T) {
	loop := func(name string, mode Mode) Loop { return Loop{Name: name, Mode: mode} }
	for _, tt := range []struct {
		wide, narrow Loop
		want         bool
	}{
		{loop(loopFull, ModeCheck), loop(loopIncremental, ModeCheck), true},
		{loop(loopFull, ModeApply), loop(loopBypass, ModeCheck), true},
		{loop(loopBypass, ModeApply), loop(loopIncremental, ModeApply), true},
		{loop(loopFull, ModeCheck), loop(loopIncremental, ModeApply), false},
		{loop(loopIncremental, ModeApply), loop(loopFull, ModeCheck), false},
		{loop(loopIncremental, ModeApply), loop(loopBypass, ModeApply), false},
	} {
		if got := tt.wide.covers(tt.narrow); got != tt.want {
			t.Errorf("%v covers %v: %t", tt.wide, tt.narrow, got)
		}
	}
}
