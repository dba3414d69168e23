package policy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/policy/strict"
)

// readWhereKey reads the selector of a rule or exemption; nil where there is none.
func readWhereKey(n *strict.Node) Selector {
	s := readWhere(n)
	if s == nil && n != nil {
		return &unreadable{pos: n.Pos()}
	}
	return s
}

// readWhere reads a selector; nil where there is none or it is faulty.
func readWhere(n *strict.Node) Selector {
	m, ok := n.Map(
		strict.Keys("address", "attribute", "memberOf", "hasDelegates", "capability", "anyOf", "allOf", "not"),
	)
	if !ok {
		return nil
	}
	if isEmpty(n) {
		n.Errorf(CodeEmptyValue, "leave where out for all mailboxes", "%s names no condition", orValue(n.Key()))
		return nil
	}
	all := &combined{pos: n.KeyPos(), all: true}
	all.add(readAddress(m.Get("address")))
	for _, s := range readAttributes(m.Get("attribute")) {
		all.add(s)
	}
	all.add(readMemberOf(m.Get("memberOf")))
	all.add(readDelegates(m.Get("hasDelegates")))
	all.add(readCapability(m.Get("capability")))
	all.add(readCombined(m.Get("anyOf"), false))
	all.add(readCombined(m.Get("allOf"), true))
	if part := readWhere(m.Get("not")); part != nil {
		all.add(&negated{pos: m.Get("not").KeyPos(), part: part})
	}
	switch len(all.list) {
	case 0:
		return nil // whatever stood there has been reported
	case 1:
		return all.list[0]
	default:
		return all
	}
}

// unreadable stands for a selector with mistakes, so that its rule is not taken
// for one that matches every mailbox. It never leaves Parse.
type unreadable struct{ pos Pos }

func (s *unreadable) Pos() Pos            { return s.pos }
func (s *unreadable) parts() []Selector   { return nil }
func (s *unreadable) String() string      { return "unreadable(" + s.pos.String() + ")" }
func (s *unreadable) Match(Subject) Match { return Open }

// add takes a part that could be read.
func (s *combined) add(part Selector) {
	if part != nil {
		s.list = append(s.list, part)
	}
}

func readCombined(n *strict.Node, all bool) Selector {
	items, ok := n.List()
	if !ok {
		return nil
	}
	if len(items) == 0 {
		n.Errorf(CodeEmptyValue, "leave "+n.Key()+" out", "%s names no condition", n.Key())
		return nil
	}
	s := &combined{pos: n.KeyPos(), all: all}
	for _, item := range items {
		s.add(readWhere(item))
	}
	if len(s.list) == 0 {
		return nil
	}
	return s
}

func readAddress(n *strict.Node) Selector {
	values := readValues(n, checkPattern)
	if len(values) == 0 {
		return nil
	}
	return &addressSelector{pos: n.KeyPos(), patterns: values}
}

// readMemberOf reads the addresses of groups. A group is asked for by its address,
// so there are no patterns.
func readMemberOf(n *strict.Node) Selector {
	s := &groupSelector{pos: n.KeyPos()}
	for _, item := range oneOrMore(n) {
		text, ok := readText(item)
		if !ok {
			continue
		}
		lower := strings.ToLower(text)
		switch {
		case strings.ContainsAny(text, "*?"):
			item.Errorf(CodeBadGroup, "name each group by its address", "%q is a pattern, and groups are not found by patterns", text)
		case !accountPattern.MatchString(text):
			item.Errorf(CodeBadGroup, "write it as finance-leads@contoso.com", "%q is no address of a group", text)
		case slices.ContainsFunc(s.groups, func(g GroupRef) bool { return g.Address == lower }):
			item.Errorf(CodeDuplicateValue, "", "%q stands already in the list", text)
		default:
			s.groups = append(s.groups, GroupRef{Address: lower, Pos: item.Pos()})
		}
	}
	if len(s.groups) == 0 {
		return nil
	}
	slices.SortFunc(s.groups, func(a, b GroupRef) int { return strings.Compare(a.Address, b.Address) })
	return s
}

func readDelegates(n *strict.Node) Selector {
	v := readBool(n)
	if v == nil {
		return nil
	}
	s := &delegatesSelector{pos: n.KeyPos()}
	if v.Value {
		return s
	}
	return &negated{pos: n.KeyPos(), part: s}
}

// capabilityName is what members of PersistedCapabilities look like
// (M365Auditing, BPOS_S_EquivioAnalytics; semantics 1.4).
var capabilityName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

func readCapability(n *strict.Node) Selector {
	values := readValues(n, func(item *strict.Node, value string) {
		if !capabilityName.MatchString(value) {
			item.Errorf(CodeBadValue, "write it as PersistedCapabilities shows it, such as M365Auditing", "%q is no name of a capability", value)
		}
	})
	if len(values) == 0 {
		return nil
	}
	return &capabilitySelector{pos: n.KeyPos(), names: values}
}

// oneOrMore gives one value or the items of a list, which may not be empty.
func oneOrMore(n *strict.Node) []*strict.Node {
	items := n.OneOrMore()
	if n != nil && len(items) == 0 {
		n.Errorf(CodeEmptyValue, "", "%s names no value", n.Key())
	}
	return items
}

// checkPattern refuses a pattern that no address fits: its rule would cover no
// mailbox and look as if it did.
func checkPattern(n *strict.Node, pattern string) {
	if reason, hint := impossible(pattern); reason != "" {
		n.Errorf(CodeBadPattern, hint, "%q is no pattern for addresses: %s", pattern, reason)
		return
	}
	if !strings.Contains(pattern, "@") {
		n.Warnf(CodeBroadPattern, "write the domain too, as in "+pattern+"@contoso.com", "the pattern %q has no @ and is compared with whole addresses", pattern)
	}
}

// foreign is what no SMTP address of a mailbox holds.
var foreign = regexp.MustCompile(`[\s,;:<>()\[\]"\\]`)

// impossible says why a pattern fits no address, and what to write; the reason
// is empty where some address may fit. An address is name@domain, and a domain
// has labels that are not empty, at least two, as in the accounts of bypass.
func impossible(pattern string) (reason, hint string) {
	name, domain, cut := strings.Cut(pattern, "@")
	switch {
	case foreign.MatchString(pattern):
		return "it holds blanks or signs that addresses do not have", "only * and ? are special"
	case strings.Contains(domain, "@"):
		return "it has more than one @", ""
	case !cut && !strings.Contains(pattern, "*"):
		return "it has no @", "write the domain too, as in " + pattern + "@contoso.com"
	case cut && name == "":
		return "nothing stands before the @", "write *" + pattern
	case cut && domain == "":
		return "nothing stands after the @", "write " + pattern + "contoso.com"
	case strings.HasPrefix(pattern, "."), strings.HasSuffix(pattern, "."):
		return "it begins or ends with a dot", "remove the dot"
	case strings.HasPrefix(domain, "."), strings.Contains(domain, ".."):
		return "a part of its domain is empty", "remove the dot"
	case cut && !strings.ContainsAny(domain, ".*?"):
		return "its domain has no dot", "write the whole domain, as in " + pattern + ".com"
	default:
		return "", ""
	}
}

// checkValue refuses blanks at the ends of an attribute's value: they are not
// seen and would be compared.
func checkValue(n *strict.Node, value string) {
	if trimmed := strings.TrimSpace(value); trimmed != value {
		n.Errorf(CodeBadValue, "write "+quote(trimmed), "%q has blanks or a line end at its ends", value)
	}
}

func readAttributes(n *strict.Node) []Selector {
	if n == nil {
		return nil
	}
	entries, ok := n.OpenMap()
	if !ok {
		return nil
	}
	if len(entries) == 0 {
		n.Errorf(CodeEmptyValue, "leave attribute out", "attribute names no attribute")
	}
	var list []Selector
	for _, e := range entries {
		a, ok := attributeOf(e)
		if !ok {
			continue
		}
		if values := readValues(e, checkValue); len(values) > 0 {
			checkForms(e, a, values)
			list = append(list, &attributeSelector{pos: e.KeyPos(), attribute: a, values: values})
		}
	}
	return list
}

// attributeOf reads the key of an entry as the name of an attribute.
func attributeOf(e *strict.Node) (Attribute, bool) {
	a := Attribute(e.Key())
	if slices.Contains(AllAttributes(), a) {
		return a, true
	}
	e.Report(Diagnostic{
		Pos: e.KeyPos(), Code: CodeBadAttribute, Message: "selectors cannot ask about " + quote(e.Key()),
		Hint: attributeHint(e.Key()),
	})
	return a, false
}

// countryCode is a usage location as Entra ID stores it, in lower case.
var countryCode = regexp.MustCompile(`^[a-z]{2}$`)

// checkForms warns where all values of usageLocation have one form. Some clients
// show the two-letter code and some the country's name; which of them a listing
// holds is not documented, and values are compared as they are written. Values of
// both forms match either way.
func checkForms(n *strict.Node, a Attribute, values []string) {
	codes := 0
	for _, v := range values {
		if countryCode.MatchString(v) {
			codes++
		}
	}
	if a != AttributeUsageLocation || codes > 0 && codes < len(values) {
		return
	}
	n.Warnf(CodeHalfCovered, `list both, as in [US, "United States"]`,
		"whether the service shows a usage location as a code or as a country's name is not documented")
}

func attributeHint(name string) string {
	if near := strict.Nearest(name, names(AllAttributes())); near != "" {
		return "did you mean " + near + "?"
	}
	return "expected office, usageLocation or customAttribute1 to customAttribute15"
}

// readValues reads one text or a list of them, in lower case and sorted, with no
// two alike.
func readValues(n *strict.Node, check func(*strict.Node, string)) []string {
	var values []string
	for _, item := range oneOrMore(n) {
		text, ok := readWhole(item)
		if !ok {
			continue
		}
		check(item, text)
		lower := strings.ToLower(text)
		if slices.Contains(values, lower) {
			item.Errorf(CodeDuplicateValue, "", "%q stands already in the list", text)
			continue
		}
		values = append(values, lower)
	}
	slices.Sort(values)
	return values
}
