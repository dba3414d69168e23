package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
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

// A $batch is no cmdlet; errors name it by its action.
const actionBatch = "$batch"

// batch is a number of invocations of one kind under way together.
type batch struct {
	client   *Client
	kind     callKind
	id       string // client-request-id
	items    []invocation
	outcomes []outcome
	tries    []int // of each item
	waiting  *waits
	renewed  bool
	turned   []bool // of each item: its other anchor was tried
}

// batch runs the invocations of one kind in one HTTP call, and again those whose
// answers [shouldRetry] allows, alone. The outcomes have the order of the
// invocations, whatever the order of the answers.
func (c *Client) batch(ctx context.Context, kind callKind, items []invocation) []outcome {
	b := &batch{
		client: c, kind: kind, id: newID(), items: items,
		outcomes: make([]outcome, len(items)), tries: make([]int, len(items)), turned: make([]bool, len(items)), waiting: newWaits(c.retry),
	}
	pending := make([]int, len(items))
	for i, item := range items {
		pending[i] = i
		b.outcomes[i].cmdlet = item.cmdlet
	}
	for len(pending) > 0 {
		token, err := b.send(ctx, pending)
		if err != nil {
			b.fail(pending, func(int) error { return err })
			break
		}
		pending = b.again(ctx, pending, token)
	}
	return b.outcomes
}

// fail gives items the error that ended them.
func (b *batch) fail(items []int, because func(i int) error) {
	for _, i := range items {
		b.outcomes[i].err = because(i)
	}
}

// again returns the items to send once more, after the wait that they need.
func (b *batch) again(ctx context.Context, pending []int, token string) []int {
	again, asked := b.repeatable(pending)
	var wait time.Duration
	if len(again) > 0 {
		var ok bool
		if wait, ok = b.waiting.next(asked); !ok {
			again, asked = nil, 0 // what is asked is not waited for, by nobody
		}
	}
	again = append(again, b.renewable(ctx, pending, token)...)
	again = append(again, b.turnable(pending)...)
	slices.Sort(again)
	if len(again) == 0 {
		return nil
	}
	if err := b.client.pause(ctx, b.kind, wait, asked); err != nil {
		b.fail(again, func(i int) error { return callError(b.items[i].cmdlet, err) })
		return nil
	}
	return again
}

// repeatable returns the items that may be sent again and the longest wait that
// their answers ask for.
func (b *batch) repeatable(pending []int) (again []int, asked time.Duration) {
	for _, i := range pending {
		err := b.outcomes[i].wrong(b.kind)
		if !shouldRetry(b.kind, err) || b.client.retry.exhausted(&b.tries[i], err) {
			continue
		}
		again = append(again, i)
		asked = max(asked, retryAfter(err))
	}
	return again, asked
}

// wrong is what is wrong with the outcome of an item: a failure, and with a read
// also a success that is not sound.
func (o outcome) wrong(kind callKind) error {
	if o.err != nil || kind != read {
		return o.err
	}
	return soundRead(o.cmdlet)(&o.resp)
}

// turnable returns the items that came to the wrong backend, and so were not
// executed, and gives each the other anchor, once (semantics 1.3 E8, 9.14).
func (b *batch) turnable(pending []int) []int {
	var again []int
	for _, i := range pending {
		if IsNeedsProxy(b.outcomes[i].err) && !b.turned[i] {
			b.turned[i], b.items[i].anchor = true, b.items[i].anchor.other()
			again = append(again, i)
		}
	}
	return again
}

// renewable returns the items that were answered by 401, and so not executed,
// where there is another token for them than the one they were sent with. It
// does so once.
func (b *batch) renewable(ctx context.Context, pending []int, token string) []int {
	refused := slices.DeleteFunc(slices.Clone(pending), func(i int) bool {
		e, ok := asError(b.outcomes[i].err)
		return !ok || e.Status != http.StatusUnauthorized
	})
	if len(refused) == 0 || b.renewed {
		return nil
	}
	b.renewed = true
	again, err := b.client.renew(ctx, token, challenge(b.outcomes[refused[0]].resp.header))
	if err != nil {
		b.fail(refused, func(i int) error { return tokenError(ctx, b.items[i].cmdlet, err) })
	}
	if err != nil || !again {
		return nil
	}
	return refused
}

// send makes one $batch of the pending items and puts their answers in place. It
// returns the token that it was sent with. An error is about the batch as a whole.
func (b *batch) send(ctx context.Context, pending []int) (string, error) {
	c := b.client
	q := call{
		kind:   b.kind,
		cmdlet: actionBatch,
		method: http.MethodPost,
		path:   c.endpoint.path(actionBatch),
		anchor: organizationAnchor(),
		prefer: "odata.continue-on-error", // or it stops at the first failure (wire 2)
		batch:  true,
		id:     b.id,
	}
	for _, i := range pending {
		q.cmdlets = append(q.cmdlets, b.items[i].cmdlet)
		q.timeout = max(q.timeout, c.timeoutOf(b.items[i].cmdlet))
	}
	q.body = func(at endpoint, token string) ([]byte, error) {
		return c.encodeBatch(at, b.id, b.items, pending, token)
	}
	if b.kind == read {
		q.sound = func(resp *response) error {
			_, err := wholeReply(*resp)
			return err
		}
	}
	resp, err := c.do(ctx, c.newSession(), q)
	if err != nil {
		return "", err
	}
	reply, err := wholeReply(resp)
	if err != nil {
		return "", err
	}
	b.place(reply, pending, resp.sent)
	return resp.token, nil
}

// wholeReply decodes the answer to a $batch; the error is about it as a whole.
func wholeReply(resp response) (batchReply, error) {
	o := outcome{cmdlet: actionBatch, resp: resp}
	if resp.cut != nil {
		return batchReply{}, o.incomplete(ReasonTruncated, resp.cut)
	}
	reply, err := decodeBatch(resp)
	switch {
	case errors.Is(err, errMalformed):
		return reply, o.incomplete(ReasonTruncated, err)
	case err != nil:
		return reply, o.incomplete(ReasonNoAnswer, err)
	}
	return reply, nil
}

// place puts the answers in place, and tells the limiter. Items that were not
// throttled are progress: what the others have waited is not held against them.
func (b *batch) place(reply batchReply, pending []int, sent time.Time) {
	refused := 0
	for _, i := range pending {
		b.outcomes[i] = place(b.items[i].cmdlet, b.id, reply, strconv.Itoa(i))
		if IsThrottled(b.outcomes[i].err) {
			refused++
		}
	}
	if refused < len(pending) {
		b.waiting = newWaits(b.client.retry)
	}
	b.client.counters.throttled.Add(int64(refused))
	b.client.limit.counted(b.kind, len(pending)-refused, refused, sent)
}

// encodeBatch writes the body; the ids are the positions of the items.
func (c *Client) encodeBatch(at endpoint, id string, items []invocation, pending []int, token string) ([]byte, error) {
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
			headerCmdlet:       v.cmdlet,
			"X-AnchorMailbox":  c.anchorValue(v.anchor),
			// One id for the batch and its items: they are one call to support.
			"client-request-id": id,
		}
		if v.anchor.targeted() {
			headers["parameter-based-routing"] = "true"
		}
		requests = append(requests, batchItem{
			ID:      strconv.Itoa(i),
			Method:  http.MethodPost,
			URL:     at.invokeURL(v.query()).String(),
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
