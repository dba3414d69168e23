package auth_test

import (
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestNothingIsLeftBehind gets tokens of each kind over real sockets, meets a failure, and
// looks for connections and goroutines once the caller has closed its idle connections.
func TestNothingIsLeftBehind(t *testing.T) {
	for _, k := range credentialKinds() {
		t.Run(k.name, func(t *testing.T) {
			for name, value := range k.env {
				t.Setenv(name, value)
			}
			before := goleak.IgnoreCurrent()
			w, _, cfg := k.open(t)
			w.authority.Person.Polls = 0
			a := simulator.NewAuthority(w.authority)
			var open atomic.Int64
			count := func(_ net.Conn, state http.ConnState) {
				switch state {
				case http.StateNew:
					open.Add(1)
				case http.StateClosed:
					open.Add(-1)
				}
			}
			encrypted, plain := httptest.NewUnstartedServer(a), httptest.NewUnstartedServer(a)
			encrypted.Config.ConnState, plain.Config.ConnState = count, count
			encrypted.TLS = keys(t).TLSConfig()
			encrypted.StartTLS()
			plain.Start()

			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(keys(t).CAPEM())
			sockets := http.DefaultTransport.(*http.Transport).Clone()
			sockets.TLSClientConfig.RootCAs = roots
			// The fixed addresses of a machine's identity and of GitHub are led to the server.
			cfg.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				r = r.Clone(r.Context())
				server := encrypted
				if r.URL.Scheme == "http" {
					server = plain
				}
				r.URL.Host = strings.TrimPrefix(strings.TrimPrefix(server.URL, "https://"), "http://")
				return sockets.RoundTrip(r)
			})}
			cfg.Authority, cfg.CustomAuthority = encrypted.URL, true

			p := provider(t, cfg)
			token(t, a, p.TokenSource(scope))
			p.Invalidate(scope)
			token(t, a, p.TokenSource(scope))
			_, err := p.TokenSource("https://unknown.example/.default").Token()
			if e := wantError(t, err); e.Status != 400 {
				t.Errorf("an unknown resource: %v", err)
			}
			sockets.CloseIdleConnections()
			eventually(t, func() bool { return open.Load() == 0 }, "connections are left open")
			encrypted.Close()
			plain.Close()
			if err := goleak.Find(before); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestHangingAuthorityIsGivenUp: the bound of one request counts where nobody else sets one.
func TestHangingAuthorityIsGivenUp(t *testing.T) {
	a := authority(t)
	cfg := config(t, a, auth.KindSecret)
	var bound time.Duration
	cfg.HTTPClient = &http.Client{Timeout: time.Hour, Transport: transport(func(r *http.Request) (*http.Response, error) {
		deadline, ok := r.Context().Deadline()
		if !ok {
			t.Error("a request without a bound")
		}
		bound = max(bound, time.Until(deadline))
		return a.RoundTripper().RoundTrip(r)
	})}
	// MSAL bounds its requests itself; nobody else does those for a tenant.
	if _, err := cfg.ResolveTenant(t.Context(), simulator.AuthorityDomain); err != nil {
		t.Fatal(err)
	}
	token(t, a, provider(t, cfg).TokenSource(scope))
	if bound > 30*time.Second {
		t.Errorf("a request may take %v", bound)
	}
}
