package simulator_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// newComplianceProbe speaks to a compliance service by a name that is not its public one.
func newComplianceProbe(t *testing.T, opts ...simulator.Option) *probe {
	t.Helper()
	tenant := simulator.NewTenant(simulator.Seed{})
	return &probe{t: t, s: simulator.NewCompliance(tenant, opts...), anchor: "UPN:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@" + tenant.Domain()}
}

func TestComplianceCmdlets(t *testing.T) {
	p := newComplianceProbe(t)
	log := p.invoke("Get-AdminAuditLogConfig", nil)
	if log.Status != 200 || log.Value[0]["UnifiedAuditLogIngestionEnabled"] != false {
		t.Errorf("the log reads %d %s", log.Status, log.Raw)
	}
	base := map[string]any{"Name": "a", "Priority": 10, "RetentionDuration": "TwelveMonths", "RecordTypes": []string{"ExchangeItem"}}
	with := func(pairs ...any) map[string]any {
		m := maps.Clone(base)
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i+1] == nil {
				delete(m, pairs[i].(string))
				continue
			}
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	}
	const add, set = "New-UnifiedAuditLogRetentionPolicy", "Set-UnifiedAuditLogRetentionPolicy"
	for _, step := range []struct {
		name, cmdlet string
		call         map[string]any
		status       int
		policies     int
		text         string
	}{
		{"a question changes nothing", add, with("Confirm", true), 200, 0, ""},
		{"no priority", add, with("Priority", nil), 400, 0, "Priority"},
		{"no duration", add, with("RetentionDuration", nil), 400, 0, "RetentionDuration"},
		{"no name", add, with("Name", " "), 400, 0, "Name"},
		{"a long name", add, with("Name", strings.Repeat("n", 65)), 400, 0, "64"},
		{"a long description", add, with("Description", strings.Repeat("n", 257)), 400, 0, "256"},
		{"priority 0", add, with("Priority", 0), 400, 0, "between 1 and 10000"},
		{"priority 10001", add, with("Priority", 10001), 400, 0, "between 1 and 10000"},
		{"no number", add, with("Priority", "high"), 400, 0, "Priority"},
		{"no duration of that name", add, with("RetentionDuration", "Always"), 400, 0, "ThreeMonths, SixMonths"},
		{"no record type", add, with("RecordTypes", []string{"Exchange Item"}), 400, 0, "RecordTypes"},
		{"operations of two types", add, with("Operations", []string{"Send"}, "RecordTypes", []string{"A", "B"}), 400, 0, "exactly one"},
		{"unknown parameter", add, with("Enabled", true), 400, 0, "Invalid cmdlet parameters specified. Enabled"},
		{"WhatIf makes it", add, with("WhatIf", true), 200, 1, ""},
		{"the name is taken", add, with("Priority", 11), 400, 1, "already exists"},
		{"the priority is taken", add, with("Name", "b"), 400, 1, "already used"},
		{"a part of a name is taken for the whole", add, with("Name", "b", "Priority", 11, "RetentionDuration", "Ten"), 200, 2, ""},
		{"set to a taken priority", set, with("Identity", "b", "Name", nil), 400, 2, "already used"},
		{"set without a duration", set, with("Identity", "b", "Name", nil, "RetentionDuration", nil), 400, 2, "RetentionDuration"},
		{"set keeps its own priority", set, with("Identity", "a", "Name", nil, "RecordTypes", []string{}), 200, 2, ""},
		{"set of none", set, with("Identity", "c", "Name", nil), 404, 2, "couldn't be found"},
		{"remove none", "Remove-UnifiedAuditLogRetentionPolicy", map[string]any{"Identity": "c"}, 404, 2, "couldn't be found"},
		{"remove, with WhatIf too", "Remove-UnifiedAuditLogRetentionPolicy", map[string]any{"Identity": "b", "WhatIf": true}, 200, 1, ""},
		{"no cmdlet there", "Get-Mailbox", nil, 403, 1, "not allowed to call Get-Mailbox"},
		{"no switch there", "Set-AdminAuditLogConfig", map[string]any{"UnifiedAuditLogIngestionEnabled": true}, 403, 1, "not allowed"},
	} {
		a := p.invoke(step.cmdlet, step.call)
		if a.Status != step.status || !strings.Contains(a.text(), step.text) || len(p.tenant().RetentionPolicies()) != step.policies {
			t.Errorf("%s: %d %s, %d policies", step.name, a.Status, a.text(), len(p.tenant().RetentionPolicies()))
		}
	}
	if got := p.tenant().RetentionPolicies()[0]; got.Name != "a" || got.Duration != "TwelveMonths" || strings.Join(got.RecordTypes, " ") != "ExchangeItem" {
		t.Errorf("%+v", got)
	}
	if rows := p.invoke("Get-UnifiedAuditLogRetentionPolicy", nil).Value; len(rows) != 1 || rows[0]["Priority"] != 10.0 {
		t.Errorf("%v", rows)
	}
}

func TestComplianceHosts(t *testing.T) {
	p := newComplianceProbe(t, simulator.WithRegion("nam13b"))
	const front = "ps.compliance.protection.outlook.com"
	at := func(host string) answer {
		return p.send(http.MethodPost, strings.Replace(p.url(), "outlook.office365.com", host, 1), command("Get-UnifiedAuditLogRetentionPolicy", nil), nil)
	}
	for host, status := range map[string]int{front: 302, "nam13b." + front: 200, "eur01b." + front: 421, "nam13b.admin.protection.outlook.com": 421, "127.0.0.1:8080": 200} {
		a := at(host)
		if a.Status != status || status == 302 && !strings.HasPrefix(a.Header.Get("Location"), "https://nam13b.admin.protection.outlook.com:446/adminapi/beta/") {
			t.Errorf("%s: %d %v", host, a.Status, a.Header)
		}
	}
	p.anchor = orgMail + p.tenant().ID()
	if a := p.invoke("Get-UnifiedAuditLogRetentionPolicy", nil); a.Status != 500 || !strings.Contains(a.text(), "organization container") {
		t.Errorf("by the GUID: %d %s", a.Status, a.text())
	}
}

// TestDirectoryIsApartInASnapshot changes all that a copy could share.
func TestDirectoryIsApartInASnapshot(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 3, Groups: 1})
	m := first(tenant)
	g := tenant.AddGroup(simulator.Group{Members: []string{m.Guid}})
	tenant.AddMailboxPermission(m.Guid, simulator.Permission{Trustee: "a"})
	tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "p", Priority: 1, RecordTypes: []string{"ExchangeItem"}})
	before := dump(tenant.Snapshot())
	copied := tenant.Snapshot()
	copied.SetMembers(g.Guid)
	copied.AddMailboxPermission(m.Guid, simulator.Permission{Trustee: "b"})
	copied.AddRecipientPermission(m.Guid, simulator.Permission{Trustee: "b"})
	copied.AddRetentionPolicy(simulator.RetentionPolicy{Name: "p", Priority: 2})
	copied.UpdateAdminAudit(func(a *simulator.AdminAudit) { a.Cmdlets[0] = "Get-*" })
	copied.Update(m.Guid, func(m *simulator.Mailbox) { m.SendOnBehalf = append(m.SendOnBehalf, "x") })
	copied.RemoveGroup(g.Guid)
	if dump(tenant) != before {
		t.Error("a change of the copy is seen")
	}
	for i, part := range []string{"recipient", "/members", "permission/" + m.Guid + "/full", "permission/" + m.Guid + "/sendAs", "AdminAuditLogCmdlets", "retention/p/Priority", "GrantSendOnBehalfTo"} {
		if after := dump(copied); after == before || i > 0 && !strings.Contains(after, part) {
			t.Errorf("the dump does not show %s", part)
		}
	}
}
