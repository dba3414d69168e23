package reconcile_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

const mailboxesOnly = `
mailboxes:
  everyone: {record: {admin: {defaults: true}}}
`

// rawOf checks a raw row against the tenant: the whole row, with where it came from.
func rawOf(t *testing.T, r *reconcile.RawRow, cmdlet, property string) {
	t.Helper()
	if r == nil {
		t.Errorf("there is no row of %s", cmdlet)
		return
	}
	var row map[string]any
	if err := json.Unmarshal(r.Row, &row); err != nil || row[property] == nil || len(row) < 10 {
		t.Errorf("the row of %s has %d properties, %v", cmdlet, len(row), err)
	}
	if r.Cmdlet != cmdlet || r.RequestID == "" || r.ClientRequestID == "" || r.RequestID == r.ClientRequestID || !r.ReadAt.Equal(epoch()) {
		t.Errorf("%s: from %q, request %q, client request %q, read at %s", cmdlet, r.Cmdlet, r.RequestID, r.ClientRequestID, r.ReadAt)
	}
}

// TestRawRows: where they are asked for they are there, whatever the policy speaks of
// and however much of the tenant is looked at.
func TestRawRows(t *testing.T) {
	for name, text := range map[string]string{"all": everything, "mailboxes only": mailboxesOnly} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, healthyTenant(6))
				req := b.request(parse(t, text))
				if got := b.checkRequest(req).Observed(); got.Organization != nil || got.AdminAudit != nil {
					t.Errorf("nobody asked for %+v", got)
				}
				req.Raw = true
				single := req
				single.Mailbox = anyUser(t, b.tenant)
				for _, req := range []reconcile.Request{req, single} {
					got := b.checkRequest(req).Observed()
					rawOf(t, got.Organization, "Get-OrganizationConfig", "AuditDisabled")
					rawOf(t, got.AdminAudit, "Get-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled")
				}
			})
		})
	}
}

// TestRawRowsSinceLastRun: a look at what changed reads both rows too.
func TestRawRowsSinceLastRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := newBench(t, healthyTenant(6)), newShelf()
		session := &reconcile.Session{Store: s, TenantID: b.tenant.ID(), Client: b.client, Now: time.Now}
		req := b.request(parse(t, mailboxesOnly))
		req.Raw = true
		p, err := session.Check(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if err := session.Keep(t.Context(), "check", p, strict); err != nil {
			t.Fatal(err)
		}
		req.SinceLastRun = true
		if p, err = session.Check(t.Context(), req); err != nil || p.Coverage.Scope != reconcile.ScopeIncremental {
			t.Fatalf("scope %s, %v", p.Coverage.Scope, err)
		}
		got := p.Observed()
		rawOf(t, got.Organization, "Get-OrganizationConfig", "AuditDisabled")
		rawOf(t, got.AdminAudit, "Get-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled")
	})
}

// TestRawRowThatIsRefused: a row that only its reader wants is missing, which is said,
// and changes nothing of what is judged. Where the policy needs it, it does.
func TestRawRowThatIsRefused(t *testing.T) {
	check := func(text string, raw bool) *reconcile.Plan {
		b := newBench(t, healthyTenant(6), simulator.WithFaults(simulator.Refused("Get-AdminAuditLogConfig")))
		req := b.request(parse(t, text))
		req.Raw = raw
		return b.checkRequest(req)
	}
	without, p := check(mailboxesOnly, false), check(mailboxesOnly, true)
	if p.Verdict(strict) != without.Verdict(strict) || !p.Coverage.Complete || len(p.Refused) != 0 {
		t.Errorf("%s, coverage %+v, refused %v", p.Verdict(strict), p.Coverage, p.Refused)
	}
	if got := p.Observed(); got.AdminAudit != nil || got.Organization == nil {
		t.Errorf("observed %+v", got)
	}
	said := func(w string) bool { return strings.Contains(w, "Get-AdminAuditLogConfig failed") }
	if !slices.ContainsFunc(p.Warnings, said) || slices.ContainsFunc(without.Warnings, said) {
		t.Errorf("warnings %q, without %q", p.Warnings, without.Warnings)
	}
	if p = check(everything, true); p.Verdict(strict) != reconcile.VerdictFailed || p.Observed().AdminAudit != nil {
		t.Errorf("%s, observed %+v", p.Verdict(strict), p.Observed())
	}
}
