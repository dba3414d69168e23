package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

// closing writes the summary, the last line of a report. For a run that is
// what became of it, after the plan that it began with.
func (t *textWriter) closing(d document) {
	a := d.applied
	if a == nil {
		if d.verdict == reconcile.VerdictInLine {
			t.line("%s", t.paint(green, inLine(d)))
		}
		t.line("%s", d.lastLine())
		return
	}
	if a.stopped != "" {
		t.para("", "Stopped: "+Line(a.stopped))
	}
	for _, cmdlet := range a.refused {
		t.para("", "Refused: "+Line(cmdlet)+": the credential may not run it; the changes that need it were skipped")
	}
	if a.journalHead != "" {
		t.line("Journal head: %s", Line(a.journalHead))
	}
	t.line("%s", d.lastLine())
	t.line("Applied: %s; %s.", resultCounts(a.results), t.standing(d))
}

// lastLine is the last line of a plan. An undo measures by what was there before the
// run, and not by a policy.
func (d document) lastLine() string {
	if d.coverage.Scope != reconcile.ScopeUndo {
		return Summary(d.summary)
	}
	f := d.summary.Changes
	return fmt.Sprintf("Undo: %d to take back, %d blocked; %d unknown.",
		f.Planned, f.Blocked, count(d.summary, func(c reconcile.StateCounts) int { return c.Unknown }))
}

// takenBack says how the tenant stands after an undo.
func (t *textWriter) takenBack(d document) string {
	switch d.verdict {
	case reconcile.VerdictInLine:
		return t.paint(green, "what the run wrote is taken back")
	case reconcile.VerdictDrift:
		return t.paint(yellow, "a part of the run stays")
	case reconcile.VerdictIncomplete:
		return t.paint(red, "not everything was read, written and confirmed")
	case reconcile.VerdictRefused:
		return t.paint(red, "a guard refuses the run")
	default:
		return t.paint(red, "the credential may not do all that the undo needs")
	}
}

// standing says how the tenant stands after a run.
func (t *textWriter) standing(d document) string {
	if d.undo() {
		return t.takenBack(d)
	}
	switch d.verdict {
	case reconcile.VerdictInLine:
		if d.summary.Changes.Unsupported+d.applied.results[reconcile.ResultUnsupported] > 0 {
			return t.paint(green, "the tenant is in line but for what the service cannot set")
		}
		return t.paint(green, "the tenant is in line")
	case reconcile.VerdictDrift:
		return t.paint(yellow, "drift is left")
	case reconcile.VerdictIncomplete:
		return t.paint(red, "not everything was read, written and confirmed")
	case reconcile.VerdictRefused:
		return t.paint(red, "a guard refuses the run")
	default:
		return t.paint(red, "the credential may not do all that the policy needs")
	}
}

// inLine is said only under the verdict that everything was read and nothing
// is left to do at the chosen thresholds.
func inLine(d document) string {
	if d.undo() {
		return "Nothing is left to undo."
	}
	c, _ := states(d.summary, kindMailbox)
	judged := c.InSync + c.Exempt
	text := "In line"
	if drifted := count(d.summary, func(s reconcile.StateCounts) int { return s.Drifted }); drifted > 0 {
		text += " at the chosen level, leaving out " + plural(drifted, "drifted object", "drifted objects")
	}
	if d.coverage.Mailboxes.Read == 0 {
		return text + "."
	}
	text += fmt.Sprintf(": %s of %s read satisfy the policy", number(judged), plural(d.coverage.Mailboxes.Read, "mailbox", "mailboxes"))
	if c.NotApplicable > 0 {
		text += fmt.Sprintf(", no rule speaks of %s", number(c.NotApplicable))
	}
	return text + "."
}

// Summary gives the last line of a report: what would change, and how the
// objects stand. Objects that could not be judged are named last, apart.
func Summary(s reconcile.Summary) string {
	f := s.Changes
	return fmt.Sprintf("Plan: %d to change, %d blocked, %d unsupported, %d exempt; %d in line, %d drifted, %d unknown.",
		f.Planned, f.Blocked, f.Unsupported, f.Exempt,
		count(s, func(c reconcile.StateCounts) int { return c.InSync }),
		count(s, func(c reconcile.StateCounts) int { return c.Drifted }),
		count(s, func(c reconcile.StateCounts) int { return c.Unknown }))
}

func count(s reconcile.Summary, of func(reconcile.StateCounts) int) int {
	n := 0
	for _, kind := range kinds() {
		c, _ := states(s, kind)
		n += of(c)
	}
	return n
}

// resultCounts writes the results that occurred, in a fixed order.
func resultCounts(results map[reconcile.Result]int) string {
	var parts []string
	for _, r := range []reconcile.Result{
		reconcile.ResultVerified, reconcile.ResultUnconfirmed, reconcile.ResultFailed,
		reconcile.ResultUnsupported, reconcile.ResultSkipped, reconcile.ResultNotNeeded,
	} {
		if n := results[r]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, r))
		}
	}
	if len(parts) == 0 {
		return "nothing was written"
	}
	return strings.Join(parts, ", ")
}

// ceil2 rounds up to two digits after the point.
func ceil2(f float64) float64 {
	return math.Max(0, math.Ceil(f*100-1e-9)/100) + 0 // adding zero turns -0 into 0
}
