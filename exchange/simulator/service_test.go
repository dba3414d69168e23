package simulator_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestRoutesAndAccess(t *testing.T) {
	body := command("Get-OrganizationConfig", nil)
	for _, tc := range []struct {
		name, method, path string
		header             map[string]string
		status             int
	}{
		{"by GUID", "POST", "/adminapi/beta/{id}/InvokeCommand", nil, 200},
		{"by domain, any case", "POST", "/AdminApi/Beta/Contoso.onmicrosoft.com/invokecommand", nil, 200},
		{"v1.0", "POST", "/adminapi/v1.0/{id}/InvokeCommand", nil, 405},
		{"GET", "GET", "/adminapi/beta/{id}/InvokeCommand", nil, 405},
		{"another tenant", "POST", "/adminapi/beta/00000000-0000-4000-8000-000000000000/InvokeCommand", nil, 404},
		{"no token", "POST", "/adminapi/beta/{id}/InvokeCommand", map[string]string{"Authorization": ""}, 401},
		{"expired token", "POST", "/adminapi/beta/{id}/InvokeCommand", map[string]string{"Authorization": "Bearer old"}, 401},
		{"no bearer", "POST", "/adminapi/beta/{id}/InvokeCommand", map[string]string{"Authorization": "Basic token"}, 401},
		{"entity set", "GET", "/adminapi/beta/{id}/Mailbox", nil, 501},
		{"elsewhere", "GET", "/", nil, 404},
		{"module file", "GET", "/adminapi/v1.0/{id}/EXOModuleFile", nil, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProbe(t, simulator.Seed{}, simulator.WithTokenCheck(func(token string) error {
				if token != "token" {
					return errors.New("expired")
				}
				return nil
			}))
			a := p.send(tc.method, "https://"+host+strings.Replace(tc.path, "{id}", p.tenant().ID(), 1), body, tc.header)
			if a.Status != tc.status {
				t.Fatalf("got %d %s, want %d", a.Status, a.Raw, tc.status)
			}
			if a.Header.Get("request-id") == "" {
				t.Error("no request-id")
			}
			if tc.status == 401 && (len(a.Raw) != 0 || a.Header.Get("WWW-Authenticate") == "") {
				t.Errorf("401 with body %q and WWW-Authenticate %q", a.Raw, a.Header.Get("WWW-Authenticate"))
			}
			if tc.name == "module file" && !strings.Contains(string(a.Raw), "Set-Mailbox,Set-MailboxAuditBypassAssociation") {
				t.Errorf("module file %s", a.Raw)
			}
		})
	}
}

func TestHostsAndAccessToken(t *testing.T) {
	p := newProbe(t, simulator.Seed{}, simulator.WithHosts("127.0.0.1:9", "localhost:9"), simulator.WithAccessToken("token"))
	if a := p.invoke("Get-OrganizationConfig", nil); a.Status != http.StatusMisdirectedRequest {
		t.Errorf("a foreign host gives %d", a.Status)
	}
	p = newProbe(t, simulator.Seed{}, simulator.WithAccessToken("other"))
	if a := p.invoke("Get-OrganizationConfig", nil); a.Status != http.StatusUnauthorized {
		t.Errorf("a foreign token gives %d", a.Status)
	}
}

func TestUnknownAndUnmodelledCmdlets(t *testing.T) {
	p := newProbe(t, simulator.Seed{})
	a := p.invoke("Get-Nonsense", nil)
	if a.Status != 403 || len(a.Raw) != 4096 || strings.Trim(string(a.Raw), "\x00") != "" || a.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("unknown cmdlet: %d, %d bytes, encoding %q", a.Status, len(a.Raw), a.Header.Get("Content-Encoding"))
	}
	if a := p.invoke("get-transportrule", nil); a.Status != 501 || !strings.Contains(a.text(), "get-transportrule") {
		t.Errorf("unmodelled cmdlet: %d %s", a.Status, a.text())
	}
	for _, bad := range []string{``, `{}`, `{"CmdletInput":{}}`, `{"CmdletInput":{"CmdletName":"Get-Mailbox"}}`, `{"CmdletInput":{"CmdletName":"Get-Mailbox","Parameters":null}}`, `{"CmdletInput":{"CmdletName":"Get-Mailbox","Parameters":[]}}`} {
		if a := p.send(http.MethodPost, p.url(), []byte(bad), nil); a.Status != 400 {
			t.Errorf("body %s gives %d", bad, a.Status)
		}
	}
}

// TestErrorSpellings asks every cmdlet for something that is not there: all three
// spellings of wire 5.1 must occur.
func TestErrorSpellings(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 2})
	spellings := map[string]bool{}
	for cmdlet, parameters := range map[string]map[string]any{
		"Get-Mailbox":                       {"Identity": "nobody@contoso.com"},
		"Set-Mailbox":                       {"Identity": "nobody@contoso.com", "AuditEnabled": true},
		"Get-MailboxAuditBypassAssociation": {"Identity": "nobody@contoso.com"},
		"Set-MailboxAuditBypassAssociation": {"Identity": "nobody@contoso.com", "AuditBypassEnabled": false},
		"Get-User":                          {"Identity": "nobody@contoso.com"},
	} {
		a := p.invoke(cmdlet, parameters)
		if a.Status != 404 || a.Error.Code != "NotFound" || a.Error.Message != "Error executing cmdlet" || !strings.Contains(a.text(), "ManagementObjectNotFoundException") || !strings.Contains(a.text(), "nobody@contoso.com") {
			t.Errorf("%s: %d %s", cmdlet, a.Status, a.Raw)
		}
		switch message := a.text(); {
		case strings.HasPrefix(message, "Ex"):
			spellings["id|type|text"] = true
		case strings.HasPrefix(message, "|"):
			spellings["|type|text"] = true
		case json.Valid([]byte(message)):
			spellings["json"] = true
		}
	}
	if len(spellings) != 3 {
		t.Errorf("spellings seen: %v", spellings)
	}
}

func TestAmbiguousIdentity(t *testing.T) {
	p := newProbe(t, simulator.Seed{})
	for range 2 {
		p.tenant().AddMailbox(simulator.Mailbox{Name: "Ann Keller"})
	}
	for _, cmdlet := range []string{"Get-Mailbox", "Get-MailboxAuditBypassAssociation", "Get-User"} {
		if a := p.invoke(cmdlet, map[string]any{"Identity": "ann keller"}); a.Status != 400 || !strings.Contains(string(a.Raw), "ManagementObjectAmbiguousException") {
			t.Errorf("%s: %d %s", cmdlet, a.Status, a.Raw)
		}
	}
}

func TestGetMailboxByIdentity(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 40, Groups: 1, PublicFolders: 1})
	for m := range p.tenant().AllMailboxes() {
		parameters := map[string]any{"Identity": m.Guid}
		switch m.Type {
		case "GroupMailbox":
			if a := p.invoke("Get-Mailbox", parameters); a.Status != 404 {
				t.Errorf("a group is found without its switch: %d", a.Status)
			}
			parameters["GroupMailbox"] = true
		case "PublicFolderMailbox":
			parameters["PublicFolder"] = "true" // As a string, too (wire 1.2).
		}
		a := p.invoke("Get-Mailbox", parameters)
		if a.Status != 200 || len(a.Value) != 1 || a.Value[0]["Guid"] != m.Guid || a.Value[0]["RecipientTypeDetails"] != m.Type {
			t.Fatalf("%s: %d %.300s", m.Type, a.Status, a.Raw)
		}
	}
	if a := p.invoke("Get-Mailbox", map[string]any{"Identity": nil, "ResultSize": "unlimited"}); len(a.Value) != 40 {
		t.Errorf("a null Identity gives %d rows, want all 40", len(a.Value))
	}
	types := p.list("Get-Mailbox", map[string]any{"RecipientTypeDetails": []string{"SharedMailbox", "roommailbox"}})
	if len(types) != 5 {
		t.Errorf("by type: %d rows, want 4 shared and 1 room", len(types))
	}
	if a := p.invoke("Get-Mailbox", map[string]any{"RecipientTypeDetails": "Nonsense"}); a.Status != 400 || !strings.Contains(a.text(), "UserMailbox") {
		t.Errorf("bad type: %d %s", a.Status, a.text())
	}
	for _, size := range []any{0, -1, "many", true} {
		if a := p.invoke("Get-Mailbox", map[string]any{"ResultSize": size}); a.Status != 400 {
			t.Errorf("ResultSize %v gives %d", size, a.Status)
		}
	}
	if a := p.invoke("Get-Mailbox", map[string]any{"Anr": "ann"}); a.Status != 501 {
		t.Errorf("Anr gives %d", a.Status)
	}
}

func TestBypassCmdlets(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 3, Users: 1})
	for u := range p.tenant().AllUsers() {
		for _, identity := range []string{u.Guid, u.ExchangeObjectID, u.UserPrincipalName} {
			a := p.invoke("Get-MailboxAuditBypassAssociation", map[string]any{"Identity": identity})
			if a.Status != 200 || a.Value[0]["Guid"] != u.Guid || a.Value[0]["AuditBypassEnabled"] != false {
				t.Errorf("%s: %d %s", identity, a.Status, a.Raw)
			}
			if _, ok := a.Value[0]["UserPrincipalName"]; ok {
				t.Error("a bypass row has a UPN")
			}
			if a := p.invoke("Get-User", map[string]any{"Identity": identity}); a.Status != 200 || a.Value[0]["UserPrincipalName"] != u.UserPrincipalName {
				t.Errorf("Get-User %s: %d %s", identity, a.Status, a.Raw)
			}
		}
		set := map[string]any{"Identity": u.Guid, "AuditBypassEnabled": true}
		if a := p.invoke("Set-MailboxAuditBypassAssociation", set); a.Status != 200 || len(a.Warnings) != 0 {
			t.Errorf("set: %d %s", a.Status, a.Raw)
		}
		if a := p.invoke("Set-MailboxAuditBypassAssociation", set); len(a.Warnings) != 1 {
			t.Errorf("set again: %s", a.Raw)
		}
		if b, _ := p.tenant().Bypass(u.Guid); !b.Enabled {
			t.Errorf("%s is not bypassed", u.UserPrincipalName)
		}
	}
	if a := p.invoke("Set-MailboxAuditBypassAssociation", map[string]any{"Identity": first(p.tenant()).Guid}); a.Status != 400 {
		t.Errorf("without a value: %d", a.Status)
	}
}

func TestOrganizationCmdlets(t *testing.T) {
	p := newProbe(t, simulator.Seed{UnifiedLogOff: true, Dehydrated: true})
	if a := p.invoke("Set-OrganizationConfig", map[string]any{"AuditDisabled": true}); a.Status != 200 || !p.tenant().Organization().AuditDisabled {
		t.Errorf("AuditDisabled: %d %s", a.Status, a.Raw)
	}
	row := p.invoke("Get-OrganizationConfig", nil).Value[0]
	if row["AuditDisabled"] != true || row["IsDehydrated"] != true || row["Name"] != "contoso.onmicrosoft.com" {
		t.Errorf("organization %v", row)
	}
	if a := p.invoke("Set-OrganizationConfig", map[string]any{"MailTipsAllTipsEnabled": true}); a.Status != 501 || !strings.Contains(a.text(), "MailTipsAllTipsEnabled") {
		t.Errorf("other parameter: %d %s", a.Status, a.text())
	}
	on := map[string]any{"UnifiedAuditLogIngestionEnabled": true}
	if a := p.invoke("Set-AdminAuditLogConfig", on); a.Status != 400 || !strings.Contains(a.text(), "Cmdlet needs proxy. Current Server FQDN :") {
		t.Errorf("E8: %d %s", a.Status, a.text())
	}
	p.anchor = auditLog + p.tenant().ID()
	if a := p.invoke("Set-AdminAuditLogConfig", on); a.Status != 400 || !strings.Contains(a.text(), "InvalidOperationInDehydratedContextException") {
		t.Errorf("E7: %d %s", a.Status, a.text())
	}
	if a := p.invoke("Enable-OrganizationCustomization", nil); a.Status != 200 || p.tenant().Organization().Dehydrated {
		t.Errorf("enable: %d %s", a.Status, a.text())
	}
	if a := p.invoke("Enable-OrganizationCustomization", nil); a.Status != 400 {
		t.Errorf("enable again: %d", a.Status)
	}
	a := p.invoke("Set-AdminAuditLogConfig", on)
	if a.Status != 200 || !strings.Contains(strings.Join(a.Warnings, ""), "60 minutes") || p.invoke("Get-AdminAuditLogConfig", nil).Value[0]["UnifiedAuditLogIngestionEnabled"] != true {
		t.Errorf("unified log: %d %s", a.Status, a.Raw)
	}
	if a := p.invoke("Set-AdminAuditLogConfig", on); !strings.Contains(strings.Join(a.Warnings, ""), "no settings of") {
		t.Errorf("unified log again: %q", a.Warnings)
	}
	if a := p.invoke("Set-AdminAuditLogConfig", map[string]any{"AdminAuditLogAgeLimit": "365"}); a.Status != 400 || !strings.Contains(a.text(), "AdminAuditLogAgeLimit") {
		t.Errorf("a parameter that only on-premises Exchange has: %d %s", a.Status, a.text())
	}
}

func TestHeaders(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	p := newProbe(t, simulator.Seed{}, simulator.WithClock(func() time.Time { return now }))
	remaining := ""
	for range 2 {
		a := p.send(http.MethodPost, p.url(), command("Get-OrganizationConfig", nil), map[string]string{"client-request-id": "abc"})
		if a.Header.Get("client-request-id") != "abc" || a.Header.Get("Rate-Limit-Limit") != "30000" || a.Header.Get("Rate-Limit-Remaining") == remaining ||
			a.Header.Get("Rate-Limit-Reset") != "2026-07-01T12:00:16.000Z" || !strings.Contains(a.Header.Get("X-CalculatedBETarget"), "PROD.OUTLOOK.COM") {
			t.Errorf("headers %v", a.Header)
		}
		remaining = a.Header.Get("Rate-Limit-Remaining")
	}
}

func TestCallLog(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 1})
	p.invoke("get-mailbox", map[string]any{"ResultSize": 5})
	calls := p.s.Calls()
	if len(calls) != 1 || p.s.Count("Get-Mailbox") != 1 || p.s.Requests() != 1 {
		t.Fatalf("%d calls, count %d, requests %d", len(calls), p.s.Count("Get-Mailbox"), p.s.Requests())
	}
	c := calls[0]
	if c.Method != "POST" || !strings.HasSuffix(c.Path, "/InvokeCommand") || c.Anchor != p.anchor || c.Status != 200 || c.Bytes == 0 ||
		c.Cmdlets[0].Cmdlet != "get-mailbox" || c.Cmdlets[0].Parameters["ResultSize"] != 5.0 || c.Cmdlets[0].Status != 200 {
		t.Errorf("call %+v", c)
	}
	if c.Header.Get("Authorization") != "" {
		t.Error("the log keeps the token")
	}
	p.s.ResetCalls()
	if p.s.Requests() != 0 || p.s.Count("Get-Mailbox") != 0 {
		t.Error("the log is not reset")
	}
}

func TestReadLag(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	p := newProbe(t, simulator.Seed{Mailboxes: 2}, simulator.WithClock(func() time.Time { return now }), simulator.WithReadLag(10*time.Second))
	m := first(p.tenant())
	age := func() string {
		one := p.invoke("Get-Mailbox", map[string]any{"Identity": m.Guid}).Value[0]["AuditLogAgeLimit"].(string)
		if listed := p.list("Get-Mailbox", nil)[0]["AuditLogAgeLimit"]; listed != one {
			t.Errorf("listing shows %v, identity %v", listed, one)
		}
		return one
	}
	set := func(limit string) {
		p.invoke("Set-Mailbox", map[string]any{"Identity": m.Guid, "AuditLogAgeLimit": limit})
		p.invoke("Set-OrganizationConfig", map[string]any{"AuditDisabled": true})
	}
	set("180.00:00:00")
	now = now.Add(5 * time.Second)
	set("365.00:00:00")
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, "90.00:00:00"}, {4 * time.Second, "90.00:00:00"}, {time.Second, "180.00:00:00"}, {5 * time.Second, "365.00:00:00"}} {
		now = now.Add(step.after)
		if got := age(); got != step.want {
			t.Errorf("at %s the read shows %s, want %s", now.Format("05"), got, step.want)
		}
	}
	if stored, _ := p.tenant().Mailbox(m.Guid); stored.AgeLimit != "365.00:00:00" {
		t.Errorf("stored %s", stored.AgeLimit)
	}
	if p.invoke("Get-OrganizationConfig", nil).Value[0]["AuditDisabled"] != true {
		t.Error("the organization's change never came through")
	}
}

func TestRowEdit(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 1}, simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
		if cmdlet != "Get-Mailbox" {
			return
		}
		row.Delete("AuditOwner")
		row.Rename("AuditAdmin", "auditadmin")
		row.Set("AuditLogAgeLimit", "90")
		row.Append("AuditEnabled", `"perhaps"`)
		if raw, ok := row.Get("Guid"); !ok || len(raw) != 38 {
			panic("no Guid in the row")
		}
	}))
	p.query = "$select=Guid,AuditEnabled,AuditLogAgeLimit,AuditAdmin,AuditOwner"
	raw := string(p.invoke("Get-Mailbox", nil).Raw)
	for _, want := range []string{`"AuditEnabled":true,`, `"AuditEnabled":"perhaps"`, `"auditadmin":[`, `"AuditLogAgeLimit":90,`, `"AuditOwner@odata.type"`} {
		if !strings.Contains(raw, want) {
			t.Errorf("no %s in %s", want, raw)
		}
	}
	if strings.Contains(raw, `"AuditOwner":`) || strings.Contains(raw, `"AuditAdmin":`) {
		t.Errorf("deleted or renamed keys are there: %s", raw)
	}
}
