package chaos

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/exchange/simulator/oracle"
)

// illegitimate says why the policy does not ask for a write on a tenant as it
// stands; empty where it does.
func (s *scenario) illegitimate(w *write, t *simulator.Tenant) string {
	p := s.policy
	switch w.cmdlet {
	case "Set-OrganizationConfig":
		return s.illegitimateOrganization(w, "AuditDisabled", false, p.org != nil && p.org.mailboxAuditing)
	case "Set-AdminAuditLogConfig":
		return s.illegitimateOrganization(w, "UnifiedAuditLogIngestionEnabled", true, p.org != nil && p.org.unifiedLog)
	case "Enable-OrganizationCustomization":
		if p.org == nil || !p.org.customization {
			return "the policy does not consent to it"
		}
		return ""
	case "Set-MailboxAuditBypassAssociation":
		return s.illegitimateBypass(w, t)
	case "Set-Mailbox":
		return s.illegitimateMailbox(w, t)
	}
	return "it is no cmdlet that this program has any business with"
}

func (s *scenario) illegitimateOrganization(w *write, name string, want, asked bool) string {
	switch {
	case !asked:
		return "the policy does not ask for " + name
	case w.parameters[name] != want:
		return fmt.Sprintf("%s would become %v", name, w.parameters[name])
	case s.damage["organization"] == name:
		return "its value is not known"
	}
	return others(w, name)
}

// others finds parameters that a write has no business to pass.
func others(w *write, known ...string) string {
	for name := range w.parameters {
		if !slices.Contains(known, name) {
			return "it passes " + name
		}
	}
	return ""
}

func (s *scenario) illegitimateBypass(w *write, t *simulator.Tenant) string {
	row, found := t.Bypass(w.object())
	switch {
	case w.parameters["AuditBypassEnabled"] != false:
		return fmt.Sprintf("AuditBypassEnabled would become %v", w.parameters["AuditBypassEnabled"])
	case s.policy.bypass == nil:
		return "the policy has no opinion on bypasses"
	case !found:
		return "there is no such account"
	case s.damage[row.Guid] == "AuditBypassEnabled":
		return "its value is not known"
	}
	if allowed := s.policy.allowed(t); slices.Contains(allowed, row.Guid) || slices.Contains(allowed, row.ExchangeObjectID) {
		return "the policy allows this bypass"
	}
	return others(w, "Identity", "AuditBypassEnabled")
}

func (s *scenario) illegitimateMailbox(w *write, t *simulator.Tenant) string {
	m, found := t.Mailbox(w.object())
	if !found {
		return "there is no such mailbox"
	}
	wish, matched := s.policy.wish(m)
	if !matched {
		return "no rule matches the mailbox"
	}
	if why := s.unreadable(m, wish); why != "" {
		return "the mailbox is unknown: " + why
	}
	if (w.parameters["GroupMailbox"] == true) != (m.Type == "GroupMailbox") || (w.parameters["PublicFolder"] == true) != (m.Type == "PublicFolderMailbox") {
		return "it names the wrong listing"
	}
	useful := false
	for name, value := range w.parameters {
		var need bool
		var why string
		switch name {
		case "Identity", "GroupMailbox", "PublicFolder":
			continue
		case "AuditEnabled":
			need, why = true, illegitimateEnabled(value, wish)
		case "AuditLogAgeLimit":
			need, why = illegitimateAge(value, m, wish)
		case "AuditAdmin", "AuditDelegate", "AuditOwner":
			need, why = s.illegitimateList(strings.TrimPrefix(name, "Audit"), value, m, wish)
		case "DefaultAuditSet":
			need, why = s.illegitimateRestore(value, m, wish)
		default:
			why = "it is no setting of a policy"
		}
		if why != "" {
			return name + ": " + why
		}
		useful = useful || need
	}
	if !useful {
		return "nothing in it was missing"
	}
	return ""
}

// unreadable says which value that the wish speaks of is never shown.
func (s *scenario) unreadable(m simulator.Mailbox, w oracle.Wish) string {
	lists := w.Admin != nil || w.Delegate != nil || w.Owner != nil
	property := s.damage[m.Guid]
	if property == "RecipientTypeDetails" || property == "AuditOwner" && w.Owner != nil || property == "DefaultAuditSet" && lists ||
		property == "AuditLogAgeLimit" && w.AgeLimit > 0 || property == "AuditEnabled" && w.AuditEnabled != "" {
		return property + " is not in its row"
	}
	return ""
}

func illegitimateEnabled(value any, w oracle.Wish) string {
	switch {
	case value != true:
		return fmt.Sprintf("it would become %v", value)
	case w.AuditEnabled == "":
		return "the policy has no opinion"
	}
	return ""
}

func illegitimateAge(value any, m simulator.Mailbox, w oracle.Wish) (need bool, why string) {
	text, _ := value.(string)
	switch {
	case w.AgeLimit == 0:
		return false, "the policy has no opinion"
	case span(text) != w.AgeLimit:
		return false, fmt.Sprintf("%s is not what the policy asks for, %s", text, w.AgeLimit)
	case span(m.AgeLimit) > w.AgeLimit:
		return false, "it would become shorter than " + m.AgeLimit
	}
	return span(m.AgeLimit) < w.AgeLimit, ""
}

// span reads [d.]hh:mm:ss.
func span(text string) time.Duration {
	days, clock, dotted := strings.Cut(text, ".")
	if !dotted {
		days, clock = "0", text
	}
	var total time.Duration
	for i, part := range append([]string{days}, strings.Split(clock, ":")...) {
		n, err := strconv.Atoi(part)
		if err != nil {
			return -1
		}
		total += time.Duration(n) * [...]time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second}[min(i, 3)]
	}
	return total
}

// illegitimateList judges an edit of one list: what it adds must be wished for,
// or shown already, as a managed list is written whole; what goes must be too
// much for an exact list, where the policy allows to weaken.
func (s *scenario) illegitimateList(logon string, value any, m simulator.Mailbox, w oracle.Wish) (need bool, why string) {
	record := recordOf(w, logon)
	if record == nil {
		return false, "the policy has no opinion"
	}
	wanted := append(slices.Clone(record.Plus), record.Exact...)
	if record.Defaults {
		wanted = append(wanted, defaults(logon)...)
	}
	wanted = slices.DeleteFunc(wanted, func(a string) bool { return a == unknownAction })
	shown := m.Shown(logon)
	add, remove, replace := listEdit(value)
	for _, action := range append(add, replace...) {
		if !slices.Contains(wanted, action) && !slices.Contains(shown, action) {
			return false, action + " is neither wished for nor there"
		}
		need = need || !slices.Contains(shown, action)
	}
	if replace != nil {
		remove = slices.DeleteFunc(slices.Clone(shown), func(a string) bool { return slices.Contains(replace, a) })
	}
	for _, action := range remove {
		if record.Exact == nil || slices.Contains(record.Exact, action) {
			return false, action + " would go, and the policy does not ask for that"
		}
		if !s.policy.guards.weakening {
			return false, action + " would go, and the policy does not allow to weaken"
		}
		need = need || slices.Contains(shown, action)
	}
	return need, ""
}

// listEdit reads an Add and Remove table, or a whole list.
func listEdit(value any) (add, remove, replace []string) {
	texts := func(v any) []string {
		list, _ := v.([]any)
		var out []string
		for _, e := range list {
			text, _ := e.(string)
			out = append(out, text)
		}
		return out
	}
	if table, ok := value.(map[string]any); ok {
		return texts(table["Add"]), texts(table["Remove"]), nil
	}
	return nil, nil, texts(value)
}

// defaults are the sets of semantics 1.2.
func defaults(logon string) []string {
	all := strings.Fields("ApplyRecord HardDelete MailItemsAccessed MoveToDeletedItems SoftDelete Update UpdateFolderPermissions UpdateInboxRules")
	if logon != "Owner" {
		all = append(all, "Create", "SendAs", "SendOnBehalf")
	}
	if logon != "Delegate" {
		all = append(all, "Send", "UpdateCalendarDelegation")
	}
	return all
}

// illegitimateRestore judges a DefaultAuditSet: it must keep what is managed,
// restore what is wished to be, and drop nothing unless it may.
func (s *scenario) illegitimateRestore(value any, m simulator.Mailbox, w oracle.Wish) (need bool, why string) {
	_, _, types := listEdit(value)
	for _, l := range m.Managed {
		if !slices.Contains(types, l) {
			return false, l + " would be managed no longer"
		}
	}
	for _, l := range types {
		if slices.Contains(m.Managed, l) {
			continue
		}
		need = true
		if record := recordOf(w, l); record == nil || !record.Managed {
			return false, "nobody wants " + l + " to be managed"
		}
		for _, action := range m.Shown(l) {
			if !slices.Contains(defaults(l), action) && !s.policy.guards.weakening {
				return false, fmt.Sprintf("restoring %s would drop %s", l, action)
			}
		}
	}
	return need, ""
}
