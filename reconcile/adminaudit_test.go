package reconcile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// newAdmin is the admin audit log as the service makes it.
func newAdmin(change ...func(*adminView)) adminView {
	v := adminView{
		enabled: fact[bool]{value: true}, cmdlets: fact[[]string]{value: []string{"*"}},
		parameters: fact[[]string]{value: []string{"*"}}, age: fact[time.Duration]{value: 90 * 24 * time.Hour},
		exported: fact[[]string]{value: []string{"Get-Mailbox", "New-Mailbox", "Set-Mailbox", "Set-OrganizationConfig"}},
	}
	for _, f := range change {
		f(&v)
	}
	return v
}

func TestDiffAdminAudit(t *testing.T) {
	cmdlets := func(list ...string) func(*adminView) {
		return func(v *adminView) { v.cmdlets.value = list }
	}
	excluded := func(list ...string) func(*adminView) {
		return func(v *adminView) { v.excluded.value = list }
	}
	noExports := func(v *adminView) { v.exported = fact[[]string]{missing: "gone"} }
	exempt := func(accept, expires string) string {
		return fmt.Sprintf("exemptions:\n  e: {subject: adminAudit, accept: {%s}, reason: r, owner: o@contoso.com, expires: %s}\n", accept, expires)
	}
	for name, c := range map[string]struct {
		wish, rest string
		view       adminView
		want       string
	}{
		"as the service makes it": {
			wish: `enabled: true, cmdlets: ["*"], parameters: ["*"], excludedCmdlets: [], ageLimit: 90d`, view: newAdmin(noExports), want: "inSync\n",
		},
		"all of it": {
			wish: `enabled: true, cmdlets: ["*"], parameters: ["*"], excludedCmdlets: [], ageLimit: 1y`,
			view: newAdmin(cmdlets("Set-Mailbox"), excluded("Set-*"), func(v *adminView) {
				v.enabled.value, v.parameters.value, v.age.value = false, []string{"AuditEnabled"}, 24*time.Hour
			}),
			want: "drifted\nadminAuditLogAgeLimit unsupported 1.00:00:00=>365.00:00:00\nadminAuditLogCmdlets unsupported +*\n" +
				"adminAuditLogEnabled unsupported false=>true\nadminAuditLogExcludedCmdlets unsupported -Set-*\nadminAuditLogParameters unsupported +*\n",
		},
		"tried": {
			wish: `ageLimit: 1y, attempt: true`, view: newAdmin(), want: "drifted\nadminAuditLogAgeLimit planned 90.00:00:00=>365.00:00:00\n",
		},
		"a wider pattern covers": {wish: `cmdlets: ["*Mailbox", "Set-Mailbox"]`, view: newAdmin(cmdlets("*mailbox*"), noExports), want: "inSync\n"},
		"several patterns together cover what is exported": {
			wish: `cmdlets: ["*Mailbox*"]`, view: newAdmin(cmdlets("Get-*", "New-Mailbox", "Set-M*")), want: "inSync\n",
		},
		"they do not": {
			wish: `cmdlets: ["*Mailbox*"]`, view: newAdmin(cmdlets("Get-*", "Set-M*")), want: "drifted\nadminAuditLogCmdlets unsupported +*Mailbox*\n",
		},
		"a pattern that is about nothing exported is judged by its letters": {
			wish: `cmdlets: ["*Transport*"]`, view: newAdmin(cmdlets("Set-*", "New-*")), want: "drifted\nadminAuditLogCmdlets unsupported +*Transport*\n",
		},
		"a name that is not exported is judged by its letters": {
			wish: `cmdlets: ["Set-TransportRule", "New-TransportRule"]`, view: newAdmin(cmdlets("Set-*")), want: "drifted\nadminAuditLogCmdlets unsupported +New-TransportRule\n",
		},
		"what is exported could not be read": {
			wish: `cmdlets: ["*Mailbox*"], ageLimit: 1y, attempt: true`, view: newAdmin(cmdlets("Set-*"), noExports),
			want: "unknown\nadminAuditLogAgeLimit blocked 90.00:00:00=>365.00:00:00\n? adminAuditLogCmdlets\n",
		},
		"an exclusion that the policy allows": {
			wish: `excludedCmdlets: ["Get-*"]`, view: newAdmin(excluded("Get-Mailbox"), noExports), want: "inSync\n",
		},
		"an exclusion that is wider and excludes no more": {
			wish: `excludedCmdlets: ["Get-*", "New-*", "Set-Mailbox"]`, view: newAdmin(excluded("*-Mailbox")), want: "inSync\n",
		},
		"an exclusion beside": {
			wish: `excludedCmdlets: ["Get-*"]`, view: newAdmin(excluded("Get-Mailbox", "Set-Organization*")),
			want: "drifted\nadminAuditLogExcludedCmdlets unsupported -Set-Organization*\n",
		},
		"unread": {
			wish: `enabled: true, ageLimit: 30d`, view: unreadAdmin("gone"), want: "unknown\n? adminAuditLogEnabled\n? adminAuditLogAgeLimit\n",
		},
		"unread, and nobody asks": {
			wish: `ageLimit: 30d`, view: newAdmin(func(v *adminView) { v.cmdlets.missing = "gone" }), want: "inSync\n",
		},
		"off for a time": {
			wish: `enabled: true`, rest: exempt("enabled: false", inForce), view: newAdmin(func(v *adminView) { v.enabled.value = false }),
			want: "exempt\nadminAuditLogEnabled exempt false=>false\n",
		},
		"the time is over": {
			wish: `enabled: true`, rest: exempt("enabled: false", ended), view: newAdmin(func(v *adminView) { v.enabled.value = false }),
			want: "drifted\nadminAuditLogEnabled unsupported false=>true\n",
		},
		"within what is accepted": {
			wish: `cmdlets: ["*"], parameters: ["*"], excludedCmdlets: [], ageLimit: 1y`,
			rest: exempt(`cmdlets: ["Set-*"], parameters: [], excludedCmdlets: ["Get-*"], ageLimit: 90d`, inForce),
			view: newAdmin(cmdlets("Set-*"), excluded("Get-Mailbox"), func(v *adminView) { v.parameters.value = nil }),
			want: "exempt\nadminAuditLogAgeLimit exempt 90.00:00:00=>90.00:00:00\nadminAuditLogCmdlets exempt +*\n" +
				"adminAuditLogExcludedCmdlets exempt -Get-Mailbox\nadminAuditLogParameters exempt +*\n",
		},
		"within what the second of two accepts": {
			wish: `ageLimit: 1y, attempt: true`,
			rest: exempt(`ageLimit: 180d`, inForce) + strings.Replace(strings.TrimPrefix(exempt(`ageLimit: 90d`, inForce), "exemptions:\n"), "e:", "f:", 1),
			view: newAdmin(), want: "exempt\nadminAuditLogAgeLimit exempt 90.00:00:00=>90.00:00:00\n",
		},
		"below what either accepts": {
			wish: `ageLimit: 1y, attempt: true`,
			rest: exempt(`ageLimit: 180d`, inForce) + strings.Replace(strings.TrimPrefix(exempt(`ageLimit: 100d`, inForce), "exemptions:\n"), "e:", "f:", 1),
			view: newAdmin(), want: "drifted\nadminAuditLogAgeLimit planned 90.00:00:00=>180.00:00:00\n",
		},
		"below what is accepted": {
			wish: `cmdlets: ["*"], excludedCmdlets: [], ageLimit: 1y`,
			rest: exempt(`cmdlets: ["Set-*"], excludedCmdlets: ["Get-*"], ageLimit: 180d`, inForce),
			view: newAdmin(cmdlets("Set-Mailbox"), excluded("New-Mailbox")),
			want: "drifted\nadminAuditLogAgeLimit unsupported 90.00:00:00=>180.00:00:00\nadminAuditLogCmdlets unsupported +Set-*\n" +
				"adminAuditLogExcludedCmdlets unsupported -New-Mailbox\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := "apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: test\nadminAudit: {controls: [A.1], " + c.wish + "}\n" + c.rest
			p, diags := policy.Parse("policy.yaml", []byte(text))
			if diags.HasErrors() {
				t.Fatalf("%v\n%s", diags, text)
			}
			if c.view.exported.missing == "gone" && c.want == "inSync\n" && c.view.needsExports(p.AdminAudit) {
				t.Error("asks for the exported cmdlets, and its letters settle it")
			}
			got := differ{policy: p, now: today()}.adminAudit(c.view)
			if diff := cmp.Diff(c.want, say(got)); diff != "" {
				t.Error(diff)
			}
			for _, ch := range got.changes {
				if ch.Subject.Kind != audit.KindAdminAudit || ch.ID == "" || ch.Origin.Line == 0 || ch.Severity != audit.Info || len(ch.Controls) != 1 {
					t.Errorf("%+v", ch)
				}
			}
		})
	}
}
