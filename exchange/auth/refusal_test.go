package auth_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

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
			if e.CorrelationID == "" || e.TraceID == "" || strings.Contains(e.Message, "Trace ID") || strings.Contains(e.Message, "AADSTS") {
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
			synctest.Test(t, func(t *testing.T) { // some are asked for again, after a wait
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
				_ = wantError(t, err)
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
		})
	}
}
