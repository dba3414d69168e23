package reconcile

import (
	"context"
	"fmt"
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// sight is what a mailbox was seen to be, or why it was not seen.
type sight struct {
	now    profile
	unread string
}

// look reads mailboxes by identity, with the anchor of their write.
func (e *engine) look(ctx context.Context, jobs []*job) []sight {
	refs := make([]exchange.MailboxRef, len(jobs))
	for n, j := range jobs {
		refs[n] = j.ref
	}
	n := needsOf(e.plan.policy)
	n.addresses, n.attributes = false, nil
	seen := make([]sight, len(jobs))
	for i, res := range e.tenant.MailboxesByID(ctx, refs, n.selects()) {
		switch id, ok := parseGUID(res.Value.Guid.Value); {
		case res.Err != nil:
			seen[i].unread = "it could not be read back: " + res.Err.Error()
		case !ok || id.String() != refs[i].Guid:
			seen[i].unread = "the service answered with another mailbox"
		default:
			seen[i].now = profileOf(res.Value, refs[i].Listing, n)
		}
	}
	return seen
}

// readBack looks at mailboxes, and notes the result of each change. It gives
// those that may yet show, and those of which a write may not have been made. A
// mailbox that records less than before the write stops the run: whatever did
// that would do it again.
func (e *engine) readBack(ctx context.Context, jobs []*job) (waiting, lost []int32) {
	for i, seen := range e.look(ctx, jobs) {
		mayShow, mayPass := e.judge(jobs[i], seen)
		record := int32(jobs[i].record) //nolint:gosec // An index of the population.
		switch {
		case mayPass:
			lost = append(lost, record)
		case mayShow:
			waiting = append(waiting, record)
		}
	}
	return waiting, lost
}

// judge compares what a mailbox shows with each change. It tells whether
// something may yet show, and whether a write may not have been made.
func (e *engine) judge(j *job, seen sight) (mayShow, mayPass bool) {
	if seen.unread == "" {
		if lost := lostActions(j.changes, e.profileAt(j.record), seen.now); lost != "" {
			e.stop("mailbox %s records less than before it was written: %s", j.ref.Guid, lost)
		}
	}
	for _, c := range j.changes {
		shows, why := false, seen.unread
		if seen.unread == "" {
			shows, why = shown(c.Change, seen.now)
		}
		was, o := e.run.mailbox.at(j.record, c.slot), outcome{result: ResultVerified}
		switch {
		case c.Setting == audit.SettingAuditEnabled && e.plan.storedOnly(e.plan.pop.records[j.record]):
			o = j.hiddenOutcome(c, was)
		case shows:
		case !j.sent(c.Change):
			o = was.later(seen, why)
		default:
			if o = j.wanting(c.Change); o.result == ResultNone {
				o = unshown(j.errOf(c.Change), why)
			}
		}
		mayShow = mayShow || o.result == ResultUnconfirmed && !o.hidden
		mayPass = mayPass || o.lost && !o.hidden
		e.run.mailbox.set(j.record, c.slot, o)
	}
	return mayShow, mayPass
}

// later is what becomes of an outcome when a change does not show at a later
// look: what the service answered stands, what was seen is seen anew.
func (o outcome) later(seen sight, why string) outcome {
	accepted := o.result == ResultUnconfirmed && !o.lost
	if accepted || o.result == ResultVerified && seen.unread == "" {
		return outcome{result: ResultUnconfirmed, note: why}
	}
	return o
}

// hiddenOutcome is that of a stored AuditEnabled, which a mailbox does not
// show: it is confirmed by the filter at the end. What the service said of the
// write is remembered from then.
func (j *job) hiddenOutcome(c slotted, was outcome) outcome {
	if !j.sent(c.Change) {
		return was
	}
	return storedWrite(j.editErr, j.unchanged)
}

// storedWrite is the outcome of the write of a stored AuditEnabled, before the
// filter was asked. That nothing was different speaks of every setting of the
// edit, of this one too.
func storedWrite(err error, unchanged bool) outcome {
	if err == nil {
		return outcome{
			result: ResultUnconfirmed, note: "accepted; the stored value has not been read back",
			hidden: true, unchanged: unchanged,
		}
	}
	o := unshown(err, "")
	o.hidden = o.lost
	return o
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
