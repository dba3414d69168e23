package exchange_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

const (
	complianceFront  = "ps.compliance.protection.outlook.com"
	complianceRegion = "eur01b." + complianceFront
)

// comply makes a client of a simulated Security & Compliance service, in process,
// and shows the hosts that it calls.
func comply(t *testing.T, s *simulator.Service, change ...func(*exchange.Config)) (*exchange.ComplianceClient, *hostTrace) {
	t.Helper()
	trace := &hostTrace{next: s.RoundTripper()}
	cfg := exchange.Config{
		Endpoint: "https://" + complianceFront, TenantID: s.Tenant().ID(), Domain: s.Tenant().Domain(), Transport: trace,
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "simulated-access-token"}),
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := exchange.NewCompliance(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c, trace
}

// TestRetentionPolicies makes, reads, changes and removes policies under every
// switch.
func TestRetentionPolicies(t *testing.T) {
	for name, switches := range simulator.EachSwitch() {
		t.Run(name, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{})
			made := tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "old", Priority: 100, Duration: "SevenYears", UserIDs: []string{"ceo@contoso.com"}})
			c, trace := comply(t, simulator.NewCompliance(tenant, simulator.WithSwitches(switches), simulator.WithPageSize(1)))
			edit := exchange.RetentionEdit{Priority: 7, Duration: exchange.TwelveMonths, RecordTypes: []string{"ExchangeAdmin", "ExchangeItem"}, Description: "a year"}
			if r := c.NewRetentionPolicy(t.Context(), "exoaudit 1", edit); r.Err != nil {
				t.Fatal(r.Err)
			}
			edit.Duration, edit.Priority = exchange.TenYears, 8
			edit.RecordTypes, edit.Operations = []string{"ExchangeItem"}, []string{"HardDelete"}
			if r := c.SetRetentionPolicy(t.Context(), "exoaudit 1", edit); r.Err != nil {
				t.Fatal(r.Err)
			}
			policies, err := c.RetentionPolicies(t.Context())
			if err != nil || len(policies) != 2 {
				t.Fatalf("%+v, %v", policies, err)
			}
			old, p := policies[0], policies[1]
			if old.Name != exchange.Of("old") || old.Guid != exchange.Of(made.Guid) || old.RetentionDuration != exchange.Of("SevenYears") || !slices.Equal(old.UserIDs.Value, made.UserIDs) ||
				old.RecordTypes.State != exchange.Set || len(old.RecordTypes.Value) != 0 {
				t.Errorf("%+v", old)
			}
			if p.Priority != exchange.Of(8) || p.RetentionDuration != exchange.Of("TenYears") || p.Description != exchange.Of("a year") ||
				!slices.Equal(p.RecordTypes.Value, edit.RecordTypes) || !slices.Equal(p.Operations.Value, edit.Operations) {
				t.Errorf("%+v", p)
			}
			if r := c.RemoveRetentionPolicy(t.Context(), "old"); r.Err != nil || len(tenant.RetentionPolicies()) != 1 {
				t.Errorf("%v, %+v", r.Err, tenant.RetentionPolicies())
			}
			if r := c.RemoveRetentionPolicy(t.Context(), "old"); !exchange.IsNotFound(r.Err) {
				t.Errorf("removed twice: %v", r.Err)
			}
			if trace.hosts[0] != complianceFront || slices.ContainsFunc(trace.hosts[1:], func(h string) bool { return h != complianceRegion }) {
				t.Errorf("hosts %v", trace.hosts)
			}
			if got := c.Stats().Requests; got != int64(len(trace.hosts)) {
				t.Errorf("%d requests of %d", got, len(trace.hosts))
			}
		})
	}
}

// TestRetentionIsRefusedByTheService covers what only the service can tell.
func TestRetentionIsRefusedByTheService(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{})
	tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: "taken", Priority: 1, Duration: "ThreeMonths"})
	c, _ := comply(t, simulator.NewCompliance(tenant))
	edit := exchange.RetentionEdit{Priority: 1, Duration: exchange.SixMonths}
	for name, r := range map[string]exchange.Result[struct{}]{
		"priority": c.NewRetentionPolicy(t.Context(), "new", edit),
		"name":     c.NewRetentionPolicy(t.Context(), "TAKEN", exchange.RetentionEdit{Priority: 2, Duration: exchange.SixMonths}),
	} {
		if r.Err == nil || len(tenant.RetentionPolicies()) != 1 {
			t.Errorf("%s: %v", name, r.Err)
		}
	}
	for _, role := range []simulator.Role{simulator.GlobalReader(), simulator.SecurityReader(), {}} {
		c, _ := comply(t, simulator.NewCompliance(tenant, simulator.WithRole(role)))
		if _, err := c.RetentionPolicies(t.Context()); !exchange.IsRefused(err) {
			t.Errorf("%s reads: %v", role.Name, err)
		}
		if r := c.RemoveRetentionPolicy(t.Context(), "taken"); !exchange.IsRefused(r.Err) {
			t.Errorf("%s removes: %v", role.Name, r.Err)
		}
	}
	c, _ = comply(t, simulator.NewCompliance(tenant, simulator.WithRole(simulator.ComplianceAdministrator())))
	if policies, err := c.RetentionPolicies(t.Context()); err != nil || len(policies) != 1 {
		t.Errorf("%+v, %v", policies, err)
	}
}

// TestRetentionIsRefusedBeforeItIsSent covers what the client can tell.
func TestRetentionIsRefusedBeforeItIsSent(t *testing.T) {
	s := simulator.NewCompliance(simulator.NewTenant(simulator.Seed{}))
	c, _ := comply(t, s)
	good := exchange.RetentionEdit{Priority: 1, Duration: exchange.SixMonths}
	for name, change := range map[string]func(*exchange.RetentionEdit){
		"priority 0":        func(e *exchange.RetentionEdit) { e.Priority = 0 },
		"priority 10001":    func(e *exchange.RetentionEdit) { e.Priority = 10001 },
		"no duration":       func(e *exchange.RetentionEdit) { e.Duration = "" },
		"part of a name":    func(e *exchange.RetentionEdit) { e.Duration = "Ten" },
		"another case":      func(e *exchange.RetentionEdit) { e.Duration = "tenyears" },
		"undocumented":      func(e *exchange.RetentionEdit) { e.Duration = "SevenYears" },
		"long description":  func(e *exchange.RetentionEdit) { e.Description = strings.Repeat("x", 257) },
		"operations alone":  func(e *exchange.RetentionEdit) { e.Operations = []string{"Send"} },
		"operations of two": func(e *exchange.RetentionEdit) { e.Operations, e.RecordTypes = []string{"Send"}, []string{"a", "b"} },
		"an empty user":     func(e *exchange.RetentionEdit) { e.UserIDs = []string{""} },
	} {
		e := good
		change(&e)
		if a, b := c.NewRetentionPolicy(t.Context(), "n", e), c.SetRetentionPolicy(t.Context(), "n", e); !errors.Is(a.Err, exchange.ErrInvalidCall) || !errors.Is(b.Err, exchange.ErrInvalidCall) {
			t.Errorf("%s: %v, %v", name, a.Err, b.Err)
		}
	}
	for _, name := range []string{"", " ", strings.Repeat("n", 65)} {
		for _, r := range []exchange.Result[struct{}]{c.NewRetentionPolicy(t.Context(), name, good), c.SetRetentionPolicy(t.Context(), name, good), c.RemoveRetentionPolicy(t.Context(), name)} {
			if !errors.Is(r.Err, exchange.ErrInvalidCall) {
				t.Errorf("%q: %v", name, r.Err)
			}
		}
	}
	if s.Requests() != 0 {
		t.Errorf("%d requests", s.Requests())
	}
}

// TestComplianceRegionIsFoundAnew moves the tenant and makes its region fail.
func TestComplianceRegionIsFoundAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Now: time.Now()})
		before, after := simulator.NewCompliance(tenant), simulator.NewCompliance(tenant, simulator.WithRegion("nam13b"))
		c, trace := comply(t, before)
		read := func(want ...string) {
			t.Helper()
			trace.hosts = nil
			if _, err := c.RetentionPolicies(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(trace.hosts, want) {
				t.Errorf("hosts %v, want %v", trace.hosts, want)
			}
		}
		read(complianceFront, complianceRegion)
		read(complianceRegion)
		before.AddFaults(simulator.Unavailable("", 1))
		read(complianceRegion, complianceFront, complianceRegion)
		trace.next = after.RoundTripper()
		trace.hosts = nil
		if _, err := c.RetentionPolicies(t.Context()); err == nil {
			t.Error("another region's host answered")
		}
		read(complianceFront, "nam13b."+complianceFront)
	})
}

// TestComplianceDomain shows that the service finds the tenant by its initial
// domain, which can be told later.
func TestComplianceDomain(t *testing.T) {
	s := simulator.NewCompliance(simulator.NewTenant(simulator.Seed{}))
	c, _ := comply(t, s, func(cfg *exchange.Config) { cfg.Domain, cfg.Retry.Tries = "", 1 })
	if _, err := c.RetentionPolicies(t.Context()); err == nil || !strings.Contains(err.Error(), "organization container") {
		t.Errorf("without a domain: %v", err)
	}
	c.SetDomain("evil.example\r\nX-Other: 1")
	if _, err := c.RetentionPolicies(t.Context()); err == nil {
		t.Error("a domain that is none was sent")
	}
	c.SetDomain(s.Tenant().Domain())
	if _, err := c.RetentionPolicies(t.Context()); err != nil {
		t.Error(err)
	}
	calls := s.Calls()
	if got := calls[len(calls)-1].Anchor; got != "UPN:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@contoso.onmicrosoft.com" {
		t.Errorf("anchor %q", got)
	}
	c, _ = comply(t, s, func(cfg *exchange.Config) { cfg.Account = func() string { return "admin@contoso.onmicrosoft.com" } })
	if _, err := c.RetentionPolicies(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestComplianceFaults shows that a read is whole or an error, that reads are tried
// again, and that no write is.
func TestComplianceFaults(t *testing.T) {
	const get, add = "Get-UnifiedAuditLogRetentionPolicy", "New-UnifiedAuditLogRetentionPolicy"
	for _, test := range []struct {
		fault      simulator.Fault
		incomplete bool
	}{
		{simulator.Transient(get, 2), false},
		{simulator.Throttled(get, 1, time.Minute), false},
		{simulator.BodyCut(get, 1), false},
		{simulator.Warned(get, 1, "not all of it"), true},
		{simulator.ErrorInside(get, 0, "half"), true},
		{simulator.NextLinkForeign(get, "evil.example"), true},
	} {
		synctest.Test(t, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{Now: time.Now()})
			for i, name := range []string{"a", "b", "c"} {
				tenant.AddRetentionPolicy(simulator.RetentionPolicy{Name: name, Priority: i + 1, Duration: "SixMonths"})
			}
			c, _ := comply(t, simulator.NewCompliance(tenant, simulator.WithPageSize(2), simulator.WithFaults(test.fault)))
			policies, err := c.RetentionPolicies(t.Context())
			if exchange.IsIncomplete(err) != test.incomplete || err == nil && len(policies) != 3 || err != nil && policies != nil {
				t.Errorf("%s: %d policies, %v", test.fault.Name, len(policies), err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		tenant := simulator.NewTenant(simulator.Seed{Now: time.Now()})
		s := simulator.NewCompliance(tenant, simulator.WithFaults(simulator.Unavailable(add, 0)))
		c, _ := comply(t, s)
		if r := c.NewRetentionPolicy(t.Context(), "n", exchange.RetentionEdit{Priority: 1, Duration: exchange.SixMonths}); r.Err == nil || s.Count(add) != 1 {
			t.Errorf("%v after %d calls", r.Err, s.Count(add))
		}
	})
}

// TestComplianceEndpoints covers which addresses a token is sent to, and where a
// redirect is followed to.
func TestComplianceEndpoints(t *testing.T) {
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "t"})
	const tenant = "11111111-2222-3333-4444-555555555555"
	for _, row := range exchange.Clouds() {
		if _, err := exchange.NewCompliance(exchange.Config{Endpoint: row.ComplianceEndpoint, TenantID: tenant, TokenSource: source}); err != nil {
			t.Errorf("%s: %v", row.Name, err)
		}
		if row.ComplianceScope != row.ComplianceEndpoint+"/.default" {
			t.Errorf("%+v", row)
		}
		if _, err := exchange.New(exchange.Config{Endpoint: row.ComplianceEndpoint, TenantID: tenant, TokenSource: source}); err == nil {
			t.Errorf("%s: the switch of the unified log could be read there", row.Name)
		}
	}
	for endpoint, good := range map[string]bool{
		"https://" + complianceRegion: true, "http://127.0.0.1:8080": true, "https://proxy.example": true,
		"https://outlook.office365.com": false, "https://outlook.office.com": false, "https://eur01b.outlook.office365.com": false,
		"https://eur01b.admin.protection.outlook.com": false, "http://" + complianceFront: false, "https://user@" + complianceFront: false, "": false,
	} {
		_, err := exchange.NewCompliance(exchange.Config{Endpoint: endpoint, TenantID: tenant, TokenSource: source})
		if checked := exchange.CheckComplianceEndpoint(endpoint); (err == nil) != good || (checked == nil) != good {
			t.Errorf("%s: %v, %v", endpoint, err, checked)
		}
	}
	if _, err := exchange.NewCompliance(exchange.Config{Endpoint: "https://" + complianceFront, TenantID: tenant}); err == nil {
		t.Error("no token source")
	}
	const us = "ps.compliance.protection.office365.us"
	for _, test := range []struct{ front, location, want string }{
		{complianceFront, "https://eur01b.admin.protection.outlook.com:446/x", complianceRegion},
		{complianceFront, "https://" + complianceRegion + "/x", complianceRegion},
		{us, "https://usg01b.admin.protection.office365.us:446/x", "usg01b." + us},
		{us, "https://eur01b.admin.protection.outlook.com:446/x", ""},
		{complianceFront, "https://eur01b.admin.protection.evil.example:446/x", ""},
		{complianceFront, "http://eur01b.admin.protection.outlook.com:446/x", ""},
		{"proxy.example", "https://eur01b.admin.protection.outlook.com:446/x", ""},
	} {
		var hosts []string
		c, err := exchange.NewCompliance(exchange.Config{
			Endpoint: "https://" + test.front, TenantID: tenant, TokenSource: source, Retry: exchange.Retry{Tries: 1},
			Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				hosts = append(hosts, req.URL.Host)
				w := httptest.NewRecorder()
				if len(hosts) == 1 {
					w.Header().Set("Location", test.location)
					w.WriteHeader(http.StatusFound)
				} else {
					_, _ = w.WriteString(`{"value":[]}`)
				}
				return w.Result(), nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.RetentionPolicies(t.Context())
		if want := []string{test.front, test.want}; test.want != "" && (err != nil || !slices.Equal(hosts, want)) || test.want == "" && (err == nil || len(hosts) != 1) {
			t.Errorf("%s to %s: %v, hosts %v", test.front, test.location, err, hosts)
		}
	}
}

func TestRetentionSpans(t *testing.T) {
	last := time.Duration(0)
	for _, d := range exchange.RetentionDurations() {
		span, known := d.Span()
		if !known || span <= last {
			t.Errorf("%s is %v, %v", d, span, known)
		}
		last = span
	}
	if span, known := exchange.RetentionDuration("SevenYears").Span(); !known || span != 7*365*24*time.Hour {
		t.Errorf("seven years are %v", span)
	}
	if _, known := exchange.RetentionDuration("Always").Span(); known {
		t.Error("always is known")
	}
}
