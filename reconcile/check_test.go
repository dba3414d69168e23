package reconcile_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

const everything = `
organization: {unifiedAuditLog: true, mailboxAuditing: true}
mailboxes:
  everyone:
    types: [UserMailbox, SharedMailbox, RoomMailbox, EquipmentMailbox]
    record:
      admin: {defaults: true, plus: [Copy, FolderBind, Move]}
      delegate: {defaults: true, plus: [FolderBind]}
      owner: {defaults: true}
    auditEnabled: effective
    ageLimit: 180d
bypass: {}
guards: {maxChangedPercent: 100}
`

// modest is a policy that a new tenant satisfies.
const modest = `
organization: {unifiedAuditLog: true, mailboxAuditing: true}
mailboxes:
  everyone:
    record: {admin: {defaults: true}, delegate: {defaults: true}, owner: {defaults: true}}
    auditEnabled: effective
    ageLimit: 90d
bypass: {}
`

func healthyTenant(mailboxes int) *simulator.Tenant {
	return simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: mailboxes, Users: 2})
}

// anyUser is the Guid of a user mailbox.
func anyUser(t *testing.T, tenant *simulator.Tenant) string {
	t.Helper()
	for m := range tenant.AllMailboxes() {
		if m.Type == "UserMailbox" {
			return m.Guid
		}
	}
	t.Fatal("the tenant has no user mailbox")
	return ""
}

func TestCheckInLine(t *testing.T) {
	b := newBench(t, healthyTenant(30))
	p := parse(t, modest)
	plan := b.check(p)
	if plan.Verdict(strict) != reconcile.VerdictInLine || !plan.Coverage.Complete || plan.Coverage.Mailboxes.Read == 0 {
		t.Errorf("verdict %s, coverage %+v", plan.Verdict(strict), plan.Coverage)
	}
	if n := len(collect(plan.Changes())); n != 0 {
		t.Errorf("%d changes", n)
	}
	b.satisfied(p)
}

// TestDamagedValues: a value that is missing or not understood makes its object
// unknown. It is never in line, and never drift that is not there.
func TestDamagedValues(t *testing.T) {
	t.Parallel()
	damage := func(cmdlet, property, guid string, spoil func(*simulator.Row, string)) func(string, *simulator.Row) {
		return func(c string, row *simulator.Row) {
			id, _ := row.Get("Guid")
			if c == cmdlet && (guid == "" || strings.Contains(string(id), guid)) {
				spoil(row, property)
			}
		}
	}
	remove := func(r *simulator.Row, p string) { r.Delete(p) }
	null := func(r *simulator.Row, p string) { r.Set(p, "null") }
	otherCase := func(r *simulator.Row, p string) { r.Rename(p, strings.ToLower(p)) }
	text := func(r *simulator.Row, p string) { r.Set(p, `"Update"`) }
	number := func(r *simulator.Row, p string) { r.Set(p, "1") }
	object := func(r *simulator.Row, p string) { r.Set(p, `{"a": [1, {"b": null}]}`) }
	twice := func(r *simulator.Row, p string) {
		v, _ := r.Get(p)
		r.Append(p, string(v))
	}
	foreign := func(r *simulator.Row, p string) { r.Set(p, `["Update", 7]`) }
	tenant := healthyTenant(12)
	user := anyUser(t, tenant)
	var account string
	for u := range tenant.AllUsers() {
		account = u.Guid
	}
	type spoiled struct {
		kind     audit.SubjectKind
		cmdlet   string
		property string
		guid     string
		how      string
		spoil    func(*simulator.Row, string)
	}
	var cases []spoiled
	add := func(kind audit.SubjectKind, cmdlet, property, guid string, how string, spoil func(*simulator.Row, string)) {
		cases = append(cases, spoiled{kind, cmdlet, property, guid, how, spoil})
	}
	for how, spoil := range map[string]func(*simulator.Row, string){
		"missing": remove, "null": null, "in another case": otherCase, "a string": text, "a number": number, "an object": object, "twice": twice,
	} {
		add(audit.KindOrganization, "Get-OrganizationConfig", "AuditDisabled", "", how, spoil)
		add(audit.KindOrganization, "Get-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", "", how, spoil)
		add(audit.KindBypass, "Get-MailboxAuditBypassAssociation", "AuditBypassEnabled", account, how, spoil)
		for _, property := range []string{"AuditAdmin", "AuditDelegate", "AuditOwner", "DefaultAuditSet", "PersistedCapabilities", "AuditLogAgeLimit", "RecipientTypeDetails", "Guid"} {
			if property == "AuditLogAgeLimit" && how == "a string" {
				spoil = func(r *simulator.Row, p string) { r.Set(p, `"ninety"`) }
			}
			if how == "a string" && (property == "RecipientTypeDetails" || property == "Guid") {
				continue // A string is what they are.
			}
			add(audit.KindMailbox, "Get-Mailbox", property, user, how, spoil)
		}
		if how != "null" { // Null is how an unset switch may show.
			add(audit.KindMailbox, "Get-Mailbox", "AuditEnabled", user, how, spoil)
		}
	}
	add(audit.KindMailbox, "Get-Mailbox", "AuditOwner", user, "with a foreign element", foreign)
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s %s", c.property, c.how), func(t *testing.T) {
			b := newBench(t, tenant, simulator.WithRowEdit(damage(c.cmdlet, c.property, c.guid, c.spoil)))
			plan := b.check(parse(t, modest))
			if got := plan.Verdict(strict); got != reconcile.VerdictIncomplete {
				t.Errorf("verdict %s", got)
			}
			if n := plan.Summary().States[c.kind].Unknown; n != 1 {
				t.Errorf("%d objects of kind %s are unknown", n, c.kind)
			}
			for ch := range plan.Changes() {
				t.Errorf("drift that is not there: %s %s %v -> %v (%s)", ch.Subject.Name, ch.Setting, ch.Before, ch.After, ch.Fate)
			}
		})
	}
}

// TestCutListings: a listing that ends early is not complete, and nothing of
// its kind is written. What was read whole is still fixed.
func TestCutListings(t *testing.T) {
	t.Parallel()
	for _, cmdlet := range []string{"Get-Mailbox", "Get-MailboxAuditBypassAssociation"} {
		for name, fault := range map[string]simulator.Fault{
			"the cursor is lost each time":  simulator.CursorLost(cmdlet, 0),
			"the body is cut":               simulator.BodyCut(cmdlet, 0),
			"the connection breaks":         simulator.BodyBroken(cmdlet, 0),
			"more results without a link":   simulator.NextLinkMissing(cmdlet, 0),
			"the same link for ever":        simulator.NextLinkRepeated(cmdlet),
			"a link to another host":        simulator.NextLinkForeign(cmdlet, "evil.example"),
			"an error inside a 200":         simulator.ErrorInside(cmdlet, 0, "the domain controller is gone"),
			"a warning that nobody knows":   simulator.Warned(cmdlet, 0, "Some objects were left out."),
			"the value is null":             simulator.ValueNull(cmdlet, 0),
			"redirected to another host":    simulator.Redirected(cmdlet, "evil.example"),
			"unavailable for as long as it": simulator.Unavailable(cmdlet, 0),
		} {
			t.Run(cmdlet+" "+name, func(t *testing.T) {
				synctestRun(t, func(t *testing.T) {
					tenant := simulator.NewTenant(simulator.Seed{Seed: 3, Mailboxes: 130, Bypassed: 0.05, Drift: 0.2, UnifiedLogOff: true})
					b := newBench(t, tenant, simulator.WithFaults(fault), simulator.WithPageSize(100))
					plan := b.check(parse(t, modest))
					if got := plan.Verdict(strict); got != reconcile.VerdictIncomplete {
						t.Errorf("verdict %s, coverage %+v", got, plan.Coverage)
					}
					if plan.Coverage.Complete || len(plan.Coverage.Reasons) == 0 {
						t.Errorf("coverage %+v", plan.Coverage)
					}
					run := b.apply(plan)
					setter, other := "Set-Mailbox", "Set-MailboxAuditBypassAssociation"
					if cmdlet != "Get-Mailbox" {
						setter, other = other, setter
					}
					if n := b.service.Count(setter); n != 0 {
						t.Errorf("%d calls of %s after a listing that was cut", n, setter)
					}
					if b.service.Count(other) == 0 || !tenant.Organization().UnifiedAuditLog {
						t.Errorf("what was read whole was not fixed")
					}
					if got := run.Verdict(strict); got != reconcile.VerdictIncomplete {
						t.Errorf("verdict of the run: %s", got)
					}
				})
			})
		}
	}
}

// TestCursorLostOnce: one lost cursor costs time, and no result.
func TestCursorLostOnce(t *testing.T) {
	t.Parallel()
	tenant := healthyTenant(250)
	b := newBench(t, tenant, simulator.WithPageSize(100),
		simulator.WithFaults(simulator.CursorLost("Get-Mailbox", 1), simulator.CursorLost("Get-MailboxAuditBypassAssociation", 1)))
	plan := b.check(parse(t, modest))
	if got := plan.Verdict(strict); got != reconcile.VerdictInLine {
		t.Errorf("verdict %s, coverage %+v", got, plan.Coverage)
	}
	if want := len(collect(tenant.AllMailboxes())); plan.Coverage.Mailboxes.Read != want {
		t.Errorf("%d mailboxes were counted, of %d", plan.Coverage.Mailboxes.Read, want)
	}
}

// TestRefusedCmdlets: a cmdlet that the role does not allow makes its kind
// unknown; the others are still reported.
func TestRefusedCmdlets(t *testing.T) {
	t.Parallel()
	for cmdlet, kind := range map[string]audit.SubjectKind{
		"Get-OrganizationConfig": audit.KindOrganization, "Get-AdminAuditLogConfig": audit.KindOrganization,
		"Get-Mailbox": audit.KindMailbox, "Get-MailboxAuditBypassAssociation": audit.KindBypass, "Get-User": audit.KindBypass,
	} {
		t.Run(cmdlet, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{Seed: 3, Mailboxes: 20, Users: 3, Bypassed: 0.2, UnifiedLogOff: true, AuditDisabled: true})
			var account simulator.User
			for u := range tenant.AllUsers() {
				account = u
			}
			tenant.SetBypass(account.Guid, true)
			b := newBench(t, tenant, simulator.WithFaults(simulator.Refused(cmdlet)))
			p := parse(t, strings.Replace(everything, "bypass: {}",
				fmt.Sprintf("bypass: {allow: [{account: %q, reason: r, owner: o@contoso.com, expires: 2099-01-01}]}", account.UserPrincipalName), 1))
			plan := b.check(p)
			if got := plan.Verdict(strict); got != reconcile.VerdictFailed {
				t.Errorf("verdict %s", got)
			}
			if !slices.Contains(plan.Refused, cmdlet) {
				t.Errorf("refused: %v", plan.Refused)
			}
			run := b.apply(plan)
			for c := range run.Changes() {
				if c.Subject.Kind == kind && c.Result == reconcile.ResultVerified {
					t.Errorf("%s %s was written although its kind is unknown", c.Subject.Name, c.Setting)
				}
			}
			if run.Results()[reconcile.ResultVerified] == 0 {
				t.Error("the other kinds were not fixed")
			}
			if cmdlet == "Get-User" && !bypassed(tenant, account.Guid) {
				t.Error("the bypass of an allowed account was removed because it could not be looked up")
			}
		})
	}
}

// TestNothingReadable: a tenant that cannot be read at all gives no report.
func TestNothingReadable(t *testing.T) {
	synctestRun(t, func(t *testing.T) {
		b := newBench(t, healthyTenant(5), simulator.WithFaults(simulator.Unavailable("", 0)))
		if plan, err := reconcile.Check(t.Context(), b.client, b.request(parse(t, modest))); err == nil {
			t.Errorf("a report was made of nothing: %+v", plan.Coverage)
		}
	})
}

// TestAuditDisabledIsNeverInLine: a policy that is silent about the tenant's
// switch is not satisfied while nothing is recorded at all.
func TestAuditDisabledIsNeverInLine(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 5, AuditDisabled: true})
	b := newBench(t, tenant)
	plan := b.check(parse(t, "mailboxes: {everyone: {record: {owner: {defaults: true}}}}\n"))
	if plan.Verdict(strict) != reconcile.VerdictDrift {
		t.Errorf("verdict %s", plan.Verdict(strict))
	}
	b.apply(plan)
	if !tenant.Organization().AuditDisabled {
		t.Error("a switch was set of which the policy does not speak")
	}
}

func TestOneMailbox(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 5, Mailboxes: 40, Drift: 0.9, Bypassed: 0.3})
	m, _ := tenant.Mailbox(anyUser(t, tenant))
	lookalike := tenant.AddMailbox(simulator.Mailbox{Type: "UserMailbox", Name: m.PrimarySMTPAddress, Alias: "x"})
	b := newBench(t, tenant)
	req := b.request(parse(t, everything))
	req.Mailbox = strings.ToUpper(m.PrimarySMTPAddress)
	plan := b.checkRequest(req)
	if plan.Coverage.Scope != reconcile.ScopeMailbox || plan.Coverage.Mailboxes.Read != 1 {
		t.Fatalf("coverage %+v", plan.Coverage)
	}
	before := tenant.Snapshot()
	b.apply(plan)
	was, _ := before.Mailbox(lookalike.Guid)
	is, _ := tenant.Mailbox(lookalike.Guid)
	if fmt.Sprint(was) != fmt.Sprint(is) {
		t.Error("a mailbox was written for its name")
	}
	changed := 0
	for was := range before.AllMailboxes() {
		if is, _ := tenant.Mailbox(was.Guid); fmt.Sprint(was) != fmt.Sprint(is) {
			changed++
		}
	}
	if changed != 1 || b.service.Count("Get-MailboxAuditBypassAssociation") != 0 {
		t.Errorf("%d mailboxes were changed", changed)
	}
	req.Mailbox = "nobody@contoso.com"
	if _, err := reconcile.Check(t.Context(), b.client, req); err == nil {
		t.Error("a mailbox that is not there was checked")
	}
}

// TestDuplicateRows: a mailbox that is listed twice counts once; where its two
// rows do not agree it is unknown.
func TestDuplicateRows(t *testing.T) {
	tenant := healthyTenant(5)
	user := anyUser(t, tenant)
	seenOnce := false
	b := newBench(t, tenant, simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
		id, _ := row.Get("Guid")
		if cmdlet != "Get-Mailbox" || strings.Contains(string(id), user) {
			return
		}
		if !seenOnce {
			seenOnce = true
			row.Set("Guid", `"`+user+`"`)
			row.Set("AuditLogAgeLimit", `"1.00:00:00"`)
		}
	}))
	plan := b.check(parse(t, modest))
	if got := plan.Verdict(strict); got != reconcile.VerdictIncomplete {
		t.Errorf("verdict %s", got)
	}
	for c := range plan.Changes() {
		if c.Fate == reconcile.FatePlanned {
			t.Errorf("%s %s is planned on a mailbox of which nobody knows which row is true", c.Subject.Name, c.Setting)
		}
	}
}

// TestStoredListing: that a mailbox is not in the listing of stored values says
// something only if the listing was made after the mailbox was seen, and if
// nothing contradicts it; an empty one contradicts a room that shows false.
func TestStoredListing(t *testing.T) {
	tenant := healthyTenant(1200)
	tenant.AddMailbox(simulator.Mailbox{Type: "RoomMailbox", PrimarySMTPAddress: "room-f@contoso.com", AuditEnabled: simulator.False})
	b := newBench(t, tenant)
	p := parse(t, "mailboxes: {everyone: {types: [UserMailbox], auditEnabled: explicit}}\n")
	b.check(p)
	filtered, last := 0, 0
	for i, call := range b.service.Calls() {
		for _, in := range call.Cmdlets {
			switch {
			case in.Cmdlet != "Get-Mailbox":
			case in.Parameters["Filter"] != nil && filtered == 0:
				filtered = i
			case in.Parameters["Filter"] == nil:
				last = i
			}
		}
	}
	if filtered <= last {
		t.Errorf("the filter was asked in call %d, the last page of mailboxes came in call %d", filtered, last)
	}
	plan, err := reconcile.Check(t.Context(), filtersAll{b.client}, b.request(p))
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Verdict(strict); got != reconcile.VerdictIncomplete {
		t.Errorf("with a filter that finds nothing the verdict is %s", got)
	}
}

// filtersAll is a tenant whose server-side filter finds nothing.
type filtersAll struct{ reconcile.Reader }

func (f filtersAll) Mailboxes(ctx context.Context, q exchange.MailboxQuery) iter.Seq2[exchange.Mailbox, error] {
	if q.Filter != "" {
		return func(func(exchange.Mailbox, error) bool) {}
	}
	return f.Reader.Mailboxes(ctx, q)
}

// TestEmptyManagedLists: a list that Microsoft manages is never empty; shown
// empty it was not shown, and is no default to learn.
func TestEmptyManagedLists(t *testing.T) {
	tenant := healthyTenant(20)
	pinnedOne := anyUser(t, tenant)
	tenant.Update(pinnedOne, func(m *simulator.Mailbox) { m.Managed, m.Owner = []string{"Admin", "Delegate"}, []string{"Update"} })
	b := newBench(t, tenant, simulator.WithRowEdit(func(_ string, row *simulator.Row) {
		if set, _ := row.Get("DefaultAuditSet"); strings.Contains(string(set), "Owner") {
			row.Set("AuditOwner", "[]")
		}
	}))
	plan := b.check(parse(t, "mailboxes: {everyone: {record: {owner: {defaults: true}}}}\nguards: {maxChangedPercent: 100}\n"))
	if got := plan.Verdict(strict); got != reconcile.VerdictIncomplete {
		t.Errorf("verdict %s", got)
	}
	found := false
	for c := range plan.Changes() {
		found = found || c.Subject.ID == pinnedOne
	}
	if !found {
		t.Error("a pinned list of one action satisfies the defaults")
	}
}

// TestMailboxByName: the service finds mailboxes by names that people choose;
// --mailbox does not.
func TestMailboxByName(t *testing.T) {
	tenant := healthyTenant(5)
	tenant.AddMailbox(simulator.Mailbox{Type: "UserMailbox", Name: "Finance", DisplayName: "Finance", Alias: "finance", PrimarySMTPAddress: "fin@contoso.com"})
	b := newBench(t, tenant)
	req := b.request(parse(t, modest))
	req.Mailbox = "finance"
	if plan, err := reconcile.Check(t.Context(), b.client, req); err == nil {
		t.Errorf("a mailbox was found by its name: %+v", plan.Coverage)
	}
	if b.service.Count("Get-Mailbox") == 0 {
		t.Error("the service was not asked")
	}
	req.Mailbox = "fin@contoso.com"
	req.Selection.Only = []audit.SubjectKind{audit.KindOrganization}
	tenant.UpdateOrganization(func(o *simulator.Organization) { o.UnifiedAuditLog = false })
	b.apply(b.checkRequest(req))
	if b.writes() != 0 {
		t.Errorf("--only and --mailbox, which leave nothing, made %d writes", b.writes())
	}
}

// TestRequestsOfOneRun: a plan counts its own requests, not those that its
// client made before.
func TestRequestsOfOneRun(t *testing.T) {
	b := newBench(t, healthyTenant(5))
	p := parse(t, modest)
	if first, second := b.check(p).Coverage.Requests, b.check(p).Coverage.Requests; first != second || first == 0 {
		t.Errorf("%d requests, then %d", first, second)
	}
}

// TestLearnedActions: an action that this version does not know, and that
// Microsoft's own lists show, is written like any other.
func TestLearnedActions(t *testing.T) {
	tenant := healthyTenant(20)
	user := anyUser(t, tenant)
	tenant.Update(user, func(m *simulator.Mailbox) {
		m.Owner, m.Managed = m.Shown("Owner"), []string{"Admin", "Delegate"}
	})
	b := newBench(t, tenant, simulator.WithRowEdit(func(_ string, row *simulator.Row) {
		list, _ := row.Get("AuditOwner")
		if set, _ := row.Get("DefaultAuditSet"); strings.Contains(string(set), "Owner") {
			row.Set("AuditOwner", strings.Replace(string(list), "[", `["BrandNewAction",`, 1))
		}
	}))
	plan := b.check(parse(t, "mailboxes: {everyone: {types: [UserMailbox], record: {owner: {defaults: true}}}}\n"))
	changes := collect(plan.Changes())
	if len(changes) != 1 || changes[0].Fate != reconcile.FatePlanned || !slices.Equal(changes[0].Add, []string{"BrandNewAction"}) || len(plan.Warnings) == 0 {
		t.Errorf("changes %+v, warnings %v", changes, plan.Warnings)
	}
}
