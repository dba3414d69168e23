package simulator_test

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestConcurrentUse lists, writes, adds and removes at the same time; the race
// detector judges, and at the end no write is lost.
func TestConcurrentUse(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 60, Users: 3})
	s := simulator.New(tenant, simulator.WithCallLimit(20))
	call := func(cmdlet string, parameters map[string]any) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+host+"/adminapi/beta/"+tenant.ID()+"/InvokeCommand", bytes.NewReader(command(cmdlet, parameters)))
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer token")
		res, err := s.RoundTripper().RoundTrip(req)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s gives %d", cmdlet, res.StatusCode)
		}
	}
	m := first(tenant)
	actions := []string{"Create", "Move", "RecordDelete", "MailboxLogin", "AttachmentAccess", "SearchQueryInitiated"}
	var wg sync.WaitGroup
	for _, action := range actions {
		wg.Go(func() {
			call("Set-Mailbox", map[string]any{"Identity": m.Guid, "AuditOwner": delta([]string{action}, nil)})
		})
		wg.Go(func() { call("Get-Mailbox", map[string]any{"ResultSize": "Unlimited"}) })
		wg.Go(func() { call("Get-MailboxAuditBypassAssociation", nil) })
		wg.Go(func() {
			call("Set-MailboxAuditBypassAssociation", map[string]any{"Identity": m.Guid, "AuditBypassEnabled": true})
		})
		wg.Go(func() { tenant.RemoveMailbox(tenant.AddMailbox(simulator.Mailbox{}).Guid) })
		wg.Go(func() { tenant.AddUser(simulator.User{}) })
		wg.Go(func() { _ = dump(tenant.Snapshot()) })
	}
	wg.Wait()
	after, _ := tenant.Mailbox(m.Guid)
	for _, action := range actions {
		found := false
		for _, have := range after.Owner {
			found = found || have == action
		}
		if !found {
			t.Errorf("the Add of %s is lost: %v", action, after.Owner)
		}
	}
	if got := s.Count("Set-Mailbox"); got != len(actions) || s.Requests() != 4*len(actions) || len(s.Calls()) > 20 {
		t.Errorf("%d Set-Mailbox of %d requests, %d calls kept", got, s.Requests(), len(s.Calls()))
	}
}
