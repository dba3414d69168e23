package simulator

import (
	"regexp"
	"strings"
	"testing"
)

// typesOf are the OData types of a type of any kind in the metadata.
func typesOf(t *testing.T, name string) map[string]string {
	t.Helper()
	metadata := string(publicData(t, "EXO-metadata.xml"))
	_, body, found := strings.Cut(metadata, `Type Name="`+name+`"`)
	if !found {
		t.Fatalf("the metadata has no %s", name)
	}
	end := strings.Index(body, "</EntityType>")
	if other := strings.Index(body, "</ComplexType>"); other >= 0 && other < end {
		end = other
	}
	types := map[string]string{}
	for _, m := range regexp.MustCompile(`<Property Name="([^"]+)" Type="([^"]+)"`).FindAllStringSubmatch(body[:end], -1) {
		types[m[1]] = m[2]
	}
	return types
}

func TestDirectoryRowsAgreeWithTheMetadata(t *testing.T) {
	tenant := NewTenant(Seed{Mailboxes: 2, Groups: 1})
	c := newColumns(tenant)
	entry := permissionView{Permission{Trustee: "ann@contoso.com", Rights: []string{"SendAs"}}, "a"}
	group := viewOfGroup(tenant.AddGroup(Group{Name: "leads"}))
	info := typesOf(t, "MailboxPermissionInfo")
	info["User"], info["Identity"] = "Edm.String", "Edm.String"
	for m := range tenant.AllMailboxes() {
		expectTypes(t, "recipient", typesOf(t, "Recipient"), rowOf(t, c.recipient, viewOfMailbox(m)))
	}
	expectTypes(t, "group", typesOf(t, "Recipient"), rowOf(t, c.recipient, group))
	expectTypes(t, "recipient permission", typesOf(t, "RecipientPermission"), rowOf(t, c.recipientPermission, entry))
	expectTypes(t, "mailbox permission", info, rowOf(t, c.mailboxPermission, entry))
	expectTypes(t, "mailbox permission list", typesOf(t, "MailboxPermission"), rowOf(t, c.mailboxPermissionList, entry))
}

func expectTypes[T ~[]byte](t *testing.T, what string, types map[string]string, row map[string]T) {
	t.Helper()
	compared := 0
	for name, raw := range row {
		if strings.Contains(name, "@") || name == "IsValid" {
			continue
		}
		compared++
		if kind, ok := types[name]; !ok || !fits(kind, []byte(raw)) {
			t.Errorf("%s: %s is %s, the metadata says %q", what, name, raw, kind)
		}
	}
	if compared < 4 {
		t.Errorf("%s: %d properties were compared", what, compared)
	}
}

func TestComplianceParametersAgreeWithTheCatalogue(t *testing.T) {
	agreesWithCatalogue(t, "compliance", complianceCmdlets())
}
