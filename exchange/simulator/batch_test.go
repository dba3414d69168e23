package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// batchAnswer is the JSON answer of a batch.
type batchAnswer struct {
	answer
	Responses []struct {
		ID      string
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
}

func (b batchAnswer) status(id string) int {
	for _, r := range b.Responses {
		if r.ID == id {
			return r.Status
		}
	}
	return 0
}

type item = map[string]any

func (p *probe) item(id, cmdlet string, parameters map[string]any) item {
	return item{"id": id, "method": "POST", "url": p.url(), "headers": map[string]any{"parameter-based-routing": true}, "body": json.RawMessage(command(cmdlet, parameters))}
}

func (p *probe) batch(header map[string]string, items ...item) batchAnswer {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"requests": items})
	if err != nil {
		p.t.Fatal(err)
	}
	if header == nil {
		header = map[string]string{"Prefer": "odata.maxpagesize=1000;odata.continue-on-error"}
	}
	a := batchAnswer{answer: p.send(http.MethodPost, strings.Replace(p.url(), "InvokeCommand", "$batch", 1), body, header)}
	if a.Status == http.StatusOK && strings.Contains(a.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(a.Raw, &a); err != nil {
			p.t.Fatalf("%v in %s", err, a.Raw)
		}
	}
	return a
}

func TestBatch(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 9})
	var items []item
	for m := range p.tenant().AllMailboxes() {
		items = append(items, p.item(m.Guid, "Set-Mailbox", map[string]any{"Identity": m.Guid, "AuditLogAgeLimit": "180"}))
	}
	items = append(items, p.item("bad", "Set-Mailbox", map[string]any{"Identity": "nobody"}))
	a := p.batch(nil, items...)
	if a.Status != 200 || len(a.Responses) != 10 || a.status("bad") != 404 {
		t.Fatalf("%d with %d responses: %s", a.Status, len(a.Responses), a.Raw)
	}
	var order []string
	for _, r := range a.Responses {
		order = append(order, r.ID)
	}
	var sent []string
	for _, i := range items {
		sent = append(sent, i["id"].(string))
	}
	if slices.Equal(order, sent) {
		t.Error("the responses come in the order of the requests")
	}
	for m := range p.tenant().AllMailboxes() {
		if m.AgeLimit != "180.00:00:00" || a.status(m.Guid) != 200 {
			t.Errorf("%s: %s, status %d", m.Alias, m.AgeLimit, a.status(m.Guid))
		}
	}
	if p.s.Requests() != 1 || p.s.Count("Set-Mailbox") != 10 || p.s.Calls()[0].Cmdlets[9].Status != 404 || p.s.Calls()[0].Cmdlets[9].Item != "bad" {
		t.Errorf("log: %d requests, %d cmdlets", p.s.Requests(), p.s.Count("Set-Mailbox"))
	}
	again := p.batch(nil, items...)
	for i := range again.Responses {
		if again.Responses[i].ID != order[i] {
			t.Error("the same batch is answered in another order")
		}
	}
}

func TestBatchRefusals(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 1})
	ok := func(id string) item { return p.item(id, "Get-OrganizationConfig", nil) }
	var eleven []item
	for i := range 11 {
		eleven = append(eleven, ok(fmt.Sprint(i)))
	}
	foreign, relative, otherTenant, entity := ok("foreign"), ok("relative"), ok("other"), ok("entity")
	foreign["url"] = "https://evil.example/adminapi/beta/" + p.tenant().ID() + "/InvokeCommand"
	relative["url"] = "InvokeCommand?$select=Name"
	otherTenant["url"] = "/adminapi/beta/00000000-0000-4000-8000-000000000000/InvokeCommand"
	entity["url"] = "/adminapi/beta/" + p.tenant().ID() + "/Mailbox"
	if a := p.batch(nil, eleven...); a.Status != 400 {
		t.Errorf("eleven requests give %d", a.Status)
	}
	if a := p.batch(nil); a.Status != 400 {
		t.Errorf("no request gives %d", a.Status)
	}
	if a := p.batch(nil, ok("same"), ok("same")); a.Status != 400 {
		t.Errorf("a doubled id gives %d", a.Status)
	}
	if a := p.batch(map[string]string{"Authorization": ""}, ok("a")); a.Status != 401 {
		t.Errorf("without a token: %d", a.Status)
	}
	a := p.batch(nil, foreign, relative, otherTenant, entity)
	for id, want := range map[string]int{"foreign": 400, "relative": 200, "other": 404, "entity": 501} {
		if got := a.status(id); got != want {
			t.Errorf("%s gives %d, want %d", id, got, want)
		}
	}
	if a := p.batch(map[string]string{"Prefer": ""}, foreign, ok("late")); len(a.Responses) != 1 {
		t.Errorf("without continue-on-error %d responses, want the failed one only", len(a.Responses))
	}
}

func TestBatchIsMultipartWithoutAccept(t *testing.T) {
	p := newProbe(t, simulator.Seed{})
	a := p.batch(map[string]string{"Accept": "*/*"}, p.item("a", "Get-OrganizationConfig", nil))
	if a.Status != 200 || !strings.HasPrefix(a.Header.Get("Content-Type"), "multipart/mixed; boundary=") || !strings.Contains(string(a.Raw), "HTTP/1.1 200 OK") {
		t.Errorf("%d %s %.200s", a.Status, a.Header.Get("Content-Type"), a.Raw)
	}
}

func TestBatchPagesAndFaults(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 25}, simulator.WithFaults(
		simulator.ItemThrottled("Get-User", 2, 3*time.Second), simulator.ItemDropped("Get-AdminAuditLogConfig", 1), simulator.Refused("Get-MailboxAuditBypassAssociation"),
	))
	list := p.item("list", "Get-Mailbox", map[string]any{"ResultSize": 10})
	m := first(p.tenant())
	a := p.batch(nil, list, p.item("u1", "Get-User", map[string]any{"Identity": m.Guid}), p.item("u2", "Get-User", map[string]any{"Identity": m.Guid}),
		p.item("audit", "Get-AdminAuditLogConfig", nil), p.item("bypass", "Get-MailboxAuditBypassAssociation", nil))
	for id, want := range map[string]int{"list": 200, "u1": 200, "u2": 429, "audit": 0, "bypass": 403} {
		if got := a.status(id); got != want {
			t.Errorf("%s gives %d, want %d", id, got, want)
		}
	}
	var page answer
	for _, r := range a.Responses {
		switch r.ID {
		case "u2":
			if r.Headers["Retry-After"] != "3" {
				t.Errorf("Retry-After %q", r.Headers["Retry-After"])
			}
		case "list":
			if err := json.Unmarshal(r.Body, &page); err != nil {
				t.Fatal(err)
			}
		}
	}
	list["url"] = page.Next
	b := p.batch(nil, list)
	if b.status("list") != 200 || p.s.Count("Get-AdminAuditLogConfig") != 1 {
		t.Errorf("a next link in a batch gives %s", b.Raw)
	}
}

func TestBatchOrder(t *testing.T) {
	for order, want := range map[simulator.BatchOrder]bool{simulator.BatchAsSent: true, simulator.BatchShuffled: false} {
		p := newProbe(t, simulator.Seed{Mailboxes: 10}, simulator.WithSwitches(simulator.Switches{BatchOrder: order}))
		var items []item
		for m := range p.tenant().AllMailboxes() {
			items = append(items, p.item(m.Guid, "Get-Mailbox", map[string]any{"Identity": m.Guid}))
		}
		p.batch(nil, items...)
		asSent := true
		for i, in := range p.s.Calls()[0].Cmdlets {
			asSent = asSent && in.Item == items[i]["id"]
		}
		if asSent != want {
			t.Errorf("order %v: carried out as sent %v, want %v", order, asSent, want)
		}
	}
}
