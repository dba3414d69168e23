package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
)

// WriteExplanation writes an explanation as exoaudit/explain/v1. It returns the
// first error of w.
func WriteExplanation(w io.Writer, e *reconcile.Explanation) error {
	out := *e
	out.CreatedAt = e.CreatedAt.UTC().Truncate(time.Second)
	return writeIndented(w, out)
}

// writeIndented writes a document that is small enough to be held as text, with
// names of the tenant made harmless.
func writeIndented(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(harmless(b.Bytes()))
	return err
}

// WriteExplanationText writes an explanation for people: which rules and
// exemptions speak of the mailbox and why, what they ask for, what is there, the
// switches, and as its end what is recorded of each logon type. It returns the
// first error of w.
func WriteExplanationText(w io.Writer, e *reconcile.Explanation, o TextOptions) error {
	t := &textWriter{w: bufio.NewWriter(w), opts: o, names: -1}
	x := explanationWriter{t}
	x.head(e)
	x.rules(e)
	x.exemptions(e.Exemptions)
	x.wishes(e)
	x.values(e.Values)
	x.switches(e.Switches)
	x.differences(e)
	t.warnings(e.Warnings)
	x.verdicts(e)
	return t.w.Flush()
}

type explanationWriter struct{ *textWriter }

func (x explanationWriter) head(e *reconcile.Explanation) {
	kind := "of a type that is not known"
	if e.Mailbox.Type != "" {
		kind = Line(string(e.Mailbox.Type))
	}
	x.line("Mailbox %s, %s, %s", nameOf(e.Mailbox), kind, Line(e.Mailbox.ID))
	x.line("Tenant %s, policy %s", Line(e.Tenant), Line(e.Policy.Name))
	x.line("%s, %s, %s", e.CreatedAt.UTC().Format("2006-01-02 15:04:05 UTC"), Line(e.Tool), plural(e.Requests, "request", "requests"))
	x.line("")
}

// answer is the sign of a three-valued match.
func (x explanationWriter) answer(match string) string {
	switch match {
	case "yes":
		return x.paint(green, "+")
	case "no":
		return "-"
	default:
		return x.paint(yellow, "?")
	}
}

func (x explanationWriter) rules(e *reconcile.Explanation) {
	x.line("Rules (+ applies, - does not, ? not known):")
	if len(e.Rules) == 0 {
		x.line("  none in this policy")
	}
	for _, r := range e.Rules {
		x.para("  "+x.answer(r.Match)+" ", Line(r.Name)+" ("+placeText(r.Place)+")")
		x.clauses(r.Clauses, 6)
	}
	x.line("")
}

// clauses shows the conditions of a rule as the tree that they are.
func (x explanationWriter) clauses(list []reconcile.ExplainedClause, indent int) {
	for _, c := range list {
		text := Line(c.Text)
		if c.Found != "" {
			text += "; found " + Line(c.Found)
		}
		if c.Place.Line > 0 {
			text += fmt.Sprintf(" (%s:%d)", Line(c.Place.File), c.Place.Line)
		}
		x.para(strings.Repeat(" ", indent)+x.answer(c.Match)+" ", text)
		x.clauses(c.Children, indent+2)
	}
}

func (x explanationWriter) exemptions(list []reconcile.ExplainedExemption) {
	if len(list) == 0 {
		return
	}
	x.line("Exemptions:")
	for _, e := range list {
		text := Line(e.Name) + " (" + placeText(e.Place) + "), until " + Line(e.Expires)
		if e.Expired {
			text += ", " + x.paint(red, "expired: it accepts nothing any more")
		}
		x.para("  "+x.answer(e.Match)+" ", text)
		x.clauses(e.Clauses, 6)
		if len(e.Accepts) == 0 {
			continue
		}
		x.para("      ", Line(e.Reason)+"; "+Line(e.Owner))
		verb := "accepts "
		if e.Expired {
			verb = "accepted "
		}
		for _, a := range e.Accepts {
			x.para("      "+verb, string(a.Setting)+": "+floorText(a.Floor)+" ("+placeText(a.Place)+")")
		}
	}
	x.line("")
}

// floorText is the least that is accepted.
func floorText(floor string) string {
	if floor == "none" || floor == "nothing" {
		return floor
	}
	return "at least " + Line(floor)
}

// placeText is where a policy says something.
func placeText(p reconcile.Place) string {
	if p.File == "" {
		return "no position"
	}
	return Line(p.File) + ":" + strconv.Itoa(p.Line)
}

func (x explanationWriter) wishes(e *reconcile.Explanation) {
	x.line("Wishes (+ met, ! not met, ? not known):")
	if len(e.Wishes) == 0 {
		x.line("  none: the policy asks nothing of this mailbox")
	}
	for _, w := range e.Wishes {
		x.para("  "+x.met(w.Met)+" ", wishText(w))
	}
	for _, c := range e.Conflicts {
		x.para("  "+x.paint(red, "!")+" ", fmt.Sprintf("%s: contradiction: %s (%s and %s)",
			c.Setting, Line(c.Message), placeText(c.First), placeText(c.Second)))
	}
	x.line("")
}

func (x explanationWriter) met(word string) string {
	switch word {
	case "yes":
		return x.paint(green, "+")
	case "no":
		return x.paint(red, "!")
	default:
		return x.paint(yellow, "?")
	}
}

// wishText says a wish in one line, with the place that asks for it.
func wishText(w reconcile.ExplainedWish) string {
	from := placeText(w.Place)
	if w.Place.Rule != "" {
		from = Line(w.Place.Rule) + ", " + from
	}
	text := string(w.Setting) + ": " + formText(w) + " (" + from + ")"
	var notes []string
	if w.Match == "open" {
		notes = append(notes, "it is not known whether the rule applies")
	} else if !w.Decides {
		notes = append(notes, "another rule asks for as much or more")
	}
	if len(w.Lacking) > 0 {
		notes = append(notes, "lacks "+joined(w.Lacking))
	}
	if len(w.Excess) > 0 {
		notes = append(notes, "has besides "+joined(w.Excess))
	}
	if len(w.Controls) > 0 {
		notes = append(notes, joined(w.Controls))
	}
	if len(notes) > 0 {
		text += "; " + strings.Join(notes, "; ")
	}
	return text
}

func formText(w reconcile.ExplainedWish) string {
	value := shownValue(w.Value)
	switch w.Form {
	case "defaults":
		return "Microsoft's defaults"
	case "managed":
		return "managed by Microsoft"
	case "plus":
		return "also " + value
	case "exact":
		return "exactly " + value
	case "atLeast":
		return "at least " + value
	default:
		return value
	}
}

func (x explanationWriter) values(list []reconcile.ExplainedValue) {
	x.line("Today:")
	for _, v := range list {
		text := shownValue(v.Value)
		if v.Missing != "" {
			text = x.paint(yellow, "not known") + ": " + Line(v.Missing)
		}
		x.para(fmt.Sprintf("  %-20s ", Line(v.Name)), text)
	}
	x.line("")
}

func (x explanationWriter) switches(list []reconcile.ExplainedSwitch) {
	x.line("Switches (+ lets record, ! stops it, ? not known):")
	for _, s := range list {
		sign := map[reconcile.Effect]string{
			reconcile.EffectAllows: x.met("yes"), reconcile.EffectStops: x.met("no"),
		}[s.Effect]
		if sign == "" {
			sign = x.met("")
		}
		value := shownValue(s.Value)
		if s.Value == nil {
			value = "not known"
		}
		x.para(fmt.Sprintf("  %s %d ", sign, s.Number), fmt.Sprintf("%s %s: %s", Line(s.Property), value, Line(s.Reason)))
	}
	x.line("")
}

// differences are what a plan for this mailbox holds.
func (x explanationWriter) differences(e *reconcile.Explanation) {
	if len(e.Changes) > 0 {
		x.line("Differences (~ change, ! blocked, - unsupported, = exempt):")
		for _, c := range e.Changes {
			edit := reconcile.Change{Before: c.Before, After: c.After, Add: c.Add, Remove: c.Remove}
			x.para("  "+x.symbol(c.Fate)+" ", fmt.Sprintf("%s: %s; %s", c.Setting, editOf(edit), Line(c.Reason)))
		}
		x.line("")
	}
	if len(e.Unknown) > 0 {
		x.line("Could not be judged (nothing is written there):")
		for _, u := range e.Unknown {
			what := string(u.Setting)
			if what == "" {
				what = string(u.Subject.Kind)
			}
			x.para("  "+x.paint(yellow, "?")+" ", what+": "+Line(u.Reason))
		}
		x.line("")
	}
}

// verdicts say, last, what is recorded of each logon type.
func (x explanationWriter) verdicts(e *reconcile.Explanation) {
	x.line("Recorded today:")
	for _, v := range e.Verdicts {
		x.para(fmt.Sprintf("  %-9s ", Line(v.Logon)), fmt.Sprintf("%s, decided by %s: %s", x.outcome(v.Outcome), v.DecidedBy, Line(v.Reason)))
		if len(v.Recorded) > 0 {
			x.para("            recorded      ", joined(v.Recorded))
		}
		if len(v.Doubtful) > 0 {
			x.para("            doubtful      ", joined(v.Doubtful))
		}
		if len(v.NotRecorded) > 0 && v.Outcome != reconcile.OutcomeNothing {
			x.para("            not recorded  ", joined(v.NotRecorded))
		}
		if v.Provided != "" {
			x.para("            provided      ", Line(v.Provided))
		}
	}
	x.line("")
	x.line("%s", x.standingOf(e))
}

func (x explanationWriter) outcome(o reconcile.Outcome) string {
	switch o {
	case reconcile.OutcomeRecorded:
		return x.paint(green, "recorded")
	case reconcile.OutcomeNotSearchable:
		return x.paint(red, "recorded, and cannot be searched")
	case reconcile.OutcomeNothing:
		return x.paint(red, "NOTHING is recorded")
	default:
		return x.paint(yellow, "not known")
	}
}

// standingOf is the last line: how the mailbox stands against the policy. The
// name, which people in the tenant choose, comes last.
func (x explanationWriter) standingOf(e *reconcile.Explanation) string {
	text := map[reconcile.State]string{
		reconcile.InSync:        x.paint(green, "In line with the policy"),
		reconcile.Drifted:       x.paint(yellow, "Differs from the policy"),
		reconcile.Exempt:        x.paint(cyan, "Differs from the policy as an exemption accepts"),
		reconcile.NotApplicable: "No rule of the policy speaks of it",
	}[e.State]
	if text == "" {
		text = x.paint(red, "It could not be judged against the policy")
	}
	return text + ": " + nameOf(e.Mailbox) + "."
}
