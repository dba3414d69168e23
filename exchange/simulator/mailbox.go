package simulator

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Tri is a stored yes, no, or nothing at all.
type Tri uint8

// The three values of a [Tri].
const (
	Unset Tri = iota
	True
	False
)

// String returns "unset", "true" or "false".
func (t Tri) String() string {
	switch t {
	case True:
		return "true"
	case False:
		return "false"
	}
	return "unset"
}

// TriOf turns a Go bool into a stored value.
func TriOf(b bool) Tri {
	if b {
		return True
	}
	return False
}

// Mailbox is the stored truth of one mailbox, which is not always what the service
// shows: see [Mailbox.Shown] for the lists and semantics 2.2 for AuditEnabled.
type Mailbox struct {
	Guid, ExchangeGuid, ExchangeObjectID string
	ExternalDirectoryObjectID            string // The Entra object id; empty for a system mailbox.
	Type                                 string // RecipientTypeDetails.
	Name, DisplayName, Alias             string
	UserPrincipalName                    string
	PrimarySMTPAddress                   string
	Addresses                            []string // "SMTP:…" (primary), "smtp:…", "SIP:…".
	Capabilities                         []string // PersistedCapabilities.
	CustomAttributes                     map[int]string
	Office, UsageLocation                string
	AuditEnabled                         Tri      // The stored value (semantics 2.2).
	Admin, Delegate, Owner               []string // Stored lists, in force where the logon type is not in Managed.
	Managed                              []string // DefaultAuditSet: subset of Admin, Delegate, Owner.
	AgeLimit                             string   // AuditLogAgeLimit as "90.00:00:00".
	Created, Changed                     time.Time
	SendOnBehalf                         []string // GrantSendOnBehalfTo.
	Unlicensed                           bool     // Licensed actions are refused here (semantics 1.3 E4).
}

// Shown returns what Get-Mailbox shows as the list of a logon type ("Admin",
// "Delegate" or "Owner"): the service's default set where the type is managed, else
// the stored list. For a group mailbox it is what the listing shows, which Microsoft
// says not to believe (semantics 1.5).
func (m Mailbox) Shown(logon string) []string { return slices.Clone(m.shown(logon)) }

func (m *Mailbox) shown(logon string) []string {
	if m.Type == typeGroup || slices.Contains(m.Managed, logon) {
		return defaultActions(logon)
	}
	return m.stored(logon)
}

func (m *Mailbox) stored(logon string) []string {
	switch logon {
	case logonAdmin:
		return m.Admin
	case logonDelegate:
		return m.Delegate
	case logonOwner:
		return m.Owner
	}
	return nil
}

func (m *Mailbox) setStored(logon string, list []string) {
	switch logon {
	case logonAdmin:
		m.Admin = list
	case logonDelegate:
		m.Delegate = list
	case logonOwner:
		m.Owner = list
	}
}

// pin takes a logon type out of Microsoft's management with a list of its own.
func (m *Mailbox) pin(logon string, list []string) {
	m.setStored(logon, list)
	m.Managed = slices.DeleteFunc(slices.Clone(m.Managed), func(have string) bool { return have == logon })
}

// identity is what the service prints as Identity: the Entra object id, else the name (wire 1.5).
func (m *Mailbox) identity() string {
	if m.ExternalDirectoryObjectID != "" {
		return m.ExternalDirectoryObjectID
	}
	return m.Name
}

// names lists the lower-case spellings a mailbox is found by, its Name excepted.
func (m *Mailbox) names() []string {
	names := []string{strings.ToLower(m.Alias), strings.ToLower(m.UserPrincipalName), strings.ToLower(m.PrimarySMTPAddress)}
	for _, address := range m.Addresses {
		if scheme, local, ok := strings.Cut(address, ":"); ok && strings.EqualFold(scheme, "smtp") {
			names = append(names, strings.ToLower(local))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// guids lists the identifiers a mailbox is found by, lower-case.
func (m *Mailbox) guids() []string {
	ids := []string{m.Guid, m.ExchangeGuid, m.ExchangeObjectID, m.ExternalDirectoryObjectID}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" })
}

func (m Mailbox) clone() Mailbox {
	m.Addresses = slices.Clone(m.Addresses)
	m.Capabilities = slices.Clone(m.Capabilities)
	m.CustomAttributes = maps.Clone(m.CustomAttributes)
	m.Admin, m.Delegate, m.Owner = slices.Clone(m.Admin), slices.Clone(m.Delegate), slices.Clone(m.Owner)
	m.Managed = slices.Clone(m.Managed)
	m.SendOnBehalf = slices.Clone(m.SendOnBehalf)
	return m
}

// listing is one of the three inventories that Get-Mailbox keeps apart (semantics 2.4).
type listing uint8

const (
	listOrdinary listing = iota
	listGroups
	listPublicFolders
)

func listingOf(recipientType string) listing {
	switch recipientType {
	case typeGroup:
		return listGroups
	case typePublicFolder:
		return listPublicFolders
	}
	return listOrdinary
}
