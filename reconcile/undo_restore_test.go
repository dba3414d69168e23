package reconcile_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestUndoListsWaitForTheAnswerOfARestore: on the way back, too, no list is written
// while a restore may be carried out yet; and one that is sent again does not take back a
// list that was pinned meanwhile.
func TestUndoListsWaitForTheAnswerOfARestore(t *testing.T) {
	// Each of the three mailboxes has a restore, and each restore its fault.
	for name, fault := range map[string]simulator.Fault{
		"never":       {Do: simulator.DoStatus, Status: http.StatusServiceUnavailable},
		"once":        {Do: simulator.DoStatus, Status: http.StatusServiceUnavailable, Times: 3},
		"refused":     {Do: simulator.DoErrorInside, Text: "something went wrong", Times: 3},
		"carried out": {Do: simulator.DoDropItem, Times: 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctestRun(t, func(t *testing.T) {
				tenant := healthyTenant(3)
				user := anyUser(t, tenant)
				tenant.Update(user, func(m *simulator.Mailbox) {
					m.Managed, m.Owner = []string{"Admin", "Delegate"}, []string{"Update"}
				})
				before := auditSettings(tenant)
				b := newUndoBench(t, tenant)
				b.carry(b.plan(parse(t, restoreAndPin)))
				m, _ := tenant.Mailbox(user)
				if slices.Contains(m.Managed, "Admin") || !slices.Contains(m.Managed, "Owner") {
					t.Fatalf("the run left %v", m.Managed)
				}
				lag := 3 * time.Second
				if name == "refused" { // The list is written, and does not show when the restore is sent again.
					lag = 20 * time.Second
				}
				late := newUndoBench(t, tenant, simulator.WithReadLag(lag))
				late.journal = b.journal
				plan := late.planUndo(late.undoRequest("run-1", "run-2"))
				fault.Name, fault.Cmdlet, fault.Item, fault.With = name, "Set-Mailbox", true, []string{"DefaultAuditSet"}
				late.service.AddFaults(fault)
				run := late.applyUndo(plan)
				if name != "never" {
					if diff := differences(before, auditSettings(tenant)); len(diff) > 0 {
						t.Errorf("results %v, and not as before:\n%s", run.Results(), strings.Join(diff, "\n"))
					}
					return
				}
				if m, _ := tenant.Mailbox(user); !slices.Contains(m.Managed, "Owner") {
					t.Errorf("a list was written after a restore that had no answer: %v", m.Owner)
				}
			})
		})
	}
}
