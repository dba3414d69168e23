package reconcile

import (
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// needs says which properties of a mailbox a policy speaks of. What it does
// not speak of is neither asked for nor judged.
type needs struct {
	enabled, stored, age, lists, addresses bool
	// delegates and capabilities are what selectors ask about.
	delegates, capabilities bool
	// changed is when a mailbox was last changed, for those that are contested.
	changed bool
	// dates are those by which a look at what changed checks the service's filter.
	dates      bool
	attributes []policy.Attribute
	listings   []exchange.Listing
}

// needsOf derives the needs of a policy. Accounts of the bypass list are
// looked up in the mailbox listing, so they need every address.
func needsOf(p *policy.Policy) needs {
	n := needs{
		stored:     p.NeedsStoredAuditEnabled(),
		addresses:  p.NeedsAddresses() || p.Bypass != nil && len(p.Bypass.Allow) > 0,
		attributes: p.Attributes(),
	}
	for _, r := range p.Mailboxes {
		n.enabled = n.enabled || r.AuditEnabled != nil
		n.age = n.age || r.AgeLimit != nil
		for _, rec := range r.Record {
			n.lists = n.lists || rec != nil
		}
	}
	if !p.HasMailboxes() {
		return n
	}
	n.delegates, n.capabilities = p.NeedsDelegates(), p.NeedsCapabilities()
	n.listings = append(n.listings, exchange.Ordinary)
	if slices.Contains(p.Types(), audit.GroupMailbox) {
		n.listings = append(n.listings, exchange.Groups)
	}
	if slices.Contains(p.Types(), audit.PublicFolderMailbox) {
		n.listings = append(n.listings, exchange.PublicFolders)
	}
	return n
}

// selects is the $select of the mailbox listings: what is needed, no more. A
// full row has some 260 properties and 15 KB (wire 1.5).
func (n needs) selects() []string {
	sel := []string{
		"Guid", "ExchangeObjectId", "ExternalDirectoryObjectId",
		"UserPrincipalName", "PrimarySmtpAddress", "RecipientTypeDetails",
	}
	if n.addresses {
		sel = append(sel, "EmailAddresses")
	}
	if n.enabled {
		sel = append(sel, "AuditEnabled")
	}
	if n.age {
		sel = append(sel, "AuditLogAgeLimit")
	}
	if n.lists {
		sel = append(sel, "AuditAdmin", "AuditDelegate", "AuditOwner", "DefaultAuditSet", "PersistedCapabilities")
	}
	if n.capabilities && !n.lists {
		sel = append(sel, "PersistedCapabilities")
	}
	if n.delegates {
		sel = append(sel, "GrantSendOnBehalfTo", "Identity")
	}
	if n.delegates || n.dates || n.changed { // What is remembered of permissions ends with a change.
		sel = append(sel, "WhenChangedUTC")
	}
	if n.dates {
		sel = append(sel, "WhenMailboxCreated")
	}
	for _, a := range n.attributes {
		sel = append(sel, a.Property())
	}
	return sel
}

// selectsWithAddresses also asks for the addresses, to check that a mailbox
// read by identity is the one that was meant.
func (n needs) selectsWithAddresses() []string {
	n.addresses = true
	return n.selects()
}
