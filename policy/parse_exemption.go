package policy

import (
	"slices"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/policy/strict"
)

func (p *Policy) readExemptions(n *strict.Node) {
	entries, ok := n.OpenMap()
	if !ok {
		return
	}
	if len(entries) == 0 {
		n.Errorf(CodeEmptyValue, "leave exemptions out", "exemptions holds no exemption")
	}
	for _, entry := range entries {
		if e, ok := readExemption(entry); ok {
			p.Exemptions = append(p.Exemptions, e)
		}
	}
}

func readExemption(n *strict.Node) (Exemption, bool) {
	e := Exemption{Name: n.Key(), Pos: n.KeyPos()}
	checkName(n, "exemption")
	m, ok := n.Map(
		strict.Keys("where", "subject"),
		strict.Required("accept", "reason", "owner", "expires"),
		strict.Keys("override"),
	)
	if !ok {
		return e, false
	}
	where, subject := m.Get("where"), m.Get("subject")
	switch {
	case where != nil && subject != nil:
		subject.Report(Diagnostic{
			Pos: subject.KeyPos(), Code: CodeBadSubject,
			Message: "an exemption is for mailboxes (where) or for a tenant setting (subject)", Hint: "keep one of them",
		})
	case where == nil && subject == nil:
		n.Report(Diagnostic{
			Pos: e.Pos, Code: CodeBadSubject,
			Message: "the exemption " + e.Name + " names nothing that it is for", Hint: "add where (mailboxes) or subject (a tenant setting)",
		})
	}
	e.Where = readWhereKey(where)
	e.Subject = readSubject(subject)
	if where == nil && subject != nil && e.Subject == "" {
		checkAnyAccept(m.Get("accept"))
	} else {
		e.Accept = readAccept(m.Get("accept"), e.Subject)
	}
	e.Reason = readReason(m.Get("reason"))
	e.Owner = readReason(m.Get("owner"))
	e.Expires, e.expiresPos = readDate(m.Get("expires"))
	e.override = readOverride(m.Get("override"), e.Reason)
	return e, true
}

// exemptible gives the kinds of tenant settings that an exemption may name.
// Bypassed accounts have allow entries.
func exemptible() []audit.SubjectKind {
	return []audit.SubjectKind{audit.KindOrganization, audit.KindAdminAudit, audit.KindRetention}
}

func readSubject(n *strict.Node) audit.SubjectKind {
	word, ok := readText(n)
	if !ok {
		return ""
	}
	if kind := audit.SubjectKind(word); slices.Contains(exemptible(), kind) {
		return kind
	}
	hint := suggest(word, names(exemptible()))
	if word == string(audit.KindBypass) {
		hint = "allow the account under bypass"
	}
	n.Errorf(CodeBadSubject, hint, "%q is no tenant setting that can be exempted", word)
	return ""
}

// acceptKeys gives the keys that accept has for a subject.
func acceptKeys(subject audit.SubjectKind) []string {
	switch subject {
	case audit.KindOrganization:
		return []string{"unifiedAuditLog", "mailboxAuditing"}
	case audit.KindAdminAudit:
		return []string{"enabled", "cmdlets", "parameters", "excludedCmdlets", "ageLimit"}
	case audit.KindRetention:
		return []string{"floor", "require"}
	default:
		return []string{"admin", "delegate", "owner", "auditEnabled", "ageLimit"}
	}
}

// checkAnyAccept looks at the shape of an accept whose subject is not known.
func checkAnyAccept(n *strict.Node) {
	if n != nil {
		n.OpenMap()
	}
}

func readAccept(n *strict.Node, subject audit.SubjectKind) Accept {
	m, ok := n.Map(strict.Keys(acceptKeys(subject)...))
	if !ok {
		return Accept{}
	}
	if isEmpty(n) {
		n.Errorf(CodeEmptyValue, "say what may be below the policy", "accept accepts nothing")
	}
	a := Accept{
		Pos:             n.KeyPos(),
		AuditEnabled:    readAcceptedEnabled(m.Get("auditEnabled")),
		AgeLimit:        readDuration(m.Get("ageLimit"), false),
		UnifiedAuditLog: readOnlyFalse(m.Get("unifiedAuditLog")),
		MailboxAuditing: readOnlyFalse(m.Get("mailboxAuditing")),
		Enabled:         readOnlyFalse(m.Get("enabled")),
		Cmdlets:         readPatterns(m.Get("cmdlets"), anyPattern),
		Parameters:      readPatterns(m.Get("parameters"), anyPattern),
		ExcludedCmdlets: readPatterns(m.Get("excludedCmdlets"), exclusion),
		Floor:           readKept(m.Get("floor")),
	}
	for _, l := range audit.LogonTypes() {
		a.Record[l] = readAcceptedRecord(m.Get(keyOf(l)), l)
	}
	if r := m.Get("require"); r != nil {
		a.Require = &Located[[]RequiredRetention]{Value: readRequired(r), Pos: r.Pos()}
	}
	return a
}

// readAcceptedRecord reads a list, which may be empty, or a record.
func readAcceptedRecord(n *strict.Node, l audit.LogonType) *AcceptedRecord {
	if n == nil {
		return nil
	}
	if n.IsMap() {
		return &AcceptedRecord{Pos: n.KeyPos(), Form: readRecord(n, l)}
	}
	items, ok := n.List()
	if !ok {
		return nil
	}
	accepted := &AcceptedRecord{Pos: n.KeyPos()}
	if len(items) > 0 {
		accepted.Floor = readActions(n, l).Set()
	}
	return accepted
}

func readAcceptedEnabled(n *strict.Node) *Located[AcceptedEnabled] {
	if n == nil {
		return nil
	}
	const hint = "none (need not be audited), effective (shown true, or on by default) or explicit (stored true)"
	word, ok := n.Written(hint)
	if !ok {
		return nil
	}
	for _, a := range []AcceptedEnabled{{None: true}, {Mode: Effective}, {Mode: Explicit}} {
		if a.String() == word {
			return &Located[AcceptedEnabled]{Value: a, Pos: n.Pos()}
		}
	}
	n.Errorf(CodeBadWord, hint, "auditEnabled cannot be %q", word)
	return nil
}

// readOnlyFalse reads a boolean of an exemption: accepting true exempts nothing.
func readOnlyFalse(n *strict.Node) *Located[bool] {
	v := readBool(n)
	if v != nil && v.Value {
		n.Errorf(CodeRefused, "write false, or leave the key out", "%s: accepting true exempts nothing", n.Key())
		return nil
	}
	return v
}
