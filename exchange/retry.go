package exchange

import (
	"crypto/tls"
	"errors"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Retry says how often and how long a call is repeated. The zero value of a
// field means its default.
type Retry struct {
	// Tries is the number of attempts in all; default 5. An attempt that is
	// answered by 429 does not count: it costs time, never a result.
	Tries int
	// First is the wait before the second attempt where the service names none;
	// default 2 s, doubled each time, as the service's own module does (wire 5.4).
	// No wait is shorter.
	First time.Duration
	// Longest bounds one such wait; default 60 s.
	Longest time.Duration
	// Budget bounds the waiting of one call in all, such as one page of a listing
	// or one batch, and the longest Retry-After that is waited for; default 15 min.
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
	// readOn is the read of a further page. It moves a cursor, which is on one
	// backend, so to ask again may pass over a page.
	readOn
	// probe is a write to an object that does not exist.
	probe
	write
)

// shouldRetry is the one place that decides whether a failed call is made again
// as it is (wire 5.4). After 429 anything is: nothing was executed. A write is
// repeated after nothing else, as it may have been executed, and a further page
// neither: its cursor may have moved, and whether a link names a place or only the
// cursor is not known (wire 1.6), so that a page could be passed over unseen. All
// other reads are repeated after whatever may pass, a success that is not whole
// among it.
func shouldRetry(kind callKind, err error) bool {
	if e, ok := errors.AsType[*IncompleteError](err); ok {
		return kind == read && e.Reason.mayPass()
	}
	e, ok := asError(err)
	if !ok {
		return false
	}
	again := kind == read || kind == probe
	switch e.Status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return again
	case 0:
		return again && isPassing(e.Err)
	case http.StatusOK:
		return kind == read
	case http.StatusUnauthorized, http.StatusForbidden:
		return false
	default:
		return again && e.isTransient()
	}
}

// mayPass tells the reasons that have to do with one answer only.
func (r Reason) mayPass() bool {
	return r == ReasonTruncated || r == ReasonNoValue || r == ReasonNoAnswer
}

// losesCursor tells that a further page failed in a way that passes, but cannot be
// asked for again: its cursor may have moved, or is elsewhere. The listing can be
// begun again.
func losesCursor(err error) bool {
	if moved, ok := errors.AsType[*RedirectError](err); ok {
		return moved.follow
	}
	return isCursorError(err) || IsNeedsProxy(err) || shouldRetry(read, err) && !IsThrottled(err)
}

// isTransient tells the failures of a server that the service's own module tries
// again after (wire 5.4).
func (e *Error) isTransient() bool {
	if strings.HasSuffix(e.Type, "TransientException") {
		return true
	}
	for _, name := range [...]string{
		"DCOverloadedException", "SuitabilityDirectoryException", "ServerInMMException", "ADServerSettingsChangedException",
		"StorageTransientException", "ServerBusyException", "BackendCommunicationException",
	} {
		if e.hasType(name) || strings.Contains(e.Message, name) {
			return true
		}
	}
	return false
}

// isPassing tells the failures of a network that may be over soon. A host that
// does not exist or is another than it should be is not among them.
func isPassing(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return false
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		return false
	}
	return true
}

// exhausted counts a failed try and tells whether it was the last. A call that has
// had all its time, a quarter of an hour, is made once more at most.
func (r Retry) exhausted(tries *int, err error) bool {
	if IsThrottled(err) {
		return false
	}
	if errors.Is(err, errNoTimeLeft) {
		*tries = max(*tries, r.Tries-2)
	}
	*tries++
	return *tries >= r.Tries
}

// waits says how long one call waits between its tries.
type waits struct {
	retry  Retry
	waited time.Duration
	delays backoff.BackOff
}

func newWaits(r Retry) *waits {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = r.First
	b.MaxInterval = r.Longest
	b.Multiplier = 2
	b.RandomizationFactor = 0.2
	b.Reset()
	return &waits{retry: r, delays: b}
}

// next returns the wait before another try, or false where the budget has none
// left for it.
func (w *waits) next(asked time.Duration) (time.Duration, bool) {
	wait := asked
	if wait <= 0 {
		wait = w.delays.NextBackOff()
	}
	wait = max(wait, w.retry.First)
	if wait > w.retry.Budget-w.waited {
		return 0, false
	}
	w.waited += wait
	return wait, true
}

// retryAfterOf reads the header of an answer. A date in it is of the service's
// clock, as its Date is, and ours may be another.
func retryAfterOf(header http.Header) time.Duration {
	now := serviceTime(header)
	if now.IsZero() {
		now = time.Now()
	}
	return parseRetryAfter(header.Get("Retry-After"), now)
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
