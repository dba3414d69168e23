package daemon

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // images without a system have no zones of their own

	"github.com/robfig/cron/v3"
)

// shortestPeriod is how often a loop may run at most.
const shortestPeriod = time.Minute

// Schedule says when a loop runs. The zero value is none.
type Schedule struct {
	text string
	// every is the time between two runs; where it is zero cron says when they are.
	every time.Duration
	cron  cron.Schedule
	zone  *time.Location
}

// ParseZone reads the name of a time zone, such as Europe/Berlin. Empty is UTC. That
// of the machine has to be named too: who reads the file should know when a run is.
func ParseZone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	if name == "Local" {
		return nil, errors.New("a zone has a name such as UTC or Europe/Berlin; that of the machine is not taken")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q; write UTC, or a name such as Europe/Berlin", name)
	}
	return zone, nil
}

// ParseSchedule reads a duration such as 5m or 1h, or five fields of cron (minute,
// hour, day of month, month, day of week) in a zone. It refuses what would run more
// often than once a minute, or never.
func ParseSchedule(text string, zone *time.Location) (Schedule, error) {
	s := Schedule{text: text, zone: zone}
	span, isSpan := strings.CutPrefix(text, "@every ")
	every, err := time.ParseDuration(strings.TrimSpace(span))
	switch {
	case err == nil:
		if every < shortestPeriod {
			return Schedule{}, fmt.Errorf("a loop runs once in %s at most, but %q asks for more", shortestPeriod, text)
		}
		s.every = every
		return s, nil
	case isSpan:
		return Schedule{}, fmt.Errorf("%q is no duration; write 5m or 1h", text)
	}
	if s.cron, err = parseCron(text); err != nil {
		return Schedule{}, err
	}
	// Any moment will do: what comes in five years comes, and cron looks no further.
	if s.Next(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Schedule{}, fmt.Errorf("%q never comes: there is no such day", text)
	}
	return s, nil
}

// parseCron reads fields of cron. The parser cuts a zone off the text and panics
// where nothing follows it (robfig/cron#554), and the zone is named elsewhere, so none
// is let in.
func parseCron(text string) (s cron.Schedule, err error) {
	if strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ=") {
		return nil, errors.New("the zone does not belong here; write it as serve.zone or --zone")
	}
	defer func() {
		if recover() != nil {
			s, err = nil, errors.New("it cannot be read; "+scheduleForms)
		}
	}()
	if s, err = cron.ParseStandard(text); err != nil {
		return nil, fmt.Errorf("%w; %s", err, scheduleForms)
	}
	return s, nil
}

const scheduleForms = `write a duration such as 5m, or five fields of cron such as "0 3 * * *"`

// String gives the text that was read.
func (s Schedule) String() string { return s.text }

// Zone gives the zone in which cron is read.
func (s Schedule) Zone() *time.Location { return s.zone }

// IsCron tells whether the schedule names moments, to which the zone matters.
func (s Schedule) IsCron() bool { return s.every == 0 && s.cron != nil }

// farthest is how far cron looks ahead.
const farthest = 5 * 366 * 24 * time.Hour

// Next gives the first moment after another; the zero time where there is none. A
// moment that a change of the clocks skips comes when the clocks have changed, one
// that they repeat comes twice.
//
// Cron is asked for each time between two changes of the clocks as if there were none:
// over a change it skips moments, and in zones that change by half an hour a whole
// day (robfig/cron v3.0.1).
func (s Schedule) Next(after time.Time) time.Time {
	if s.every > 0 {
		return after.Add(s.every)
	}
	local, from := after.In(s.zone), after
	for {
		_, offset := local.Zone()
		_, change := local.ZoneBounds()
		next := s.cron.Next(from.In(time.FixedZone("", offset)))
		switch {
		case change.IsZero(), !next.IsZero() && next.Before(change):
			return next
		case s.skips(change, offset):
			return change
		case change.Sub(after) > farthest:
			return time.Time{}
		}
		local, from = change.In(s.zone), change.Add(-time.Second)
	}
}

// skips tells whether a moment of the schedule is in the gap that a change of the
// clocks from an offset leaves; there is none where they are put back.
func (s Schedule) skips(change time.Time, offset int) bool {
	_, after := change.In(s.zone).Zone()
	gap := time.Duration(after-offset) * time.Second
	tick := s.cron.Next(change.Add(-time.Second).In(time.FixedZone("", offset)))
	return !tick.IsZero() && tick.Before(change.Add(gap))
}

// periodSamples is how many moments tell how far they are apart: those of an hour
// that repeat by the minute, or of a week that repeat by the day.
const periodSamples = 64

// Period gives the longest time between two runs, as far as the next ones tell.
func (s Schedule) Period(from time.Time) time.Duration {
	if s.every > 0 {
		return s.every
	}
	var longest time.Duration
	at := s.Next(from)
	for range periodSamples {
		next := s.Next(at)
		if next.IsZero() {
			break
		}
		longest = max(longest, next.Sub(at))
		at = next
	}
	return longest
}
