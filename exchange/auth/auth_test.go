package auth_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
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

// bubbleCredentials are good at the time at which a testing/synctest bubble begins.
var bubbleCredentials = sync.OnceValues(func() (*simulator.AuthorityCredentials, error) {
	return simulator.NewAuthorityCredentials(simulator.AuthorityCredentialsConfig{Now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)})
})

func keys(t *testing.T) *simulator.AuthorityCredentials {
	t.Helper()
	made := credentials
	if time.Now().Year() == 2000 {
		made = bubbleCredentials
	}
	c, err := made()
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

// transport is a RoundTripper from a function.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
