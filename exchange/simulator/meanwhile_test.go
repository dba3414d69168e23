package simulator_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func guidsOf(rows []map[string]any) []string {
	var list []string
	for _, row := range rows {
		guid, _ := row["Guid"].(string)
		list = append(list, guid)
	}
	return list
}

// TestMailboxesChangeDuringAListing changes the tenant before the second page of three.
func TestMailboxesChangeDuringAListing(t *testing.T) {
	seed := simulator.Seed{Mailboxes: 30, Groups: 2}
	all := slices.Collect(simulator.NewTenant(seed).AllMailboxes())
	listed := func(fault simulator.Fault) (*probe, []map[string]any) {
		fault.Cmdlet, fault.Call = "Get-Mailbox", 2
		p := newProbe(t, seed, simulator.WithFaults(fault))
		p.prefer = "odata.maxpagesize=10"
		return p, p.list("Get-Mailbox", nil)
	}
	for _, victim := range []simulator.Mailbox{all[4], all[14], all[24]} {
		p, rows := listed(simulator.Fault{Do: simulator.DoDeleteMailbox, Text: victim.Guid})
		read := victim.Guid == all[4].Guid // Before it was deleted.
		if got := guidsOf(rows); slices.Contains(got, victim.Guid) != read || len(got) != map[bool]int{true: 30, false: 29}[read] {
			t.Errorf("%s deleted: %d rows", victim.Alias, len(got))
		}
		if a := p.invoke("Get-Mailbox", map[string]any{"Identity": victim.Guid}); a.Status != http.StatusNotFound {
			t.Errorf("%s deleted: %d", victim.Alias, a.Status)
		}
		if a := p.invoke("Set-Mailbox", map[string]any{"Identity": victim.UserPrincipalName, "AuditEnabled": true}); a.Status != http.StatusNotFound {
			t.Errorf("%s deleted: write gives %d", victim.Alias, a.Status)
		}
	}
	_, rows := listed(simulator.Fault{Do: simulator.DoCreateMailbox, Text: "late"})
	if len(rows) != 31 || rows[30]["Alias"] != "late" {
		t.Errorf("created: %d rows, the last %v", len(rows), rows[len(rows)-1]["Alias"])
	}
	p, rows := listed(simulator.Fault{Do: simulator.DoRenameMailbox, Text: all[14].Guid})
	old, row := all[14], rows[14]
	if len(rows) != 30 || row["Guid"] != old.Guid || row["DisplayName"] == old.DisplayName || row["UserPrincipalName"] == old.UserPrincipalName ||
		strings.Contains(strings.Join(strs(row["EmailAddresses"]), " "), old.PrimarySMTPAddress) {
		t.Errorf("renamed: %d rows, %v", len(rows), row["UserPrincipalName"])
	}
	for identity, want := range map[string]int{old.UserPrincipalName: 404, old.Alias: 404, old.Guid: 200, row["UserPrincipalName"].(string): 200} {
		if a := p.invoke("Get-Mailbox", map[string]any{"Identity": identity}); a.Status != want {
			t.Errorf("renamed, by %s: %d, want %d", identity, a.Status, want)
		}
	}
}

// TestWhoIsMeantMeanwhile checks the choice of the mailbox: the one the call names, else
// one of the listing that the call is about.
func TestWhoIsMeantMeanwhile(t *testing.T) {
	seed := simulator.Seed{Mailboxes: 30, Groups: 3, PublicFolders: 2}
	all := slices.Collect(simulator.NewTenant(seed).AllMailboxes())
	gone := func(seedOfFault uint64, cmdlet string, parameters map[string]any) []string {
		p := newProbe(t, seed, simulator.WithFaults(simulator.Fault{Do: simulator.DoDeleteMailbox, Times: 1, Seed: seedOfFault}))
		p.invoke(cmdlet, parameters)
		var types []string
		for _, m := range all {
			if _, ok := p.tenant().Mailbox(m.Guid); !ok {
				types = append(types, m.Type+" "+m.Guid)
			}
		}
		return types
	}
	if got := gone(0, "Set-Mailbox", map[string]any{"identity": all[7].UserPrincipalName, "AuditEnabled": true}); len(got) != 1 || !strings.HasSuffix(got[0], all[7].Guid) {
		t.Errorf("a write to %s: %v", all[7].Guid, got)
	}
	if got := gone(0, "Get-Mailbox", map[string]any{"Identity": "nobody"}); got != nil {
		t.Errorf("a call that names no mailbox: %v", got)
	}
	if got := gone(0, "Get-Mailbox", map[string]any{"GroupMailbox": true}); len(got) != 1 || !strings.HasPrefix(got[0], "GroupMailbox") {
		t.Errorf("a listing of groups: %v", got)
	}
	if got := gone(0, "Get-Mailbox", map[string]any{"PublicFolder": true}); len(got) != 1 || !strings.HasPrefix(got[0], "PublicFolderMailbox") {
		t.Errorf("a listing of public folders: %v", got)
	}
	one := gone(1, "Get-Mailbox", nil)
	if len(one) != 1 || strings.HasPrefix(one[0], "GroupMailbox") || !slices.Equal(one, gone(1, "Get-Mailbox", nil)) {
		t.Errorf("an ordinary listing: %v, then %v", one, gone(1, "Get-Mailbox", nil))
	}
	chosen := map[string]bool{}
	for n := range uint64(20) {
		chosen[gone(n, "Get-Mailbox", nil)[0]] = true
	}
	if len(chosen) < 8 {
		t.Errorf("20 seeds choose %d mailboxes of 30", len(chosen))
	}
	p := newProbe(t, simulator.Seed{}, simulator.WithFaults(simulator.Fault{Do: simulator.DoRenameMailbox}, simulator.Fault{Do: simulator.DoDeleteMailbox}))
	if a := p.invoke("Get-Mailbox", nil); a.Status != 200 || len(a.Value) != 0 {
		t.Errorf("in a tenant without mailboxes: %d", a.Status)
	}
}
