package auth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/auth"
)

const (
	tenant = "5fa2c1de-7d6b-4a34-9e0c-3b1d8f2a6c01"
	client = "c0ffee00-2b5e-4c52-8a7e-9d1f3e5b7a02"
)

// show formats a value in every way that a log, a report or a debugger would.
func show(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	fmt.Fprintln(&b, v)
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(data)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	return b.String()
}

func TestNothingShowsASecret(t *testing.T) {
	const text = "S3cret~value"
	a := authority(t)
	cfg := config(t, a, auth.KindSecret)
	cfg.Secret, cfg.AccessToken = text, text
	cfg.CertificatePEM, cfg.CertificatePassword, cfg.IdentityHeader = []byte(text), text, text
	cfg.GitHub = auth.GitHubRequest{URL: "https://pipelines.example", Token: text}
	cfg.HTTPClient = nil // json cannot encode a transport; none of it is ours
	p := provider(t, cfg)
	type holder struct {
		Secret auth.Secret
		Config auth.Config
		Nested *auth.Config
	}
	forbidden := []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), "83 51 99 114", "UzNjcmV0fnZhbHVl"}
	for name, v := range map[string]any{
		"secret":   auth.Secret(text),
		"pointer":  new(auth.Secret(text)),
		"slice":    []auth.Secret{text},
		"map":      map[string]auth.Secret{"k": text},
		"config":   cfg,
		"struct":   holder{text, cfg, &cfg},
		"github":   cfg.GitHub,
		"provider": p,
		"source":   p.TokenSource(scope),
		"inside":   struct{ P *auth.Provider }{p},
	} {
		t.Run(name, func(t *testing.T) {
			shown := show(t, v)
			for _, bad := range forbidden {
				if strings.Contains(shown, bad) {
					t.Errorf("shows %q:\n%s", bad, shown)
				}
			}
		})
	}
	if got := auth.Secret(text).Reveal(); got != text {
		t.Errorf("Reveal gives %q", got)
	}
	if !strings.Contains(show(t, auth.Secret(text)), "[redacted]") {
		t.Error("a secret shows nothing at all")
	}
}

func TestDescribe(t *testing.T) {
	a := authority(t)
	expires := keys(t).ClientCertificate.NotAfter.UTC().Format(time.DateOnly)
	for kind, want := range map[auth.Kind]string{
		auth.KindSecret:      "client secret of application " + client + ", authority login.microsoftonline.com",
		auth.KindCertificate: "client certificate CN=exoaudit simulator client (expires " + expires + ") of application " + client + ", authority login.microsoftonline.com",
	} {
		p := provider(t, config(t, a, kind))
		if got := p.Describe(); got != want || p.Kind() != kind {
			t.Errorf("%s is described as %q, want %q", p.Kind(), got, want)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := auth.Config{Kind: auth.KindSecret, TenantID: tenant, ClientID: client, Secret: "s3cret"}
	given := func(token auth.Secret) func(*auth.Config) {
		return func(c *auth.Config) { *c = auth.Config{Kind: auth.KindToken, AccessToken: token} }
	}
	at := func(authority string) func(*auth.Config) {
		return func(c *auth.Config) { c.Authority = authority }
	}
	custom := func(authority string) func(*auth.Config) {
		return func(c *auth.Config) { c.Authority, c.CustomAuthority = authority, true }
	}
	for _, tc := range []struct {
		name, setting, reason string // an empty setting: accepted
		edit                  func(*auth.Config)
	}{
		{name: "good", edit: func(*auth.Config) {}},
		{name: "no kind", setting: "auth", reason: "not known", edit: func(c *auth.Config) { c.Kind = "" }},
		{name: "domain as tenant", setting: "tenant", reason: "not a GUID", edit: func(c *auth.Config) { c.TenantID = "contoso.onmicrosoft.com" }},
		{name: "common", setting: "tenant", reason: "not a GUID", edit: func(c *auth.Config) { c.TenantID = "common" }},
		{name: "path in tenant", setting: "tenant", reason: "not a GUID", edit: func(c *auth.Config) { c.TenantID = tenant[:35] + "/" }},
		{name: "no client", setting: "AZURE_CLIENT_ID", reason: "missing", edit: func(c *auth.Config) { c.ClientID = "" }},
		{name: "client name", setting: "AZURE_CLIENT_ID", reason: "not a GUID", edit: func(c *auth.Config) { c.ClientID = "exoaudit" }},
		{name: "no secret", setting: "AZURE_CLIENT_SECRET", reason: "empty", edit: func(c *auth.Config) { c.Secret = " " }},
		{name: "no certificate", setting: "AZURE_CLIENT_CERTIFICATE_PATH", reason: "no PEM", edit: func(c *auth.Config) { c.Kind = auth.KindCertificate }},
		{name: "slash", edit: at("https://login.microsoftonline.us/")},
		{name: "port 443", edit: at("https://LOGIN.microsoftonline.com:443")},
		{name: "china", edit: at("https://login.partner.microsoftonline.cn")},
		{name: "http", setting: "AZURE_AUTHORITY_HOST", reason: "https", edit: at("http://login.microsoftonline.com")},
		{name: "http, custom", setting: "AZURE_AUTHORITY_HOST", reason: "https", edit: custom("http://127.0.0.1:8080")},
		{name: "bare host", setting: "AZURE_AUTHORITY_HOST", reason: "https", edit: at("login.microsoftonline.com")},
		{name: "path", setting: "AZURE_AUTHORITY_HOST", reason: "without a path", edit: at("https://login.microsoftonline.com/common")},
		{name: "query", setting: "AZURE_AUTHORITY_HOST", reason: "without a path or query", edit: at("https://login.microsoftonline.com?x")},
		{name: "user", setting: "AZURE_AUTHORITY_HOST", reason: "user name", edit: at("https://login.microsoftonline.com@elsewhere.example")},
		{name: "no host", setting: "AZURE_AUTHORITY_HOST", reason: "no host", edit: at("https://:443")},
		{name: "foreign", setting: "authority", reason: "custom cloud", edit: at("https://login.microsoftonline.com.elsewhere.example")},
		{name: "foreign port", setting: "authority", reason: "custom cloud", edit: at("https://login.microsoftonline.com:8443")},
		{name: "loopback", setting: "authority", reason: "custom cloud", edit: at("https://127.0.0.1:8443")},
		{name: "custom", edit: custom("https://127.0.0.1:8443")},
		{name: "token", edit: given("abc.def")},
		{name: "empty token", setting: "EXOAUDIT_ACCESS_TOKEN", reason: "empty", edit: given("")},
		{name: "bearer", setting: "EXOAUDIT_ACCESS_TOKEN", reason: "Bearer", edit: given("Bearer abc")},
		{name: "header injection", setting: "EXOAUDIT_ACCESS_TOKEN", reason: "white space", edit: given("abc\r\nX: y")},
		{name: "umlaut", setting: "EXOAUDIT_ACCESS_TOKEN", reason: "characters", edit: given("äbc")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := good
			tc.edit(&cfg)
			_, err := auth.New(t.Context(), cfg)
			if tc.setting == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantConfigError(t, err, tc.setting, tc.reason)
		})
	}
}

func wantConfigError(t *testing.T, err error, setting, reason string) {
	t.Helper()
	e, ok := errors.AsType[*auth.ConfigError](err)
	if !ok {
		t.Fatalf("got %T %v, want *auth.ConfigError", err, err)
	}
	if e.Setting != setting || !strings.Contains(e.Reason, reason) {
		t.Errorf("got %s: %s; want %s: …%s…", e.Setting, e.Reason, setting, reason)
	}
}
