package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// Judge compares what a tenant stores with wishes, and gives one finding for
// each that is not satisfied, sorted by kind, Guid, setting and reason; none
// where all are. A wish that cannot be understood, or whose mailbox is not
// there, is a finding too, so that a mistake in a test does not pass as
// success. Every account of the tenant is visited where Bypass is wished, of
// the mailboxes only those that a wish names.
func Judge(t *simulator.Tenant, w Wishes) []Finding {
	findings := judgeOrganization(t.Organization(), w)
	if w.Bypass != nil {
		findings = append(findings, judgeBypass(t, *w.Bypass)...)
	}
	if w.AdminAudit != nil {
		findings = append(findings, judgeAdminAudit(t.AdminAudit(), *w.AdminAudit)...)
	}
	if w.Retention != nil {
		findings = append(findings, judgeRetention(t, *w.Retention)...)
	}
	for _, wish := range w.Mailboxes {
		findings = append(findings, judgeMailbox(t, wish)...)
	}
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Guid, b.Guid),
			cmp.Compare(a.Setting, b.Setting), cmp.Compare(a.Why, b.Why),
		)
	})
	return findings
}

// judgeOrganization judges the two settings of the tenant. AuditDisabled has
// the sense turned round (semantics 2.3).
func judgeOrganization(o simulator.Organization, w Wishes) []Finding {
	var findings []Finding
	miss := func(setting, why string) {
		findings = append(findings, Finding{Kind: "organization", Guid: "organization", Setting: setting, Why: why})
	}
	if w.UnifiedAuditLog && !o.UnifiedAuditLog {
		miss("unifiedAuditLogIngestionEnabled", "the unified audit log takes no records in")
	}
	if w.MailboxAuditing && o.AuditDisabled {
		miss("auditDisabled", "mailbox auditing is disabled for the organization")
	}
	return findings
}

// judgeBypass finds the accounts that are bypassed and not allowed. A row is
// known by its Guid or its ExchangeObjectId, never by its name, which tenants
// choose and need not be unique (semantics 3).
func judgeBypass(t *simulator.Tenant, w BypassWish) []Finding {
	allowed := newSet(w.Allowed)
	delete(allowed, "") // An id that a row does not have allows nothing.
	var findings []Finding
	for row := range t.AllBypass() {
		if row.Enabled && !allowed.has(row.Guid) && !allowed.has(row.ExchangeObjectID) {
			findings = append(findings, Finding{
				Kind: "bypass", Guid: strings.ToLower(row.Guid), Setting: "auditBypassEnabled",
				Why: "the account is bypassed and not allowed to be",
			})
		}
	}
	return findings
}

// judgeMailbox judges one mailbox by the wish for it.
func judgeMailbox(t *simulator.Tenant, w Wish) []Finding {
	guid := strings.ToLower(w.Guid)
	var findings []Finding
	miss := func(setting, why string) {
		findings = append(findings, Finding{Kind: "mailbox", Guid: guid, Setting: setting, Why: why})
	}
	m, ok := find(t, w.Guid)
	if !ok {
		miss("", "the tenant has no such mailbox")
		return findings
	}
	if w.Admin != nil {
		judgeRecord(listOf(m, admin, m.Admin), *w.Admin, miss)
	}
	if w.Delegate != nil {
		judgeRecord(listOf(m, delegate, m.Delegate), *w.Delegate, miss)
	}
	if w.Owner != nil {
		judgeRecord(listOf(m, owner, m.Owner), *w.Owner, miss)
	}
	judgeAuditEnabled(m, w.AuditEnabled, miss)
	judgeAgeLimit(m, w, miss)
	return findings
}

// find looks a mailbox up by its Guid alone: another identity would let a wish
// hit a mailbox that only bears a similar name.
func find(t *simulator.Tenant, guid string) (simulator.Mailbox, bool) {
	if m, ok := t.Mailbox(guid); ok {
		return m, true
	}
	return t.Mailbox(strings.ToLower(guid))
}

// list is what one mailbox records for one logon type.
type list struct {
	logon    string
	managed  bool
	defaults set
	shown    set
}

// listOf works out a list from what is stored: one that Microsoft manages is
// the default set whatever is stored beside it (semantics 2.1).
func listOf(m simulator.Mailbox, logon string, stored []string) list {
	l := list{
		logon:    logon,
		managed:  newSet(m.Managed).has(logon) || strings.EqualFold(m.Type, groupMailbox),
		defaults: defaultSet(m.Type, logon),
		shown:    newSet(stored),
	}
	if l.managed {
		l.shown = l.defaults
	}
	return l
}

// judgeRecord judges one list by each part of the wish for it.
func judgeRecord(l list, w Record, miss func(setting, why string)) {
	setting := "audit" + l.logon
	if w.Defaults && !l.managed {
		if missing := l.defaults.minus(l.shown); len(missing) > 0 {
			miss(setting, "of the default set it lacks "+strings.Join(missing, ", "))
		}
	}
	if missing := newSet(w.Plus).minus(l.shown); len(missing) > 0 {
		miss(setting, "it lacks "+strings.Join(missing, ", "))
	}
	if w.Managed && !l.managed {
		miss("defaultAuditSet", l.logon+" is not managed by Microsoft")
	}
	if w.Exact == nil {
		return
	}
	exact := newSet(w.Exact)
	if missing := exact.minus(l.shown); len(missing) > 0 {
		miss(setting, "to be exact it lacks "+strings.Join(missing, ", "))
	}
	if extra := l.shown.minus(exact); len(extra) > 0 {
		miss(setting, "to be exact it has too much: "+strings.Join(extra, ", "))
	}
}

// judgeAuditEnabled judges the stored value, and for "effective" also what the
// type gives without it (semantics 2.2).
func judgeAuditEnabled(m simulator.Mailbox, wish string, miss func(setting, why string)) {
	stored := m.AuditEnabled == simulator.True
	switch wish {
	case "":
	case "effective":
		if !stored && !onByDefault(m.Type) {
			miss("auditEnabled", fmt.Sprintf("a %s records only where the stored value is true, and it is not", m.Type))
		}
	case "explicit":
		if !stored {
			miss("auditEnabled", "the stored value is not true")
		}
	default:
		miss("auditEnabled", fmt.Sprintf("%q is not a wish that is known: effective or explicit", wish))
	}
}

// judgeAgeLimit judges how long records stay in the mailbox.
func judgeAgeLimit(m simulator.Mailbox, w Wish, miss func(setting, why string)) {
	if w.AgeLimit == 0 {
		return
	}
	age, err := timeSpan(m.AgeLimit)
	switch {
	case err != nil:
		miss("auditLogAgeLimit", err.Error())
	case age < w.AgeLimit:
		miss("auditLogAgeLimit", fmt.Sprintf("%s is less than %s", m.AgeLimit, w.AgeLimit))
	}
}
