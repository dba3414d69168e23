package exchange

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Retry says how often and how long a call is repeated. The zero value of a
// field means its default.
type Retry struct {
	// Tries is the number of attempts in all; default 5.
	Tries int
	// First is the wait before the second attempt where the service names none;
	// default 2 s, doubled each time, as the service's own module does (wire 5.4).
	First time.Duration
	// Longest bounds one such wait; default 60 s.
	Longest time.Duration
	// Budget bounds the waiting of one call in all, and the longest Retry-After
	// that is waited for; default 15 min.
	Budget time.Duration
}

func (r Retry) withDefaults() Retry {
	if r.Tries <= 0 {
		r.Tries = 5
	}
	if r.First <= 0 {
		r.First = 2 * time.Second
	}
	if r.Longest <= 0 {
		r.Longest = time.Minute
	}
	if r.Budget <= 0 {
		r.Budget = 15 * time.Minute
	}
	return r
}

// callKind is what decides whether a call may be repeated.
type callKind uint8

const (
	read callKind = iota
	write
)

// shouldRetry is the one place that decides whether a failed call is made again
// as it is. A write is repeated only after 429: every other failure may have
// come after it was executed.
func shouldRetry(kind callKind, err error) bool {
	e, ok := asError(err)
	if !ok {
		return false
	}
	switch e.Status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusServiceUnavailable:
		return kind == read
	default:
		return false
	}
}

// attempts counts the tries of one call and says how long to wait between them.
type attempts struct {
	retry  Retry
	tries  int
	waited time.Duration
	delays backoff.BackOff
}

func newAttempts(r Retry) *attempts {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = r.First
	b.MaxInterval = r.Longest
	b.Multiplier = 2
	b.RandomizationFactor = 0.2
	b.Reset()
	return &attempts{retry: r, tries: 1, delays: b}
}

// next returns the wait before another try, or false where there is to be none.
func (a *attempts) next(asked time.Duration) (time.Duration, bool) {
	if a.tries >= a.retry.Tries {
		return 0, false
	}
	wait := asked
	if wait <= 0 {
		wait = a.delays.NextBackOff()
	}
	if wait > a.retry.Budget-a.waited {
		return 0, false
	}
	a.tries++
	a.waited += wait
	return wait, true
}

// parseRetryAfter reads the header's value: seconds, also with a fraction (wire
// 5.3), or a date. What cannot be read is no wish.
func parseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if math.IsNaN(seconds) || seconds <= 0 {
			return 0
		}
		return time.Duration(min(seconds, math.MaxInt32) * float64(time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
