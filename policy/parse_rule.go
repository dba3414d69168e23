package policy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/policy/strict"
)

func (p *Policy) readMailboxes(n *strict.Node) {
	if n == nil {
		return
	}
	p.MailboxesPos = n.KeyPos()
	entries, ok := n.OpenMap()
	if !ok {
		return
	}
	if len(entries) == 0 {
		n.Errorf(CodeEmptyValue, "leave mailboxes out for no opinion", "mailboxes holds no rule")
	}
	for _, e := range entries {
		if r, ok := readRule(e); ok {
			p.Mailboxes = append(p.Mailboxes, r)
		}
	}
}

func readRule(n *strict.Node) (Rule, bool) {
	r := Rule{Name: n.Key(), Pos: n.KeyPos()}
	checkName(n, "rule")
	m, ok := n.Map(strict.Keys("types", "where", "record", "auditEnabled", "ageLimit", "controls", "override", "reason"))
	if !ok {
		return r, false
	}
	r.Types = readTypes(m.Get("types"))
	r.Where = readWhereKey(m.Get("where"))
	r.Record = readRecords(m.Get("record"))
	r.AuditEnabled = readEnabled(m.Get("auditEnabled"))
	r.AgeLimit = readDuration(m.Get("ageLimit"), false)
	r.Controls = readControls(m.Get("controls"))
	r.override = readRuleOverride(m)
	if m.Get("record") == nil && m.Get("auditEnabled") == nil && m.Get("ageLimit") == nil {
		n.Report(Diagnostic{
			Pos: r.Pos, Code: CodeEmptyRule, Message: "the rule " + r.Name + " wishes nothing",
			Hint: "add record, auditEnabled or ageLimit",
		})
	}
	checkGroup(r, m)
	return r, true
}

// checkGroup refuses what a group mailbox does not let anybody set: its actions
// are fixed and only the age limit can be written (semantics 1.5).
func checkGroup(r Rule, m strict.Map) {
	if !slices.Contains(r.Types, audit.GroupMailbox) {
		return
	}
	for _, key := range []string{"record", "auditEnabled"} {
		if v := m.Get(key); v != nil {
			v.Report(Diagnostic{
				Pos: v.KeyPos(), Code: CodeNotSettable,
				Message: key + " cannot be set on GroupMailbox, whose recording Microsoft fixes",
				Hint:    "give GroupMailbox a rule of its own with only ageLimit",
			})
		}
	}
}

// readTypes gives the types of a rule, sorted; user and shared mailboxes where
// the rule names none.
func readTypes(n *strict.Node) []audit.MailboxType {
	everyone := []audit.MailboxType{audit.SharedMailbox, audit.UserMailbox}
	items, ok := n.List()
	if !ok {
		return everyone
	}
	if len(items) == 0 {
		n.Errorf(CodeEmptyValue, "leave types out for user and shared mailboxes", "types names no type")
		return everyone
	}
	var types []audit.MailboxType
	for _, item := range items {
		t, ok := readType(item)
		switch {
		case !ok:
		case slices.Contains(types, t):
			item.Errorf(CodeDuplicateValue, "", "%s stands already in the list", t)
		default:
			types = append(types, t)
		}
	}
	slices.Sort(types)
	return types
}

func readType(n *strict.Node) (audit.MailboxType, bool) {
	name, ok := readText(n)
	if !ok {
		return "", false
	}
	t, ok := audit.ParseMailboxType(name)
	switch {
	case ok:
	case isOutOfScope(name):
		n.Errorf(CodeBadType, "remove it", "%s is out of scope: its auditing cannot be set in Exchange Online", name)
	default:
		n.Errorf(CodeBadType, suggest(name, names(audit.MailboxTypes())), "there is no mailbox type %q", name)
	}
	return t, ok
}

// isOutOfScope knows the types that exist and that no policy can speak of
// (semantics 2.4).
func isOutOfScope(name string) bool {
	switch strings.ToLower(name) {
	case "arbitrationmailbox", "auditlogmailbox", "auxauditlogmailbox", "monitoringmailbox", "systemmailbox",
		"migrationmailbox", "mailuser", "remoteusermailbox", "inactivemailbox", "softdeletedmailbox":
		return true
	default:
		return false
	}
}

func readEnabled(n *strict.Node) *Located[EnabledMode] {
	if n == nil {
		return nil
	}
	const hint = "effective (shown true, or on by default) or explicit (stored true)"
	word, ok := n.Written(hint)
	if !ok {
		return nil
	}
	switch word {
	case Effective.String():
		return &Located[EnabledMode]{Value: Effective, Pos: n.Pos()}
	case Explicit.String():
		return &Located[EnabledMode]{Value: Explicit, Pos: n.Pos()}
	default:
		n.Errorf(CodeBadWord, hint, "auditEnabled cannot be %q", word)
		return nil
	}
}

func readRecords(n *strict.Node) [3]*Record {
	var records [3]*Record
	m, ok := n.Map(strict.Keys("admin", "delegate", "owner"))
	if !ok {
		return records
	}
	if isEmpty(n) {
		n.Errorf(CodeEmptyValue, "leave record out for no opinion", "record names no logon type")
	}
	for _, l := range audit.LogonTypes() {
		records[l] = readRecord(m.Get(keyOf(l)), l)
	}
	return records
}

// keyOf gives the key of a logon type.
func keyOf(l audit.LogonType) string { return strings.ToLower(l.String()) }

func readRecord(n *strict.Node, l audit.LogonType) *Record {
	m, ok := n.Map(strict.Keys("defaults", "plus", "managed", "exact"))
	if !ok {
		return nil
	}
	if isEmpty(n) {
		n.Errorf(CodeEmptyValue, "add defaults, plus, managed or exact", "%s asks for nothing", n.Key())
	}
	return &Record{
		Pos:      n.KeyPos(),
		Defaults: readOnlyTrue(m.Get("defaults")),
		Managed:  readOnlyTrue(m.Get("managed")),
		Plus:     readActions(m.Get("plus"), l),
		Exact:    readActions(m.Get("exact"), l),
	}
}

// readActions reads a list of actions for a logon type; nil where none is left.
func readActions(n *strict.Node, l audit.LogonType) *ActionList {
	items, ok := n.List()
	if !ok {
		return nil
	}
	if len(items) == 0 {
		// Whether a list can be emptied is not known (semantics 10).
		n.Errorf(CodeEmptyValue, "leave "+n.Key()+" out for no opinion", "%s names no action", n.Key())
		return nil
	}
	list := &ActionList{Pos: n.KeyPos()}
	var seen audit.ActionSet
	faulty := false
	for _, item := range items {
		a, keep, ok := readAction(item, l)
		faulty = faulty || !ok
		switch {
		case !ok:
		case seen.Has(a):
			item.Errorf(CodeDuplicateValue, "", "%s stands already in the list", a)
		case keep:
			list.Actions = append(list.Actions, Located[audit.Action]{Value: a, Pos: item.Pos()})
		}
		if ok {
			seen = seen.Union(audit.NewActionSet(a))
		}
	}
	if len(list.Actions) == 0 {
		if !faulty {
			n.Errorf(CodeEmptyValue, "", "%s names no action that is recorded", n.Key())
		}
		return nil
	}
	return list
}

// readAction checks one action of a list against the matrix. keep is false for
// one that is useless and has been warned of.
func readAction(n *strict.Node, l audit.LogonType) (a audit.Action, keep, ok bool) {
	name, ok := readText(n)
	if !ok {
		return "", false, false
	}
	if reason, instead := audit.NotAnAction(name); reason != "" {
		hint := "remove it"
		if instead != "" {
			hint = "write " + string(instead)
		}
		n.Errorf(CodeBadAction, hint, "%s", reason)
		return "", false, false
	}
	a, known := audit.Canonical(name)
	if !known {
		ok := checkUnknown(n, name)
		return a, ok, ok
	}
	if audit.Status(l, a) == audit.Rejected {
		n.Errorf(CodeBadAction, rejectedHint(a), "the service refuses %s for %s: %s", a, l, audit.Rejection(l, a))
		return "", false, false
	}
	if other, folded := audit.FoldedInto(a); folded {
		n.Warnf(CodeUselessAction, "use "+string(other), "%s is accepted and never recorded by itself, it is left out", a)
		return a, false, true
	}
	return a, true, true
}

// memberPattern is what the name of a member of an enumeration looks like: the
// service may read a number as the member of that value.
var memberPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// checkUnknown warns of an action that may be newer than this version, and
// refuses a name that the service would read as another one.
func checkUnknown(n *strict.Node, name string) bool {
	members := audit.TakenFor(name)
	switch {
	case !memberPattern.MatchString(name):
		n.Errorf(CodeBadAction, "", "%q cannot be the name of an action", name)
		return false
	case len(members) > 1:
		n.Errorf(CodeBadAction, "write one of them", "the service may take %q for %s, which begin so", name, strings.Join(members, " or "))
		return false
	case len(members) == 1:
		hint := "remove it"
		if _, known := audit.Canonical(members[0]); known {
			hint = "write " + members[0]
		}
		n.Errorf(CodeBadAction, hint, "the service may take %q for %s, which begins so", name, members[0])
		return false
	default:
		n.Warnf(CodeUnknownAction, unknownHint(name), "the action %q is unknown to this version", name)
		return true
	}
}

func unknownHint(name string) string {
	hint := "it is written only with allowUnknownActions: true"
	if near := strict.Nearest(name, names(audit.Actions())); near != "" {
		hint = "did you mean " + near + "? " + hint
	}
	return hint
}

func rejectedHint(a audit.Action) string {
	if a == audit.MessageBind {
		return "use " + string(audit.MailItemsAccessed)
	}
	return "remove it"
}
