package reconcile_test

import (
	"context"
	"iter"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/exchange/simulator/oracle"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// bench is a simulated tenant and a real client for it, in one process.
type bench struct {
	t       testing.TB
	tenant  *simulator.Tenant
	service *simulator.Service
	client  *exchange.Client
	journal string
}

func newBench(t testing.TB, tenant *simulator.Tenant, opts ...simulator.Option) *bench {
	t.Helper()
	b := &bench{t: t, tenant: tenant, service: simulator.New(tenant, opts...), journal: filepath.Join(t.TempDir(), "journal.ndjson")}
	b.reconnect()
	return b
}

// reconnect makes a new client, as another run of the program would.
func (b *bench) reconnect() { b.through(b.service.RoundTripper()) }

// through makes a new client that goes another way to the service.
func (b *bench) through(way http.RoundTripper) {
	b.t.Helper()
	client, err := exchange.New(exchange.Config{
		Endpoint: "https://outlook.office365.com", TenantID: b.tenant.ID(),
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "a-token", TokenType: "Bearer"}),
		Transport:   way, CmdletsPerSecond: 1e6,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.client = client
}

func parse(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, diags := policy.Parse("policy.yaml", []byte("apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: test\n"+text))
	if diags.HasErrors() {
		t.Fatalf("the policy of the test is not valid:\n%v\n%s", diags, text)
	}
	return p
}

func (b *bench) request(p *policy.Policy) reconcile.Request {
	return reconcile.Request{Tool: "exoaudit test", RunID: "run-1", Tenant: b.tenant.ID(), Now: time.Now, Policy: p}
}

func (b *bench) check(p *policy.Policy) *reconcile.Plan {
	b.t.Helper()
	return b.checkRequest(b.request(p))
}

func (b *bench) checkRequest(req reconcile.Request) *reconcile.Plan {
	b.t.Helper()
	plan, err := reconcile.Check(b.ctx(), b.client, req)
	if err != nil {
		b.t.Fatal(err)
	}
	return plan
}

func (b *bench) ctx() context.Context {
	if t, ok := b.t.(*testing.T); ok {
		return t.Context()
	}
	return context.Background()
}

func (b *bench) apply(plan *reconcile.Plan, change ...func(*reconcile.ApplyOptions)) *reconcile.Run {
	b.t.Helper()
	file, err := journal.Open(b.journal, plan.RunID, time.Now)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() {
		if err := file.Close(); err != nil {
			b.t.Error(err)
		}
	}()
	opts := reconcile.ApplyOptions{Recorder: file, Now: time.Now}
	for _, f := range change {
		f(&opts)
	}
	run, err := reconcile.Apply(b.ctx(), b.client, plan, opts)
	if err != nil {
		b.t.Fatal(err)
	}
	return run
}

// strict is the threshold at which everything counts.
var strict = reconcile.Threshold{FailOn: audit.Info, Strict: true}

// writes counts the cmdlets that change something, other than to tell.
func (b *bench) writes() int {
	n := 0
	for _, c := range b.service.Calls() {
		for _, cmdlet := range c.Cmdlets {
			if !strings.HasPrefix(cmdlet.Cmdlet, "Get-") {
				n++
			}
		}
	}
	return n
}

// wishes says what a policy asks of a tenant, for the oracle. It goes from the
// stored truth of each mailbox, not through the code under test.
func wishes(t testing.TB, p *policy.Policy, tenant *simulator.Tenant) oracle.Wishes {
	t.Helper()
	var w oracle.Wishes
	if org := p.Organization; org != nil {
		w.UnifiedAuditLog, w.MailboxAuditing = org.UnifiedAuditLog != nil, org.MailboxAuditing != nil
	}
	for _, e := range p.Exemptions {
		if e.Expired(time.Now()) {
			continue
		}
		w.UnifiedAuditLog = w.UnifiedAuditLog && e.Accept.UnifiedAuditLog == nil
		w.MailboxAuditing = w.MailboxAuditing && e.Accept.MailboxAuditing == nil
	}
	if p.Bypass != nil {
		w.Bypass = &oracle.BypassWish{Allowed: allowed(tenant, p.Bypass.Allow)}
	}
	dir := directoryOf(p, tenant)
	for m := range tenant.AllMailboxes() {
		if wish, ok := wishFor(p, dir, m); ok {
			w.Mailboxes = append(w.Mailboxes, wish)
		}
	}
	return w
}

// allowed gives the objects behind the allow entries that are in force.
func allowed(tenant *simulator.Tenant, entries []policy.Allow) []string {
	named := map[string]bool{}
	for _, a := range entries {
		if !a.Expired(time.Now()) {
			named[strings.ToLower(a.Account+a.ID)] = true
		}
	}
	var out []string
	for m := range tenant.AllMailboxes() {
		if named[m.Guid] || named[strings.ToLower(m.UserPrincipalName)] || named[strings.ToLower(m.PrimarySMTPAddress)] || named[m.ExternalDirectoryObjectID] {
			out = append(out, m.Guid)
		}
	}
	for u := range tenant.AllUsers() {
		if named[strings.ToLower(u.UserPrincipalName)] || u.ExternalDirectoryObjectID != "" && named[u.ExternalDirectoryObjectID] {
			out = append(out, u.Guid)
		}
	}
	for row := range tenant.AllBypass() {
		if named[row.Guid] || named[row.ExchangeObjectID] {
			out = append(out, row.Guid)
		}
	}
	return out
}

// truth is what a mailbox is, with every fact known.
func truth(dir directory, m simulator.Mailbox) policy.Subject {
	s := policy.Subject{
		Type: audit.MailboxType(m.Type), AddressesKnown: true, Attributes: map[policy.Attribute]policy.Fact{},
		Groups: dir.groupsOf(m), Delegates: policy.BoolFact{Value: dir.delegated[m.Guid] || sendOnBehalf(m), Known: true},
		Capabilities: m.Capabilities, CapabilitiesKnown: true,
	}
	for _, a := range m.Addresses {
		if strings.HasPrefix(strings.ToLower(a), "smtp:") {
			s.Addresses = append(s.Addresses, a[5:])
		}
	}
	for _, a := range policy.AllAttributes() {
		s.Attributes[a] = policy.Fact{Value: stored(m, a), Known: true}
	}
	return s
}

func wishFor(p *policy.Policy, dir directory, m simulator.Mailbox) (oracle.Wish, bool) {
	s := truth(dir, m)
	var matched []int
	for i, r := range p.Mailboxes {
		if r.Match(s) == policy.Yes {
			matched = append(matched, i)
		}
	}
	if len(matched) == 0 {
		return oracle.Wish{}, false
	}
	ws, _ := p.Resolve(s.Type, matched)
	w := oracle.Wish{Guid: m.Guid}
	for l, r := range map[audit.LogonType]**oracle.Record{audit.Admin: &w.Admin, audit.Delegate: &w.Delegate, audit.Owner: &w.Owner} {
		if rec := ws.Record[l]; rec != nil {
			*r = &oracle.Record{Defaults: rec.Defaults, Plus: rec.Plus.Slice(), Managed: rec.Managed}
			if rec.Exact != nil {
				(*r).Exact = rec.Exact.Slice()
			}
		}
	}
	if ws.AuditEnabled != nil {
		w.AuditEnabled = ws.AuditEnabled.Value.String()
	}
	if ws.AgeLimit != nil {
		w.AgeLimit = ws.AgeLimit.Value
	}
	return w, true
}

func stored(m simulator.Mailbox, a policy.Attribute) string {
	switch a {
	case policy.AttributeOffice:
		return m.Office
	case policy.AttributeUsageLocation:
		return m.UsageLocation
	}
	for n, v := range m.CustomAttributes {
		if a.Property() == "CustomAttribute"+itoa(n) {
			return v
		}
	}
	return ""
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return "1" + string(rune('0'+n-10))
}

func collect[T any](seq iter.Seq[T]) []T { return slices.Collect(seq) }

// satisfied fails the test where the oracle finds a wish that is not met.
func (b *bench) satisfied(p *policy.Policy) {
	b.t.Helper()
	findings, _ := judge(b.t, p, b.tenant)
	for _, f := range findings {
		b.t.Errorf("the oracle: %s %s %s: %s", f.Kind, f.Guid, f.Setting, f.Why)
	}
}

// synctestRun runs a test in a bubble, in which waiting takes no time.
func synctestRun(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}
