package reconcile

import (
	"testing"

	"github.com/exoaudit/exoaudit/exchange"
)

func text(s string) exchange.Field[string] {
	return exchange.Field[string]{Value: s, State: exchange.Set}
}

func truth(b bool) exchange.Field[bool] { return exchange.Field[bool]{Value: b, State: exchange.Set} }

// TestBypassListedTwice: an account that is listed twice is one account; where
// its rows do not agree nobody knows it.
func TestBypassListedTwice(t *testing.T) {
	const one, two, three = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000003"
	list := &bypassList{}
	for _, row := range []exchange.BypassAssociation{
		{Guid: text(one), AuditBypassEnabled: truth(false)},
		{Guid: text(two), Name: text("two"), AuditBypassEnabled: truth(true)},
		{Guid: text(three), AuditBypassEnabled: truth(false)},
		{Guid: text(one), AuditBypassEnabled: truth(false)},
		{Guid: text(two), Name: text("two, renamed"), AuditBypassEnabled: truth(true)},
		{Guid: text(three), AuditBypassEnabled: truth(true)},
		{AuditBypassEnabled: truth(true)},
		{AuditBypassEnabled: truth(true)},
	} {
		list.add(row)
	}
	list.settle()
	if list.read != 5 || list.clean != 1 || len(list.rows) != 4 {
		t.Fatalf("read %d, clean %d, rows %+v", list.read, list.clean, list.rows)
	}
	for _, r := range list.rows {
		want := ""
		switch r.id.String() {
		case three:
			want = listedTwice
		case two:
		default:
			want = "the account is bypassed, and its row has no usable Guid"
		}
		if r.missing != want {
			t.Errorf("%s: %q, want %q", r.id, r.missing, want)
		}
	}
}
