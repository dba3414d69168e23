package daemon

import (
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// measured is a simulated tenant, a client that is counted, and the figures.
type measured struct {
	t      *testing.T
	tenant *simulator.Tenant
	client *exchange.Client
	policy string
	*Metrics
}

func measure(t *testing.T, tenant *simulator.Tenant, opts ...simulator.Option) *measured {
	t.Helper()
	metrics, err := NewMetrics(nil, "exoaudit v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	m := &measured{t: t, tenant: tenant, policy: measuredPolicy, Metrics: metrics}
	m.connect(simulator.New(tenant, opts...))
	return m
}

// connect makes a new client, as a reload does.
func (m *measured) connect(service *simulator.Service) {
	m.t.Helper()
	var err error
	m.client, err = exchange.New(exchange.Config{
		Endpoint: "https://outlook.office365.com", TenantID: m.tenant.ID(),
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "a-token", TokenType: "Bearer"}),
		Transport:   service.RoundTripper(), CmdletsPerSecond: 1e6, Trace: m.Call,
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.Clients(m.client)
}

const measuredPolicy = `apiVersion: exoaudit/v1
kind: AuditPolicy
name: measured
organization: {unifiedAuditLog: true, mailboxAuditing: true}
bypass: {}
mailboxes:
  everyone: {record: {admin: {defaults: true}, delegate: {defaults: true}, owner: {defaults: true}}, ageLimit: 90d}
guards: {maxChangedPercent: 100}
`

// check runs a loop that writes nothing.
func (m *measured) check(loop string) Ended {
	m.t.Helper()
	p, diags := policy.Parse("policy.yaml", []byte(m.policy))
	if diags.HasErrors() {
		m.t.Fatal(diags)
	}
	at := time.Now()
	plan, err := reconcile.Check(m.t.Context(), m.client, reconcile.Request{
		Tool: "exoaudit v1.2.3", RunID: "run-1", Tenant: m.tenant.ID(), Now: time.Now, Policy: p,
	})
	return Ended{
		Loop: loop, StartedAt: at, FinishedAt: time.Now(), Plan: plan, Err: err,
		Threshold: reconcile.Threshold{FailOn: audit.Low},
	}
}

// apply runs a loop that writes.
func (m *measured) apply(loop string) Ended {
	m.t.Helper()
	e := m.check(loop)
	file, err := journal.Open(filepath.Join(m.t.TempDir(), "journal.ndjson"), e.Plan.RunID, time.Now)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() {
		if err := file.Close(); err != nil {
			m.t.Error(err)
		}
	}()
	e.Run, e.Err = reconcile.Apply(m.t.Context(), m.client, e.Plan, reconcile.ApplyOptions{Recorder: file, Now: time.Now})
	e.FinishedAt = time.Now()
	return e
}
