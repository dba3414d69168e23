package auth_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/exchange/auth"
)

func TestFromEnvironment(t *testing.T) {
	files := map[string]string{"app.pem": "PEM", "app.PFX": "x", "der": "\x30\x82\x01\x00\x02\x01\x03\x30"}
	readFile := func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	const secret, cert, given = "AZURE_CLIENT_SECRET=s3cret\n", "AZURE_CLIENT_CERTIFICATE_PATH=app.pem", "EXOAUDIT_ACCESS_TOKEN=t0ken\n"
	const app, federated = "AZURE_CLIENT_ID=" + client, "AZURE_FEDERATED_TOKEN_FILE=f"
	const job, jobSecret = "ACTIONS_ID_TOKEN_REQUEST_URL=https://pipelines.example/x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=j0b-token"
	const endpoint, header = "IDENTITY_ENDPOINT=http://127.0.0.1:1/x", "IDENTITY_HEADER=h3ader"
	for _, tc := range []struct {
		name string
		env  []string
		kind auth.Kind
		want string // kind and credential, or the error, as wantFromEnvironment reads it
	}{
		{"nothing", nil, "", "managed-identity "},
		{"client id alone", []string{app}, "", "managed-identity "},
		{"secret", []string{app, secret}, "", "secret s3cret"},
		{"certificate", []string{app, cert}, "", "certificate PEM"},
		{"token", []string{given}, "", "token t0ken"},
		{"secret without client", []string{secret}, "", "AZURE_CLIENT_ID: missing"},
		{"certificate without client", []string{cert}, "", "AZURE_CLIENT_ID: missing"},
		{"secret and certificate", []string{app, secret, cert}, "", "auth: (AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH)"},
		{"secret and token", []string{app, secret, given}, "", "auth: (AZURE_CLIENT_SECRET, EXOAUDIT_ACCESS_TOKEN)"},
		{"secret and federated", []string{app, secret, federated}, "", "auth: (AZURE_CLIENT_SECRET, AZURE_FEDERATED_TOKEN_FILE)"},
		{"two, named", []string{app, secret, cert}, auth.KindCertificate, "certificate PEM"},
		{"three, named", []string{app, secret, cert, given}, auth.KindToken, "token t0ken"},
		{"named, another there", []string{app, secret}, auth.KindToken, "none: EXOAUDIT_ACCESS_TOKEN"},
		{"federated", []string{app, federated}, "", "federated f"},
		{"federated without client", []string{federated}, "", "AZURE_CLIENT_ID: missing"},
		{"federated, named", []string{app, federated, secret}, "federated", "federated f"},
		{"federated, named and not there", []string{app, secret}, "federated", "none: AZURE_CLIENT_ID with AZURE_FEDERATED_TOKEN_FILE"},
		{"federated and token", []string{app, federated, given}, "", "auth: (AZURE_FEDERATED_TOKEN_FILE, EXOAUDIT_ACCESS_TOKEN)"},
		{"github", []string{app, job, jobSecret}, "", "github https://pipelines.example/x j0b-token"},
		{"github beside a secret", []string{app, job, jobSecret, secret}, "", "secret s3cret"},
		{"github beside a machine", []string{app, job, jobSecret, endpoint, header}, "", "github https://pipelines.example/x j0b-token"},
		{"github, named beside a secret", []string{app, job, jobSecret, secret}, auth.KindGitHub, "github https://pipelines.example/x j0b-token"},
		{"github without client", []string{job, jobSecret}, "", "AZURE_CLIENT_ID: missing"},
		{"github, named and not there", []string{app}, auth.KindGitHub, "ACTIONS_ID_TOKEN_REQUEST_URL: id-token: write"},
		{"github, named and half there", []string{app, job}, auth.KindGitHub, "ACTIONS_ID_TOKEN_REQUEST_TOKEN: id-token: write"},
		{"github, half there", []string{app, job}, "", "managed-identity "},
		{"app service", []string{endpoint, header}, "", "managed-identity http://127.0.0.1:1/x h3ader"},
		{"app service beside a token", []string{endpoint, header, given}, "", "token t0ken"},
		{"app service, named", []string{endpoint, header, app, secret}, auth.KindManagedIdentity, "managed-identity http://127.0.0.1:1/x h3ader"},
		{"half an app service", []string{endpoint}, "", "managed-identity "},
		{"machine, named", []string{app}, auth.KindManagedIdentity, "managed-identity "},
		{"device code", []string{secret}, auth.KindDeviceCode, "device-code "},
		{"pfx with a password", []string{app, "AZURE_CLIENT_CERTIFICATE_PATH=der", "AZURE_CLIENT_CERTIFICATE_PASSWORD=s3cret\n"}, "", "certificate " + files["der"] + " s3cret"},
		{"unknown name", []string{app, secret}, "password", "auth: not known"},
		{"no file", []string{app, "AZURE_CLIENT_CERTIFICATE_PATH=gone.pem"}, "", "AZURE_CLIENT_CERTIFICATE_PATH: gone.pem"},
		{"pfx by name", []string{app, "AZURE_CLIENT_CERTIFICATE_PATH=app.PFX"}, "", "AZURE_CLIENT_CERTIFICATE_PATH: PFX"},
		{"pfx by content", []string{app, "AZURE_CLIENT_CERTIFICATE_PATH=der"}, "", "certificate " + files["der"]},
		{"bad token", []string{"EXOAUDIT_ACCESS_TOKEN=a b"}, "", "EXOAUDIT_ACCESS_TOKEN: white space"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			env := map[string]string{}
			for _, entry := range tc.env {
				key, value, _ := strings.Cut(entry, "=")
				env[key] = value
			}
			cfg, err := auth.FromEnvironment(func(k string) string { return env[k] }, readFile, tc.kind)
			wantFromEnvironment(t, cfg, err, tc.want)
		})
	}
	_, err := auth.FromEnvironment(func(k string) string { return map[string]string{"AZURE_CLIENT_CERTIFICATE_PATH": "gone"}[k] }, readFile, "")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file should be told as one: %v", err)
	}
}

// wantFromEnvironment compares with "kind credential", "none: what was looked for" or
// "setting: part of the reason".
func wantFromEnvironment(t *testing.T, cfg auth.Config, err error, want string) {
	t.Helper()
	if err == nil {
		got := fmt.Sprintf("%s %s%s%s%s%s%s", cfg.Kind, cfg.Secret.Reveal(), cfg.AccessToken.Reveal(), cfg.CertificatePEM, cfg.FederatedTokenFile, cfg.GitHub.URL, cfg.IdentityEndpoint)
		for _, secret := range []auth.Secret{cfg.CertificatePassword, cfg.GitHub.Token, cfg.IdentityHeader} {
			if secret != "" {
				got += " " + secret.Reveal()
			}
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		return
	}
	if none, ok := errors.AsType[*auth.NoCredentialError](err); ok {
		if diff := cmp.Diff(want, "none: "+strings.Join(none.Looked, "|")); diff != "" {
			t.Error(diff)
		}
		return
	}
	setting, reason, ok := strings.Cut(want, ": ")
	if !ok {
		t.Fatal(err)
	}
	if strings.HasPrefix(err.Error(), "auth: auth") {
		t.Errorf("the flag is not told from the package: %v", err)
	}
	wantConfigError(t, err, setting, reason)
	if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "t0ken") {
		t.Errorf("the error holds a secret: %v", err)
	}
}

func TestFromEnvironmentTakesTenantAndAuthority(t *testing.T) {
	env := map[string]string{
		"AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": "s3cret",
		"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/",
	}
	cfg, err := auth.FromEnvironment(func(k string) string { return env[k] }, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.TenantID != tenant || cfg.ClientID != client || cfg.Authority != env["AZURE_AUTHORITY_HOST"] || cfg.CustomAuthority {
		t.Errorf("got %v", cfg)
	}
	if _, err := auth.New(t.Context(), cfg); err != nil {
		t.Error(err)
	}
}

// TestJobWithoutPermissionIsTold: a job that may not ask GitHub has none of the variables.
func TestJobWithoutPermissionIsTold(t *testing.T) {
	env := map[string]string{"GITHUB_ACTIONS": "true", "AZURE_CLIENT_ID": client}
	cfg, err := auth.FromEnvironment(func(k string) string { return env[k] }, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	cfg.TenantID = tenant
	cfg.HTTPClient = &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("unreachable") })}
	_, err = provider(t, cfg).TokenSource(scope).Token()
	if _, ok := errors.AsType[*auth.NoCredentialError](err); !ok || !strings.Contains(err.Error(), "id-token: write") {
		t.Errorf("got %T: %v", err, err)
	}
}
