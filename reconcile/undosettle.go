package reconcile

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

func exchangeError(err error) (*exchange.Error, bool) { return errors.AsType[*exchange.Error](err) }

// backNow is what a mailbox shows of the setting of a change, and why that is not
// known.
func backNow(c Change, now profile) (value any, missing string) {
	switch c.Setting {
	case audit.SettingAuditEnabled:
		return now.enabled.value == triTrue, now.enabled.missing
	case audit.SettingAuditLogAgeLimit:
		return audit.FormatTimeSpan(now.age.value), now.age.missing
	case audit.SettingDefaultAuditSet:
		return now.managed.value.names(), now.managed.missing
	default:
		f := now.lists[logonType(c.Setting)]
		if f.missing == "" {
			f.missing = now.managed.missing
		}
		return f.value.Slice(), f.missing
	}
}

// hiddenChange tells a change of an AuditEnabled that the mailbox does not show.
func hiddenChange(c Change, now profile) bool {
	return c.Setting == audit.SettingAuditEnabled && hidesStored(now)
}

// backDue tells whether a mailbox shows of a change what its plan was made from.
func backDue(c Change, now profile) bool {
	if hiddenChange(c, now) {
		return true
	}
	value, missing := backNow(c, now)
	switch {
	case missing != "" || !equalValues(value, c.Before):
		return false
	case isList(c.Setting):
		return now.managed.value.has(logonType(c.Setting)) == c.Pins
	}
	return true
}

// backStillDue tells whether a change that does not show may be sent again: all that it
// is about shows what it did just before the first time.
func backStillDue(c Change, before, now profile) bool {
	if !isRestore(c) {
		return backDue(c, now)
	}
	return now.managed.missing == "" && !slices.ContainsFunc(c.Add, func(name string) bool {
		l, ok := audit.ParseLogonType(name)
		return !ok || now.managed.value.has(l) || !sameList(before.lists[l], now.lists[l])
	})
}

// backShown tells whether a mailbox shows a change.
func backShown(c Change, now profile) bool {
	value, missing := backNow(c, now)
	switch {
	case missing != "":
		return false
	case isRestore(c):
		return len(without(c.Add, namesOf(value))) == 0
	case isList(c.Setting) && c.Pins:
		return equalValues(value, c.After) && !now.managed.value.has(logonType(c.Setting))
	case isList(c.Setting):
		set := setOfAny(value)
		return set.ContainsAll(audit.SetOf(c.Add)) && set.Intersect(audit.SetOf(c.Remove)).Len() == 0
	}
	return equalValues(value, c.After)
}

// settle notes what mailboxes show of each change, and records what will not be
// sent again.
func (u *reverser) settle(ctx context.Context, jobs []*backJob, seen []sight) {
	var outcomes []journal.Outcome
	for n, j := range jobs {
		for _, i := range j.at {
			c := u.plan.tenant[i]
			o := u.judgeBack(j, c, i, seen[n])
			u.run.tenant[i] = o
			if !o.lost && !o.hidden {
				outcomes = append(outcomes, outcomeOf(c, o))
			}
		}
	}
	u.conclude(ctx, outcomes)
}

// judgeBack is the outcome of one change, as its mailbox shows.
func (u *reverser) judgeBack(j *backJob, c Change, i int, seen sight) outcome {
	err := j.errs[i]
	switch {
	case hiddenChange(c, j.before):
		if was := u.run.tenant[i]; was.result != ResultNone && !was.lost {
			return was
		}
		if err == nil {
			return outcome{result: ResultUnconfirmed, note: "accepted; the stored value has not been read back", hidden: true}
		}
		o := unshown(err, "")
		o.hidden = o.lost
		return o
	case seen.unread != "":
		return unshown(err, seen.unread)
	case backShown(c, seen.now):
		return outcome{result: ResultVerified, note: u.movedDefaults(c, seen.now)}
	case exchange.IsUnlicensed(err):
		return outcome{result: ResultUnsupported, note: "for want of a licence: " + err.Error()}
	}
	_, missing := backNow(c, seen.now)
	if missing == "" {
		missing = "accepted, but it does not show yet"
	}
	return unshown(err, missing)
}

// movedDefaults says where a list that Microsoft manages again is another than it
// was before the run.
func (u *reverser) movedDefaults(c Change, now profile) string {
	var notes []string
	for _, name := range c.Add {
		l, ok := audit.ParseLogonType(name)
		was, touched := u.plan.undo.defaults[managedList{c.Subject.ID, l}]
		if isRestore(c) && ok && touched && now.lists[l].missing == "" && !now.lists[l].value.Equal(was) {
			notes = append(notes, movedSince(c.Subject.ID, l, was, now.lists[l].value))
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.run.Warnings = append(u.run.Warnings, notes...)
	return strings.Join(notes, "; ")
}

// again reads mailboxes of which a write may not have been made, and sends what they
// still need, under the intents that are still open.
func (u *reverser) again(ctx context.Context, jobs []*backJob) {
	var needy []*backJob
	seen := u.look(ctx, jobs)
	u.settle(ctx, jobs, seen)
	for n, j := range jobs {
		if seen[n].unread != "" {
			continue
		}
		old := j.before.managed
		j.before.managed = u.managedNow(j, seen[n].now)
		j.build(u.plan, func(i int) bool {
			o := u.run.tenant[i]
			return o.lost && !o.hidden && backStillDue(u.plan.tenant[i], j.before, seen[n].now)
		})
		j.before.managed = old
		if j.restore != nil || j.edit != nil {
			needy = append(needy, j)
		}
	}
	if len(needy) == 0 || u.halted(audit.KindMailbox) || u.stopped(ctx) != "" {
		return
	}
	u.write(ctx, needy)
	u.settle(ctx, needy, u.look(ctx, needy))
}

// managedNow are the logon types that Microsoft manages at a later time. One whose
// list was pinned meanwhile is not among them, also where that does not show yet: it
// would be restored as well.
func (u *reverser) managedNow(j *backJob, now profile) fact[logons] {
	set := now.managed
	for _, i := range j.at {
		c, o := u.plan.tenant[i], u.run.tenant[i]
		if c.Pins && !o.lost && (o.result == ResultVerified || o.result == ResultUnconfirmed) {
			set.value = set.value.without(logonType(c.Setting))
		}
	}
	return set
}

// hiddenValues confirms the AuditEnabled that mailboxes do not show, by the filter,
// and sends those again that may not have been made.
func (u *reverser) hiddenValues(ctx context.Context, jobs []*backJob) {
	for n := range maxSends {
		var open []*backJob
		lost := false
		for _, j := range jobs {
			if u.any(j, func(o outcome) bool { return o.hidden }) {
				open = append(open, j)
				lost = lost || u.any(j, func(o outcome) bool { return o.hidden && o.lost })
			}
		}
		if len(open) == 0 || ctx.Err() != nil || lost && !u.pause(ctx, n) || !lost && n > 0 && !wait(ctx, lateReads()[n-1]) {
			return
		}
		ids, err := readStored(ctx, u.tenant)
		for _, j := range open {
			u.judgeHidden(ctx, j, ids, err)
		}
		if err != nil || n == maxSends-1 {
			return
		}
		u.each(ctx, u.mayBegin, slices.DeleteFunc(open, func(j *backJob) bool { return !u.any(j, func(o outcome) bool { return o.hidden && o.lost }) }), u.sendHidden)
	}
}

// judgeHidden judges a stored AuditEnabled by the listing of those that are not true.
func (u *reverser) judgeHidden(ctx context.Context, j *backJob, ids []guid, err error) {
	id, _ := parseGUID(j.ref.Guid)
	_, listed := slices.BinarySearchFunc(ids, id, compareGUID)
	for _, i := range j.at {
		c, o := u.plan.tenant[i], u.run.tenant[i]
		want, _ := c.After.(bool)
		switch {
		case !o.hidden:
			continue
		case err != nil:
			o = outcome{result: ResultUnconfirmed, note: "the stored value could not be read back: " + err.Error()}
		case listed != want:
			o = outcome{result: ResultVerified}
		case !o.lost:
			o = outcome{result: ResultUnconfirmed, note: "accepted, but the filter still finds the stored value as it was", hidden: true}
		}
		u.run.tenant[i] = o
		if !o.hidden {
			u.conclude(ctx, []journal.Outcome{outcomeOf(c, o)})
		}
	}
}

// sendHidden sends AuditEnabled again to mailboxes that the filter still finds as
// they were.
func (u *reverser) sendHidden(ctx context.Context, jobs []*backJob) {
	for _, j := range jobs {
		j.build(u.plan, func(i int) bool { return u.run.tenant[i].hidden && u.run.tenant[i].lost })
	}
	u.write(ctx, jobs)
	for _, j := range jobs {
		for _, i := range j.at {
			if u.run.tenant[i].hidden {
				u.run.tenant[i] = u.judgeBack(j, u.plan.tenant[i], i, sight{})
			}
		}
	}
}

// giveUpBack records the outcomes of writes that are neither sent nor looked at any more.
func (u *reverser) giveUpBack(ctx context.Context, jobs []*backJob) {
	var outcomes []journal.Outcome
	for _, j := range jobs {
		for _, i := range j.at {
			o := &u.run.tenant[i]
			if o.result != ResultNone && (o.lost || o.hidden) {
				outcomes = append(outcomes, outcomeOf(u.plan.tenant[i], *o))
			}
			o.lost, o.hidden = false, false
		}
	}
	u.conclude(ctx, outcomes)
}
