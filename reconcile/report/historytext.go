package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

// historyTime is how the time of a run is written, in UTC.
const historyTime = "2006-01-02 15:04:05Z"

// pastRun writes the line of a run.
func (t *textWriter) pastRun(r reconcile.PastRun) {
	command := cmp.Or(r.Command, "run")
	verdict := cmp.Or(r.Verdict, "-")
	if note := ended(r); note != "" {
		verdict = "not ended"
	}
	color := red
	switch reconcile.Verdict(r.Verdict) {
	case reconcile.VerdictInLine:
		color = green
	case reconcile.VerdictDrift:
		color = yellow
	case reconcile.VerdictIncomplete, reconcile.VerdictRefused, reconcile.VerdictFailed:
	}
	parts := []string{
		r.StartedAt.UTC().Format(historyTime), Line(r.ID), fmt.Sprintf("%-5s", Line(command)),
		t.paint(color, fmt.Sprintf("%-10s", Line(verdict))), pastCounts(r), Line(r.Tool),
	}
	if where := elsewhere(r); where != "" {
		parts = append(parts, Line(where))
	}
	t.line("%s", strings.TrimRight(strings.Join(parts, "  "), " "))
}

// pastCounts says what became of the writes of a run.
func pastCounts(r reconcile.PastRun) string {
	switch text := resultCounts(r.Results); {
	case r.Journaled && len(r.Results) > 0:
		return text
	case r.Wrote > 0:
		return plural(r.Wrote, "change sent", "changes sent")
	default:
		return "nothing was written"
	}
}

// pastChange writes the line of a change: what it was about, the values before and
// after, what became of it, and when its write was begun.
func (t *textWriter) pastChange(c reconcile.PastChange) {
	name := c.Subject.Name
	if name == "" || name == string(c.Subject.Kind) {
		name = ""
	}
	what := strings.TrimSpace(string(c.Subject.Kind)+" "+Line(name)) + " " + Line(string(c.Setting))
	became := string(c.Result)
	if became == "" {
		became = string(c.Fate)
	}
	line := fmt.Sprintf("%s: %s -> %s  %s", what, pastValue(c.Before), pastValue(c.After), Line(became))
	if !c.At.IsZero() {
		line += "  " + c.At.UTC().Format(historyTime)
	}
	if note := cmp.Or(c.Note, c.Reason); note != "" && c.Result != reconcile.ResultVerified {
		line += "  (" + Line(note) + ")"
	}
	t.line("    %s", line)
}

// pastValue writes the value of a setting.
func pastValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case []string:
		return "[" + joined(v) + "]"
	case []any:
		words := make([]string, len(v))
		for i, e := range v {
			words[i] = Line(fmt.Sprint(e))
		}
		return "[" + strings.Join(words, ", ") + "]"
	default:
		return Line(fmt.Sprint(v))
	}
}
