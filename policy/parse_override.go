package policy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/policy/strict"
)

// readOverride reads the override key of a named part; the reason stands beside
// it. Nil where there is none.
func readOverride(n *strict.Node, reason string) *override {
	said := readOnlyTrue(n)
	if said == nil {
		return nil
	}
	return &override{pos: n.KeyPos(), reason: reason}
}

// readRuleOverride reads override and reason of a rule, which has a reason for
// nothing else.
func readRuleOverride(m strict.Map) *override {
	said, reason := m.Get("override"), m.Get("reason")
	switch {
	case said != nil && reason == nil:
		said.Report(Diagnostic{
			Pos: said.KeyPos(), Code: strict.CodeMissingKey,
			Message: "override needs a reason", Hint: "add reason: with why the other rule does not fit",
		})
	case said == nil && reason != nil:
		reason.Report(Diagnostic{
			Pos: reason.KeyPos(), Code: CodeBadOverride,
			Message: "reason explains an override, and there is none", Hint: "add override: true, or make it a comment",
		})
	}
	return readOverride(said, readReason(reason))
}

// readReason reads a text that people must be able to make sense of, and warns
// of one that still says that it has to be written.
func readReason(n *strict.Node) string {
	text := readWords(n)
	mark, _, _ := strings.Cut(text, " ")
	switch strings.ToLower(strings.TrimRight(mark, ".:!,")) {
	case "todo", "tbd", "fixme":
		n.Warnf(CodeUnfilled, "write it", "%s is still to be filled in", n.Key())
	}
	return text
}

// overridable gives the paths that overrides may name: every scalar of which one
// value is looser than another.
func overridable() []string {
	paths := []string{"allowUnknownActions", "organization.enableCustomization", "retention.floor"}
	for _, key := range []string{"ageLimit", "attempt", "cmdlets", "excludedCmdlets", "parameters"} {
		paths = append(paths, "adminAudit."+key)
	}
	for _, key := range guardKeys() {
		paths = append(paths, "guards."+key)
	}
	for _, s := range audit.Settings() {
		paths = append(paths, severityPath(s))
	}
	return paths
}

func severityPath(s audit.Setting) string { return "severity." + string(s) }

func readOverrides(n *strict.Node) []Override {
	if n == nil {
		return nil
	}
	entries, ok := n.OpenMap()
	if !ok {
		return nil
	}
	if len(entries) == 0 {
		n.Errorf(CodeEmptyValue, "leave overrides out", "overrides names nothing")
	}
	known := map[string]bool{}
	for _, path := range overridable() {
		known[path] = true
	}
	var list []Override
	for _, e := range entries {
		reason := readReason(e)
		if !known[e.Key()] {
			e.Report(Diagnostic{
				Pos: e.KeyPos(), Code: CodeBadOverride, Message: "there is no " + quote(e.Key()) + " that can be overridden here",
				Hint: overrideHint(e.Key()),
			})
			continue
		}
		list = append(list, Override{Path: e.Key(), Reason: reason, Pos: e.KeyPos()})
	}
	return list
}

// overrideHint leads from a named part to its own override key.
func overrideHint(path string) string {
	for _, section := range []string{"mailboxes", "exemptions", "bypass"} {
		if path == section || strings.HasPrefix(path, section+".") {
			return "write override: true and reason into the rule, exemption or allow entry itself"
		}
	}
	if near := strict.Nearest(path, overridable()); near != "" {
		return "did you mean " + near + "?"
	}
	return "write the path of one value, such as guards.maxChanged"
}

// readControls reads identifiers of published controls, sorted.
func readControls(n *strict.Node) []string {
	items, ok := n.List()
	if !ok {
		return nil
	}
	if len(items) == 0 {
		n.Errorf(CodeEmptyValue, "leave controls out", "controls names no control")
	}
	return readControlList(items)
}

// readSwitchControls reads the controls of a section whose keys may have their
// own: a list for all, or a map from key to list.
func readSwitchControls(n *strict.Node, keys ...string) (all []string, own map[string][]string) {
	if !n.IsMap() {
		return readControls(n), nil
	}
	m, _ := n.Map(strict.Keys(keys...))
	if isEmpty(n) {
		n.Errorf(CodeEmptyValue, "leave controls out", "controls names no control")
	}
	own = map[string][]string{}
	for _, key := range keys {
		own[key] = readControls(m.Get(key))
	}
	return nil, own
}

// controlID is what an identifier of a control looks like: a catalogue and an
// entry of it, such as CIS-M365-7.0:6.1.2 or ISO-27001:A.8.15.
var controlID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.:_()/-]{0,63}$`)

func readControlList(items []*strict.Node) []string {
	var ids []string
	for _, item := range items {
		id, ok := readText(item)
		switch {
		case !ok:
		case !controlID.MatchString(id):
			item.Errorf(CodeBadControl, "write a catalogue and an entry of it, as in CIS-M365-7.0:6.1.2", "%q is no identifier of a control", id)
		case slices.Contains(ids, id):
			item.Errorf(CodeDuplicateValue, "", "%s stands already in the list", id)
		default:
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
