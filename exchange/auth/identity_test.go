package auth_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func response(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// guessed is the configuration of a machine where nothing is set.
func guessed(t *testing.T, client *http.Client) auth.Config {
	t.Helper()
	cfg, err := auth.FromEnvironment(func(string) string { return "" }, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	cfg.TenantID, cfg.HTTPClient = tenant, client
	return cfg
}

// TestGuessedIdentity asks for a managed identity where nothing else was found: an address
// that gives no answer, or that of another cloud, means that there is no credential.
func TestGuessedIdentity(t *testing.T) {
	hang := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	answer := func(status int, body string) transport {
		return func(*http.Request) (*http.Response, error) { return response(status, body), nil }
	}
	for _, tc := range []struct {
		name  string
		reply transport
		none  bool // *NoCredentialError, after one request
		took  time.Duration
	}{
		{"refused", func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		}, true, 0},
		{"no answer", hang, true, 2 * time.Second},
		{"another cloud, 404", answer(404, "<html>"), true, 0},
		{"another cloud, 401", answer(401, ""), true, 0},
		{"a page for everything", answer(200, "<html>"), true, 0},
		{"a machine without an identity", answer(400, `{"error":"invalid_request","error_description":"Identity not found"}`), false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				cfg := guessed(t, &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
					requests++
					if r.URL.Host != "169.254.169.254" {
						t.Errorf("a request went to %s", r.URL.Host)
					}
					return tc.reply(r)
				})})
				p := provider(t, cfg)
				if !strings.Contains(p.Describe(), "if there is one") {
					t.Errorf("described as %q", p.Describe())
				}
				start := time.Now()
				_, err := p.TokenSource(scope).Token()
				if requests != 1 || time.Since(start) != tc.took {
					t.Errorf("%d requests in %v, want 1 in %v", requests, time.Since(start), tc.took)
				}
				none, ok := errors.AsType[*auth.NoCredentialError](err)
				if ok != tc.none {
					t.Fatalf("got %T: %v", err, err)
				}
				if ok && (len(none.Looked) != 6 || !slices.ContainsFunc(none.Looked, func(s string) bool { return strings.Contains(s, "ACTIONS_ID_TOKEN_REQUEST_URL") }) ||
					!strings.Contains(none.Looked[5], "169.254.169.254")) {
					t.Errorf("looked for %q", none.Looked)
				}
				if !ok && (!strings.Contains(wantError(t, err).Hint, "assign") || !strings.Contains(wantError(t, err).Hint, "AZURE_CLIENT_SECRET")) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// TestGuessedIdentityThatIsThere works, and meets an outage later as any other does.
func TestGuessedIdentityThatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := simulator.NewAuthority(simulator.AuthorityConfig{Machine: &simulator.AuthorityMachine{System: systemID}})
		p := provider(t, guessed(t, &http.Client{Transport: a.RoundTripper()}))
		token(t, a, p.TokenSource(scope))
		p.Invalidate(scope)
		a.SetFault(func(c simulator.AuthorityCall) simulator.AuthorityAnswer {
			if c.Token == 2 {
				return page(410) // it is being updated
			}
			return simulator.AuthorityAnswer{}
		})
		token(t, a, p.TokenSource(scope))
		if a.TokenRequests() != 3 {
			t.Errorf("%d token requests, want 3", a.TokenRequests())
		}
		ctx, cancel := context.WithCancel(t.Context())
		q, err := auth.New(ctx, guessed(t, &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}))
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, cancel)
		if _, err := q.TokenSource(scope).Token(); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted while guessing: %v", err)
		}
	})
}

// TestNamedIdentityElsewhere: where the address leads nowhere, that is told within seconds.
func TestNamedIdentityElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		p := provider(t, auth.Config{
			Kind: auth.KindManagedIdentity, TenantID: tenant,
			HTTPClient: &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				dials++
				<-ctx.Done()
				return nil, ctx.Err()
			}}},
		})
		start := time.Now()
		_, err := p.TokenSource(scope).Token()
		if took := time.Since(start); dials == 0 || took > 20*time.Second {
			t.Errorf("%d dials in %v", dials, took)
		}
		if e := wantError(t, err); !strings.Contains(e.Hint, "--auth") {
			t.Errorf("got %v", err)
		}
	})
}

// TestIdentityGoesPastTheProxy: to a proxy the link-local address is its own machine.
func TestIdentityGoesPastTheProxy(t *testing.T) {
	a := simulator.NewAuthority(simulator.AuthorityConfig{Machine: &simulator.AuthorityMachine{System: systemID, Header: "h3ader"}})
	var open atomic.Int64
	srv := httptest.NewUnstartedServer(a)
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	srv.Start()
	defer srv.Close()
	t.Setenv("IDENTITY_ENDPOINT", srv.URL+simulator.AuthorityAppServicePath)
	t.Setenv("IDENTITY_HEADER", "h3ader")
	cfg := auth.Config{
		Kind: auth.KindManagedIdentity, TenantID: tenant, IdentityEndpoint: srv.URL + simulator.AuthorityAppServicePath,
		HTTPClient: &http.Client{Transport: &http.Transport{Proxy: func(*http.Request) (*url.URL, error) {
			t.Error("a proxy was asked for")
			return nil, errors.New("no proxy")
		}}},
	}
	token(t, a, provider(t, cfg).TokenSource(scope))
	eventually(t, func() bool { return open.Load() == 0 }, "the connection was kept")
}

// eventually waits for what another goroutine does, within the test's own deadline.
func eventually(t *testing.T, done func() bool, otherwise string) {
	t.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error(otherwise)
}
