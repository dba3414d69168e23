package simulator

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Organization is the part of the tenant's configuration that is modelled.
type Organization struct {
	AuditDisabled   bool // Get-OrganizationConfig.AuditDisabled.
	Dehydrated      bool // Get-OrganizationConfig.IsDehydrated.
	UnifiedAuditLog bool // Get-AdminAuditLogConfig.UnifiedAuditLogIngestionEnabled.
}

// Organization returns the tenant's configuration.
func (t *Tenant) Organization() Organization {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.org
}

// UpdateOrganization changes the tenant's configuration; the function must not call
// the tenant's methods.
func (t *Tenant) UpdateOrganization(change func(*Organization)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.org)
}

// Dump yields every stored property of every object as "kind/guid/property" and its
// value, in a fixed order, so that two tenants, or one before and after, can be
// compared. Lists are sorted, since their order carries no meaning (semantics 2.1).
func (t *Tenant) Dump() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		more := true
		emit := func(kind, guid string, pairs ...string) {
			for i := 0; more && i < len(pairs); i += 2 {
				more = yield(kind+"/"+guid+"/"+pairs[i], pairs[i+1])
			}
		}
		org := t.Organization()
		emit("organization", t.ID(), "AuditDisabled", strconv.FormatBool(org.AuditDisabled),
			"IsDehydrated", strconv.FormatBool(org.Dehydrated), "UnifiedAuditLogIngestionEnabled", strconv.FormatBool(org.UnifiedAuditLog))
		for m := range t.AllMailboxes() {
			if emit("mailbox", m.Guid, m.properties()...); !more {
				return
			}
		}
		for u := range t.AllUsers() {
			emit("user", u.Guid, "ExchangeObjectId", u.ExchangeObjectID, "ExternalDirectoryObjectId", u.ExternalDirectoryObjectID,
				"UserPrincipalName", u.UserPrincipalName, "Name", u.Name)
			if !more {
				return
			}
		}
		for key, value := range t.dumpDirectory() {
			if more = more && yield(key, value); !more {
				return
			}
		}
		for b := range t.AllBypass() {
			emit("bypass", b.Guid, "ExchangeObjectId", b.ExchangeObjectID, "Name", b.Name,
				"AuditBypassEnabled", strconv.FormatBool(b.Enabled), "WhenChangedUTC", b.Changed.UTC().Format(time.RFC3339Nano))
			if !more {
				return
			}
		}
	}
}

// properties lists the stored values of a mailbox as name, value, name, value.
func (m *Mailbox) properties() []string {
	pairs := []string{
		"ExchangeGuid", m.ExchangeGuid, "ExchangeObjectId", m.ExchangeObjectID,
		"ExternalDirectoryObjectId", m.ExternalDirectoryObjectID, "RecipientTypeDetails", m.Type, "Name", m.Name,
		"DisplayName", m.DisplayName, "Alias", m.Alias, "UserPrincipalName", m.UserPrincipalName,
		"PrimarySmtpAddress", m.PrimarySMTPAddress, "EmailAddresses", sortedList(m.Addresses),
		"PersistedCapabilities", sortedList(m.Capabilities), "Office", m.Office, "UsageLocation", m.UsageLocation,
		"AuditEnabled", m.AuditEnabled.String(), "AuditAdmin", sortedList(m.Admin), "AuditDelegate", sortedList(m.Delegate),
		"AuditOwner", sortedList(m.Owner), "DefaultAuditSet", sortedList(m.Managed), "AuditLogAgeLimit", m.AgeLimit,
		"WhenMailboxCreated", m.Created.UTC().Format(time.RFC3339Nano), "WhenChangedUTC", m.Changed.UTC().Format(time.RFC3339Nano),
		"Unlicensed", strconv.FormatBool(m.Unlicensed),
		"GrantSendOnBehalfTo", sortedList(m.SendOnBehalf),
	}
	for i := 1; i <= 15; i++ {
		if value, ok := m.CustomAttributes[i]; ok {
			pairs = append(pairs, "CustomAttribute"+strconv.Itoa(i), value)
		}
	}
	return pairs
}

func sortedList(list []string) string { return strings.Join(slices.Sorted(slices.Values(list)), ",") }
