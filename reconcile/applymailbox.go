package reconcile

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// defaultInFlight is how many batches are under way at once where nothing else
// is said. No source says what the service allows (wire 5.3).
const defaultInFlight = 4

// job is one mailbox that is being written.
type job struct {
	record  int
	ref     exchange.MailboxRef
	changes []slotted
	// restore is the whole DefaultAuditSet to set first; nil for none.
	restore []string
	// edit is everything else; nil for nothing.
	edit *exchange.MailboxEdit
	// err is the error of the last write, unchanged the service's word that
	// nothing was different.
	err       error
	unchanged bool
}

// slotted is a change with its place among the changes of its mailbox.
type slotted struct {
	Change
	slot int
}

// hiddenWrite is a write of AuditEnabled that only the filter can confirm.
type hiddenWrite struct {
	record, slot int
	unchanged    bool
}

// mailboxes writes the mailboxes, ring after ring. A ring is begun only when
// the one before it was read back.
func (e *engine) mailboxes(ctx context.Context) {
	rings := e.opts.Rings
	if len(rings) == 0 {
		rings = []Ring{{}}
	}
	jobs, end := iter.Pull(e.jobs())
	defer end()
	for _, ring := range rings {
		if e.stopped(ctx) != "" {
			return
		}
		if !e.ring(ctx, ring, jobs) {
			return
		}
	}
}

// jobs gives the mailboxes to write, in plan order, made as they are needed.
func (e *engine) jobs() iter.Seq[*job] {
	return func(yield func(*job) bool) {
		for i := range e.plan.selected() {
			if j := e.jobOf(i); j != nil && !yield(j) {
				return
			}
		}
	}
}

// jobOf gathers what is to be written on one mailbox; nil where the saved plan
// holds back all of it.
func (e *engine) jobOf(i int) *job {
	r := e.plan.pop.records[i]
	ref := exchange.MailboxRef{Guid: r.id.String(), Listing: e.plan.pop.profileOf(r.kase).listing}
	j := &job{record: i, ref: ref}
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

// take adds a change to what the mailbox is sent.
func (j *job) take(c Change) {
	if c.Setting == audit.SettingDefaultAuditSet {
		// Always the types managed now plus those to restore: whether the
		// others would stay managed if they were not named is not known.
		j.restore, _ = c.After.([]string)
		return
	}
	if j.edit == nil {
		j.edit = &exchange.MailboxEdit{Ref: j.ref}
	}
	switch c.Setting {
	case audit.SettingAuditEnabled:
		on := true
		j.edit.AuditEnabled = &on
	case audit.SettingAuditLogAgeLimit:
		j.edit.AuditLogAgeLimit, _ = c.After.(string)
	case audit.SettingAuditAdmin:
		j.edit.Admin = listEdit(c)
	case audit.SettingAuditDelegate:
		j.edit.Delegate = listEdit(c)
	case audit.SettingAuditOwner:
		j.edit.Owner = listEdit(c)
	default:
	}
}

// listEdit is what a list is sent. One that Microsoft manages is sent whole:
// whether an Add to it starts from the list that is shown or from one that is
// hidden is not known (wire 10), and this way both end the same.
func listEdit(c Change) *exchange.ListEdit {
	after, _ := c.After.([]string)
	switch {
	case c.Pins && len(c.Remove) > 0:
		return &exchange.ListEdit{Replace: after}
	case c.Pins:
		return &exchange.ListEdit{Add: after}
	default:
		return &exchange.ListEdit{Add: c.Add, Remove: c.Remove}
	}
}

// ring writes one ring, several batches at a time, then reads back what did
// not show at once. It tells whether the next ring may be begun.
func (e *engine) ring(ctx context.Context, ring Ring, next func() (*job, bool)) bool {
	batches := make(chan []*job)
	var wg sync.WaitGroup
	workers := e.opts.InFlight
	if workers <= 0 {
		workers = defaultInFlight
	}
	for range workers {
		wg.Go(func() {
			for batch := range batches {
				e.batch(ctx, batch)
			}
		})
	}
	jobs, more := e.deal(ctx, ring, next, batches)
	close(batches)
	wg.Wait()
	e.pendingReads(ctx)
	if n := e.unproven(jobs); more && n > 0 {
		e.stop("%s of the ring just written could not be verified, so no further ring is begun", counted(n, "change"))
	}
	return more
}

// unproven counts the changes of a ring that do not show. A stored
// AuditEnabled, which only the filter shows, is looked at when all is done.
func (e *engine) unproven(jobs []*job) int {
	n := 0
	for _, j := range jobs {
		for _, c := range j.changes {
			hidden := c.Setting == audit.SettingAuditEnabled && e.plan.storedOnly(e.plan.pop.records[j.record])
			if r := e.run.mailboxOutcome(j.record, c.slot).result; !hidden && r != ResultVerified && r != ResultUnsupported {
				n++
			}
		}
	}
	return n
}

// deal hands out the mailboxes of a ring in batches. It gives the mailboxes of
// a ring that has an end, and tells whether any are left after it.
func (e *engine) deal(ctx context.Context, ring Ring, next func() (*job, bool), batches chan<- []*job) (dealt []*job, more bool) {
	for e.stopped(ctx) == "" {
		size := exchange.BatchSize
		if ring.Mailboxes > 0 {
			size = min(size, ring.Mailboxes-len(dealt))
		}
		if size == 0 {
			return dealt, true
		}
		var batch []*job
		for len(batch) < size {
			j, ok := next()
			if !ok {
				break
			}
			batch = append(batch, j)
		}
		if len(batch) == 0 {
			return dealt, false
		}
		if ring.Mailboxes > 0 {
			dealt = append(dealt, batch...)
		}
		select {
		case batches <- batch:
		case <-ctx.Done():
		}
	}
	return dealt, false
}

// batch records, writes and reads back up to ten mailboxes.
func (e *engine) batch(ctx context.Context, jobs []*job) {
	if e.stopped(ctx) != "" {
		return
	}
	bctx, cancel := inFlight(ctx)
	defer cancel()
	var intents []journal.Intent
	for _, j := range jobs {
		for _, c := range j.changes {
			intents = append(intents, e.intentOf(c.Change))
		}
	}
	if !e.intend(bctx, intents) {
		return
	}
	e.restore(bctx, jobs)
	e.edit(bctx, jobs)
	still := e.readBack(bctx, jobs)
	e.conclude(bctx, e.outcomes(jobs))
	e.mu.Lock()
	e.pending = append(e.pending, still...)
	e.done += len(jobs)
	done := e.done
	e.mu.Unlock()
	if e.opts.Observer.Wrote != nil {
		e.opts.Observer.Wrote(done, e.total)
	}
}

// restore gives logon types back to Microsoft. It is answered before anything
// else is sent: the order within a batch is not known, and whether
// DefaultAuditSet may stand beside a list in one call neither (semantics 2.1).
func (e *engine) restore(ctx context.Context, jobs []*job) {
	var edits []exchange.MailboxEdit
	var of []*job
	for _, j := range jobs {
		if j.restore != nil {
			edits = append(edits, exchange.MailboxEdit{Ref: j.ref, DefaultAuditSet: j.restore})
			of = append(of, j)
		}
	}
	e.send(ctx, edits, of)
}

// edit writes the rest. Where a list was sent whole and the service refuses
// that because an action is already audited, as it did in 2019 (semantics 1.3
// E6), only what is missing is sent again. Whether the refused call wrote
// anything is not known; the read-back tells.
func (e *engine) edit(ctx context.Context, jobs []*job) {
	var edits []exchange.MailboxEdit
	var of []*job
	for _, j := range jobs {
		if j.edit != nil {
			edits = append(edits, *j.edit)
			of = append(of, j)
		}
	}
	e.send(ctx, edits, of)
	edits, of = nil, slices.DeleteFunc(of, func(j *job) bool { return !j.pins() || !j.unchanged && !exchange.IsAlreadyAudited(j.err) })
	for _, j := range of {
		edits = append(edits, j.missingOnly())
	}
	e.send(ctx, edits, of)
}

func (e *engine) send(ctx context.Context, edits []exchange.MailboxEdit, of []*job) {
	if len(edits) == 0 {
		return
	}
	for n, res := range e.tenant.SetMailboxes(ctx, edits) {
		of[n].err, of[n].unchanged = res.Err, res.Unchanged
		e.refusedAll(res.Err)
	}
}

// pins tells whether a list is sent whole.
func (j *job) pins() bool {
	return slices.ContainsFunc(j.changes, func(c slotted) bool { return c.Pins })
}

// missingOnly is the edit with bare Adds; a list that loses something was not
// added to, and stays as it was sent.
func (j *job) missingOnly() exchange.MailboxEdit {
	edit := *j.edit
	for _, c := range j.changes {
		if len(c.Remove) > 0 {
			continue
		}
		bare := &exchange.ListEdit{Add: c.Add}
		switch c.Setting {
		case audit.SettingAuditAdmin:
			edit.Admin = bare
		case audit.SettingAuditDelegate:
			edit.Delegate = bare
		case audit.SettingAuditOwner:
			edit.Owner = bare
		default:
		}
	}
	return edit
}

func (e *engine) outcomes(jobs []*job) []journal.Outcome {
	var out []journal.Outcome
	for _, j := range jobs {
		for _, c := range j.changes {
			out = append(out, outcomeOf(c.Change, e.run.mailboxOutcome(j.record, c.slot)))
		}
	}
	return out
}

// pendingReads reads back, at 5 and at 30 seconds, what did not show at once.
func (e *engine) pendingReads(ctx context.Context) {
	for _, pause := range []time.Duration{firstReadBackWait, secondReadBackWait} {
		e.mu.Lock()
		open := e.pending
		e.pending = nil
		e.mu.Unlock()
		if len(open) == 0 || !wait(ctx, pause) {
			return
		}
		for jobs := range slices.Chunk(open, exchange.BatchSize) {
			bctx, cancel := inFlight(ctx)
			still := e.readBack(bctx, jobs)
			e.conclude(bctx, e.outcomes(jobs))
			cancel()
			e.pending = append(e.pending, still...)
		}
	}
	e.pending = nil
}
