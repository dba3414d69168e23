package reconcile_test

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// drawTenant makes a small tenant in which everything can be wrong.
func drawTenant(r *rapid.T) *simulator.Tenant { return drawTenantAt(r, time.Time{}) }

// drawTenantAt makes one whose seeded mailboxes are older than a moment.
func drawTenantAt(r *rapid.T, now time.Time) *simulator.Tenant {
	tenant := simulator.NewTenant(simulator.Seed{
		Now:  now,
		Seed: rapid.Uint64().Draw(r, "seed"), Mailboxes: rapid.IntRange(4, 24).Draw(r, "mailboxes"),
		Groups: 2, PublicFolders: 2, Users: 3,
		Drift: 0.3, Bypassed: 0.1,
		AuditDisabled: rapid.Bool().Draw(r, "auditDisabled"),
		UnifiedLogOff: rapid.Bool().Draw(r, "unifiedLogOff"),
		Dehydrated:    rapid.IntRange(0, 3).Draw(r, "dehydrated") == 0,
	})
	tenant.AddMailbox(simulator.Mailbox{Type: "TeamMailbox", Name: "team", PrimarySMTPAddress: "team@contoso.com", AgeLimit: "30.00:00:00", Admin: []string{"Update"}})
	// A room that stores true shows whether a filter is honoured.
	tenant.AddMailbox(simulator.Mailbox{Type: "RoomMailbox", Name: "room", PrimarySMTPAddress: "room-true@contoso.com", AuditEnabled: simulator.True, AgeLimit: "90.00:00:00", Managed: []string{"Admin", "Delegate", "Owner"}})
	tenant.UpdateAdminAudit(func(a *simulator.AdminAudit) {
		a.Enabled = rapid.Bool().Draw(r, "admin audit")
		a.AgeLimit = rapid.SampledFrom([]string{"30.00:00:00", "90.00:00:00"}).Draw(r, "admin age")
		a.Cmdlets = rapid.SampledFrom([][]string{{"*"}, {"Set-Mailbox"}}).Draw(r, "admin cmdlets")
		a.ExcludedCmdlets = rapid.SampledFrom([][]string{{}, {"Set-User"}}).Draw(r, "admin excluded")
	})
	n := rapid.IntRange(1, 6).Draw(r, "odd")
	for i := range n {
		m := simulator.Mailbox{
			Type:               rapid.SampledFrom([]string{"UserMailbox", "SharedMailbox", "RoomMailbox"}).Draw(r, "type"),
			Name:               "same name", // names are not unique
			PrimarySMTPAddress: fmt.Sprintf("odd-%d@contoso.com", i),
			AgeLimit:           rapid.SampledFrom([]string{"30.00:00:00", "90.00:00:00", "365.00:00:00", "12:00:00"}).Draw(r, "age"),
			AuditEnabled:       rapid.SampledFrom([]simulator.Tri{simulator.Unset, simulator.True, simulator.False}).Draw(r, "enabled"),
			Admin:              drawActions(r), Delegate: drawDelegate(r), Owner: drawActions(r),
			Capabilities:     rapid.SampledFrom([][]string{nil, {"BPOS_S_Enterprise"}, {"M365Auditing", "Other"}}).Draw(r, "capabilities"),
			CustomAttributes: map[int]string{1: rapid.SampledFrom([]string{"", "VIP"}).Draw(r, "attribute")},
		}
		for _, l := range []string{"Admin", "Delegate", "Owner"} {
			if rapid.Bool().Draw(r, "managed") {
				m.Managed = append(m.Managed, l)
			}
		}
		tenant.AddMailbox(m)
	}
	drawDirectory(r, tenant)
	for u := range tenant.AllUsers() {
		tenant.SetBypass(u.Guid, rapid.Bool().Draw(r, "bypassed"))
	}
	return tenant
}

// drawDirectory adds groups, one nested in another and back, and delegates of every
// kind. Of two mailboxes the permissions do not say which is meant.
func drawDirectory(r *rapid.T, tenant *simulator.Tenant) {
	addTwins(tenant)
	var members [3][]string
	ann := simulator.Permission{Trustee: "ann@contoso.com"}
	for m := range tenant.AllMailboxes() {
		if n := rapid.IntRange(0, 5).Draw(r, "group"); n < len(members) {
			members[n] = append(members[n], m.Guid)
		}
		switch rapid.IntRange(0, 9).Draw(r, "delegate") {
		case 0:
			tenant.Update(m.Guid, func(m *simulator.Mailbox) { m.SendOnBehalf = []string{"ann"} })
		case 1:
			tenant.AddRecipientPermission(m.Guid, ann)
		case 2:
			tenant.AddMailboxPermission(m.Guid, ann)
		}
	}
	nested := tenant.AddGroup(simulator.Group{Type: "MailUniversalSecurityGroup", PrimarySMTPAddress: "nested@contoso.com"})
	list := tenant.AddGroup(simulator.Group{PrimarySMTPAddress: "list@contoso.com", Members: append(members[0], nested.Guid)})
	tenant.SetMembers(nested.Guid, append(members[1], list.Guid)...)
	tenant.AddGroup(simulator.Group{Type: "DynamicDistributionGroup", PrimarySMTPAddress: "dynamic@contoso.com", Members: members[2]})
}

func drawActions(r *rapid.T) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"Update", "Move", "MoveToDeletedItems", "SoftDelete", "HardDelete", "Create", "ApplyRecord", "UpdateInboxRules", "RecordDelete",
	}), 1, 7, rapid.ID).Draw(r, "actions")
}

func drawDelegate(r *rapid.T) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"Update", "Move", "FolderBind", "SendAs", "SendOnBehalf", "SoftDelete", "HardDelete", "Create",
	}), 1, 6, rapid.ID).Draw(r, "delegate actions")
}

// drawDamage spoils some rows on their way, the same ones each time.
func drawDamage(r *rapid.T, tenant *simulator.Tenant) func(string, *simulator.Row) {
	victims := map[string]string{}
	for m := range tenant.AllMailboxes() {
		if rapid.IntRange(0, 15).Draw(r, "damage") == 0 {
			victims[m.Guid] = rapid.SampledFrom([]string{
				"AuditOwner", "AuditLogAgeLimit", "DefaultAuditSet", "AuditEnabled", "RecipientTypeDetails", "CustomAttribute1",
				"GrantSendOnBehalfTo", "PersistedCapabilities", "Identity",
			}).Draw(r, "victim")
		}
	}
	for b := range tenant.AllBypass() {
		if !b.System && rapid.IntRange(0, 30).Draw(r, "bypass damage") == 0 {
			victims[b.Guid] = "AuditBypassEnabled"
		}
	}
	orgBroken := rapid.IntRange(0, 7).Draw(r, "organization damage") == 0
	return func(cmdlet string, row *simulator.Row) {
		if cmdlet == "Get-OrganizationConfig" && orgBroken {
			row.Delete("AuditDisabled")
		}
		guid, ok := row.Get("Guid")
		if !ok {
			return
		}
		if property := victims[strings.Trim(string(guid), `"`)]; property != "" {
			row.Delete(property)
		}
	}
}

// drawPolicy writes a valid policy for a tenant, and the file that it extends;
// empty for none.
func drawPolicy(r *rapid.T, tenant *simulator.Tenant) (text, base string) {
	const head = "apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: random\n"
	var b strings.Builder
	b.WriteString(head + "guards: {maxChangedPercent: 100")
	if rapid.IntRange(0, 3).Draw(r, "weakening") == 0 {
		b.WriteString(", allowWeakening: true")
	}
	b.WriteString("}\n")
	drawExemptions(r, &b)
	switch rapid.IntRange(0, 3).Draw(r, "organization") {
	case 0:
	case 1:
		b.WriteString("organization: {unifiedAuditLog: true}\n")
	default:
		fmt.Fprintf(&b, "organization: {unifiedAuditLog: true, mailboxAuditing: true, enableCustomization: %t}\n", rapid.Bool().Draw(r, "consent"))
	}
	if rapid.IntRange(0, 2).Draw(r, "admin section") == 0 {
		fmt.Fprintf(&b, "adminAudit: {enabled: true, cmdlets: [\"*\"], excludedCmdlets: [], ageLimit: 60d, attempt: %t}\n", rapid.Bool().Draw(r, "attempt"))
	}
	drawBypass(r, &b, tenant)
	if rapid.IntRange(0, 9).Draw(r, "mailboxes section") > 0 {
		families, n := drawFamilies(r), rapid.IntRange(1, 3).Draw(r, "rules")
		b.WriteString("mailboxes:\n")
		if rapid.IntRange(0, 4).Draw(r, "extends") == 0 {
			// The first rule replaces that of the file which is extended.
			var below strings.Builder
			below.WriteString(head + "mailboxes:\n")
			for i := range n {
				drawRule(r, &below, i, families)
			}
			drawRule(r, &b, 0, families)
			b.WriteString("    override: true\n    reason: it fits us better\nextends: [base.yaml]\n")
			return b.String(), below.String()
		}
		for i := range n {
			drawRule(r, &b, i, families)
		}
	} else if !strings.Contains(b.String(), "organization:") && !strings.Contains(b.String(), "bypass:") {
		b.WriteString("bypass: {}\n")
	}
	return b.String(), ""
}

// drawExpiry is a last day around that on which the bubble begins in which the
// run lives.
func drawExpiry(r *rapid.T) string {
	days := rapid.SampledFrom([]int{-1, 0, 400}).Draw(r, "expires")
	return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, days).Format(time.DateOnly)
}

// drawExemptions writes exemptions for mailboxes and for the tenant's switches.
func drawExemptions(r *rapid.T, b *strings.Builder) {
	n := rapid.IntRange(-1, 2).Draw(r, "exemptions")
	if n > 0 {
		b.WriteString("exemptions:\n")
	}
	for i := range n {
		about := "subject: organization"
		accept := rapid.SampledFrom([]string{"unifiedAuditLog: false", "mailboxAuditing: false", "unifiedAuditLog: false, mailboxAuditing: false"}).Draw(r, "switches")
		switch rapid.IntRange(0, 4).Draw(r, "of") {
		case 0:
		case 1:
			about = "subject: adminAudit"
			accept = rapid.SampledFrom([]string{"enabled: false, ageLimit: 1d", "cmdlets: [\"Set-Mailbox\"], excludedCmdlets: [\"Set-User\"], enabled: false", "ageLimit: 40d"}).Draw(r, "admin")
		default:
			about = "where: " + rapid.SampledFrom([]string{
				"{address: \"*\"}", "{address: \"odd-*\"}", "{memberOf: list@contoso.com}", "{hasDelegates: true}", "{attribute: {customAttribute1: VIP}}", "{not: {attribute: {customAttribute1: VIP}}}",
			}).Draw(r, "whom")
			accept = drawAccept(r)
		}
		fmt.Fprintf(b, "  exemption-%d: {%s, accept: {%s}, reason: an import, owner: sec@contoso.com, expires: %s}\n", i, about, accept, drawExpiry(r))
	}
}

func drawAccept(r *rapid.T) string {
	var parts []string
	for _, l := range []string{"admin", "delegate", "owner"} {
		if floor := rapid.SampledFrom([]string{"", "[]", "[HardDelete]", "[HardDelete, Update, Move]", "{defaults: true}", "{managed: true}", "{exact: [Update, Move, HardDelete]}"}).Draw(r, "floor"); floor != "" {
			parts = append(parts, l+": "+floor)
		}
	}
	if age := rapid.SampledFrom([]string{"", "1d", "60d", "1y"}).Draw(r, "least age"); age != "" {
		parts = append(parts, "ageLimit: "+age)
	}
	if mode := rapid.SampledFrom([]string{"none", "effective", "explicit", ""}).Draw(r, "least audited"); mode != "" || len(parts) == 0 {
		parts = append(parts, "auditEnabled: "+cmp.Or(mode, "none"))
	}
	return strings.Join(parts, ", ")
}

func drawBypass(r *rapid.T, b *strings.Builder, tenant *simulator.Tenant) {
	if rapid.IntRange(0, 3).Draw(r, "bypass section") == 0 {
		return
	}
	entries := ""
	for u := range tenant.AllUsers() {
		// The discovery mailbox's sign-in name has braces in it, which the policy
		// language does not take for an address.
		if !strings.Contains(u.UserPrincipalName, "@") || strings.Contains(u.UserPrincipalName, "{") {
			continue
		}
		key := fmt.Sprintf("account: %q", u.UserPrincipalName)
		switch rapid.IntRange(0, 4).Draw(r, "allow") {
		case 0, 1:
			continue
		case 2:
			if u.ExternalDirectoryObjectID == "" {
				continue
			}
			key = "id: " + u.ExternalDirectoryObjectID
		case 3:
			key = "id: " + u.Guid
		}
		entries += fmt.Sprintf("    - {%s, reason: scanner, owner: sec@contoso.com, expires: %s}\n", key, drawExpiry(r))
	}
	if entries == "" {
		b.WriteString("bypass: {}\n")
		return
	}
	b.WriteString("bypass:\n  allow:\n" + entries)
}

// drawFamilies keeps rules from contradicting each other for certain: a logon
// type has one family of forms in the whole policy.
func drawFamilies(r *rapid.T) map[string]string {
	family := map[string]string{}
	for _, l := range []string{"admin", "delegate", "owner"} {
		family[l] = rapid.SampledFrom([]string{"atLeast", "atLeast", "managed", "exact", "none"}).Draw(r, "family")
	}
	return family
}

func drawRule(r *rapid.T, b *strings.Builder, i int, family map[string]string) {
	fmt.Fprintf(b, "  rule-%d:\n", i)
	types := rapid.SampledFrom([]string{
		"[UserMailbox, SharedMailbox]", "[UserMailbox, SharedMailbox, RoomMailbox, TeamMailbox]", "[UserMailbox]", "[TeamMailbox, PublicFolderMailbox]",
	}).Draw(r, "types")
	onlyAge := rapid.IntRange(0, 7).Draw(r, "groups") == 0
	if onlyAge {
		types = "[GroupMailbox, UserMailbox]"
	}
	fmt.Fprintf(b, "    types: %s\n", types)
	if where := rapid.SampledFrom([]string{
		"", "", "{address: \"odd-*\"}", "{attribute: {customAttribute1: VIP}}",
		"{not: {address: [\"odd-1@contoso.com\", \"*-2@*\"]}}",
		"{memberOf: list@contoso.com}", "{memberOf: [dynamic@contoso.com, nested@contoso.com]}", "{memberOf: [gone@contoso.com, list@contoso.com]}",
		"{hasDelegates: true}", "{allOf: [{hasDelegates: false}, {not: {memberOf: dynamic@contoso.com}}]}", "{capability: m365auditing}",
		"{anyOf: [{address: \"*.1?@*\"}, {allOf: [{attribute: {customAttribute1: VIP}}, {address: \"odd-*@contoso.com\"}]}]}",
	}).Draw(r, "where"); where != "" {
		fmt.Fprintf(b, "    where: %s\n", where)
	}
	fmt.Fprintf(b, "    ageLimit: %s\n", rapid.SampledFrom([]string{"60d", "180d", "1y"}).Draw(r, "ageLimit"))
	if onlyAge {
		return
	}
	if mode := rapid.SampledFrom([]string{"", "effective", "explicit"}).Draw(r, "auditEnabled"); mode != "" {
		fmt.Fprintf(b, "    auditEnabled: %s\n", mode)
	}
	drawRecord(r, b, family)
}

func drawRecord(r *rapid.T, b *strings.Builder, family map[string]string) {
	text := ""
	for _, l := range []string{"admin", "delegate", "owner"} {
		form := ""
		switch family[l] {
		case "atLeast":
			form = rapid.SampledFrom([]string{
				"{defaults: true}", "{defaults: true, plus: [Move]}", "{plus: [Move, HardDelete]}", "{plus: [Move, Teleport]}", "{defaults: true, plus: [RecordDelete]}",
			}).Draw(r, "form")
		case "managed":
			form = rapid.SampledFrom([]string{"{managed: true}", "{managed: true, plus: [HardDelete]}"}).Draw(r, "form")
		case "exact":
			form = "{exact: [Update, Move, HardDelete]}"
		}
		if form != "" && rapid.IntRange(0, 3).Draw(r, "asked") > 0 {
			text += fmt.Sprintf("      %s: %s\n", l, form)
		}
	}
	if text != "" {
		b.WriteString("    record:\n" + text)
	}
}
