package simulator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestFaultsTellCallsApartByParameters(t *testing.T) {
	fault := simulator.Unavailable("Get-Mailbox", 0)
	fault.With, fault.Without = []string{"resultsize", "Filter"}, []string{"GROUPMAILBOX"}
	p := newProbe(t, simulator.Seed{Mailboxes: 3}, simulator.WithFaults(fault))
	for _, tc := range []struct {
		parameters map[string]any
		want       int
	}{
		{nil, 200},
		{map[string]any{"Filter": "AuditEnabled -eq 'True'"}, 200},
		{map[string]any{"Filter": "AuditEnabled -eq 'True'", "ResultSize": 5}, 503},
		{map[string]any{"FILTER": "AuditEnabled -eq 'True'", "resultSize": 5}, 503},
		{map[string]any{"Filter": "AuditEnabled -eq 'True'", "ResultSize": 5, "GroupMailbox": true}, 200},
	} {
		if got := p.invoke("Get-Mailbox", tc.parameters).Status; got != tc.want {
			t.Errorf("%v: %d, want %d", tc.parameters, got, tc.want)
		}
		if got := p.batch(nil, p.item("a", "Get-Mailbox", tc.parameters)).status("a"); got != tc.want {
			t.Errorf("%v in a batch: %d, want %d", tc.parameters, got, tc.want)
		}
	}
	if got := p.s.Struck("unavailable"); got != 4 {
		t.Errorf("struck %d times, want 4", got)
	}
	p.s.DisarmFaults()
	if got := p.invoke("Get-Mailbox", map[string]any{"Filter": "AuditEnabled -eq 'True'", "ResultSize": 5}).Status; got != 200 {
		t.Errorf("a disarmed fault answers %d", got)
	}
}

func TestSeedChoosesTheCalls(t *testing.T) {
	pattern := func(seed uint64) string {
		fault := simulator.Unavailable("", 0)
		fault.Probability, fault.Seed = 0.3, seed
		p := newProbe(t, simulator.Seed{}, simulator.WithFaults(fault))
		var b strings.Builder
		for range 200 {
			fmt.Fprint(&b, p.invoke("Get-OrganizationConfig", nil).Status, " ")
		}
		return b.String()
	}
	one, again := pattern(7), pattern(7)
	if one != again || one == pattern(8) || pattern(0) == pattern(1) {
		t.Error("the seed does not decide which calls a share is made of")
	}
	if got := strings.Count(pattern(8), "503"); got < 30 || got > 90 {
		t.Errorf("%d of 200 failed, want about 60", got)
	}
}

func TestStaleRead(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 2})
	all := slices.Collect(p.tenant().AllMailboxes())
	for i, m := range all {
		for _, days := range []int{100 + i, 200 + i} {
			p.invoke("Set-Mailbox", map[string]any{"Identity": m.Guid, "AuditLogAgeLimit": days})
		}
	}
	p.invoke("Set-OrganizationConfig", map[string]any{"AuditDisabled": true})
	p.invoke("Set-MailboxAuditBypassAssociation", map[string]any{"Identity": all[1].Guid, "AuditBypassEnabled": true})
	fault := simulator.Fault{Times: 4, Do: simulator.DoStaleRead}
	p.s.AddFaults(fault)
	for round, want := range [][]any{{"100.00:00:00", "101.00:00:00", false, false}, {"200.00:00:00", "201.00:00:00", true, true}} {
		rows := p.invoke("Get-Mailbox", nil).Value
		one := p.invoke("Get-Mailbox", map[string]any{"Identity": all[1].Guid}).Value[0]["AuditLogAgeLimit"]
		org := p.invoke("Get-OrganizationConfig", nil).Value[0]["AuditDisabled"]
		bypass := p.invoke("Get-MailboxAuditBypassAssociation", map[string]any{"Identity": all[1].Guid}).Value[0]["AuditBypassEnabled"]
		got := []any{rows[0]["AuditLogAgeLimit"], rows[1]["AuditLogAgeLimit"], org, bypass}
		if fmt.Sprint(got) != fmt.Sprint(want) || one != want[1] {
			t.Errorf("round %d: %v and %v, want %v", round+1, got, one, want)
		}
	}
}

func TestFilterIgnoredOnce(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 20}, simulator.WithFaults(simulator.Fault{Cmdlet: "Get-Mailbox", Times: 1, Do: simulator.DoIgnoreFilter}))
	filter := map[string]any{"Filter": "RecipientTypeDetails -eq 'DiscoveryMailbox'"}
	if one, two := len(p.invoke("Get-Mailbox", filter).Value), len(p.invoke("Get-Mailbox", filter).Value); one != 20 || two != 1 {
		t.Errorf("%d rows, then %d; want 20, then 1", one, two)
	}
}

func TestRefusalsOfWrites(t *testing.T) {
	p := newProbe(t, simulator.Seed{Mailboxes: 1})
	m := first(p.tenant())
	list := map[string]any{"Identity": m.Guid, "AuditOwner": delta([]string{"Move"}, nil)}
	for _, tc := range []struct {
		do         simulator.Action
		cmdlet     string
		parameters map[string]any
		status     int
		text       string
	}{
		{simulator.DoUnlicensed, "Set-Mailbox", list, 400, "|Microsoft.Exchange.Management.RecipientTasks.RecipientTaskException|Auditing of Move event is only available for users with appropriate license."},
		{
			simulator.DoUnlicensed, "Set-Mailbox",
			map[string]any{"Identity": m.Guid, "AuditOwner": []string{"Update", "SearchQueryInitiated"}},
			400,
			"Auditing of SearchQueryInitiated event is only",
		},
		{simulator.DoUnlicensed, "Set-Mailbox", map[string]any{"Identity": m.Guid, "AuditEnabled": true}, 200, ""},
		{simulator.DoUnlicensed, "Set-Mailbox", map[string]any{"Identity": "nobody", "AuditOwner": []string{"Send"}}, 404, "couldn't be found"},
		{simulator.DoNotHydrated, "Set-Mailbox", list, 400, "|Microsoft.Exchange.Configuration.Common.InvalidOperationInDehydratedContextException|The command you tried to run isn't currently allowed"},
		{simulator.DoNotHydrated, "Set-OrganizationConfig", map[string]any{"AuditDisabled": true}, 400, "Enable-OrganizationCustomization"},
		{simulator.DoNotHydrated, "Get-OrganizationConfig", nil, 200, ""},
		{simulator.DoNotHydrated, "Enable-OrganizationCustomization", nil, 400, "This operation is not needed"}, // Not told to run itself.
	} {
		p.s.DisarmFaults()
		before := dump(p.tenant())
		p.s.AddFaults(simulator.Fault{Do: tc.do})
		a := p.invoke(tc.cmdlet, tc.parameters)
		if a.Status != tc.status || !strings.Contains(a.text(), tc.text) {
			t.Errorf("%s at %s %v: %d %s", tc.do, tc.cmdlet, tc.parameters, a.Status, a.text())
		}
		if a.Status != 200 && dump(p.tenant()) != before {
			t.Errorf("%s at %s: refused, and something is different", tc.do, tc.cmdlet)
		}
		p.s.DisarmFaults()
	}
	if a := p.invoke("Set-Mailbox", list); a.Status != 200 {
		t.Errorf("without faults: %d %s", a.Status, a.text())
	}
}
