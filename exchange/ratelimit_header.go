package exchange

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// The headers that speak of the rate (wire 5.3). Rate-Limit-Limit is not needed.
const (
	headerRemaining = "Rate-Limit-Remaining"
	headerReset     = "Rate-Limit-Reset"
)

const (
	// maxReset bounds how long an exhausted Rate-Limit-Remaining holds the calls.
	maxReset = time.Minute
	// maxWindow is the longest time to a reset that is believed; those seen were
	// seconds ahead (wire 5.3).
	maxWindow = time.Hour
)

// toldRate is the pace at which what remains lasts until the reset, as the
// service's headers tell. It can only lower the learned rate.
type toldRate struct {
	pace  float64 // cmdlets a second
	until time.Time
}

// follow reads the headers of an answer, and says how long nothing may be sent. It
// passes over what makes no sense: a number below zero, a time that cannot be read,
// has passed, or is more than maxWindow ahead.
func (t *toldRate) follow(header http.Header, now, service time.Time) (hold time.Duration, ok bool) {
	left, err := strconv.ParseFloat(header.Get(headerRemaining), 64)
	if err != nil || left < 0 || math.IsNaN(left) || math.IsInf(left, 0) {
		return 0, false
	}
	reset, err := time.Parse(time.RFC3339, header.Get(headerReset))
	window := reset.Sub(service)
	switch {
	case err != nil || window <= 0 || window > maxWindow:
		return 0, false
	case left < 1:
		*t = toldRate{}
		return min(window, maxReset), true
	default:
		*t = toldRate{pace: left / window.Seconds(), until: now.Add(window)}
		return 0, true
	}
}

// bound lowers a rate to what was told, while that holds.
func (t *toldRate) bound(limit float64, now time.Time) float64 {
	if !now.Before(t.until) {
		return limit
	}
	return min(limit, max(t.pace, slowestRate))
}

// serviceClock is the service's clock as its Date headers show it. They have whole
// seconds, cut off: so of all answers the one that was nearest to the full second
// tells best, which matters where a window is short.
type serviceClock struct {
	mu     sync.Mutex
	known  bool
	behind time.Duration // how far the service's clock is behind ours
}

// dateSlack is how much later than the second it names an answer may be read, the
// rest of the second and its way included, before the clock counts as set anew.
const dateSlack = 10 * time.Second

// read returns the time on the service's clock. Without a Date it is what was
// learned before, or our own.
func (c *serviceClock) read(date string, now time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, err := http.ParseTime(date); err == nil {
		behind := now.Sub(at)
		if !c.known || behind < c.behind || behind > c.behind+dateSlack {
			c.known, c.behind = true, behind
		}
	}
	return now.Add(-c.behind)
}
