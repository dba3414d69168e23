package exchange_test

import (
	"testing"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestLargeDirectory counts the calls that a big tenant takes.
func TestLargeDirectory(t *testing.T) {
	if testing.Short() {
		t.Skip("20,000 mailboxes are left out under -short")
	}
	const size = 20_000
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: size})
	people := guids(tenant)
	g := tenant.AddGroup(simulator.Group{Members: people[:4500]})
	for i := range 100 {
		tenant.AddRecipientPermission(people[i*7], simulator.Permission{Trustee: "ann@contoso.com"})
	}
	s := simulator.New(tenant)
	c := connect(t, s)
	members, err := collect(c.GroupMembers(t.Context(), exchange.Group{Guid: g.Guid, Kind: exchange.DistributionList}))
	if err != nil || len(members) != 4500 || s.Requests() != 5 {
		t.Errorf("%d members by %d requests: %v", len(members), s.Requests(), err)
	}
	s.ResetCalls()
	rows, delegated := 0, 0
	for row, err := range c.RecipientPermissions(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		rows++
		if row.Delegation() == exchange.Delegated {
			delegated++
		}
	}
	if delegated != 100 || rows < size+100 || s.Requests() != (rows+999)/1000 {
		t.Errorf("%d of %d rows, %d requests", delegated, rows, s.Requests())
	}
}
