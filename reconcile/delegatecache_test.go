package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

// TestFullAccessIsRemembered: who has full access is asked again after a day, or
// where the mailbox has changed, or where somebody asks for it by name; the cost
// says what was not asked.
func TestFullAccessIsRemembered(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		tenant, guids := delegateTenantAt(time.Now())
		time.Sleep(time.Hour)
		text := strings.Replace(selecting("{hasDelegates: true}"), ", GroupMailbox", "", 1)
		s := newShelf()
		asked := func(id string, change ...func(*reconcile.Request)) (*reconcile.Plan, string) {
			b := newBench(t, tenant)
			req := b.later(text, id)
			for _, f := range change {
				f(&req)
			}
			plan := b.remembering(s, req)
			return plan, askedAbout(b, "Get-MailboxPermission")
		}
		const all = "alone denied full inherited leaver reader"
		first, got := asked("run-1")
		if got != all {
			t.Errorf("first: %q", got)
		}
		time.Sleep(time.Hour)
		second, got := asked("run-2")
		want := "0 hasDelegates: full access to 6 mailboxes is known from earlier runs, of the last 24 hours"
		if got != "" || !slices.Contains(costs(second), want) {
			t.Errorf("an hour later: %q, %q", got, costs(second))
		}
		expect(t, second, strings.Join(plannedOf(first), " "), "")
		tenant.Update(guids["alone"], func(m *simulator.Mailbox) { m.Office = "Bern" })
		time.Sleep(30 * time.Minute)
		if _, got := asked("run-3"); got != "alone" {
			t.Errorf("after a change: %q", got)
		}
		if _, got := asked("run-4", func(r *reconcile.Request) { r.Mailbox = guids["full"] }); got != "full" {
			t.Errorf("asked for by name: %q", got)
		}
		tenant.ClearPermissions(guids["full"])
		time.Sleep(23 * time.Hour)
		if _, got := asked("run-5"); got != "denied inherited leaver reader" {
			t.Errorf("a day later: %q", got)
		}
		time.Sleep(time.Hour)
		if last, got := asked("run-6"); got != "alone full" || slices.Contains(plannedOf(last), "full") {
			t.Errorf("a day after the others: %q, planned %q", got, plannedOf(last))
		}
	})
}

func plannedOf(plan *reconcile.Plan) []string {
	p, _ := chosen(plan)
	return p
}

// TestUnreadAccessIsNotRemembered: only an answer is one.
func TestUnreadAccessIsNotRemembered(t *testing.T) {
	tenant, _ := delegateTenant()
	text := strings.Replace(selecting("{hasDelegates: true}"), ", GroupMailbox", "", 1)
	s := newShelf()
	broken := newBench(t, tenant, simulator.WithFaults(simulator.Refused("Get-MailboxPermission")))
	if plan := broken.remembering(s, broken.later(text, "run-1")); plan.Verdict(strict) == reconcile.VerdictInLine {
		t.Error("in line without the answers")
	}
	b := newBench(t, tenant)
	b.remembering(s, b.later(text, "run-2"))
	if got := askedAbout(b, "Get-MailboxPermission"); got != "alone denied full inherited leaver reader" {
		t.Errorf("asked about %q", got)
	}
}
