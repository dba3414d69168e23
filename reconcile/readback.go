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
func (e *engine) readBack(ctx context.Context, jobs []*job) []*job {
	refs := make([]exchange.MailboxRef, len(jobs))
	for n, j := range jobs {
		refs[n] = j.ref
	}
	n := needsOf(e.plan.policy)
	var still []*job
	for i, res := range e.tenant.MailboxesByID(ctx, refs, n.selects()) {
		j := jobs[i]
		if res.Err != nil {
			if e.unread(j, "it could not be read back: "+res.Err.Error()) {
				still = append(still, j)
			}
			continue
		}
		if id, ok := parseGUID(res.Value.Guid.Value); !ok || id.String() != j.ref.Guid {
			e.unread(j, "the service answered with another mailbox")
			continue
		}
		if e.judge(j, profileOf(res.Value, j.ref.Listing, n)) {
			still = append(still, j)
		}
	}
	return still
}

// unread notes that a mailbox could not be read back. It tells whether to try
// again.
func (e *engine) unread(j *job, why string) bool {
	for _, c := range j.changes {
		o := outcome{ResultUnconfirmed, why}
		if j.err != nil {
			o = outcome{ResultFailed, j.err.Error()}
		}
		e.run.setMailbox(j.record, c.slot, o)
	}
	return j.err == nil
}

// judge compares what a mailbox shows with each change. It tells whether
// something was accepted and does not show yet.
func (e *engine) judge(j *job, now profile) bool {
	if lost := lostActions(j.changes, e.plan.pop.profileOf(e.plan.pop.records[j.record].kase), now); lost != "" {
		e.stop("mailbox %s records less than before it was written: %s", j.ref.Guid, lost)
	}
	waiting := false
	for _, c := range j.changes {
		o := outcome{result: ResultVerified}
		shows, why := shown(c.Change, now)
		switch {
		case c.Setting == audit.SettingAuditEnabled && e.plan.storedOnly(e.plan.pop.records[j.record]):
			o = e.hiddenOutcome(j, c)
		case shows:
		case j.err != nil:
			o = outcome{ResultFailed, j.err.Error()}
		default:
			o = outcome{ResultUnconfirmed, why}
			waiting = true
		}
		e.run.setMailbox(j.record, c.slot, o)
	}
	return waiting
}

// hiddenOutcome is that of a stored AuditEnabled, which a mailbox does not
// show: it is confirmed by the filter at the end.
func (e *engine) hiddenOutcome(j *job, c slotted) outcome {
	if j.err != nil {
		return outcome{ResultFailed, j.err.Error()}
	}
	h := hiddenWrite{record: j.record, slot: c.slot, unchanged: j.unchanged}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Contains(e.hidden, h) {
		e.hidden = append(e.hidden, h)
	}
	return outcome{ResultUnconfirmed, "accepted; the stored value has not been read back"}
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
		have := audit.SetOf(now.managed.value.names())
		return now.managed.missing == "" && have.ContainsAll(audit.SetOf(want)), "accepted, but DefaultAuditSet does not show it yet"
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
			touched = []string{logonOf(c.Setting)}
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
// listing with the filter.
func (e *engine) storedValues(ctx context.Context) {
	if len(e.hidden) == 0 {
		return
	}
	bctx, cancel := inFlight(ctx)
	defer cancel()
	ids, err := readStored(bctx, e.tenant)
	slices.SortFunc(ids, compareGUID)
	var outcomes []journal.Outcome
	for _, h := range e.hidden {
		r := e.plan.pop.records[h.record]
		_, listed := slices.BinarySearchFunc(ids, r.id, compareGUID)
		o := outcome{result: ResultVerified}
		switch {
		case err != nil:
			o = outcome{ResultUnconfirmed, "the stored value could not be read back: " + err.Error()}
		case listed && h.unchanged:
			// semantics 2.2: the hidden value can be set only by setting it
			// false first, which this tool never does.
			o = outcome{ResultUnsupported, "not settable without a toggle: the service says that nothing was different, and its filter says otherwise"}
		case listed:
			o = outcome{ResultUnconfirmed, "accepted, but the filter still finds the stored value not true"}
		}
		e.run.setMailbox(h.record, h.slot, o)
		slot := 0
		for c := range e.plan.changesOf(h.record) {
			if slot == h.slot {
				outcomes = append(outcomes, outcomeOf(c, o))
			}
			slot++
		}
	}
	e.conclude(bctx, outcomes)
}
