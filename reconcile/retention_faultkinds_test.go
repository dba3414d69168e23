package reconcile_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/exchange/simulator/oracle"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// retentionSite is a place at which the other service is called.
type retentionSite struct {
	cmdlet string
	// late faults are armed between the check and the apply.
	late, continued bool
}

// TestRetentionFaults goes through every kind of fault at every call of the other
// service, passing and lasting, and looks at the tenant itself.
func TestRetentionFaults(t *testing.T) {
	t.Parallel()
	struck := map[string]bool{}
	for _, site := range []retentionSite{
		{cmdlet: getRetention},
		{cmdlet: getRetention, continued: true},
		{cmdlet: getRetention, late: true},
		{cmdlet: newRetention},
		{cmdlet: setRetention},
	} {
		for _, kind := range simulator.FaultKinds() {
			at := simulator.Site{Cmdlet: site.cmdlet, Continued: site.continued}
			if !kind.Strikes(at) {
				continue
			}
			for name, fault := range map[string]simulator.Fault{"passing": kind.Passing(at), "lasting": kind.Lasting(at)} {
				t.Run(fmt.Sprintf("%s %s at %+v", name, kind.Name, site), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						if retentionFault(t, site, fault, name == "passing") {
							struck[kind.Name] = true
						}
					})
				})
			}
		}
	}
	for _, kind := range simulator.FaultKinds() {
		if kind.Strikes(simulator.Site{Cmdlet: getRetention}) && !struck[kind.Name] {
			t.Errorf("%s never struck", kind.Name)
		}
	}
}

// retentionFault runs one case and tells whether the fault struck.
func retentionFault(t *testing.T, site retentionSite, fault simulator.Fault, passing bool) bool {
	tenant, rec := worksOn(), &recorder{}
	b := &retentionBench{bench: newBench(t, tenant), front: simulator.NewCompliance(tenant, simulator.WithPageSize(1))}
	tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "files", Priority: 9, RecordTypes: []string{"SharePoint"}, Duration: "SixMonths"})
	b.dialThrough(watched{t, b.front.RoundTripper(), rec, func(string) {}})
	p := parse(t, switchAndYear)
	if !site.late {
		b.front.AddFaults(fault)
	}
	shortest := shortestKept(tenant)
	plan := b.plan(p)
	if site.late {
		b.front.AddFaults(fault)
	}
	if plan.Verdict(strict) == reconcile.VerdictInLine {
		t.Error("in line")
	}
	run := b.carry(plan, with(rec))
	done := true
	for c := range run.Changes() {
		if c.Subject.Kind == audit.KindOrganization {
			if c.Result != reconcile.ResultVerified {
				t.Errorf("the other service is not written: %s %s", c.Result, c.Note)
			}
			continue
		}
		done = done && c.Result == reconcile.ResultVerified
		i := slices.IndexFunc(tenant.RetentionPolicies(), func(p simulator.RetentionPolicy) bool { return p.Name == c.Subject.ID })
		if there := i >= 0 && tenant.RetentionPolicies()[i].Duration == "TwelveMonths"; c.Result == reconcile.ResultVerified && !there {
			t.Errorf("%s: verified, and it is not so", c.Subject.ID)
		}
	}
	done = done && plan.Coverage.Complete
	unmet := len(oracle.Judge(tenant, retentionWish(p)))
	switch verdict := run.Verdict(strict); {
	case verdict == reconcile.VerdictInLine && (unmet > 0 || !done):
		t.Errorf("in line, with %d wishes unmet", unmet)
	case done && (verdict != reconcile.VerdictInLine || unmet > 0):
		t.Errorf("%s although all is done: %v", verdict, run.Results())
	case passing && !done:
		t.Errorf("a fault that passes left something: %s, %v", verdict, run.Results())
	}
	for key, span := range shortestKept(tenant) {
		if span < shortest[key] {
			t.Errorf("records of %s are kept for %s, and were for %s", key, span, shortest[key])
		}
	}
	if n := len(tenant.RetentionPolicies()); n > 3 {
		t.Errorf("%d policies", n)
	}
	return b.front.Struck(fault.Name) > 0
}

// dialThrough makes the client of the other service go another way, with a token
// that can be renewed and not much patience.
func (b *retentionBench) dialThrough(way http.RoundTripper) {
	b.t.Helper()
	var err error
	b.compliance, err = exchange.NewCompliance(exchange.Config{
		Endpoint: "https://ps.compliance.protection.outlook.com", TenantID: b.tenant.ID(), Transport: way,
		TokenSource: &renewable{}, CmdletsPerSecond: 1e6, Retry: exchange.Retry{Tries: 3, Budget: time.Minute},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}
