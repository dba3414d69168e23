package report

import (
	"fmt"
	"io"
	"sync"

	"github.com/exoaudit/exoaudit/reconcile"
)

// Format is a form that a report can have.
type Format string

// The forms of reports.
const (
	Text     Format = "text"     // for people, at a terminal
	JSON     Format = "json"     // exoaudit/plan/v1, or exoaudit/run/v1
	SARIF    Format = "sarif"    // SARIF 2.1.0, for code scanning
	JUnit    Format = "junit"    // JUnit XML, for test reports
	Markdown Format = "markdown" // for job summaries and pull requests
	GitHub   Format = "github"   // workflow commands of GitHub Actions
	Azure    Format = "azure"    // logging commands of Azure Pipelines
	CSV      Format = "csv"      // one row for each finding, for spreadsheets
	HTML     Format = "html"     // one page, for browsers and for paper
	SCuBA    Format = "scuba"    // what CISA's ScubaGear policies read of it
)

// Formats gives every form, in the order in which they are listed for people.
func Formats() []Format {
	return []Format{Text, JSON, SARIF, JUnit, Markdown, GitHub, Azure, CSV, HTML, SCuBA}
}

// Report is what a run found, ready to be written in any form. It is made from a run
// in memory: a saved plan does not hold all of it. It may be written more than once.
type Report struct {
	doc document
	// whole adds to the document what only some forms show, once; nil where it has all.
	whole func() document
}

// Options say how a report is written.
type Options struct {
	// Text is for the form text alone.
	Text TextOptions
	// Root is put before the names of policy files, for hosts that know files by
	// their path from the root of a repository; it is empty or ends in a slash.
	Root string
	// Repository is the name of that root on this machine, with forward slashes; it may
	// go by several. With it a file that is named from the root of the machine, or on a
	// way that leads out of the repository, is known by its path in the repository too.
	Repository []string
}

// OfPlan gives the report of a plan under a threshold.
func OfPlan(p *reconcile.Plan, t reconcile.Threshold) Report {
	return reportOf(ofPlan(p, t), p)
}

// OfRun gives the report of an applied run under a threshold.
func OfRun(r *reconcile.Run, t reconcile.Threshold) Report {
	return reportOf(ofRun(r, t), r.Plan)
}

// reportOf leaves what goes through every mailbox once more until a form asks for it.
func reportOf(d document, p *reconcile.Plan) Report {
	return Report{doc: d, whole: sync.OnceValue(func() document { return d.whole(p) })}
}

// whole adds what only some forms show.
func (d document) whole(p *reconcile.Plan) document {
	d.byType, d.byRule = p.ByType(), p.ByRule()
	d.acceptances, d.observed = p.Acceptances(), p.Observed()
	d.policyFile, d.extends = p.PolicyFile(), p.Extends()
	return d
}

// UnwrittenError says that a report cannot be written in a form, as the run does not
// have what it takes.
type UnwrittenError struct {
	Format Format
	Why    string
}

func (e *UnwrittenError) Error() string {
	return fmt.Sprintf("there is no %s report of this run: %s", e.Format, e.Why)
}

// Write writes the report in a form. Findings are written as they are produced, so the
// memory it takes does not grow with their number, save where a form says otherwise.
// It returns the first error of w, or an [UnwrittenError].
func (r Report) Write(w io.Writer, f Format, o Options) error {
	switch f {
	case Text:
		return writeText(w, r.doc, o.Text)
	case JSON:
		return writeJSON(w, r.doc)
	}
	d := r.doc
	if r.whole != nil {
		d = r.whole()
	}
	switch f {
	case HTML:
		return writeHTML(w, d)
	case SARIF:
		return writeSARIF(w, d, o.checkout())
	case Markdown:
		return writeMarkdown(w, d)
	case GitHub:
		return writeGitHub(w, d, o.checkout())
	case Azure:
		return writeAzure(w, d, o.checkout())
	case JUnit:
		return writeJUnit(w, d)
	case CSV:
		return writeCSV(w, d)
	case SCuBA:
		return writeSCuBA(w, d)
	default:
		return fmt.Errorf("there is no form of reports named %q", f)
	}
}
