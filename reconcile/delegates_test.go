package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

// delegateTenant has a mailbox for each way to have a delegate, and for each that
// only looks like one.
func delegateTenant() (*simulator.Tenant, map[string]string) { return delegateTenantAt(time.Time{}) }

func delegateTenantAt(now time.Time) (*simulator.Tenant, map[string]string) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 4, BypassPerMailbox: -1, Now: now})
	guids := people(tenant, "behalf", "sendas", "full", "alone", "denied", "inherited", "leaver", "reader")
	tenant.Update(guids["behalf"], func(m *simulator.Mailbox) { m.SendOnBehalf = []string{"ann"} })
	tenant.Update(guids["leaver"], func(m *simulator.Mailbox) { m.SendOnBehalf = []string{"S-1-5-21-1-2-3-4"} })
	tenant.AddRecipientPermission(guids["sendas"], simulator.Permission{Trustee: "ann@contoso.com"})
	tenant.AddRecipientPermission(guids["leaver"], simulator.Permission{Trustee: "S-1-5-21-1-2-3-4"})
	tenant.AddRecipientPermission(guids["denied"], simulator.Permission{Trustee: "ann@contoso.com", Deny: true})
	tenant.AddMailboxPermission(guids["full"], simulator.Permission{Trustee: "ann@contoso.com"})
	tenant.AddMailboxPermission(guids["denied"], simulator.Permission{Trustee: "ann@contoso.com", Deny: true})
	tenant.AddMailboxPermission(guids["inherited"], simulator.Permission{Trustee: "ann@contoso.com", Inherited: true})
	tenant.AddMailboxPermission(guids["reader"], simulator.Permission{Trustee: "ann@contoso.com", Rights: []string{"ReadPermission"}})
	tenant.AddMailboxPermission(guids["leaver"], simulator.Permission{Trustee: "S-1-5-21-1-2-3-4"})
	return tenant, guids
}

// askedAbout are the mailboxes that a cmdlet was called for by identity, sorted by
// name.
func askedAbout(b *bench, cmdlet string) string {
	var names []string
	for _, call := range b.service.Calls() {
		for _, in := range call.Cmdlets {
			if id, ok := in.Parameters["Identity"].(string); ok && in.Cmdlet == cmdlet {
				m, _ := b.tenant.Mailbox(id)
				names = append(names, m.Name)
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestHasDelegates(t *testing.T) {
	t.Parallel()
	const listing = "1 hasDelegates: listing who may send as whom, "
	for _, tt := range []struct {
		where, planned string
		full, sendAs   string // asked about
	}{
		{"{hasDelegates: true}", "behalf full sendas", "alone denied full inherited leaver reader", ""},
		{"{hasDelegates: false}", "alone denied inherited leaver reader", "alone denied full inherited leaver reader", ""},
		{"{allOf: [{hasDelegates: true}, {address: \"full@*\"}]}", "full", "full", ""},
		{"{anyOf: [{hasDelegates: true}, {not: {address: \"a*\"}}]}", "behalf denied full inherited leaver reader sendas", "alone", ""},
		{"{anyOf: [{hasDelegates: true}, {hasDelegates: false}]}", "alone behalf denied full inherited leaver reader sendas", "", ""},
		{"{allOf: [{hasDelegates: true}, {address: \"nobody@*\"}]}", "", "", ""},
	} {
		for name, option := range map[string]simulator.Option{"flat": simulator.WithFaults(), "lists": simulator.WithPermissionList()} {
			t.Run(tt.where+" "+name, func(t *testing.T) {
				tenant, _ := delegateTenant()
				b := newBench(t, tenant, option)
				p := parse(t, strings.Replace(selecting(tt.where), ", GroupMailbox", "", 1))
				plan := b.check(p)
				expect(t, plan, tt.planned, "")
				if got := askedAbout(b, "Get-MailboxPermission"); got != tt.full {
					t.Errorf("full access is asked about of %q, want %q", got, tt.full)
				}
				if got := askedAbout(b, "Get-RecipientPermission"); got != tt.sendAs {
					t.Errorf("send-as is asked about of %q, want %q", got, tt.sendAs)
				}
				lines := costs(plan)
				if n := len(strings.Fields(tt.full)); n > 0 {
					want := fmt.Sprintf("1 hasDelegates: asking who has full access to the %d mailboxes of which nothing cheaper tells it", n)
					if n == 1 {
						want = strings.Replace(want, "mailboxes", "mailbox", 1)
					}
					if lines[0] != want {
						t.Errorf("cost %q, want %q", lines[0], want)
					}
					lines = lines[1:]
				}
				if len(lines) != 1 || !strings.HasPrefix(lines[0], listing) {
					t.Errorf("cost %q", lines)
				}
				if n := b.service.Requests(); n != 2+len(plan.Coverage.Cost) {
					t.Errorf("%d requests with a cost of %q", n, costs(plan))
				}
				if n := len(slices.DeleteFunc(slices.Clone(plan.Warnings), func(w string) bool { return !strings.Contains(w, "single folders") })); n != 1 {
					t.Errorf("that folders are not covered is said %d times", n)
				}
				b.apply(plan)
				b.satisfied(p)
			})
		}
	}
}

// TestSharedIdentity: mailboxes that a permission names alike are asked about by
// their ids.
func TestSharedIdentity(t *testing.T) {
	tenant, _ := delegateTenant()
	first, _ := addTwins(tenant)
	b := newBench(t, tenant)
	p := parse(t, selecting("{hasDelegates: true}"))
	plan := b.check(p)
	if planned, unknown := chosen(plan); len(planned) != 4 || len(unknown) != 0 {
		t.Errorf("planned %q, unknown %q", planned, unknown)
	}
	if got := askedAbout(b, "Get-RecipientPermission"); got != "twin twin" {
		t.Errorf("asked about %q", got)
	}
	want := "1 hasDelegates: asking who may send as the 2 mailboxes that the listing does not tell apart"
	if got := costs(plan); len(got) != 3 || got[0] == got[1] || !slices.Contains(got, want) {
		t.Errorf("cost %q", got)
	}
	b.apply(plan)
	b.satisfied(p)
	if m, _ := tenant.Mailbox(first); m.AgeLimit != "180.00:00:00" {
		t.Errorf("the one with the delegate keeps %s", m.AgeLimit)
	}
}

// TestDelegatesOpen: a permission that cannot be read leaves a mailbox unknown, and
// that mailbox alone.
func TestDelegatesOpen(t *testing.T) {
	everybody := "alone denied full inherited leaver reader"
	on := func(cmdlet, who, property string) func(map[string]string) func(string, *simulator.Row) {
		return func(guids map[string]string) func(string, *simulator.Row) {
			return func(called string, row *simulator.Row) {
				if called != cmdlet {
					return
				}
				for _, key := range []string{"Identity", "Guid"} {
					if text, _ := row.Get(key); who == "" || strings.Contains(string(text), guids[who]) && guids[who] != "" || strings.Contains(string(text), guids["id "+who]) && guids["id "+who] != "" {
						row.Delete(property)
						return
					}
				}
			}
		}
	}
	for name, tt := range map[string]struct {
		damage  func(map[string]string) func(string, *simulator.Row)
		faults  []simulator.Fault
		planned string
		unknown string
		full    string
		sendAs  string
		reason  string
		verdict reconcile.Verdict
	}{
		"listing refused": {
			faults: []simulator.Fault{simulator.Refused("Get-RecipientPermission")}, planned: "behalf", unknown: everybody + " sendas",
			reason: "after 0 pages and 0 rows", verdict: reconcile.VerdictFailed,
		},
		"full access refused": {
			faults: []simulator.Fault{simulator.Refused("Get-MailboxPermission")}, planned: "behalf sendas", unknown: everybody, full: "-",
			reason: "the delegates of 6 mailboxes", verdict: reconcile.VerdictFailed,
		},
		"rights of the listing missing": {
			damage: on("Get-RecipientPermission", "sendas", "AccessRights"), planned: "behalf full", unknown: "sendas", full: everybody + " sendas", sendAs: "sendas",
			reason: "of a form that this version does not know",
		},
		"nobody's row": {
			damage: on("Get-RecipientPermission", "sendas", "Identity"), planned: "behalf", unknown: everybody + " sendas",
			reason: "does not say whose it is",
		},
		"full access of a strange form": {
			damage: on("Get-MailboxPermission", "full", "AccessRights"), planned: "behalf sendas", unknown: "full", full: everybody,
			reason: "the delegates of 1 mailbox ",
		},
		"who may send on behalf is not known": {
			damage: on("Get-Mailbox", "alone", "GrantSendOnBehalfTo"), planned: "behalf full sendas", unknown: "alone", full: everybody,
		},
		"nor does it matter": {
			damage: on("Get-Mailbox", "full", "GrantSendOnBehalfTo"), planned: "behalf full sendas", full: everybody,
		},
		"the row has no identity": {
			damage: on("Get-Mailbox", "sendas", "Identity"), planned: "behalf full sendas", full: everybody, sendAs: "sendas",
		},
		"not in the listing": {
			damage: on("Get-RecipientPermission", "alone", "Identity"), planned: "behalf full sendas", full: everybody, sendAs: "alone",
		},
		"deleted meanwhile": {
			faults: []simulator.Fault{simulator.Meanwhile("Get-MailboxPermission", 1, func(t *simulator.Tenant) {
				if m, ok := t.FindMailbox("alone@contoso.com"); ok {
					t.RemoveMailbox(m.Guid)
				}
			})}, planned: "behalf full sendas", unknown: "alone", full: "-", reason: "couldn't be found",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant, guids := delegateTenant()
				for _, name := range []string{"sendas", "full", "alone"} {
					m, _ := tenant.Mailbox(guids[name])
					guids["id "+name] = m.ExternalDirectoryObjectID
				}
				options := []simulator.Option{simulator.WithFaults(tt.faults...)}
				if tt.damage != nil {
					options = append(options, simulator.WithRowEdit(tt.damage(guids)))
				}
				b := newBench(t, tenant, options...)
				plan := b.check(parse(t, strings.Replace(selecting("{hasDelegates: true}"), ", GroupMailbox", "", 1)))
				var unknown []string
				for name := range strings.FieldsSeq(tt.unknown) {
					unknown = append(unknown, name)
				}
				expect(t, plan, tt.planned, strings.Join(unknown, " "))
				if got := askedAbout(b, "Get-MailboxPermission"); tt.full != "-" && got != sorted(tt.full) {
					t.Errorf("full access is asked about of %q, want %q", got, tt.full)
				}
				if got := askedAbout(b, "Get-RecipientPermission"); got != tt.sendAs {
					t.Errorf("send-as is asked about of %q, want %q", got, tt.sendAs)
				}
				if tt.reason != "" && strings.Count(strings.Join(plan.Coverage.Reasons, "\n"), tt.reason) != 1 {
					t.Errorf("%q is not named once in %q", tt.reason, plan.Coverage.Reasons)
				}
				if tt.verdict != "" && plan.Verdict(strict) != tt.verdict {
					t.Errorf("verdict %s", plan.Verdict(strict))
				}
			})
		})
	}
}

func sorted(words string) string { return strings.Join(slices.Sorted(strings.FieldsSeq(words)), " ") }

// TestSettledExemption: that an exemption matches nobody is said once it is known.
func TestSettledExemption(t *testing.T) {
	for who, want := range map[string]int{"alone": 1, "full": 0} {
		tenant, guids := delegateTenant()
		for name, guid := range guids {
			if name != who {
				tenant.RemoveMailbox(guid)
			}
		}
		plan := newBench(t, tenant).check(parse(t, `
mailboxes: {all: {ageLimit: 180d}}
exemptions:
  shared: {where: {hasDelegates: true}, accept: {ageLimit: 30d}, reason: r, owner: o@contoso.com, expires: 2099-01-01}
`))
		if n := strings.Count(strings.Join(plan.Warnings, "\n"), "matches no mailbox"); n != want {
			t.Errorf("%s: %d warnings in %q", who, n, plan.Warnings)
		}
	}
}

// TestHopelessAsking: where a request fails for every mailbox in it, the thousands
// that remain are not tried.
func TestHopelessAsking(t *testing.T) {
	t.Parallel()
	tenant := simulator.NewTenant(simulator.Seed{Seed: 4, Mailboxes: 600, BypassPerMailbox: -1})
	b := newBench(t, tenant, simulator.WithFaults(simulator.Refused("Get-MailboxPermission")))
	plan := b.check(parse(t, selecting("{hasDelegates: true}")))
	if n := b.service.Count("Get-MailboxPermission"); n > 100 {
		t.Errorf("%d mailboxes were asked about, each refused", n)
	}
	if s := plan.Summary().States["mailbox"]; s.Unknown < 500 {
		t.Errorf("%+v", s)
	}
}

// TestOneMailboxSelectors: of a single mailbox nothing is asked that is about all,
// but for the groups.
func TestOneMailboxSelectors(t *testing.T) {
	for name, want := range map[string]string{"behalf": "behalf", "sendas": "sendas", "full": "full", "alone": ""} {
		tenant, _ := delegateTenant()
		b := newBench(t, tenant)
		req := b.request(parse(t, selecting("{hasDelegates: true}")))
		req.Mailbox = name + "@contoso.com"
		plan := b.checkRequest(req)
		expect(t, plan, want, "")
		for _, call := range b.service.Calls() {
			if in := call.Cmdlets[0]; in.Cmdlet == "Get-RecipientPermission" && in.Parameters["Identity"] == nil {
				t.Errorf("%s: the whole tenant is listed", name)
			}
		}
	}
	tenant, _ := groupTenant()
	b := newBench(t, tenant)
	req := b.request(parse(t, selecting("{memberOf: leads@contoso.com}")))
	req.Mailbox = "ben@contoso.com"
	expect(t, b.checkRequest(req), "ben", "")
}

// TestLargeSelectors: in a tenant of 20,000 mailboxes three groups, one of them with
// a cycle below it, and one rule about delegates cost what the plan says, and not a
// call more.
func TestLargeSelectors(t *testing.T) {
	t.Parallel()
	skipShort(t)
	tenant := simulator.NewTenant(simulator.Seed{Seed: 9, Mailboxes: 20_000, Users: 40, Drift: 0.1, Now: time.Now()})
	p := parse(t, `
mailboxes:
  grouped:
    where: {memberOf: [big@contoso.com, nested@contoso.com, dynamic@contoso.com]}
    ageLimit: 1y
  delegated: {where: {hasDelegates: true}, ageLimit: 180d}
bypass: {}
`)
	var big, deep, dynamic []string
	n, bypassed, full, rows := 0, 0, 0, 0
	for m := range tenant.AllMailboxes() {
		ordinary := m.Type == "UserMailbox" || m.Type == "SharedMailbox"
		switch n++; {
		case n <= 4_321:
			big = append(big, m.Guid)
		case n <= 4_400:
			deep = append(deep, m.Guid)
		case n <= 7_000:
			dynamic = append(dynamic, m.Guid)
		}
		switch n % 10 {
		case 1:
			tenant.Update(m.Guid, func(m *simulator.Mailbox) { m.SendOnBehalf = []string{"ann"} })
		case 2:
			tenant.AddRecipientPermission(m.Guid, simulator.Permission{Trustee: "ann@contoso.com"})
		case 3:
			tenant.AddMailboxPermission(m.Guid, simulator.Permission{Trustee: "ann@contoso.com"})
			fallthrough
		default:
			if ordinary {
				full++
			}
		}
	}
	for range tenant.AllBypass() {
		bypassed++
	}
	inner := tenant.AddGroup(simulator.Group{Type: "MailUniversalSecurityGroup", PrimarySMTPAddress: "inner@contoso.com"})
	nested := tenant.AddGroup(simulator.Group{PrimarySMTPAddress: "nested@contoso.com", Members: append(deep[:9:9], inner.Guid)})
	tenant.SetMembers(inner.Guid, append(deep[9:], nested.Guid)...)
	tenant.AddGroup(simulator.Group{PrimarySMTPAddress: "big@contoso.com", Members: big})
	tenant.AddGroup(simulator.Group{Type: "DynamicDistributionGroup", PrimarySMTPAddress: "dynamic@contoso.com", Members: dynamic})

	b := newBench(t, tenant)
	plan := b.check(p)
	for _, c := range plan.Coverage.Cost {
		if _, err := fmt.Sscanf(c.Why, "listing who may send as whom, %d rows", &rows); err == nil {
			break
		}
	}
	want := map[string]int{
		"memberOf": 1, "memberOf big@contoso.com": 5, "memberOf dynamic@contoso.com": 3, "memberOf nested@contoso.com": 2,
		"hasDelegates": ceil(rows, 1000) + ceil(full, 10),
	}
	got, spent := map[string]int{}, 0
	for _, c := range plan.Coverage.Cost {
		got[c.For] += c.Requests
		spent += c.Requests
	}
	if diff := cmp.Diff(want, got); diff != "" || rows < n {
		t.Errorf("%d rows of send-as; %s", rows, diff)
	}
	// The organization, the mailboxes, the bypass associations: design section 7.
	base := 1 + ceil(n, 1000) + ceil(bypassed, 1000)
	if calls := b.service.Requests(); calls != base+spent || plan.Coverage.Requests != calls || !plan.Coverage.Complete {
		t.Errorf("%d requests, the plan says %d; want %d and %d for selectors; %q", calls, plan.Coverage.Requests, base, spent, plan.Coverage.Reasons)
	}
	t.Logf("N=%d: %d requests, %d of them for selectors\n%s", n, plan.Coverage.Requests, spent, strings.Join(costs(plan), "\n"))
	matched, dir := 0, directoryOf(p, tenant)
	for m := range tenant.AllMailboxes() {
		if _, ok := wishFor(p, dir, m); ok {
			matched++
		}
	}
	if states := plan.Summary().States["mailbox"]; states.NotApplicable != n-matched || states.Unknown != 0 {
		t.Errorf("%d mailboxes are meant of %d; %+v", matched, n, states)
	}
}
