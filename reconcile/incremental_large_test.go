package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// largeTenant is a tenant with its own clock, of which a full sweep is remembered.
type largeTenant struct {
	*bench
	shelf *shelf
	at    time.Time
	text  string
}

// storedPolicy asks for what only the filter shows.
const storedPolicy = `
organization: {unifiedAuditLog: true, mailboxAuditing: true}
mailboxes: {everyone: {record: {owner: {defaults: true}}, auditEnabled: explicit, ageLimit: 90d}}
guards: {maxChangedPercent: 100}
`

// newLargeTenant makes a tenant of N mailboxes of none of which the stored
// AuditEnabled is true, with 1.5 N bypass rows, and sweeps it.
func newLargeTenant(t *testing.T, mailboxes int) *largeTenant {
	t.Helper()
	l := &largeTenant{at: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), shelf: newShelf()}
	tenant := simulator.NewTenant(simulator.Seed{Seed: 3, Mailboxes: mailboxes, Unset: true, Users: 4, Now: l.at})
	l.bench = newBench(t, tenant, simulator.WithClock(func() time.Time { return l.at }))
	allow := ""
	for u := range tenant.AllUsers() {
		if strings.HasPrefix(u.UserPrincipalName, "svc-") {
			allow += fmt.Sprintf("    - {account: %q, reason: r, owner: o@contoso.com, expires: 2099-01-01}\n", u.UserPrincipalName)
			tenant.SetBypass(u.Guid, true)
		}
	}
	l.text = storedPolicy + "bypass:\n  allow:\n" + allow
	l.look("sweep", false)
	l.at = l.at.Add(3 * time.Hour)
	return l
}

// look compares and keeps the comparison; the bypass listing is not due.
func (l *largeTenant) look(id string, since bool) *reconcile.Plan {
	l.t.Helper()
	req := l.later(l.text, id)
	req.Now, req.SinceLastRun, req.BypassEvery = func() time.Time { return l.at }, since, 24*time.Hour
	return l.remembering(l.shelf, req)
}

// own are the mailboxes with a difference that the run has seen itself, and the
// number of those that it carries.
func own(plan *reconcile.Plan) (seen []string, carried int) {
	all := map[string]bool{}
	for c := range plan.Changes() {
		switch {
		case c.Subject.Kind != audit.KindMailbox:
		case c.Carried:
			all[c.Subject.ID] = true
		default:
			seen = append(seen, c.Subject.ID)
		}
	}
	slices.Sort(seen)
	return slices.Compact(seen), len(all)
}

// TestLargeSinceLastRun: three mailboxes are created and one is weakened. A look at
// what changed finds exactly these, beside what it carries, with as many calls in a
// tenant of 5,000 as in one of 100,000; and where this tool has just written 5,000
// mailboxes, with the pages that those take.
func TestLargeSinceLastRun(t *testing.T) {
	t.Parallel()
	skipShort(t)
	calls := map[int][2]int{}
	for _, n := range []int{5_000, 100_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			l := newLargeTenant(t, n)
			want := []string{users(l.tenant)[n/2]}
			l.tenant.Update(want[0], func(m *simulator.Mailbox) { m.AgeLimit = "30.00:00:00" })
			for range 3 {
				want = append(want, l.tenant.AddMailbox(simulator.Mailbox{}).Guid)
			}
			slices.Sort(want)
			l.at = l.at.Add(5 * time.Minute)
			few := l.holds("few", want, len(want))
			if few > 6 {
				t.Errorf("%d requests where four mailboxes changed, want at most 6", few)
			}
			// Our own writes are changes too, and lie in the overlap of the next look.
			written := 0
			for m := range l.tenant.AllMailboxes() {
				if written == 5_000-1 { // all but the weakened one, in the smaller tenant
					break
				}
				if !slices.Contains(want, m.Guid) {
					l.tenant.Update(m.Guid, func(m *simulator.Mailbox) { m.AuditEnabled = simulator.True })
					written++
				}
			}
			l.at = l.at.Add(5 * time.Minute)
			calls[n] = [2]int{few, l.holds("many", want, written+len(want))}
		})
	}
	if calls[5_000] != calls[100_000] || calls[5_000][1] != calls[5_000][0]+5 {
		t.Errorf("5,000 mailboxes take %v requests, 100,000 take %v", calls[5_000], calls[100_000])
	}
	t.Logf("requests where few and where 5,000 changed: %v", calls)
}

// holds makes a look at what changed: it finds exactly what is wanted, and takes as
// many requests as the listings of what changed have pages. It gives their number.
func (l *largeTenant) holds(id string, want []string, changed int) int {
	l.t.Helper()
	before := l.service.Requests()
	plan := l.look(id, true)
	seen, carried := own(plan)
	if !slices.Equal(seen, want) || plan.Verdict(strict) != reconcile.VerdictDrift || plan.Coverage.Scope != reconcile.ScopeIncremental || !plan.Coverage.Complete {
		l.t.Errorf("%s: found %d mailboxes, want %d; verdict %s, %+v, warnings %q", id, len(seen), len(want), plan.Verdict(strict), plan.Coverage, plan.Warnings)
	}
	open := 0
	for m := range l.tenant.AllMailboxes() {
		if (m.Type == "UserMailbox" || m.Type == "SharedMailbox") && m.AuditEnabled != simulator.True && !slices.Contains(want, m.Guid) {
			open++
		}
	}
	if carried != open || plan.Coverage.Mailboxes.Read != changed {
		l.t.Errorf("%s: %d mailboxes are carried, want %d; %d read, want %d", id, carried, open, plan.Coverage.Mailboxes.Read, changed)
	}
	// The organization, the admin audit log, the listing, that of stored values, which
	// our writes have left, and the one account that is known to be bypassed or allowed.
	got := l.service.Requests() - before
	if figure := 2 + ceil(changed, 1000) + 1 + 1; got != figure || plan.Coverage.Requests != got {
		l.t.Errorf("%s: %d requests, the plan says %d; want %d", id, got, plan.Coverage.Requests, figure)
	}
	return got
}
