package simulator_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestListingReturnsEveryMailboxOnce(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 250, Groups: 3, PublicFolders: 2, BypassPerMailbox: 1.5}, simulator.WithPageSize(100))
	rows := p.list("Get-Mailbox", map[string]any{"ResultSize": "Unlimited"})
	seen := map[string]bool{}
	for _, row := range rows {
		seen[row["Guid"].(string)] = true
	}
	if len(rows) != 250 || len(seen) != 250 {
		t.Fatalf("got %d rows, %d different; want 250", len(rows), len(seen))
	}
	if got := p.s.Requests(); got != 3 {
		t.Errorf("the listing took %d requests, want 3", got)
	}
	if got := len(p.list("Get-Mailbox", map[string]any{"GroupMailbox": true, "ResultSize": "Unlimited"})); got != 3 {
		t.Errorf("group listing has %d rows, want 3", got)
	}
	if got := len(p.list("Get-Mailbox", map[string]any{"PublicFolder": true, "ResultSize": "Unlimited"})); got != 2 {
		t.Errorf("public folder listing has %d rows, want 2", got)
	}
	// A tenant of any size has the service's own rows beside those of mailboxes (wire 1.5).
	bypass := len(p.list("Get-MailboxAuditBypassAssociation", map[string]any{"ResultSize": "Unlimited"}))
	if want := 250 + 239; bypass != want {
		t.Errorf("bypass listing has %d rows, want %d", bypass, want)
	}
}

func TestPagingShape(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 30})
	p.prefer = "odata.maxpagesize = 7;odata.continue-on-error"
	p.query = "%24select=Guid,AuditEnabled"
	a := p.invoke("get-mailbox", map[string]any{"resultsize": "Unlimited"})
	if len(a.Value) != 7 || !strings.Contains(strings.Join(a.Warnings, " "), "There are more results available") {
		t.Fatalf("first page: %d rows, warnings %q", len(a.Value), a.Warnings)
	}
	u, err := url.Parse(a.Next)
	if err != nil || u.Host != host || !strings.Contains(a.Next, "%24skiptoken=AD") {
		t.Fatalf("next link %q", a.Next)
	}
	raw, err := base64.StdEncoding.DecodeString(u.Query().Get("$skiptoken")[2:])
	if err != nil || len(raw) != 45 {
		t.Errorf("token decodes to %q, %v; want 32 hex digits and a server name of 13", raw, err)
	}
	again := p.send(http.MethodPost, a.Next, command("Get-Mailbox", map[string]any{"ResultSize": "Unlimited"}), nil)
	twice := p.send(http.MethodPost, a.Next, command("Get-Mailbox", map[string]any{"ResultSize": "Unlimited"}), nil)
	if len(again.Value) != 7 || again.Value[0]["Guid"] != twice.Value[0]["Guid"] {
		t.Errorf("a page asked for twice differs: %v, %v", again.Value, twice.Value)
	}
	if len(again.Value[0]) != 4 { // Guid, two annotations, AuditEnabled.
		t.Errorf("$select is lost on page two: %v", again.Value[0])
	}
}

func TestCursorIsBound(t *testing.T) {
	body := map[string]any{"ResultSize": "Unlimited"}
	for name, change := range map[string]func(p *probe, link string) answer{
		"no anchor": func(p *probe, link string) answer {
			return p.send(http.MethodPost, link, command("Get-Mailbox", body), map[string]string{"X-AnchorMailbox": ""})
		},
		"other domain of the anchor": func(p *probe, link string) answer {
			return p.send(http.MethodPost, link, command("Get-Mailbox", body), map[string]string{"X-AnchorMailbox": orgMail + "contoso.onmicrosoft.com"})
		},
		"vanity domain": func(p *probe, link string) answer {
			return p.send(http.MethodPost, link, command("Get-Mailbox", body), map[string]string{"X-AnchorMailbox": "UPN:admin@contoso.com"})
		},
		"other parameters": func(p *probe, link string) answer {
			return p.send(http.MethodPost, link, command("Get-Mailbox", nil), nil)
		},
		"other cmdlet": func(p *probe, link string) answer {
			return p.send(http.MethodPost, link, command("Get-MailboxAuditBypassAssociation", body), nil)
		},
		"forged token": func(p *probe, link string) answer {
			return p.send(http.MethodPost, link+"AA", command("Get-Mailbox", body), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProbe(t, simulator.Seed{Mailboxes: 30})
			p.prefer = "odata.maxpagesize=10"
			a := change(p, p.invoke("Get-Mailbox", body).Next)
			if a.Status != http.StatusBadRequest || !strings.Contains(a.text(), "Expired or Invalid pagination request") {
				t.Errorf("got %d %s", a.Status, a.text())
			}
		})
	}
}

func TestCursorNeedsAnAnchorFromTheStart(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 30})
	p.anchor = ""
	a := p.invoke("Get-Mailbox", map[string]any{"ResultSize": 1})
	if len(a.Value) != 1 || a.Next == "" || len(a.Warnings) != 1 {
		t.Fatalf("a ResultSize of one gives %d rows, link %q, warnings %q", len(a.Value), a.Next, a.Warnings)
	}
	if b := p.send(http.MethodPost, a.Next, command("Get-Mailbox", map[string]any{"ResultSize": 1}), nil); b.Status != http.StatusBadRequest {
		t.Errorf("a cursor that no anchor chose went on: %d", b.Status)
	}
}

func TestCursorExpires(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	p := newProbe(t, simulator.Seed{Mailboxes: 30}, simulator.WithClock(func() time.Time { return now }))
	p.prefer = "odata.maxpagesize=10"
	link := p.invoke("Get-Mailbox", nil).Next
	now = now.Add(29 * time.Minute)
	if a := p.send(http.MethodPost, link, command("Get-Mailbox", nil), nil); a.Status != http.StatusOK {
		t.Fatalf("after 29 minutes: %d %s", a.Status, a.text())
	}
	now = now.Add(2 * time.Minute)
	if a := p.send(http.MethodPost, link, command("Get-Mailbox", nil), nil); a.Status != http.StatusBadRequest {
		t.Errorf("after 31 minutes: %d", a.Status)
	}
}

func TestListingSurvivesChanges(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 40})
	all := slices.Collect(tenant.AllMailboxes())
	var created simulator.Mailbox
	s := simulator.New(tenant, simulator.WithFaults(simulator.Meanwhile("Get-Mailbox", 2, func(t *simulator.Tenant) {
		t.RemoveMailbox(all[3].Guid)
		t.RemoveMailbox(all[30].Guid)
		t.Update(all[31].Guid, func(m *simulator.Mailbox) { m.Alias = "renamed" })
		created = t.AddMailbox(simulator.Mailbox{Alias: "late"})
	})))
	p := &probe{t: t, s: s, anchor: orgMail + tenant.ID(), prefer: "odata.maxpagesize=10"}
	rows := p.list("Get-Mailbox", nil)
	guids := map[string]int{}
	for _, row := range rows {
		guids[row["Guid"].(string)]++
	}
	if len(rows) != 40 || len(guids) != 40 || guids[all[30].Guid] != 0 || guids[created.Guid] != 1 || guids[all[3].Guid] != 1 {
		t.Errorf("%d rows, %d different; removed %d, created %d", len(rows), len(guids), guids[all[30].Guid], guids[created.Guid])
	}
}
