package report

import (
	"iter"

	"github.com/exoaudit/exoaudit/reconcile"
)

// standing says what a change means for the verdict of a report. Every form tells
// findings apart by it, so that none can be stricter or kinder than another.
type standing uint8

const (
	// counts is drift, from the level that was asked for.
	counts standing = iota
	// below is drift that does not count here: under --fail-on, or without --strict
	// what the service cannot set.
	below
	// accepted is what an exemption or an allow entry of the policy lets be.
	accepted
	// settled is drift that this run has found and mended.
	settled
)

// standing judges one change. It agrees with the verdict: a complete report is drift
// exactly where a change counts.
func (d document) standing(c reconcile.Change) standing {
	switch {
	case c.Fate == reconcile.FateExempt:
		return accepted
	case d.applied != nil && (c.Result == reconcile.ResultVerified || c.Result == reconcile.ResultNotNeeded):
		return settled
	case c.Severity < d.threshold.FailOn, unsupported(c) && !d.threshold.Strict:
		return below
	default:
		return counts
	}
}

// unsupported tells what the service has no way to set, as the plan knew or the service
// said.
func unsupported(c reconcile.Change) bool {
	return c.Fate == reconcile.FateUnsupported || c.Result == reconcile.ResultUnsupported
}

// undo tells whether the report is of an undo, which is measured by what was there before
// a run, and not by a policy.
func (d document) undo() bool { return d.coverage.Scope == reconcile.ScopeUndo }

// open gives the changes that are not settled: what there is to see in a tenant as
// it is now.
func (d document) open() iter.Seq[reconcile.Change] {
	return func(yield func(reconcile.Change) bool) {
		for c := range d.changes {
			if d.standing(c) != settled && !yield(c) {
				return
			}
		}
	}
}

// passes tells whether the report may be shown as a pass. Only one verdict may.
func (d document) passes() bool { return d.verdict == reconcile.VerdictInLine }

// judged tells whether everything was read, written and confirmed: where it was not, a
// report says first of all that it cannot be read as a pass.
func (d document) judged() bool {
	return d.verdict == reconcile.VerdictInLine || d.verdict == reconcile.VerdictDrift
}

// headline is the verdict in one line for people, without markup. It names what a
// report that is not complete may not be taken for.
func (d document) headline() string {
	if d.undo() {
		return d.undoHeadline()
	}
	switch d.verdict {
	case reconcile.VerdictInLine:
		if d.applied != nil {
			return d.mended()
		}
		return inLine(d)
	case reconcile.VerdictDrift:
		if d.applied != nil {
			return "Drift is left: " + d.counted() + "."
		}
		return "Drift: " + d.counted() + "."
	case reconcile.VerdictRefused:
		return "REFUSED: a guard refuses the run, and nothing was written. This is no pass."
	case reconcile.VerdictFailed:
		return "NOT JUDGED: the credential may not do all that the policy needs. This is no pass."
	default:
		return "INCOMPLETE: not everything was read, written and confirmed. This is no pass."
	}
}

// mended says what a run that left the tenant in line has done. The states of its plan
// are those from before.
func (d document) mended() string {
	done, left := 0, 0
	for c := range d.changes {
		switch d.standing(c) {
		case settled:
			done++
		case below:
			left++
		case counts, accepted:
		}
	}
	text := "In line: the run mended " + plural(done, "difference", "differences")
	if done == 0 {
		text = "In line: there was nothing to mend"
	}
	if left > 0 {
		text += ", leaving out " + number(left) + " that " + map[bool]string{true: "does", false: "do"}[left == 1] + " not count"
	}
	return text + "."
}

func (d document) undoHeadline() string {
	switch d.verdict {
	case reconcile.VerdictInLine:
		return "What the run wrote is taken back."
	case reconcile.VerdictDrift:
		return "A part of the run stays."
	case reconcile.VerdictRefused:
		return "REFUSED: a guard refuses the undo, and nothing was written."
	case reconcile.VerdictFailed:
		return "NOT DONE: the credential may not do all that the undo needs."
	default:
		return "INCOMPLETE: not everything was read, written and confirmed."
	}
}

// counted says how much counts, in differences.
func (d document) counted() string {
	n := 0
	for c := range d.changes {
		if d.standing(c) == counts {
			n++
		}
	}
	return plural(n, "difference counts", "differences count")
}
