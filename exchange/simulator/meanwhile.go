package simulator

import (
	"encoding/json"
	"strconv"
)

// meanwhile is what another administrator does just before a call. A mailbox that is
// created stands at the end of its listing, so a page not yet read holds it; one that is
// deleted is on no later page, and not found; one that is renamed keeps its Guid and its
// place. How the service's own cursor sees such changes is not known (wire 1.6): here it
// is a position in the living listing, not a copy of the listing as it was.
func (s *Service) meanwhile(fault strike, parameters map[string]json.RawMessage) {
	l := givenListing(parameters)
	if fault.Do == DoCreateMailbox {
		s.tenant.AddMailbox(Mailbox{Alias: fault.Text, Type: typeIn(l)})
		return
	}
	domain := s.tenant.Domain()
	m, ok := s.victim(fault, l, parameters)
	switch {
	case !ok:
	case fault.Do == DoDeleteMailbox:
		s.tenant.RemoveMailbox(m.Guid)
	default:
		s.tenant.Update(m.Guid, func(m *Mailbox) { m.rename(domain, fault.n) })
	}
}

// victim is the mailbox that a fault is about: the one its Text names, else the one the
// call names, else any of the listing, decided repeatably. A call whose Identity names no
// mailbox has none.
func (s *Service) victim(fault strike, l listing, parameters map[string]json.RawMessage) (Mailbox, bool) {
	if fault.Text != "" {
		return s.tenant.FindMailbox(fault.Text)
	}
	var identity string
	if json.Unmarshal(givenParameter(parameters, "Identity"), &identity) == nil && identity != "" {
		return s.tenant.FindMailbox(identity)
	}
	return s.tenant.any(l, hashText(fault.Name)+mix(fault.Seed)+uint64(fault.n)*mixB) //nolint:gosec // a count
}

// any returns a mailbox of a listing, the same for the same seed and tenant.
func (t *Tenant) any(l listing, seed uint64) (Mailbox, bool) {
	t.mu.RLock()
	from, to := t.span(l)
	size := to - from + t.added
	position := t.generated()
	if size > 0 {
		if n := int(mix(seed) % uint64(size)); n < to-from { //nolint:gosec // sizes are small
			position = from + n
		} else {
			position += n - (to - from)
		}
	}
	t.mu.RUnlock()
	m, _, ok := t.next(l, position)
	if !ok {
		m, _, ok = t.next(l, 0)
	}
	return m, ok
}

// rename gives a mailbox another display name, address and UPN. Whether the service keeps
// the old address as a further one is not known; here it goes, which finds a client that
// knows a mailbox by its address.
func (m *Mailbox) rename(domain string, n int) {
	m.Alias = "renamed." + m.Guid[:8] + "." + strconv.Itoa(n)
	m.Name, m.DisplayName = m.Alias, "Renamed "+m.Guid[:8]+" "+strconv.Itoa(n)
	m.UserPrincipalName = m.Alias + "@" + domain
	m.PrimarySMTPAddress = m.UserPrincipalName
	m.Addresses = []string{"SMTP:" + m.PrimarySMTPAddress}
}

// givenListing is the inventory that the switches of a call choose, before they are bound.
func givenListing(parameters map[string]json.RawMessage) listing {
	switch {
	case truth(givenParameter(parameters, "GroupMailbox")):
		return listGroups
	case truth(givenParameter(parameters, "PublicFolder")):
		return listPublicFolders
	}
	return listOrdinary
}

// typeIn is the type of a new mailbox in a listing.
func typeIn(l listing) string {
	switch l {
	case listGroups:
		return typeGroup
	case listPublicFolders:
		return typePublicFolder
	}
	return typeUser
}
