package auth_test

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestTokenInProcess(t *testing.T) {
	for _, kind := range []auth.Kind{auth.KindSecret, auth.KindCertificate} {
		t.Run(string(kind), func(t *testing.T) {
			a := authority(t)
			p := provider(t, config(t, a, kind))
			before := time.Now()
			first := token(t, a, p.TokenSource(scope))
			if d := first.Expiry.Sub(before); d < 59*time.Minute || d > 61*time.Minute {
				t.Errorf("expires in %v, want about an hour", d)
			}
			if first.TokenType != "Bearer" {
				t.Errorf("type %q", first.TokenType)
			}
			again := token(t, a, p.TokenSource(scope))
			if again.AccessToken != first.AccessToken || a.TokenRequests() != 1 || a.Requests() != 2 {
				t.Errorf("%d token requests of %d, want 1 of 2 (one for discovery)", a.TokenRequests(), a.Requests())
			}
		})
	}
}

func TestTokenOverTLS(t *testing.T) {
	for _, kind := range []auth.Kind{auth.KindSecret, auth.KindCertificate} {
		t.Run(string(kind), func(t *testing.T) {
			a := authority(t)
			srv := httptest.NewUnstartedServer(a)
			srv.TLS = keys(t).TLSConfig()
			srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // the refused handshake is meant
			srv.StartTLS()
			defer srv.Close()
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(keys(t).CAPEM())
			transport := http.DefaultTransport.(*http.Transport).Clone()
			transport.TLSClientConfig.RootCAs = roots
			defer transport.CloseIdleConnections()

			cfg := config(t, a, kind)
			cfg.Authority, cfg.CustomAuthority = srv.URL+"/", true
			cfg.HTTPClient = &http.Client{Transport: transport}
			token(t, a, provider(t, cfg).TokenSource(scope))

			cfg.HTTPClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			_, err := provider(t, cfg).TokenSource(scope).Token()
			e := wantError(t, err)
			if !strings.Contains(e.Hint, "--ca-file") {
				t.Errorf("an unknown root should point to --ca-file: %v", err)
			}
		})
	}
}

func TestColdCallsCollapse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t)
		a.SetFault(func(simulator.AuthorityCall) simulator.AuthorityAnswer {
			return simulator.AuthorityAnswer{Delay: time.Second}
		})
		p := provider(t, config(t, a, auth.KindSecret))
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				got, err := p.TokenSource(scope).Token()
				if err != nil {
					t.Error(err)
					return
				}
				if err := a.Check(got.AccessToken); err != nil {
					t.Errorf("another caller changed this one's token: %v", err)
				}
				got.AccessToken = "changed by its owner"
			})
		}
		wg.Wait()
		if a.TokenRequests() != 1 {
			t.Errorf("%d token requests for 20 cold callers, want 1", a.TokenRequests())
		}
		token(t, a, p.TokenSource(scope))
	})
}

func TestTokenExpiresDuringTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t)
		s := provider(t, config(t, a, auth.KindSecret)).TokenSource(scope)
		first := token(t, a, s)
		time.Sleep(54 * time.Minute)
		if again := token(t, a, s); again.AccessToken != first.AccessToken {
			t.Error("a token with six minutes left was replaced")
		}
		time.Sleep(2 * time.Minute)
		if again := token(t, a, s); again.AccessToken == first.AccessToken {
			t.Error("a token with four minutes left was not replaced")
		}
		time.Sleep(5 * time.Minute)
		if a.Check(first.AccessToken) == nil {
			t.Error("the first token should be refused by now")
		}
		if a.TokenRequests() != 2 {
			t.Errorf("%d token requests, want 2", a.TokenRequests())
		}
	})
}

func TestInvalidate(t *testing.T) {
	a := authority(t)
	p := provider(t, config(t, a, auth.KindSecret))
	s := p.TokenSource(scope)
	first := token(t, a, s)
	p.Invalidate(scope)
	p.Invalidate(scope) // another caller with the same refused token
	second := token(t, a, s)
	if second.AccessToken == first.AccessToken || a.TokenRequests() != 2 {
		t.Fatalf("same token %v, %d token requests", second.AccessToken == first.AccessToken, a.TokenRequests())
	}
	s.(interface{ Invalidate() }).Invalidate()
	if third := token(t, a, s); third.AccessToken == second.AccessToken || a.TokenRequests() != 3 {
		t.Error("the source's own Invalidate did nothing")
	}
	p.Invalidate("https://other.example/.default")
	if token(t, a, s); a.TokenRequests() != 3 {
		t.Error("another scope's Invalidate dropped this one's token")
	}
}

func TestInvalidateWhileCallsAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t)
		p := provider(t, config(t, a, auth.KindSecret))
		refused := token(t, a, p.TokenSource(scope)).AccessToken
		a.SetFault(func(simulator.AuthorityCall) simulator.AuthorityAnswer {
			return simulator.AuthorityAnswer{Delay: time.Second}
		})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				p.Invalidate(scope)
				if got, err := p.TokenSource(scope).Token(); err != nil || got.AccessToken == refused {
					t.Errorf("the refused token came back, or %v", err)
				}
			})
		}
		wg.Wait()
		if a.TokenRequests() != 2 {
			t.Errorf("%d token requests, want 2: one at first, one for all twenty", a.TokenRequests())
		}
	})
}

// TestInvalidateDuringRenewal drops a token while its renewal is under way: a caller that
// comes after that must not be given what an older call brings.
func TestInvalidateDuringRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t)
		p := provider(t, config(t, a, auth.KindSecret))
		token(t, a, p.TokenSource(scope))
		time.Sleep(56 * time.Minute)
		a.SetFault(func(simulator.AuthorityCall) simulator.AuthorityAnswer {
			return simulator.AuthorityAnswer{Delay: time.Second}
		})
		var renewed, after *oauth2.Token
		var wg sync.WaitGroup
		wg.Go(func() { renewed = token(t, a, p.TokenSource(scope)) })
		time.Sleep(time.Second / 2)
		p.Invalidate(scope)
		wg.Go(func() { after = token(t, a, p.TokenSource(scope)) })
		time.Sleep(time.Second * 3 / 4) // the renewal has ended, the call after it has not
		p.Invalidate(scope)             // nobody can have been refused the token to come
		wg.Wait()
		last := token(t, a, p.TokenSource(scope))
		if after.AccessToken == renewed.AccessToken || last.AccessToken != after.AccessToken || a.TokenRequests() != 3 {
			t.Errorf("the call after Invalidate joined the one before it, or its token was dropped (%d token requests, want 3)", a.TokenRequests())
		}
	})
}

func TestScopesAreSeparate(t *testing.T) {
	const other = "https://ps.compliance.protection.outlook.com"
	k := keys(t)
	a := simulator.NewAuthority(simulator.AuthorityConfig{Secret: k.ClientSecret, Audiences: []string{simulator.AuthorityAudience, other}})
	p := provider(t, config(t, a, auth.KindSecret))
	one, two := token(t, a, p.TokenSource(scope)), token(t, a, p.TokenSource(other+"/.default"))
	if one.AccessToken == two.AccessToken || a.TokenRequests() != 2 {
		t.Errorf("two scopes share a token, or took %d requests", a.TokenRequests())
	}
	if _, err := p.TokenSource("https://unknown.example/.default").Token(); wantError(t, err).Status != 400 {
		t.Errorf("an unknown resource: %v", err)
	}
}

func TestContextEndsTokenCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t)
		ctx, cancel := context.WithCancel(t.Context())
		p, err := auth.New(ctx, config(t, a, auth.KindSecret))
		if err != nil {
			t.Fatal(err)
		}
		token(t, a, p.TokenSource(scope))
		a.SetFault(func(simulator.AuthorityCall) simulator.AuthorityAnswer {
			return simulator.AuthorityAnswer{Delay: time.Hour}
		})
		p.Invalidate(scope)
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		_, err = p.TokenSource(scope).Token()
		if e := wantError(t, err); !errors.Is(e, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
	t.Run("a token that is held is not given out afterwards", func(t *testing.T) {
		a := authority(t)
		ctx, cancel := context.WithCancel(t.Context())
		p, err := auth.New(ctx, config(t, a, auth.KindSecret))
		if err != nil {
			t.Fatal(err)
		}
		token(t, a, p.TokenSource(scope))
		cancel()
		before := a.Requests()
		if _, err := p.TokenSource(scope).Token(); !errors.Is(err, context.Canceled) || a.Requests() != before {
			t.Errorf("%v, %d requests", err, a.Requests()-before)
		}
	})
}

func TestGivenToken(t *testing.T) {
	a := authority(t)
	jwt := token(t, a, provider(t, config(t, a, auth.KindSecret)).TokenSource(scope))
	for _, tc := range []struct {
		name   string
		text   string
		expiry time.Time
	}{
		{"jwt", jwt.AccessToken, jwt.Expiry.Truncate(time.Second)},
		{"opaque", "opaque-token", time.Time{}},
		{"dots but no jwt", "a.b.c", time.Time{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := provider(t, auth.Config{Kind: auth.KindToken, AccessToken: auth.Secret(tc.text)})
			got, err := p.TokenSource(scope).Token()
			if err != nil {
				t.Fatal(err)
			}
			if got.AccessToken != tc.text || got.Expiry.Sub(tc.expiry).Abs() > time.Second {
				t.Errorf("got expiry %v, want %v", got.Expiry, tc.expiry)
			}
			p.Invalidate(scope)
			if again, err := p.TokenSource(scope).Token(); err != nil || again.AccessToken != tc.text {
				t.Errorf("after Invalidate: %v", err)
			}
			if d := p.Describe(); strings.Contains(d, tc.text) || !strings.Contains(d, "access token") || strings.Contains(d, "expires") == tc.expiry.IsZero() {
				t.Errorf("described as %q", d)
			}
		})
	}
}
