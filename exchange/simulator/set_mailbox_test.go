package simulator_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

const (
	adminDefault    = "ApplyRecord Create HardDelete MailItemsAccessed MoveToDeletedItems Send SendAs SendOnBehalf SoftDelete Update UpdateCalendarDelegation UpdateFolderPermissions UpdateInboxRules"
	delegateDefault = "ApplyRecord Create HardDelete MailItemsAccessed MoveToDeletedItems SendAs SendOnBehalf SoftDelete Update UpdateFolderPermissions UpdateInboxRules"
	ownerDefault    = "ApplyRecord HardDelete MailItemsAccessed MoveToDeletedItems Send SoftDelete Update UpdateCalendarDelegation UpdateFolderPermissions UpdateInboxRules"
)

// sorted makes lists comparable: their order carries no meaning.
func sorted(list []string) string { return strings.Join(slices.Sorted(slices.Values(list)), " ") }

func words(s string) string { return sorted(strings.Fields(s)) }

func TestSetMailboxLists(t *testing.T) {
	managed := simulator.Mailbox{Alias: "ann"}
	pinned := simulator.Mailbox{Alias: "ann", Owner: []string{"Update", "MailboxLogin"}}
	for _, tc := range []struct {
		name       string
		box        simulator.Mailbox
		parameters map[string]any
		owner      string
		managed    string
		unchanged  bool
	}{
		{"add on a managed list starts from what is shown and pins", managed, map[string]any{"AuditOwner": delta([]string{"MailboxLogin"}, nil)}, ownerDefault + " MailboxLogin", "Admin Delegate", false},
		{"add of one bare value", managed, map[string]any{"AuditOwner": map[string]any{"@odata.type": "#Exchange.GenericHashTable", "add": "MailboxLogin"}}, ownerDefault + " MailboxLogin", "Admin Delegate", false},
		{"add of what a managed list holds still pins", managed, map[string]any{"AuditOwner": delta([]string{"Update"}, nil)}, ownerDefault, "Admin Delegate", false},
		{"remove on a managed list pins", managed, map[string]any{"AuditOwner": delta(nil, []string{"Send"})}, strings.Replace(ownerDefault, "Send ", "", 1), "Admin Delegate", false},
		{"replace", managed, map[string]any{"auditowner": []string{"update", "HardDelete"}}, "HardDelete Update", "Admin Delegate", false},
		{"an enumerator's prefix is taken for it", managed, map[string]any{"AuditOwner": []string{"MailItems"}}, "MailItemsAccessed", "Admin Delegate", false},
		{"an empty array changes nothing", managed, map[string]any{"AuditOwner": []string{}}, ownerDefault, "Admin Delegate Owner", true},
		{"add of what a pinned list holds", pinned, map[string]any{"AuditOwner": delta([]string{"Update"}, nil)}, "MailboxLogin Update", "Admin Delegate", true},
		{"the same list in another order", pinned, map[string]any{"AuditOwner": []string{"MailboxLogin", "Update"}}, "MailboxLogin Update", "Admin Delegate", true},
		{"restore loses the list's own actions", pinned, map[string]any{"DefaultAuditSet": []string{"Admin", "Delegate", "Owner"}}, ownerDefault, "Admin Delegate Owner", false},
		{"restore of one pins those not named", pinned, map[string]any{"DefaultAuditSet": []string{"Owner"}}, ownerDefault, "Owner", false},
		{"restore of what is managed", managed, map[string]any{"DefaultAuditSet": "Owner, Admin, Delegate"}, ownerDefault, "Admin Delegate Owner", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProbe(t, simulator.Seed{})
			m := p.tenant().AddMailbox(tc.box)
			tc.parameters["Identity"] = m.Guid
			a := p.invoke("Set-Mailbox", tc.parameters)
			if a.Status != http.StatusOK {
				t.Fatalf("%d %s", a.Status, a.text())
			}
			warned := strings.Contains(strings.Join(a.Warnings, ""), "no settings of")
			if warned != tc.unchanged {
				t.Errorf("warnings %q, want unchanged %v", a.Warnings, tc.unchanged)
			}
			after, _ := p.tenant().Mailbox(m.Guid)
			if got := sorted(after.Shown("Owner")); got != words(tc.owner) {
				t.Errorf("owner list\n got %s\nwant %s", got, words(tc.owner))
			}
			if got := sorted(after.Managed); got != words(tc.managed) {
				t.Errorf("DefaultAuditSet %s, want %s", got, tc.managed)
			}
			if after.Changed.After(m.Changed) == tc.unchanged {
				t.Errorf("WhenChanged moved from %v to %v", m.Changed, after.Changed)
			}
			row := p.invoke("Get-Mailbox", map[string]any{"Identity": m.Guid}).Value[0]
			if got := sorted(strs(row["AuditOwner"])); got != words(tc.owner) {
				t.Errorf("Get-Mailbox shows owner %s", got)
			}
			if got := sorted(strs(row["AuditAdmin"])); got != words(adminDefault) {
				t.Errorf("Get-Mailbox shows admin %s", got)
			}
			if got := sorted(strs(row["AuditDelegate"])); got != words(delegateDefault) {
				t.Errorf("Get-Mailbox shows delegate %s", got)
			}
		})
	}
}

func TestSetMailboxRefusals(t *testing.T) {
	ann := simulator.Mailbox{Alias: "ann"}
	group := simulator.Mailbox{Alias: "ann", Type: "GroupMailbox"}
	for _, tc := range []struct {
		name       string
		box        simulator.Mailbox
		parameters map[string]any
		status     int
		text       string
	}{
		{"E1 unknown action", ann, map[string]any{"AuditOwner": []string{"Frobnicate"}}, 400, "The possible enumeration values are 'None, Default, AddFolderPermissions,"},
		{"E1 record operation", ann, map[string]any{"AuditOwner": delta([]string{"SearchQueryInitiatedExchange"}, nil)}, 400, "invalid enumeration value"},
		{"E1 comes before the lookup", ann, map[string]any{"Identity": "nobody", "AuditOwner": []string{"Frobnicate"}}, 400, "invalid enumeration value"},
		{"E2 wrong logon type", ann, map[string]any{"AuditAdmin": delta([]string{"MailboxLogin"}, nil)}, 400, "Invalid audit operation specified. Supported audit operations for Admin are None"},
		{"E2 owner", ann, map[string]any{"AuditOwner": []string{"Update", "SendAs"}}, 400, "Supported audit operations for Mailbox Owner are None, Create"},
		{"E2 delegate Send", ann, map[string]any{"AuditDelegate": delta([]string{"Send"}, nil)}, 400, "Supported audit operations for Delegate"},
		{"E3", ann, map[string]any{"AuditAdmin": delta([]string{"MessageBind"}, nil)}, 400, "MessageBind audit operation type is deprecated."},
		{"E4", simulator.Mailbox{Alias: "ann", Unlicensed: true}, map[string]any{"AuditOwner": delta([]string{"SearchQueryInitiated"}, nil)}, 400, "only available for users with appropriate license"},
		{"both forms at once", ann, map[string]any{"DefaultAuditSet": []string{"Admin"}, "AuditOwner": []string{"Update"}}, 400, "Parameter set cannot be resolved"},
		{"unknown type in DefaultAuditSet", ann, map[string]any{"DefaultAuditSet": []string{"Guest"}}, 400, "Admin, Delegate, Owner"},
		{"untyped object", ann, map[string]any{"AuditOwner": map[string]any{"Add": []string{"Update"}}}, 400, "Cannot convert Newtonsoft.Json.Linq.JObject"},
		{"None", ann, map[string]any{"AuditOwner": []string{"None"}}, 501, "None"},
		{"empty table", ann, map[string]any{"AuditOwner": delta(nil, nil)}, 501, "adds and removes nothing"},
		{"null list", ann, map[string]any{"AuditOwner": nil}, 501, "null AuditOwner"},
		{"boolean as string", ann, map[string]any{"AuditEnabled": "true"}, 400, "System.Boolean"},
		{"age limit", ann, map[string]any{"AuditLogAgeLimit": "P180D"}, 400, "TimeSpan"},
		{"unknown parameter", ann, map[string]any{"AuditEverything": true}, 400, "Invalid cmdlet parameters specified. AuditEverything"},
		{"parameter of another cmdlet, unmodelled here", ann, map[string]any{"LitigationHoldEnabled": true}, 501, "LitigationHoldEnabled of Set-Mailbox"},
		{"no identity", ann, map[string]any{"Identity": "", "AuditEnabled": true}, 400, "missing mandatory parameters: Identity"},
		{"not found", ann, map[string]any{"Identity": "nobody@contoso.com", "AuditEnabled": true}, 404, "ManagementObjectNotFoundException"},
		{"group without its switch", group, map[string]any{"AuditLogAgeLimit": "180"}, 404, "couldn't be found"},
		{"group with lists", group, map[string]any{"GroupMailbox": true, "AuditOwner": []string{"Update"}}, 400, "group mailbox"},
		{"ordinary with the group switch", ann, map[string]any{"GroupMailbox": true, "AuditLogAgeLimit": "180"}, 404, "couldn't be found"},
		{"two listings", ann, map[string]any{"GroupMailbox": true, "PublicFolder": true}, 400, "GroupMailbox, PublicFolder"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProbe(t, simulator.Seed{})
			m := p.tenant().AddMailbox(tc.box)
			if _, ok := tc.parameters["Identity"]; !ok {
				tc.parameters["Identity"] = m.Guid
			}
			before := dump(p.tenant())
			a := p.invoke("Set-Mailbox", tc.parameters)
			if a.Status != tc.status || !strings.Contains(a.text(), tc.text) {
				t.Errorf("got %d %s\nwant %d …%s…", a.Status, a.text(), tc.status, tc.text)
			}
			if got := dump(p.tenant()); got != before {
				t.Errorf("a refused call changed the tenant:\n%s", got)
			}
		})
	}
}

func dump(t *simulator.Tenant) string {
	var b strings.Builder
	for property, value := range t.Dump() {
		b.WriteString(property + "=" + value + "\n")
	}
	return b.String()
}

func TestOneBadValueFailsTheWholeCall(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 1})
	before := dump(p.tenant())
	m := first(p.tenant())
	a := p.invoke("Set-Mailbox", map[string]any{
		"Identity": m.Guid, "AuditLogAgeLimit": "365.00:00:00", "AuditAdmin": delta([]string{"Copy"}, nil), "AuditDelegate": delta([]string{"Copy"}, nil),
	})
	if a.Status != http.StatusBadRequest || dump(p.tenant()) != before {
		t.Errorf("status %d, tenant changed %v", a.Status, dump(p.tenant()) != before)
	}
}

func first(t *simulator.Tenant) simulator.Mailbox {
	for m := range t.AllMailboxes() {
		return m
	}
	return simulator.Mailbox{}
}

func TestAuditEnabledShownAndStored(t *testing.T) {
	for _, tc := range []struct {
		kind   string
		stored simulator.Tri
		form   simulator.UnsetForm
		shown  any
	}{
		{"UserMailbox", simulator.Unset, simulator.UnsetNull, true},
		{"UserMailbox", simulator.False, simulator.UnsetFalse, true},
		{"SharedMailbox", simulator.False, simulator.UnsetFalse, true},
		{"RoomMailbox", simulator.Unset, simulator.UnsetFalse, false},
		{"RoomMailbox", simulator.Unset, simulator.UnsetNull, nil},
		{"EquipmentMailbox", simulator.True, simulator.UnsetNull, true},
		{"DiscoveryMailbox", simulator.False, simulator.UnsetNull, false},
	} {
		p := newProbe(t, simulator.Seed{}, simulator.WithSwitches(simulator.Switches{UnsetAuditEnabled: tc.form}))
		m := p.tenant().AddMailbox(simulator.Mailbox{Type: tc.kind, AuditEnabled: tc.stored})
		rows := p.list("Get-Mailbox", nil)
		if len(rows) != 1 || rows[0]["AuditEnabled"] != tc.shown {
			t.Errorf("%s stored %v shows %v, want %v", tc.kind, tc.stored, rows[0]["AuditEnabled"], tc.shown)
		}
		filtered := p.list("Get-Mailbox", map[string]any{"Filter": "AuditEnabled -ne 'True'"})
		if (len(filtered) == 1) != (tc.stored != simulator.True) {
			t.Errorf("%s stored %v: the filter gives %d rows", tc.kind, tc.stored, len(filtered))
		}
		p.invoke("Set-Mailbox", map[string]any{"Identity": m.Guid, "AuditEnabled": true})
		if after, _ := p.tenant().Mailbox(m.Guid); after.AuditEnabled != simulator.True {
			t.Errorf("%s: set true is stored as %v", tc.kind, after.AuditEnabled)
		}
	}
}

func TestAgeLimit(t *testing.T) {
	p := newProbe(t, simulator.Seed{})
	m := p.tenant().AddMailbox(simulator.Mailbox{})
	group := p.tenant().AddMailbox(simulator.Mailbox{Type: "GroupMailbox"})
	for _, tc := range []struct {
		given any
		want  string
	}{
		{"180.00:00:00", "180.00:00:00"}, {180, "180.00:00:00"}, {"365", "365.00:00:00"}, {"12:30:00", "12:30:00"}, {"0", "00:00:00"},
	} {
		for _, target := range []struct {
			guid string
			sw   map[string]any
		}{{m.Guid, map[string]any{}}, {group.Guid, map[string]any{"GroupMailbox": true}}} {
			target.sw["Identity"], target.sw["AuditLogAgeLimit"] = target.guid, tc.given
			if a := p.invoke("Set-Mailbox", target.sw); a.Status != http.StatusOK {
				t.Fatalf("%v: %d %s", tc.given, a.Status, a.text())
			}
			if after, _ := p.tenant().Mailbox(target.guid); after.AgeLimit != tc.want {
				t.Errorf("%v is stored as %s, want %s", tc.given, after.AgeLimit, tc.want)
			}
		}
	}
}

func TestWhatIfAndConfirmChangeNothing(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 1})
	m := first(p.tenant())
	before := dump(p.tenant())
	for _, cmdlet := range []struct {
		name       string
		parameters map[string]any
	}{
		{"Set-Mailbox", map[string]any{"Identity": m.Guid, "AuditEnabled": false}},
		{"Set-MailboxAuditBypassAssociation", map[string]any{"Identity": m.Guid, "AuditBypassEnabled": true}},
		{"Set-OrganizationConfig", map[string]any{"AuditDisabled": true}},
		{"Set-AdminAuditLogConfig", map[string]any{"UnifiedAuditLogIngestionEnabled": false}},
	} {
		for _, common := range []string{"WhatIf", "confirm"} {
			cmdlet.parameters[common] = true
			p.anchor = auditLog + p.tenant().ID()
			if a := p.invoke(cmdlet.name, cmdlet.parameters); a.Status != http.StatusOK || a.Confirm == "" {
				t.Errorf("%s %s: %d, message %q", cmdlet.name, common, a.Status, a.Confirm)
			}
			delete(cmdlet.parameters, common)
		}
	}
	if dump(p.tenant()) != before {
		t.Error("a rehearsal changed the tenant")
	}
	if a := p.invoke("Set-OrganizationConfig", map[string]any{"AuditDisabled": true, "Confirm": false}); a.Status != http.StatusOK || !p.tenant().Organization().AuditDisabled {
		t.Errorf("Confirm false does not execute: %d", a.Status)
	}
}
