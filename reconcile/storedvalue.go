package reconcile

import (
	"context"
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// hiddenWrite is a write of a stored AuditEnabled, by the place of its change.
type hiddenWrite struct{ record, slot int }

// storedValues confirms writes of stored AuditEnabled values by one more
// listing with the filter, and another where it does not show them yet. Those
// that may not have been made, and that the filter still finds, are sent again.
// It is not made where the run was told to end.
func (e *engine) storedValues(ctx context.Context) {
	for n := range maxSends {
		open, lost := e.hiddenWrites()
		if open == 0 || ctx.Err() != nil || lost && !e.pause(ctx, n) || !lost && n > 0 && !wait(ctx, lateReads()[n-1]) {
			break
		}
		ids, err := readStored(ctx, e.tenant)
		lostWrites := e.judgeStored(ctx, ids, err, n == maxSends-1)
		if err != nil || len(lostWrites) > 0 && (n == maxSends-1 || !e.sendStored(ctx, lostWrites)) {
			break
		}
	}
	e.giveUpStored(ctx)
}

// hiddenWrites counts those that are not decided, and tells whether one may
// not have been made.
func (e *engine) hiddenWrites() (open int, lost bool) {
	for record, slot := range e.run.mailbox.hidden {
		open++
		lost = lost || e.run.mailbox.at(record, slot).lost
	}
	return open, lost
}

// judgeStored judges the hidden writes by the listing, and gives those to send
// again.
func (e *engine) judgeStored(ctx context.Context, ids []guid, err error, last bool) []hiddenWrite {
	var lost []hiddenWrite
	var outcomes []journal.Outcome
	for record, slot := range e.run.mailbox.hidden {
		_, listed := slices.BinarySearchFunc(ids, e.plan.pop.records[record].id, compareGUID)
		o := storedOutcome(e.run.mailbox.at(record, slot), listed, err)
		o.hidden = o.hidden && (o.lost || !last)
		e.run.mailbox.set(record, slot, o)
		if o.lost {
			lost = append(lost, hiddenWrite{record, slot})
		}
		if o.hidden {
			continue
		}
		outcomes = append(outcomes, outcomeOf(e.changeAt(record, slot), o))
		if len(outcomes) >= exchange.BatchSize*exchange.BatchSize {
			e.conclude(ctx, outcomes)
			outcomes = nil
		}
	}
	e.conclude(ctx, outcomes)
	return lost
}

// storedOutcome judges a stored AuditEnabled by the filter. One that is still
// listed may yet show, or be sent again: it stays hidden.
func storedOutcome(was outcome, listed bool, err error) outcome {
	switch {
	case err != nil && was.result == ResultFailed:
		return outcome{result: ResultFailed, note: was.note}
	case err != nil:
		return outcome{result: ResultUnconfirmed, note: "the stored value could not be read back: " + err.Error()}
	case listed && was.unchanged:
		// semantics 2.2: the hidden value can be set only by setting it false
		// first, which this tool never does.
		return outcome{result: ResultUnsupported, note: "not settable without a toggle: the service says that nothing was different, and its filter says otherwise"}
	case listed && was.lost:
		return was
	case listed:
		return outcome{result: ResultUnconfirmed, note: "accepted, but the filter still finds the stored value not true", hidden: true}
	}
	return outcome{result: ResultVerified}
}

// sendStored sends AuditEnabled again to mailboxes that the filter has just
// found. It tells whether all of them were sent it.
func (e *engine) sendStored(ctx context.Context, open []hiddenWrite) bool {
	for batch := range slices.Chunk(open, exchange.BatchSize) {
		if e.halted(audit.KindMailbox) || e.stopped(ctx) != "" {
			return false
		}
		edits := make([]exchange.MailboxEdit, len(batch))
		for i, w := range batch {
			edits[i] = exchange.MailboxEdit{Ref: e.refOf(w.record), AuditEnabled: new(true)}
		}
		bctx, cancel := e.inFlight(ctx)
		var errs []error
		for i, res := range e.tenant.SetMailboxes(bctx, edits) {
			e.run.mailbox.set(batch[i].record, batch[i].slot, storedWrite(res.Err, res.Unchanged))
			errs = append(errs, res.Err)
		}
		cancel()
		e.refusalsAgain(audit.KindMailbox, "Set-Mailbox", errs)
	}
	return true
}

// giveUpStored closes the intents of the hidden writes that are neither sent
// nor looked at any more.
func (e *engine) giveUpStored(ctx context.Context) {
	for record, slot := range e.run.mailbox.hidden {
		if o := e.run.mailbox.at(record, slot); o.lost || o.result == ResultUnconfirmed {
			e.conclude(ctx, []journal.Outcome{outcomeOf(e.changeAt(record, slot), o)})
		}
	}
}

// changeAt is one change of a mailbox.
func (e *engine) changeAt(record, slot int) Change {
	at := 0
	for c := range e.plan.changesOf(record) {
		if at == slot {
			return c
		}
		at++
	}
	return Change{}
}
