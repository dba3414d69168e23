package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/reconcile"
)

// skewNotice is how far the clocks may be apart: tokens and assertions are
// taken for five to ten minutes beside their time.
const skewNotice = 5 * time.Minute

const (
	getOrganization = "Get-OrganizationConfig"
	getAuditLog     = "Get-AdminAuditLogConfig"
	getUser         = "Get-User"
)

// access is what the service answered to the first calls.
type access struct {
	exported    map[string]bool // by cmdlet in lower case
	exportedErr error
	org         exchange.Organization
	orgErr      error
	log         exchange.AdminAuditLog
	logErr      error
	// hopeless says that no further call makes sense: the service did not take
	// the token, or gave no answer at all.
	hopeless bool
}

// exports tells whether the caller's roles hold a cmdlet; known is false where
// the list could not be had.
func (a access) exports(cmdlet string) (held, known bool) {
	return a.exported[strings.ToLower(cmdlet)], a.exportedErr == nil
}

// called gives the outcome of a cmdlet that was called for real.
func (a access) called(cmdlet string) (err error, tried bool) { //nolint:revive // The error is what is asked for.
	switch cmdlet {
	case getOrganization:
		return a.orgErr, !errors.Is(a.orgErr, errNotCalled)
	case getAuditLog:
		return a.logErr, !errors.Is(a.logErr, errNotCalled)
	default:
		return nil, false
	}
}

// errNotCalled marks a call that the policy does not need, or that makes no
// sense any more.
var errNotCalled = errors.New("not called")

// read makes the calls that cost nothing and change nothing. Where the first
// shows that there is no way in, it is the last.
func (e *examination) read(ctx context.Context) {
	a := &e.access
	a.orgErr, a.logErr = errNotCalled, errNotCalled
	names, err := e.tenant.ExportedCmdlets(ctx)
	a.exportedErr = err
	a.exported = map[string]bool{}
	for _, n := range names {
		a.exported[strings.ToLower(n)] = true
	}
	if a.hopeless = exchange.IsUnauthenticated(err) || err != nil && !answered(err); a.hopeless {
		return
	}
	a.org, a.orgErr = e.tenant.Organization(ctx)
	if e.needed(getAuditLog) {
		a.log, a.logErr = e.tenant.AdminAuditLog(ctx)
	}
}

func (e *examination) needed(cmdlet string) bool {
	return slices.ContainsFunc(e.needs, func(n reconcile.Need) bool { return n.Cmdlet == cmdlet })
}

// service judges whether the endpoint answers, takes the token, and agrees
// about the time.
func (e *examination) service() {
	check := Check{Area: AreaService, Name: "endpoint", Status: OK, Seen: say("%s answers", e.Endpoint)}
	err := e.access.exportedErr
	if err != nil && e.access.orgErr == nil {
		err = nil
	}
	if err != nil && !answered(err) {
		check.Status = Unknown
		check.Seen = say("%s gave no answer that can be used: %v", e.Endpoint, err)
		check.Fix = "check the address, the proxy and the certificate authorities, then run doctor again"
	}
	e.add(check)
	switch {
	case exchange.IsUnauthenticated(err):
		e.add(Check{
			Area: AreaService, Name: "sign-in", Status: Missing, Seen: say("%v", err),
			Fix: "the service does not take this token: see its audience, app role and time above, and get a new one after a change",
		})
	case err == nil:
		e.add(Check{Area: AreaService, Name: "sign-in", Status: OK, Seen: "the service takes the token"})
	}
	e.clock()
}

// answered tells an answer of the service from a call that did not reach it.
func answered(err error) bool {
	if exchange.IsUnauthenticated(err) || exchange.IsIncomplete(err) {
		return true
	}
	failed, ok := errors.AsType[*exchange.Error](err)
	return ok && failed.Status != 0
}

func (e *examination) clock() {
	if e.Clock == nil {
		return
	}
	ahead, known := e.Clock()
	if !known {
		e.add(Check{Area: AreaService, Name: "clock", Status: Warning, Seen: "the service did not say its time"})
		return
	}
	check := Check{Area: AreaService, Name: "clock", Status: OK, Seen: "agrees with the service's to within " + rounded(ahead)}
	if ahead.Abs() > skewNotice {
		side := "behind"
		if ahead < 0 {
			side = "ahead of"
		}
		check.Status = Warning
		check.Seen = fmt.Sprintf("%s %s the service's", ahead.Abs().Round(time.Second), side)
		check.Fix = "set the clock of this machine: tokens and assertions are good for minutes beside their time"
	}
	e.add(check)
}

// rounded gives a bound on a difference of clocks. The service says its time in
// whole seconds, so that less than a few is no difference at all.
func rounded(d time.Duration) string {
	for _, bound := range []time.Duration{5 * time.Second, time.Minute} {
		if d.Abs() <= bound {
			return bound.String()
		}
	}
	return skewNotice.String()
}

// tenantSettings says what was read of the tenant, as far as it decides whether
// a run can do its work.
func (e *examination) tenantSettings() {
	a := e.access
	if a.orgErr == nil {
		e.add(Check{Area: AreaTenant, Name: "name", Status: OK, Seen: say("%s", a.org.Name.Value)})
		e.hydrated(a.org)
		e.mailboxAuditing(a.org)
	}
	if a.logErr != nil {
		return // the cmdlet's own check says it, where it is needed
	}
	on, known := a.log.UnifiedAuditLogIngestionEnabled.Get()
	check := Check{Area: AreaTenant, Name: "unified log", Status: OK, Seen: "it can be read, and is on"}
	switch {
	case !known:
		check.Status = Unknown
		check.Seen = "UnifiedAuditLogIngestionEnabled cannot be read from the answer"
		check.Fix = "run doctor again; if it stays so, this version does not understand the tenant's answer"
	case !on:
		check.Status = Warning
		check.Seen = "it can be read, and is off: nothing that is recorded can be searched"
		check.Fix = "organization.unifiedAuditLog: true in the policy lets apply turn it on"
	}
	e.add(check)
}

// mailboxAuditing speaks up where the answer lacks the switch that decides, under
// every policy, whether mailboxes record at all.
func (e *examination) mailboxAuditing(org exchange.Organization) {
	if _, known := org.AuditDisabled.Get(); !known {
		e.add(Check{
			Area: AreaTenant, Name: "mailbox auditing", Status: Unknown,
			Seen: "AuditDisabled cannot be read from the answer of " + getOrganization,
			Fix:  "run doctor again; if it stays so, this version does not understand the tenant's answer",
		})
	}
}

func (e *examination) hydrated(org exchange.Organization) {
	dehydrated, known := org.IsDehydrated.Get()
	check := Check{Area: AreaTenant, Name: "hydrated", Status: OK, Seen: "yes"}
	switch {
	case !known:
		check.Status, check.Seen = Warning, "IsDehydrated cannot be read from the answer"
	case dehydrated:
		check.Status = Warning
		check.Seen = "no: settings of the tenant are refused until it has a configuration of its own, which cannot be undone"
		check.Fix = "organization.enableCustomization: true in the policy, or Enable-OrganizationCustomization by hand"
	}
	e.add(check)
}
