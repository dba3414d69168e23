package exchange

import (
	"context"
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// slowestRate is as slow as a class gets, in cmdlets a second: below it a call
// would learn nothing new for too long.
const slowestRate = 0.5

// glance is how long a call waits for its turn before it looks at the rate again,
// which may have risen meanwhile.
const glance = time.Second

// breather is how long a class pauses after a 429, even where no Retry-After asks
// for it: or the calls behind it would run into the same wall, and all of them
// would have to wait for their next try.
const breather = 500 * time.Millisecond

// controller paces one class of calls, reads or writes. The unit is the cmdlet: a
// $batch of ten weighs ten. Whether the service counts it as ten or as one is not
// known (wire 2); the heavier reading is the safe one.
type controller struct {
	queue *semaphore.Weighted // its holder is the next to go, the others wait in order

	mu        sync.Mutex
	bucket    *rate.Limiter
	notBefore time.Time
	learned   learnedRate
	told      toldRate
}

func newController(ceiling float64) *controller {
	return &controller{
		queue: semaphore.NewWeighted(1),
		// A second's worth at once, until the service shows that it minds.
		bucket:  rate.NewLimiter(rate.Limit(ceiling), max(BatchSize, int(min(ceiling, math.MaxInt32)))),
		learned: newLearnedRate(ceiling),
	}
}

// turn waits until the rate allows a call of so many cmdlets. Calls go in the
// order in which they came.
func (c *controller) turn(ctx context.Context, weight int) error {
	if err := c.queue.Acquire(ctx, 1); err != nil {
		return err
	}
	defer c.queue.Release(1)
	for {
		wait := c.take(weight, time.Now())
		if wait <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, min(wait, glance)); err != nil {
			return err
		}
	}
}

// take takes the call's weight from the bucket, or says how long to wait first.
func (c *controller) take(weight int, now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait := c.notBefore.Sub(now); wait > 0 {
		return wait
	}
	limit := rate.Limit(c.told.bound(c.learned.rate, now))
	if limit != c.bucket.Limit() {
		c.bucket.SetLimitAt(now, limit)
	}
	if c.bucket.AllowN(now, weight) {
		return 0
	}
	c.learned.pressed = true
	missing := float64(weight) - c.bucket.TokensAt(now)
	// Not less than a moment: the bucket rounds, and must not be asked in a loop.
	return max(time.Microsecond, time.Duration(missing/float64(limit)*float64(time.Second)))
}

// narrow leaves no more than one batch to go at once. It is for a service that
// has shown its limit.
func (c *controller) narrow(now time.Time) {
	if c.bucket.Burst() > BatchSize {
		c.bucket.SetBurstAt(now, BatchSize)
	}
}

// accepted notes cmdlets that the service did not refuse for their number.
func (c *controller) accepted(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.learned.accept(n, time.Now())
}

// refused notes cmdlets that were answered by 429, of a call sent at a time.
func (c *controller) refused(n int, sent time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.learned.refuse(n, sent, now)
	c.close(now.Add(breather))
	c.narrow(now)
}

// follow takes what an answer's headers say; service is the time on the service's
// own clock.
func (c *controller) follow(header http.Header, now, service time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hold, ok := c.told.follow(header, now, service)
	if !ok {
		return
	}
	c.narrow(now)
	c.close(now.Add(hold))
}

// hold lets no call of the class go for d.
func (c *controller) hold(d time.Duration) {
	if d <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	until := time.Now().Add(d)
	c.learned.closed(d, until)
	c.close(until)
}

// close closes the gate until a time; an earlier one does not open it.
func (c *controller) close(until time.Time) {
	if until.After(c.notBefore) {
		c.notBefore = until
	}
}

// passGate waits until the gate is open, also if it is put off while waiting.
func (c *controller) passGate(ctx context.Context) error {
	for {
		c.mu.Lock()
		wait := time.Until(c.notBefore)
		c.mu.Unlock()
		if wait <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}
