package reconcile_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a large test: run it without -short, as .ci/test does in its second pass")
	}
}

func ceil(n, by int) int { return (n + by - 1) / by }

// TestLargeCheckCounts holds a check of 25,000 mailboxes to the figures of the
// design: 2 + ceil(N/1000) + ceil(B/1000) requests, ceil(F/1000) more with
// explicit, ceil(A/10) more for allowed accounts that are no mailbox.
func TestLargeCheckCounts(t *testing.T) {
	skipShort(t)
	tenant := simulator.NewTenant(simulator.Seed{Seed: 9, Mailboxes: 25_000, Users: 40, Drift: 0.1})
	n, b := 0, 0
	for range tenant.AllMailboxes() {
		n++
	}
	for range tenant.AllBypass() {
		b++
	}
	i := 0
	for m := range tenant.AllMailboxes() {
		if i++; i%11 == 0 && m.Type == "UserMailbox" {
			tenant.Update(m.Guid, func(m *simulator.Mailbox) { m.AuditEnabled = simulator.Unset })
		}
	}
	f := 0
	for m := range tenant.AllMailboxes() {
		if m.AuditEnabled != simulator.True {
			f++
		}
	}
	entries, a := "", 0
	for u := range tenant.AllUsers() {
		if _, isMailbox := tenant.Mailbox(u.Guid); !isMailbox && a < 23 {
			entries += fmt.Sprintf("    - {account: %q, reason: r, owner: o@contoso.com, expires: 2099-01-01}\n", u.UserPrincipalName)
			a++
		}
	}
	if a != 23 || f <= 1000 {
		t.Fatalf("the tenant has %d accounts without mailbox and %d stored values that are not true", a, f)
	}
	for name, c := range map[string]struct {
		edit func(string) string
		more int
	}{
		"effective": {func(s string) string { return s }, 0},
		"explicit":  {func(s string) string { return strings.Replace(s, "effective", "explicit", 1) }, ceil(f, 1000)},
		"allowed": {func(s string) string {
			return strings.Replace(s, "bypass: {}\n", "bypass:\n  allow:\n"+entries, 1)
		}, ceil(a, 10)},
	} {
		t.Run(name, func(t *testing.T) {
			bench := newBench(t, tenant)
			plan := bench.check(parse(t, c.edit(everything)))
			want := 2 + ceil(n, 1000) + ceil(b, 1000) + c.more
			if got := bench.service.Requests(); got != want || plan.Coverage.Requests != want {
				t.Errorf("%d requests, and the plan says %d; want %d (N=%d B=%d F=%d A=%d)", got, plan.Coverage.Requests, want, n, b, f, a)
			}
			if plan.Coverage.Mailboxes.Read != n || plan.Coverage.Bypass.Read != b || !plan.Coverage.Complete {
				t.Errorf("coverage %+v", plan.Coverage)
			}
			t.Logf("N=%d B=%d: %d requests, %d pages", n, b, plan.Coverage.Requests, plan.Coverage.Pages)
		})
	}
}

// TestLargeApplyCounts: D drifted mailboxes cost at most ceil(D/10) write
// batches, as many to verify, as many again where DefaultAuditSet is restored,
// and one listing more with explicit.
func TestLargeApplyCounts(t *testing.T) {
	skipShort(t)
	for name, c := range map[string]struct {
		policy string
		spoil  func(int, *simulator.Mailbox)
		writes int // batches of writes per ten mailboxes
		stored bool
	}{
		"lists": {`mailboxes: {everyone: {record: {owner: {defaults: true}}, ageLimit: 90d}}`, func(_ int, m *simulator.Mailbox) {
			m.Managed, m.Owner, m.AgeLimit = []string{"Admin", "Delegate"}, []string{"Update"}, "30.00:00:00"
		}, 1, false},
		"restored": {`mailboxes: {everyone: {record: {owner: {managed: true}}, ageLimit: 90d}}`, func(_ int, m *simulator.Mailbox) {
			m.Managed, m.Owner, m.AgeLimit = []string{"Admin", "Delegate"}, []string{"Update"}, "30.00:00:00"
		}, 2, false},
		"explicit": {`mailboxes: {everyone: {auditEnabled: explicit}}`, func(_ int, m *simulator.Mailbox) { m.AuditEnabled = simulator.False }, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{Seed: 9, Mailboxes: 6_000})
			d := 0
			for m := range tenant.AllMailboxes() {
				if m.Type == "UserMailbox" && d < 1_994 {
					d++
					tenant.Update(m.Guid, func(m *simulator.Mailbox) { c.spoil(d, m) })
				}
			}
			b := newBench(t, tenant)
			p := parse(t, c.policy+"\nguards: {maxChangedPercent: 100}\n")
			plan := b.check(p)
			if got := plan.Summary().ChangedMailboxes; got != d {
				t.Fatalf("%d mailboxes are to change, want %d", got, d)
			}
			estimate := plan.Estimate()
			b.service.ResetCalls()
			run := b.apply(plan)
			b.satisfied(p)
			writes, reads, other := 0, 0, 0
			for _, call := range b.service.Calls() {
				switch {
				case !strings.HasSuffix(call.Path, "$batch"):
					other++
				case call.Cmdlets[0].Cmdlet == "Set-Mailbox":
					writes++
				default:
					reads++
				}
			}
			listing := 0
			if c.stored {
				listing = 1
			}
			if writes > c.writes*ceil(d, 10) || reads > ceil(d, 10) || other != listing {
				t.Errorf("D=%d: %d write batches, %d to verify, %d other", d, writes, reads, other)
			}
			if estimate.Requests != writes || estimate.VerifyRequests != reads+other || estimate.Writes != b.writes() {
				t.Errorf("estimated %+v; it was %d, %d, and %d cmdlets", estimate, writes, reads+other, b.writes())
			}
			if n := run.Results()[reconcile.ResultVerified]; n == 0 || len(run.Results()) != 1 {
				t.Errorf("results %v", run.Results())
			}
			t.Logf("D=%d: %d write batches, %d to verify, %d other", d, writes, reads, other)
		})
	}
}

// TestLargePlanMemory: a plan of a large tenant in which everything drifts is
// held folded. The bound is the design's: 64 MB and 100 bytes a mailbox.
func TestLargePlanMemory(t *testing.T) {
	skipShort(t)
	const n = 200_000
	tenant := simulator.NewTenant(simulator.Seed{Seed: 9, Mailboxes: n})
	b := newBench(t, tenant)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	plan := b.check(parse(t, everything))
	b.service.ResetCalls()
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d mailboxes, %d changes: %d bytes held, %d a mailbox", plan.Coverage.Mailboxes.Read, plan.Summary().Changes.Planned, held, held/n)
	if limit := int64(64<<20 + 100*n); held > limit || held > 100*n+(4<<20) {
		t.Errorf("%d bytes are held", held)
	}
	runtime.KeepAlive(plan)
}
