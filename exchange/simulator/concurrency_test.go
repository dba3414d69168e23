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

// TestConcurrentFaults lets every kind of fault strike now and then while several callers
// are at it, one more disarms and arms; the race detector judges, and afterwards the
// service is sound.
func TestConcurrentFaults(t *testing.T) {
	tenant := simulator.NewTenant(simulator.Seed{Mailboxes: 60, Groups: 3})
	s := simulator.New(tenant, simulator.WithRole(simulator.AuditOperator()))
	var faults []simulator.Fault
	for i, kind := range simulator.FaultKinds() {
		fault := kind.Lasting(simulator.Site{})
		if fault.Do == simulator.DoDelay {
			continue // Real time.
		}
		fault.Probability, fault.Seed = 0.03, uint64(i)
		faults = append(faults, fault)
	}
	s.AddFaults(faults...)
	var wg sync.WaitGroup
	for n := range 6 {
		wg.Go(func() {
			m := first(tenant)
			w := &wire{t: t, s: s}
			for round := range 10 {
				w.call("Get-Mailbox", map[string]any{"ResultSize": "Unlimited"})
				w.call("Set-Mailbox", map[string]any{"Identity": m.Guid, "AuditLogAgeLimit": 100 + n + round})
				w.batch(map[string]any{"Identity": m.Guid, "AuditOwner": []string{"Update"}})
				w.call("Get-MailboxAuditBypassAssociation", nil)
			}
		})
	}
	for range 5 {
		_ = s.Struck("throttled")
		s.DisarmFaults()
		s.AddFaults(faults...)
	}
	wg.Wait()
	s.DisarmFaults()
	p := &probe{t: t, s: s, anchor: orgMail + tenant.ID()}
	if rows := p.list("Get-Mailbox", map[string]any{"ResultSize": "Unlimited"}); len(rows) == 0 {
		t.Error("no mailbox is left")
	}
}
