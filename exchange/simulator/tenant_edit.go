package simulator

import (
	"reflect"
	"slices"
	"strconv"
	"time"
)

// Mailbox returns the mailbox with a Guid.
func (t *Tenant) Mailbox(guid string) (Mailbox, bool) {
	if canonicalGuid(guid) == "" {
		return Mailbox{}, false
	}
	return t.FindMailbox(guid)
}

// FindMailbox returns the one mailbox that an identity names: any of its Guids, an
// SMTP address, a UPN, an alias, or a name that only one mailbox has.
func (t *Tenant) FindMailbox(identity string) (Mailbox, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	found := t.find(identity)
	if len(found) != 1 {
		return Mailbox{}, false
	}
	return t.at(found[0])
}

// AddMailbox adds a mailbox at the end of its listing and returns it with everything
// filled in that was empty: identifiers, names, addresses, type UserMailbox, an age
// limit of 90 days, the logon types without a list managed, the moment as Created.
// AuditEnabled stays unset, as on a new mailbox.
func (t *Tenant) AddMailbox(m Mailbox) Mailbox {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.added
	m = t.complete(m.clone(), n)
	number := t.generated() + n
	t.added++
	t.store(number, m)
	if listingOf(m.Type) == listOrdinary {
		t.late = append(t.late, lateAccount{kindAddedMailbox, number})
	}
	return m.clone()
}

func (t *Tenant) complete(m Mailbox, n int) Mailbox {
	fill := func(s *string, otherwise string) {
		if *s == "" {
			*s = otherwise
		}
	}
	fill(&m.Type, typeUser)
	fill(&m.Guid, t.gen.ids.guid(kindAddedMailbox, fieldGuid, n))
	fill(&m.ExchangeGuid, t.gen.ids.guid(kindAddedMailbox, fieldExchangeGuid, n))
	fill(&m.ExchangeObjectID, t.gen.ids.guid(kindAddedMailbox, fieldExchangeObject, n))
	if m.Type != typeDiscovery {
		fill(&m.ExternalDirectoryObjectID, t.gen.ids.guid(kindAddedMailbox, fieldEntra, n))
	}
	fill(&m.PrimarySMTPAddress, m.UserPrincipalName)
	fill(&m.Alias, localPart(m.PrimarySMTPAddress))
	fill(&m.Alias, "added."+strconv.Itoa(n))
	fill(&m.UserPrincipalName, m.PrimarySMTPAddress)
	fill(&m.UserPrincipalName, m.Alias+"@"+t.gen.seed.Domain)
	fill(&m.PrimarySMTPAddress, m.UserPrincipalName)
	fill(&m.DisplayName, m.Name)
	fill(&m.DisplayName, m.Alias)
	fill(&m.Name, m.DisplayName)
	fill(&m.AgeLimit, defaultAgeLimit)
	if len(m.Addresses) == 0 {
		m.Addresses = []string{"SMTP:" + m.PrimarySMTPAddress}
	}
	for i, logon := range m.Managed {
		m.Managed[i], _ = matchEnum(logonTypes(), logon)
	}
	if m.Managed == nil {
		for _, logon := range logonTypes() {
			if m.stored(logon) == nil {
				m.Managed = append(m.Managed, logon)
			}
		}
	}
	if m.Created.IsZero() {
		m.Created = t.now().UTC()
	}
	if m.Changed.IsZero() {
		m.Changed = m.Created
	}
	return m
}

// RemoveMailbox removes a mailbox and its account; false if there is none.
func (t *Tenant) RemoveMailbox(guid string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := t.find(guid)
	if canonicalGuid(guid) == "" || len(found) != 1 {
		return false
	}
	t.forget(found[0])
	t.removed[found[0]] = true
	return true
}

// RestoreMailbox brings back a mailbox as it was when it was removed, with its Guid
// and the date on which it was made, and the moment as Changed. It stands at the end
// of its listing. That the service moves WhenChanged then is not documented.
func (t *Tenant) RestoreMailbox(m Mailbox) Mailbox {
	t.mu.RLock()
	m.Changed = t.now().UTC()
	t.mu.RUnlock()
	return t.AddMailbox(m)
}

// Update changes the stored truth of a mailbox; false if there is none. Where the
// function changes something but not Changed, the moment is put there. The tenant is
// locked meanwhile, so the function must not call its methods.
func (t *Tenant) Update(guid string, change func(*Mailbox)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := t.find(guid)
	if canonicalGuid(guid) == "" || len(found) != 1 {
		return false
	}
	_, err := t.edit(found[0], func(m *Mailbox) *apiError {
		change(m)
		return nil
	})
	return err == nil
}

// edit applies a change to a mailbox and says whether anything is different now. An
// error leaves it as it was. The caller holds the lock.
func (t *Tenant) edit(number int, change func(*Mailbox) *apiError) (bool, *apiError) {
	before, _ := t.at(number)
	after := before.clone()
	if err := change(&after); err != nil {
		return false, err
	}
	if reflect.DeepEqual(before, after) {
		return false, nil
	}
	if after.Changed.Equal(before.Changed) {
		after.Changed = later(t.now().UTC(), before.Changed)
	}
	t.store(number, after.clone())
	return true, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (t *Tenant) store(number int, m Mailbox) {
	t.forget(number)
	t.boxes[number] = m
	for _, key := range append(m.names(), m.guids()...) {
		t.byName[key] = append(t.byName[key], number)
	}
}

func (t *Tenant) forget(number int) {
	m, ok := t.boxes[number]
	if !ok {
		return
	}
	delete(t.boxes, number)
	for _, key := range append(m.names(), m.guids()...) {
		t.byName[key] = slices.DeleteFunc(t.byName[key], func(n int) bool { return n == number })
		if len(t.byName[key]) == 0 {
			delete(t.byName, key)
		}
	}
}

func localPart(address string) string {
	for i := range len(address) {
		if address[i] == '@' {
			return address[:i]
		}
	}
	return address
}
