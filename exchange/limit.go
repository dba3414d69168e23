package exchange

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

// limiter holds back the calls of one client, and so of one tenant: so many HTTP
// calls in flight, and so many cmdlets a second. Reads and writes are paced
// apart: nobody says whether the service limits them together (wire 5.3), and a
// refused write must not slow the reading down.
type limiter struct {
	slots  *semaphore.Weighted
	reads  *controller
	writes *controller
	clock  serviceClock
}

func newLimiter(inFlight int, perSecond float64) *limiter {
	return &limiter{
		slots:  semaphore.NewWeighted(int64(inFlight)),
		reads:  newController(perSecond),
		writes: newController(perSecond),
	}
}

// of returns what paces the calls of a kind.
func (l *limiter) of(kind callKind) *controller {
	if kind == write || kind == probe {
		return l.writes
	}
	return l.reads
}

// slot waits until one more call of a kind may be in flight; release must be
// called after the answer was read.
func (l *limiter) slot(ctx context.Context, kind callKind) (release func(), err error) {
	if err := l.slots.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	if err := l.of(kind).passGate(ctx); err != nil { // it may have closed meanwhile
		l.slots.Release(1)
		return nil, err
	}
	return func() { l.slots.Release(1) }, nil
}

// heard takes what an answer says about the rate. The items of a batch that was
// answered are left to [limiter.counted].
func (l *limiter) heard(q call, resp response) {
	now := time.Now()
	if resp.header.Get(headerRemaining) != "" {
		l.of(q.kind).follow(resp.header, now, l.clock.read(resp.header.Get("Date"), now))
	}
	weight := max(1, len(q.cmdlets))
	switch {
	case resp.status == http.StatusTooManyRequests:
		l.counted(q.kind, 0, weight, resp.sent)
	case resp.status < http.StatusInternalServerError && !q.batch:
		l.counted(q.kind, weight, 0, resp.sent)
	}
}

// counted notes how many cmdlets of a call, sent at a time, were taken and how many
// were answered by 429.
func (l *limiter) counted(kind callKind, taken, refused int, sent time.Time) {
	c := l.of(kind)
	if taken > 0 {
		c.accepted(taken)
	}
	if refused > 0 {
		c.refused(refused, sent)
	}
}

// turn waits until a call may be made as far as its kind's rate goes.
func (l *limiter) turn(ctx context.Context, q call) error {
	return l.of(q.kind).turn(ctx, max(1, len(q.cmdlets)))
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
