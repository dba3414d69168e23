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
	// readOn is the read of a further page, whose cursor is on one backend.
	readOn
	write
	// probe is a write that finds nothing to write to.
	probe
)

// shouldRetry is the one place that decides whether a failed call is made again
// as it is (wire 5.4). A write is repeated only after 429: every other failure
// may have come after it was executed. A further page is repeated after what did
// not come from its backend.
func shouldRetry(kind callKind, err error) bool {
	e, ok := asError(err)
	if !ok {
		return false
	}
	switch e.Status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return kind != write
	case http.StatusRequestTimeout:
		return kind == read || kind == probe
	case http.StatusInternalServerError:
		return (kind == read || kind == probe) && e.isTransient()
	case 0:
		return kind != write && isPassing(e.Err)
	default:
		return false
	}
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

// isPassing tells the failures of a network that may be over soon. A call that
// has had all its time is not among them, nor is a host that does not exist or
// is another than it should be.
func isPassing(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return false
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		return false
	}
	return !errors.Is(err, errNoTimeLeft)
}

// exhausted counts a failed try and tells whether it was the last.
func (r Retry) exhausted(tries *int, err error) bool {
	if IsThrottled(err) {
		return false
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
