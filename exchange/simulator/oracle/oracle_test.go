package oracle_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/exchange/simulator/oracle"
)

const day = 24 * time.Hour

// The default sets of semantics 1.2, written once more: a slip in the package's
// own table shows here.
const (
	adminDefaults    = "ApplyRecord Create HardDelete MailItemsAccessed MoveToDeletedItems Send SendAs SendOnBehalf SoftDelete Update UpdateCalendarDelegation UpdateFolderPermissions UpdateInboxRules"
	delegateDefaults = "ApplyRecord Create HardDelete MailItemsAccessed MoveToDeletedItems SendAs SendOnBehalf SoftDelete Update UpdateFolderPermissions UpdateInboxRules"
	ownerDefaults    = "ApplyRecord HardDelete MailItemsAccessed MoveToDeletedItems Send SoftDelete Update UpdateCalendarDelegation UpdateFolderPermissions UpdateInboxRules"
)

// words splits a list and adds to it.
func words(list string, more ...string) []string {
	return append(strings.Fields(list), more...)
}

// managed is a new user mailbox as the service makes it.
func managed() simulator.Mailbox {
	return simulator.Mailbox{Type: "UserMailbox", Managed: words("Admin Delegate Owner"), AgeLimit: "90.00:00:00"}
}

// pinned is a user mailbox whose list of one logon type was written by somebody.
func pinned(logon string, actions ...string) simulator.Mailbox {
	m := managed()
	m.Managed = slices.DeleteFunc(m.Managed, func(have string) bool { return have == logon })
	switch logon {
	case "Admin":
		m.Admin = actions
	case "Delegate":
		m.Delegate = actions
	case "Owner":
		m.Owner = actions
	}
	return m
}

// as gives the mailbox with another type and stored AuditEnabled.
func as(m simulator.Mailbox, mailboxType string, enabled simulator.Tri) simulator.Mailbox {
	m.Type, m.AuditEnabled = mailboxType, enabled
	return m
}

// aged gives the mailbox with another age limit.
func aged(m simulator.Mailbox, limit string) simulator.Mailbox {
	m.AgeLimit = limit
	return m
}

// store puts a mailbox into a tenant exactly as it is written in a test.
func store(t *testing.T, tenant *simulator.Tenant, m simulator.Mailbox) string {
	t.Helper()
	guid := tenant.AddMailbox(simulator.Mailbox{Type: m.Type}).Guid
	found := tenant.Update(guid, func(stored *simulator.Mailbox) {
		stored.AuditEnabled, stored.AgeLimit, stored.Managed = m.AuditEnabled, m.AgeLimit, m.Managed
		stored.Admin, stored.Delegate, stored.Owner = m.Admin, m.Delegate, m.Owner
	})
	if !found {
		t.Fatalf("the tenant lost mailbox %s", guid)
	}
	return guid
}

// TestJudgeRecord covers every form of a wish for a list.
func TestJudgeRecord(t *testing.T) {
	tests := []struct {
		name string
		have simulator.Mailbox
		want oracle.Wish
		miss string // "setting: part of the reason"; empty where it is satisfied
	}{
		{"no wish", pinned("Admin"), oracle.Wish{Admin: &oracle.Record{}}, ""},
		{"managed satisfies defaults", managed(), oracle.Wish{
			Admin: &oracle.Record{Defaults: true}, Delegate: &oracle.Record{Defaults: true}, Owner: &oracle.Record{Defaults: true},
		}, ""},
		{
			"a stale list behind a managed one does not count",
			func() simulator.Mailbox { m := managed(); m.Admin = words("Copy"); return m }(),
			oracle.Wish{Admin: &oracle.Record{Plus: words("Copy")}},
			"auditAdmin: it lacks Copy",
		},
		{"pinned defaults, admin", pinned("Admin", words(adminDefaults)...), oracle.Wish{Admin: &oracle.Record{Defaults: true}}, ""},
		{"pinned defaults, delegate", pinned("Delegate", words(delegateDefaults)...), oracle.Wish{Delegate: &oracle.Record{Defaults: true}}, ""},
		{"pinned defaults, owner", pinned("Owner", words(ownerDefaults)...), oracle.Wish{Owner: &oracle.Record{Defaults: true}}, ""},
		{"a set of delegates is none of admins", pinned("Admin", words(delegateDefaults)...), oracle.Wish{Admin: &oracle.Record{Defaults: true}}, "auditAdmin: lacks Send, UpdateCalendarDelegation"},
		{"a set of owners is none of delegates", pinned("Delegate", words(ownerDefaults)...), oracle.Wish{Delegate: &oracle.Record{Defaults: true}}, "auditDelegate: lacks Create, SendAs, SendOnBehalf"},
		{"a set of delegates is none of owners", pinned("Owner", words(delegateDefaults)...), oracle.Wish{Owner: &oracle.Record{Defaults: true}}, "auditOwner: lacks Send, UpdateCalendarDelegation"},
		{"an empty list lacks", pinned("Owner"), oracle.Wish{Owner: &oracle.Record{Defaults: true}}, "auditOwner: of the default set it lacks ApplyRecord, HardDelete"},

		{"plus in a managed list", managed(), oracle.Wish{Owner: &oracle.Record{Plus: words("Send SoftDelete")}}, ""},
		{"plus beyond a managed list", managed(), oracle.Wish{Owner: &oracle.Record{Plus: words("SearchQueryInitiated")}}, "auditOwner: it lacks SearchQueryInitiated"},
		{"plus in another case", pinned("Delegate", "folderbind"), oracle.Wish{Delegate: &oracle.Record{Plus: words("FolderBind")}}, ""},
		{"plus alone wants no defaults", pinned("Delegate", "FolderBind"), oracle.Wish{Delegate: &oracle.Record{Plus: words("FolderBind")}}, ""},
		{"defaults and plus", pinned("Admin", words(adminDefaults, "Copy", "Move")...), oracle.Wish{Admin: &oracle.Record{Defaults: true, Plus: words("Copy Move")}}, ""},
		{"defaults, and plus missing", pinned("Admin", words(adminDefaults, "Copy")...), oracle.Wish{Admin: &oracle.Record{Defaults: true, Plus: words("Copy Move")}}, "auditAdmin: it lacks Move"},
		{"plus, and defaults missing", pinned("Admin", "Copy"), oracle.Wish{Admin: &oracle.Record{Defaults: true, Plus: words("Copy")}}, "auditAdmin: of the default set it lacks"},

		{"managed is listed", managed(), oracle.Wish{Delegate: &oracle.Record{Managed: true}}, ""},
		{"managed in another case", func() simulator.Mailbox { m := managed(); m.Managed = words("delegate"); return m }(), oracle.Wish{Delegate: &oracle.Record{Managed: true}}, ""},
		{"the same list, pinned, is not managed", pinned("Admin", words(adminDefaults)...), oracle.Wish{Admin: &oracle.Record{Managed: true}}, "defaultAuditSet: Admin is not managed"},

		{"exact", pinned("Owner", "Send", "HARDDELETE"), oracle.Wish{Owner: &oracle.Record{Exact: words("HardDelete Send")}}, ""},
		{"exact with too much", pinned("Owner", "Send", "Move"), oracle.Wish{Owner: &oracle.Record{Exact: words("Send")}}, "auditOwner: too much: Move"},
		{"exact with too little", pinned("Owner", "Send"), oracle.Wish{Owner: &oracle.Record{Exact: words("Send Move")}}, "auditOwner: to be exact it lacks Move"},
		{"exactly nothing", pinned("Owner"), oracle.Wish{Owner: &oracle.Record{Exact: []string{}}}, ""},
		{"exactly nothing, and something", pinned("Owner", "Send"), oracle.Wish{Owner: &oracle.Record{Exact: []string{}}}, "auditOwner: too much: Send"},
		{"exactly what is managed", managed(), oracle.Wish{Owner: &oracle.Record{Exact: words(ownerDefaults)}}, ""},

		{"a group is managed always", as(simulator.Mailbox{}, "GroupMailbox", simulator.Unset), oracle.Wish{Owner: &oracle.Record{Defaults: true, Managed: true}}, ""},
		{"a group has its own set", as(simulator.Mailbox{}, "GroupMailbox", simulator.Unset), oracle.Wish{Owner: &oracle.Record{Plus: words("Update Send")}}, "auditOwner: it lacks Send"},
		{"a group's admins", as(simulator.Mailbox{}, "GroupMailbox", simulator.Unset), oracle.Wish{Admin: &oracle.Record{Exact: words("Create HardDelete MoveToDeletedItems SendAs SendOnBehalf SoftDelete Update")}}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { expect(t, test.have, test.want, test.miss) })
	}
}

// TestJudgeMailbox covers the settings of a mailbox that are no lists.
func TestJudgeMailbox(t *testing.T) {
	effective, explicit := oracle.Wish{AuditEnabled: "effective"}, oracle.Wish{AuditEnabled: "explicit"}
	half := oracle.Wish{AgeLimit: 180 * day}
	tests := []struct {
		name string
		have simulator.Mailbox
		want oracle.Wish
		miss string
	}{
		{"a user is covered", as(managed(), "UserMailbox", simulator.False), effective, ""},
		{"a shared mailbox is covered", as(managed(), "SharedMailbox", simulator.Unset), effective, ""},
		{"a group is covered", as(managed(), "GroupMailbox", simulator.Unset), effective, ""},
		{"a room is not covered", as(managed(), "RoomMailbox", simulator.Unset), effective, "auditEnabled: RoomMailbox"},
		{"equipment is not covered", as(managed(), "EquipmentMailbox", simulator.False), effective, "auditEnabled: EquipmentMailbox"},
		{"discovery is not covered", as(managed(), "DiscoveryMailbox", simulator.Unset), effective, "auditEnabled: DiscoveryMailbox"},
		{"public folders are not covered", as(managed(), "PublicFolderMailbox", simulator.Unset), effective, "auditEnabled: PublicFolderMailbox"},
		{"an undocumented type is not covered", as(managed(), "TeamMailbox", simulator.Unset), effective, "auditEnabled: TeamMailbox"},
		{"a room with a stored value", as(managed(), "RoomMailbox", simulator.True), effective, ""},
		{"stored true", as(managed(), "UserMailbox", simulator.True), explicit, ""},
		{"stored false", as(managed(), "UserMailbox", simulator.False), explicit, "auditEnabled: not true"},
		{"stored nothing", as(managed(), "UserMailbox", simulator.Unset), explicit, "auditEnabled: not true"},
		{"a wish misspelt", as(managed(), "UserMailbox", simulator.True), oracle.Wish{AuditEnabled: "true"}, `auditEnabled: "true"`},

		{"old enough", aged(managed(), "180.00:00:00"), half, ""},
		{"older", aged(managed(), "365.00:00:00"), half, ""},
		{"a bare number is days", aged(managed(), "180"), half, ""},
		{"too young", aged(managed(), "179.23:59:59"), half, "auditLogAgeLimit: 179.23:59:59 is less"},
		{"hours are no days", aged(managed(), "18:00:00"), half, "auditLogAgeLimit: less"},
		{"not a duration", aged(managed(), "for ever"), half, "auditLogAgeLimit: for ever"},
		{"no opinion on nonsense", aged(managed(), "for ever"), oracle.Wish{}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { expect(t, test.have, test.want, test.miss) })
	}
}

// expect judges one mailbox by one wish. miss is "setting: part of the reason".
func expect(t *testing.T, have simulator.Mailbox, want oracle.Wish, miss string) {
	t.Helper()
	tenant := simulator.NewTenant(simulator.Seed{})
	want.Guid = strings.ToUpper(store(t, tenant, have))
	findings := oracle.Judge(tenant, oracle.Wishes{Mailboxes: []oracle.Wish{want}})
	if miss == "" {
		if len(findings) > 0 {
			t.Fatalf("not satisfied: %+v", findings)
		}
		return
	}
	if len(findings) != 1 {
		t.Fatalf("got %d findings %+v, want one: %s", len(findings), findings, miss)
	}
	setting, why, _ := strings.Cut(miss, ": ")
	got := findings[0]
	if got.Kind != "mailbox" || got.Guid != strings.ToLower(want.Guid) || got.Setting != setting || !strings.Contains(got.Why, why) {
		t.Fatalf("got %+v, want %s", got, miss)
	}
}

// TestJudgeTenant covers what is wished of the tenant as a whole.
func TestJudgeTenant(t *testing.T) {
	all := oracle.Wishes{UnifiedAuditLog: true, MailboxAuditing: true, Bypass: &oracle.BypassWish{}}
	tests := []struct {
		name   string
		tenant simulator.Organization
		want   oracle.Wishes
		miss   []string // settings
	}{
		{"as wished", simulator.Organization{UnifiedAuditLog: true}, all, nil},
		{"log off", simulator.Organization{}, all, []string{"unifiedAuditLogIngestionEnabled"}},
		{"auditing off", simulator.Organization{UnifiedAuditLog: true, AuditDisabled: true}, all, []string{"auditDisabled"}},
		{"both off, sorted", simulator.Organization{AuditDisabled: true}, all, []string{"auditDisabled", "unifiedAuditLogIngestionEnabled"}},
		{"both off, no opinion", simulator.Organization{AuditDisabled: true}, oracle.Wishes{}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{})
			tenant.UpdateOrganization(func(o *simulator.Organization) { *o = test.tenant })
			var settings []string
			for _, f := range oracle.Judge(tenant, test.want) {
				if f.Kind != "organization" || f.Guid != "organization" || f.Why == "" {
					t.Errorf("unexpected finding %+v", f)
				}
				settings = append(settings, f.Setting)
			}
			if !slices.Equal(settings, test.miss) {
				t.Fatalf("got %q, want %q", settings, test.miss)
			}
		})
	}
}

// TestJudgeBypass shows that accounts are known by their ids alone.
func TestJudgeBypass(t *testing.T) {
	const (
		scanner = "11111111-aaaa-4aaa-8aaa-000000000001"
		backup  = "22222222-bbbb-4bbb-8bbb-000000000002"
		backup2 = "33333333-cccc-4ccc-8ccc-000000000003"
		quiet   = "44444444-dddd-4ddd-8ddd-000000000004"
	)
	tenant := simulator.NewTenant(simulator.Seed{})
	tenant.AddBypass(simulator.Bypass{Guid: scanner, Name: "scanner", Enabled: true})
	tenant.AddBypass(simulator.Bypass{Guid: backup, ExchangeObjectID: backup2, Name: "backup", Enabled: true})
	tenant.AddBypass(simulator.Bypass{Guid: quiet, Name: "quiet"})
	tests := []struct {
		name    string
		allowed []string
		miss    []string
	}{
		{"all denied", nil, []string{scanner, backup}},
		{"allowed by Guid, in capitals", []string{strings.ToUpper(scanner)}, []string{backup}},
		{"allowed by ExchangeObjectId", []string{scanner, backup2}, nil},
		{"a name allows nothing", []string{"scanner", "backup", ""}, []string{scanner, backup}},
		{"allowed and not bypassed", []string{scanner, backup, quiet}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var guids []string
			for _, f := range oracle.Judge(tenant, oracle.Wishes{Bypass: &oracle.BypassWish{Allowed: test.allowed}}) {
				if f.Kind != "bypass" || f.Setting != "auditBypassEnabled" {
					t.Errorf("unexpected finding %+v", f)
				}
				guids = append(guids, f.Guid)
			}
			if !slices.Equal(guids, test.miss) {
				t.Fatalf("got %q, want %q", guids, test.miss)
			}
		})
	}
	if found := oracle.Judge(tenant, oracle.Wishes{}); len(found) > 0 {
		t.Fatalf("without an opinion on bypass: %+v", found)
	}
}

// TestJudgeTogether shows that every finding is given, in order, and that a
// mailbox which is not there does not pass.
func TestJudgeTogether(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{})
	tenant.UpdateOrganization(func(o *simulator.Organization) { o.AuditDisabled = true })
	guid := store(t, tenant, aged(pinned("Owner", "Send"), "1.00:00:00"))
	lost := "ffffffff-ffff-4fff-bfff-ffffffffffff"
	findings := oracle.Judge(tenant, oracle.Wishes{
		MailboxAuditing: true,
		Mailboxes: []oracle.Wish{
			{Guid: lost},
			{Guid: guid, Owner: &oracle.Record{Defaults: true, Managed: true, Plus: words("Move")}, AuditEnabled: "explicit", AgeLimit: 90 * day},
		},
	})
	var got []string
	for _, f := range findings {
		id := f.Guid
		switch id {
		case lost:
			id = "lost"
		case strings.ToLower(guid):
			id = "m"
		}
		got = append(got, f.Kind+" "+id+" "+f.Setting)
	}
	// By kind, then Guid: the generated one sorts before the lost one, all of f.
	want := []string{
		"mailbox m auditEnabled", "mailbox m auditLogAgeLimit", "mailbox m auditOwner", "mailbox m auditOwner",
		"mailbox m defaultAuditSet", "mailbox lost ", "organization organization auditDisabled",
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
}

// TestTablesAgree compares the oracle's table with the simulator's: they were
// taken from the documents apart, and a difference is a slip in one of them.
// The list that a group mailbox shows is left out, as it is not the one in
// force (semantics 1.5).
func TestTablesAgree(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 200, PublicFolders: 2})
	var wishes []oracle.Wish
	for m := range tenant.AllMailboxes() {
		if m.Type == "GroupMailbox" {
			continue
		}
		whole := func(logon string) *oracle.Record {
			return &oracle.Record{Defaults: true, Managed: true, Exact: m.Shown(logon)}
		}
		wishes = append(wishes, oracle.Wish{Guid: m.Guid, Admin: whole("Admin"), Delegate: whole("Delegate"), Owner: whole("Owner")})
	}
	if len(wishes) < 200 {
		t.Fatalf("the tenant lists %d mailboxes, want at least 200", len(wishes))
	}
	for _, finding := range oracle.Judge(tenant, oracle.Wishes{Mailboxes: wishes}) {
		t.Errorf("a tenant without drift: %+v", finding)
	}
}

// TestDriftIsSeen shows that a tenant with drift does not satisfy what one
// without does.
func TestDriftIsSeen(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Seed: 7, Mailboxes: 200, Drift: 1})
	var wishes []oracle.Wish
	for m := range tenant.AllMailboxes() {
		all := &oracle.Record{Defaults: true}
		wishes = append(wishes, oracle.Wish{Guid: m.Guid, Admin: all, Delegate: all, Owner: all, AuditEnabled: "effective", AgeLimit: 90 * day})
	}
	if findings := oracle.Judge(tenant, oracle.Wishes{Mailboxes: wishes}); len(findings) == 0 {
		t.Fatal("every mailbox of the tenant drifted and nothing was found")
	}
}
