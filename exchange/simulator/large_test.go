package simulator_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"runtime"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestLargeTenantHoldsNoBodies lists a million mailboxes and asks that the heap stays
// small: nothing but the call log and the cursors may grow with the tenant.
func TestLargeTenantHoldsNoBodies(t *testing.T) {
	if testing.Short() {
		t.Skip("a million mailboxes; run without -short")
	}
	const mailboxes = 1_000_000
	p := newProbe(t, simulator.Seed{Mailboxes: mailboxes, Seed: 5, Drift: 0.2})
	p.query = "$select=Guid,UserPrincipalName,RecipientTypeDetails,AuditEnabled,AuditLogAgeLimit,AuditAdmin,AuditDelegate,AuditOwner,DefaultAuditSet"
	parameters := map[string]any{"ResultSize": "Unlimited"}
	rows := 0
	a := p.page(p.url()+"?"+p.query, parameters)
	for {
		rows += a.rows
		if a.next == "" {
			break
		}
		a = p.page(a.next, parameters)
	}
	if rows != mailboxes {
		t.Errorf("listed %d rows, want %d", rows, mailboxes)
	}
	if got := p.s.Requests(); got != mailboxes/1000 {
		t.Errorf("took %d requests, want %d", got, mailboxes/1000)
	}
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	if const64 := uint64(64 << 20); stats.HeapAlloc > const64 {
		t.Errorf("the heap holds %d MB after the listing, want less than 64", stats.HeapAlloc>>20)
	}
	runtime.KeepAlive(p)
}

func TestLargeTenantFindsByIdentity(t *testing.T) {
	if testing.Short() {
		t.Skip("a million mailboxes; run without -short")
	}
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 1_000_000, Seed: 9})
	n := 0
	for m := range tenant.AllMailboxes() {
		if n++; n%9973 != 0 {
			continue
		}
		for _, identity := range []string{m.Guid, m.ExchangeObjectID, m.PrimarySMTPAddress, m.Alias} {
			if got, ok := tenant.FindMailbox(identity); !ok || got.Guid != m.Guid {
				t.Fatalf("mailbox %d is not found by %q", n, identity)
			}
		}
	}
	if n != 1_000_000 {
		t.Errorf("AllMailboxes yields %d", n)
	}
}

type pageCount struct {
	rows int
	next string
}

// page reads one page without decoding every row into memory.
func (p *probe) page(url string, parameters map[string]any) pageCount {
	p.t.Helper()
	a := p.raw(url, command("Get-Mailbox", parameters))
	var head struct {
		Next string `json:"@odata.nextLink"`
	}
	start := bytes.Index(a, []byte(`,"value":`))
	if start < 0 {
		p.t.Fatalf("no value in %.200s", a)
	}
	if err := json.Unmarshal(append(bytes.Clone(a[:start]), '}'), &head); err != nil {
		p.t.Fatal(err)
	}
	return pageCount{bytes.Count(a[start:], []byte(`"Guid":`)), head.Next}
}

func (p *probe) raw(url string, body []byte) []byte {
	p.t.Helper()
	a := p.send(http.MethodPost, url, body, map[string]string{"X-Raw": "1"})
	if a.Status != http.StatusOK {
		p.t.Fatalf("%d %s", a.Status, a.Raw)
	}
	return a.Raw
}

func TestLargeFilteredListing(t *testing.T) {
	if testing.Short() {
		t.Skip("300,000 mailboxes; run without -short")
	}
	const mailboxes = 300_000
	p := newProbe(t, simulator.Seed{Mailboxes: mailboxes, Seed: 2, Drift: 0.1})
	want := 0
	for m := range p.tenant().AllMailboxes() {
		if m.AuditEnabled != simulator.True {
			want++
		}
	}
	p.query = "$select=Guid"
	rows := p.list("Get-Mailbox", map[string]any{"ResultSize": "Unlimited", "Filter": "AuditEnabled -ne 'True'"})
	if len(rows) != want || want == 0 {
		t.Errorf("the filter gives %d rows, %d are stored so", len(rows), want)
	}
	if got, most := p.s.Requests(), want/1000+1; got != most {
		t.Errorf("took %d requests, want %d", got, most)
	}
}
