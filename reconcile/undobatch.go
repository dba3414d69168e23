package reconcile

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// backJob is one mailbox on its way back.
type backJob struct {
	ref exchange.MailboxRef
	// at are the places of its changes in the plan.
	at []int
	// before is what it showed just before it was written.
	before profile
	// restore is the whole DefaultAuditSet to set first, nil for none; edit is
	// everything else, nil for nothing.
	restore []string
	edit    *exchange.MailboxEdit
	errs    map[int]error // how the write of each change ended
}

// mailboxes writes the mailboxes in tens, several batches at a time, then looks
// again at what did not show at once.
func (u *reverser) mailboxes(ctx context.Context) {
	var jobs []*backJob
	for i, c := range u.plan.tenant {
		if c.Subject.Kind != audit.KindMailbox || u.plan.guarded(c).Fate != FatePlanned {
			continue
		}
		if n := len(jobs); n == 0 || jobs[n-1].ref.Guid != c.Subject.ID {
			jobs = append(jobs, &backJob{
				ref:  exchange.MailboxRef{Guid: c.Subject.ID, Listing: listingFor(c.Subject.Type)},
				errs: map[int]error{},
			})
		}
		j := jobs[len(jobs)-1]
		j.at = append(j.at, i)
	}
	u.each(ctx, u.mayBegin, jobs, u.batch)
	for n := range maxSends - 1 {
		lost := slices.DeleteFunc(slices.Clone(jobs), func(j *backJob) bool { return !u.any(j, func(o outcome) bool { return o.lost && !o.hidden }) })
		if len(lost) == 0 || u.halted(audit.KindMailbox) || !u.pause(ctx, n) {
			break
		}
		u.each(ctx, u.mayBegin, lost, u.again)
	}
	for _, pause := range lateReads() {
		open := slices.DeleteFunc(slices.Clone(jobs), func(j *backJob) bool {
			return !u.any(j, func(o outcome) bool { return o.result == ResultUnconfirmed && !o.hidden })
		})
		if len(open) == 0 || !wait(ctx, pause) {
			break
		}
		u.each(ctx, func(ctx context.Context) bool { return ctx.Err() == nil }, open, func(ctx context.Context, jobs []*backJob) {
			u.settle(ctx, jobs, u.look(ctx, jobs))
		})
	}
	u.hiddenValues(ctx, jobs)
	u.giveUpBack(ctx, jobs)
}

// any tells whether an outcome of a mailbox is of a kind.
func (u *reverser) any(j *backJob, of func(outcome) bool) bool {
	return slices.ContainsFunc(j.at, func(i int) bool { return of(u.run.tenant[i]) })
}

// mayBegin tells whether a further batch of writes may be begun.
func (u *reverser) mayBegin(ctx context.Context) bool {
	return !u.halted(audit.KindMailbox) && u.stopped(ctx) == ""
}

// each works on mailboxes in tens, several at a time, as long as more may be begun.
// What is begun is finished.
func (u *reverser) each(ctx context.Context, may func(context.Context) bool, jobs []*backJob, do func(context.Context, []*backJob)) {
	tens := make(chan []*backJob)
	workers := u.opts.InFlight
	if workers <= 0 {
		workers = defaultInFlight
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ten := range tens {
				bctx, cancel := inFlight(ctx)
				do(bctx, ten)
				cancel()
			}
		})
	}
	for ten := range slices.Chunk(jobs, exchange.BatchSize) {
		if !may(ctx) {
			break
		}
		tens <- ten
	}
	close(tens)
	wg.Wait()
}

// look reads mailboxes by identity, with the anchor of their write.
func (u *reverser) look(ctx context.Context, jobs []*backJob) []sight {
	refs := make([]exchange.MailboxRef, len(jobs))
	for n, j := range jobs {
		refs[n] = j.ref
	}
	n := needs{enabled: true, age: true, lists: true}
	seen := make([]sight, len(jobs))
	for i, res := range u.tenant.MailboxesByID(ctx, refs, n.selects()) {
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

// batch reads, records, writes and reads back up to ten mailboxes.
func (u *reverser) batch(ctx context.Context, jobs []*backJob) {
	if !u.mayBegin(ctx) {
		return
	}
	var due []*backJob
	var intents []journal.Intent
	for n, seen := range u.look(ctx, jobs) {
		j := jobs[n]
		u.dueOf(j, seen)
		if len(j.at) == 0 {
			continue
		}
		due = append(due, j)
		for _, i := range j.at {
			intents = append(intents, u.intentOf(u.plan.tenant[i], j.before))
		}
	}
	if len(due) > 0 && u.intend(ctx, intents) {
		u.write(ctx, due)
		u.settle(ctx, due, u.look(ctx, due))
	}
	u.wrote(len(jobs))
}

// wrote tells the observer how far it is.
func (u *reverser) wrote(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.done += n
	if u.opts.Observer.Wrote != nil {
		u.opts.Observer.Wrote(u.done, u.total)
	}
}

// dueOf leaves in a job the changes that its mailbox still needs, as it shows just
// before the write: it was shown to people, who may have taken their time.
func (u *reverser) dueOf(j *backJob, seen sight) {
	j.before = seen.now
	at := j.at
	j.at = nil
	for _, i := range at {
		c := u.plan.tenant[i]
		switch {
		case seen.unread != "":
			u.run.tenant[i] = outcome{result: ResultFailed, note: "not written, as " + seen.unread}
		case backShown(c, seen.now) && !hiddenChange(c, seen.now):
			u.run.tenant[i] = outcome{result: ResultNotNeeded, note: "somebody has done it since the plan was made"}
		case !backDue(c, seen.now) || !u.dropsAsShown(c, seen.now):
			u.run.tenant[i] = outcome{result: ResultSkipped, note: "it has changed since the plan was made; plan again"}
		default:
			j.at = append(j.at, i)
		}
	}
	j.build(u.plan, func(int) bool { return true })
}

// dropsAsShown tells whether a restore would drop just what people were shown.
func (u *reverser) dropsAsShown(c Change, now profile) bool {
	return !isRestore(c) || !slices.ContainsFunc(c.Add, func(name string) bool {
		l, ok := audit.ParseLogonType(name)
		return !ok || now.lists[l].missing != "" || !now.lists[l].value.Equal(u.plan.undo.shown[managedList{c.Subject.ID, l}])
	})
}

// build makes the calls for the changes that are chosen.
func (j *backJob) build(p *Plan, chosen func(i int) bool) {
	j.restore, j.edit = nil, nil
	for _, i := range j.at {
		c := p.tenant[i]
		switch {
		case !chosen(i):
		case c.Setting == audit.SettingDefaultAuditSet:
			set := j.before.managed.value
			for _, name := range c.Add {
				if l, ok := audit.ParseLogonType(name); ok {
					set = set.with(l)
				}
			}
			j.restore = set.names()
		default:
			if j.edit == nil {
				j.edit = &exchange.MailboxEdit{Ref: j.ref}
			}
			backEdit(j.edit, c)
		}
	}
}

// backEdit adds a change to what a mailbox is sent. A list that is pinned again is
// sent whole.
func backEdit(e *exchange.MailboxEdit, c Change) {
	switch c.Setting {
	case audit.SettingAuditEnabled:
		want, _ := c.After.(bool)
		e.AuditEnabled = &want
		return
	case audit.SettingAuditLogAgeLimit:
		e.AuditLogAgeLimit, _ = c.After.(string)
		return
	default:
	}
	edit := &exchange.ListEdit{Add: c.Add, Remove: c.Remove}
	if c.Pins {
		edit = &exchange.ListEdit{Replace: namesOf(c.After)}
	}
	switch logonType(c.Setting) {
	case audit.Admin:
		e.Admin = edit
	case audit.Delegate:
		e.Delegate = edit
	case audit.Owner:
		e.Owner = edit
	}
}

// write sends the restores, which are answered before anything else is sent, then
// the rest. What a mailbox is refused for one of its settings is sent again setting by
// setting, so that the others are not lost with it.
func (u *reverser) write(ctx context.Context, jobs []*backJob) {
	u.send(ctx, jobs, func(j *backJob) *exchange.MailboxEdit {
		if j.restore == nil {
			return nil
		}
		return &exchange.MailboxEdit{Ref: j.ref, DefaultAuditSet: j.restore}
	}, isRestore)
	edits := func(j *backJob) *exchange.MailboxEdit {
		if j.edit == nil || u.withhold(j) {
			return nil
		}
		return j.edit
	}
	u.send(ctx, jobs, edits, func(c Change) bool { return !isRestore(c) })
	for _, s := range audit.Settings() {
		u.send(ctx, jobs, func(j *backJob) *exchange.MailboxEdit { return u.single(j, s) }, func(c Change) bool { return c.Setting == s })
	}
}

func isRestore(c Change) bool { return c.Setting == audit.SettingDefaultAuditSet }

// withhold keeps back an edit with lists whose restore was not answered: it may be
// carried out yet, and would take back what they were given meanwhile.
func (u *reverser) withhold(j *backJob) bool {
	if j.edit.Admin == nil && j.edit.Delegate == nil && j.edit.Owner == nil {
		return false
	}
	for _, i := range j.at {
		if isRestore(u.plan.tenant[i]) && undecided(j.errs[i]) {
			for _, k := range j.at {
				if !isRestore(u.plan.tenant[k]) {
					j.errs[k] = &withheldError{j.errs[i]}
				}
			}
			return true
		}
	}
	return false
}

// single is the edit of one setting of a mailbox whose edit of several was refused
// for what it holds; nil for no other mailbox.
func (u *reverser) single(j *backJob, s audit.Setting) *exchange.MailboxEdit {
	parts := 0
	var of *Change
	for _, i := range j.at {
		c := u.plan.tenant[i]
		if isRestore(c) || !inEdit(j.edit, c.Setting) {
			continue
		}
		parts++
		if e, ok := exchangeError(j.errs[i]); ok && e.Status == http.StatusBadRequest && !mayPass(j.errs[i]) && c.Setting == s {
			of = &c
		}
	}
	if of == nil || parts < 2 {
		return nil
	}
	edit := &exchange.MailboxEdit{Ref: j.ref}
	backEdit(edit, *of)
	return edit
}

// inEdit tells whether a setting is part of what a mailbox was sent.
func inEdit(e *exchange.MailboxEdit, s audit.Setting) bool {
	if e == nil {
		return false
	}
	switch s {
	case audit.SettingAuditEnabled:
		return e.AuditEnabled != nil
	case audit.SettingAuditLogAgeLimit:
		return e.AuditLogAgeLimit != ""
	case audit.SettingAuditAdmin:
		return e.Admin != nil
	case audit.SettingAuditDelegate:
		return e.Delegate != nil
	case audit.SettingAuditOwner:
		return e.Owner != nil
	default:
		return false
	}
}

// send makes one call for each mailbox that has one, and notes how it ended for the
// changes that were part of it.
func (u *reverser) send(ctx context.Context, jobs []*backJob, edit func(*backJob) *exchange.MailboxEdit, part func(Change) bool) {
	var edits []exchange.MailboxEdit
	var of []*backJob
	for _, j := range jobs {
		if e := edit(j); e != nil {
			edits, of = append(edits, *e), append(of, j)
		}
	}
	if len(edits) == 0 {
		return
	}
	var errs []error
	for n, res := range u.tenant.SetMailboxes(ctx, edits) {
		for _, i := range of[n].at {
			c := u.plan.tenant[i]
			if part(c) && (isRestore(c) || inEdit(&edits[n], c.Setting)) {
				of[n].errs[i] = res.Err
			}
		}
		errs = append(errs, res.Err)
	}
	u.refusals(audit.KindMailbox, "Set-Mailbox", errs)
}
