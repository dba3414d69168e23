package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/exchange/simulator/oracle"
)

// model is what a policy means, as the generator means it. Its text is written
// from it, and the wishes by which a day is judged are worked out from it, so
// that a mistake of the package that reads policies cannot hide.
type model struct {
	org    *orgModel
	bypass *bypassModel
	rules  []ruleModel
	guards guardModel
	// severity replaces built-in levels, by setting.
	severity map[string]string
}

type orgModel struct{ unifiedLog, mailboxAuditing, customization bool }

type bypassModel struct{ allow []allowModel }

// allowModel allows one account, by an address or an id.
type allowModel struct {
	account, id string
	expired     bool
}

type guardModel struct {
	percent    float64
	maxChanged int // -1 for none
	weakening  bool
}

// ruleModel is one rule; no types means user and shared mailboxes.
type ruleModel struct {
	name    string
	types   []string
	where   *condition
	record  [3]*formModel // by logonTypes
	enabled string
	ageDays int
}

// formModel is what a logon type is to record.
type formModel struct {
	defaults, managed bool
	plus, exact       []string
}

// condition is a selector.
type condition struct {
	op    string // address, attribute, not, anyOf, allOf
	texts []string
	parts []*condition
}

func logonTypes() [3]string { return [3]string{"Admin", "Delegate", "Owner"} }

// unknownAction is one that no version of the program knows.
const unknownAction = "Teleport"

func (c *condition) matches(m simulator.Mailbox) bool {
	each := func(p *condition) bool { return p.matches(m) }
	switch c.op {
	case "address":
		for _, address := range addresses(m) {
			if slices.ContainsFunc(c.texts, func(pattern string) bool { return globs(pattern, address) }) {
				return true
			}
		}
		return false
	case "attribute":
		return slices.ContainsFunc(c.texts, func(v string) bool { return strings.EqualFold(v, m.CustomAttributes[1]) })
	case "not":
		return !c.parts[0].matches(m)
	case "anyOf":
		return slices.ContainsFunc(c.parts, each)
	default:
		return !slices.ContainsFunc(c.parts, func(p *condition) bool { return !each(p) })
	}
}

// asks tells whether a selector asks for a kind of fact anywhere.
func (c *condition) asks(op string) bool {
	return c != nil && (c.op == op || slices.ContainsFunc(c.parts, func(p *condition) bool { return p.asks(op) }))
}

// addresses are the SMTP addresses of a mailbox in lower case.
func addresses(m simulator.Mailbox) []string {
	var out []string
	for _, a := range m.Addresses {
		if scheme, address, _ := strings.Cut(a, ":"); strings.EqualFold(scheme, "smtp") {
			out = append(out, strings.ToLower(address))
		}
	}
	return out
}

// globs matches a pattern with * and ?, by trying every split.
func globs(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	switch pattern[0] {
	case '*':
		for i := range len(text) + 1 {
			if globs(pattern[1:], text[i:]) {
				return true
			}
		}
		return false
	case '?':
		return text != "" && globs(pattern[1:], text[1:])
	default:
		return text != "" && pattern[0] == text[0] && globs(pattern[1:], text[1:])
	}
}

func (r ruleModel) covers(recipientType string) bool {
	types := r.types
	if types == nil {
		types = []string{"UserMailbox", "SharedMailbox"}
	}
	return slices.Contains(types, recipientType)
}

func (r ruleModel) matches(m simulator.Mailbox) bool {
	return r.covers(m.Type) && (r.where == nil || r.where.matches(m))
}

// wish joins the rules that match a mailbox: every one applies, the strictest
// wins. It is false where none matches.
func (p *model) wish(m simulator.Mailbox) (oracle.Wish, bool) {
	w, matched := oracle.Wish{Guid: m.Guid}, false
	records := [3]**oracle.Record{&w.Admin, &w.Delegate, &w.Owner}
	for _, r := range p.rules {
		if !r.matches(m) {
			continue
		}
		matched = true
		for i, f := range r.record {
			if f != nil {
				*records[i] = f.join(*records[i])
			}
		}
		if r.enabled == "explicit" || w.AuditEnabled == "" {
			w.AuditEnabled = r.enabled
		}
		w.AgeLimit = max(w.AgeLimit, time.Duration(r.ageDays)*24*time.Hour)
	}
	return w, matched
}

func (f formModel) join(into *oracle.Record) *oracle.Record {
	if into == nil {
		into = &oracle.Record{}
	}
	into.Defaults = into.Defaults || f.defaults
	into.Managed = into.Managed || f.managed
	into.Plus = append(into.Plus, f.plus...)
	if f.exact != nil {
		into.Exact = f.exact
	}
	return into
}

// recordOf is the part of a wish for a logon type, nil for no opinion.
func recordOf(w oracle.Wish, logon string) *oracle.Record {
	switch logon {
	case "Admin":
		return w.Admin
	case "Delegate":
		return w.Delegate
	default:
		return w.Owner
	}
}

// wishes says what the policy asks of a tenant as it stands. Rules for mailboxes
// are in vain where auditing is off as a whole (semantics 0): then nothing is in
// line, although only a policy that names the switch may turn it.
func (p *model) wishes(t *simulator.Tenant) oracle.Wishes {
	w := oracle.Wishes{MailboxAuditing: len(p.rules) > 0}
	if p.org != nil {
		w.UnifiedAuditLog, w.MailboxAuditing = p.org.unifiedLog, w.MailboxAuditing || p.org.mailboxAuditing
	}
	if p.bypass != nil {
		w.Bypass = &oracle.BypassWish{Allowed: p.allowed(t)}
	}
	for m := range t.AllMailboxes() {
		if wish, ok := p.wish(m); ok {
			w.Mailboxes = append(w.Mailboxes, wish)
		}
	}
	return w
}

// allowed gives the Guids and object ids behind the allow entries in force.
func (p *model) allowed(t *simulator.Tenant) []string {
	var out []string
	for _, a := range p.bypass.allow {
		if a.expired {
			continue
		}
		for m := range t.AllMailboxes() {
			if a.account != "" && (strings.EqualFold(a.account, m.UserPrincipalName) || slices.Contains(addresses(m), strings.ToLower(a.account))) ||
				a.id != "" && (a.id == m.Guid || a.id == m.ExchangeObjectID || a.id == m.ExternalDirectoryObjectID) {
				out = append(out, m.Guid)
			}
		}
		for u := range t.AllUsers() {
			if a.account != "" && strings.EqualFold(a.account, u.UserPrincipalName) || a.id != "" && a.id == u.ExternalDirectoryObjectID {
				out = append(out, u.Guid)
			}
		}
		out = append(out, a.id)
	}
	return out
}

// level is the severity of a setting: the built-in one, unless the policy has
// its own.
func (p *model) level(setting string) int {
	word := map[string]string{"auditEnabled": "medium", "auditLogAgeLimit": "low"}[setting]
	if own := p.severity[setting]; own != "" {
		word = own
	}
	if word == "" {
		word = "high"
	}
	return slices.Index(levels(), word)
}

func levels() []string { return []string{"info", "low", "medium", "high"} }

// listings counts the mailboxes that the policy has read.
func (p *model) listings(t *simulator.Tenant) int {
	groups := slices.ContainsFunc(p.rules, func(r ruleModel) bool { return r.covers("GroupMailbox") })
	folders := slices.ContainsFunc(p.rules, func(r ruleModel) bool { return r.covers("PublicFolderMailbox") })
	n := 0
	for m := range t.AllMailboxes() {
		if m.Type == "GroupMailbox" && !groups || m.Type == "PublicFolderMailbox" && !folders {
			continue
		}
		n++
	}
	return n
}

// yaml writes the policy as a user would.
func (p *model) yaml() string {
	var b strings.Builder
	b.WriteString("apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: chaos\n")
	if o := p.org; o != nil {
		var keys []string
		for _, k := range []struct {
			name string
			on   bool
		}{{"unifiedAuditLog", o.unifiedLog}, {"mailboxAuditing", o.mailboxAuditing}, {"enableCustomization", o.customization}} {
			if k.on {
				keys = append(keys, k.name+": true")
			}
		}
		fmt.Fprintf(&b, "organization: {%s}\n", strings.Join(keys, ", "))
	}
	if p.bypass != nil {
		p.bypass.yaml(&b)
	}
	if len(p.rules) > 0 {
		b.WriteString("mailboxes:\n")
		for _, r := range p.rules {
			r.yaml(&b)
		}
	}
	for setting, level := range p.severity { // one at most
		fmt.Fprintf(&b, "severity: {%s: %s}\n", setting, level)
	}
	fmt.Fprintf(&b, "guards: {maxChangedPercent: %g, allowWeakening: %t", p.guards.percent, p.guards.weakening)
	if p.guards.maxChanged >= 0 {
		fmt.Fprintf(&b, ", maxChanged: %d", p.guards.maxChanged)
	}
	b.WriteString("}\n")
	return b.String()
}

func (p *bypassModel) yaml(b *strings.Builder) {
	if len(p.allow) == 0 {
		b.WriteString("bypass: {}\n")
		return
	}
	b.WriteString("bypass:\n  allow:\n")
	for _, a := range p.allow {
		key := fmt.Sprintf("account: %q", a.account)
		if a.id != "" {
			key = "id: " + a.id
		}
		// A bubble begins on the first day of the year 2000.
		expires := "2001-06-30"
		if a.expired {
			expires = "1999-12-31"
		}
		fmt.Fprintf(b, "    - {%s, reason: scanner, owner: sec@contoso.com, expires: %s}\n", key, expires)
	}
}

func (r ruleModel) yaml(b *strings.Builder) {
	fmt.Fprintf(b, "  %s:\n", r.name)
	if r.types != nil {
		fmt.Fprintf(b, "    types: [%s]\n", strings.Join(r.types, ", "))
	}
	if r.where != nil {
		fmt.Fprintf(b, "    where: %s\n", r.where.yaml())
	}
	record := ""
	for i, f := range r.record {
		if f != nil {
			record += fmt.Sprintf("      %s: %s\n", strings.ToLower(logonTypes()[i]), f.yaml())
		}
	}
	if record != "" {
		b.WriteString("    record:\n" + record)
	}
	if r.enabled != "" {
		fmt.Fprintf(b, "    auditEnabled: %s\n", r.enabled)
	}
	if r.ageDays > 0 {
		fmt.Fprintf(b, "    ageLimit: %dd\n", r.ageDays)
	}
}

func (f formModel) yaml() string {
	var keys []string
	if f.defaults {
		keys = append(keys, "defaults: true")
	}
	if f.managed {
		keys = append(keys, "managed: true")
	}
	if f.plus != nil {
		keys = append(keys, "plus: ["+strings.Join(f.plus, ", ")+"]")
	}
	if f.exact != nil {
		keys = append(keys, "exact: ["+strings.Join(f.exact, ", ")+"]")
	}
	return "{" + strings.Join(keys, ", ") + "}"
}

func (c *condition) yaml() string {
	switch c.op {
	case "address":
		return "{address: [\"" + strings.Join(c.texts, `", "`) + "\"]}"
	case "attribute":
		return fmt.Sprintf("{attribute: {customAttribute1: [%s]}}", strings.Join(c.texts, ", "))
	case "not":
		return "{not: " + c.parts[0].yaml() + "}"
	}
	parts := make([]string, len(c.parts))
	for i, p := range c.parts {
		parts[i] = p.yaml()
	}
	return fmt.Sprintf("{%s: [%s]}", c.op, strings.Join(parts, ", "))
}
