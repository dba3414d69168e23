package simulator_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// nobodysGuid names no object.
const nobodysGuid = "11111111-2222-4333-8444-555555555555"

func exported(p *probe) []string {
	p.t.Helper()
	a := p.send(http.MethodGet, strings.Replace(strings.Replace(p.url(), "InvokeCommand", "EXOModuleFile", 1), "beta", "v1.0", 1)+"?Version=3.9.2", nil, map[string]string{"CommandName": "*"})
	var file struct {
		Value []struct{ ExportedCmdlets string }
	}
	if err := json.Unmarshal(a.Raw, &file); err != nil || len(file.Value) != 1 {
		p.t.Fatalf("%v: %s", err, a.Raw)
	}
	return strings.Split(file.Value[0].ExportedCmdlets, ",")
}

func TestRoles(t *testing.T) {
	const reads = "Get-AdminAuditLogConfig Get-DistributionGroupMember Get-DynamicDistributionGroupMember Get-Mailbox Get-MailboxAuditBypassAssociation " +
		"Get-MailboxPermission Get-OrganizationConfig Get-Recipient Get-RecipientPermission Get-UnifiedGroupLinks Get-User"
	const all = "Enable-OrganizationCustomization " + reads + " Set-AdminAuditLogConfig Set-Mailbox Set-MailboxAuditBypassAssociation Set-OrganizationConfig"
	calls := map[string]map[string]any{
		"Get-AdminAuditLogConfig": nil, "Get-Mailbox": {"ResultSize": "Unlimited"}, "Get-MailboxAuditBypassAssociation": {"ResultSize": "Unlimited"},
		"Get-OrganizationConfig": nil, "Get-User": {"Identity": nobodysGuid}, "Set-Mailbox": {"Identity": nobodysGuid, "AuditOwner": []string{"Update"}},
		"Set-MailboxAuditBypassAssociation": {"Identity": nobodysGuid, "AuditBypassEnabled": false}, "Set-OrganizationConfig": {"AuditDisabled": false},
		"Set-AdminAuditLogConfig": {"UnifiedAuditLogIngestionEnabled": true}, "Enable-OrganizationCustomization": nil,
	}
	for _, tc := range []struct{ name, want string }{
		{"securityReader", "Get-AdminAuditLogConfig Get-MailboxAuditBypassAssociation"},
		{"globalReader", reads},
		{"exchangeAdministrator", all},
		{"auditOperator", all},
		{"Audit Operator", all},
	} {
		role, ok := simulator.RoleNamed(strings.ToUpper(tc.name))
		if !ok {
			t.Fatalf("no role %s", tc.name)
		}
		p := newProbe(t, simulator.Seed{Mailboxes: 2}, simulator.WithRole(role))
		if got := strings.Join(exported(p), " "); got != tc.want {
			t.Errorf("%s exports %s, want %s", tc.name, got, tc.want)
		}
		for cmdlet, parameters := range calls {
			a := p.invoke(cmdlet, parameters)
			if allowed := slices.Contains(strings.Fields(tc.want), cmdlet); allowed == (a.Status == http.StatusForbidden) {
				t.Errorf("%s at %s: %d", tc.name, cmdlet, a.Status)
			}
			if a.Status == http.StatusForbidden && (len(a.Raw) != 4096 || strings.Trim(string(a.Raw), "\x00") != "" || a.Header.Get("Content-Encoding") != "gzip") {
				t.Errorf("%s at %s: not the 403 of NUL bytes: %v %.40q", tc.name, cmdlet, a.Header, a.Raw)
			}
		}
	}
	if _, ok := simulator.RoleNamed("janitor"); ok || len(simulator.RoleNames()) != 4 {
		t.Errorf("names %v, or a janitor", simulator.RoleNames())
	}
}

// TestParametersThatARoleLacks takes each parameter of the operator's role away and asks
// under each reading of the switch how that shows.
func TestParametersThatARoleLacks(t *testing.T) {
	m := simulator.NewTenant(simulator.Seed{Mailboxes: 1})
	present := first(m).Guid
	for mode, want := range map[string]struct{ present, absent int }{
		"forbidden": {403, 403}, "bindingError": {400, 400}, "identityFirst": {400, 404},
	} {
		var sw simulator.Switches
		if err := simulator.ParseSwitch(&sw, "roleParameter="+mode); err != nil {
			t.Fatal(err)
		}
		for parameter, value := range map[string]any{
			"AuditEnabled": true, "AuditLogAgeLimit": "365", "AuditAdmin": delta([]string{"Move"}, nil), "AuditDelegate": delta([]string{"Move"}, nil),
			"AuditOwner": delta([]string{"Move"}, nil), "DefaultAuditSet": []string{"Admin", "Delegate", "Owner"},
		} {
			role := simulator.AuditOperator()
			lacking := newProbe(t, simulator.Seed{Mailboxes: 1}, simulator.WithSwitches(sw), simulator.WithRole(role.Lacking("set-mailbox", strings.ToLower(parameter))))
			holding := newProbe(t, simulator.Seed{Mailboxes: 1}, simulator.WithSwitches(sw), simulator.WithRole(role))
			for identity, status := range map[string]int{present: want.present, nobodysGuid: want.absent} {
				call := map[string]any{"Identity": identity, parameter: value}
				a := lacking.invoke("Set-Mailbox", call)
				if a.Status != status || status == 400 && !strings.Contains(a.text(), "AmbiguousParameterSetException|Parameter set cannot be resolved using the specified named parameters. Invalid cmdlet parameters specified. "+parameter) {
					t.Errorf("%s, %s lacking, %s: %d %s, want %d", mode, parameter, identity, a.Status, a.text(), status)
				}
				if a := holding.invoke("Set-Mailbox", call); a.Status != map[string]int{present: 200, nobodysGuid: 404}[identity] {
					t.Errorf("%s, %s held, %s: %d %s", mode, parameter, identity, a.Status, a.text())
				}
			}
			if got := strings.Join(exported(lacking), " "); !strings.Contains(got, "Set-Mailbox ") {
				t.Errorf("%s: a parameter less takes the cmdlet away: %s", parameter, got)
			}
		}
	}
}

// TestControlOfAProbe is how a client finds out whether the service binds parameters
// before it looks an identity up: a parameter that no cmdlet has.
func TestControlOfAProbe(t *testing.T) {
	for mode, want := range map[simulator.RoleParameterMode]int{
		simulator.RoleParameterForbidden: 400, simulator.RoleParameterBindingError: 400, simulator.RoleParameterIdentityFirst: 404,
	} {
		p := newProbe(t, simulator.Seed{Mailboxes: 1, Users: 1, Groups: 1, PublicFolders: 1}, simulator.WithSwitches(simulator.Switches{RoleParameter: mode}))
		for _, cmdlet := range []string{"Set-Mailbox", "Set-MailboxAuditBypassAssociation", "Get-Mailbox", "Get-User"} {
			if a := p.invoke(cmdlet, map[string]any{"identity": nobodysGuid, "NoSuchParameter": true}); a.Status != want {
				t.Errorf("%d, %s: %d %s, want %d", mode, cmdlet, a.Status, a.text(), want)
			}
		}
		if a := p.invoke("Get-OrganizationConfig", map[string]any{"Identity": nobodysGuid}); a.Status != 400 {
			t.Errorf("%d: a cmdlet without Identity looks one up: %d", mode, a.Status)
		}
		for m := range p.tenant().AllMailboxes() {
			parameters := map[string]any{"Identity": m.Guid, "NoSuchParameter": true}
			switch m.Type {
			case "GroupMailbox":
				parameters["GroupMailbox"] = true
			case "PublicFolderMailbox":
				parameters["PublicFolder"] = true
			}
			if a := p.invoke("Set-Mailbox", parameters); a.Status != 400 {
				t.Errorf("%d, a %s that is there: %d %s", mode, m.Type, a.Status, a.text())
			}
		}
	}
}

func TestRolesThatLackReads(t *testing.T) {
	lacking := simulator.GlobalReader().Lacking("Get-Mailbox", "Filter")
	p := newProbe(t, simulator.Seed{Mailboxes: 3}, simulator.WithRole(lacking))
	if a := p.invoke("Get-Mailbox", map[string]any{"Filter": "AuditEnabled -eq 'True'"}); a.Status != 403 {
		t.Errorf("a filter that the role lacks: %d", a.Status)
	}
	if a := p.invoke("Get-Mailbox", map[string]any{"ResultSize": "Unlimited", "GroupMailbox": false, "Confirm": false}); a.Status != 200 || len(a.Value) != 3 {
		t.Errorf("without it: %d, %d rows", a.Status, len(a.Value))
	}
	if a := p.batch(nil, p.item("a", "Set-Mailbox", map[string]any{"Identity": nobodysGuid}), p.item("b", "Get-Mailbox", nil)); a.status("a") != 403 || a.status("b") != 200 {
		t.Errorf("in a batch: %s", a.Raw[:200])
	}
	without := simulator.GlobalReader().Without("get-mailbox")
	p = newProbe(t, simulator.Seed{}, simulator.WithRole(without))
	if a := p.invoke("Get-Mailbox", nil); a.Status != 403 || slices.Contains(exported(p), "Get-Mailbox") || len(exported(p)) != 10 {
		t.Errorf("without the cmdlet: %d, exports %v", a.Status, exported(p))
	}
	if base := simulator.GlobalReader(); len(base.Entries) != 11 || base.Entries[3].Parameters != nil || without.Name == base.Name || lacking.Name == base.Name {
		t.Errorf("a role was changed by deriving from it: %+v", base)
	}
	p = newProbe(t, simulator.Seed{}, simulator.WithRole(simulator.SecurityReader()))
	for cmdlet, want := range map[string]int{"Get-TransportRule": 501, "Get-Nonsense": 403} {
		if a := p.invoke(cmdlet, nil); a.Status != want {
			t.Errorf("%s: %d, want %d", cmdlet, a.Status, want)
		}
	}
}
