package report

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

// namesShown is how many subjects of a group are named; the others are
// counted, unless everything is asked for.
const namesShown = 5

// group is one difference that several subjects share: people read the causes,
// not one paragraph per mailbox.
type group struct {
	first reconcile.Change
	names []string
	count int
}

// groupKey is what the subjects of a group have in common. Lists are compared
// by what is added and removed, not by what was there before.
type groupKey struct {
	kind, setting      string
	edit, reason, note string
	fate               reconcile.Fate
	severity           string
	weakens, pins      bool
	carried            bool
	file, rule         string
	line, column       int
	result             reconcile.Result
}

// groupChanges folds changes into groups, in the order of their first change.
// It keeps names up to the limit for each group, all of them for limit < 0.
func groupChanges(changes iter.Seq[reconcile.Change], limit int) []*group {
	byKey := map[groupKey]*group{}
	var order []*group
	for c := range changes {
		key := keyOf(c)
		g, ok := byKey[key]
		if !ok {
			g = &group{first: c}
			byKey[key] = g
			order = append(order, g)
		}
		g.count++
		if limit < 0 || len(g.names) < limit {
			g.names = append(g.names, nameOf(c.Subject))
		}
	}
	return order
}

// keyOf gives what a change has in common with those of its group.
func keyOf(c reconcile.Change) groupKey {
	return groupKey{
		kind: string(c.Subject.Kind), setting: string(c.Setting), edit: editOf(c), reason: c.Reason, note: withoutRequest(c.Note),
		fate: c.Fate, severity: c.Severity.String(), weakens: c.Weakens, pins: c.Pins,
		file: c.Origin.File, rule: c.Origin.Rule, line: c.Origin.Line, column: c.Origin.Column,
		result: c.Result, carried: c.Carried,
	}
}

// withoutRequest cuts the id of the request off a note, which differs from one
// batch to the next.
func withoutRequest(note string) string {
	text, _, _ := strings.Cut(note, " [request ")
	return text
}

// editOf says what a change does, in words that also tell edits apart.
func editOf(c reconcile.Change) string {
	var parts []string
	if len(c.Add) > 0 {
		parts = append(parts, "add "+joined(c.Add))
	}
	if len(c.Remove) > 0 {
		parts = append(parts, "remove "+joined(c.Remove))
	}
	if len(parts) == 0 {
		return shownValue(c.Before) + " → " + shownValue(c.After)
	}
	return strings.Join(parts, "; ")
}

// joined escapes and joins a list; it comes sorted.
func joined(l []string) string {
	out := make([]string, len(l))
	for i, s := range l {
		out[i] = Line(s)
	}
	return strings.Join(out, ", ")
}

// shownValue writes one value of a change.
func shownValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "(none)"
	case []string:
		if len(v) == 0 {
			return "(empty)"
		}
		return joined(v)
	default:
		return Line(fmt.Sprint(v))
	}
}

// nameOf names a subject for people: by its name, and by its id where the name
// is empty. Tenant settings have their kind for a name.
func nameOf(s reconcile.Subject) string {
	if s.Name != "" {
		return Line(s.Name)
	}
	if s.ID != "" {
		return Line(s.ID)
	}
	return string(s.Kind)
}

// unknownGroup is one reason for which several objects could not be judged.
type unknownGroup struct {
	first reconcile.UnknownObject
	names []string
	count int
}

// groupUnknown folds what could not be judged by kind, setting and reason.
func groupUnknown(unknown iter.Seq[reconcile.UnknownObject], limit int) []*unknownGroup {
	type key struct{ kind, setting, reason string }
	byKey := map[key]*unknownGroup{}
	var order []*unknownGroup
	for u := range unknown {
		k := key{string(u.Subject.Kind), string(u.Setting), u.Reason}
		g, ok := byKey[k]
		if !ok {
			g = &unknownGroup{first: u}
			byKey[k] = g
			order = append(order, g)
		}
		g.count++
		if limit < 0 || len(g.names) < limit {
			g.names = append(g.names, nameOf(u.Subject))
		}
	}
	return order
}

// objects counts subjects of a kind in words.
func objects(kind string, n int) string {
	switch kind {
	case kindMailbox:
		return plural(n, "mailbox", "mailboxes")
	case kindBypass:
		return plural(n, "account", "accounts")
	case kindRetention:
		return plural(n, "policy", "policies")
	default:
		return plural(n, "object", "objects")
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// number writes a count with commas, 1,180.
func number(n int) string {
	digits := fmt.Sprint(n)
	if n < 0 {
		return digits
	}
	var parts []string
	for len(digits) > 3 {
		parts = append(parts, digits[len(digits)-3:])
		digits = digits[:len(digits)-3]
	}
	parts = append(parts, digits)
	slices.Reverse(parts)
	return strings.Join(parts, ",")
}
