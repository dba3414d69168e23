package simulator_test

import (
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestPagesAreSmallerThanAskedFor(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 30}, simulator.WithPageSize(7))
	for prefer, want := range map[string]int{"odata.maxpagesize=1000": 7, "": 7, "odata.maxpagesize=3": 3} {
		p.prefer = prefer
		if a := p.invoke("Get-Mailbox", nil); len(a.Value) != want || a.Next == "" {
			t.Errorf("%q: %d rows, next %q; want %d", prefer, len(a.Value), a.Next, want)
		}
	}
	if got := len(p.list("Get-Mailbox", nil)); got != 30 {
		t.Errorf("all pages hold %d rows, want 30", got)
	}
}
