package auth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestResolveTenant(t *testing.T) {
	a := authority(t)
	for _, tc := range []struct {
		name, tenant, want string
		requests           int
		reason             string // of a ConfigError
	}{
		{"guid", tenant, tenant, 0, ""},
		{"upper case", " " + strings.ToUpper(tenant), tenant, 0, ""},
		{"domain", simulator.AuthorityDomain, simulator.AuthorityTenantID, 1, ""},
		{"domain, upper case", strings.ToUpper(simulator.AuthorityDomain), simulator.AuthorityTenantID, 1, ""},
		{"empty", "", "", 0, "missing"},
		{"vanity domain", "contoso.com", "", 0, "neither a GUID"},
		{"common", "common", "", 0, "neither a GUID"},
		{"lookalike", "contoso.onmicrosoft.com.elsewhere.example", "", 0, "neither a GUID"},
		{"no label", ".onmicrosoft.com", "", 0, "not the name"},
		{"two labels", "a.b.onmicrosoft.com", "", 0, "not the name"},
		{"path", "../x.onmicrosoft.com", "", 0, "not the name"},
		{"query", "a?b.onmicrosoft.com", "", 0, "not the name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := a.Requests()
			got, err := auth.ResolveTenant(t.Context(), &http.Client{Transport: a.RoundTripper()}, "", tc.tenant)
			if tc.reason != "" {
				wantConfigError(t, err, "tenant", tc.reason)
			} else if err != nil || got != tc.want {
				t.Errorf("got %q, %v", got, err)
			}
			if n := a.Requests() - before; n != tc.requests {
				t.Errorf("%d requests, want %d", n, tc.requests)
			}
		})
	}
}

func TestResolveTenantRefused(t *testing.T) {
	a := authority(t)
	inProcess := &http.Client{Transport: a.RoundTripper()}
	_, err := auth.ResolveTenant(t.Context(), inProcess, "", "fabrikam.onmicrosoft.com")
	if e := wantError(t, err); e.Code != "AADSTS90002" || !strings.Contains(e.Hint, "--cloud") {
		t.Errorf("an unknown tenant: %v", err)
	}
	_, err = auth.ResolveTenant(t.Context(), inProcess, "http://login.microsoftonline.com", "fabrikam.onmicrosoft.com")
	wantConfigError(t, err, "AZURE_AUTHORITY_HOST", "https")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := auth.ResolveTenant(ctx, inProcess, "", simulator.AuthorityDomain); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	const other = "11111111-2222-3333-4444-555555555555"
	for name, tc := range map[string]struct {
		status     int
		body, want string
	}{
		"garbage":     {200, "<html>", "cannot be read"},
		"no guid":     {200, `{"issuer":"https://h/common/v2.0","token_endpoint":"https://h/common/t"}`, "by a GUID"},
		"template":    {200, `{"issuer":"https://h/{tenantid}/v2.0","token_endpoint":"https://h/` + tenant + `/t"}`, "by a GUID"},
		"bad address": {200, `{"issuer":"https://[","token_endpoint":"https://h/` + tenant + `/t"}`, "by a GUID"},
		"two tenants": {200, `{"issuer":"https://h/` + tenant + `/v2.0","token_endpoint":"https://h/` + other + `/t"}`, "two tenants"},
		"redirect":    {302, "", "redirect"},
		"proxy page":  {502, "<html>", "502 Bad Gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // some are asked for again, after a wait
				c := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
					if r.URL.Host != "login.microsoftonline.com" {
						t.Errorf("a request went to %s", r.URL.Host)
					}
					return &http.Response{StatusCode: tc.status, Header: http.Header{"Location": {"https://elsewhere.example/"}}, Body: io.NopCloser(strings.NewReader(tc.body))}, nil
				})}
				_, err := auth.ResolveTenant(t.Context(), c, "", simulator.AuthorityDomain)
				if e := wantError(t, err); !strings.Contains(e.Message, tc.want) {
					t.Errorf("got %v, want …%s…", err, tc.want)
				}
			})
		})
	}
}

// TestResolveTenantOfACustomCloud: not even a question goes to a host that nobody declared.
func TestResolveTenantOfACustomCloud(t *testing.T) {
	a := authority(t)
	cfg := auth.Config{Authority: "https://login.example", HTTPClient: &http.Client{Transport: a.RoundTripper()}}
	_, err := cfg.ResolveTenant(t.Context(), simulator.AuthorityDomain)
	wantConfigError(t, err, "authority", "custom cloud")
	_, err = auth.ResolveTenant(t.Context(), cfg.HTTPClient, cfg.Authority, simulator.AuthorityDomain)
	wantConfigError(t, err, "authority", "custom cloud")
	if a.Requests() != 0 {
		t.Errorf("%d requests", a.Requests())
	}
	cfg.CustomAuthority = true
	if got, err := cfg.ResolveTenant(t.Context(), simulator.AuthorityDomain); err != nil || got != a.TenantID() {
		t.Errorf("got %q, %v", got, err)
	}
}
