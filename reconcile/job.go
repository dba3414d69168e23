package reconcile

import (
	"errors"
	"net/http"
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// job is one mailbox that is being written.
type job struct {
	record  int
	ref     exchange.MailboxRef
	changes []slotted
	// restore is the whole DefaultAuditSet to set first; nil for none.
	restore []string
	// edit is everything else; nil for nothing.
	edit *exchange.MailboxEdit

	restoreErr, editErr error
	// restoreSent and editSent tell what was sent since the mailbox was taken up.
	restoreSent, editSent bool
	// again is set where it was written before.
	again bool
	// unchanged is the service's word that nothing was different.
	unchanged bool
	// unlicensed is the answer that took the lists out of the edit.
	unlicensed error
}

// slotted is a change with its place among the changes of its mailbox.
type slotted struct {
	Change
	slot int
}

// jobOf gathers what is to be written on one mailbox; nil where the saved plan
// holds back all of it.
func (e *engine) jobOf(i int) *job {
	j := &job{record: i, ref: e.refOf(i)}
	slot := -1
	for c := range e.plan.changesOf(i) {
		slot++
		if c.Fate != FatePlanned || e.run.slip.holds(c) != "" {
			continue
		}
		j.changes = append(j.changes, slotted{c, slot})
		j.take(c)
	}
	if len(j.changes) == 0 {
		return nil
	}
	return j
}

// refOf names a mailbox to the service.
func (e *engine) refOf(record int) exchange.MailboxRef {
	r := e.plan.pop.records[record]
	return exchange.MailboxRef{Guid: r.id.String(), Listing: e.plan.pop.profileOf(r.kase).listing}
}

// take adds a change to what the mailbox is sent.
func (j *job) take(c Change) {
	if c.Setting == audit.SettingDefaultAuditSet {
		// Always the types managed now plus those to restore: whether the
		// others would stay managed if they were not named is not known.
		now, _ := c.Before.([]string)
		j.restore = slices.Sorted(slices.Values(slices.Concat(now, c.Add)))
		return
	}
	if j.edit == nil {
		j.edit = &exchange.MailboxEdit{Ref: j.ref}
	}
	switch c.Setting {
	case audit.SettingAuditEnabled:
		j.edit.AuditEnabled = new(true)
	case audit.SettingAuditLogAgeLimit:
		j.edit.AuditLogAgeLimit, _ = c.After.(string)
	default:
		j.setList(c.Setting, listEdit(c))
	}
}

func (j *job) setList(s audit.Setting, edit *exchange.ListEdit) {
	switch s {
	case audit.SettingAuditAdmin:
		j.edit.Admin = edit
	case audit.SettingAuditDelegate:
		j.edit.Delegate = edit
	case audit.SettingAuditOwner:
		j.edit.Owner = edit
	default:
	}
}

// listEdit is what a list is sent. One that Microsoft manages is sent whole:
// whether an Add to it starts from the list that is shown or from one that is
// hidden is not known (wire 10), and this way both end the same. Values that
// may stand in a list and are never to be sent stay out of it.
func listEdit(c Change) *exchange.ListEdit {
	after, _ := c.After.([]string)
	l := logonType(c.Setting)
	sendable := slices.DeleteFunc(slices.Clone(after), func(name string) bool {
		a, known := audit.Canonical(name)
		mark := audit.Status(l, a)
		return known && (mark == audit.Rejected || mark == audit.AcceptedUseless && !slices.Contains(c.Add, name))
	})
	switch {
	case c.Pins && len(c.Remove) > 0:
		return &exchange.ListEdit{Replace: sendable}
	case c.Pins:
		return &exchange.ListEdit{Add: sendable}
	default:
		return &exchange.ListEdit{Add: c.Add, Remove: c.Remove}
	}
}

// retreat changes the edit after the service refused it for what it holds, and
// tells whether something is left to send.
func (j *job) retreat(change func() bool) bool {
	e, ok := errors.AsType[*exchange.Error](j.editErr)
	about := !exchange.IsNotHydrated(j.editErr) && !exchange.IsNeedsProxy(j.editErr) && !exchange.IsTransient(j.editErr)
	return ok && e.Status == http.StatusBadRequest && about && change()
}

// withBareAdds sends of the lists that were sent whole only what is missing. A
// list that loses something was not added to, and stays as it was.
func (j *job) withBareAdds() bool {
	changed := false
	for _, c := range j.changes {
		if c.Pins && len(c.Remove) == 0 {
			j.setList(c.Setting, &exchange.ListEdit{Add: c.Add})
			changed = true
		}
	}
	return changed
}

// withhold keeps back lists whose restore was not answered: it may be carried out
// yet, and would take back what they were given meanwhile.
func (j *job) withhold() bool {
	if !undecided(j.restoreErr) || j.edit.Admin == nil && j.edit.Delegate == nil && j.edit.Owner == nil {
		return false
	}
	j.editErr, j.editSent = &withheldError{j.restoreErr}, true
	return true
}

// withoutLists leaves the lists out, for want of a licence.
func (j *job) withoutLists() bool {
	j.unlicensed = j.editErr
	j.edit.Admin, j.edit.Delegate, j.edit.Owner = nil, nil, nil
	if j.edit.AuditEnabled != nil || j.edit.AuditLogAgeLimit != "" {
		return true
	}
	j.editErr = nil
	return false
}

// sent tells whether the write that a change is part of was sent since the
// mailbox was taken up; if not, its outcome is from before.
func (j *job) sent(c Change) bool {
	if c.Setting == audit.SettingDefaultAuditSet {
		return j.restoreSent
	}
	return j.editSent
}

// errOf is the error of the write that a change was part of.
func (j *job) errOf(c Change) error {
	if c.Setting == audit.SettingDefaultAuditSet {
		return j.restoreErr
	}
	return j.editErr
}

// wanting is the outcome of a list for which the mailbox has no licence; it has
// no result where that is not so.
func (j *job) wanting(c Change) outcome {
	if _, isList := c.Before.([]string); j.unlicensed == nil || !isList || c.Setting == audit.SettingDefaultAuditSet {
		return outcome{}
	}
	return outcome{result: ResultUnsupported, note: "for want of a licence: " + j.unlicensed.Error()}
}
