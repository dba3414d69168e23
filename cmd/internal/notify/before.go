package notify

import (
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
)

// BeforeApply gives the event that announces the writes of a plan; false where the
// plan has none, or a guard refuses it. The command and the application id are told
// as they are given.
func BeforeApply(p *reconcile.Plan, t reconcile.Threshold, command, applicationID string, at time.Time) (Event, bool) {
	o := outcomeOf(p, at)
	o.Command, o.ApplicationID, o.Verdict = command, applicationID, string(p.Verdict(t))
	tally := newTally()
	for c := range p.Changes() {
		if c.Carried { // It is not written by this run.
			continue
		}
		o.Counts.add(c)
		if c.Fate == reconcile.FatePlanned {
			tally.add(c)
		}
		if drifts(c, t) {
			o.Counts.Drifting++
		}
		o.contest(c)
	}
	if o.Counts.Planned == 0 || p.GuardRefused() {
		return Event{}, false
	}
	tally.into(&o)
	return o.event(EventBeforeApply), true
}
