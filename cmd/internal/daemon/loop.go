package daemon

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Mode says what a loop does about what it finds.
type Mode string

// The modes.
const (
	// ModeCheck looks and reports.
	ModeCheck Mode = "check"
	// ModeApply makes the tenant as the policy says.
	ModeApply Mode = "apply"
)

// LoopNames lists the loops, the widest first.
func LoopNames() []string { return []string{loopFull, loopBypass, loopIncremental} }

// Loop is one schedule and what is done by it.
type Loop struct {
	// Name is incremental, bypass or full.
	Name     string
	Schedule Schedule
	Mode     Mode
}

// Modes are those of the loops, by name.
type Modes map[string]Mode

// ParseModes reads "check" or "apply" for all loops, or NAME=MODE for each, parted by
// commas; a loop that is not named checks.
func ParseModes(text string) (Modes, error) {
	modes := Modes{}
	for _, name := range LoopNames() {
		modes[name] = ModeCheck
	}
	if mode := Mode(text); mode.known() {
		for name := range modes {
			modes[name] = mode
		}
		return modes, nil
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		name, word, found := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case !found:
			return nil, fmt.Errorf("there is no mode %q; write check, apply, or LOOP=MODE for some of %s", part, strings.Join(LoopNames(), ", "))
		case !slices.Contains(LoopNames(), name):
			return nil, fmt.Errorf("there is no loop %q; loops are %s", name, strings.Join(LoopNames(), ", "))
		case !Mode(word).known():
			return nil, fmt.Errorf("the loop %s cannot %q; write check or apply", name, word)
		case seen[name]:
			return nil, fmt.Errorf("the loop %s has two modes", name)
		}
		seen[name], modes[name] = true, Mode(word)
	}
	return modes, nil
}

func (m Mode) known() bool { return m == ModeCheck || m == ModeApply }

// covers tells whether a run of one loop does all that a run of the other would.
func (l Loop) covers(other Loop) bool {
	return slices.Index(LoopNames(), l.Name) <= slices.Index(LoopNames(), other.Name) &&
		(l.Mode == ModeApply || other.Mode == ModeCheck)
}

// clock is when a loop ran, and when it will.
type clock struct {
	Loop
	// last is the tick that a run stood for, due the next one, and wake the moment
	// of the run for it.
	last, due, wake time.Time
}

// limits of the time by which a run is put off.
const (
	jitterShare = 10
	longestPut  = time.Minute
)

// arm sets the clock for the tick after the last one. A tick that has come already
// is not put off.
func (c *clock) arm(now time.Time, jitter func(time.Duration) time.Duration) {
	c.due = c.Schedule.Next(c.last)
	if !c.due.After(now) {
		c.wake = now
		return
	}
	c.wake = c.due.Add(jitter(min(c.Schedule.Next(c.due).Sub(c.due)/jitterShare, longestPut)))
}

// served notes a run that began at a time: it stands for every tick up to then.
func (c *clock) served(began time.Time) {
	if !c.due.IsZero() && !began.Before(c.due) && c.Schedule.Next(c.due).After(began) {
		c.last = c.due // so that the rhythm stays, however late the run was
		return
	}
	c.last = began
}

// seededJitter gives times that a tenant has to itself: services of many tenants
// that have the same schedule do not call at the same moment. It is the same part of
// the limit each time, so that two runs are never further apart than their interval.
func seededJitter(tenant string) func(limit time.Duration) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(tenant))                         // a hash takes everything
	share := rand.New(rand.NewPCG(h.Sum64(), 0)).Float64() //nolint:gosec // It spreads load, and guards nothing.
	return func(limit time.Duration) time.Duration {
		return time.Duration(share * float64(max(limit, 0)))
	}
}
