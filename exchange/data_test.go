package exchange

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sharedData reads a file of public facts about the service, or skips.
func sharedData(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../../shared/data/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the public data file %s is not here; the comparison with it is not made", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestParametersAreTheServices holds every parameter that is sent against the
// service's own list.
func TestParametersAreTheServices(t *testing.T) {
	var cmdlets []struct {
		Endpoint, Cmdlet string
		Parameters       []struct{ Name string }
	}
	if err := json.Unmarshal(sharedData(t, "exo-cmdlet-parameters.json"), &cmdlets); err != nil {
		t.Fatal(err)
	}
	known := map[string][]string{}
	for _, c := range cmdlets {
		if c.Endpoint != "exchange" {
			continue
		}
		known[c.Cmdlet] = append(known[c.Cmdlet], "")
		for _, p := range c.Parameters {
			known[c.Cmdlet] = append(known[c.Cmdlet], p.Name)
		}
	}
	c, s := scripted(t, ok(`{"responses":[]}`))
	everyCall(t, c, func(any) {})
	for listing := range PublicFolders + 1 {
		// Only what is sent matters: the script has no rows.
		if _, err := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{Listing: listing, Filter: "x"})); err == nil {
			t.Fatal("a listing without rows was whole")
		}
		ref := MailboxRef{Guid: testGUID, Listing: listing}
		list := &ListEdit{Add: []string{"Update"}}
		c.SetMailboxes(t.Context(), []MailboxEdit{
			{Ref: ref, AuditLogAgeLimit: "90.00:00:00", Admin: list, Delegate: list, Owner: list},
			{Ref: ref, DefaultAuditSet: []string{"Owner"}},
		})
	}
	seen := map[string]bool{}
	for _, sent := range s.requests() {
		inputs := []cmdletInput{}
		if strings.HasSuffix(sent.url, "/$batch") {
			for _, r := range readBatch(t, sent.body).Requests {
				inputs = append(inputs, cmdletInput{r.Body.CmdletInput.CmdletName, r.Body.CmdletInput.Parameters})
			}
		} else {
			var e struct {
				CmdletInput struct {
					CmdletName string
					Parameters params
				}
			}
			if err := json.Unmarshal([]byte(sent.body), &e); err != nil {
				t.Fatal(err)
			}
			inputs = append(inputs, cmdletInput{e.CmdletInput.CmdletName, e.CmdletInput.Parameters})
		}
		for _, in := range inputs {
			seen[in.Name] = true
			if len(known[in.Name]) == 0 {
				t.Errorf("%s is no cmdlet of the service", in.Name)
			}
			for name := range in.Parameters {
				if !slices.Contains(known[in.Name], name) {
					t.Errorf("%s has no parameter %s", in.Name, name)
				}
			}
		}
	}
	if len(seen) != 16 {
		t.Errorf("%d cmdlets were sent, want all sixteen: %v", len(seen), seen)
	}
}

// TestPropertiesAreTheServices holds the names and types of a Mailbox against the
// service's metadata.
func TestPropertiesAreTheServices(t *testing.T) {
	metadata := string(sharedData(t, "EXO-metadata.xml"))
	start := strings.Index(metadata, `<EntityType Name="Mailbox"`)
	if start < 0 {
		t.Fatal("the metadata has no Mailbox")
	}
	entity := metadata[start:]
	entity = entity[:strings.Index(entity, "</EntityType>")]
	found := 0
	for _, match := range regexp.MustCompile(`<Property Name="([^"]+)" Type="([^"]+)"`).FindAllStringSubmatch(entity, -1) {
		var m Mailbox
		place := mailboxProperty(&m, []byte(match[1]))
		if place == nil {
			continue
		}
		found++
		want := map[string]string{
			"Edm.String": "text", "Edm.Guid": "text", "Edm.DateTimeOffset": "text", "Edm.Boolean": "bool", "Collection(Edm.String)": "list",
		}[match[2]]
		got := "?"
		switch place.(type) {
		case *Field[string]:
			got = "text"
		case *Field[bool]:
			got = "bool"
		case *Field[[]string]:
			got = "list"
		}
		if got != want {
			t.Errorf("%s is read as %s, and is %s", match[1], got, match[2])
		}
	}
	if found != 35 {
		t.Errorf("the metadata has %d of the 35 properties of Mailbox", found)
	}
}
