package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// retentionRemover is what it takes to undo the making of a retention policy. No
// other run removes one.
type retentionRemover interface {
	RemoveRetentionPolicy(ctx context.Context, name string) exchange.Result[struct{}]
}

const cmdletRemoveRetention = "Remove-UnifiedAuditLogRetentionPolicy"

// PlanUndo plans within the lease. What came up while the journal was opened is among
// the warnings of the plan.
func (w *Writing) PlanUndo(ctx context.Context, req UndoRequest) (*Plan, error) {
	m, err := w.s.memory(ctx)
	if err != nil {
		return nil, err
	}
	req.Memory, req.Tenant = m, w.s.TenantID
	if w.s.Compliance != nil {
		req.Compliance = w.s.Compliance
	}
	p, err := PlanUndo(ctx, w.s.Client, req)
	if err == nil {
		p.Warnings = append(p.Warnings, w.Warnings...)
	}
	return p, err
}

// Undo makes the changes of a plan that undoes a run, within the lease.
func (w *Writing) Undo(ctx context.Context, p *Plan, opts ApplyOptions) (*Run, error) {
	opts.Recorder, opts.Permit = w.recorder, w.permit
	if w.s.Compliance != nil {
		opts.Compliance = w.s.Compliance
	}
	if p.Summary().Changes.Planned > 0 {
		if err := w.forgetSweep(ctx); err != nil {
			return nil, err
		}
	}
	return ApplyUndo(ctx, w.s.Client, p, opts)
}

// ApplyUndo makes the planned changes of a plan that undoes a run, with the
// discipline of [Apply], in the reverse of its order: mailboxes, retention, then the
// tenant's switches, the unified log last, so that what is undone is on record there as well.
// A switch that is turned on again is the first. Each object is read once more just
// before its write: one that shows something else than the plan was made from is left
// alone. The run that it gives can itself be undone.
func ApplyUndo(ctx context.Context, t Tenant, p *Plan, opts ApplyOptions) (*Run, error) {
	if p.undo == nil {
		return nil, errNotUndo
	}
	run := newRun(p, opts)
	ctx = opts.gated(ctx)
	if err := opts.Recorder.Begin(ctx, run.begin()); err != nil {
		return nil, fmt.Errorf("the journal cannot be written, so nothing else is: %w", err)
	}
	u := &reverser{engine: &engine{
		tenant: t, plan: p, run: run, opts: opts, total: p.undo.mailboxes, refusedOnce: map[string]bool{}, taken: map[string]bool{},
	}}
	u.switches(ctx, false)
	u.mailboxes(ctx)
	u.retentions(ctx)
	u.switches(ctx, true)
	run.Stopped = u.why
	if err := opts.Recorder.End(context.WithoutCancel(ctx)); err != nil && run.Stopped == "" {
		run.Stopped = "the journal could not be closed: " + err.Error()
	}
	run.JournalHead = opts.Recorder.Head()
	run.FinishedAt = opts.Now().UTC()
	stats := t.Stats()
	if opts.Compliance != nil {
		stats = statsOf(t, opts.Compliance)
	}
	run.Requests, run.Pages = int(stats.Requests-p.before.Requests), int(stats.Pages-p.before.Pages)
	slices.Sort(run.Refused)
	slices.Sort(run.Warnings)
	run.Warnings = slices.Compact(run.Warnings)
	return run, nil
}

// reverser applies the plan of an undo once.
type reverser struct{ *engine }

// lone is a setting with a call of its own: how it is written and how it reads.
type lone struct {
	cmdlet string
	send   func(ctx context.Context) error
	now    func(ctx context.Context) (any, error)
	// same tells whether two of its values are one.
	same func(a, b any) bool
}

// switches writes the settings of the tenant, those that weaken or the others.
func (u *reverser) switches(ctx context.Context, weakening bool) {
	order := []audit.Setting{
		audit.SettingAdminAuditLogEnabled, audit.SettingAdminAuditLogCmdlets, audit.SettingAdminAuditLogParameters,
		audit.SettingAdminAuditLogExcludedCmdlets, audit.SettingAdminAuditLogAgeLimit,
		audit.SettingAuditDisabled, audit.SettingUnifiedAuditLogIngestionEnabled,
	}
	if !weakening {
		slices.Reverse(order)
	}
	for _, s := range order {
		for i, c := range u.plan.tenant {
			if c.Setting == s && c.Weakens == weakening && u.may(ctx, c) {
				u.alone(ctx, i, u.loneSwitch(c))
			}
		}
	}
}

// loneSwitch says how a setting of the tenant is written and read.
func (u *reverser) loneSwitch(c Change) lone {
	want, _ := c.After.(bool)
	l := lone{cmdlet: setterOf(c.Setting), same: equalNames}
	switch c.Setting {
	case audit.SettingAuditDisabled:
		l.send = func(ctx context.Context) error { return u.tenant.SetAuditDisabled(ctx, want).Err }
	case audit.SettingUnifiedAuditLogIngestionEnabled:
		l.send = func(ctx context.Context) error { return u.tenant.SetUnifiedAuditLog(ctx, want).Err }
	default:
		edit := adminEdit(c)
		if c.Setting == audit.SettingAdminAuditLogEnabled {
			edit.Enabled = &want
		}
		l.send = func(ctx context.Context) error { return u.tenant.SetAdminAuditLog(ctx, edit).Err }
		l.now = func(ctx context.Context) (any, error) {
			cfg, err := u.tenant.AdminAuditLog(ctx)
			if err != nil {
				return nil, err
			}
			now, missing := adminValue(adminViewOf(cfg), c.Setting)
			return now, missingError(missing)
		}
		return l
	}
	l.now = func(ctx context.Context) (any, error) { return u.readSwitch(ctx, c.Setting) }
	return l
}

// equalNames compares values of settings; lists as sets of names, in any case.
func equalNames(a, b any) bool {
	x, isX := a.([]string)
	y, isY := b.([]string)
	if isX || isY {
		return isX && isY && len(without(x, y))+len(without(y, x)) == 0
	}
	return a == b
}

func missingError(missing string) error {
	if missing == "" {
		return nil
	}
	return errors.New(missing)
}

// retentions goes back to former retention policies, one by one. They are at a
// service of their own, with a token and roles of its own.
func (u *reverser) retentions(ctx context.Context) {
	for i, c := range u.plan.tenant {
		if c.Subject.Kind != audit.KindRetention || u.opts.Compliance == nil || !u.may(ctx, c) {
			continue
		}
		if c.After == nil {
			if _, can := u.opts.Compliance.(retentionRemover); !can {
				u.run.tenant[i] = outcome{result: ResultSkipped, note: "no retention policy can be removed here"}
				continue
			}
		}
		u.alone(ctx, i, u.loneRetention(c))
	}
}

// loneRetention says how a retention policy is written and read.
func (u *reverser) loneRetention(c Change) lone {
	edit := retentionEdit(namesOf(c.After))
	name := c.Subject.ID
	l := lone{cmdlet: cmdletSetRetention, same: samePolicy, send: func(ctx context.Context) error {
		return u.opts.Compliance.SetRetentionPolicy(ctx, name, edit).Err
	}}
	switch remover, can := u.opts.Compliance.(retentionRemover); {
	case c.After == nil && can:
		l.cmdlet, l.send = cmdletRemoveRetention, func(ctx context.Context) error { return remover.RemoveRetentionPolicy(ctx, name).Err }
	case c.Before == nil:
		l.cmdlet, l.send = cmdletNewRetention, func(ctx context.Context) error {
			return u.opts.Compliance.NewRetentionPolicy(ctx, name, edit).Err
		}
	}
	l.now = func(ctx context.Context) (any, error) {
		rows, err := u.opts.Compliance.RetentionPolicies(ctx)
		if err != nil {
			return nil, err
		}
		list := foldRetention(rows)
		i := slices.IndexFunc(list, func(p retained) bool { return strings.EqualFold(p.name, name) })
		if i < 0 {
			return nil, nil //nolint:nilnil // There is no policy of that name.
		}
		return list[i].values(), missingError(list[i].missing)
	}
	return l
}

// alone makes one change: it is read once more, recorded, written, and read back.
// A write that may not have been made is sent again where a read shows that all is
// still as before it.
func (u *reverser) alone(ctx context.Context, i int, l lone) {
	c := u.plan.tenant[i]
	bctx, cancel := inFlight(ctx)
	defer cancel()
	if o := u.due(bctx, c, l); o.result != ResultNone {
		u.run.tenant[i] = o
		return
	}
	if !u.intend(bctx, []journal.Intent{u.intentOf(c, profile{})}) {
		return
	}
	var o outcome
	var err error
	for n := range maxSends {
		err = l.send(bctx)
		u.heed(c.Subject.Kind, l.cmdlet, err)
		if o, _ = l.look(bctx, c, err); !o.lost || n == maxSends-1 || u.halted(c.Subject.Kind) || !u.pause(ctx, n) {
			break
		}
		var still bool
		if o, still = l.look(bctx, c, err); !o.lost || !still {
			break
		}
	}
	for _, pause := range lateReads() {
		if o.result != ResultUnconfirmed || !wait(ctx, pause) {
			break
		}
		o, _ = l.look(bctx, c, err)
	}
	u.run.tenant[i] = o
	u.conclude(bctx, []journal.Outcome{outcomeOf(c, o)})
}

// heed looks at how a write ended. The want of a token ends a kind that has a
// service of its own, else everything.
func (u *reverser) heed(kind audit.SubjectKind, cmdlet string, err error) {
	if kind != audit.KindRetention || !exchange.IsUnauthenticated(err) {
		u.refusals(kind, cmdlet, []error{err})
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if !slices.Contains(u.run.Refused, cmdlet) {
		u.run.Refused = append(u.run.Refused, cmdlet)
	}
	u.run.halted[kind] = cmdlet + " was refused"
}

// due reads a setting once more before it is written. It has no result where the
// write is to be made.
func (u *reverser) due(ctx context.Context, c Change, l lone) outcome {
	var now any
	err := attempt(ctx, func() (err error) {
		now, err = l.now(ctx)
		return err
	})
	switch {
	case err != nil:
		return outcome{result: ResultFailed, note: "not written, as it could not be read once more: " + err.Error()}
	case l.same(now, c.After):
		return outcome{result: ResultNotNeeded, note: "somebody has done it since the plan was made"}
	case !l.same(now, c.Before):
		return outcome{result: ResultSkipped, note: "it has changed since the plan was made; plan again"}
	}
	return outcome{}
}

// look reads a setting back after a write that ended with err. It tells whether it
// still shows what was there before, whole.
func (l lone) look(ctx context.Context, c Change, err error) (o outcome, still bool) {
	if exchange.IsUnknownParameter(err) {
		return outcome{result: ResultUnsupported, note: "the service has no such parameter: " + err.Error()}, false
	}
	now, unread := l.now(ctx)
	switch {
	case unread != nil:
		return unshown(err, "it could not be read back: "+unread.Error()), false
	case l.same(now, c.After):
		return outcome{result: ResultVerified}, false
	}
	return unshown(err, "accepted, but it still reads "+shownWords(now)), l.same(now, c.Before)
}

// estimateUndo counts what an undo costs when nothing goes wrong.
func (p *Plan) estimateUndo() Estimate {
	var e Estimate
	restores, edits := map[string]bool{}, map[string]bool{}
	touched := map[string]bool{}
	for _, c := range p.tenant {
		switch {
		case c.Fate != FatePlanned:
		case c.Subject.Kind != audit.KindMailbox:
			e.Writes++
			e.Requests++
			e.VerifyRequests += 2 // It is read once more before.
		case c.Setting == audit.SettingDefaultAuditSet:
			restores[c.Subject.ID], touched[c.Subject.ID] = true, true
		default:
			edits[c.Subject.ID], touched[c.Subject.ID] = true, true
		}
	}
	e.Writes += len(restores) + len(edits)
	e.Requests += batches(len(restores)) + batches(len(edits))
	e.VerifyRequests += 2 * batches(len(touched))
	return e
}
