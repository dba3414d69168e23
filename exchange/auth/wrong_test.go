package auth_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestEachWrongCredentialSaysWhatToDo asserts codes, and what the hint must name.
func TestEachWrongCredentialSaysWhatToDo(t *testing.T) {
	const stranger = "11111111-2222-3333-4444-555555555555"
	assertion := func(issuer, subject, audience string, at time.Duration) func(*testing.T, *world, *auth.Config) {
		return func(t *testing.T, w *world, _ *auth.Config) {
			i := w.cluster
			if issuer != clusterURL {
				i = simulator.NewAuthorityIssuer(issuer)
			}
			w.write(t, i.Assertion(subject, audience, time.Now().Add(at), time.Hour))
		}
	}
	client := func(id string) func(*testing.T, *world, *auth.Config) {
		return func(_ *testing.T, _ *world, cfg *auth.Config) { cfg.ClientID = id }
	}
	for _, tc := range []struct {
		name, kind string
		edit       func(*testing.T, *world, *auth.Config)
		code       string
		status     int
		hint       []string
	}{
		{"wrong secret", "secret", func(_ *testing.T, _ *world, cfg *auth.Config) { cfg.Secret = "wr0ng" }, "AADSTS7000215", 401, []string{"AZURE_CLIENT_SECRET"}},
		{"expired secret", "secret", func(_ *testing.T, w *world, _ *auth.Config) { w.authority.SecretExpired = true }, "AADSTS7000222", 401, []string{"AZURE_CLIENT_SECRET", "new"}},
		{"unknown application", "secret", client(stranger), "AADSTS700016", 400, []string{"AZURE_CLIENT_ID"}},
		{"unknown tenant", "secret", func(_ *testing.T, _ *world, cfg *auth.Config) { cfg.TenantID = stranger }, "AADSTS90002", 400, []string{"--cloud"}},
		{"certificate that is not registered", "certificate", func(_ *testing.T, w *world, _ *auth.Config) { w.authority.Certificate = nil }, "AADSTS700027", 401, []string{"upload"}},
		{"clock", "certificate", func(_ *testing.T, w *world, _ *auth.Config) {
			w.authority.Clock = func() time.Time { return time.Now().Add(-time.Hour) }
		}, "AADSTS700024", 401, []string{"clock"}},
		{"another subject", "federated", assertion(clusterURL, "system:serviceaccount:other", exchangeToken, 0), "AADSTS700213", 401, []string{clusterURL, "system:serviceaccount:other", exchangeToken}},
		{"another issuer", "federated", assertion("https://other.example", clusterUser, exchangeToken, 0), "AADSTS70021", 401, []string{"https://other.example", clusterUser}},
		{"another audience", "federated", assertion(clusterURL, clusterUser, "api://other", 0), "AADSTS70021", 401, []string{"api://other"}},
		{"expired federated token", "federated", assertion(clusterURL, clusterUser, exchangeToken, -2*time.Hour), "AADSTS700024", 401, []string{"AZURE_FEDERATED_TOKEN_FILE", "1999-12-31T23:00:00Z"}},
		{"federated token of an unknown application", "federated", client(stranger), "AADSTS700016", 400, []string{"AZURE_CLIENT_ID"}},
		{"federated token that is signed by another", "federated", func(t *testing.T, w *world, _ *auth.Config) {
			w.write(t, simulator.NewAuthorityIssuer(clusterURL).Assertion(clusterUser, exchangeToken, time.Now(), time.Hour))
		}, "AADSTS700027", 401, []string{clusterURL}},
		{"job of another branch", "github", func(_ *testing.T, w *world, _ *auth.Config) {
			w.authority.GitHub.Subject = "repo:contoso/audit:ref:refs/heads/x"
		}, "AADSTS700213", 401, []string{githubIssuer, "repo:contoso/audit:ref:refs/heads/x", exchangeToken}},
		{"token of another job", "github", func(_ *testing.T, _ *world, cfg *auth.Config) { cfg.GitHub.Token = "0ther-Token" }, "", 401, []string{"id-token: write"}},
		{"no identity of the machine", "imds, system-assigned", func(_ *testing.T, w *world, _ *auth.Config) { w.authority.Machine.System = "" }, "invalid_request", 400, []string{"assign", "AZURE_CLIENT_ID"}},
		{"identity that the machine has not", "imds, user-assigned", client(stranger), "invalid_request", 400, []string{"AZURE_CLIENT_ID"}},
		{"identity of another tenant", "imds, system-assigned", func(_ *testing.T, w *world, _ *auth.Config) {
			w.authority.Claims.TenantID = stranger
		}, "", 0, []string{"tenant"}},
		{"header of another app", "app service, system-assigned", func(_ *testing.T, w *world, _ *auth.Config) { w.authority.Machine.Header = "other" }, "", 401, []string{"IDENTITY_HEADER"}},
		{"declined", "device code", func(_ *testing.T, w *world, _ *auth.Config) { w.authority.Person.Declines = true }, "authorization_declined", 400, []string{"declined"}},
		{"nobody signs in", "device code", func(_ *testing.T, w *world, _ *auth.Config) { w.authority.Person.Polls = -1 }, "expired_token", 0, []string{"sooner"}},
		{"code that expires earlier than it says", "device code", func(_ *testing.T, w *world, _ *auth.Config) {
			w.authority.Person.Polls = -1
			w.authority.Clock = func() time.Time {
				return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) * 2)
			}
		}, "expired_token", 400, []string{"sooner"}},
		{"device code of an unknown application", "device code", client(stranger), "AADSTS700016", 400, []string{"AZURE_CLIENT_ID"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := kindNamed(t, tc.kind)
			synctest.Test(t, func(t *testing.T) {
				w, _, cfg := k.open(t)
				tc.edit(t, w, &cfg)
				a := w.reopen(&cfg)
				seen := &recorder{next: a.RoundTripper()}
				cfg.HTTPClient.Transport = seen
				_, err := provider(t, cfg).TokenSource(scope).Token()
				e := wantError(t, err)
				if e.Code != tc.code || e.Status != tc.status {
					t.Errorf("code %q, status %d: %v", e.Code, e.Status, err)
				}
				for _, want := range tc.hint {
					if !strings.Contains(e.Hint, want) {
						t.Errorf("the hint does not name %q: %q", want, e.Hint)
					}
				}
				secrets := []string{cfg.Secret.Reveal(), jobToken, cfg.GitHub.Token.Reveal(), "h3ader", "eyJ", seen.form.Get("device_code"), seen.form.Get("client_assertion")}
				for _, secret := range secrets {
					if secret != "" && strings.Contains(err.Error(), secret) {
						t.Errorf("the error holds %q: %v", secret, err)
					}
				}
			})
		})
	}
}

func TestIncompleteConfigIsNamed(t *testing.T) {
	for _, tc := range []struct {
		name, kind, setting, reason string
		edit                        func(*auth.Config)
	}{
		{"no file", "federated", "AZURE_FEDERATED_TOKEN_FILE", "empty", func(c *auth.Config) { c.FederatedTokenFile = "" }},
		{"no address", "github", "ACTIONS_ID_TOKEN_REQUEST_URL", "id-token: write", func(c *auth.Config) { c.GitHub.URL = "" }},
		{"no request token", "github", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "id-token: write", func(c *auth.Config) { c.GitHub.Token = "" }},
		{"plain address", "github", "ACTIONS_ID_TOKEN_REQUEST_URL", "https", func(c *auth.Config) { c.GitHub.URL = "http://pipelines.example/x" }},
		{"plain loopback", "github", "ACTIONS_ID_TOKEN_REQUEST_URL", "https", func(c *auth.Config) { c.GitHub.URL = "http://127.0.0.1/x" }},
		{"plain address in a test", "github", "ACTIONS_ID_TOKEN_REQUEST_URL", "https", func(c *auth.Config) {
			c.GitHub.URL, c.GitHub.PlainLoopback = "http://pipelines.example/x", true
		}},
		{"user in the address", "github", "ACTIONS_ID_TOKEN_REQUEST_URL", "not an address", func(c *auth.Config) { c.GitHub.URL = "https://u:p@pipelines.example/x" }},
		{"no client", "github", "AZURE_CLIENT_ID", "missing", func(c *auth.Config) { c.ClientID = "" }},
		{"identity that is no GUID", "imds, user-assigned", "AZURE_CLIENT_ID", "not a GUID", func(c *auth.Config) { c.ClientID = "mine" }},
		{"identity endpoint", "app service, system-assigned", "IDENTITY_ENDPOINT", "not an http address", func(c *auth.Config) { c.IdentityEndpoint = "file:///x" }},
		{"environment that differs", "app service, system-assigned", "auth", "AppService", func(c *auth.Config) { c.IdentityEndpoint = "" }},
		{"nobody there", "device code", "auth", "terminal", func(c *auth.Config) { c.Interactive = false }},
		{"nowhere to show it", "device code", "auth", "terminal", func(c *auth.Config) { c.Prompt = nil }},
		{"foreign authority", "device code", "authority", "custom cloud", func(c *auth.Config) { c.Authority = "https://login.example" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := kindNamed(t, tc.kind)
			_, _, cfg := k.open(t)
			tc.edit(&cfg)
			_, err := auth.New(t.Context(), cfg)
			wantConfigError(t, err, tc.setting, tc.reason)
		})
	}
}

func TestOtherManagedIdentitiesAreRefusedByName(t *testing.T) {
	t.Setenv("MSI_ENDPOINT", "http://127.0.0.1/x")
	_, _, cfg := kindNamed(t, "imds, system-assigned").open(t)
	_, err := auth.New(t.Context(), cfg)
	if e, ok := errors.AsType[*auth.ConfigError](err); !ok || !strings.Contains(e.Reason, "CloudShell") {
		t.Errorf("got %v", err)
	}
}
