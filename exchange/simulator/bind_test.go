package simulator_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestBinding(t *testing.T) {
	for _, tc := range []struct {
		name, cmdlet, parameters string
		status                   int
		text                     string
	}{
		{"all unknown names at once", "Get-Mailbox", `{"Bogus":1,"Other":2}`, 400, "Bogus, Other"},
		{"twice in two cases", "Get-Mailbox", `{"ResultSize":1,"resultsize":2}`, 400, "'ResultSize' is specified more than once"},
		{"switch that is neither", "Get-Mailbox", `{"GroupMailbox":"perhaps"}`, 400, "SwitchParameter"},
		{"switch off", "Get-Mailbox", `{"GroupMailbox":false,"Archive":"False"}`, 200, ""},
		{"unmodelled switch on", "Get-Mailbox", `{"Archive":true}`, 501, "Archive of Get-Mailbox"},
		{"filter is no string", "Get-Mailbox", `{"Filter":7}`, 400, "System.String"},
		{"identity is an object", "Get-Mailbox", `{"Identity":{}}`, 400, "neither a string nor a number"},
		{"identity is blank", "Get-Mailbox", `{"Identity":"  "}`, 400, "missing mandatory"},
		{"common parameters everywhere", "Get-OrganizationConfig", `{"ErrorAction":"Stop","Verbose":true,"WhatIf":false}`, 200, ""},
		{"annotations are no parameters", "Get-OrganizationConfig", `{"@odata.type":"#Exchange.GenericHashTable"}`, 200, ""},
		{"types are no list", "Get-Mailbox", `{"RecipientTypeDetails":[1]}`, 400, "RecipientTypeDetails"},
		{"list is a number", "Set-Mailbox", `{"Identity":"x","AuditOwner":5}`, 400, "neither a list nor a table"},
		{"table holds something else", "Set-Mailbox", `{"Identity":"x","AuditOwner":{"@odata.type":"#Exchange.GenericHashTable","Replace":["Update"]}}`, 400, "Add and Remove only"},
		{"table holds a number", "Set-Mailbox", `{"Identity":"x","AuditOwner":{"@odata.type":"#Exchange.GenericHashTable","Add":5}}`, 400, "Add is not a list"},
		{"older delta type", "Set-Mailbox", `{"Identity":"x","AuditOwner":{"@odata.type":"#Exchange.StringFieldDeltaUpdateData","Add":["Update"]}}`, 400, "hashtable"},
		{"null set", "Set-Mailbox", `{"Identity":"x","DefaultAuditSet":null}`, 501, "DefaultAuditSet"},
		{"null boolean", "Set-Mailbox", `{"Identity":"x","AuditEnabled":null}`, 400, "System.Boolean"},
		{"user listing", "Get-User", `{}`, 501, "Get-User without Identity"},
		{"a system object is no user", "Get-User", `{"Identity":"TenantSetting_2"}`, 404, "couldn't be found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProbe(t, simulator.Seed{Mailboxes: 2})
			a := p.send(http.MethodPost, p.url(), []byte(`{"CmdletInput":{"CmdletName":"`+tc.cmdlet+`","Parameters":`+tc.parameters+`}}`), nil)
			if a.Status != tc.status || tc.text != "" && !strings.Contains(a.text(), tc.text) {
				t.Errorf("got %d %s, want %d …%s…", a.Status, a.text(), tc.status, tc.text)
			}
		})
	}
}

func TestFaultsOfWholeBatches(t *testing.T) {
	p := newProbe(t, simulator.Seed{}, simulator.WithFaults(simulator.Refused("Set-Mailbox")))
	p.s.AddFaults(simulator.Throttled("$batch", 1, time.Second), simulator.BodyCut("$batch", 2))
	get := func() batchAnswer { return p.batch(nil, p.item("a", "Get-OrganizationConfig", nil)) }
	if a := get(); a.Status != 429 || a.Header.Get("Retry-After") != "1" || p.s.Count("Get-OrganizationConfig") != 0 {
		t.Errorf("throttled batch: %d, %d cmdlets", a.Status, p.s.Count("Get-OrganizationConfig"))
	}
	body := `{"requests":[{"id":"a","method":"POST","url":"InvokeCommand","body":` + string(command("Get-OrganizationConfig", nil)) + `}]}`
	cut := p.send(http.MethodPost, strings.Replace(p.url(), "InvokeCommand", "$batch", 1), []byte(body), nil)
	if cut.Status != 200 || json.Valid(cut.Raw) || len(cut.Raw) == 0 {
		t.Errorf("cut batch: %d %s", cut.Status, cut.Raw)
	}
	if a := get(); a.status("a") != 200 {
		t.Errorf("third batch: %s", a.Raw)
	}
	module := p.send(http.MethodGet, strings.Replace(p.url(), "InvokeCommand", "EXOModuleFile", 1)+"?Version=3.9.2", nil, nil)
	if strings.Contains(string(module.Raw), "Set-Mailbox,") || !strings.Contains(string(module.Raw), "Get-Mailbox,") {
		t.Errorf("the module file offers a refused cmdlet: %s", module.Raw)
	}
}

// TestRowsCutOfAnEmptyAnswer cuts an answer after a row that it does not have.
func TestRowsCutOfAnEmptyAnswer(t *testing.T) {
	for _, do := range []simulator.Action{simulator.DoCutBody, simulator.DoBreakBody} {
		p := newProbe(t, simulator.Seed{}, simulator.WithFaults(simulator.Unauthenticated("", 0), simulator.Fault{Do: do, Row: 3}))
		if a := p.invoke("Get-OrganizationConfig", nil); a.Status != 401 || len(a.Raw) != 0 {
			t.Errorf("%s: %d %q", do, a.Status, a.Raw)
		}
	}
}
