package reconcile

import (
	"context"
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// resend takes up the mailboxes of which a write may not have been made, once
// the ring is dealt: after a pause they are read, and those that still need the
// write are sent it, under the intent that is still open.
func (e *engine) resend(ctx context.Context) {
	for n := range maxSends - 1 {
		open := e.lost
		if len(open) == 0 || e.halted(audit.KindMailbox) || !e.pause(ctx, n) {
			break
		}
		e.lost = nil
		slices.Sort(open)
		batches := make(chan []*job)
		e.spread(batches, func(jobs []*job) { e.sendAgain(ctx, jobs) }, func() {
			for records := range slices.Chunk(open, exchange.BatchSize) {
				if e.stopped(ctx) != "" {
					e.keep(records)
					continue
				}
				batches <- e.jobsOf(records)
			}
		})
	}
	e.giveUp(ctx)
}

// keep leaves mailboxes among those of which a write may not have been made.
func (e *engine) keep(records []int32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lost = append(e.lost, records...)
}

// giveUp closes the intents of writes that are not sent any more. What was lost
// may still show.
func (e *engine) giveUp(ctx context.Context) {
	for records := range slices.Chunk(e.lost, exchange.BatchSize) {
		var outcomes []journal.Outcome
		for _, j := range e.jobsOf(records) {
			for _, c := range j.changes {
				if o := e.run.mailbox.at(j.record, c.slot); o.lost && !o.hidden {
					outcomes = append(outcomes, outcomeOf(c.Change, o))
				}
			}
		}
		e.conclude(ctx, outcomes)
	}
	e.pending = append(e.pending, e.lost...)
	e.lost = nil
}

// jobsOf takes up mailboxes again.
func (e *engine) jobsOf(records []int32) []*job {
	jobs := make([]*job, len(records))
	for i, r := range records {
		jobs[i] = e.jobOf(int(r))
	}
	return jobs
}

// sendAgain reads mailboxes and sends what they still need. One that cannot be
// read whole is not sent anything.
func (e *engine) sendAgain(ctx context.Context, jobs []*job) {
	bctx, cancel := e.inFlight(ctx)
	defer cancel()
	var needy []*job
	var waiting, lost []int32
	for i, seen := range e.look(bctx, jobs) {
		j := jobs[i]
		mayShow, mayPass := e.judge(j, seen)
		switch {
		case mayPass && seen.unread == "" && e.needs(j, seen.now):
			j.again = true
			needy = append(needy, j)
		case mayPass:
			lost = append(lost, int32(j.record)) //nolint:gosec // An index of the population.
		case mayShow:
			waiting = append(waiting, int32(j.record)) //nolint:gosec // An index of the population.
		}
	}
	if len(needy) > 0 && !e.halted(audit.KindMailbox) && e.stopped(ctx) == "" {
		e.restore(bctx, needy)
		e.edit(bctx, needy)
	}
	mayShow, mayPass := e.readBack(bctx, needy)
	e.conclude(bctx, e.outcomes(jobs))
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pending = slices.Concat(e.pending, waiting, mayShow)
	e.lost = slices.Concat(e.lost, lost, mayPass)
}

// needs leaves in a job the writes that may not have been made and that the
// mailbox shows to be needed still, and tells whether any is.
func (e *engine) needs(j *job, now profile) bool {
	type part struct{ needed, moved bool }
	var restore, edit part
	before := e.profileAt(j.record)
	for _, c := range j.changes {
		if o := e.run.mailbox.at(j.record, c.slot); !o.lost || o.hidden {
			continue
		}
		of := &edit
		if c.Setting == audit.SettingDefaultAuditSet {
			of = &restore
		}
		of.needed = true
		of.moved = of.moved || !repeatable(c.Change, before, now)
	}
	if !edit.needed || edit.moved {
		j.edit = nil
	}
	if !restore.needed || restore.moved {
		j.restore = nil
	} else {
		j.restore = e.restoreNow(j, now)
	}
	return j.edit != nil || j.restore != nil
}

// restoreNow is the DefaultAuditSet to send at a later time: the types managed by
// then and those to restore. A type whose list this run has pinned meanwhile is not
// among them, also where that does not show yet: it would be restored as well.
func (e *engine) restoreNow(j *job, now profile) []string {
	set := now.managed.value
	for _, c := range j.changes {
		o := e.run.mailbox.at(j.record, c.slot)
		switch {
		case c.Setting == audit.SettingDefaultAuditSet:
			for _, name := range c.Add {
				if l, known := audit.ParseLogonType(name); known {
					set = set.with(l)
				}
			}
		case c.Pins && !o.lost && (o.result == ResultVerified || o.result == ResultUnconfirmed):
			set = set.without(logonType(c.Setting))
		}
	}
	return set.names()
}

// repeatable tells whether a change that does not show may be sent again: what
// it is about was read, and where it takes something away the mailbox still
// shows what the plan was made from. Else somebody has been there meanwhile,
// and what would be lost is not known.
func repeatable(c Change, before, now profile) bool {
	switch c.Setting {
	case audit.SettingAuditEnabled:
		return now.enabled.missing == ""
	case audit.SettingAuditLogAgeLimit:
		return now.age.missing == ""
	case audit.SettingDefaultAuditSet:
		return now.managed.missing == "" && !slices.ContainsFunc(c.Add, func(name string) bool {
			l, known := audit.ParseLogonType(name)
			return !known || !sameList(before.lists[l], now.lists[l])
		})
	default:
		l := logonType(c.Setting)
		return now.lists[l].missing == "" && (len(c.Remove) == 0 || sameList(before.lists[l], now.lists[l]))
	}
}

func sameList(a, b fact[audit.ActionSet]) bool {
	return a.missing == "" && b.missing == "" && a.value.Equal(b.value)
}
