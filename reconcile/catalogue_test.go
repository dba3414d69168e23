package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// TestLaggingLists: pinned lists that the defaults have left behind are counted
// where a rule speaks of them and nothing brings them the rest.
func TestLaggingLists(t *testing.T) {
	tenant := healthyTenant(20)
	pinned := 0
	for m := range tenant.AllMailboxes() {
		if m.Type != "UserMailbox" || pinned == 3 {
			continue
		}
		pinned++
		tenant.Update(m.Guid, func(m *simulator.Mailbox) {
			shown := m.Shown("Owner")
			m.Managed = []string{"Admin", "Delegate"}
			m.Owner = slices.DeleteFunc(shown, func(a string) bool { return a == "Send" || pinned == 1 && a == "MailItemsAccessed" })
		})
	}
	lag := []reconcile.LaggingLists{{Logon: "Owner", Mailboxes: 3, Lacking: map[string]int{"Send": 3, "MailItemsAccessed": 1}}}
	without := func(action string, n int) []reconcile.LaggingLists {
		return []reconcile.LaggingLists{{Logon: "Owner", Mailboxes: n, Lacking: map[string]int{action: n}}}
	}
	for name, c := range map[string]struct {
		rules string
		want  []reconcile.LaggingLists
	}{
		"asked for something else":  {"a: {record: {owner: {plus: [Update]}}}", lag},
		"asked for one of them":     {"a: {record: {owner: {plus: [Send]}}}", without("MailItemsAccessed", 1)},
		"asked for the defaults":    {"a: {record: {owner: {defaults: true}}}", nil},
		"to be managed":             {"a: {record: {owner: {managed: true}}}", nil},
		"an exact list":             {"a: {record: {owner: {exact: [Update]}}}", nil},
		"nobody asks for the list":  {"a: {record: {admin: {plus: [Update]}}}", nil},
		"no rule for these types":   {"a: {types: [SharedMailbox], record: {owner: {plus: [Update]}}}", nil},
		"two rules, one for a list": {"a: {ageLimit: 30d}\n  b: {record: {owner: {plus: [Update]}}}", lag},
	} {
		t.Run(name, func(t *testing.T) {
			plan := newBench(t, tenant).check(parse(t, "mailboxes:\n  "+c.rules+"\nguards: {maxChangedPercent: 100}\n"))
			if c.want == nil {
				c.want = []reconcile.LaggingLists{}
			}
			if diff := cmp.Diff(c.want, plan.Catalogue.Lagging); diff != "" {
				t.Error(diff)
			}
			said := slices.ContainsFunc(plan.Warnings, func(w string) bool { return strings.Contains(w, "a pinned list gets no new ones") })
			if said != (len(c.want) > 0) {
				t.Errorf("warnings %v", plan.Warnings)
			}
		})
	}
}

// TestMovedDefaults: where the tenant's default sets are not those of this
// version the plan says in what, and nothing fails.
func TestMovedDefaults(t *testing.T) {
	b := newBench(t, healthyTenant(20), simulator.WithRowEdit(func(_ string, row *simulator.Row) {
		list, _ := row.Get("AuditOwner")
		kind, _ := row.Get("RecipientTypeDetails")
		if string(kind) == `"UserMailbox"` {
			row.Set("AuditOwner", strings.Replace(strings.Replace(string(list), `"Update",`, "", 1), "[", `["BrandNewAction",`, 1))
		}
	}))
	plan := b.check(parse(t, "mailboxes: {everyone: {record: {owner: {defaults: true}}}}\n"))
	if got := plan.Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("verdict %s", got)
	}
	moved := 0
	for _, m := range plan.Catalogue.Moved {
		moved++
		if m.Type != audit.UserMailbox || m.Logon != "Owner" || !slices.Equal(m.Added, []string{"BrandNewAction"}) || !slices.Equal(m.Dropped, []string{"Update"}) {
			t.Errorf("%+v", m)
		}
	}
	if moved == 0 || len(plan.Warnings) != moved || !strings.Contains(plan.Warnings[0], "it has also BrandNewAction, and lacks Update") {
		t.Errorf("moved %+v, warnings %v", plan.Catalogue.Moved, plan.Warnings)
	}
}
