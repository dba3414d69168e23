package cli

import (
	"slices"
	"sync/atomic"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// demoTenant is a tenant of some sixty mailboxes that has every kind of drift.
// Its fields name the objects that the walk touches.
type demoTenant struct {
	*simulator.Tenant
	silent   string // a mailbox whose row comes without a property at first
	pinned   string // a list that misses actions
	short    string // a short age limit
	kiosk    string // more than the policy wants, which only a weakening can change
	rogue    string // a bypassed account that nobody allowed
	scanner  string // a bypassed account that the policy allows
	answered atomic.Bool
}

const demoDomain = "contoso.onmicrosoft.com"

func newDemoTenant() *demoTenant {
	t := &demoTenant{Tenant: simulator.NewTenant(simulator.Seed{
		Seed: 7, Domain: demoDomain, Mailboxes: 55, AuditDisabled: true, UnifiedLogOff: true,
	})}
	add := func(m simulator.Mailbox) string { return t.AddMailbox(m).Guid }
	t.silent = add(simulator.Mailbox{UserPrincipalName: "silent@" + demoDomain})
	t.pinned = add(simulator.Mailbox{
		UserPrincipalName: "pinned@" + demoDomain, Managed: []string{"Admin", "Owner"},
		Delegate: []string{"Create", "SoftDelete", "Update"},
	})
	t.short = add(simulator.Mailbox{UserPrincipalName: "short@" + demoDomain, AgeLimit: "30.00:00:00"})
	t.kiosk = add(simulator.Mailbox{
		UserPrincipalName: "kiosk@" + demoDomain, CustomAttributes: map[int]string{1: "Kiosk"},
		Managed: []string{"Admin", "Delegate"}, Owner: []string{"MailboxLogin", "SoftDelete"},
	})
	add(simulator.Mailbox{UserPrincipalName: "bookings@" + demoDomain, Type: "SchedulingMailbox"})
	t.AddRetentionPolicy(simulator.RetentionPolicy{Name: "mail", Priority: 100, RecordTypes: []string{"ExchangeItem"}, Duration: "ThreeMonths"})
	account := func(name string) string {
		u := t.AddUser(simulator.User{UserPrincipalName: name + "@" + demoDomain, Name: name})
		t.SetBypass(u.Guid, true)
		return u.Guid
	}
	t.rogue, t.scanner = account("mallory"), account("svc-dlp")
	return t
}

// hide takes a property out of one mailbox's row until the tenant has been
// read once: what a service that answers in part looks like.
func (t *demoTenant) hide(cmdlet string, row *simulator.Row) {
	if cmdlet != "Get-Mailbox" || t.answered.Load() {
		return
	}
	if guid, ok := row.Get("Guid"); ok && string(guid) == `"`+t.silent+`"` {
		row.Delete("AuditEnabled")
	}
}

// board adds a mailbox of the board, as it is made every day: with Microsoft's
// defaults.
func (t *demoTenant) board() string {
	return t.AddMailbox(simulator.Mailbox{
		UserPrincipalName: "new.director@" + demoDomain, CustomAttributes: map[int]string{1: "Board"},
	}).Guid
}

// weaken is what an admin who wants no traces does.
func (t *demoTenant) weaken() {
	t.Update(t.pinned, func(m *simulator.Mailbox) {
		m.Managed = []string{"Admin", "Delegate"}
		m.Owner = []string{"MailboxLogin"}
	})
	t.SetBypass(t.rogue, true)
	t.AddRetentionPolicy(simulator.RetentionPolicy{Name: "cleanup", Priority: 1, Duration: "ThreeMonths"})
}

// keptForAYear tells whether the records of mailboxes are: the policy with the
// lowest number among those that speak of them decides.
func (t *demoTenant) keptForAYear() bool {
	first := simulator.RetentionPolicy{}
	for _, p := range t.RetentionPolicies() {
		speaks := len(p.RecordTypes) == 0 || slices.Contains(p.RecordTypes, "ExchangeItem")
		if speaks && (first.Name == "" || p.Priority < first.Priority) {
			first = p
		}
	}
	return first.Duration == "TwelveMonths"
}
