package simulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestParseSwitch(t *testing.T) {
	variants := 0
	for name, want := range simulator.EachSwitch() {
		variants++
		if name == "default" {
			if want != (simulator.Switches{}) {
				t.Errorf("default is %+v", want)
			}
			continue
		}
		var got simulator.Switches
		if err := simulator.ParseSwitch(&got, strings.ToUpper(name)); err != nil || got != want || got == (simulator.Switches{}) {
			t.Errorf("%s parses to %+v, %v; want %+v", name, got, err, want)
		}
	}
	values := 0
	for _, name := range simulator.SwitchNames() {
		values += strings.Count(name, "|")
	}
	if variants != values+1 {
		t.Errorf("EachSwitch yields %d variants for %d alternatives", variants, values)
	}
	for bad, hint := range map[string]string{"nextLink": "NAME=VALUE", "nextLink=put": "post, get, both", "colour=red": "setBody=emptyArray|nullValue"} {
		if err := simulator.ParseSwitch(new(simulator.Switches), bad); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("ParseSwitch(%q) = %v, want a hint at %s", bad, err, hint)
		}
	}
}

func TestNextLinkVerb(t *testing.T) {
	for _, tc := range []struct {
		verb      simulator.NextLinkVerb
		post, get int
	}{
		{simulator.NextLinkPost, 200, 405}, {simulator.NextLinkGet, 405, 200}, {simulator.NextLinkBoth, 200, 200},
	} {
		p := newProbe(t, simulator.Seed{Mailboxes: 12}, simulator.WithSwitches(simulator.Switches{NextLink: tc.verb}))
		p.prefer = "odata.maxpagesize=10"
		link := p.invoke("Get-Mailbox", nil).Next
		if got := p.send(http.MethodPost, link, command("Get-Mailbox", nil), nil).Status; got != tc.post {
			t.Errorf("%v: POST gives %d, want %d", tc.verb, got, tc.post)
		}
		a := p.send(http.MethodGet, link, nil, nil)
		if a.Status != tc.get || tc.get == 200 && len(a.Value) != 2 {
			t.Errorf("%v: GET gives %d with %d rows, want %d", tc.verb, a.Status, len(a.Value), tc.get)
		}
		if got := p.send(http.MethodGet, p.url(), nil, nil).Status; got != http.StatusMethodNotAllowed {
			t.Errorf("GET without a token gives %d", got)
		}
	}
}

func TestSetBody(t *testing.T) {
	for _, tc := range []struct {
		body    simulator.SetBody
		holds   string
		without string
		empty   bool
	}{
		{simulator.SetBodyEmptyArray, `"value":[]`, "null", false},
		{simulator.SetBodyNullValue, `"value":null`, "[]}", false},
		{simulator.SetBodyAbsentValue, `"@adminapi.warnings":[]`, `"value"`, false},
		{simulator.SetBodyEmptyBody, "", "{", true},
	} {
		p := newProbe(t, simulator.Seed{Mailboxes: 1}, simulator.WithSwitches(simulator.Switches{SetBody: tc.body}))
		m := first(p.tenant())
		set := map[string]any{"Identity": m.Guid, "AuditLogAgeLimit": "180.00:00:00"}
		a := p.invoke("Set-Mailbox", set)
		if a.Status != 200 || !strings.Contains(string(a.Raw), tc.holds) || strings.Contains(string(a.Raw), tc.without) || tc.empty != (len(a.Raw) == 0) {
			t.Errorf("%v: %d %s", tc.body, a.Status, a.Raw)
		}
		if again := p.invoke("Set-Mailbox", set); len(again.Warnings) != 1 {
			t.Errorf("%v: the warning of an idle set is lost: %s", tc.body, again.Raw)
		}
		if got := p.invoke("Get-Mailbox", map[string]any{"Identity": m.Guid}); len(got.Value) != 1 {
			t.Errorf("%v: a read is touched by the switch: %s", tc.body, got.Raw)
		}
	}
}

func TestAddSwitches(t *testing.T) {
	hidden := simulator.Mailbox{Managed: []string{"Owner"}, Owner: []string{"Create"}}
	add := delta([]string{"MailboxLogin"}, nil)
	for _, tc := range []struct {
		name  string
		sw    simulator.Switches
		add   map[string]any
		owner string
		fails bool
	}{
		{"shown", simulator.Switches{}, add, ownerDefault + " MailboxLogin", false},
		{"stored", simulator.Switches{AddBase: simulator.AddBaseStored}, add, "Create MailboxLogin", false},
		{"re-add ok", simulator.Switches{}, delta([]string{"Update"}, nil), ownerDefault, false},
		{"re-add error", simulator.Switches{ReAdd: simulator.ReAddError}, delta([]string{"Update"}, nil), ownerDefault, true},
		{"re-add error spares what is new", simulator.Switches{ReAdd: simulator.ReAddError}, add, ownerDefault + " MailboxLogin", false},
	} {
		p := newProbe(t, simulator.Seed{}, simulator.WithSwitches(tc.sw))
		m := p.tenant().AddMailbox(hidden)
		a := p.invoke("Set-Mailbox", map[string]any{"Identity": m.Guid, "AuditOwner": tc.add})
		if (a.Status != 200) != tc.fails || tc.fails && !strings.Contains(a.text(), "already being audited") {
			t.Errorf("%s: %d %s", tc.name, a.Status, a.text())
		}
		after, _ := p.tenant().Mailbox(m.Guid)
		if got := sorted(after.Shown("Owner")); got != words(tc.owner) {
			t.Errorf("%s: owner %s, want %s", tc.name, got, words(tc.owner))
		}
	}
}

func TestHiddenSetSwallowed(t *testing.T) {
	p := newProbe(t, simulator.Seed{}, simulator.WithSwitches(simulator.Switches{HiddenSet: simulator.HiddenSetSwallowed}))
	user := p.tenant().AddMailbox(simulator.Mailbox{})
	room := p.tenant().AddMailbox(simulator.Mailbox{Type: "RoomMailbox"})
	for guid, want := range map[string]simulator.Tri{user.Guid: simulator.Unset, room.Guid: simulator.True} {
		a := p.invoke("Set-Mailbox", map[string]any{"Identity": guid, "AuditEnabled": true})
		after, _ := p.tenant().Mailbox(guid)
		if a.Status != 200 || after.AuditEnabled != want || (len(a.Warnings) == 1) != (want == simulator.Unset) {
			t.Errorf("%s: stored %v, want %v, warnings %q", after.Type, after.AuditEnabled, want, a.Warnings)
		}
	}
}

func TestFilterIgnored(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 20}, simulator.WithSwitches(simulator.Switches{Filter: simulator.FilterIgnored}))
	if got := len(p.list("Get-Mailbox", map[string]any{"Filter": "AuditEnabled -ne 'True'"})); got != 20 {
		t.Errorf("an ignored filter gives %d rows, want 20", got)
	}
	if a := p.invoke("Get-Mailbox", map[string]any{"Filter": "AuditEnabled -ne $true"}); a.Status != 400 {
		t.Errorf("a malformed filter gives %d", a.Status)
	}
}
