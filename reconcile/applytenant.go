package reconcile

import (
	"context"
	"fmt"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// tenantSettings writes the tenant's own switches, the unified log first, so
// that what follows is recorded there as well.
func (e *engine) tenantSettings(ctx context.Context) {
	for _, s := range []audit.Setting{audit.SettingUnifiedAuditLogIngestionEnabled, audit.SettingAuditDisabled} {
		for i, c := range e.plan.tenant {
			if c.Setting == s && e.may(ctx, c) {
				e.tenantSetting(ctx, i, c)
			}
		}
	}
	for i, c := range e.plan.tenant {
		if c.Subject.Kind == audit.KindAdminAudit && e.may(ctx, c) {
			e.attemptSetting(ctx, i, c)
		}
	}
}

// may tells whether a change is to be made now.
func (e *engine) may(ctx context.Context, c Change) bool {
	return !c.Carried && e.plan.guarded(c).Fate == FatePlanned && e.plan.selection.kind(c.Subject.Kind) &&
		e.run.slip.holds(c) == "" && !e.halted(c.Subject.Kind) && e.stopped(ctx) == ""
}

func (e *engine) tenantSetting(ctx context.Context, i int, c Change) {
	bctx, cancel := e.inFlight(ctx)
	defer cancel()
	if !e.intend(bctx, []journal.Intent{e.intentOf(c, profile{})}) {
		return
	}
	o := e.writeSwitch(bctx, ctx, c)
	if c.Setting == audit.SettingUnifiedAuditLogIngestionEnabled && o.result != ResultFailed {
		e.run.Warnings = append(e.run.Warnings,
			"the unified audit log was off: until ingestion starts, which can take 60 minutes, the writes of this run are recorded only in its own journal")
	}
	e.run.tenant[i] = o
	e.conclude(bctx, []journal.Outcome{outcomeOf(c, o)})
}

// writeSwitch writes a setting and reads it back. A write that may not have
// been made is sent again where the setting still shows as it was.
func (e *engine) writeSwitch(bctx, ctx context.Context, c Change) outcome {
	var o outcome
	var err error
	for n := range maxSends {
		err = e.hydrated(bctx, ctx, func() error {
			if c.Setting == audit.SettingAuditDisabled {
				return e.tenant.SetAuditDisabled(bctx, false).Err
			}
			return e.tenant.SetUnifiedAuditLog(bctx, true).Err
		})
		e.refusals(c.Subject.Kind, setterOf(c.Setting), []error{err})
		if o, _ = e.lookSwitch(bctx, c, err); !o.lost || n == maxSends-1 || e.hydrating(err) || e.refused(setterOf(c.Setting)) || !e.pause(ctx, n) {
			break
		}
		var whole bool
		if o, whole = e.lookSwitch(bctx, c, err); !o.lost || !whole {
			break
		}
	}
	for _, pause := range lateReads() {
		if o.result != ResultUnconfirmed || !wait(ctx, pause) {
			break
		}
		o, _ = e.lookSwitch(bctx, c, err)
	}
	return o
}

// setterOf is the cmdlet that writes a setting of the tenant.
func setterOf(s audit.Setting) string {
	if s == audit.SettingAuditDisabled {
		return "Set-OrganizationConfig"
	}
	return "Set-AdminAuditLogConfig"
}

// lookSwitch reads a setting back after a write that ended with err. It tells
// whether the setting could be read.
func (e *engine) lookSwitch(ctx context.Context, c Change, err error) (o outcome, whole bool) {
	shown, unread := e.readSwitch(ctx, c.Setting)
	switch {
	case unread != nil:
		return unshown(err, "it could not be read back: "+unread.Error()), false
	case shown == c.After:
		return outcome{result: ResultVerified}, true
	}
	return unshown(err, fmt.Sprintf("accepted, but it still reads %t", shown)), true
}

func (e *engine) readSwitch(ctx context.Context, s audit.Setting) (bool, error) {
	var f fact[bool]
	if s == audit.SettingAuditDisabled {
		org, err := e.tenant.Organization(ctx)
		if err != nil {
			return false, err
		}
		f = boolFact("AuditDisabled", org.AuditDisabled)
	} else {
		cfg, err := e.tenant.AdminAuditLog(ctx)
		if err != nil {
			return false, err
		}
		f = boolFact("UnifiedAuditLogIngestionEnabled", cfg.UnifiedAuditLogIngestionEnabled)
	}
	if f.missing != "" {
		return false, fmt.Errorf("%s", f.missing)
	}
	return f.value, nil
}
