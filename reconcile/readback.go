package reconcile

import (
	"context"
	"fmt"
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// readBack reads written mailboxes by identity, with the anchor of their
// write, and notes the result of each change. It gives the mailboxes that do
// not show everything yet. A mailbox that records less than before the write
// stops the run: whatever did that would do it again.
func (e *engine) readBack(ctx context.Context, jobs []*job) []int32 {
	refs := make([]exchange.MailboxRef, len(jobs))
	for n, j := range jobs {
		refs[n] = j.ref
	}
	n := needsOf(e.plan.policy)
	n.addresses, n.attributes = false, nil
	var still []int32
	for i, res := range e.tenant.MailboxesByID(ctx, refs, n.selects()) {
		j := jobs[i]
		now, why := profile{}, ""
		switch id, ok := parseGUID(res.Value.Guid.Value); {
		case res.Err != nil:
			why = "it could not be read back: " + res.Err.Error()
		case !ok || id.String() != j.ref.Guid:
			why = "the service answered with another mailbox"
		default:
			now = profileOf(res.Value, j.ref.Listing, n)
		}
		if e.judge(j, now, why) {
			still = append(still, int32(j.record)) //nolint:gosec // An index of the population.
		}
	}
	return still
}

// judge compares what a mailbox shows with each change. It tells whether
// something may yet show. Where the mailbox was not read, unread says why.
func (e *engine) judge(j *job, now profile, unread string) bool {
	if unread == "" {
		if lost := lostActions(j.changes, e.profileAt(j.record), now); lost != "" {
			e.stop("mailbox %s records less than before it was written: %s", j.ref.Guid, lost)
		}
	}
	waiting := false
	for _, c := range j.changes {
		shows, why := false, unread
		if unread == "" {
			shows, why = shown(c.Change, now)
		}
		err := j.errOf(c.Change)
		o := outcome{result: ResultVerified}
		switch want := j.wanting(c.Change); {
		case c.Setting == audit.SettingAuditEnabled && e.plan.storedOnly(e.plan.pop.records[j.record]):
			o = e.hiddenOutcome(j, c, err)
		case shows:
		case want.result != ResultNone:
			o = want
		default:
			o = unshown(err, why)
			waiting = waiting || o.result == ResultUnconfirmed
		}
		e.run.mailbox.set(j.record, c.slot, o)
	}
	return waiting
}

// hiddenOutcome is that of a stored AuditEnabled, which a mailbox does not
// show: it is confirmed by the filter at the end. What the service said of the
// write is remembered from the first look.
func (e *engine) hiddenOutcome(j *job, c slotted, err error) outcome {
	if o := e.run.mailbox.at(j.record, c.slot); o.result != ResultNone {
		return o
	}
	if err != nil && !undecided(err) {
		return unshown(err, "")
	}
	// That nothing was different speaks of every setting of the edit, of this one
	// too.
	return outcome{
		result: ResultUnconfirmed, note: "accepted; the stored value has not been read back",
		hidden: true, unchanged: j.unchanged,
	}
}

// shown tells whether a mailbox shows a change: at least it, for lists and age
// limits.
func shown(c Change, now profile) (ok bool, why string) {
	switch c.Setting {
	case audit.SettingAuditEnabled:
		return now.enabled.missing == "" && now.enabled.value == triTrue, "accepted, but AuditEnabled is not true yet"
	case audit.SettingAuditLogAgeLimit:
		text, _ := c.After.(string)
		want, err := audit.ParseTimeSpan(text)
		return err == nil && now.age.missing == "" && now.age.value >= want, "accepted, but the age limit does not show yet"
	case audit.SettingDefaultAuditSet:
		want, _ := c.After.([]string)
		missing := func(name string) bool {
			l, ok := audit.ParseLogonType(name)
			return !ok || !now.managed.value.has(l)
		}
		return now.managed.missing == "" && !slices.ContainsFunc(want, missing), "accepted, but DefaultAuditSet does not show it yet"
	default:
		have := now.lists[logonType(c.Setting)]
		after, _ := c.After.([]string)
		if have.missing != "" {
			return false, have.missing
		}
		if len(c.Remove) > 0 {
			return have.value.Equal(audit.SetOf(after)), "accepted, but the list does not show it yet, or shows more"
		}
		return have.value.ContainsAll(audit.SetOf(after)), "accepted, but the list does not show it yet"
	}
}

// logonType is the logon type behind a list setting.
func logonType(s audit.Setting) audit.LogonType {
	for _, l := range audit.LogonTypes() {
		if audit.ListSetting(l) == s {
			return l
		}
	}
	return audit.Owner
}

// lostActions names actions that a list held before the write, that the write
// did not mean to remove, and that are gone. A restore of Microsoft's defaults
// is planned only where nothing is lost by it, unless the policy allows the
// loss; what Microsoft's defaults are was learned, and may have been wrong.
func lostActions(changes []slotted, before, now profile) string {
	for _, c := range changes {
		var touched []string
		switch {
		case c.Setting == audit.SettingDefaultAuditSet && !c.Weakens:
			touched = c.Add
		case c.Setting == audit.ListSetting(logonType(c.Setting)):
			touched = []string{logonType(c.Setting).String()}
		}
		for _, name := range touched {
			l, _ := audit.ParseLogonType(name)
			if now.lists[l].missing != "" {
				continue
			}
			lost := before.lists[l].value.Minus(audit.SetOf(c.Remove)).Minus(now.lists[l].value)
			if lost.Len() > 0 {
				return fmt.Sprintf("%s lost %s", audit.ListSetting(l), lost)
			}
		}
	}
	return ""
}

// storedValues confirms writes of stored AuditEnabled values by one more
// listing with the filter. It is not made where the run was told to end.
func (e *engine) storedValues(ctx context.Context) {
	asked := false
	for range e.run.mailbox.hidden {
		asked = true
		break
	}
	if !asked || ctx.Err() != nil {
		return
	}
	ids, err := readStored(ctx, e.tenant)
	slices.SortFunc(ids, compareGUID)
	var outcomes []journal.Outcome
	for record, slot := range e.run.mailbox.hidden {
		_, listed := slices.BinarySearchFunc(ids, e.plan.pop.records[record].id, compareGUID)
		o := storedOutcome(e.run.mailbox.at(record, slot), listed, err)
		e.run.mailbox.set(record, slot, o)
		at := 0
		for c := range e.plan.changesOf(record) {
			if at == slot {
				outcomes = append(outcomes, outcomeOf(c, o))
			}
			at++
		}
		if len(outcomes) >= exchange.BatchSize*exchange.BatchSize {
			e.conclude(ctx, outcomes)
			outcomes = nil
		}
	}
	e.conclude(ctx, outcomes)
}

// storedOutcome judges a stored AuditEnabled by the filter.
func storedOutcome(was outcome, listed bool, err error) outcome {
	switch {
	case err != nil:
		return outcome{result: ResultUnconfirmed, note: "the stored value could not be read back: " + err.Error()}
	case listed && was.unchanged:
		// semantics 2.2: the hidden value can be set only by setting it false
		// first, which this tool never does.
		return outcome{result: ResultUnsupported, note: "not settable without a toggle: the service says that nothing was different, and its filter says otherwise"}
	case listed:
		return outcome{result: ResultUnconfirmed, note: "accepted, but the filter still finds the stored value not true"}
	}
	return outcome{result: ResultVerified}
}
