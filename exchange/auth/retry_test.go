package auth_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// failing answers the first requests for a token by a fault.
func failing(n int, answer simulator.AuthorityAnswer) simulator.AuthorityFault {
	return func(c simulator.AuthorityCall) simulator.AuthorityAnswer {
		if c.Token > 0 && c.Token <= n {
			return answer
		}
		return simulator.AuthorityAnswer{}
	}
}

func page(status int) simulator.AuthorityAnswer {
	return simulator.AuthorityAnswer{Status: status, Body: "<html>"}
}

func TestPassingFailuresAreAskedAgain(t *testing.T) {
	for _, tc := range []struct {
		name        string
		fault       simulator.AuthorityFault
		requests    int
		least, most time.Duration
	}{
		{"429 with Retry-After", failing(1, simulator.AuthorityThrottled(30*time.Second)), 2, 30 * time.Second, 31 * time.Second},
		{"429 without, four times", failing(4, simulator.AuthorityThrottled(0)), 5, 3750 * time.Millisecond, 7500 * time.Millisecond},
		{"503", failing(1, simulator.AuthorityUnavailable()), 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"500", failing(1, page(500)), 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"502", failing(1, page(502)), 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"504", failing(1, page(504)), 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"cut off", failing(1, simulator.AuthorityAnswer{Truncate: true}), 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"no answer in time", failing(1, simulator.AuthorityAnswer{Delay: time.Hour}), 2, 30250 * time.Millisecond, 30500 * time.Millisecond},
	} {
		for _, kind := range []auth.Kind{auth.KindSecret, auth.KindCertificate} {
			t.Run(tc.name+", "+string(kind), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := authority(t)
					a.SetFault(tc.fault)
					start := time.Now()
					token(t, a, provider(t, config(t, a, kind)).TokenSource(scope))
					if took := time.Since(start); took < tc.least || took > tc.most || a.TokenRequests() != tc.requests {
						t.Errorf("%d token requests in %v, want %d in %v to %v", a.TokenRequests(), took, tc.requests, tc.least, tc.most)
					}
				})
			})
		}
	}
}

func TestLastingFailuresEnd(t *testing.T) {
	for _, tc := range []struct {
		name     string
		answer   simulator.AuthorityAnswer
		status   int
		requests int
		wait     time.Duration
	}{
		{"throttled", simulator.AuthorityThrottled(0), 429, 5, 0},
		{"throttled, with Retry-After", simulator.AuthorityThrottled(20 * time.Second), 429, 5, 20 * time.Second},
		{"Retry-After past the budget", simulator.AuthorityThrottled(10 * time.Minute), 429, 1, 10 * time.Minute},
		{"Retry-After eats the budget", simulator.AuthorityThrottled(50 * time.Second), 429, 3, 50 * time.Second},
		{"unavailable", simulator.AuthorityUnavailable(), 503, 5, 0},
		{"refused", simulator.AuthorityAnswer{Status: 400, Body: `{"error":"invalid_request"}`}, 400, 1, 0},
		{"not found", page(404), 404, 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := authority(t)
				a.SetFault(failing(1000, tc.answer))
				start := time.Now()
				s := provider(t, config(t, a, auth.KindSecret)).TokenSource(scope)
				_, err := s.Token()
				e := wantError(t, err)
				if e.Status != tc.status || e.RetryAfter != tc.wait || a.TokenRequests() != tc.requests {
					t.Errorf("status %d, retry after %v, %d token requests, want %d, %v, %d", e.Status, e.RetryAfter, a.TokenRequests(), tc.status, tc.wait, tc.requests)
				}
				if took := time.Since(start); took > 2*time.Minute+30*time.Second {
					t.Errorf("gave up after %v", took)
				}
				a.SetFault(nil)
				token(t, a, s) // a failure is not kept
			})
		})
	}
}

func TestNetworkFailures(t *testing.T) {
	for _, tc := range []struct {
		name     string
		err      error
		requests int
	}{
		{"connection reset", &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, 5},
		{"name server is out", &net.DNSError{Err: "server misbehaving", Name: "login.microsoftonline.com", IsTemporary: true}, 5},
		{"no such host", &net.DNSError{Err: "no such host", Name: "login.microsoftonline.com", IsNotFound: true}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := authority(t)
				cfg := config(t, a, auth.KindSecret)
				requests := 0
				cfg.HTTPClient = &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
					requests++
					return nil, tc.err
				})}
				_, err := provider(t, cfg).TokenSource(scope).Token()
				if e := wantError(t, err); e.Status != 0 || requests != tc.requests {
					t.Errorf("%d requests, want %d: %v", requests, tc.requests, err)
				}
			})
		})
	}
}

// brokenBody ends before its length.
type brokenBody struct{ io.Reader }

func (brokenBody) Close() error { return nil }

func TestBodyThatBreaksOffIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t)
		cfg := config(t, a, auth.KindSecret)
		broken := 0
		cfg.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			resp, err := a.RoundTripper().RoundTrip(r)
			if err == nil && r.Method == http.MethodPost && broken < 2 {
				broken++
				resp.Body = brokenBody{io.MultiReader(strings.NewReader("{"), errorReader{io.ErrUnexpectedEOF})}
			}
			return resp, err
		})}
		token(t, a, provider(t, cfg).TokenSource(scope))
		if a.TokenRequests() != 3 {
			t.Errorf("%d token requests, want 3", a.TokenRequests())
		}
	})
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

func TestContextEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t)
		a.SetFault(failing(1000, simulator.AuthorityThrottled(time.Minute)))
		ctx, cancel := context.WithCancel(t.Context())
		p, err := auth.New(ctx, config(t, a, auth.KindSecret))
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(10*time.Second, cancel)
		start := time.Now()
		_, err = p.TokenSource(scope).Token()
		if e := wantError(t, err); !errors.Is(e, context.Canceled) || e.Status != 429 || time.Since(start) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// TestAskingAgainIsShared: twenty callers share the attempts as they share the token.
func TestAskingAgainIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t)
		a.SetFault(failing(2, simulator.AuthorityUnavailable()))
		s := provider(t, config(t, a, auth.KindSecret)).TokenSource(scope)
		done := make(chan error, 20)
		for range 20 {
			go func() {
				_, err := s.Token()
				done <- err
			}()
		}
		for range 20 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if a.TokenRequests() != 3 {
			t.Errorf("%d token requests, want 3", a.TokenRequests())
		}
	})
}

func TestTenantIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t)
		a.SetFault(func(c simulator.AuthorityCall) simulator.AuthorityAnswer {
			if c.Request < 3 {
				return simulator.AuthorityUnavailable()
			}
			return simulator.AuthorityAnswer{}
		})
		got, err := auth.ResolveTenant(t.Context(), &http.Client{Transport: a.RoundTripper()}, "", simulator.AuthorityDomain)
		if err != nil || got != a.TenantID() || a.Requests() != 3 {
			t.Errorf("%q, %v after %d requests", got, err, a.Requests())
		}
	})
}
