package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// The headers of a webhook.
const (
	// SignatureHeader holds the time of the attempt and the signature, see [Sign].
	SignatureHeader = "X-Exoaudit-Signature"
	// IdempotencyHeader holds the id of the event, the same in every attempt.
	IdempotencyHeader = "Idempotency-Key"
)

// message is an event as one kind of target gets it.
type message struct {
	method string
	body   []byte
}

// messageFor writes an event for a kind of target.
func messageFor(kind Kind, e Event) (message, error) {
	var form any
	switch kind {
	case KindHeartbeat:
		return message{method: http.MethodGet}, nil
	case KindSlack:
		form = slackMessage(e)
	case KindTeams:
		form = teamsMessage(e)
	default:
		form = e
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // That is for JSON within HTML; here it would only be long.
	if err := encoder.Encode(form); err != nil {
		return message{}, fmt.Errorf("writing the event %s: %w", e.Kind, err)
	}
	return message{method: http.MethodPost, body: body.Bytes()}, nil
}

// request makes the request of one attempt.
func (t Target) request(ctx context.Context, m message, id, agent string, now time.Time) (*http.Request, error) {
	address, secret := t.where()
	r, err := http.NewRequestWithContext(ctx, m.method, address.String(), bytes.NewReader(m.body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", agent)
	// An idle connection is of no use until the next event, and what a receiver says on
	// it unasked the HTTP library writes to the log as it came.
	r.Close = true
	if m.method == http.MethodGet {
		r.Body, r.GetBody = http.NoBody, nil
		return r, nil
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set(IdempotencyHeader, id)
	if t.kind == KindWebhook {
		r.Header.Set(SignatureHeader, Sign(secret, now, m.body))
	}
	return r, nil
}
