package notify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/reconcile/report"
)

// line says an event in one line. It holds no text that somebody in the tenant
// chose, so that it needs no escape in any format.
func (e Event) line() string {
	tenant := "tenant " + plain(e.Tenant)
	switch e.Kind {
	case EventBeforeApply:
		return fmt.Sprintf("exoaudit is about to write up to %s to %s", counted(e.Counts.Planned, "change"), tenant)
	case EventAfterApply:
		return fmt.Sprintf("exoaudit wrote to %s: %s; %s", tenant, e.Counts.results(), words(e.Verdict))
	case EventStateChanged:
		return fmt.Sprintf("%s: %s%s; %s", tenant, words(e.Verdict), e.was(), e.drift())
	case EventStillDrifting:
		return fmt.Sprintf("%s: still %s%s; %s", tenant, words(e.Verdict), e.since(), e.drift())
	case EventRunFailed:
		return fmt.Sprintf("%s: a run ended without a report%s", tenant, e.since())
	case EventContested:
		return fmt.Sprintf("%s: something else undoes what exoaudit fixes; %s contested", tenant, counted(e.Counts.Contested, "change"))
	default:
		return fmt.Sprintf("%s: %s", tenant, words(e.Verdict))
	}
}

func (e Event) was() string {
	if e.VerdictBefore == "" || e.VerdictBefore == e.Verdict {
		return ""
	}
	return " (was: " + words(e.VerdictBefore) + ")"
}

func (e Event) since() string {
	if e.Since == nil || e.Since.IsZero() {
		return ""
	}
	return " since " + e.Since.UTC().Format(time.RFC3339)
}

func (e Event) drift() string {
	text := counted(e.Counts.Drifting, "change") + " to make"
	if e.DriftingBefore != e.Counts.Drifting && e.VerdictBefore != "" {
		text += fmt.Sprintf(" (was: %d)", e.DriftingBefore)
	}
	if e.others {
		text += " (others than before)"
	}
	if e.Counts.Unknown > 0 {
		text += ", " + counted(e.Counts.Unknown, "object") + " unknown"
	}
	return text
}

// results says what became of the changes, in one order.
func (c Counts) results() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.Results)) {
		parts = append(parts, fmt.Sprintf("%d %s", c.Results[name], plain(name)))
	}
	return strings.Join(parts, ", ")
}

// words says a verdict in words.
func words(verdict string) string {
	switch verdict {
	case verdictInLine:
		return "in line"
	case "drift":
		return "drift"
	case "incomplete":
		return "incomplete"
	case "failed":
		return "reading or writing refused"
	case verdictNone:
		return "no report"
	default:
		return "not known"
	}
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// plain keeps what ids, names of settings and results are made of.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '-', r == '.', r == '/':
			return r
		default:
			return -1
		}
	}, s)
}

// fact is one line of a table: a word of this program and a value that may be text
// of the tenant.
type fact struct{ name, value string }

// facts are the short facts of an event.
func (e Event) facts() []fact {
	list := []fact{
		{"Run", plain(e.RunID)},
		{"Command", plain(e.Command)},
		{"Application", plain(e.ApplicationID)},
		{"Policy", shown(e.Policy, maxNameText)},
		{"Verdict", words(e.Verdict)},
	}
	for _, c := range e.Changes {
		list = append(list, fact{plain(c.Kind) + " " + plain(c.Setting), counted(c.Count, "change")})
	}
	return slices.DeleteFunc(list, func(f fact) bool { return f.value == "" })
}

// names are the objects that an event names, one line each, harmless on a line of text
// and not escaped for any format yet.
func (e Event) names() []string {
	var lines []string
	for _, o := range e.Objects {
		name := o.Name
		if name == "" {
			name = o.ID
		}
		lines = append(lines, plain(o.Kind)+" "+shown(name, maxNameText))
	}
	return lines
}

// whys are the reasons that an event names, one line each, likewise.
func (e Event) whys() []string {
	var lines []string
	for _, why := range e.Reasons {
		lines = append(lines, shown(why, maxReasonText))
	}
	return lines
}

// shown is a text of somebody else on a line, cut where it, or what its escapes make of
// it, is too long.
func shown(s string, most int) string { return clip(report.Line(clip(s, most)), most) }

// andMore says that there are more.
func andMore(n int) string { return fmt.Sprintf("and %d more", n) }
