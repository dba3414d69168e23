package cli

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestAddressesAreChecked: an address that no token may go to is told before
// anything else is looked at, and a password in one is never shown.
func TestAddressesAreChecked(t *testing.T) {
	t.Parallel()
	const password = "hunter2"
	for _, tt := range []struct {
		name, endpoint, authority string
		want                      int
		says                      string
	}{
		{"a password in the endpoint", "https://user:" + password + "@evil.example", "", ExitInvalid, "password"},
		{"no https", "http://evil.example", "", ExitInvalid, "https"},
		{"a password in the authority", "", "https://user:" + password + "@evil.example", ExitInvalid, "(evil.example)"},
		{"a password at Microsoft's host", "", "https://user:" + password + "@login.microsoftonline.com", ExitInvalid, "AZURE_AUTHORITY_HOST"},
		{"an authority without a scheme", "", "user:" + password + "@evil.example", ExitInvalid, "AZURE_AUTHORITY_HOST"},
		{"a sovereign authority", "", "https://login.sovcloud-identity.fr", ExitDenied, "no credential"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, command := range [][]string{{"doctor"}, {"doctor", "--format", "json", "--verbose"}} {
				b := newBench(t, simulator.Seed{Mailboxes: 1})
				b.vars = map[string]string{
					"AZURE_TENANT_ID": b.sim.Tenant.ID(), "EXOAUDIT_ENDPOINT": tt.endpoint, "AZURE_AUTHORITY_HOST": tt.authority,
					"HOME": t.TempDir(), "LOCALAPPDATA": t.TempDir(),
				}
				got := Main(t.Context(), append(command, "--auth", "secret"), Streams{In: b.in, Out: &b.out, Err: &b.err}, Environment{
					Getenv: func(name string) string { return b.vars[name] }, Now: time.Now, Transport: nowhere{},
				})
				shown := b.out.String() + b.err.String()
				if got != tt.want || !strings.Contains(shown, tt.says) || strings.Contains(shown, password) {
					t.Errorf("%s: exit status %d, want %d with %q and no password\n%s", command, got, tt.want, tt.says, shown)
				}
			}
		})
	}
}

// TestGuessedIdentityIsNoCredential: where there is none, doctor lists none.
func TestGuessedIdentityIsNoCredential(t *testing.T) {
	t.Parallel()
	b := newBench(t, simulator.Seed{Mailboxes: 1})
	b.vars = map[string]string{"AZURE_TENANT_ID": b.sim.Tenant.ID(), "HOME": t.TempDir(), "LOCALAPPDATA": t.TempDir()}
	got := Main(t.Context(), []string{"doctor"}, Streams{In: b.in, Out: &b.out, Err: &b.err}, Environment{
		Getenv: func(name string) string { return b.vars[name] }, Now: time.Now, Transport: nowhere{},
	})
	if shown := b.out.String(); got != ExitDenied || !strings.Contains(shown, "no credential found") || strings.Contains(shown, "ok       credential") {
		t.Errorf("exit status %d\n%s", got, shown)
	}
}

// nowhere is a network that reaches nothing.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("unreachable")
}
