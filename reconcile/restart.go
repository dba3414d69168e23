package reconcile

import (
	"context"
	"errors"
	"net/http"

	"github.com/exoaudit/exoaudit/exchange"
)

// readAttempts bounds how often a read that came back damaged is made in all;
// each attempt starts with nothing.
const readAttempts = 3

// attempt makes a read again, from nothing, as long as [attemptsFor] allows.
func attempt(ctx context.Context, read func() error) error {
	for n := 1; ; n++ {
		err := read()
		if err == nil || ctx.Err() != nil || n >= attemptsFor(err) {
			return err
		}
	}
}

// attemptsFor is the one place that decides how often a read that ended with an
// error is made in all. The client has repeated calls already where a call
// alone can be repeated; what is decided here is what only a new beginning
// cures, or what the client leaves alone on a further page, whose cursor is on
// one backend (wire 1.6, 5.4).
//
//	lost cursor, link missing, repeated or foreign   again: another listing has another cursor (wire 1.6)
//	body cut, malformed, or without value, after rows again: what came is not what was sent
//	status of no whole answer                        again: the same
//	errors inside, unknown warning                   again: the service says that it is not whole (wire 1.5)
//	none or several rows of one object               again: the same
//	500, 408, no answer, redirect                    again: not repeated by the client on a further page
//	wrong backend (semantics 1.3 E8)                 again: the client has tried its other anchor
//	403                                              once more: whether it can pass is not known; it costs one call
//	a call that had all its time                     once more: it takes sixteen minutes (wire 1.7)
//	429, 502, 503, 504, and a first answer cut short,
//	without value or without an item                 as it is: the client has had its time
//	401, no token, not found, any other 4xx          as it is: that is an answer
//	call refused by the client, confirmation asked   as it is: it would be the same
func attemptsFor(err error) int {
	if unsent(err) {
		return 1
	}
	if incomplete, ok := errors.AsType[*exchange.IncompleteError](err); ok && incomplete.Reason != exchange.ReasonRequest {
		if incomplete.Reason == exchange.ReasonConfirmation || triedAlready(incomplete) {
			return 1
		}
		return readAttempts
	}
	if _, ok := errors.AsType[*exchange.RedirectError](err); ok {
		return readAttempts
	}
	failure, ok := errors.AsType[*exchange.Error](err)
	switch {
	case !ok:
		return 1
	case failure.Status == http.StatusForbidden, errors.Is(err, context.DeadlineExceeded):
		return 2
	case failure.Status == 0, failure.Status == http.StatusOK, failure.Status == http.StatusRequestTimeout,
		failure.Status == http.StatusInternalServerError && !exchange.IsNotFound(err), exchange.IsNeedsProxy(err):
		return readAttempts
	}
	return 1
}

// triedAlready tells an answer that the client has asked for again itself, since
// nothing had come before it that would have to be thrown away.
func triedAlready(err *exchange.IncompleteError) bool {
	switch err.Reason {
	case exchange.ReasonTruncated, exchange.ReasonNoValue, exchange.ReasonNoAnswer:
		return err.Rows == 0
	default:
		return false
	}
}

// batchAttempt makes a batch of reads, and those of its items again that
// [attemptsFor] allows.
func batchAttempt[In, Out any](ctx context.Context, inputs []In, read func(context.Context, []In) []exchange.Result[Out]) []exchange.Result[Out] {
	results := read(ctx, inputs)
	for n := 2; n <= readAttempts && ctx.Err() == nil; n++ {
		var items []In
		var at []int
		for i, res := range results {
			if res.Err != nil && n <= attemptsFor(res.Err) {
				items, at = append(items, inputs[i]), append(at, i)
			}
		}
		if len(items) == 0 {
			break
		}
		for k, res := range read(ctx, items) {
			results[at[k]] = res
		}
	}
	return results
}
