package reconcile

import (
	"context"
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

// hydrated runs a write; where the tenant is refused for living on shared
// defaults and the policy consents, it is given its own configuration first,
// once, and the write tried again for a bounded time.
func (e *engine) hydrated(bctx, ctx context.Context, write func() error) error {
	err := write()
	org := e.plan.policy.Organization
	if !exchange.IsNotHydrated(err) || org == nil || !org.EnableCustomization || e.stopped(ctx) != "" {
		return err
	}
	if !e.customized && !e.customize(bctx, ctx) {
		return err
	}
	for range hydrationRetries {
		err = write()
		if !exchange.IsNotHydrated(err) || e.mayNotCustomize || !wait(ctx, hydrationWait) || e.stopped(ctx) != "" {
			break
		}
	}
	if exchange.IsNotHydrated(err) && e.customizing != nil {
		e.run.Warnings = append(e.run.Warnings, "the tenant could not be given its own configuration: "+e.customizing.Error())
		e.customizing = nil
	}
	return err
}

// hydrating tells a refusal that was waited for to end already, as long as it
// is going to be.
func (e *engine) hydrating(err error) bool { return e.customized && exchange.IsNotHydrated(err) }

// customize runs Enable-OrganizationCustomization, under an intent of its own.
// It cannot be undone, so it is sent only where the tenant itself says that it
// lives on shared defaults, and again only where it says so after an answer
// that was lost. It tells whether the write that needs it may be tried.
func (e *engine) customize(bctx, ctx context.Context) bool {
	if !e.dehydrated(bctx) {
		return false
	}
	subject := journal.Subject{Kind: audit.KindOrganization, ID: string(audit.KindOrganization), Name: e.plan.orgName}
	intent := journal.Intent{
		Subject: subject, Setting: "organizationCustomization", Before: false, After: true,
		Inverse:      journal.Inverse{Setting: "organizationCustomization", None: "the service has no way back"},
		PolicyDigest: e.plan.Policy.Digest, Origin: e.plan.policy.Organization.Pos.String(),
	}
	if !e.intend(bctx, []journal.Intent{intent}) {
		return false
	}
	e.customized = true
	o := outcome{result: ResultUnconfirmed, note: "accepted; it takes effect in minutes, and the write that follows tells"}
	for n := range maxSends {
		err := e.tenant.EnableOrganizationCustomization(bctx).Err
		e.customizing = err
		e.refusals(audit.KindOrganization, "Enable-OrganizationCustomization", []error{err})
		if err == nil {
			break
		}
		// It also fails where someone else has just done it.
		o.note = err.Error()
		if !mayPass(err) || n == maxSends-1 || !e.pause(ctx, n) || !e.dehydrated(bctx) {
			break
		}
	}
	e.mayNotCustomize = exchange.IsRefused(e.customizing)
	e.conclude(bctx, []journal.Outcome{{Subject: subject, Setting: intent.Setting, Result: string(o.result), Note: o.note}})
	return true
}

// dehydrated tells whether the tenant says of itself that it lives on shared
// defaults (semantics 4.4). An answer without the property leaves the word of
// the refusal; no answer leaves nothing to go by.
func (e *engine) dehydrated(ctx context.Context) bool {
	org, err := e.tenant.Organization(ctx)
	if err != nil {
		return false
	}
	shown, known := org.IsDehydrated.Get()
	return shown || !known
}
