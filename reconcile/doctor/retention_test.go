package doctor_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/reconcile/doctor"
)

// TestRetention: what is at the other service is judged by one read of it.
func TestRetention(t *testing.T) {
	const read, write = "Get-UnifiedAuditLogRetentionPolicy", "Set-UnifiedAuditLogRetentionPolicy"
	for name, tt := range map[string]struct {
		asked, absent bool
		option        simulator.Option
		read, write   doctor.Status
	}{
		"may":               {true, false, simulator.WithRole(simulator.ComplianceAdministrator()), doctor.OK, doctor.Warning},
		"may not":           {true, false, simulator.WithRole(simulator.ExchangeAdministrator()), doctor.Missing, doctor.Missing},
		"may not, no need":  {false, false, simulator.WithRole(simulator.ExchangeAdministrator()), doctor.Warning, doctor.Warning},
		"no token for it":   {true, false, simulator.WithFaults(simulator.Unauthenticated("", 0)), doctor.Missing, doctor.Missing},
		"fails":             {true, false, simulator.WithFaults(simulator.Unavailable("", 0)), doctor.Unknown, doctor.Unknown},
		"no client":         {true, true, nil, doctor.Unknown, doctor.Unknown},
		"no client nor ask": {false, true, nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, simulator.Seed{Mailboxes: 3})
				var front *simulator.Service
				if !tt.absent {
					front = simulator.NewCompliance(b.service.Tenant(), tt.option)
					c, err := exchange.NewCompliance(exchange.Config{
						Endpoint: "https://ps.compliance.protection.outlook.com", TenantID: b.service.Tenant().ID(),
						TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "x"}), Transport: front.RoundTripper(),
					})
					if err != nil {
						t.Fatal(err)
					}
					b.request.Compliance = c
				}
				if tt.asked {
					b.request.Policy = retentionPolicy(t)
				}
				r := b.examine()
				status := func(cmdlet string) doctor.Status {
					i := slices.IndexFunc(r.Checks, func(c doctor.Check) bool { return c.Cmdlet == cmdlet })
					if i < 0 {
						return ""
					}
					return r.Checks[i].Status
				}
				if status(read) != tt.read || status(write) != tt.write {
					t.Errorf("read %s, write %s", status(read), status(write))
				}
				granted := slices.ContainsFunc(r.Grants, func(g doctor.Grant) bool { return slices.Contains(g.For, read) })
				if granted != (tt.read == doctor.Missing) {
					t.Errorf("grants %+v", r.Grants)
				}
				sent := b.service.Requests()
				if front != nil {
					sent += front.Requests()
				}
				if r.Requests != int64(sent) {
					t.Errorf("%d requests of %d", r.Requests, sent)
				}
			})
		})
	}
}

func retentionPolicy(t *testing.T) *policy.Policy {
	t.Helper()
	p, diags := policy.Parse("policy.yaml", []byte("apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: test\nretention: {floor: 180d}\n"))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return p
}
