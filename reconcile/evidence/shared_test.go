package evidence_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/evidence"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

const header = "apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: shared\n"

// shared is a policy whose controls end in different ways in the tenant of the tests.
const shared = header + `organization:
  unifiedAuditLog: true
  mailboxAuditing: true
  controls:
    unifiedAuditLog: [ORG:log]
    mailboxAuditing: [ORG:on]
mailboxes:
  everyone:
    record: {admin: {defaults: true}, delegate: {defaults: true}, owner: {defaults: true}}
    auditEnabled: effective
    controls: [BOX:defaults]
  long:
    types: [SharedMailbox]
    ageLimit: 1y
    controls: [BOX:age]
  plain:
    types: [RoomMailbox]
    ageLimit: 30d
bypass:
  controls: [BYPASS:none]
exemptions:
  short:
    where: {address: ["*"]}
    accept: {ageLimit: 30d}
    reason: storage
    owner: messaging@contoso.com
    expires: 2030-01-31
`

func parse(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, found := policy.Parse("policy.yaml", []byte(text))
	if found.HasErrors() {
		t.Fatalf("the policy of the test is not valid: %v", found)
	}
	return p
}

// reader is a client that gives its raw rows fixed ids, as those of calls are random.
type reader struct{ *exchange.Client }

func (r reader) Organization(ctx context.Context) (exchange.Organization, error) {
	o, err := r.Client.Organization(ctx)
	o.Raw = r.fixed(o.Raw, 1)
	return o, err
}

func (r reader) AdminAuditLog(ctx context.Context) (exchange.AdminAuditLog, error) {
	a, err := r.Client.AdminAuditLog(ctx)
	a.Raw = r.fixed(a.Raw, 2)
	return a, err
}

func (reader) fixed(raw *exchange.RawRow, n int) *exchange.RawRow {
	if raw == nil {
		return nil
	}
	return &exchange.RawRow{JSON: raw.JSON, RequestID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), ClientRequestID: fmt.Sprintf("00000000-0000-4000-9000-%012d", n)}
}

// check compares a simulated tenant with a policy, at a fixed time.
func check(t testing.TB, p *policy.Policy, tenant *simulator.Tenant, opts ...simulator.Option) *reconcile.Plan {
	t.Helper()
	return checkRaw(t, p, tenant, true, opts...)
}

func checkRaw(t testing.TB, p *policy.Policy, tenant *simulator.Tenant, raw bool, opts ...simulator.Option) *reconcile.Plan {
	t.Helper()
	service := simulator.New(tenant, opts...)
	client, err := exchange.New(exchange.Config{
		Endpoint: "https://outlook.office365.com", TenantID: tenant.ID(), Transport: service.RoundTripper(),
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "a-token", TokenType: "Bearer"}), CmdletsPerSecond: 1e6,
	})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := reconcile.Check(t.Context(), reader{client}, reconcile.Request{
		Tool: "exoaudit 1.2.3", RunID: "11111111-2222-4333-8444-555555555555", Tenant: tenant.ID(), Policy: p, Raw: raw,
		Now: func() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func tenant(seed simulator.Seed) *simulator.Tenant {
	if seed.Seed == 0 {
		seed.Seed = 1
	}
	return simulator.NewTenant(seed)
}

func drifting() *simulator.Tenant {
	return tenant(simulator.Seed{Mailboxes: 20, Drift: 0.2, Bypassed: 0.1, BypassPerMailbox: -1})
}

// bundle gives what a bundle is made from, with calls and a journal made by hand.
func bundle(t testing.TB, text string, plan *reconcile.Plan) evidence.Bundle {
	t.Helper()
	calls, err := evidence.NewCalls(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = calls.Close() })
	calls.Add(evidence.Call{
		Time: time.Date(2026, 11, 23, 9, 0, 1, 0, time.UTC), Method: "POST", Path: "/adminapi/beta/t/InvokeCommand", Cmdlets: []string{"Get-OrganizationConfig"},
		Status: 200, RequestID: "r-1", ClientRequestID: "c-1", Bytes: 12345,
	})
	return evidence.Bundle{
		Plan: plan, Threshold: reconcile.Threshold{FailOn: audit.Low}, Policy: parse(t, text), Calls: calls,
		Sources: []evidence.Source{{Name: "dir/my policy.yaml", Data: []byte(text)}, {Name: "cis-m365-7.0", BuiltIn: true, Data: []byte("name: x\n")}},
		Journal: &evidence.Journal{Source: "a store", Lines: seq(lines(t)), Since: day(3)},
	}
}

func day(n int) time.Time { return time.Date(2026, 11, n, 12, 0, 0, 0, time.UTC) }

// lines is a journal with an entry for each of six days.
func lines(t testing.TB) []journal.Line {
	t.Helper()
	var out []journal.Line
	n := 0
	now := func() time.Time { n++; return day(n) }
	book := journal.NewBook("run-1", now, "", 0, func(_ context.Context, more []journal.Line) error {
		out = append(out, more...)
		return nil
	})
	ctx := t.Context()
	for _, err := range []error{
		book.Begin(ctx, journal.Begin{Tool: "exoaudit", Tenant: "t"}),
		book.Intend(ctx, []journal.Intent{{Change: "a", Subject: journal.Subject{ID: "1", Name: "ann <script>"}}}),
		book.Conclude(ctx, []journal.Outcome{{Change: "a", Subject: journal.Subject{ID: "1"}, Result: "verified"}}),
		book.Intend(ctx, []journal.Intent{{Change: "b", Subject: journal.Subject{ID: "2"}}}),
		book.Conclude(ctx, []journal.Outcome{{Change: "b", Subject: journal.Subject{ID: "2"}, Result: "failed"}}),
		book.End(ctx),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func seq(list []journal.Line) iter.Seq2[journal.Line, error] {
	return func(yield func(journal.Line, error) bool) {
		for _, l := range list {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// made writes a bundle.
func made(t testing.TB, b evidence.Bundle) ([]byte, evidence.Written) {
	t.Helper()
	var out bytes.Buffer
	w, err := evidence.Write(&out, b)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), w
}

// verified looks at a bundle.
func verified(t testing.TB, data []byte, digest string) evidence.Verification {
	t.Helper()
	v, err := evidence.Verify(bytes.NewReader(data), int64(len(data)), digest)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// inBubble runs a test where waiting costs nothing.
func inBubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

// names of the problems' places.
func places(v evidence.Verification) []string {
	var out []string
	for _, p := range v.Problems {
		out = append(out, p.Place)
	}
	return slices.Compact(out)
}
