package reconcile

import (
	"iter"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// Run is a plan with what became of it.
type Run struct {
	Plan                  *Plan
	StartedAt, FinishedAt time.Time
	// JournalHead is the hash of the journal's last entry.
	JournalHead string
	// Stopped says why no further write was begun; empty where the plan was
	// gone through to its end.
	Stopped string
	// Refused names the cmdlets that the service refused as a whole when they
	// were to write; the changes that need them are skipped.
	Refused []string
	// LeftOpen are the writes that were given up (see ApplyOptions.Abandon): their
	// intents stay open in the journal until a later run has looked at the tenant.
	LeftOpen []journal.Outcome
	// Warnings came up while writing.
	Warnings []string
	// Requests and Pages count from the first read of the plan on.
	Requests, Pages int

	slip    *Slip
	tenant  []outcome
	mailbox *outcomeTable // nil where no mailbox is written
	halted  map[audit.SubjectKind]string
}

func newRun(p *Plan, opts ApplyOptions) *Run {
	r := &Run{
		Plan: p, StartedAt: opts.Now().UTC(), slip: opts.Slip,
		tenant: make([]outcome, len(p.tenant)), halted: map[audit.SubjectKind]string{},
	}
	if p.selectedMailboxes() > 0 {
		r.mailbox = newOutcomeTable(p)
	}
	return r
}

// begin is the first entry of the run in the journal.
func (r *Run) begin() journal.Begin {
	b := journal.Begin{
		Tool: r.Plan.Tool, Tenant: r.Plan.Tenant,
		PolicyName: r.Plan.Policy.Name, PolicyDigest: r.Plan.Policy.Digest, Undoes: r.Plan.UndoOf(),
	}
	for _, g := range r.Plan.raised {
		b.Raised = append(b.Raised, journal.Raised{Guard: g.Name, Limit: g.Limit, Reason: g.Reason})
	}
	return b
}

// Changes gives every change of the plan with its result, in the same order.
func (r *Run) Changes() iter.Seq[Change] {
	return func(yield func(Change) bool) {
		split := 0
		for split < len(r.Plan.tenant) && r.Plan.tenant[split].Subject.Kind < audit.KindMailbox {
			split++
		}
		if !r.tenantRange(0, split, yield) || !r.mailboxRange(yield) {
			return
		}
		r.tenantRange(split, len(r.Plan.tenant), yield)
	}
}

func (r *Run) tenantRange(from, to int, yield func(Change) bool) bool {
	for i := from; i < to; i++ {
		if !yield(r.finished(r.Plan.guarded(r.Plan.tenant[i]), r.tenant[i], false)) {
			return false
		}
	}
	return true
}

func (r *Run) mailboxRange(yield func(Change) bool) bool {
	taken := 0
	for i := range r.Plan.pop.records {
		over := false
		if r.Plan.hasPlanned(i) {
			over = r.Plan.selection.Limit > 0 && taken >= r.Plan.selection.Limit
			taken++
		}
		slot := 0
		for c := range r.Plan.changesOf(i) {
			if !yield(r.finished(r.Plan.guarded(c), r.mailbox.at(i, slot), over)) {
				return false
			}
			slot++
		}
	}
	return true
}

// finished gives a change its result: a planned one that was never begun was
// skipped, and says why.
func (r *Run) finished(c Change, o outcome, overLimit bool) Change {
	if c.Fate != FatePlanned {
		return c
	}
	c.Result, c.Note = o.result, o.note
	if c.Result != ResultNone {
		return c
	}
	c.Result = ResultSkipped
	switch held := r.slip.holds(c); {
	case c.Carried:
		c.Note = seenBy(r.Plan.Coverage.BaseRun)
	case !r.Plan.selection.kind(c.Subject.Kind):
		c.Note = "not selected: this run writes " + joinKinds(r.Plan.selection.Only) + " only"
	case overLimit:
		c.Note = "not selected: beyond --limit"
	case held != "":
		c.Note = held
	case r.halted[c.Subject.Kind] != "":
		c.Note = r.halted[c.Subject.Kind]
	case r.Stopped != "":
		c.Note = r.Stopped
	}
	return c
}

func joinKinds(kinds []audit.SubjectKind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// Results counts the planned changes by what became of them.
func (r *Run) Results() map[Result]int {
	out := map[Result]int{}
	for c := range r.Changes() {
		if c.Fate == FatePlanned {
			out[c.Result]++
		}
	}
	return out
}

// Wrote is the number of changes that were sent to the tenant.
func (r *Run) Wrote() int {
	n := r.Results()
	return n[ResultVerified] + n[ResultUnconfirmed] + n[ResultFailed] + n[ResultUnsupported]
}

// Incomplete tells whether something of the run is not known or did not work:
// the reading was not complete, a write failed or could not be confirmed, or
// the run stopped before its end.
func (r *Run) Incomplete() bool {
	results := r.Results()
	return !r.Plan.Coverage.Complete || r.Plan.refusal == guardPopulation || r.Stopped != "" ||
		results[ResultFailed]+results[ResultUnconfirmed] > 0
}

// DriftLeft tells whether drift that counts is left: what was blocked, skipped
// or did not take, and with strict what the service cannot set.
func (r *Run) DriftLeft(t Threshold) bool {
	for c := range r.Changes() {
		if c.Severity < t.FailOn {
			continue
		}
		switch {
		case c.Fate == FateBlocked, c.Fate == FateUnsupported && t.Strict:
			return true
		case c.Fate != FatePlanned:
		case c.Result == ResultUnsupported:
			if t.Strict {
				return true
			}
		case c.Result != ResultVerified && c.Result != ResultNotNeeded:
			return true
		}
	}
	return false
}

// Denied tells whether the service refused a cmdlet that the policy needs, for
// reading or for writing.
func (r *Run) Denied() bool { return len(r.Plan.Refused)+len(r.Refused) > 0 }

// Verdict says in a word how the tenant stands after the run.
func (r *Run) Verdict(t Threshold) Verdict {
	switch {
	case r.Denied():
		return VerdictFailed
	case r.Incomplete():
		return VerdictIncomplete
	case r.DriftLeft(t):
		return VerdictDrift
	case r.Plan.GuardRefused():
		return VerdictRefused // What was to be written does not count here, and is not there.
	default:
		return VerdictInLine
	}
}
