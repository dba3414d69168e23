package simulator_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// roundTrip sends without a client's care for redirects and encodings.
func (p *probe) roundTrip(url string, body []byte) (*http.Response, error) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token")
	req.Header.Set("X-AnchorMailbox", p.anchor)
	return p.s.RoundTripper().RoundTrip(req)
}

func TestWrongGzip(t *testing.T) {
	const get = "Get-OrganizationConfig"
	fault := simulator.Fault{Cmdlet: get, Call: 1, Do: simulator.DoWrongGzip}
	for _, text := range []string{"", simulator.GzipDamaged} {
		fault.Text = text
		p := newProbe(t, simulator.Seed{}, simulator.WithFaults(fault))
		a := p.invoke(get, nil)
		magic := bytes.HasPrefix(a.Raw, []byte{0x1f, 0x8b})
		if a.Status != 200 || a.Header.Get("Content-Encoding") != "gzip" || magic != (text != "") || json.Valid(a.Raw) == magic {
			t.Fatalf("%q: %d, %q, magic %v: %.60q", text, a.Status, a.Header.Get("Content-Encoding"), magic, a.Raw)
		}
		if magic {
			z, err := gzip.NewReader(bytes.NewReader(a.Raw))
			if err == nil {
				_, err = io.Copy(io.Discard, z)
			}
			if err == nil {
				t.Error("the damaged gzip reads well")
			}
		}
		if b := p.invoke(get, nil); b.Header.Get("Content-Encoding") != "" || len(b.Value) != 1 {
			t.Errorf("%q: the next answer is declared %q too", text, b.Header.Get("Content-Encoding"))
		}
	}
	fault.Call = 0
	p := newProbe(t, simulator.Seed{Mailboxes: 1}, simulator.WithFaults(fault))
	a := p.batch(nil, p.item("a", get, nil))
	if a.Responses[0].Headers["Content-Encoding"] != "" {
		t.Errorf("an item of a batch is declared gzip: %s", a.Raw)
	}
}

func TestConnectionDropped(t *testing.T) {
	fault := simulator.Fault{Cmdlet: "Set-Mailbox", Call: 1, Do: simulator.DoDropConnection}
	p := newProbe(t, simulator.Seed{Mailboxes: 1}, simulator.WithFaults(fault))
	m := first(p.tenant())
	body := command("Set-Mailbox", map[string]any{"Identity": m.Guid, "AuditLogAgeLimit": "180"})
	res, err := p.roundTrip(p.url(), body)
	if err == nil {
		res.Body.Close()
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("in process: %v, want the end of the connection", err)
	}
	if after, _ := p.tenant().Mailbox(m.Guid); after.AgeLimit != "180.00:00:00" {
		t.Errorf("the call whose answer is lost was not carried out: %s", after.AgeLimit)
	}
	if call := p.s.Calls()[0]; call.Status != 0 || call.Cmdlets[0].Status != 200 {
		t.Errorf("logged as %d, cmdlet %d", call.Status, call.Cmdlets[0].Status)
	}
	p.s.AddFaults(simulator.Fault{Cmdlet: "$batch", Do: simulator.DoDropConnection})
	if res, err := p.roundTrip(strings.Replace(p.url(), "InvokeCommand", "$batch", 1), []byte(`{"requests":[{"id":"a","method":"POST","url":"InvokeCommand","body":`+string(body)+`}]}`)); err == nil {
		res.Body.Close()
		t.Errorf("a batch is answered by %d", res.StatusCode)
	}

	server := httptest.NewServer(simulator.New(p.tenant(), simulator.WithFaults(fault)))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/adminapi/beta/"+p.tenant().ID()+"/InvokeCommand", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token")
	if res, err := server.Client().Do(req); err == nil {
		res.Body.Close()
		t.Errorf("over a socket: answered by %d", res.StatusCode)
	}
}

func TestRedirectToTheRegion(t *testing.T) {
	fault := simulator.Fault{Do: simulator.DoRegional, Host: "nam13b"}
	p := newProbe(t, simulator.Seed{Mailboxes: 30}, simulator.WithFaults(fault), simulator.WithHosts(host))
	p.prefer = "odata.maxpagesize=20"
	path := "/adminapi/beta/" + p.tenant().ID() + "/"
	for operation, body := range map[string][]byte{"InvokeCommand": command("Get-Mailbox", nil), "$batch": []byte(`{"requests":[]}`)} {
		a := p.send(http.MethodPost, "https://"+host+path+operation, body, nil)
		if want := "https://nam13b.admin.protection.outlook.com:446" + path + operation; a.Status != 302 || a.Header.Get("Location") != want || len(a.Raw) != 0 {
			t.Errorf("%s: %d to %q, want %q", operation, a.Status, a.Header.Get("Location"), want)
		}
	}
	module := strings.Replace(path, "beta", "v1.0", 1) + "EXOModuleFile"
	if a := p.send(http.MethodGet, "https://"+host+module+"?Version=3.9.2", nil, nil); a.Status != 302 || a.Header.Get("Location") != "https://nam13b.admin.protection.outlook.com:446"+module {
		t.Errorf("EXOModuleFile: %d to %q", a.Status, a.Header.Get("Location"))
	}
	for name, want := range map[string]int{
		"nam13b.outlook.office365.com": 200, "NAM13B.outlook.office365.com": 200, "eur01b.outlook.office365.com": 421,
		"nam13b.admin.protection.outlook.com:446": 421,
	} {
		a := p.send(http.MethodPost, "https://"+name+path+"InvokeCommand", command("Get-Mailbox", nil), nil)
		if a.Status != want || want == 200 && !strings.HasPrefix(a.Next, "https://"+name+"/") {
			t.Errorf("at %s: %d, next %q", name, a.Status, a.Next)
		}
	}
	next := p.send(http.MethodPost, "https://nam13b.outlook.office365.com"+path+"InvokeCommand", command("Get-Mailbox", nil), nil).Next
	p.s.DisarmFaults()
	if a := p.send(http.MethodPost, strings.Replace(next, "nam13b.", "", 1), command("Get-Mailbox", nil), nil); a.Status != 400 {
		t.Errorf("a listing goes on at another host: %d", a.Status)
	}
	if a := p.send(http.MethodPost, next, command("Get-Mailbox", nil), nil); a.Status != 200 || len(a.Value) != 10 {
		t.Errorf("a listing does not go on at its own host: %d, %d rows", a.Status, len(a.Value))
	}
}

func TestChallenge(t *testing.T) {
	const get, claims = "Get-OrganizationConfig", `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`
	p := newProbe(t, simulator.Seed{}, simulator.WithFaults(
		simulator.Fault{Cmdlet: get, Call: 1, Do: simulator.DoChallenge, Text: claims}, simulator.Fault{Cmdlet: get, Call: 2, Do: simulator.DoChallenge},
	), simulator.WithClock(func() time.Time { return time.Unix(77, 0) }))
	for _, want := range []string{claims, strings.Replace(claims, `"1"`, `"77"`, 1)} {
		a := p.invoke(get, nil)
		_, encoded, _ := strings.Cut(a.Header.Get("Www-Authenticate"), `error="insufficient_claims", claims="`)
		got, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(encoded, `"`))
		if a.Status != 401 || len(a.Raw) != 0 || err != nil || string(got) != want {
			t.Errorf("%d %q: claims %s, %v", a.Status, a.Header.Get("Www-Authenticate"), got, err)
		}
	}
	if a := p.invoke(get, nil); a.Status != 200 {
		t.Errorf("third call: %d", a.Status)
	}
}

func TestNeedsProxy(t *testing.T) {
	const get = "Get-OrganizationConfig"
	p := newProbe(t, simulator.Seed{}, simulator.WithFaults(simulator.Fault{Cmdlet: get, Times: 2, Do: simulator.DoNeedsProxy}))
	statuses := func(anchors ...string) (got []int) {
		for _, p.anchor = range anchors {
			a := p.invoke(get, nil)
			got = append(got, a.Status)
			if a.Status != 200 && (!strings.Contains(string(a.Raw), "|Microsoft.Exchange.AdminApi.CommandInvocation.CmdletProxyNotAvailableException|Cmdlet needs proxy. Current Server FQDN : ") ||
				!strings.Contains(a.text(), ", Required Server FQDN : ") || a.Header.Get("X-Exceptiontype") == "") {
				t.Errorf("%v %s", a.Header, a.Raw)
			}
		}
		return got
	}
	one, two := orgMail+p.tenant().ID(), auditLog+p.tenant().ID()
	for i, want := range []int{400, 200, 400, 200, 200} {
		if got := statuses([]string{one, two, one, one, two}[i]); got[0] != want {
			t.Errorf("call %d: %d, want %d", i+1, got[0], want)
		}
	}
	p.s.AddFaults(simulator.Fault{Cmdlet: get, Do: simulator.DoNeedsProxy})
	for i, got := range statuses(one, two, one) {
		if got != 400 {
			t.Errorf("lasting, call %d: %d", i+1, got)
		}
	}
}

func TestItemWithoutStatus(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 1}, simulator.WithFaults(simulator.Fault{Cmdlet: "Set-Mailbox", Item: true, Call: 1, Do: simulator.DoDropStatus}))
	m := first(p.tenant())
	set := p.item("a", "Set-Mailbox", map[string]any{"Identity": m.Guid, "AuditLogAgeLimit": "180"})
	a := p.batch(nil, set)
	if !strings.Contains(string(a.Raw), `{"responses":[{"id":"a","headers":{`) || strings.Contains(string(a.Raw), `"status"`) {
		t.Errorf("%s", a.Raw)
	}
	if after, _ := p.tenant().Mailbox(m.Guid); after.AgeLimit != "180.00:00:00" {
		t.Error("the item was not carried out")
	}
	if b := p.batch(nil, set); b.status("a") != 200 {
		t.Errorf("the next item: %s", b.Raw)
	}
}

func TestRowsThatAreAmiss(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 4}, simulator.WithFaults(
		simulator.Fault{Cmdlet: "Get-Mailbox", Call: 1, Do: simulator.DoDuplicateRow}, simulator.Fault{Cmdlet: "Get-Mailbox", Call: 2, Row: 3, Do: simulator.DoDuplicateRow},
		simulator.Fault{Cmdlet: "Get-Mailbox", Call: 3, Row: 9, Do: simulator.DoDuplicateRow}, simulator.Fault{Cmdlet: "Get-Mailbox", Call: 4, Do: simulator.DoAbsentValue},
	))
	for i, again := range []int{0, 2} {
		rows := p.invoke("Get-Mailbox", nil).Value
		if len(rows) != 5 || rows[4]["Guid"] != rows[again]["Guid"] {
			t.Errorf("call %d: %d rows, the last is not row %d", i+1, len(rows), again+1)
		}
	}
	if got := len(p.invoke("Get-Mailbox", nil).Value); got != 4 {
		t.Errorf("a row that there is not, doubled: %d rows", got)
	}
	if a := p.invoke("Get-Mailbox", nil); a.Status != 200 || strings.Contains(string(a.Raw), `"value"`) || !json.Valid(a.Raw) || !strings.Contains(string(a.Raw), "@adminapi.warnings") {
		t.Errorf("%s", a.Raw)
	}
	if got := len(p.invoke("Get-Mailbox", nil).Value); got != 4 {
		t.Errorf("after the faults: %d rows", got)
	}
}
