package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/report"
)

// Outcome is what matters of a run that has ended.
type Outcome struct {
	At                     time.Time
	Tenant, RunID, Command string
	ApplicationID          string
	Policy, PolicyDigest   string
	Verdict                string
	Counts                 Counts
	Changes                []ChangeCount
	Reasons                []string
	ReasonsLeftOut         int
	Objects                []Object
	ObjectsLeftOut         int
	// Failed says why there is no report; empty where there is one.
	Failed string
	// Partial marks a look at a part that was asked for by name: it says nothing of
	// how the tenant stands.
	Partial bool
	// Complete tells that everything was read, that what was written is known, and that
	// no guard refused it.
	Complete bool
	// Wrote tells that the run was one that had changes to write.
	Wrote bool
	// Drift stands for which changes drift: as long as it is the same, so are they. It is
	// empty where none does.
	Drift string
	// Contested are the ids of the changes that something else undoes, sorted.
	Contested []string
}

// OutcomeOfPlan gives the outcome of a comparison that ended at a time.
func OutcomeOfPlan(p *reconcile.Plan, t reconcile.Threshold, at time.Time) Outcome {
	o := outcomeOf(p, at)
	o.stands(p, p.Verdict(t))
	tally := newTally()
	for c := range p.Changes() {
		o.Counts.add(c)
		if drifts(c, t) {
			o.Counts.Drifting++
			tally.drift(c)
		}
		o.contest(c)
	}
	o.reason(p)
	tally.into(&o)
	return o
}

// OutcomeOfRun gives the outcome of an apply.
func OutcomeOfRun(r *reconcile.Run, t reconcile.Threshold) Outcome {
	o := outcomeOf(r.Plan, r.FinishedAt)
	o.stands(r.Plan, r.Verdict(t))
	o.Counts.Results = map[string]int{}
	tally := newTally()
	for c := range r.Changes() {
		o.Counts.add(c)
		if c.Fate == reconcile.FatePlanned {
			o.Counts.Results[string(c.Result)]++
			o.Wrote = o.Wrote || !c.Carried
		}
		if left(c, t) {
			o.Counts.Drifting++
			tally.drift(c)
		}
		o.contest(c)
	}
	if r.Stopped != "" {
		o.Reasons = append(o.Reasons, r.Stopped)
	}
	o.reason(r.Plan)
	for _, cmdlet := range r.Refused {
		o.Reasons = append(o.Reasons, cmdlet+" was refused")
	}
	tally.into(&o)
	return o
}

// OutcomeOfError gives the outcome of a run that ended without a report.
func OutcomeOfError(err error, tenant, runID string, at time.Time) Outcome {
	return Outcome{At: at.UTC(), Tenant: tenant, RunID: runID, Failed: clip(report.Line(err.Error()), maxReasonText)}
}

// stands notes a verdict.
func (o *Outcome) stands(p *reconcile.Plan, v reconcile.Verdict) {
	o.Verdict = string(v)
	o.Complete = (v == reconcile.VerdictInLine || v == reconcile.VerdictDrift) && !p.GuardRefused()
}

// notKept notes why a run that wrote is not remembered: it did not end well.
func (o *Outcome) notKept(err error) {
	o.Complete = false
	o.Reasons = append([]string{clip(report.Line(err.Error()), maxReasonText)}, o.Reasons...)
	if over := len(o.Reasons) - maxReasons; over > 0 {
		o.Reasons, o.ReasonsLeftOut = o.Reasons[:maxReasons], o.ReasonsLeftOut+over
	}
}

// drifts tells whether a change of a plan counts as drift.
func drifts(c reconcile.Change, t reconcile.Threshold) bool {
	switch {
	case c.Severity < t.FailOn:
		return false
	case c.Fate == reconcile.FateUnsupported:
		return t.Strict
	default:
		return c.Fate == reconcile.FatePlanned || c.Fate == reconcile.FateBlocked
	}
}

// left tells whether a change is drift that is left after an apply.
func left(c reconcile.Change, t reconcile.Threshold) bool {
	if c.Fate != reconcile.FatePlanned {
		return drifts(c, t)
	}
	switch c.Result {
	case reconcile.ResultVerified, reconcile.ResultNotNeeded:
		return false
	case reconcile.ResultUnsupported:
		return t.Strict && c.Severity >= t.FailOn
	default:
		return c.Severity >= t.FailOn
	}
}

// outcomeOf gives what the outcomes of a plan and of its run share.
func outcomeOf(p *reconcile.Plan, at time.Time) Outcome {
	o := Outcome{
		At: at.UTC(), Tenant: p.Tenant, RunID: p.RunID, Policy: p.Policy.Name, PolicyDigest: p.Policy.Digest,
		Partial: p.Coverage.Scope == reconcile.ScopeMailbox,
	}
	for _, states := range p.Summary().States {
		o.Counts.Unknown += states.Unknown
	}
	return o
}

// reason adds why a plan is not whole.
func (o *Outcome) reason(p *reconcile.Plan) {
	o.Reasons = append(o.Reasons, p.Coverage.Reasons...)
	for _, cmdlet := range p.Refused {
		o.Reasons = append(o.Reasons, cmdlet+" was refused")
	}
	for _, g := range p.Guards {
		if g.Refused {
			o.Reasons = append(o.Reasons, "the guard "+g.Name+" refuses the whole plan")
		}
	}
}

// contest notes a change that something else undoes. The engine says so in the
// reason of a blocked change.
func (o *Outcome) contest(c reconcile.Change) {
	if c.Fate == reconcile.FateBlocked && strings.Contains(c.Reason, contestedMark) {
		o.Counts.Contested++
		o.Contested = append(o.Contested, c.ID)
	}
}

// contestedMark is in the reason of a change that something else undoes.
const contestedMark = "contested:"

func (c *Counts) add(change reconcile.Change) {
	switch change.Fate {
	case reconcile.FatePlanned:
		c.Planned++
	case reconcile.FateBlocked:
		c.Blocked++
	case reconcile.FateUnsupported:
		c.Unsupported++
	case reconcile.FateExempt:
		c.Exempt++
	}
}

// tally counts changes by kind and setting, and collects the first reasons and
// objects. It does not grow with the tenant.
type tally struct {
	counts  map[ChangeCount]int // by the key without its count
	objects []Object
	more    int
	last    Object // changes of one object follow each other
	reasons []string
	seen    map[string]bool
	hidden  int
	// drifting is the sum, without carry, of the hashes of the changes that drift: the
	// order in which they come does not matter to it.
	drifting [sha256.Size]byte
	drifted  bool
}

func newTally() *tally {
	return &tally{counts: map[ChangeCount]int{}, seen: map[string]bool{}}
}

// maxSeen bounds the reasons by which repeated ones are known.
const maxSeen = 1000

func (t *tally) add(c reconcile.Change) {
	t.counts[ChangeCount{Kind: string(c.Subject.Kind), Setting: string(c.Setting)}]++
	o := Object{Kind: string(c.Subject.Kind), ID: c.Subject.ID, Name: clip(c.Subject.Name, maxNameText)}
	if o != t.last {
		t.last = o
		if len(t.objects) < maxObjects {
			t.objects = append(t.objects, o)
		} else {
			t.more++
		}
	}
	for _, why := range []string{blockedReason(c), c.Note} {
		t.reason(why)
	}
}

// drift adds a change that drifts.
func (t *tally) drift(c reconcile.Change) {
	t.add(c)
	t.drifted = true
	for i, b := range sha256.Sum256([]byte(c.ID)) {
		t.drifting[i] ^= b
	}
}

// blockedReason is the reason of a change that is not made; that of one which is
// says only what the policy wants.
func blockedReason(c reconcile.Change) string {
	if c.Fate != reconcile.FateBlocked {
		return ""
	}
	return c.Reason
}

func (t *tally) reason(why string) {
	if why == "" || t.seen[why] {
		return
	}
	if len(t.seen) < maxSeen {
		t.seen[why] = true
	}
	if len(t.reasons) < maxReasons {
		t.reasons = append(t.reasons, why)
	} else {
		t.hidden++
	}
}

// into completes an outcome.
func (t *tally) into(o *Outcome) {
	for key, n := range t.counts {
		key.Count = n
		o.Changes = append(o.Changes, key)
	}
	slices.SortFunc(o.Changes, func(a, b ChangeCount) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Setting, b.Setting))
	})
	o.Objects, o.ObjectsLeftOut = t.objects, t.more
	o.Reasons = append(o.Reasons, t.reasons...)
	o.ReasonsLeftOut = t.hidden
	if t.drifted {
		o.Drift = hex.EncodeToString(t.drifting[:16])
	}
	if over := len(o.Reasons) - maxReasons; over > 0 {
		o.Reasons = o.Reasons[:maxReasons]
		o.ReasonsLeftOut += over
	}
	for i, why := range o.Reasons {
		o.Reasons[i] = clip(why, maxReasonText)
	}
	slices.Sort(o.Contested)
}

// clip cuts a text to a number of characters.
func clip(s string, most int) string {
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
