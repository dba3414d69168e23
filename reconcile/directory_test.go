package reconcile_test

import (
	"strings"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/policy"
)

// directory is what a tenant stores of groups and permissions, as far as the
// selectors of a policy ask about it.
type directory struct {
	// members are the Guids of the mailboxes in each group, by its address.
	members map[string]map[string]bool
	// delegated are the mailboxes that somebody else may open or send as.
	delegated map[string]bool
}

// directoryOf reads it from the stored truth, not through the code under test.
func directoryOf(p *policy.Policy, tenant *simulator.Tenant) directory {
	d := directory{members: map[string]map[string]bool{}, delegated: map[string]bool{}}
	if len(p.Groups()) == 0 && !p.NeedsDelegates() {
		return d
	}
	add := func(guid, address string) {
		in := map[string]bool{}
		for _, m := range tenant.Members(guid) {
			in[m] = true
		}
		d.members[strings.ToLower(address)] = in
	}
	for key, value := range tenant.Dump() {
		switch parts := strings.Split(key, "/"); {
		case len(parts) == 3 && parts[0] == "group" && parts[2] == "recipient":
			_, address, _ := strings.Cut(value, " ")
			add(parts[1], address)
		case len(parts) == 3 && parts[0] == "permission":
			d.delegated[parts[1]] = d.delegated[parts[1]] || givesAway(value)
		}
	}
	for m := range tenant.AllMailboxes() {
		if m.Type == "GroupMailbox" {
			add(m.Guid, m.PrimarySMTPAddress)
		}
	}
	return d
}

// givesAway tells whether one of the permissions, as a dump spells them, gives
// somebody else a right that makes them a delegate.
func givesAway(dumped string) bool {
	for entry := range strings.SplitSeq(dumped, "; ") {
		if strings.Contains(entry, " inherited") || strings.Contains(entry, " deny") || strings.HasPrefix(entry, "S-1-5-21-") || strings.HasPrefix(entry, `NT AUTHORITY`) {
			continue
		}
		if strings.Contains(entry, "FullAccess") || strings.Contains(entry, "SendAs") {
			return true
		}
	}
	return false
}

// groupsOf says of each group whether a mailbox is in it. What is no group of the
// tenant is left open.
func (d directory) groupsOf(m simulator.Mailbox) map[string]policy.Match {
	out := map[string]policy.Match{}
	for address, in := range d.members {
		out[address] = policy.No
		if in[m.Guid] {
			out[address] = policy.Yes
		}
	}
	return out
}

// addTwins adds two mailboxes that permissions name alike: the Identity of a mailbox
// without an Entra id is its name, which need not be unique. Somebody may send as the
// first of them.
func addTwins(tenant *simulator.Tenant) (first, second string) {
	var guids []string
	for range 2 {
		m := tenant.AddMailbox(simulator.Mailbox{Type: "UserMailbox", Name: "twin", AgeLimit: "90.00:00:00", AuditEnabled: simulator.True})
		tenant.Update(m.Guid, func(m *simulator.Mailbox) { m.ExternalDirectoryObjectID = "" })
		guids = append(guids, m.Guid)
	}
	tenant.AddRecipientPermission(guids[0], simulator.Permission{Trustee: "ann@contoso.com"})
	return guids[0], guids[1]
}

// sendOnBehalf tells whether an account that exists may send on behalf of a mailbox.
func sendOnBehalf(m simulator.Mailbox) bool {
	for _, who := range m.SendOnBehalf {
		if !strings.HasPrefix(who, "S-1-5-21-") {
			return true
		}
	}
	return false
}
