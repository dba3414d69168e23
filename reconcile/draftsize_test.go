package reconcile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestLargeDraftBypassed: a tenant in which nearly everybody is bypassed still has
// a draft that the language reads, and the draft says what it leaves out.
func TestLargeDraftBypassed(t *testing.T) {
	if testing.Short() {
		t.Skip("8,000 mailboxes take some seconds")
	}
	t.Parallel()
	b := newBench(t, simulator.NewTenant(simulator.Seed{Seed: 8, Mailboxes: 8000, Bypassed: 1}))
	d := b.draft()
	p := loadDraft(t, d)
	if n := len(d.YAML()); n > 1<<19 {
		t.Errorf("%d bytes", n)
	}
	if len(p.Bypass.Allow) == 0 || !strings.Contains(fmt.Sprint(d.Notes), "stay drift") {
		t.Errorf("%d entries, notes %q", len(p.Bypass.Allow), d.Notes)
	}
}

// TestLargeDraftPurged: age limits of zero cannot be accepted, and are counted
// where they are many.
func TestLargeDraftPurged(t *testing.T) {
	if testing.Short() {
		t.Skip("12,000 mailboxes take some seconds")
	}
	tenant := healthyTenant(1)
	for i := range 12_000 {
		tenant.AddMailbox(simulator.Mailbox{PrimarySMTPAddress: fmt.Sprintf("purged-with-a-name-of-usual-length-%d@contoso.com", i), AgeLimit: "00:00:00"})
	}
	d := newBench(t, tenant).draft()
	loadDraft(t, d)
	if len(d.Notes) > 40 || !strings.Contains(fmt.Sprint(d.Notes), "more") {
		t.Errorf("%d notes, the last of them %q", len(d.Notes), d.Notes[len(d.Notes)-1])
	}
}
