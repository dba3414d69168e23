package report

import (
	"bufio"
	"io"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
)

// The records of a CSV report: what a row is about.
const (
	recordRun      = "run"
	recordCoverage = "coverage"
	recordRefused  = "refused"
	recordStopped  = "stopped"
	recordWarning  = "warning"
	recordFinding  = "finding"
	recordSettled  = "settled"
	recordUnknown  = "unknown"
)

// csvColumns are the columns, in an order that stays: new ones come last.
//
//   - record says what the row is about: run, coverage (why something was not read),
//     refused (a cmdlet), stopped, warning, finding, settled (found and mended by this
//     run), unknown (an object that could not be judged);
//   - verdict and judged are those of the whole run, on every row: where judged is
//     false no row, and no want of rows, says anything good of the tenant;
//   - standing is counts, below, accepted or settled, why says why a finding does not
//     count; severity, fate, result, before, after, add, remove, reason, note, weakens,
//     pins and carried are those of the JSON, controls its list; change is its id;
//   - rule is the finding's stable id, as in SARIF, policyRule the name of the
//     policy's rule, at file, line and column;
//   - tenant, run and createdAt are those of the run, for sheets of many.
func csvColumns() []string {
	return []string{
		"record", "verdict", "judged", "standing", "severity", "rule", "kind", "name", "id", "type", "setting",
		"fate", "result", "before", "after", "add", "remove", "reason", "why", "note", "weakens", "pins", "carried",
		"file", "line", "column", "policyRule", "controls", "change", "tenant", "run", "createdAt",
	}
}

// csvRow is what one row says of its own; its texts are as they come from the tenant.
type csvRow struct {
	record, standing, severity, rule string
	subject                          reconcile.Subject
	setting, fate, result            string
	before, after, add, remove       []string
	reason, why, note                string
	weakens, pins, carried           string
	origin                           policy.Origin
	controls                         []string
	change                           string
}

// writeCSV writes one row for each finding and each object that could not be judged,
// for spreadsheets. The first row is that of the run, with the verdict in words, so
// that a sheet without findings says whether that means anything.
//
// It is UTF-8 with a byte order mark, without which Excel takes it for the code page of
// the machine and garbles names; lines end in CRLF (RFC 4180). Cells that a spreadsheet
// could take for a formula begin with an apostrophe.
func writeCSV(w io.Writer, d document) error {
	out := bufio.NewWriterSize(w, 64<<10)
	out.WriteString("\ufeff")
	c := newCSVWriter(out, d)
	c.ofRun()
	for change := range d.changes {
		if c.change(change); c.err != nil {
			return c.err
		}
	}
	for u := range d.unknown {
		setting := string(u.Setting)
		c.row(csvRow{record: recordUnknown, rule: c.ids[setting], subject: u.Subject, setting: setting, reason: u.Reason})
		if c.err != nil {
			return c.err
		}
	}
	if c.err != nil {
		return c.err
	}
	c.w.Flush()
	return c.w.Error()
}
