package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

const wholePolicy = `apiVersion: exoaudit/v1
kind: AuditPolicy
name: first
organization: {unifiedAuditLog: true, mailboxAuditing: true}
mailboxes:
  everyone:
    types: [UserMailbox, SharedMailbox]
    record: {delegate: {defaults: true}}
    auditEnabled: effective
    ageLimit: 90d
bypass: {}
`

// TestLastingFaults: what could not be read is unknown, and the exit status is
// 3, never 0, also after everything has been tried again. The waiting is that of
// a bubble. What the service says commands no terminal and no CI system.
func TestLastingFaults(t *testing.T) {
	const mailboxes, bypass = "Get-Mailbox", "Get-MailboxAuditBypassAssociation"
	hostile := "Something \x1b[31m went wrong\n::error::x"
	apply := []string{"apply", "--yes"}
	for _, tt := range []struct {
		name  string
		fault simulator.Fault
		args  []string
		says  string
	}{
		{"cursor", simulator.CursorLost(mailboxes, 0), []string{"check"}, "\nCoverage: INCOMPLETE"},
		{"cursor, as JSON", simulator.CursorLost(mailboxes, 0), []string{"check", "--format", "json"}, `"verdict": "incomplete"`},
		{"a body that is cut", simulator.BodyCut(mailboxes, 0), []string{"check"}, "Could not be judged"},
		{"more, and no link to it", simulator.NextLinkMissing(mailboxes, 0), []string{"check"}, "Could not be judged"},
		{"the same link again", simulator.NextLinkRepeated(mailboxes), []string{"check"}, "Could not be judged"},
		{"no value", simulator.ValueNull(mailboxes, 0), []string{"check"}, "Could not be judged"},
		{"an error inside", simulator.ErrorInside(bypass, 0, hostile), []string{"check"}, "went wrong"},
		{"what is known is still fixed", simulator.ValueNull(bypass, 0), apply, "\nApplied: 1 verified; not everything was read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 2100, UnifiedLogOff: tt.args[0] == "apply", Now: time.Now()})
				out := runInProcess(t, simulator.New(tenant, simulator.WithFaults(tt.fault)), wholePolicy, ExitIncomplete, tt.args...)
				if !strings.Contains(out, tt.says) || strings.Contains(out, "\nIn line") || strings.HasPrefix(out, "In line") {
					t.Errorf("it does not say %q:\n%s", tt.says, out)
				}
				if strings.Contains(out, "\x1b") || strings.Contains(out, "\n::") {
					t.Errorf("the service's words are not escaped:\n%s", out)
				}
				if tt.args[0] == "apply" && !tenant.Organization().UnifiedAuditLog {
					t.Error("the unified log is still off")
				}
			})
		})
	}
}

// TestReaderApplies: with a role that may read and not write, apply gives 5 and
// tries no further write.
func TestReaderApplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 100, Drift: 0.9, Now: time.Now()})
		service := simulator.New(tenant, simulator.WithRole(simulator.GlobalReader()))
		const lists = "apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: lists\nguards: {maxChangedPercent: 100}\n" +
			"mailboxes:\n  everyone:\n    record: {admin: {defaults: true}, delegate: {defaults: true}, owner: {defaults: true}}\n"
		out := runInProcess(t, service, lists, ExitDenied, "apply", "--yes")
		for _, says := range []string{"Refused: Set-Mailbox", "the credential may not do all"} {
			if !strings.Contains(out, says) {
				t.Errorf("it does not say %q:\n%s", says, out)
			}
		}
		// Four batches may be under way when the first is refused.
		if n := service.Count("Set-Mailbox"); n == 0 || n > 4*10 {
			t.Errorf("Set-Mailbox was called %d times", n)
		}
	})
}

// runInProcess runs a command on a service without a socket, and gives both of
// its streams.
func runInProcess(t *testing.T, service *simulator.Service, policy string, want int, args ...string) string {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "policy.yaml")
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{
		"AZURE_TENANT_ID": service.Tenant().ID(), "EXOAUDIT_ACCESS_TOKEN": "x",
		"HOME": folder, "XDG_STATE_HOME": folder, "LOCALAPPDATA": folder,
	}
	var out, errs bytes.Buffer
	got := Main(t.Context(), append(args, "-p", file), Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, Environment{
		Getenv: func(name string) string { return vars[name] }, Now: time.Now, Transport: service.RoundTripper(),
	})
	if got != want {
		t.Errorf("exit status %d, want %d", got, want)
	}
	return out.String() + errs.String()
}
