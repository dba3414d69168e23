package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// drawTenant draws a tenant in which everything can be wrong.
func drawTenant(d dice, seed uint64) *simulator.Tenant {
	t := simulator.NewTenant(simulator.Seed{
		Seed: seed, Mailboxes: d.between(5, pick(d, 15, 30, 60)), Groups: d.between(0, 4), PublicFolders: d.between(0, 3), Users: d.between(1, 5),
		Drift: pick(d, 0, 0.1, 0.3, 0.6), Bypassed: pick(d, 0, 0.05, 0.2),
		BypassPerMailbox: pick(d, -1.0, -1, -1, 0),
		AuditDisabled:    d.in(3), UnifiedLogOff: d.in(2), Dehydrated: d.in(3),
		Now: time.Now(),
	})
	t.AddMailbox(simulator.Mailbox{
		Type: "TeamMailbox", Name: "team", PrimarySMTPAddress: "team@contoso.com", AgeLimit: "30.00:00:00", Admin: []string{"Update"},
	})
	// A room that stores true shows whether a filter is honoured.
	t.AddMailbox(simulator.Mailbox{
		Type: "RoomMailbox", Name: "room", PrimarySMTPAddress: "room-true@contoso.com", AuditEnabled: simulator.True,
		Managed: []string{"Admin", "Delegate", "Owner"},
	})
	for i := range d.between(1, 8) {
		t.AddMailbox(drawOddMailbox(d, i))
	}
	for u := range t.AllUsers() {
		if d.in(15) {
			t.SetBypass(u.Guid, true)
		}
	}
	return t
}

// drawOddMailbox draws a mailbox that somebody has configured by hand.
func drawOddMailbox(d dice, i int) simulator.Mailbox {
	m := simulator.Mailbox{
		Type: pick(d, "UserMailbox", "SharedMailbox", "RoomMailbox"), Name: "same name", // names are not unique
		PrimarySMTPAddress: fmt.Sprintf("odd-%d@contoso.com", i),
		AgeLimit:           pick(d, "30.00:00:00", "90.00:00:00", "365.00:00:00", "12:00:00"),
		AuditEnabled:       pick(d, simulator.Unset, simulator.True, simulator.False),
		Admin:              some(d, 6, "Update", "Move", "MoveToDeletedItems", "SoftDelete", "HardDelete", "Create", "ApplyRecord", "RecordDelete"),
		Delegate:           some(d, 6, "Update", "Move", "FolderBind", "SendAs", "SendOnBehalf", "SoftDelete", "HardDelete", "Create"),
		Owner:              some(d, 6, "Update", "Move", "MoveToDeletedItems", "SoftDelete", "HardDelete", "ApplyRecord", "RecordDelete"),
		CustomAttributes:   map[int]string{1: pick(d, "", "VIP")},
		Unlicensed:         d.in(8),
		Managed:            []string{},
	}
	for _, l := range logonTypes() {
		if d.in(2) {
			m.Managed = append(m.Managed, l)
		}
	}
	return m
}

// drawPolicy draws a valid policy for a tenant.
func drawPolicy(d dice, t *simulator.Tenant) *model {
	p := &model{guards: guardModel{percent: 100, maxChanged: -1, weakening: d.in(4)}}
	switch d.IntN(8) {
	case 0:
		p.guards.percent = float64(d.between(5, 60))
	case 1:
		p.guards.maxChanged = d.between(0, 20)
	}
	if !d.in(4) {
		p.org = &orgModel{unifiedLog: d.in(2), mailboxAuditing: d.in(2), customization: d.in(2)}
		if !p.org.unifiedLog && !p.org.mailboxAuditing {
			p.org.unifiedLog, p.org.mailboxAuditing = true, true
		}
	}
	if !d.in(4) {
		p.bypass = drawBypass(d, t)
	}
	if !d.in(8) {
		p.rules = drawRules(d)
	} else if p.org == nil && p.bypass == nil {
		p.bypass = &bypassModel{}
	}
	if d.in(6) {
		p.severity = map[string]string{pick(d, "auditLogAgeLimit", "auditEnabled", "auditOwner"): pick(d, levels()...)}
	}
	return p
}

func drawBypass(d dice, t *simulator.Tenant) *bypassModel {
	b := &bypassModel{}
	for u := range t.AllUsers() {
		// The discovery mailbox's sign-in name has braces in it, which the policy
		// language does not take for an address.
		if strings.ContainsAny(u.UserPrincipalName, "{ ") || !strings.Contains(u.UserPrincipalName, "@") || !d.in(6) {
			continue
		}
		a := allowModel{expired: d.in(4)}
		switch {
		case d.in(2):
			a.account = strings.ToLower(u.UserPrincipalName)
		case u.ExternalDirectoryObjectID != "" && d.in(2):
			a.id = u.ExternalDirectoryObjectID
		default:
			a.id = u.Guid
		}
		b.allow = append(b.allow, a)
	}
	if d.in(6) {
		b.allow = append(b.allow, allowModel{account: "nobody@contoso.com"})
	}
	return b
}

// drawRules draws rules that never contradict each other: a logon type has one
// family of forms in the whole policy.
func drawRules(d dice) []ruleModel {
	families := [3]string{}
	for i := range families {
		families[i] = pick(d, "atLeast", "atLeast", "atLeast", "managed", "exact", "none")
	}
	rules := make([]ruleModel, d.between(1, 3))
	for i := range rules {
		rules[i] = drawRule(d, families)
		rules[i].name = fmt.Sprintf("rule-%d", i)
	}
	return rules
}

func drawRule(d dice, families [3]string) ruleModel {
	r := ruleModel{
		types: pick(d, nil, nil,
			[]string{"UserMailbox", "SharedMailbox", "RoomMailbox", "TeamMailbox"}, []string{"UserMailbox"},
			[]string{"TeamMailbox", "PublicFolderMailbox"}, []string{"RoomMailbox", "EquipmentMailbox", "DiscoveryMailbox"}),
		where:   drawCondition(d, 2),
		ageDays: pick(d, 60, 180, 365),
	}
	if d.in(8) { // of a group's mailbox only the age limit can be set
		r.types = []string{"GroupMailbox", "UserMailbox"}
		return r
	}
	if d.in(3) {
		r.ageDays = 0
	}
	r.enabled = pick(d, "", "", "effective", "explicit")
	for i, family := range families {
		if !d.in(3) {
			r.record[i] = drawForm(d, family, logonTypes()[i])
		}
	}
	if r.ageDays == 0 && r.enabled == "" && r.record == [3]*formModel{} {
		r.ageDays = 60
	}
	return r
}

func drawForm(d dice, family, logon string) *formModel {
	extra := map[string][]string{
		"Admin":    {"Copy", "FolderBind", "HardDelete", "Move", "RecordDelete"},
		"Delegate": {"FolderBind", "HardDelete", "Move", "RecordDelete"},
		"Owner":    {"HardDelete", "MailboxLogin", "Move", "RecordDelete", "SearchQueryInitiated"},
	}[logon]
	switch family {
	case "atLeast":
		f := &formModel{defaults: d.in(2)}
		if !f.defaults || d.in(2) {
			f.plus = some(d, 2, extra...)
		}
		if d.in(12) {
			f.plus = append(slices.Clone(f.plus), unknownAction)
		}
		return f
	case "managed":
		f := &formModel{managed: true}
		if d.in(3) {
			f.plus = []string{"HardDelete"} // one of Microsoft's own
		}
		return f
	case "exact":
		return &formModel{exact: []string{"HardDelete", "Move", "Update"}}
	default:
		return nil
	}
}

func drawCondition(d dice, depth int) *condition {
	address := func(patterns ...string) *condition { return &condition{op: "address", texts: patterns} }
	vip := &condition{op: "attribute", texts: []string{"VIP"}}
	simple := func() *condition {
		return pick(d, vip, address("odd-*"), address("odd-1@contoso.com", "*-2@*"), address("*.1?@*"), address("*.?@contoso.onmicrosoft.com"))
	}
	if d.in(2) {
		return nil
	}
	if depth == 0 || d.in(2) {
		return simple()
	}
	switch d.IntN(3) {
	case 0:
		return &condition{op: "not", parts: []*condition{simple()}}
	case 1:
		return &condition{op: "anyOf", parts: []*condition{simple(), simple(), {op: "not", parts: []*condition{simple()}}}}
	default:
		return &condition{op: "allOf", parts: []*condition{simple(), {op: "not", parts: []*condition{simple()}}}}
	}
}
