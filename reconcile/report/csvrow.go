package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/exoaudit/exoaudit/reconcile"
)

// csvMost is how many runes a cell holds: Excel takes 32,767 UTF-16 units.
const csvMost = 16_000

// csvWriter writes rows and remembers the first error.
type csvWriter struct {
	w   *csv.Writer
	d   document
	ids map[string]string // of rules, by setting
	err error
}

func newCSVWriter(w io.Writer, d document) *csvWriter {
	c := &csvWriter{w: csv.NewWriter(w), d: d, ids: map[string]string{}}
	for _, r := range rules() {
		c.ids[r.Setting] = r.ID
	}
	c.w.UseCRLF = true
	c.err = c.w.Write(csvColumns())
	return c
}

// ofRun writes the rows that speak of the run as a whole.
func (c *csvWriter) ofRun() {
	c.row(csvRow{record: recordRun, reason: c.d.headline(), note: c.d.tallied()})
	each := func(record string, texts []string) {
		for _, text := range texts {
			c.row(csvRow{record: record, reason: text})
		}
	}
	each(recordCoverage, c.d.coverage.Reasons)
	each(recordRefused, c.d.refused)
	each(recordRefused, c.d.refusedWriting())
	if c.d.applied != nil && c.d.applied.stopped != "" {
		each(recordStopped, []string{c.d.applied.stopped})
	}
	each(recordWarning, c.d.warnings)
}

// tallied says how many objects and changes there are, as the summary does.
func (d document) tallied() string {
	text := d.lastLine()
	if d.applied != nil {
		text += " Applied: " + resultCounts(d.applied.results) + "."
	}
	return text
}

// change writes one finding, or one that the run has mended.
func (c *csvWriter) change(ch reconcile.Change) {
	stands := c.d.standing(ch)
	row := csvRow{
		record: recordFinding, standing: stands.String(), severity: ch.Severity.String(), rule: c.ids[string(ch.Setting)],
		subject: ch.Subject, setting: string(ch.Setting), fate: string(ch.Fate), result: string(ch.Result),
		before: csvList(ch.Before), after: csvList(ch.After), add: ch.Add, remove: ch.Remove,
		reason: ch.Reason, note: ch.Note,
		weakens: strconv.FormatBool(ch.Weakens), pins: strconv.FormatBool(ch.Pins), carried: strconv.FormatBool(ch.Carried),
		origin: ch.Origin, controls: ch.Controls, change: ch.ID,
	}
	switch stands {
	case settled:
		row.record = recordSettled
	case below:
		row.why = c.d.whyBelow(ch)
	case accepted:
		row.why = "the policy accepts it"
	case counts:
	}
	c.row(row)
}

// csvList gives a value as a list, which a row joins.
func csvList(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []string:
		return v
	default:
		return []string{fmt.Sprint(v)}
	}
}

func (c *csvWriter) row(r csvRow) {
	if c.err != nil {
		return
	}
	h, s := c.d.header, r.subject
	line, column := "", ""
	if r.origin.File != "" {
		line, column = strconv.Itoa(r.origin.Line), strconv.Itoa(r.origin.Column)
	}
	c.err = c.w.Write([]string{
		r.record, string(c.d.verdict), strconv.FormatBool(c.d.judged()), r.standing, r.severity, r.rule,
		string(s.Kind), csvCell(s.Name), csvCell(s.ID), csvCell(string(s.Type)), r.setting,
		r.fate, r.result, csvJoined(r.before), csvJoined(r.after), csvJoined(r.add), csvJoined(r.remove),
		csvCell(r.reason), csvCell(r.why), csvCell(r.note), r.weakens, r.pins, r.carried,
		csvCell(r.origin.File), line, column, csvCell(r.origin.Rule), csvJoined(r.controls), csvCell(r.change),
		csvCell(h.Tenant), csvCell(h.RunID), stamp(h.CreatedAt),
	})
}

// csvCell makes text of the tenant harmless in a cell.
func csvCell(s string) string { return unformula(within(s, csvMost)) }

// csvJoined joins a list, and counts what does not fit into a cell.
func csvJoined(l []string) string {
	var b strings.Builder
	used := 0
	for i, s := range l {
		s = within(s, csvMost/2)
		if i > 0 && used+len(s) > csvMost/2 {
			fmt.Fprintf(&b, "; … and %d more", len(l)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(s)
		used += len(s)
	}
	return unformula(b.String())
}

// unformula puts an apostrophe before what a spreadsheet could take for a formula: at
// the start of a cell, also after spaces and in full-width forms, and after a
// semicolon, which ends a cell wherever the decimal sign is a comma. The text has gone
// through Line, which leaves neither tabs nor line ends.
func unformula(s string) string {
	cell, rest, more := strings.Cut(s, ";")
	if !more {
		return guarded(s)
	}
	var b strings.Builder
	b.Grow(len(s) + 1)
	b.WriteString(guarded(cell))
	for cell := range strings.SplitSeq(rest, ";") {
		b.WriteByte(';')
		b.WriteString(guarded(cell))
	}
	return b.String()
}

// guarded puts an apostrophe before the start of a formula. Some programs take
// full-width and small forms of the signs for the signs.
func guarded(cell string) string {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, " "))
	switch r {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫':
		return "'" + cell
	default:
		return cell
	}
}
