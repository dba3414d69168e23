package reconcile_test

import (
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
)

// TestExplainDoubtfulLists: a list of which the service is not known to record
// anything is no recording, and a member of the enumeration is no action.
func TestExplainDoubtfulLists(t *testing.T) {
	for name, tc := range map[string]struct {
		owner    []string
		outcome  reconcile.Outcome
		recorded int
	}{
		"login":  {[]string{"MailboxLogin"}, reconcile.OutcomeNothing, 0},
		"folded": {[]string{"AddFolderPermissions", "RemoveFolderPermissions"}, reconcile.OutcomeNothing, 0},
		"none":   {[]string{"None"}, reconcile.OutcomeNothing, 0},
		"some":   {[]string{"MailboxLogin", "HardDelete"}, reconcile.OutcomeRecorded, 1},
		"new":    {[]string{"Teleport"}, reconcile.OutcomeRecorded, 1},
	} {
		t.Run(name, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{Seed: 1, Mailboxes: 1})
			tenant.AddMailbox(simulator.Mailbox{Name: "Ann", PrimarySMTPAddress: "ann@contoso.com", Owner: tc.owner})
			e := newBench(t, tenant).mustExplain(parse(t, overlapping), "ann@contoso.com")
			v := e.Verdicts[0]
			if v.Logon != "Owner" || v.Outcome != tc.outcome || len(v.Recorded) != tc.recorded || v.DecidedBy != reconcile.SwitchActions {
				t.Errorf("%+v", v)
			}
			if v.Outcome == reconcile.OutcomeNothing && len(v.Doubtful) != len(tc.owner) {
				t.Errorf("doubtful %v of %v", v.Doubtful, tc.owner)
			}
		})
	}
}
