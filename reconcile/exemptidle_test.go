package reconcile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/policy"
)

func TestIdleExemptions(t *testing.T) {
	for _, c := range []struct {
		rest, subject, accept string
		idle                  bool
	}{
		{"organization: {unifiedAuditLog: true}", "organization", "unifiedAuditLog: false", false},
		{"organization: {unifiedAuditLog: true}", "organization", "mailboxAuditing: false", true},
		{"organization: {unifiedAuditLog: true}", "organization", "mailboxAuditing: false, unifiedAuditLog: false", false},
		{"mailboxes: {a: {ageLimit: 30d}}", "organization", "mailboxAuditing: false", false},
		{"bypass: {}", "organization", "mailboxAuditing: false", true},
		{"bypass: {}", "adminAudit", "enabled: false", true},
		{"adminAudit: {ageLimit: 30d}", "adminAudit", "enabled: false", true},
		{"adminAudit: {ageLimit: 30d}", "adminAudit", "ageLimit: 1d", false},
		{`adminAudit: {cmdlets: ["*"]}`, "adminAudit", `cmdlets: ["Set-*"]`, false},
	} {
		text := fmt.Sprintf("apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: test\n%s\n"+
			"exemptions:\n  e: {subject: %s, accept: {%s}, reason: r, owner: o@contoso.com, expires: 2099-01-01}\n", c.rest, c.subject, c.accept)
		p, diags := policy.Parse("policy.yaml", []byte(text))
		if diags.HasErrors() {
			t.Fatalf("%v\n%s", diags, text)
		}
		if got := idle(p); (len(got) == 1) != c.idle || c.idle && !strings.Contains(got[0], "exemption e (policy.yaml:6:3) exempts nothing") {
			t.Errorf("%s with %s: %q", c.rest, c.accept, got)
		}
	}
}
