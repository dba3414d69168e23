package auth_test

import (
	"errors"
	"fmt"
	"io/fs"
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
		got := fmt.Sprintf("%s %s%s%s", cfg.Kind, cfg.Secret.Reveal(), cfg.AccessToken.Reveal(), cfg.CertificatePEM)
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
