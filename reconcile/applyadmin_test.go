package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// weakened is a tenant whose admin audit log records less than it could.
func weakened() *simulator.Tenant {
	tenant := healthyTenant(3)
	tenant.UpdateAdminAudit(func(a *simulator.AdminAudit) {
		a.AgeLimit, a.ExcludedCmdlets = "30.00:00:00", []string{"Set-MailboxAudit*"}
	})
	return tenant
}

const adminPolicy = `adminAudit: {enabled: true, cmdlets: ["*"], parameters: ["*"], excludedCmdlets: [], ageLimit: 90d}` + "\n"

// TestAdminAuditIsReadOnly: what differs is listed as something that the service
// has no way to set, counts with strict only, and is never written.
func TestAdminAuditIsReadOnly(t *testing.T) {
	b := newBench(t, weakened())
	plan := b.check(parse(t, adminPolicy))
	if got := plan.Verdict(strict); got != reconcile.VerdictDrift {
		t.Errorf("with strict %s", got)
	}
	if got := plan.Verdict(reconcile.Threshold{FailOn: audit.Info}); got != reconcile.VerdictInLine {
		t.Errorf("without strict %s", got)
	}
	s := plan.Summary()
	if s.Changes.Unsupported != 2 || s.States[audit.KindAdminAudit].Drifted != 1 {
		t.Errorf("changes %+v, states %+v", s.Changes, s.States[audit.KindAdminAudit])
	}
	if !plan.Coverage.Complete {
		t.Errorf("coverage %+v", plan.Coverage)
	}
	b.apply(plan)
	if n := b.writes(); n != 0 {
		t.Errorf("%d writes", n)
	}
	healthy := newBench(t, healthyTenant(3))
	if got := healthy.check(parse(t, adminPolicy)).Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("a new tenant is %s", got)
	}
	if n := healthy.service.Count("EXOModuleFile"); n != 0 {
		t.Errorf("the exported cmdlets were asked for %d times, though letters settle it", n)
	}
}

// TestAdminAuditAttempt: with attempt each setting is tried by itself, and the
// service's refusal of the parameter is a result, not a failure.
func TestAdminAuditAttempt(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant := weakened()
		b := newBench(t, tenant)
		plan := b.check(parse(t, strings.Replace(adminPolicy, "ageLimit", "attempt: true, ageLimit", 1)))
		run := b.apply(plan)
		if got := run.Results(); got[reconcile.ResultUnsupported] != 2 || len(got) != 1 {
			t.Errorf("results %v", got)
		}
		if n := b.service.Count("Set-AdminAuditLogConfig"); n != 2 {
			t.Errorf("%d attempts for two settings", n)
		}
		if got := run.Verdict(reconcile.Threshold{FailOn: audit.Info}); got != reconcile.VerdictInLine {
			t.Errorf("verdict of the run: %s", got)
		}
		if got := run.Verdict(strict); got != reconcile.VerdictDrift {
			t.Errorf("verdict of the run with strict: %s", got)
		}
	})
}

// TestAdminAuditRefused: without the row the object is unknown, once.
func TestAdminAuditRefused(t *testing.T) {
	for name, organization := range map[string]string{"alone": "", "beside the unified log": "organization: {unifiedAuditLog: true}\n"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, weakened(), simulator.WithFaults(simulator.Refused("Get-AdminAuditLogConfig")))
			plan := b.check(parse(t, organization+adminPolicy))
			if got := plan.Verdict(strict); got != reconcile.VerdictFailed || !slices.Contains(plan.Refused, "Get-AdminAuditLogConfig") {
				t.Errorf("verdict %s, refused %v", got, plan.Refused)
			}
			if n := plan.Summary().States[audit.KindAdminAudit].Unknown; n != 1 {
				t.Errorf("%d objects are unknown", n)
			}
		})
	}
}
