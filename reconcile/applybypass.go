package reconcile

import (
	"context"
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// bypass takes accounts off the bypass list, in batches. It never puts one on.
func (e *engine) bypass(ctx context.Context) {
	var todo []int
	for i, c := range e.plan.tenant {
		if c.Setting == audit.SettingAuditBypassEnabled && e.may(ctx, c) {
			todo = append(todo, i)
		}
	}
	for batch := range slices.Chunk(todo, exchange.BatchSize) {
		if e.halted(audit.KindBypass) || e.stopped(ctx) != "" {
			return
		}
		e.bypassBatch(ctx, batch)
	}
}

func (e *engine) bypassBatch(ctx context.Context, batch []int) {
	bctx, cancel := e.inFlight(ctx)
	defer cancel()
	intents := make([]journal.Intent, len(batch))
	for n, i := range batch {
		intents[n] = e.intentOf(e.plan.tenant[i], profile{})
	}
	if !e.intend(bctx, intents) {
		return
	}
	written := map[int]error{}
	e.sendBypass(bctx, batch, written)
	open, lost := e.lookBypass(bctx, batch, written)
	for n := range maxSends - 1 {
		if len(lost) == 0 || e.halted(audit.KindBypass) || !e.pause(ctx, n) {
			break
		}
		if _, lost = e.lookBypass(bctx, lost, written); len(lost) > 0 {
			e.sendBypass(bctx, lost, written)
			_, lost = e.lookBypass(bctx, lost, written)
		}
	}
	for _, pause := range lateReads() {
		open = slices.DeleteFunc(open, func(i int) bool { return e.run.tenant[i].result != ResultUnconfirmed })
		if len(open) == 0 || !wait(ctx, pause) {
			break
		}
		e.lookBypass(bctx, open, written)
	}
	outcomes := make([]journal.Outcome, len(batch))
	for n, i := range batch {
		outcomes[n] = outcomeOf(e.plan.tenant[i], e.run.tenant[i])
	}
	e.conclude(bctx, outcomes)
}

// sendBypass takes accounts off the list, and notes how each write ended.
func (e *engine) sendBypass(ctx context.Context, batch []int, written map[int]error) {
	edits := make([]exchange.BypassEdit, len(batch))
	for n, i := range batch {
		edits[n] = exchange.BypassEdit{Guid: e.plan.tenant[i].Subject.ID, Enabled: false}
	}
	var errs []error
	look := e.refusals
	if _, again := written[batch[0]]; again {
		look = e.refusalsAgain
	}
	for n, res := range e.tenant.SetBypass(ctx, edits) {
		written[batch[n]] = res.Err
		errs = append(errs, res.Err)
	}
	look(audit.KindBypass, "Set-MailboxAuditBypassAssociation", errs)
}

// lookBypass reads rows back and notes what they show. It gives those that are
// not confirmed, and of them those that were read, still show the bypass, and
// whose write may not have been made.
func (e *engine) lookBypass(ctx context.Context, batch []int, written map[int]error) (open, lost []int) {
	ids := make([]string, len(batch))
	for n, i := range batch {
		ids[n] = e.plan.tenant[i].Subject.ID
	}
	for n, res := range e.tenant.BypassByID(ctx, ids) {
		i := batch[n]
		why, whole := bypassShown(res, ids[n])
		if why == "" {
			e.run.tenant[i] = outcome{result: ResultVerified}
			continue
		}
		e.run.tenant[i] = unshown(written[i], why)
		open = append(open, i)
		if whole && e.run.tenant[i].lost {
			lost = append(lost, i)
		}
	}
	return open, lost
}

// bypassShown says why a row does not show that its account is recorded again,
// empty where it does, and whether the row could be read.
func bypassShown(res exchange.Result[exchange.BypassAssociation], id string) (why string, whole bool) {
	enabled, known := res.Value.AuditBypassEnabled.Get()
	shown, ok := parseGUID(res.Value.Guid.Value)
	switch {
	case res.Err != nil:
		return "it could not be read back: " + res.Err.Error(), false
	case !ok || shown.String() != id:
		return "the service answered with another account", false
	case !known:
		return unread("AuditBypassEnabled", res.Value.AuditBypassEnabled.State), false
	case enabled:
		return "accepted, but it still reads bypassed", true
	}
	return "", true
}
