package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// retention writes the retention policies, one by one: a priority belongs to one
// policy, so they depend on each other. They are read once more before, since a
// write replaces a policy's lists as a whole, and somebody may have been asked
// about the plan for a while.
func (e *engine) retention(ctx context.Context) {
	if e.opts.Compliance == nil {
		return
	}
	var now []retained
	read := false
	for i, c := range e.plan.tenant {
		if c.Setting != audit.SettingRetentionPolicy || !e.may(ctx, c) {
			continue
		}
		if !read {
			rows, err := e.readRetention(ctx)
			if err != nil {
				e.run.tenant[i] = outcome{result: ResultFailed, note: "not written, as the policies could not be read once more: " + err.Error()}
				e.retentionUnread(err)
				return
			}
			now, read = foldRetention(rows), true
		}
		if o := stillDue(c, now); o.result != ResultNone {
			e.run.tenant[i] = o
			continue
		}
		e.retentionPolicy(ctx, i, c)
	}
}

func (e *engine) readRetention(ctx context.Context) (rows []exchange.RetentionPolicy, err error) {
	bctx, cancel := e.inFlight(ctx)
	defer cancel()
	err = attempt(bctx, func() error {
		rows, err = e.opts.Compliance.RetentionPolicies(bctx)
		return err
	})
	return rows, err
}

// retentionUnread ends the kind before its first write.
func (e *engine) retentionUnread(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if withoutAccess(err) {
		e.run.Refused = append(e.run.Refused, cmdletGetRetention)
	}
	e.run.halted[audit.KindRetention] = "the policies could not be read once more before the first write"
}

// stillDue compares what is there with what the plan was made from. It has no
// result where the write is to be made.
func stillDue(c Change, now []retained) outcome {
	after, _ := c.After.([]string)
	i := slices.IndexFunc(now, func(p retained) bool { return strings.EqualFold(p.name, c.Subject.ID) })
	before, there := c.Before.([]string)
	switch {
	case i >= 0 && sameValues(now[i].values(), after):
		return outcome{result: ResultNotNeeded, note: "somebody has done it since the plan was made"}
	case there != (i >= 0), there && !sameValues(now[i].values(), before):
		return outcome{result: ResultSkipped, note: "the policy has changed since the plan was made; plan again"}
	}
	at := retentionEdit(after).Priority
	taken := slices.IndexFunc(now, func(p retained) bool { return p.priority == at && !strings.EqualFold(p.name, c.Subject.ID) })
	if taken >= 0 {
		return outcome{result: ResultSkipped, note: fmt.Sprintf("the priority %d was taken by %s since the plan was made; plan again", at, now[taken].name)}
	}
	return outcome{}
}

// retentionPolicy makes or raises one policy and reads it back. A write that may
// not have been made is sent again where a whole listing shows that it is needed.
func (e *engine) retentionPolicy(ctx context.Context, i int, c Change) {
	bctx, cancel := e.inFlight(ctx)
	defer cancel()
	if !e.intend(bctx, []journal.Intent{e.intentOf(c, profile{})}) {
		return
	}
	var o outcome
	var err error
	for n := range maxSends {
		err = e.sendRetention(bctx, c)
		if o, _ = e.lookRetention(bctx, c, err); !o.lost || n == maxSends-1 || e.halted(audit.KindRetention) || !e.pause(ctx, n) {
			break
		}
		var whole bool
		if o, whole = e.lookRetention(bctx, c, err); !o.lost || !whole {
			break
		}
	}
	for _, pause := range lateReads() {
		if o.result != ResultUnconfirmed || !wait(ctx, pause) {
			break
		}
		o, _ = e.lookRetention(bctx, c, err)
	}
	e.run.tenant[i] = o
	e.conclude(bctx, []journal.Outcome{outcomeOf(c, o)})
}

// sendRetention makes the call. A refusal that comes again ends this kind, and so
// does the want of a token; no other kind, as it is another service with a token
// and roles of its own.
func (e *engine) sendRetention(ctx context.Context, c Change) error {
	values, _ := c.After.([]string)
	edit, cmdlet := retentionEdit(values), cmdletSetRetention
	var err error
	if c.Before == nil {
		cmdlet = cmdletNewRetention
		err = e.opts.Compliance.NewRetentionPolicy(ctx, c.Subject.ID, edit).Err
	} else {
		err = e.opts.Compliance.SetRetentionPolicy(ctx, c.Subject.ID, edit).Err
	}
	if !exchange.IsUnauthenticated(err) {
		e.refusals(audit.KindRetention, cmdlet, []error{err})
	} else {
		e.mu.Lock()
		defer e.mu.Unlock()
		if !slices.Contains(e.run.Refused, cmdlet) {
			e.run.Refused = append(e.run.Refused, cmdlet)
		}
		e.run.halted[audit.KindRetention] = cmdlet + " was refused"
	}
	return err
}

// withoutAccess tells an answer that says that a service is closed to the caller:
// its role, its token, or that there is no token for it.
func withoutAccess(err error) bool {
	return exchange.IsRefused(err) || exchange.IsUnauthenticated(err)
}

// lookRetention reads the policies back after a write that ended with err. It
// tells whether the listing was whole.
func (e *engine) lookRetention(ctx context.Context, c Change, err error) (o outcome, whole bool) {
	rows, unread := e.opts.Compliance.RetentionPolicies(ctx)
	if unread != nil {
		return unshown(err, "it could not be read back: "+unread.Error()), false
	}
	list := foldRetention(rows)
	i := slices.IndexFunc(list, func(p retained) bool { return strings.EqualFold(p.name, c.Subject.ID) })
	before, _ := c.Before.([]string)
	after, _ := c.After.([]string)
	switch {
	case i < 0 && c.Before == nil:
		return unshown(err, "accepted, but there is no policy of that name yet"), true
	case i < 0:
		return outcome{result: ResultFailed, note: "the policy is gone"}, true
	case list[i].missing != "":
		return unshown(err, list[i].missing), false
	case sameValues(list[i].values(), after):
		return outcome{result: ResultVerified}, true
	case c.Before == nil:
		return outcome{result: ResultFailed, note: "there is another policy of that name"}, true
	case !sameValues(list[i].values(), before):
		// Sent again, it could keep records for less than somebody now has them kept.
		return outcome{result: ResultFailed, note: "somebody else changed the policy; it reads " + strings.Join(list[i].values(), ", ")}, true
	}
	return unshown(err, fmt.Sprintf("accepted, but it still reads %s", strings.Join(list[i].values(), ", "))), true
}

// sameValues compares as the service does: names are the same in any case.
func sameValues(a, b []string) bool {
	return slices.EqualFunc(a, b, strings.EqualFold)
}
