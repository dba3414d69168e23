package exchange

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// do makes the call, and makes it again as [shouldRetry] and the budget allow. A
// success that is not sound is returned as it stands where no try is left: what
// is wrong with it is its reader's to say.
func (c *Client) do(ctx context.Context, s *session, q call) (response, error) {
	waiting, tries := newWaits(c.retry), 0
	var done corrections
	for {
		resp, err := c.once(ctx, s, q)
		if err == nil && resp.unsound == nil {
			return resp, nil
		}
		if again, err := c.correct(ctx, s, &q, resp, err, &done); err != nil {
			return response{}, err
		} else if again {
			continue
		}
		wrong := err
		if wrong == nil {
			wrong = resp.unsound
		}
		if !shouldRetry(q.kind, wrong) || c.retry.exhausted(&tries, wrong) {
			return resp, err
		}
		asked := retryAfter(wrong)
		wait, again := waiting.next(asked)
		if !again {
			return resp, err
		}
		if err := c.pause(ctx, q.kind, wait, asked); err != nil {
			return response{}, callError(q.cmdlet, err)
		}
	}
}

// retryAfter is the wait that a failed answer asks for, 0 where it does not.
func retryAfter(err error) time.Duration {
	if e, ok := asError(err); ok {
		return e.RetryAfter
	}
	return 0
}

// corrections are what was tried already to set a call right, each thing once.
type corrections struct{ token, anchor, region bool }

// correct sets right what a refusal says is wrong with a call, and tells whether
// to make it again. Nothing was executed by a call that is refused so: for its
// token (wire 5.2), on the wrong backend (semantics 1.3 E8), or by the front door,
// which names the region (wire 1.7). A further page keeps its place: its cursor
// is nowhere else.
func (c *Client) correct(ctx context.Context, s *session, q *call, resp response, err error, done *corrections) (bool, error) {
	if e, ok := asError(err); ok && e.Status == http.StatusUnauthorized && !done.token {
		done.token = true
		again, err := c.renew(ctx, resp.token, challenge(resp.header))
		if err != nil {
			return false, tokenError(ctx, q.cmdlet, err)
		}
		return again, nil
	}
	if moved, ok := errors.AsType[*RedirectError](err); ok && moved.follow && !done.region {
		done.region = true
		c.learn(moved)
		s.forget()
		return q.kind != readOn, nil
	}
	if IsNeedsProxy(err) && q.kind != readOn && !done.anchor {
		done.anchor = true
		q.anchor = q.anchor.other()
		s.forget()
		return true, nil
	}
	if e, ok := asError(err); ok && (e.Status == 0 && !errors.Is(err, errNoTimeLeft) || c.endpoint.compliance && isElsewhere(e)) {
		c.region.CompareAndSwap(resp.region, nil) // a region that cannot be reached is not kept
		// Where the front host sends everybody on, the next try needs it again.
		done.region = done.region && !c.endpoint.compliance
	}
	return false, nil
}

// learn keeps the public host of the region that a redirect names, for all calls
// but the further pages of listings that began elsewhere.
func (c *Client) learn(moved *RedirectError) {
	at := c.endpoint.on(moved.Regional)
	c.region.Store(&at)
}

// place is where a call is to be made.
func (c *Client) place(q call) (endpoint, *endpoint) {
	region := c.region.Load()
	switch {
	case q.kind == readOn:
		return q.at, nil
	case region != nil:
		return *region, region
	default:
		return c.endpoint, nil
	}
}

// pause waits before another try. A wait that the service asked for holds all
// calls of the class.
func (c *Client) pause(ctx context.Context, kind callKind, wait, asked time.Duration) error {
	c.limit.of(kind).hold(asked)
	return sleep(ctx, wait)
}
