package daemon

import (
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
)

// Ended is a run of a loop when it is over.
type Ended struct {
	// Loop is incremental, bypass or full.
	Loop                  string
	StartedAt, FinishedAt time.Time
	// Plan is nil where no report could be made.
	Plan *reconcile.Plan
	// Run is nil where nothing was to be written.
	Run       *reconcile.Run
	Threshold reconcile.Threshold
	// Err says why there is no report, or what of it could not be kept.
	Err error
	// Unkept says that another run kept what it saw meanwhile, so that this one is
	// not remembered.
	Unkept bool
}

// The verdicts of a run beside those of a comparison: a guard refuses all writes, also
// where none were meant, and no report could be made or kept.
const (
	verdictRefused = "refused"
	verdictError   = "error"
)

// verdicts are the words for how a run can end.
func verdicts() []string {
	return []string{
		string(reconcile.VerdictInLine), string(reconcile.VerdictDrift), string(reconcile.VerdictIncomplete),
		string(reconcile.VerdictFailed), verdictRefused, verdictError,
	}
}

// Verdict says in a word how the run ended.
func (e Ended) Verdict() string {
	switch {
	case e.Err != nil || e.Plan == nil:
		return verdictError
	case e.Plan.GuardRefused() && len(e.Plan.Refused) == 0:
		return verdictRefused
	case e.Run != nil:
		return string(e.Run.Verdict(e.Threshold))
	default:
		return string(e.Plan.Verdict(e.Threshold))
	}
}

// Reported tells whether the run made a report of the tenant, a whole one or one
// with gaps.
func (e Ended) Reported() bool {
	v := e.Verdict()
	return v != verdictError && v != string(reconcile.VerdictFailed)
}

// Complete tells whether the run read all that it had to read, whatever it found.
func (e Ended) Complete() bool {
	v := e.Verdict()
	if v == verdictRefused {
		return e.Plan.Verdict(e.Threshold) != reconcile.VerdictIncomplete
	}
	return v != string(reconcile.VerdictIncomplete) && e.Reported()
}

// Ran takes in a run that is over.
func (m *Metrics) Ran(e Ended) {
	loop := loopLabel(e.Loop)
	m.runs.WithLabelValues(loop, e.Verdict()).Inc()
	m.duration.WithLabelValues(loop).Observe(max(e.FinishedAt.Sub(e.StartedAt), 0).Seconds())
	if e.Complete() {
		m.lastSuccess.WithLabelValues(loop).Set(seconds(e.FinishedAt))
	}
	if e.Plan == nil {
		return
	}
	if e.Run != nil {
		for result, n := range e.Run.Results() {
			m.changes.WithLabelValues(oneOf(string(result), results()...)).Add(float64(n))
		}
		for created := range e.Run.CreatedInLine() {
			m.creation.Observe(max(e.FinishedAt.Sub(created), 0).Seconds())
		}
	}
	if sweptWhole(e) {
		m.Swept(e.Plan.CreatedAt)
	}
	m.left(e)
}

// sweptWhole tells whether the run read the whole tenant, and later runs know of
// it; that a write failed afterwards does not count against it.
func sweptWhole(e Ended) bool {
	if e.Plan == nil || e.Err != nil || e.Unkept {
		return false
	}
	v := e.Plan.Verdict(e.Threshold)
	return e.Plan.Coverage.Scope == reconcile.ScopeFull &&
		(v == reconcile.VerdictInLine || v == reconcile.VerdictDrift)
}

// left sets the gauges to what the run left. A run with gaps raises what is wrong
// and never lowers it: what it did not see may still be there.
func (m *Metrics) left(e Ended) {
	whole, sweep := e.Plan.Verdict(e.Threshold) != reconcile.VerdictIncomplete && len(e.Plan.Refused) == 0, sweptWhole(e)
	m.mu.Lock()
	defer m.mu.Unlock()
	for kind, states := range statesAfter(e) {
		for state, n := range states {
			key := gaugeKey{kind: kind, state: string(state)}
			bad := state == reconcile.Drifted || state == reconcile.Unknown
			if !bad && !sweep {
				continue
			}
			if bad && !whole {
				n = max(n, m.shown[key])
			}
			m.shown[key] = n
			m.objects.WithLabelValues(key.kind, key.state).Set(float64(n))
		}
	}
	m.contest(e, whole)
}

// contest counts the changes that are left alone because another writer undoes
// them.
func (m *Metrics) contest(e Ended, whole bool) {
	n, key := 0, gaugeKey{kind: contestedReason}
	for c := range e.Plan.Changes() {
		if c.Fate == reconcile.FateBlocked && strings.HasPrefix(c.Reason, contestedReason) {
			n++
		}
	}
	if !whole {
		n = max(n, m.shown[key])
	}
	m.shown[key] = n
	m.contested.WithLabelValues().Set(float64(n))
}

// contestedReason is how the reason of a contested change begins.
const contestedReason = "contested"
