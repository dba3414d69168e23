package simulator

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Throttle limits how many cmdlets a second the service carries out. The service's
// own numbers are not published (wire 5.3), nor whether a $batch counts as one or
// as its items (wire 2): here each item counts as one cmdlet, a page as one too.
// What is refused costs nothing; a whole call is refused by 429, a batch item by
// its own 429 inside the batch's 200. The clock is the service's.
type Throttle struct {
	// PerSecond is how many cmdlets are carried out a second in the long run; 0 is
	// no limit.
	PerSecond float64
	// Burst is how many go at once after a rest; less than one counts as one.
	Burst int
	// Headers makes Rate-Limit-Limit, -Remaining and -Reset tell the truth: the
	// burst, what is left of it, and when it will be whole again. Without it they
	// are absent.
	Headers bool
	// RetryAfter makes a 429 name the whole seconds until a cmdlet is let through.
	RetryAfter bool
}

// WithThrottle limits the rate of cmdlets from the start.
func WithThrottle(t Throttle) Option { return func(s *Service) { s.throttle.set(t, time.Time{}) } }

// SetThrottle changes the limit of a running service. What was saved up stays, as
// far as the new burst holds it; the zero value takes the limit away.
func (s *Service) SetThrottle(t Throttle) { s.throttle.set(t, s.now()) }

// tokenBucket is the limit at work.
type tokenBucket struct {
	mu     sync.Mutex
	limit  Throttle
	tokens float64
	at     time.Time // when tokens was right; zero before the first cmdlet
}

func (b *tokenBucket) set(limit Throttle, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	limit.Burst = max(1, limit.Burst)
	if b.limit.PerSecond <= 0 || b.at.IsZero() {
		b.tokens, b.at = float64(limit.Burst), now
	}
	b.fill(now)
	b.limit = limit
	b.tokens = min(b.tokens, float64(limit.Burst))
}

// fill adds what has come since the last time. The mutex must be held.
func (b *tokenBucket) fill(now time.Time) {
	if passed := now.Sub(b.at); !b.at.IsZero() && passed > 0 {
		b.tokens = min(float64(b.limit.Burst), b.tokens+passed.Seconds()*b.limit.PerSecond)
	}
	b.at = now
}

// nearly absorbs the rounding of the sum of many small additions.
const nearly = 1 - 1e-9

// refusal takes a cmdlet's token, or answers 429.
func (b *tokenBucket) refusal(now time.Time) *apiError {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit.PerSecond <= 0 {
		return nil
	}
	b.fill(now)
	if b.tokens >= nearly {
		b.tokens = max(0, b.tokens-1)
		return nil
	}
	if !b.limit.RetryAfter {
		return throttled(0)
	}
	return throttled(seconds((1 - b.tokens) / b.limit.PerSecond))
}

// stamp writes the truth about the limit, and tells whether there is one: then
// nothing else may be said about it.
func (b *tokenBucket) stamp(h http.Header, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit.PerSecond <= 0 {
		return false
	}
	if !b.limit.Headers {
		return true
	}
	b.fill(now)
	whole := now.Add(seconds((float64(b.limit.Burst) - b.tokens) / b.limit.PerSecond))
	h.Set("Rate-Limit-Limit", strconv.Itoa(b.limit.Burst))
	h.Set("Rate-Limit-Remaining", strconv.Itoa(int(b.tokens)))
	h.Set("Rate-Limit-Reset", whole.UTC().Format("2006-01-02T15:04:05.000Z"))
	return true
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
