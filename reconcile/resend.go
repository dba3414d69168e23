package reconcile

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
)

// maxSends bounds how often one write is sent in all. It is sent again only
// after a read of its object, whole, has shown that it is still needed (wire
// 5.4): what comes of a repeated write is then known as well as what comes of
// the first.
const maxSends = 3

// resendWait is the pause before a write is looked at and sent for the nth time
// more, from 0: 2 and 8 seconds, a fifth more or less, so that what failed
// together does not come back together.
func resendWait(n int) time.Duration {
	pause := 2 * time.Second << (2 * min(n, maxSends-2))
	return time.Duration(float64(pause) * (0.8 + 0.4*rand.Float64())) //nolint:gosec // Spreads load; nothing depends on it.
}

// undecided tells whether a write that ended with an error may have been made
// all the same: the answer was lost, or came from something in between. Only
// the read-back knows.
func undecided(err error) bool {
	if err == nil || unsent(err) {
		return false
	}
	e, ok := errors.AsType[*exchange.Error](err)
	return !ok || e.Status == 0 || e.Status == http.StatusRequestTimeout || e.Status >= http.StatusInternalServerError
}

// withheldError means that the lists of a mailbox were not sent, since what had to
// be answered before them was not.
type withheldError struct{ why error }

func (e *withheldError) Error() string {
	return "not sent, as the restore of DefaultAuditSet before it was not answered: " + e.why.Error()
}

// unsent tells a write that never left: the client refused it, or had no token, or
// it was withheld.
func unsent(err error) bool {
	if _, ok := errors.AsType[*withheldError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*exchange.TokenError](err); ok {
		return true
	}
	return errors.Is(err, exchange.ErrInvalidCall)
}

// mayPass tells whether a write that ended with an error is worth sending
// again, should a read show that it is still needed: its fate is not known, or
// what the service said may be over soon; of a 403, which says nothing of what
// it refuses (wire 5.2), that is not known. A refusal that names what is wrong
// with the call or the object is an answer, and stays one.
func mayPass(err error) bool {
	if _, ok := errors.AsType[*withheldError](err); ok || undecided(err) {
		return true
	}
	e, ok := errors.AsType[*exchange.Error](err)
	return ok && (e.Status == http.StatusTooManyRequests || e.Status == http.StatusOK ||
		exchange.IsRefused(err) || exchange.IsNotHydrated(err) || exchange.IsNeedsProxy(err) || exchange.IsTransient(err))
}

// unshown is the outcome of a write that does not show; why says what was seen,
// or why nothing was.
func unshown(err error, why string) outcome {
	switch {
	case err == nil:
		return outcome{result: ResultUnconfirmed, note: why}
	case undecided(err):
		return outcome{result: ResultUnconfirmed, note: "its answer was lost, and it does not show: " + err.Error(), lost: true}
	default:
		return outcome{result: ResultFailed, note: err.Error(), lost: mayPass(err)}
	}
}

// lateReads are the pauses before a write that was accepted is looked at again.
func lateReads() [2]time.Duration { return [...]time.Duration{firstReadBackWait, secondReadBackWait} }

// pause waits before a write is looked at again, and tells whether one may
// still be begun then.
func (e *engine) pause(ctx context.Context, n int) bool {
	return wait(ctx, resendWait(n)) && e.stopped(ctx) == ""
}
