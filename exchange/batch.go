package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// batchItem is one call inside a $batch (wire 2). Its URL is absolute, on the
// client's own host, as is the outer call: so it may carry the token.
type batchItem struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    envelope          `json:"body"`
}

const cmdletBatch = "$batch"

// batch runs the invocations of one kind in one HTTP call, and again those whose
// answers [shouldRetry] allows, alone. The outcomes have the order of the
// invocations, whatever the order of the answers.
func (c *Client) batch(ctx context.Context, kind callKind, items []invocation) []outcome {
	outcomes := make([]outcome, len(items))
	pending := make([]int, len(items))
	for i, item := range items {
		pending[i] = i
		outcomes[i].cmdlet = item.cmdlet
	}
	id, tries := newID(), newAttempts(c.retry)
	for len(pending) > 0 {
		if err := c.send(ctx, kind, id, items, pending, outcomes); err != nil {
			for _, i := range pending {
				outcomes[i].err = err
			}
			break
		}
		again, asked := repeatable(kind, pending, outcomes)
		if len(again) == 0 {
			break
		}
		wait, ok := tries.next(asked)
		if !ok {
			break
		}
		if err := c.pause(ctx, wait, asked > 0); err != nil {
			for _, i := range again {
				outcomes[i].err = callError(items[i].cmdlet, err)
			}
			break
		}
		pending = again
	}
	return outcomes
}

// repeatable returns the items to send again and the longest wait that their
// answers ask for.
func repeatable(kind callKind, pending []int, outcomes []outcome) (again []int, asked time.Duration) {
	for _, i := range pending {
		if !shouldRetry(kind, outcomes[i].err) {
			continue
		}
		again = append(again, i)
		if e, ok := asError(outcomes[i].err); ok {
			asked = max(asked, e.RetryAfter)
		}
	}
	return again, asked
}

// send makes one $batch of the pending items and puts their answers in place. An
// error is about the batch as a whole.
func (c *Client) send(ctx context.Context, kind callKind, id string, items []invocation, pending []int, outcomes []outcome) error {
	q := call{
		kind:   kind,
		cmdlet: cmdletBatch,
		method: http.MethodPost,
		url:    c.endpoint.url("$batch", ""),
		anchor: c.endpoint.organizationAnchor(),
		prefer: "odata.continue-on-error", // or it stops at the first failure (wire 2)
		batch:  true,
		id:     id,
	}
	for _, i := range pending {
		q.cmdlets = append(q.cmdlets, items[i].cmdlet)
		q.timeout = max(q.timeout, c.timeoutOf(items[i].cmdlet))
	}
	q.body = func(token string) ([]byte, error) { return c.encodeBatch(id, items, pending, token) }
	resp, err := c.do(ctx, c.newSession(), q)
	if err != nil {
		return err
	}
	reply, err := decodeBatch(resp)
	switch {
	case resp.cut != nil:
		return &IncompleteError{Cmdlet: cmdletBatch, Reason: ReasonTruncated, Err: resp.cut}
	case errors.Is(err, errMalformed):
		return &IncompleteError{Cmdlet: cmdletBatch, Reason: ReasonTruncated, Err: err}
	case err != nil:
		return &IncompleteError{Cmdlet: cmdletBatch, Reason: ReasonNoAnswer, Err: err}
	}
	throttled := false
	for _, i := range pending {
		outcomes[i] = place(items[i].cmdlet, id, reply, strconv.Itoa(i))
		if IsThrottled(outcomes[i].err) {
			throttled = true
			c.counters.throttled.Add(1)
		}
	}
	if throttled {
		c.limit.throttled()
	}
	return nil
}

// encodeBatch writes the body; the ids are the positions of the items.
func (c *Client) encodeBatch(id string, items []invocation, pending []int, token string) ([]byte, error) {
	requests := make([]batchItem, 0, len(pending))
	for _, i := range pending {
		v := items[i]
		headers := map[string]string{
			"Authorization":    "Bearer " + token,
			"Accept":           "application/json",
			"Accept-Language":  "en-US",
			"Content-Type":     "application/json; charset=utf-8",
			"Prefer":           preferPage,
			"X-ResponseFormat": "json",
			"X-CmdletName":     v.cmdlet,
			"X-AnchorMailbox":  v.anchor.value,
			// One id for the batch and its items: they are one call to support.
			"client-request-id": id,
		}
		if v.anchor.targeted {
			headers["parameter-based-routing"] = "true"
		}
		requests = append(requests, batchItem{
			ID:      strconv.Itoa(i),
			Method:  http.MethodPost,
			URL:     c.endpoint.url("InvokeCommand", v.query()).String(),
			Headers: headers,
			Body:    v.body(),
		})
	}
	return json.Marshal(map[string]any{"requests": requests})
}

// checkSize refuses a list that does not fit into one $batch.
func checkSize(cmdlet string, n int) error {
	if n > BatchSize {
		return invalidCall(cmdlet, "%d objects are more than the %d of one batch", n, BatchSize)
	}
	return nil
}

// batchOf runs one invocation per input in one $batch. build makes it or refuses
// the input; judge reads its outcome. The results have the order of the inputs,
// and those refused are not sent.
func batchOf[In, Out any](ctx context.Context, c *Client, kind callKind, cmdlet string, inputs []In,
	build func(In) (invocation, error), judge func(outcome) Result[Out],
) []Result[Out] {
	results := make([]Result[Out], len(inputs))
	tooMany := checkSize(cmdlet, len(inputs))
	var items []invocation
	var at []int
	for i, in := range inputs {
		v, err := invocation{}, tooMany
		if err == nil {
			v, err = build(in)
		}
		if err != nil {
			results[i].Err = err
			continue
		}
		v.kind, v.cmdlet = kind, cmdlet
		items, at = append(items, v), append(at, i)
	}
	for i, o := range c.batch(ctx, kind, items) {
		results[at[i]] = judge(o)
	}
	return results
}
