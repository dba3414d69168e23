package policy_test

import (
	"testing"

	"github.com/exoaudit/exoaudit/policy"
)

// TestConsentIsNoWish: a policy that only permits something asks for nothing, and
// is warned of that.
func TestConsentIsNoWish(t *testing.T) {
	for text, want := range map[string]bool{
		"organization: {enableCustomization: true}":                  true,
		"adminAudit: {attempt: true}":                                true,
		"adminAudit: {attempt: false, controls: [ISO-27001:A.8.15]}": true,
		"adminAudit: {attempt: true, enabled: true}":                 false,
		"adminAudit: {attempt: true}\nbypass: {}":                    false,
		"extends: [microsoft-default]\nadminAudit: {attempt: true}":  false,
	} {
		p, found := policy.Parse("p.yaml", []byte("apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: x\n"+text+"\n"))
		warned := len(found) == 1 && found[0].Code == policy.CodeNoOpinion
		if p == nil || warned != want || !want && len(found) > 0 {
			t.Errorf("%s: %v", text, found)
		}
	}
}
