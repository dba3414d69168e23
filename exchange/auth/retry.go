package auth

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// The bounds of asking again. A service in the middle of a run can wait a while for its
// token; a person at a terminal should hear of an outage within minutes.
const (
	tries       = 5
	retryBudget = 2 * time.Minute
	firstWait   = 500 * time.Millisecond
	longestWait = 30 * time.Second
)

// again makes an attempt, and makes it again where the error says that this may help: the
// authority throttles (429) or fails (500, 502, 503, 504), or did not answer. It waits as
// long as Retry-After says, else twice as long each time with jitter, and gives up
// where the wait would go past the budget. MSAL itself asks once (libraries section 0.5).
func again[T any](ctx context.Context, attempt func() (T, error)) (T, error) {
	var start time.Time // of the failures
	failed := 0
	for {
		began := time.Now()
		got, err := attempt()
		e, ok := errors.AsType[*Error](err)
		if err == nil || !ok || !e.temporary || ctx.Err() != nil {
			return got, err
		}
		// An attempt that outlives the budget was waiting for a person: what failed before
		// it is history.
		if failed == 0 || time.Since(began) > retryBudget {
			start, failed = time.Now(), 0
		}
		failed++
		wait := backoff(failed)
		if e.RetryAfter > 0 {
			wait = e.RetryAfter + rand.N(firstWait) //nolint:gosec // jitter, not a secret
		}
		if failed == tries || time.Since(start)+wait > retryBudget {
			return got, e.gaveUp(failed)
		}
		if !sleep(ctx, wait) {
			return got, e.interrupted(ctx.Err())
		}
	}
}

// backoff is the wait after the nth failure, counted from one.
func backoff(n int) time.Duration {
	most := min(firstWait<<(n-1), longestWait)
	return most/2 + rand.N(most/2) //nolint:gosec // jitter, not a secret
}

// sleep waits, and reports false where the context ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
