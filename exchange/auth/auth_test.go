package auth_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

const scope = "https://outlook.office365.com/.default"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// credentials makes keys once: generating RSA keys is slow.
var credentials = sync.OnceValues(func() (*simulator.AuthorityCredentials, error) {
	return simulator.NewAuthorityCredentials(simulator.AuthorityCredentialsConfig{})
})

func keys(t *testing.T) *simulator.AuthorityCredentials {
	t.Helper()
	c, err := credentials()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// authority is a fake that knows a secret and a certificate.
func authority(t *testing.T) *simulator.Authority {
	t.Helper()
	k := keys(t)
	return simulator.NewAuthority(simulator.AuthorityConfig{Secret: k.ClientSecret, Certificate: k.ClientCertificate})
}

// config asks the authority in process, under the name of Microsoft's.
func config(t *testing.T, a *simulator.Authority, kind auth.Kind) auth.Config {
	t.Helper()
	k := keys(t)
	return auth.Config{
		Kind:           kind,
		TenantID:       a.TenantID(),
		ClientID:       a.ClientID(),
		Secret:         auth.Secret(k.ClientSecret),
		CertificatePEM: k.ClientPEM(),
		HTTPClient:     &http.Client{Transport: a.RoundTripper()},
	}
}

func provider(t *testing.T, cfg auth.Config) *auth.Provider {
	t.Helper()
	p, err := auth.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// token gets a token that the authority itself accepts.
func token(t *testing.T, a *simulator.Authority, s oauth2.TokenSource) *oauth2.Token {
	t.Helper()
	got, err := s.Token()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Check(got.AccessToken); err != nil {
		t.Fatalf("the token does not verify: %v", err)
	}
	return got
}

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

// wantError asserts the type and that nothing MSAL made can be reached through it.
func wantError(t *testing.T, err error) *auth.Error {
	t.Helper()
	e, ok := errors.AsType[*auth.Error](err)
	if !ok {
		t.Fatalf("got %T %v, want *auth.Error", err, err)
	}
	if inner := errors.Unwrap(e); inner != nil && !errors.Is(inner, context.Canceled) && !errors.Is(inner, context.DeadlineExceeded) {
		t.Fatalf("the error wraps %T", inner)
	}
	return e
}

func TestRefusals(t *testing.T) {
	other, err := simulator.NewAuthorityCredentials(simulator.AuthorityCredentialsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	past := func() time.Time { return time.Now().Add(-time.Hour) }
	for _, tc := range []struct {
		name, code, hint string
		kind             auth.Kind
		status           int
		edit             func(*auth.Config)
		clock            func() time.Time
	}{
		{name: "wrong secret", code: "AADSTS7000215", hint: "AZURE_CLIENT_SECRET", kind: auth.KindSecret, status: 401, edit: func(c *auth.Config) { c.Secret = "not-the-Secret+1/2=" }},
		{name: "unknown application", code: "AADSTS700016", hint: "AZURE_CLIENT_ID", kind: auth.KindSecret, status: 400, edit: func(c *auth.Config) { c.ClientID = "11111111-2222-3333-4444-555555555555" }},
		{name: "unknown tenant", code: "AADSTS90002", hint: "--cloud", kind: auth.KindSecret, status: 400, edit: func(c *auth.Config) { c.TenantID = "11111111-2222-3333-4444-555555555555" }},
		{name: "unknown certificate", code: "AADSTS700027", hint: "upload", kind: auth.KindCertificate, status: 401, edit: func(c *auth.Config) { c.CertificatePEM = other.ClientPEM() }},
		{name: "clock", code: "AADSTS700024", hint: "clock", kind: auth.KindCertificate, status: 401, clock: past},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := keys(t)
			a := simulator.NewAuthority(simulator.AuthorityConfig{Secret: k.ClientSecret, Certificate: k.ClientCertificate, Clock: tc.clock})
			cfg := config(t, a, tc.kind)
			if tc.edit != nil {
				tc.edit(&cfg)
			}
			_, err := provider(t, cfg).TokenSource(scope).Token()
			e := wantError(t, err)
			if e.Code != tc.code || e.Status != tc.status || !strings.Contains(e.Hint, tc.hint) {
				t.Errorf("code %q status %d hint %q", e.Code, e.Status, e.Hint)
			}
			if e.CorrelationID == "" || e.TraceID == "" || strings.Contains(e.Message, "Trace ID") {
				t.Errorf("identifiers belong into their fields: %+v", *e)
			}
			if strings.Contains(err.Error(), cfg.Secret.Reveal()) || strings.Contains(err.Error(), url.QueryEscape(cfg.Secret.Reveal())) {
				t.Error("the error holds the secret")
			}
			if a.TokensIssued() != 0 {
				t.Error("a token was issued")
			}
		})
	}
}

func TestThrottledAndUnavailable(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer simulator.AuthorityAnswer
		status int
		wait   time.Duration
	}{
		{"429 with Retry-After", simulator.AuthorityThrottled(30 * time.Second), 429, 30 * time.Second},
		{"429 without", simulator.AuthorityThrottled(0), 429, 0},
		{"503", simulator.AuthorityUnavailable(), 503, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := authority(t)
			a.SetFault(func(c simulator.AuthorityCall) simulator.AuthorityAnswer {
				if c.Token == 1 {
					return tc.answer
				}
				return simulator.AuthorityAnswer{}
			})
			s := provider(t, config(t, a, auth.KindSecret)).TokenSource(scope)
			_, err := s.Token()
			e := wantError(t, err)
			if e.Status != tc.status || e.RetryAfter != tc.wait || !strings.Contains(e.Hint, "try again") {
				t.Errorf("status %d, retry after %v, hint %q", e.Status, e.RetryAfter, e.Hint)
			}
			if a.TokenRequests() != 1 {
				t.Errorf("%d token requests, want 1: nothing is retried here", a.TokenRequests())
			}
			token(t, a, s) // a failure is not kept
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
				got.AccessToken = "changed by its owner" // must not reach the others
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
		a.SetFault(func(simulator.AuthorityCall) simulator.AuthorityAnswer {
			return simulator.AuthorityAnswer{Delay: time.Hour}
		})
		ctx, cancel := context.WithCancel(t.Context())
		p, err := auth.New(ctx, config(t, a, auth.KindSecret))
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		_, err = p.TokenSource(scope).Token()
		if wantError(t, err); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		before := a.Requests()
		if _, err := p.TokenSource(scope).Token(); !errors.Is(err, context.Canceled) || a.Requests() != before {
			t.Errorf("a call after the end: %v, %d requests", err, a.Requests()-before)
		}
	})
}

// TestAnswersThatCannotBeReadLeakNothing cuts a real token response off, and sends others
// whose JSON does not decode: MSAL puts all of the text into its error.
func TestAnswersThatCannotBeReadLeakNothing(t *testing.T) {
	const secretToken = "opaque-Token.That_mustNotShow"
	for name, answer := range map[string]simulator.AuthorityAnswer{
		"truncated":        {Truncate: true},
		"null expiry":      {Status: 200, Body: `{"access_token":"` + secretToken + `","expires_in":null}`},
		"no expiry":        {Status: 200, Body: `{"access_token":"` + secretToken + `"}`},
		"bad expiry":       {Status: 200, Body: `{"access_token":"` + secretToken + `","expires_in":"` + secretToken + `"}`},
		"bad expires_on":   {Status: 200, Body: `{"access_token":"` + secretToken + `","expires_on":"` + secretToken + `"}`},
		"garbage":          {Status: 200, Body: secretToken},
		"token in an id":   {Status: 200, Body: `{"id_token":"` + secretToken + `"}`},
		"not a token":      {Status: 200, Body: `{"access_token":"` + secretToken + `\n","expires_in":3600}`},
		"error with token": {Status: 400, Body: `{"error":"x","error_description":"AADSTS1: access_token=` + secretToken + `"}`},
		"page with token":  {Status: 500, Body: secretToken},
	} {
		t.Run(name, func(t *testing.T) {
			a := authority(t)
			a.SetFault(func(c simulator.AuthorityCall) simulator.AuthorityAnswer {
				if c.Token == 0 {
					return simulator.AuthorityAnswer{}
				}
				return answer
			})
			var seen recorder
			cfg := config(t, a, auth.KindSecret)
			seen.next = cfg.HTTPClient.Transport
			cfg.HTTPClient = &http.Client{Transport: &seen}
			_, err := provider(t, cfg).TokenSource(scope).Token()
			wantError(t, err)
			if !bytes.Contains(seen.answer, []byte("oken")) {
				t.Fatalf("the fault sent no token: %q", seen.answer)
			}
			var text strings.Builder
			for e := err; e != nil; e = errors.Unwrap(e) {
				fmt.Fprintf(&text, "%v %+v %#v %q\n", e, e, e, e)
			}
			for _, bad := range []string{secretToken, secretToken[:12], "eyJ", cfg.Secret.Reveal()} {
				if strings.Contains(text.String(), bad) {
					t.Errorf("the error holds %q: %s", bad, text.String())
				}
			}
		})
	}
}

// recorder keeps the last form that was sent and the last answer.
type recorder struct {
	next   http.RoundTripper
	form   url.Values
	answer []byte
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil && req.Method == http.MethodPost {
		data, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		if r.form, err = url.ParseQuery(string(data)); err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(data))
	}
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if r.answer, err = io.ReadAll(resp.Body); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(r.answer))
	return resp, nil
}

func TestAssertionCannotBeReplayed(t *testing.T) {
	a := authority(t)
	cfg := config(t, a, auth.KindCertificate)
	seen := &recorder{next: cfg.HTTPClient.Transport}
	cfg.HTTPClient = &http.Client{Transport: seen}
	token(t, a, provider(t, cfg).TokenSource(scope))
	if seen.form.Get("client_assertion") == "" || seen.form.Has("client_secret") {
		t.Fatalf("sent %v, want an assertion alone", seen.form)
	}
	address := auth.DefaultAuthority + "/" + a.TenantID() + "/oauth2/v2.0/token"
	resp, err := (&http.Client{Transport: a.RoundTripper()}).PostForm(address, seen.form)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != 401 || !bytes.Contains(body, []byte("used before")) || a.TokensIssued() != 1 {
		t.Errorf("the same assertion again: %d %s", resp.StatusCode, body)
	}
}

// transport is a RoundTripper from a function.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCredentialGoesNowhereElse(t *testing.T) {
	answer := func(status int, header http.Header, body string) *http.Response {
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}
	}
	t.Run("redirect", func(t *testing.T) {
		a := authority(t)
		cfg := config(t, a, auth.KindSecret)
		cfg.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "login.microsoftonline.com" {
				t.Errorf("a request went to %s", r.URL.Host)
			}
			if r.Method == http.MethodPost {
				return answer(307, http.Header{"Location": {"https://elsewhere.example/"}}, ""), nil
			}
			return a.RoundTripper().RoundTrip(r)
		})}
		_, err := provider(t, cfg).TokenSource(scope).Token()
		if e := wantError(t, err); e.Status != 307 || !strings.Contains(e.Message, "redirect") {
			t.Errorf("got %v", err)
		}
	})
	for _, foreign := range []string{"https://elsewhere.example", "http://login.microsoftonline.com", "https://login.microsoftonline.com:8443"} {
		t.Run("discovery leads to "+foreign, func(t *testing.T) {
			a := authority(t)
			cfg := config(t, a, auth.KindSecret)
			cfg.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodPost {
					t.Errorf("the credential went to %s", r.URL)
				}
				return answer(200, http.Header{}, `{"issuer":"https://login.microsoftonline.com/x/v2.0","authorization_endpoint":"https://login.microsoftonline.com/a","token_endpoint":"`+foreign+`/t"}`), nil
			})}
			_, err := provider(t, cfg).TokenSource(scope).Token()
			if e := wantError(t, err); !strings.Contains(e.Message, "no credential is sent") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRegionalEndpointsStayOff(t *testing.T) {
	t.Setenv("MSAL_FORCE_REGION", "westeurope")
	a := authority(t)
	cfg := config(t, a, auth.KindSecret)
	cfg.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "login.microsoftonline.com" {
			t.Errorf("a request went to %s", r.URL.Host)
		}
		return a.RoundTripper().RoundTrip(r)
	})}
	token(t, a, provider(t, cfg).TokenSource(scope))
}

func TestLongAnswerIsCut(t *testing.T) {
	a := authority(t)
	a.SetFault(func(simulator.AuthorityCall) simulator.AuthorityAnswer {
		return simulator.AuthorityAnswer{Status: 200, Body: strings.Repeat(" ", 2<<20)}
	})
	_, err := provider(t, config(t, a, auth.KindSecret)).TokenSource(scope).Token()
	if e := wantError(t, err); !strings.Contains(e.Message, "longer than") {
		t.Errorf("got %v", err)
	}
}

func TestCertificateExpiresDuringTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, err := simulator.NewAuthorityCredentials(simulator.AuthorityCredentialsConfig{Lifetime: 90 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		a := simulator.NewAuthority(simulator.AuthorityConfig{Certificate: k.ClientCertificate})
		cfg := auth.Config{Kind: auth.KindCertificate, TenantID: a.TenantID(), ClientID: a.ClientID(), CertificatePEM: k.ClientPEM(), HTTPClient: &http.Client{Transport: a.RoundTripper()}}
		s := provider(t, cfg).TokenSource(scope)
		token(t, a, s)
		time.Sleep(2 * time.Hour)
		_, err = s.Token()
		if e := wantError(t, err); !strings.Contains(e.Message, "expired on") || a.TokenRequests() != 1 {
			t.Errorf("%v after %d token requests", err, a.TokenRequests())
		}
		_, err = auth.New(t.Context(), cfg)
		if e := wantError(t, err); !strings.Contains(e.Message, "expired on") {
			t.Errorf("New: %v", err)
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
