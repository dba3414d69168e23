package reconcile

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// defaultInFlight is how many batches are under way at once where nothing else
// is said. No source says what the service allows (wire 5.3).
const defaultInFlight = 4

// mailboxes writes the mailboxes, ring after ring. A ring is begun only when
// the one before it was read back.
func (e *engine) mailboxes(ctx context.Context) {
	rings := e.opts.Rings
	if len(rings) == 0 {
		rings = e.plan.rings()
	}
	jobs, end := iter.Pull(e.jobs())
	defer end()
	for _, ring := range rings {
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

// ring writes one ring, several batches at a time, then reads back what did
// not show at once. It tells whether the next ring may be begun.
func (e *engine) ring(ctx context.Context, ring Ring, next func() (*job, bool)) bool {
	batches := make(chan []*job)
	var dealt []int32
	var more bool
	e.spread(batches, func(jobs []*job) { e.batch(ctx, jobs) }, func() { dealt, more = e.deal(ctx, ring, next, batches) })
	e.resend(ctx)
	e.pendingReads(ctx)
	if n := e.unproven(dealt); more && n > 0 {
		e.stop("%s of the ring just written could not be verified, so no further ring is begun", counted(n, "change"))
		return false
	}
	return more
}

// spread runs batches several at a time while they are dealt.
func (e *engine) spread(batches chan []*job, do func([]*job), deal func()) {
	var wg sync.WaitGroup
	workers := e.opts.InFlight
	if workers <= 0 {
		workers = defaultInFlight
	}
	for range workers {
		wg.Go(func() {
			for batch := range batches {
				do(batch)
			}
		})
	}
	deal()
	close(batches)
	wg.Wait()
}

// deal hands out the mailboxes of a ring in batches. It gives the mailboxes of
// a ring that has an end, and tells whether there may be more after it.
func (e *engine) deal(ctx context.Context, ring Ring, next func() (*job, bool), batches chan<- []*job) (dealt []int32, more bool) {
	for {
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
		if len(batch) == 0 || e.halted(audit.KindMailbox) || e.stopped(ctx) != "" {
			return dealt, false
		}
		if ring.Mailboxes > 0 {
			for _, j := range batch {
				dealt = append(dealt, int32(j.record)) //nolint:gosec // An index of the population.
			}
		}
		select {
		case batches <- batch:
		case <-ctx.Done():
		}
	}
}

// unproven counts the changes of a ring that do not show. A stored
// AuditEnabled, which only the filter shows, is looked at when all is done.
func (e *engine) unproven(dealt []int32) int {
	n := 0
	for _, i := range dealt {
		for _, c := range e.jobOf(int(i)).changes {
			o := e.run.mailbox.at(int(i), c.slot)
			if !o.hidden && o.result != ResultVerified && o.result != ResultUnsupported {
				n++
			}
		}
	}
	return n
}

// batch records, writes and reads back up to ten mailboxes.
func (e *engine) batch(ctx context.Context, jobs []*job) {
	if e.halted(audit.KindMailbox) || e.stopped(ctx) != "" {
		return
	}
	bctx, cancel := e.inFlight(ctx)
	defer cancel()
	var intents []journal.Intent
	for _, j := range jobs {
		for _, c := range j.changes {
			intents = append(intents, e.intentOf(c.Change, e.profileAt(j.record)))
		}
	}
	if !e.intend(bctx, intents) {
		return
	}
	e.restore(bctx, jobs)
	e.edit(bctx, jobs)
	waiting, lost := e.readBack(bctx, jobs)
	e.conclude(bctx, e.outcomes(jobs))
	e.countFailures(jobs)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pending, e.lost = append(e.pending, waiting...), append(e.lost, lost...)
	e.done += len(jobs)
	if e.opts.Observer.Wrote != nil {
		e.opts.Observer.Wrote(e.done, e.total)
	}
}

// profileAt is what a mailbox showed before the run.
func (e *engine) profileAt(record int) profile {
	return e.plan.pop.profileOf(e.plan.pop.records[record].kase)
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
	e.send(ctx, edits, of, func(j *job, res exchange.Result[struct{}]) { j.restoreErr, j.restoreSent = res.Err, true })
}

// edit writes the rest. What the service refuses for something in the lists is
// tried again with less: without the actions that are there already, which it
// refused in 2019 (semantics 1.3 E6) and for which it may want a licence; then,
// where a licence is wanting all the same (E4), without the lists, so that the
// rest of the mailbox is still applied. Whether a refused call wrote anything
// is not known; the read-back tells.
func (e *engine) edit(ctx context.Context, jobs []*job) {
	e.sendEdits(ctx, slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.edit == nil || j.withhold() }))
	e.sendEdits(ctx, slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return !j.retreat(j.withBareAdds) }))
	e.sendEdits(ctx, slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool {
		if !exchange.IsUnlicensed(j.editErr) {
			return true
		}
		e.noteLicence(j)
		return !j.retreat(j.withoutLists)
	}))
}

// sendEdits sends the edits of mailboxes as they stand.
func (e *engine) sendEdits(ctx context.Context, of []*job) {
	edits := make([]exchange.MailboxEdit, len(of))
	for i, j := range of {
		edits[i] = *j.edit
	}
	e.send(ctx, edits, of, func(j *job, res exchange.Result[struct{}]) {
		j.editErr, j.unchanged, j.editSent = res.Err, res.Unchanged, true
	})
}

func (e *engine) send(ctx context.Context, edits []exchange.MailboxEdit, of []*job, note func(*job, exchange.Result[struct{}])) {
	if len(edits) == 0 {
		return
	}
	var errs []error
	for n, res := range e.tenant.SetMailboxes(ctx, edits) {
		note(of[n], res)
		errs = append(errs, res.Err)
	}
	look := e.refusals
	if of[0].again {
		look = e.refusalsAgain
	}
	look(audit.KindMailbox, "Set-Mailbox", errs)
}

// outcomes are those that stand. A write that may be sent again stays open in
// the journal until it is known that it will not.
func (e *engine) outcomes(jobs []*job) []journal.Outcome {
	var out []journal.Outcome
	for _, j := range jobs {
		for _, c := range j.changes {
			if o := e.run.mailbox.at(j.record, c.slot); !o.lost {
				out = append(out, outcomeOf(c.Change, o))
			}
		}
	}
	return out
}

// pendingReads reads back, at 5 and at 30 seconds, what did not show at once.
func (e *engine) pendingReads(ctx context.Context) {
	for _, pause := range lateReads() {
		open := e.pending
		e.pending = nil
		if len(open) == 0 || !wait(ctx, pause) {
			return
		}
		slices.Sort(open)
		batches := make(chan []*job)
		e.spread(batches, func(jobs []*job) { e.pendingRead(ctx, jobs) }, func() {
			for records := range slices.Chunk(open, exchange.BatchSize) {
				if ctx.Err() != nil {
					return // their outcomes are recorded as they stand
				}
				batches <- e.jobsOf(records)
			}
		})
	}
	e.pending = nil
}

// pendingRead reads one batch back.
func (e *engine) pendingRead(ctx context.Context, jobs []*job) {
	bctx, cancel := e.inFlight(ctx)
	defer cancel()
	still, lost := e.readBack(bctx, jobs)
	e.conclude(bctx, e.outcomes(jobs))
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pending = slices.Concat(e.pending, still, lost)
}
