package simulator

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// publicData reads a file of the public data that stands beside the repository.
func publicData(t *testing.T, name string) []byte {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", name)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there; the comparison with public data is left out", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// entityTypes are the OData types of one entity's properties.
func entityTypes(t *testing.T, entity string) map[string]string {
	t.Helper()
	var doc struct {
		Schemas []struct {
			Entities []struct {
				Name       string `xml:"Name,attr"`
				Properties []struct {
					Name string `xml:"Name,attr"`
					Type string `xml:"Type,attr"`
				} `xml:"Property"`
			} `xml:"EntityType"`
		} `xml:"DataServices>Schema"`
	}
	if err := xml.Unmarshal(publicData(t, "EXO-metadata.xml"), &doc); err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for _, schema := range doc.Schemas {
		for _, e := range schema.Entities {
			if e.Name != entity {
				continue
			}
			for _, p := range e.Properties {
				types[p.Name] = p.Type
			}
		}
	}
	if len(types) < 100 {
		t.Fatalf("%s has %d properties in the metadata", entity, len(types))
	}
	return types
}

func rowOf[T any](t *testing.T, columns []property[T], object T) map[string]json.RawMessage {
	t.Helper()
	var row Row
	fillRow(&row, nil, columns, &object)
	names := map[string]bool{}
	for _, f := range row.Fields {
		if names[f.Key] {
			t.Errorf("%s is sent twice", f.Key)
		}
		names[f.Key] = true
	}
	raw := row.appendJSON(nil)
	var decoded map[string]json.RawMessage
	if err := json.Unmarshal(raw, &decoded); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return decoded
}

// fits says whether a JSON value can be one of an OData type.
func fits(kind string, raw json.RawMessage) bool {
	text := string(raw)
	switch {
	case text == "null":
		return true
	case strings.HasPrefix(kind, "Collection("):
		return text[0] == '['
	case kind == "Edm.Boolean":
		return text == "true" || text == "false"
	case strings.HasPrefix(kind, "Edm.Int"):
		return text[0] >= '0' && text[0] <= '9'
	case kind == "Edm.Guid":
		return canonicalGuid(strings.Trim(text, `"`)) != ""
	}
	return text[0] == '"'
}

func TestRowsAgreeWithTheMetadata(t *testing.T) {
	tenant := NewTenant(Seed{Mailboxes: 40, Groups: 1, PublicFolders: 1})
	s := New(tenant)
	boxes := entityTypes(t, "Mailbox")
	for m := range tenant.AllMailboxes() {
		row := rowOf(t, s.columns.mailbox, mailboxView{&m, s})
		properties := 0
		for name, raw := range row {
			if base, annotation, ok := strings.Cut(name, "@"); ok {
				if _, ok := row[base]; !ok || annotation != "data.type" && annotation != "odata.type" {
					t.Errorf("annotation %s stands alone", name)
				}
				continue
			}
			properties++
			if kind, ok := boxes[name]; !ok || !fits(kind, raw) {
				t.Errorf("%s: %s is %s, the metadata says %q", m.Type, name, raw, kind)
			}
		}
		if properties < 220 {
			t.Errorf("a row has %d properties, want nearly all of %d", properties, len(boxes))
		}
	}
	users := entityTypes(t, "User")
	for u := range tenant.AllUsers() {
		for name, raw := range rowOf(t, s.columns.user, userView{User: u, s: s, kind: "User"}) {
			if kind, ok := users[name]; !strings.Contains(name, "@") && (!ok || !fits(kind, raw)) {
				t.Errorf("user: %s is %s, the metadata says %q", name, raw, kind)
			}
		}
	}
}

// kindOf is the JSON kind of a value; a number of milliseconds in /Date(…)/ is a date, as is our ISO form.
func kindOf(raw json.RawMessage) string {
	switch text := string(raw); text[0] {
	case '"':
		return "string"
	case '[':
		return "array"
	case '{':
		return "object"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}

func TestTenantRowsAgreeWithPublishedObjects(t *testing.T) {
	var published struct {
		Organization map[string]json.RawMessage   `json:"org_config"`
		Audit        []map[string]json.RawMessage `json:"admin_audit_log_config"`
	}
	if err := json.Unmarshal(publicData(t, "scubagear-runrego-stub-head-HEAD.json"), &published); err != nil {
		t.Fatal(err)
	}
	c := newColumns(NewTenant(Seed{}))
	compare := func(what string, ours, theirs map[string]json.RawMessage) {
		properties := 0
		for name, raw := range ours {
			if strings.Contains(name, "@") {
				continue
			}
			properties++
			want, ok := theirs[name]
			if !ok {
				t.Errorf("%s: %s is in no published object", what, name)
				continue
			}
			if got, want := kindOf(raw), kindOf(want); got != want && want != "null" && got != "null" {
				t.Errorf("%s: %s is a %s, published as %s", what, name, got, want)
			}
		}
		if properties*10 < len(theirs)*8 {
			t.Errorf("%s: %d properties, published are %d", what, properties, len(theirs))
		}
	}
	compare("organization", rowOf(t, c.organization, Organization{}), published.Organization)
	compare("admin audit", rowOf(t, c.adminAudit, Organization{}), published.Audit[0])
}

func TestParametersAgreeWithTheCatalogue(t *testing.T) {
	agreesWithCatalogue(t, "exchange", modelledCmdlets())
}

// agreesWithCatalogue holds each parameter of cmdlets to the catalogue of an endpoint,
// and each cmdlet to being in it.
func agreesWithCatalogue(t *testing.T, endpoint string, cmdlets map[string]*cmdlet) {
	t.Helper()
	var catalogue []struct {
		Endpoint, Cmdlet string
		Parameters       []struct {
			Name, Type string
		}
	}
	if err := json.Unmarshal(publicData(t, "exo-cmdlet-parameters.json"), &catalogue); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, entry := range catalogue {
		c := cmdlets[strings.ToLower(entry.Cmdlet)]
		if entry.Endpoint != endpoint || c == nil {
			continue
		}
		compared++
		if c.name != entry.Cmdlet || len(c.parameters) != len(entry.Parameters) {
			t.Errorf("%s has %d parameters, the catalogue %d", c.name, len(c.parameters), len(entry.Parameters))
		}
		for _, p := range entry.Parameters {
			if got := c.parameters[strings.ToLower(p.Name)]; got.name != p.Name || got.kind != p.Type {
				t.Errorf("%s: the catalogue has %s %s, here %s %s", c.name, p.Type, p.Name, got.kind, got.name)
			}
		}
	}
	if compared != len(cmdlets) {
		t.Errorf("%d of %d cmdlets are in the catalogue", compared, len(cmdlets))
	}
}

func TestCmdletNamesAgreeWithTheLists(t *testing.T) {
	// Names that live in the client module and never reach the service.
	local := regexp.MustCompile(`^(Connect-|Disconnect-|Get-EXO|Get-ConnectionInformation$)`)
	for _, file := range []string{"exo-cmdlet-names.txt", "exchange-online-cmdlets.txt"} {
		names := strings.Fields(string(publicData(t, file)))
		if len(names) < 700 {
			t.Fatalf("%s has %d names", file, len(names))
		}
		for _, name := range names {
			if knownCmdlet(name) == local.MatchString(name) {
				t.Errorf("%s: known %v", name, knownCmdlet(name))
			}
		}
	}
	if knownCmdlet("Get-Nonsense") || knownCmdlet("Get") || knownCmdlet("") {
		t.Error("a name that no list has is known")
	}
}

// TestRulesHoldTogether checks the table of rules against itself.
func TestRulesHoldTogether(t *testing.T) {
	counts := map[string]int{logonAdmin: 13, logonDelegate: 11, logonOwner: 10}
	for _, logon := range logonTypes() {
		defaults := defaultActions(logon)
		if len(defaults) != counts[logon] {
			t.Errorf("%s has %d default actions", logon, len(defaults))
		}
		for _, action := range defaults {
			if !acceptsAction(logon, action) {
				t.Errorf("%s does not accept its default %s", logon, action)
			}
		}
		for _, action := range auditOperations() {
			name, ok := matchEnum(auditOperations(), strings.ToUpper(action))
			if !ok || name != action {
				t.Errorf("%s is matched as %s", action, name)
			}
		}
		if acceptsAction(logon, "MessageBind") || acceptsAction(logon, "Frobnicate") {
			t.Errorf("%s accepts what no mailbox does", logon)
		}
	}
	if !slices.IsSorted(recipientTypes()) {
		t.Error("the mailbox types are not sorted")
	}
	if len(auditOperations()) != 30 {
		t.Errorf("%d audit operations", len(auditOperations()))
	}
}
