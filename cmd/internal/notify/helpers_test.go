package notify_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/cmd/internal/notify"
)

// receiver is an in-process service: a RoundTripper by a function, with a record of
// what came.
type receiver struct {
	answer func(n int, r *http.Request, body string) (*http.Response, error)

	mu   sync.Mutex
	got  []call
	when []time.Time
}

type call struct {
	method, url, body string
	header            http.Header
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		data, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = string(data)
	}
	r.mu.Lock()
	r.got = append(r.got, call{req.Method, req.URL.String(), body, req.Header.Clone()})
	r.when = append(r.when, time.Now())
	n := len(r.got)
	r.mu.Unlock()
	if r.answer == nil {
		return status(req, http.StatusOK), nil
	}
	return r.answer(n, req, body)
}

func (r *receiver) calls() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]call{}, r.got...)
}

func status(r *http.Request, code int, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: code, Header: h, Body: http.NoBody, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
}

// hang answers nothing until the caller gives up.
func hang(_ int, r *http.Request, _ string) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// outbox is a sender with what it logged and counted.
type outbox struct {
	*notify.Sender
	mu      sync.Mutex
	log     strings.Builder
	results map[string]int
}

func (o *outbox) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.Write(p)
}

func (o *outbox) logged() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.String()
}

func (o *outbox) count(result string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.results[result]
}

func newOutbox(t testing.TB, way http.RoundTripper, targets ...notify.Target) *outbox {
	t.Helper()
	o := &outbox{results: map[string]int{}}
	o.Sender = notify.New(t.Context(), targets, notify.Options{
		Transport: way, Now: time.Now, Logger: slog.New(slog.NewTextHandler(o, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Result: func(_, result string) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.results[result]++
		},
	})
	return o
}

// end closes a sender within a time and gives its error.
func (o *outbox) end(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return o.Close(ctx)
}

func event(kind notify.EventKind, run string) notify.Event {
	return notify.Event{
		Schema: notify.EventSchema, ID: "id-" + run + "-" + string(kind), Kind: kind, Tenant: "tenant-1", RunID: run, Text: "text of " + run,
		Changes: []notify.ChangeCount{}, Reasons: []string{}, Objects: []notify.Object{},
	}
}
