package report

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/exoaudit/exoaudit/reconcile"
)

// nameShown is how many runes of a name hosts are given to show. The longest address
// that the service takes is shorter.
const nameShown = 320

// textShown is the same for what is said in sentences.
const textShown = 1_000

// within is Line of a text, cut to at most limit runes with an ellipsis. It is cut
// between runes of the text, so that no escape is left without its end: what Line
// makes of the start of a text is the start of what it makes of the whole.
func within(s string, limit int) string {
	line := Line(s)
	if len(line) <= limit || utf8.RuneCountInString(line) <= limit {
		return line
	}
	ends := make([]int, 0, limit+1)
	for i := range s {
		if len(ends) > limit {
			break // Line shortens nothing, so no more than limit runes can stay.
		}
		ends = append(ends, i)
	}
	over := sort.Search(len(ends), func(i int) bool { return utf8.RuneCountInString(Line(s[:ends[i]])) >= limit })
	return Line(s[:ends[max(over-1, 0)]]) + "…"
}

// shownName names a subject where hosts limit what they show.
func shownName(s reconcile.Subject) string {
	switch {
	case s.Name != "":
		return within(s.Name, nameShown)
	case s.ID != "":
		return within(s.ID, nameShown)
	default:
		return string(s.Kind)
	}
}

// editShown says what a change does, as editOf does, within what hosts show.
func editShown(c reconcile.Change) string {
	var parts []string
	if len(c.Add) > 0 {
		parts = append(parts, "add "+listShown(c.Add))
	}
	if len(c.Remove) > 0 {
		parts = append(parts, "remove "+listShown(c.Remove))
	}
	if len(parts) == 0 {
		before, after := valueShown(c.Before), valueShown(c.After)
		if before == after {
			return "stays " + after
		}
		return before + " → " + after
	}
	return strings.Join(parts, "; ")
}

// valueShown writes one value of a change, within what hosts show.
func valueShown(v any) string {
	switch v := v.(type) {
	case nil:
		return "(none)"
	case []string:
		if len(v) == 0 {
			return "(empty)"
		}
		return listShown(v)
	default:
		return within(fmt.Sprint(v), nameShown)
	}
}

// listShown joins a list, and counts what is beyond its limit.
func listShown(l []string) string {
	var b strings.Builder
	for i, s := range l {
		if b.Len() > textShown {
			return b.String() + ", and " + number(len(l)-i) + " more"
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(within(s, nameShown))
	}
	return b.String()
}

// placeShown gives the place of the wish, as where does, within what hosts show.
func placeShown(c reconcile.Change) string {
	c.Origin.File, c.Origin.Rule = within(c.Origin.File, nameShown), within(c.Origin.Rule, nameShown)
	return where(c)
}

// whyBelow says why a change that stands below does not count.
func (d document) whyBelow(c reconcile.Change) string {
	if c.Severity < d.threshold.FailOn {
		return "does not count here: " + c.Severity.String() + " is below " + d.threshold.FailOn.String()
	}
	return "does not count here: the service has no way to set it, and strict was not asked for"
}

// became says in a few words what is, or was, done about a change.
func (d document) became(c reconcile.Change) string {
	if d.applied == nil || c.Fate != reconcile.FatePlanned {
		return string(c.Fate)
	}
	return resultWord(c.Result)
}

// sentence says one finding in a line: who, what, why, and what is done about it.
func (d document) sentence(c reconcile.Change) string {
	text := shownName(c.Subject) + ": " + string(c.Setting) + ": " + editShown(c)
	if c.Reason != "" {
		text += ": " + within(c.Reason, textShown)
	}
	text += " (" + c.Severity.String() + ", " + d.became(c)
	if c.Carried {
		text += ", found by an earlier run and not read again by this one"
	}
	text += ")"
	if c.Note != "" {
		text += ": " + within(c.Note, textShown)
	}
	return text
}
