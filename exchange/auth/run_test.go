package auth_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestListingOutlivesItsToken: a listing that the service makes wait past the
// life of the token goes on with another one, and so does one whose token the
// service stops taking early.
func TestListingOutlivesItsToken(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"it expires in a wait": simulator.Throttled("Get-Mailbox", 1, 70*time.Minute),
		"it is refused early":  simulator.Unauthenticated("Get-Mailbox", 1),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := authority(t)
				tenant := simulator.NewTenant(simulator.Seed{ID: a.TenantID(), Mailboxes: 2500, Now: time.Now()})
				service := simulator.New(tenant, simulator.WithTokenCheck(a.Check), simulator.WithFaults(fault))
				client, err := exchange.New(exchange.Config{
					Endpoint: "https://outlook.office365.com", TenantID: tenant.ID(),
					TokenSource: provider(t, config(t, a, auth.KindSecret)).TokenSource(scope),
					Transport:   service.RoundTripper(),
					Retry:       exchange.Retry{Longest: 2 * time.Hour, Budget: 3 * time.Hour},
				})
				if err != nil {
					t.Fatal(err)
				}
				n := 0
				for _, err := range client.Mailboxes(t.Context(), exchange.MailboxQuery{Select: []string{"Guid"}}) {
					if err != nil {
						t.Fatalf("after %d rows: %v", n, err)
					}
					n++
				}
				if n != 2500 || a.TokensIssued() != 2 {
					t.Errorf("%d rows with %d tokens, want 2500 with 2", n, a.TokensIssued())
				}
			})
		})
	}
}
