package policy

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy/strict"
)

func readOrganization(n *strict.Node) *Organization {
	m, ok := n.Map(strict.Keys("unifiedAuditLog", "mailboxAuditing", "enableCustomization", "controls"))
	if !ok {
		return nil
	}
	if onlyControls(n) {
		n.Errorf(CodeEmptyValue, "leave organization out for no opinion", "organization says nothing")
	}
	o := &Organization{
		Pos:             n.KeyPos(),
		UnifiedAuditLog: readOnlyTrue(m.Get("unifiedAuditLog")),
		MailboxAuditing: readOnlyTrue(m.Get("mailboxAuditing")),
		customization:   readBool(m.Get("enableCustomization")),
	}
	o.EnableCustomization = isTrue(o.customization)
	all, own := readSwitchControls(m.Get("controls"), "unifiedAuditLog", "mailboxAuditing")
	o.Controls, o.unifiedControls, o.auditingControls = all, own["unifiedAuditLog"], own["mailboxAuditing"]
	return o
}

// isEmpty tells whether a map has no entry at all, known or not.
func isEmpty(n *strict.Node) bool { return len(n.Entries()) == 0 }

// onlyControls tells whether a section has no entry but controls, which alone ask
// for nothing.
func onlyControls(n *strict.Node) bool {
	return !slices.ContainsFunc(n.Entries(), func(e *strict.Node) bool { return e.Key() != "controls" })
}

// readOnlyTrue reads a boolean that cannot be false: no opinion is said by
// leaving the key out, and less recording cannot be asked for.
func readOnlyTrue(n *strict.Node) *Located[bool] {
	v := readBool(n)
	if v != nil && !v.Value {
		n.Errorf(CodeRefused, "leave the key out for no opinion", "%s: false is not a wish a policy can have", n.Key())
		return nil
	}
	return v
}

func readBool(n *strict.Node) *Located[bool] {
	if n == nil {
		return nil
	}
	v, ok := n.Bool()
	if !ok {
		return nil
	}
	return &Located[bool]{Value: v, Pos: n.Pos()}
}

// isTrue tells whether a boolean is present and true.
func isTrue(v *Located[bool]) bool { return v != nil && v.Value }

func readAdminAudit(n *strict.Node) *AdminAudit {
	m, ok := n.Map(strict.Keys(
		"enabled", "cmdlets", "parameters", "excludedCmdlets", "ageLimit", "attempt", "controls",
	))
	if !ok {
		return nil
	}
	if onlyControls(n) {
		n.Errorf(CodeEmptyValue, "leave adminAudit out for no opinion", "adminAudit says nothing")
	}
	a := &AdminAudit{
		Pos:             n.KeyPos(),
		Enabled:         readOnlyTrue(m.Get("enabled")),
		Cmdlets:         readPatterns(m.Get("cmdlets"), wish),
		Parameters:      readPatterns(m.Get("parameters"), wish),
		ExcludedCmdlets: readPatterns(m.Get("excludedCmdlets"), exclusion),
		AgeLimit:        readDuration(m.Get("ageLimit"), false),
		Controls:        readControls(m.Get("controls")),
		attempt:         readBool(m.Get("attempt")),
	}
	a.Attempt = isTrue(a.attempt)
	return a
}

// patternUse says what a list of cmdlet or parameter patterns is for.
type patternUse uint8

const (
	// wish is a list of what must be covered: it is not empty.
	wish patternUse = iota
	// anyPattern is a list that may be empty.
	anyPattern
	// exclusion may be empty and may not exclude everything.
	exclusion
)

// cmdletPattern is what patterns of cmdlets and parameters look like: a star for
// any run of characters is the one wildcard documented (semantics 4.1).
var cmdletPattern = regexp.MustCompile(`^[A-Za-z0-9*_-]{1,128}$`)

// readPatterns reads a list of patterns, sorted without case.
func readPatterns(n *strict.Node, use patternUse) *Located[[]string] {
	items, ok := n.List()
	if !ok {
		return nil
	}
	if len(items) == 0 && use == wish {
		n.Errorf(CodeEmptyValue, "leave "+n.Key()+" out for no opinion", "%s covers nothing", n.Key())
		return nil
	}
	list := &Located[[]string]{Value: []string{}, Pos: n.Pos()}
	for _, item := range items {
		text, ok := readText(item)
		if !ok {
			continue
		}
		switch {
		case !cmdletPattern.MatchString(text):
			item.Errorf(CodeBadPattern, "only letters, digits, dash, underscore and * stand in one", "%q is no pattern for names", text)
			continue
		case slices.ContainsFunc(list.Value, func(p string) bool { return strings.EqualFold(p, text) }):
			item.Errorf(CodeDuplicateValue, "", "%s stands already in the list", text)
			continue
		case use == exclusion && strings.Trim(text, "*") == "":
			// The service refuses it too (semantics 4.1).
			item.Errorf(CodeBadPattern, "name what is excluded", "%s would exclude every cmdlet", text)
			continue
		case use == exclusion:
			warnHidden(item, text)
		}
		list.Value = append(list.Value, text)
	}
	slices.SortFunc(list.Value, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return list
}

// auditCmdlets gives the cmdlets by which auditing is switched off, weakened or
// cut short (semantics 7).
func auditCmdlets() []string {
	return []string{
		"Set-Mailbox", "Set-MailboxAuditBypassAssociation", "Set-AdminAuditLogConfig", "Set-OrganizationConfig",
		"New-UnifiedAuditLogRetentionPolicy", "Set-UnifiedAuditLogRetentionPolicy", "Remove-UnifiedAuditLogRetentionPolicy",
	}
}

// warnHidden warns of an exclusion behind which somebody could weaken auditing
// without a trace.
func warnHidden(n *strict.Node, pattern string) {
	var hidden []string
	for _, c := range auditCmdlets() {
		if Covers([]string{pattern}, c) {
			hidden = append(hidden, c)
		}
	}
	if len(hidden) > 0 {
		n.Warnf(CodeHidesAudit, "exclude less", "excluding %s hides changes to auditing itself: %s", pattern, strings.Join(hidden, ", "))
	}
}

// longestKept is the longest that the unified audit log keeps a record: its
// longest duration is TenYears (semantics 5.3).
const longestKept = 10 * 365 * day

// readKept reads a duration that a retention policy can have.
func readKept(n *strict.Node) *Located[time.Duration] {
	d := readDuration(n, false)
	if d != nil && d.Value > longestKept {
		n.Errorf(CodeOutOfRange, "write 10y at most", "%s: the service keeps no record for longer than ten years", n.Key())
	}
	return d
}

func readRetention(n *strict.Node) *Retention {
	m, ok := n.Map(strict.Keys("floor", "require", "controls"))
	if !ok {
		return nil
	}
	if onlyControls(n) {
		n.Errorf(CodeEmptyValue, "leave retention out for no opinion", "retention says nothing")
	}
	require := m.Get("require")
	if require.IsList() && len(require.OneOrMore()) == 0 {
		require.Errorf(CodeEmptyValue, "leave require out for no opinion", "require names no records")
	}
	return &Retention{
		Pos:      n.KeyPos(),
		Floor:    readKept(m.Get("floor")),
		Require:  readRequired(require),
		Controls: readControls(m.Get("controls")),
	}
}

func readRequired(n *strict.Node) []RequiredRetention {
	items, ok := n.List()
	if !ok {
		return nil
	}
	list := []RequiredRetention{}
	for _, item := range items {
		m, ok := item.Map(strict.Required("recordTypes", "atLeast"))
		if !ok {
			continue
		}
		r := RequiredRetention{Pos: item.Pos(), RecordTypes: readRecordTypes(m.Get("recordTypes"))}
		if d := readKept(m.Get("atLeast")); d != nil {
			r.AtLeast = *d
		}
		list = append(list, r)
	}
	return list
}

// recordTypes gives the record types that this version knows by name: those of
// mailboxes, of Exchange administration and of auditing itself (semantics 7).
func recordTypes() []string {
	return []string{
		"AuditConfig", "AuditRetentionPolicy", "AuditSearch", "AzureActiveDirectory", "ExchangeAdmin",
		"ExchangeAggregatedOperation", "ExchangeItem", "ExchangeItemAggregated", "ExchangeItemGroup",
	}
}

func readRecordTypes(n *strict.Node) []string {
	items, ok := n.List()
	if !ok {
		return nil
	}
	if len(items) == 0 {
		n.Errorf(CodeEmptyValue, "", "recordTypes names no record type")
	}
	var types []string
	for _, item := range items {
		text, ok := readText(item)
		if !ok {
			continue
		}
		if !memberPattern.MatchString(text) {
			item.Errorf(CodeBadRecordType, suggest(text, recordTypes()), "%q cannot be the name of a record type", text)
			continue
		}
		known := recordTypes()
		i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, text) })
		if i >= 0 {
			text = known[i]
		} else {
			item.Warnf(CodeUnknownRecordType, recordTypeHint(text), "the record type %q is unknown to this version", text)
		}
		if slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(t, text) }) {
			item.Errorf(CodeDuplicateValue, "", "%s stands already in the list", text)
			continue
		}
		types = append(types, text)
	}
	slices.Sort(types)
	return types
}

func recordTypeHint(name string) string {
	if near := strict.Nearest(name, recordTypes()); near != "" {
		return "did you mean " + near + "? it is passed on as it stands"
	}
	return "it is passed on as it stands"
}
