package auth_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

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
