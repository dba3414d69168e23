package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

// TestDraftUnreadOnce: what keeps every read from working is said once, and
// several reasons stand in one line, as people and logs read them.
func TestDraftUnreadOnce(t *testing.T) {
	cmdlets := []string{"Get-OrganizationConfig", "Get-AdminAuditLogConfig", "Get-Mailbox", "Get-MailboxAuditBypassAssociation"}
	var refused, unauthenticated []simulator.Fault
	for _, cmdlet := range cmdlets {
		refused = append(refused, simulator.Refused(cmdlet))
		unauthenticated = append(unauthenticated, simulator.Unauthenticated(cmdlet, 0))
	}
	for name, tc := range map[string]struct {
		faults []simulator.Fault
		text   string
		times  int
	}{
		"two refused":     {refused[:2], "HTTP 403", 2},
		"unauthenticated": {unauthenticated, "HTTP 401", 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, healthyTenant(3), simulator.WithFaults(tc.faults...))
			_, err := reconcile.NewDraft(b.ctx(), b.client, reconcile.DraftRequest{Now: time.Now})
			if err == nil || strings.Contains(err.Error(), "\n") || strings.Count(err.Error(), tc.text) != tc.times {
				t.Errorf("%v", err)
			}
		})
	}
}
