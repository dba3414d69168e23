package simulator

import "time"

// Seed says how to make a [Tenant]. The zero value is a hydrated tenant without
// mailboxes, with auditing and the unified audit log on.
type Seed struct {
	ID            string // Tenant GUID; a fixed one if empty.
	Domain        string // Initial domain; "contoso.onmicrosoft.com" if empty.
	Seed          uint64
	Mailboxes     int     // Ordinary mailboxes: of 20, 17 UserMailbox, two SharedMailbox, one room or equipment; from ten on the last is the DiscoveryMailbox.
	Groups        int     // GroupMailbox listing.
	PublicFolders int     // PublicFolderMailbox listing.
	Drift         float64 // Share of ordinary mailboxes with one customised or weakened setting, 0..1.
	// Unset says that no ordinary mailbox has stored an AuditEnabled yet, whatever it shows.
	Unset bool
	Users int // Accounts without a mailbox.
	// BypassPerMailbox is the number of bypass rows per ordinary mailbox, 1.5 if zero:
	// one for its account, the rest system objects, of which there are at least 239
	// (wire 1.5). Negative means no system objects at all.
	BypassPerMailbox float64
	Bypassed         float64 // Share of the accounts' bypass rows that are true, 0..1.
	Dehydrated       bool    // Enable-OrganizationCustomization has not been run.
	AuditDisabled    bool    // Get-OrganizationConfig.AuditDisabled.
	UnifiedLogOff    bool    // UnifiedAuditLogIngestionEnabled is false.
	// Now is the moment the tenant is made at: generated objects are eight days to
	// six years old by then. A fixed day if zero; a testing/synctest bubble, whose
	// clock starts in the year 2000, sets it to time.Now().
	Now time.Time
}

const (
	defaultTenantID = "7c9e1d42-5b0a-4f63-9a17-3d2e86c4b5f0"
	defaultDomain   = "contoso.onmicrosoft.com"
)

func (s Seed) withDefaults() Seed {
	if s.ID == "" {
		s.ID = defaultTenantID
	}
	if s.Domain == "" {
		s.Domain = defaultDomain
	}
	if s.BypassPerMailbox == 0 {
		s.BypassPerMailbox = 1.5
	}
	if s.Now.IsZero() {
		s.Now = time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)
	}
	s.Now = s.Now.UTC()
	return s
}
