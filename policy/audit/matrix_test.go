package audit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// documented is semantics 1.2 as a reader writes it down: A default, a accepted,
// u accepted and useless, - rejected; Admin, Delegate, Owner.
const documented = `
AddFolderPermissions uuu
ApplyPriorityCleanup aaa
ApplyRecord AAA
AttachmentAccess aaa
Copy a--
Create AAa
FolderBind aa-
HardDelete AAA
MailItemsAccessed AAA
MailboxLogin --u
MessageBind ---
ModifyFolderPermissions uuu
Move aaa
MoveToDeletedItems AAA
PreservedMailItemProactively aaa
PriorityCleanupDelete aaa
RecordDelete aaa
RemoveFolderPermissions uuu
SearchQueryInitiated --a
Send A-A
SendAs AA-
SendOnBehalf AA-
SoftDelete AAA
Update AAA
UpdateCalendarDelegation A-A
UpdateComplianceTag aaa
UpdateFolderPermissions AAA
UpdateInboxRules AAA
`

func TestMatrixIsTheDocumentedTable(t *testing.T) {
	letters := map[audit.Mark]string{
		audit.Default: "A", audit.Accepted: "a", audit.AcceptedUseless: "u", audit.Rejected: "-", audit.Unlisted: "?",
	}
	var b strings.Builder
	b.WriteString("\n")
	for _, a := range audit.Actions() {
		b.WriteString(string(a) + " ")
		for _, l := range audit.LogonTypes() {
			b.WriteString(letters[audit.Status(l, a)])
		}
		b.WriteString("\n")
	}
	if b.String() != documented {
		t.Errorf("the matrix reads\n%s\nwant\n%s", b.String(), documented)
	}
}

func TestDefaultsAreThePublishedSets(t *testing.T) {
	want := map[audit.LogonType]string{
		audit.Admin:    "ApplyRecord, Create, HardDelete, MailItemsAccessed, MoveToDeletedItems, Send, SendAs, SendOnBehalf, SoftDelete, Update, UpdateCalendarDelegation, UpdateFolderPermissions, UpdateInboxRules",
		audit.Delegate: "ApplyRecord, Create, HardDelete, MailItemsAccessed, MoveToDeletedItems, SendAs, SendOnBehalf, SoftDelete, Update, UpdateFolderPermissions, UpdateInboxRules",
		audit.Owner:    "ApplyRecord, HardDelete, MailItemsAccessed, MoveToDeletedItems, Send, SoftDelete, Update, UpdateCalendarDelegation, UpdateFolderPermissions, UpdateInboxRules",
	}
	sizes := map[audit.LogonType]int{audit.Admin: 13, audit.Delegate: 11, audit.Owner: 10}
	for _, l := range audit.LogonTypes() {
		for _, typ := range []audit.MailboxType{audit.UserMailbox, audit.SharedMailbox} {
			got := audit.Defaults(typ, l)
			if got.String() != want[l] || got.Len() != sizes[l] {
				t.Errorf("Defaults(%s, %s) = %d: %s", typ, l, got.Len(), got)
			}
		}
	}
	group := map[audit.LogonType]string{
		audit.Admin:    "Create, HardDelete, MoveToDeletedItems, SendAs, SendOnBehalf, SoftDelete, Update",
		audit.Delegate: "Create, HardDelete, MoveToDeletedItems, SendAs, SendOnBehalf, SoftDelete, Update",
		audit.Owner:    "HardDelete, MoveToDeletedItems, SoftDelete, Update",
	}
	for l, names := range group {
		if got := audit.Defaults(audit.GroupMailbox, l); got.String() != names {
			t.Errorf("Defaults(GroupMailbox, %s) = %s", l, got)
		}
	}
	if got := audit.Defaults(audit.UserMailbox, audit.LogonType(3)); got.Len() != 0 {
		t.Errorf("Defaults of no logon type = %s", got)
	}
}

func TestRejectionsHaveReasonAndSource(t *testing.T) {
	for _, a := range audit.Actions() {
		for _, l := range audit.LogonTypes() {
			reason := audit.Rejection(l, a)
			if rejected := audit.Status(l, a) == audit.Rejected; rejected != (reason != "") {
				t.Errorf("%s for %s: %v with reason %q", a, l, audit.Status(l, a), reason)
			} else if rejected && !strings.Contains(reason, "checked 20") {
				t.Errorf("%s for %s: the reason has no date: %q", a, l, reason)
			}
		}
	}
	if !strings.Contains(audit.Rejection(audit.Owner, "messagebind"), "MailItemsAccessed") {
		t.Error("the refusal of MessageBind does not point to MailItemsAccessed")
	}
	if audit.Rejection(audit.Owner, "Telepathy") != "" {
		t.Error("an unknown action is rejected")
	}
}

func TestActionsAreSortedAndCanonical(t *testing.T) {
	all := audit.Actions()
	if !slices.IsSorted(all) || len(all) != 28 {
		t.Errorf("%d actions, sorted %v", len(all), slices.IsSorted(all))
	}
	for _, a := range all {
		for _, spelling := range []string{string(a), strings.ToLower(string(a)), strings.ToUpper(string(a))} {
			if got, ok := audit.Canonical(spelling); got != a || !ok {
				t.Errorf("Canonical(%q) = %q, %v", spelling, got, ok)
			}
		}
	}
	for _, name := range []string{"None", "Default", "SearchQueryInitiatedExchange", "", "Cop", "Copy ", "\u017fend"} {
		if got, ok := audit.Canonical(name); ok || string(got) != name {
			t.Errorf("Canonical(%q) = %q, %v", name, got, ok)
		}
	}
}

func TestNamesThatAreNoActions(t *testing.T) {
	tests := []struct {
		name    string
		instead audit.Action
		is      bool
	}{
		{"None", "", true},
		{"default", "", true},
		{"SearchQueryInitiatedExchange", audit.SearchQueryInitiated, true},
		{"searchqueryinitiatedsharepoint", audit.SearchQueryInitiated, true},
		{"SearchQueryInitiated", "", false},
		{"Telepathy", "", false},
	}
	for _, tt := range tests {
		reason, instead := audit.NotAnAction(tt.name)
		if (reason != "") != tt.is || instead != tt.instead {
			t.Errorf("NotAnAction(%q) = %q, %q", tt.name, reason, instead)
		}
	}
}

func TestFoldedActions(t *testing.T) {
	for _, a := range audit.Actions() {
		other, ok := audit.FoldedInto(a)
		if want := strings.HasSuffix(string(a), "FolderPermissions") && a != audit.UpdateFolderPermissions; ok != want {
			t.Errorf("FoldedInto(%s) = %v", a, ok)
		}
		if ok && other != audit.UpdateFolderPermissions {
			t.Errorf("FoldedInto(%s) = %s", a, other)
		}
	}
	if _, ok := audit.FoldedInto("addfolderpermissions"); !ok {
		t.Error("FoldedInto regards case")
	}
}

func TestMarksInWords(t *testing.T) {
	for action, want := range map[audit.Action]string{
		audit.HardDelete: "default", audit.Move: "accepted", audit.AddFolderPermissions: "accepted, useless",
		audit.MessageBind: "rejected", "Telepathy": "unlisted",
	} {
		if got := audit.Status(audit.Owner, action).String(); got != want {
			t.Errorf("%s is %s, want %s", action, got, want)
		}
	}
}

func TestLicenceIsKnownForPremiumActions(t *testing.T) {
	for _, a := range []audit.Action{audit.MailItemsAccessed, audit.Send, audit.SearchQueryInitiated} {
		if !strings.Contains(audit.Licence(a), "E5") {
			t.Errorf("Licence(%s) = %q", a, audit.Licence(a))
		}
	}
	if audit.Licence(audit.HardDelete) != "" || audit.Licence("Telepathy") != "" {
		t.Error("a licence is claimed where none is known")
	}
}

// TestTakenFor: what the service would complete is told, nothing else is.
func TestTakenFor(t *testing.T) {
	tests := map[string]string{
		"None": "", "none": "", "DEFAULT": "", "move": "", "SendAs": "", "Telepathy": "", "MoveToDeletedItemsX": "", "ſend": "",
		"no": "None", "Defaul": "Default", "MOVET": "MoveToDeletedItems",
		"s": "SearchQueryInitiated,Send,SendAs,SendOnBehalf,SoftDelete", "D": "Default",
		"UpdateC": "UpdateCalendarDelegation,UpdateComplianceTag",
	}
	for name, want := range tests {
		if got := strings.Join(audit.TakenFor(name), ","); got != want {
			t.Errorf("TakenFor(%q) = %s, want %s", name, got, want)
		}
	}
}
