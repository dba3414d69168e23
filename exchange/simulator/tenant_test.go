package simulator_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestSeedIsRepeatable(t *testing.T) {
	seed := simulator.Seed{Seed: 3, Mailboxes: 120, Groups: 2, PublicFolders: 1, Users: 5, Drift: 0.4, Bypassed: 0.1}
	a, b := simulator.NewTenant(seed), simulator.NewTenant(seed)
	if dump(a) != dump(b) {
		t.Error("the same seed makes two different tenants")
	}
	seed.Seed++
	if dump(a) == dump(simulator.NewTenant(seed)) {
		t.Error("another seed makes the same tenant")
	}
	seed.ID = "11111111-2222-4333-8444-555555555555"
	if first(a).Guid == first(simulator.NewTenant(seed)).Guid {
		t.Error("two tenants share Guids")
	}
}

func TestSeedMakesEveryKind(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 400, Groups: 2, PublicFolders: 1, Users: 7, Drift: 0.5, Bypassed: 0.2})
	types := map[string]int{}
	settings := map[string]int{}
	for m := range tenant.AllMailboxes() {
		types[m.Type]++
		settings["enabled "+m.AuditEnabled.String()]++
		settings["age "+m.AgeLimit]++
		settings["managed "+sorted(m.Managed)]++
		if slices.Contains(m.Shown("Admin"), "MessageBind") {
			settings["MessageBind"]++
		}
		if m.Changed.Before(m.Created) || m.PrimarySMTPAddress == "" || m.Addresses[0] != "SMTP:"+m.PrimarySMTPAddress {
			t.Errorf("mailbox %+v", m)
		}
	}
	if types["UserMailbox"] != 339 || types["SharedMailbox"] != 40 || types["RoomMailbox"] != 10 || types["EquipmentMailbox"] != 10 ||
		types["DiscoveryMailbox"] != 1 || types["GroupMailbox"] != 2 || types["PublicFolderMailbox"] != 1 {
		t.Errorf("types %v", types)
	}
	for _, want := range []string{"enabled unset", "enabled false", "age 30.00:00:00", "age 365.00:00:00", "managed ", "managed Admin Delegate", "managed Admin Owner", "managed Delegate Owner", "MessageBind"} {
		if settings[want] == 0 {
			t.Errorf("no mailbox has %q: %v", want, settings)
		}
	}
	undrifted := simulator.NewTenant(simulator.Seed{Mailboxes: 400})
	for m := range undrifted.AllMailboxes() {
		if len(m.Managed) != 3 || m.AgeLimit != "90.00:00:00" || m.Type == "UserMailbox" && m.AuditEnabled != simulator.True {
			t.Fatalf("without drift: %+v", m)
		}
	}
}

func TestBypassRows(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 3, Users: 2, Bypassed: 1})
	system, enabled := 0, 0
	names := map[string]int{}
	for b := range tenant.AllBypass() {
		names[b.Name]++
		switch {
		case b.System:
			system++
			if b.UserGuid != "" || !strings.HasPrefix(b.Name, "SystemMailbox{") && !strings.HasPrefix(b.Name, "TenantSetting_") && !strings.HasPrefix(b.Name, "Asc-") {
				t.Errorf("system row %+v", b)
			}
		case b.UserGuid != b.Guid:
			t.Errorf("account row %+v", b)
		}
		if b.Enabled {
			enabled++
		}
		if got, ok := tenant.Bypass(b.ExchangeObjectID); !ok || got != b {
			t.Errorf("row %s is found as %+v, %v", b.Name, got, ok)
		}
	}
	if system != 239 || enabled != 5 {
		t.Errorf("%d system rows and %d bypassed; want 239 and 5", system, enabled)
	}
	if !slices.ContainsFunc(slices.Collect(mapValues(names)), func(n int) bool { return n > 1 }) {
		t.Error("all names are unique")
	}
	users := slices.Collect(tenant.AllUsers())
	if len(users) != 5 {
		t.Fatalf("%d users, want 5", len(users))
	}
	for _, u := range users {
		if !tenant.SetBypass(u.Guid, false) {
			t.Errorf("no bypass row for %s", u.UserPrincipalName)
		}
	}
	for b := range tenant.AllBypass() {
		if b.Enabled {
			t.Errorf("%s is still bypassed", b.Name)
		}
	}
	added := tenant.AddUser(simulator.User{UserPrincipalName: "svc@contoso.com"})
	row, ok := tenant.Bypass(added.Guid)
	if !ok || row.UserGuid != added.Guid || row.Name != "svc" {
		t.Errorf("added user's row %+v, %v", row, ok)
	}
	orphan := tenant.AddBypass(simulator.Bypass{Name: "gone", Enabled: true})
	if got, ok := tenant.Bypass(orphan.Guid); !ok || !got.Enabled {
		t.Errorf("added row %+v, %v", got, ok)
	}
	box := tenant.AddMailbox(simulator.Mailbox{Alias: "new"})
	if _, ok := tenant.Bypass(box.Guid); !ok {
		t.Error("an added mailbox has no bypass row")
	}
	tenant.RemoveMailbox(box.Guid)
	if _, ok := tenant.Bypass(box.Guid); ok {
		t.Error("a removed mailbox still has a bypass row")
	}
	if got := len(slices.Collect(simulator.NewTenant(simulator.Seed{Mailboxes: 3, BypassPerMailbox: -1}).AllBypass())); got != 3 {
		t.Errorf("without system objects %d rows, want 3", got)
	}
}

func mapValues(m map[string]int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

func TestFindMailbox(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 200, Groups: 5, PublicFolders: 5})
	for m := range tenant.AllMailboxes() {
		identities := []string{m.Guid, strings.ToUpper(m.Guid), "{" + m.ExchangeGuid + "}", m.ExchangeObjectID, m.ExternalDirectoryObjectID, m.Alias, strings.ToUpper(m.PrimarySMTPAddress)}
		for _, address := range m.Addresses {
			if local, ok := strings.CutPrefix(strings.ToLower(address), "smtp:"); ok {
				identities = append(identities, local)
			}
		}
		for _, identity := range identities {
			if identity == "" {
				continue
			}
			if got, ok := tenant.FindMailbox(identity); !ok || got.Guid != m.Guid {
				t.Fatalf("%s %q finds %q, %v", m.Type, identity, got.Guid, ok)
			}
		}
	}
	m := first(tenant)
	tenant.Update(m.Guid, func(m *simulator.Mailbox) {
		m.Alias, m.PrimarySMTPAddress, m.UserPrincipalName = "ceo", "ceo@contoso.com", "ceo@contoso.com"
		m.Addresses = []string{"SMTP:ceo@contoso.com"}
	})
	if _, ok := tenant.FindMailbox(m.PrimarySMTPAddress); ok {
		t.Error("the old address still finds the renamed mailbox")
	}
	if got, ok := tenant.FindMailbox("CEO@contoso.com"); !ok || got.Guid != m.Guid {
		t.Error("the new address does not find the renamed mailbox")
	}
	if _, ok := tenant.Mailbox("ceo"); ok {
		t.Error("Mailbox takes what is no Guid")
	}
	tenant.RemoveMailbox(m.Guid)
	for _, identity := range []string{m.Guid, m.ExchangeObjectID, "ceo@contoso.com"} {
		if _, ok := tenant.FindMailbox(identity); ok {
			t.Errorf("the removed mailbox is found by %s", identity)
		}
	}
	if tenant.RemoveMailbox(m.Guid) || tenant.Update(m.Guid, func(*simulator.Mailbox) {}) {
		t.Error("a removed mailbox can be removed or changed again")
	}
}

func TestAddMailboxFillsWhatIsEmpty(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{})
	m := tenant.AddMailbox(simulator.Mailbox{UserPrincipalName: "eve@contoso.com", Delegate: []string{"Update"}})
	if m.Type != "UserMailbox" || m.Alias != "eve" || m.PrimarySMTPAddress != "eve@contoso.com" || m.Name != "eve" ||
		m.Addresses[0] != "SMTP:eve@contoso.com" || sorted(m.Managed) != "Admin Owner" || m.AuditEnabled != simulator.Unset ||
		m.AgeLimit != "90.00:00:00" || m.Created.IsZero() || m.ExternalDirectoryObjectID == "" {
		t.Errorf("%+v", m)
	}
	m.Delegate[0] = "spoiled"
	if got, _ := tenant.Mailbox(m.Guid); got.Delegate[0] != "Update" {
		t.Error("the tenant shares memory with what it returned")
	}
	bare := tenant.AddMailbox(simulator.Mailbox{})
	if got, ok := tenant.FindMailbox(bare.UserPrincipalName); !ok || got.Guid != bare.Guid {
		t.Errorf("%+v", bare)
	}
}

func TestSnapshotIsApart(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 20, Users: 2})
	m := first(tenant)
	tenant.Update(m.Guid, func(m *simulator.Mailbox) { m.Owner, m.Managed = []string{"Update"}, nil })
	before := tenant.Snapshot()
	text := dump(before)
	if text != dump(tenant) {
		t.Fatal("a snapshot differs from its tenant")
	}
	tenant.Update(m.Guid, func(m *simulator.Mailbox) { m.Owner[0] = "HardDelete" })
	tenant.AddMailbox(simulator.Mailbox{Alias: "x"})
	tenant.AddUser(simulator.User{})
	tenant.SetBypass(m.Guid, true)
	tenant.UpdateOrganization(func(o *simulator.Organization) { o.AuditDisabled = true })
	if dump(before) != text {
		t.Error("a change of the tenant reached its snapshot")
	}
	if dump(tenant) == text {
		t.Error("the dump does not show the changes")
	}
}

func TestRemovingAnAddedMailboxRemovesNoOther(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 3})
	tenant.RemoveMailbox(tenant.AddMailbox(simulator.Mailbox{}).Guid)
	if got := len(slices.Collect(tenant.AllMailboxes())); got != 3 {
		t.Errorf("%d mailboxes are left, want 3", got)
	}
}
