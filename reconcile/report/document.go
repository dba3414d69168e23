package report

import (
	"iter"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile"
)

// document is what every form of report is written from: a plan, or a plan
// with results. Changes and unknown are produced when asked for and may be
// ranged over more than once.
type document struct {
	schema    string
	header    reconcile.Header
	verdict   reconcile.Verdict
	coverage  reconcile.Coverage
	summary   reconcile.Summary
	guards    []reconcile.Guard
	estimate  reconcile.Estimate
	catalogue reconcile.Catalogue
	changes   iter.Seq[reconcile.Change]
	unknown   iter.Seq[reconcile.UnknownObject]
	warnings  []string
	refused   []string
	applied   *applied // nil for a plan
	// threshold is from where on drift counts.
	threshold reconcile.Threshold
	// The rest is for the forms that show the whole; plans and text go without.
	byType      []reconcile.TypeStanding
	byRule      []reconcile.RuleStanding
	acceptances []reconcile.Acceptance
	observed    reconcile.Observed
	// policyFile and extends lead to the lines that people have written, for hosts that
	// show a finding at a line.
	policyFile string
	extends    []policy.Extended
}

// applied is what a run says beside its plan.
type applied struct {
	startedAt, finishedAt time.Time
	journalHead           string
	stopped               string
	results               map[reconcile.Result]int
	warnings              []string // those that came up while writing
	refused               []string // cmdlets that were refused while writing
}

// ofPlan gives the document of a plan.
func ofPlan(p *reconcile.Plan, t reconcile.Threshold) document {
	return document{
		schema:    reconcile.PlanSchema,
		header:    p.Header,
		verdict:   p.Verdict(t),
		coverage:  p.Coverage,
		summary:   p.Summary(),
		guards:    p.Guards,
		estimate:  p.Estimate(),
		catalogue: p.Catalogue,
		changes:   p.Changes(),
		unknown:   p.Unknown(),
		warnings:  p.WarningsFor(t),
		refused:   p.Refused,
		threshold: t,
	}
}

// ofRun gives the document of an applied run: its plan's, with results.
func ofRun(r *reconcile.Run, t reconcile.Threshold) document {
	d := ofPlan(r.Plan, t)
	d.schema = reconcile.RunSchema
	d.verdict = r.Verdict(t)
	d.changes = r.Changes()
	d.warnings = append(slices.Clone(d.warnings), r.Warnings...)
	d.coverage.Requests, d.coverage.Pages = r.Requests, r.Pages
	d.applied = &applied{
		startedAt:   r.StartedAt,
		finishedAt:  r.FinishedAt,
		journalHead: r.JournalHead,
		stopped:     r.Stopped,
		results:     r.Results(),
		warnings:    r.Warnings,
		refused:     r.Refused,
	}
	return d
}
