package reconcile_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

func bypassed(tenant *simulator.Tenant, guid string) bool {
	row, _ := tenant.Bypass(guid)
	return row.Enabled
}

// TestNameIsNoKey: an account that has the name of an allowed one is drift.
func TestNameIsNoKey(t *testing.T) {
	tenant := healthyTenant(10)
	var allowed, other simulator.User
	for u := range tenant.AllUsers() {
		allowed, other = other, u
	}
	row, _ := tenant.Bypass(allowed.Guid)
	forged := tenant.AddBypass(simulator.Bypass{Name: row.Name, Enabled: true})
	byAccount := tenant.AddBypass(simulator.Bypass{Name: allowed.UserPrincipalName, Enabled: true})
	tenant.SetBypass(allowed.Guid, true)
	b := newBench(t, tenant)
	p := parse(t, fmt.Sprintf("bypass: {allow: [{account: %q, reason: r, owner: o@contoso.com, expires: 2099-01-01}]}\n", allowed.UserPrincipalName))
	fates := map[string]reconcile.Fate{}
	for c := range b.check(p).Changes() {
		fates[c.Subject.ID] = c.Fate
	}
	want := map[string]reconcile.Fate{
		allowed.Guid: reconcile.FateExempt, forged.Guid: reconcile.FatePlanned, byAccount.Guid: reconcile.FatePlanned,
	}
	for id, fate := range want {
		if fates[id] != fate {
			t.Errorf("%s: %q, want %q", id, fates[id], fate)
		}
	}
	b.apply(b.check(p))
	if !bypassed(tenant, allowed.Guid) || bypassed(tenant, forged.Guid) || bypassed(tenant, byAccount.Guid) {
		t.Error("the wrong account was taken off the list")
	}
}

// TestAccountsByName: Get-User also finds an account by its name, which anybody
// can choose; such an answer allows nothing.
func TestAccountsByName(t *testing.T) {
	tenant := healthyTenant(3)
	impostor := tenant.AddUser(simulator.User{Name: "svc-scan@contoso.com", UserPrincipalName: "impostor@contoso.com"})
	tenant.SetBypass(impostor.Guid, true)
	b := newBench(t, tenant)
	p := parse(t, "bypass: {allow: [{account: svc-scan@contoso.com, reason: r, owner: o@contoso.com, expires: 2099-01-01}]}\n")
	plan := b.check(p)
	changes := collect(plan.Changes())
	if len(changes) != 1 || changes[0].Fate != reconcile.FatePlanned || len(plan.Warnings) == 0 {
		t.Errorf("changes %+v, warnings %v", changes, plan.Warnings)
	}
}

// TestSystemRows: rows of the service's own without a value are counted apart;
// a row that only looks like one is not.
func TestSystemRows(t *testing.T) {
	tenant := healthyTenant(3)
	tenant.AddBypass(simulator.Bypass{Name: "SystemMailbox{0001}", System: true})
	lookalike := tenant.AddBypass(simulator.Bypass{Name: "systemmailbox{0002}"})
	b := newBench(t, tenant, simulator.WithRowEdit(func(_ string, row *simulator.Row) {
		if name, _ := row.Get("Name"); strings.Contains(strings.ToLower(string(name)), "systemmailbox{000") {
			row.Delete("AuditBypassEnabled")
		}
	}))
	plan := b.check(parse(t, "bypass: {}\n"))
	unknown := collect(plan.Unknown())
	if plan.Coverage.Bypass.UnknownSystem != 1 || len(unknown) != 1 || unknown[0].Subject.ID != lookalike.Guid {
		t.Errorf("%d system rows, unknown %+v", plan.Coverage.Bypass.UnknownSystem, unknown)
	}
}

func TestExpiredAllowance(t *testing.T) {
	tenant := healthyTenant(3)
	var account simulator.User
	for u := range tenant.AllUsers() {
		account = u
	}
	tenant.SetBypass(account.Guid, true)
	b := newBench(t, tenant)
	p := parse(t, fmt.Sprintf("bypass: {allow: [{id: %s, reason: r, owner: o@contoso.com, expires: 2030-06-30}]}\n", account.Guid))
	for day, want := range map[string]reconcile.Fate{"2030-06-30": reconcile.FateExempt, "2030-07-01": reconcile.FatePlanned} {
		req := b.request(p)
		req.Now = func() time.Time {
			at, err := time.Parse(time.DateOnly, day)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		plan := b.checkRequest(req)
		if c := collect(plan.Changes()); len(c) != 1 || c[0].Fate != want || len(plan.Warnings) == 0 {
			t.Errorf("%s: %+v, warnings %v", day, c, plan.Warnings)
		}
	}
}

// TestEmptyBypassListing: every tenant has rows, most of them the service's
// own; a listing without any is what a role sees that may not look.
func TestEmptyBypassListing(t *testing.T) {
	b := newBench(t, healthyTenant(3))
	p := parse(t, "bypass: {}\n")
	plan, err := reconcile.Check(t.Context(), blind{b.client}, b.request(p))
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Verdict(strict); got != reconcile.VerdictIncomplete {
		t.Errorf("verdict %s", got)
	}
}

func (blind) BypassAssociations(context.Context) iter.Seq2[exchange.BypassAssociation, error] {
	return func(func(exchange.BypassAssociation, error) bool) {}
}

// TestAllowedByAnAddressThatWasNotRead: an allowed account may be a mailbox
// whose addresses could not be read. Its bypass is then not touched.
func TestAllowedByAnAddressThatWasNotRead(t *testing.T) {
	for name, opt := range map[string]simulator.Option{
		"whole": simulator.WithLatency(0),
		"the row is damaged": simulator.WithRowEdit(func(cmdlet string, row *simulator.Row) {
			if cmdlet == "Get-Mailbox" {
				row.Delete("EmailAddresses")
			}
		}),
		"the listing is cut": simulator.WithFaults(simulator.BodyCut("Get-Mailbox", 0)),
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := healthyTenant(5)
				m := tenant.AddMailbox(simulator.Mailbox{
					Type: "UserMailbox", PrimarySMTPAddress: "svc@contoso.com", UserPrincipalName: "svc@contoso.com",
					Addresses: []string{"SMTP:svc@contoso.com", "smtp:scanner@contoso.com"},
				})
				tenant.SetBypass(m.Guid, true)
				b := newBench(t, tenant, opt)
				p := parse(t, "mailboxes: {everyone: {ageLimit: 30d}}\nbypass: {allow: [{account: scanner@contoso.com, reason: r, owner: o@contoso.com, expires: 2099-01-01}]}\n")
				plan := b.check(p)
				b.apply(plan)
				if !bypassed(tenant, m.Guid) {
					t.Error("the bypass of an allowed account was removed")
				}
				if want := map[bool]reconcile.Verdict{true: reconcile.VerdictInLine, false: reconcile.VerdictIncomplete}[name == "whole"]; plan.Verdict(strict) != want {
					t.Errorf("verdict %s, want %s", plan.Verdict(strict), want)
				}
			})
		})
	}
}

// blind is a tenant of which a role sees no bypass row.
type blind struct{ reconcile.Reader }
