package reconcile

import (
	"context"
	"errors"
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// attemptSetting tries to write a setting of the admin audit log that Exchange
// Online documents as read-only (semantics 4.1), once and in a call of its own,
// so that what is refused of one setting says nothing of the others. That the
// service has no such parameter is the answer to be expected.
func (e *engine) attemptSetting(ctx context.Context, i int, c Change) {
	bctx, cancel := e.inFlight(ctx)
	defer cancel()
	if !e.intend(bctx, []journal.Intent{e.intentOf(c, profile{})}) {
		return
	}
	err := e.hydrated(bctx, ctx, func() error { return e.tenant.SetAdminAuditLog(bctx, adminEdit(c)).Err })
	if exchange.IsUnauthenticated(err) {
		e.stop("the service takes no token of ours any more: %v", err)
	}
	o := e.lookAdmin(bctx, c, err)
	for _, pause := range lateReads() {
		if o.result != ResultUnconfirmed || !wait(ctx, pause) {
			break
		}
		o = e.lookAdmin(bctx, c, err)
	}
	o.lost = false // It is not sent again.
	e.run.tenant[i] = o
	e.conclude(bctx, []journal.Outcome{outcomeOf(c, o)})
}

// adminEdit is what a change is sent as.
func adminEdit(c Change) exchange.AdminAuditEdit {
	list := &exchange.ListEdit{Add: c.Add, Remove: c.Remove}
	switch c.Setting {
	case audit.SettingAdminAuditLogEnabled:
		return exchange.AdminAuditEdit{Enabled: new(true)}
	case audit.SettingAdminAuditLogCmdlets:
		return exchange.AdminAuditEdit{Cmdlets: list}
	case audit.SettingAdminAuditLogParameters:
		return exchange.AdminAuditEdit{Parameters: list}
	case audit.SettingAdminAuditLogExcludedCmdlets:
		return exchange.AdminAuditEdit{ExcludedCmdlets: list}
	default:
		span, _ := c.After.(string)
		return exchange.AdminAuditEdit{AgeLimit: span}
	}
}

// lookAdmin reads a setting back after a write that ended with err.
func (e *engine) lookAdmin(ctx context.Context, c Change, err error) outcome {
	if exchange.IsUnknownParameter(err) {
		return outcome{result: ResultUnsupported, note: "the service has no such parameter: " + err.Error()}
	}
	shown, unread := e.showsAdmin(ctx, c)
	switch {
	case unread != nil:
		return unshown(err, "it could not be read back: "+unread.Error())
	case shown:
		return outcome{result: ResultVerified}
	}
	return unshown(err, "accepted, but it still reads as before")
}

// showsAdmin tells whether a setting reads as the change wants it.
func (e *engine) showsAdmin(ctx context.Context, c Change) (bool, error) {
	cfg, err := e.tenant.AdminAuditLog(ctx)
	if err != nil {
		return false, err
	}
	v := adminViewOf(cfg)
	holds := func(f fact[[]string]) (bool, string) {
		gone := !slices.ContainsFunc(c.Remove, func(name string) bool { return slices.Contains(f.value, name) })
		return gone && len(uncovered(f.value, c.Add)) == 0, f.missing
	}
	var shown bool
	var missing string
	switch c.Setting {
	case audit.SettingAdminAuditLogEnabled:
		shown, missing = v.enabled.value, v.enabled.missing
	case audit.SettingAdminAuditLogCmdlets:
		shown, missing = holds(v.cmdlets)
	case audit.SettingAdminAuditLogParameters:
		shown, missing = holds(v.parameters)
	case audit.SettingAdminAuditLogExcludedCmdlets:
		shown, missing = holds(v.excluded)
	default:
		shown, missing = c.After == audit.FormatTimeSpan(v.age.value), v.age.missing
	}
	if missing != "" {
		return false, errors.New(missing)
	}
	return shown, nil
}
