package exchange

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// limiter holds back the calls of one client: so many in flight, so many a
// second, and none before the time that the service has named.
type limiter struct {
	slots   *semaphore.Weighted
	bucket  *rate.Limiter
	ceiling rate.Limit

	mu        sync.Mutex
	notBefore time.Time
}

// throttledRate is where the rate falls to at the first 429 when it was higher:
// no numbers are published, and public clients stay at a few calls a second
// (wire 5.3). Each further 429 halves it, down to slowestRate.
const (
	throttledRate = rate.Limit(8)
	slowestRate   = rate.Limit(0.5)
	recovery      = 1.05 // growth of the rate with each call that succeeds
)

func newLimiter(inFlight int, perSecond float64) *limiter {
	ceiling := rate.Limit(perSecond)
	return &limiter{
		slots:   semaphore.NewWeighted(int64(inFlight)),
		bucket:  rate.NewLimiter(ceiling, burst(ceiling)),
		ceiling: ceiling,
	}
}

// slot waits until one more call may be in flight; release must be called after
// the answer was read.
func (l *limiter) slot(ctx context.Context) (release func(), err error) {
	if err := l.slots.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	if err := l.passGate(ctx); err != nil { // it may have closed meanwhile
		l.slots.Release(1)
		return nil, err
	}
	return func() { l.slots.Release(1) }, nil
}

// turn waits until the rate allows another call.
func (l *limiter) turn(ctx context.Context) error {
	if err := l.passGate(ctx); err != nil {
		return err
	}
	// Not Limiter.Wait: it fails before the deadline with a text of its own.
	turn := l.bucket.Reserve()
	if err := sleep(ctx, turn.Delay()); err != nil {
		turn.Cancel()
		return err
	}
	return l.passGate(ctx) // it may have closed meanwhile
}

// passGate waits until the gate is open, also if it is put off while waiting.
func (l *limiter) passGate(ctx context.Context) error {
	for {
		l.mu.Lock()
		wait := time.Until(l.notBefore)
		l.mu.Unlock()
		if wait <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// hold closes the gate for d, for all callers.
func (l *limiter) hold(d time.Duration) {
	if d <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(d); until.After(l.notBefore) {
		l.notBefore = until
	}
}

// throttled slows the client down after a 429.
func (l *limiter) throttled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket.SetLimit(max(slowestRate, min(l.bucket.Limit(), 2*throttledRate)/2))
	l.bucket.SetBurst(1)
}

// burst is how many calls may go at once: as many as in a second.
func burst(limit rate.Limit) int { return max(1, int(limit)) }

// succeeded lets the rate grow back towards the ceiling, and the burst with it.
func (l *limiter) succeeded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.bucket.Limit(); now < l.ceiling {
		now = min(l.ceiling, now*recovery)
		l.bucket.SetLimit(now)
		l.bucket.SetBurst(burst(now))
	}
}

// sleep waits for d; the context's error wins.
func sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
