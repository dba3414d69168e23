package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// hydrationRetries bound how long a setting is tried again after
// Enable-OrganizationCustomization, which takes effect in minutes (semantics
// 4.4): ten tries in about five minutes.
const (
	hydrationRetries = 10
	hydrationWait    = 30 * time.Second
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
}

// may tells whether a change is to be made now.
func (e *engine) may(ctx context.Context, c Change) bool {
	return e.plan.guarded(c).Fate == FatePlanned && e.plan.selection.kind(c.Subject.Kind) &&
		e.run.slip.holds(c) == "" && !e.halted(c.Subject.Kind) && e.stopped(ctx) == ""
}

func (e *engine) tenantSetting(ctx context.Context, i int, c Change) {
	bctx, cancel := inFlight(ctx)
	defer cancel()
	if !e.intend(bctx, []journal.Intent{e.intentOf(c, profile{})}) {
		return
	}
	err := e.hydrated(bctx, ctx, func() error {
		if c.Setting == audit.SettingAuditDisabled {
			return e.tenant.SetAuditDisabled(bctx, false).Err
		}
		return e.tenant.SetUnifiedAuditLog(bctx, true).Err
	})
	e.refusals(c.Subject.Kind, setterOf(c.Setting), []error{err})
	o := e.confirmTenant(bctx, ctx, c, err)
	if c.Setting == audit.SettingUnifiedAuditLogIngestionEnabled && err == nil {
		e.run.Warnings = append(e.run.Warnings,
			"the unified audit log was off: until ingestion starts, which can take 60 minutes, the writes of this run are recorded only in its own journal")
	}
	e.run.tenant[i] = o
	e.conclude(bctx, []journal.Outcome{outcomeOf(c, o)})
}

// setterOf is the cmdlet that writes a setting of the tenant.
func setterOf(s audit.Setting) string {
	if s == audit.SettingAuditDisabled {
		return "Set-OrganizationConfig"
	}
	return "Set-AdminAuditLogConfig"
}

// hydrated runs a write; where the tenant is refused for living on shared
// defaults and the policy consents, it is given its own configuration first,
// once, and the write tried again for a bounded time.
func (e *engine) hydrated(bctx, ctx context.Context, write func() error) error {
	err := write()
	org := e.plan.policy.Organization
	if !exchange.IsNotHydrated(err) || org == nil || !org.EnableCustomization {
		return err
	}
	if e.stopped(ctx) != "" {
		return err
	}
	if !e.customized {
		e.customized = true
		subject := journal.Subject{Kind: audit.KindOrganization, ID: string(audit.KindOrganization), Name: e.plan.orgName}
		intent := journal.Intent{
			Subject: subject, Setting: "organizationCustomization", Before: false, After: true,
			Inverse:      journal.Inverse{Setting: "organizationCustomization", None: "the service has no way back"},
			PolicyDigest: e.plan.Policy.Digest, Origin: org.Pos.String(),
		}
		if !e.intend(bctx, []journal.Intent{intent}) {
			return err
		}
		o := outcome{result: ResultUnconfirmed, note: "accepted; it takes effect in minutes, and the write that follows tells"}
		if res := e.tenant.EnableOrganizationCustomization(bctx); res.Err != nil {
			// It also fails where someone else has just done it.
			o.note = res.Err.Error()
		}
		e.conclude(bctx, []journal.Outcome{{Subject: subject, Setting: intent.Setting, Result: string(o.result), Note: o.note}})
	}
	for range hydrationRetries {
		if err = write(); !exchange.IsNotHydrated(err) || !wait(ctx, hydrationWait) || e.stopped(ctx) != "" {
			return err
		}
	}
	return err
}

// confirmTenant reads a switch back until it shows.
func (e *engine) confirmTenant(bctx, ctx context.Context, c Change, written error) outcome {
	last := outcome{}
	for _, pause := range []time.Duration{0, firstReadBackWait, secondReadBackWait} {
		if pause > 0 && !wait(ctx, pause) {
			break
		}
		shown, err := e.readSwitch(bctx, c.Setting)
		switch {
		case err == nil && shown == c.After:
			return outcome{result: ResultVerified}
		case written != nil && !undecided(written):
			return unshown(written, "")
		case err != nil:
			last = unshown(written, "it could not be read back: "+err.Error())
		default:
			last = unshown(written, fmt.Sprintf("accepted, but it still reads %t", shown))
		}
	}
	return last
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
	bctx, cancel := inFlight(ctx)
	defer cancel()
	intents := make([]journal.Intent, len(batch))
	edits := make([]exchange.BypassEdit, len(batch))
	for n, i := range batch {
		c := e.plan.tenant[i]
		intents[n] = e.intentOf(c, profile{})
		edits[n] = exchange.BypassEdit{Guid: c.Subject.ID, Enabled: false}
	}
	if !e.intend(bctx, intents) {
		return
	}
	open, results := batch, map[int]error{}
	var errs []error
	for n, res := range e.tenant.SetBypass(bctx, edits) {
		results[batch[n]] = res.Err
		errs = append(errs, res.Err)
	}
	e.refusals(audit.KindBypass, "Set-MailboxAuditBypassAssociation", errs)
	for _, pause := range []time.Duration{0, firstReadBackWait, secondReadBackWait} {
		if len(open) == 0 || pause > 0 && !wait(ctx, pause) {
			break
		}
		open = e.confirmBypass(bctx, open, results)
	}
	outcomes := make([]journal.Outcome, len(batch))
	for n, i := range batch {
		outcomes[n] = outcomeOf(e.plan.tenant[i], e.run.tenant[i])
	}
	e.conclude(bctx, outcomes)
}

// confirmBypass reads rows back, and gives those that do not show the write
// yet.
func (e *engine) confirmBypass(ctx context.Context, open []int, written map[int]error) []int {
	ids := make([]string, len(open))
	for n, i := range open {
		ids[n] = e.plan.tenant[i].Subject.ID
	}
	var still []int
	for n, res := range e.tenant.BypassByID(ctx, ids) {
		i := open[n]
		why := bypassShown(res, ids[n])
		if why == "" {
			e.run.tenant[i] = outcome{result: ResultVerified}
			continue
		}
		e.run.tenant[i] = unshown(written[i], why)
		if e.run.tenant[i].result == ResultUnconfirmed {
			still = append(still, i)
		}
	}
	return still
}

// bypassShown says why a row does not show that its account is recorded again;
// empty where it does.
func bypassShown(res exchange.Result[exchange.BypassAssociation], id string) string {
	enabled, known := res.Value.AuditBypassEnabled.Get()
	shown, ok := parseGUID(res.Value.Guid.Value)
	switch {
	case res.Err != nil:
		return "it could not be read back: " + res.Err.Error()
	case !ok || shown.String() != id:
		return "the service answered with another account"
	case !known:
		return unread("AuditBypassEnabled", res.Value.AuditBypassEnabled.State)
	case enabled:
		return "accepted, but it still reads bypassed"
	}
	return ""
}
