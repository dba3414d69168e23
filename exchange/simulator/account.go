package simulator

import (
	"iter"
	"slices"
	"strings"
	"time"
)

// User is an account as Get-User shows it, with a mailbox or without.
type User struct {
	Guid, ExchangeObjectID, ExternalDirectoryObjectID, UserPrincipalName, Name string
}

// Bypass is one row of the bypass listing. The row of an account has the account's
// Guid and no UPN (wire 1.5); Name is not unique.
type Bypass struct {
	Guid, ExchangeObjectID, Name string
	Enabled                      bool      // AuditBypassEnabled.
	System                       bool      // A system object, not an account.
	UserGuid                     string    // The account's Guid, or "" for a system object.
	Changed                      time.Time // WhenChangedUTC.
}

// Accounts and bypass rows are numbered alike: system objects, then the accounts of
// generated mailboxes, then generated accounts without one, then what was added.

func (t *Tenant) accountSpans() (system, mailboxes, users int) {
	return t.gen.count(kindSystem), t.gen.seed.Mailboxes, t.gen.seed.Users
}

// account returns the account at a position of the bypass listing; the caller holds the lock.
func (t *Tenant) account(position int) (User, bool) {
	system, mailboxes, users := t.accountSpans()
	n := position - system
	switch {
	case n < 0:
		return User{}, false
	case n < mailboxes:
		return t.mailboxAccount(n)
	case n < mailboxes+users:
		return t.gen.user(n - mailboxes), true
	}
	n -= mailboxes + users
	if n >= len(t.late) {
		return User{}, false
	}
	switch late := t.late[n]; late.kind {
	case kindAddedMailbox:
		return t.mailboxAccount(late.number)
	case kindAddedUser:
		return t.users[late.number], true
	}
	return User{}, false
}

func (t *Tenant) mailboxAccount(number int) (User, bool) {
	m, ok := t.at(number)
	if !ok {
		return User{}, false
	}
	return User{m.Guid, m.ExchangeObjectID, m.ExternalDirectoryObjectID, m.UserPrincipalName, m.Name}, true
}

// row returns the bypass row at a position; the caller holds the lock.
func (t *Tenant) row(position int) (Bypass, bool) {
	system, mailboxes, users := t.accountSpans()
	var b Bypass
	switch n := position - system - mailboxes - users; {
	case position < 0 || n >= len(t.late):
		return Bypass{}, false
	case position < system:
		b = t.gen.system(position)
	case n >= 0 && t.late[n].kind == kindAddedBypass:
		b = t.rows[t.late[n].number]
	default:
		u, ok := t.account(position)
		if !ok {
			return Bypass{}, false
		}
		b = Bypass{Guid: u.Guid, ExchangeObjectID: u.ExchangeObjectID, Name: u.Name, UserGuid: u.Guid}
		b.Enabled = n < 0 && t.gen.chance(kindUser, position, 7, t.gen.seed.Bypassed)
	}
	if b.Changed.IsZero() {
		b.Changed = t.gen.seed.Now.AddDate(0, 0, -9)
	}
	if enabled, ok := t.bypassed[b.Guid]; ok {
		b.Enabled, b.Changed = enabled, t.touched[b.Guid]
	}
	return b, true
}

func (t *Tenant) accountCount() int {
	system, mailboxes, users := t.accountSpans()
	return system + mailboxes + users + len(t.late)
}

// nextRow returns the first bypass row at or after a position, and its position.
func (t *Tenant) nextRow(position int) (Bypass, int, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for n := position; n < t.accountCount(); n++ {
		if b, ok := t.row(n); ok {
			return b, n, true
		}
	}
	return Bypass{}, 0, false
}

// AllBypass yields the bypass rows in listing order, system objects first.
func (t *Tenant) AllBypass() iter.Seq[Bypass] {
	return func(yield func(Bypass) bool) {
		for position := 0; ; position++ {
			b, at, ok := t.nextRow(position)
			if !ok || !yield(b) {
				return
			}
			position = at
		}
	}
}

// AllUsers yields every account: those of mailboxes, then those without one, then
// what was added.
func (t *Tenant) AllUsers() iter.Seq[User] {
	return func(yield func(User) bool) {
		for position := t.gen.count(kindSystem); ; position++ {
			t.mu.RLock()
			u, ok := t.account(position)
			end := position >= t.accountCount()
			t.mu.RUnlock()
			if end || ok && !yield(u) {
				return
			}
		}
	}
}

// Bypass returns the row with a Guid or ExchangeObjectId.
func (t *Tenant) Bypass(guid string) (Bypass, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	found := t.findAccounts(guid)
	if canonicalGuid(guid) == "" || len(found) != 1 {
		return Bypass{}, false
	}
	return t.row(found[0])
}

// SetBypass sets AuditBypassEnabled of the row with a Guid; false if there is none.
func (t *Tenant) SetBypass(guid string, enabled bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := t.findAccounts(guid)
	if canonicalGuid(guid) == "" || len(found) != 1 {
		return false
	}
	return t.setRow(found[0], enabled)
}

// setRow sets a row's value; the caller holds the lock.
func (t *Tenant) setRow(position int, enabled bool) bool {
	b, ok := t.row(position)
	if !ok {
		return false
	}
	if b.Enabled != enabled {
		t.bypassed[b.Guid] = enabled
		t.touched[b.Guid] = later(t.now().UTC(), b.Changed)
	}
	return true
}

// AddUser adds an account without a mailbox, filling what is empty, and with it its bypass row.
func (t *Tenant) AddUser(u User) User {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.users)
	generated := t.gen.user(n + t.gen.seed.Users)
	if u.Guid == "" {
		u.Guid = t.gen.ids.guid(kindAddedUser, fieldGuid, n)
	}
	if u.ExchangeObjectID == "" {
		u.ExchangeObjectID = t.gen.ids.guid(kindAddedUser, fieldExchangeObject, n)
	}
	if u.ExternalDirectoryObjectID == "" {
		u.ExternalDirectoryObjectID = t.gen.ids.guid(kindAddedUser, fieldEntra, n)
	}
	if u.UserPrincipalName == "" {
		u.UserPrincipalName = generated.UserPrincipalName
	}
	if u.Name == "" {
		u.Name = localPart(u.UserPrincipalName)
	}
	t.users = append(t.users, u)
	t.late = append(t.late, lateAccount{kindAddedUser, n})
	return u
}

// AddBypass adds a row that belongs to no account of the tenant, filling what is empty.
func (t *Tenant) AddBypass(b Bypass) Bypass {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.rows)
	if b.Guid == "" {
		b.Guid = t.gen.ids.guid(kindAddedBypass, fieldGuid, n)
	}
	if b.ExchangeObjectID == "" {
		b.ExchangeObjectID = t.gen.ids.guid(kindAddedBypass, fieldExchangeObject, n)
	}
	if b.Name == "" {
		b.Name = "TenantSetting_added" + b.Guid[:8]
	}
	if b.Changed.IsZero() {
		b.Changed = t.now().UTC()
	}
	t.rows = append(t.rows, b)
	t.late = append(t.late, lateAccount{kindAddedBypass, n})
	return b
}

// findAccounts returns the positions of the accounts or rows an identity names: a
// Guid of any kind, a UPN, or a name; the caller holds the lock.
func (t *Tenant) findAccounts(identity string) []int {
	key := strings.ToLower(strings.TrimSpace(identity))
	if key == "" {
		return nil
	}
	system, mailboxes, users := t.accountSpans()
	var found []int
	add := func(position int) {
		if !slices.Contains(found, position) {
			found = append(found, position)
		}
	}
	guid := canonicalGuid(key)
	if guid != "" {
		key = guid
		if kind, field, n, ok := t.gen.ids.read(guid); ok && field <= fieldEntra && n < t.gen.count(kind) {
			switch kind {
			case kindSystem:
				add(n)
			case kindUser:
				add(system + mailboxes + n)
			}
		}
	}
	if guid != "" || strings.Contains(key, "@") {
		for _, number := range t.find(key) {
			if number < mailboxes {
				add(system + number)
			}
		}
		if n, ok := trailingNumber(key); ok && n < users && strings.EqualFold(t.gen.user(n).UserPrincipalName, key) {
			add(system + mailboxes + n)
		}
	}
	for n := range t.late {
		if t.lateMatches(n, key) {
			add(system + mailboxes + users + n)
		}
	}
	if len(found) == 0 && guid == "" && !strings.Contains(key, "@") {
		found = t.scanAccounts(key)
	}
	return found
}

func (t *Tenant) lateMatches(n int, key string) bool {
	system, mailboxes, users := t.accountSpans()
	position := system + mailboxes + users + n
	if u, ok := t.account(position); ok {
		return slices.Contains([]string{u.Guid, u.ExchangeObjectID, u.ExternalDirectoryObjectID, strings.ToLower(u.UserPrincipalName)}, key)
	}
	b, ok := t.row(position)
	return ok && (b.Guid == key || b.ExchangeObjectID == key)
}

// scanAccounts looks for a name among all rows.
func (t *Tenant) scanAccounts(key string) []int {
	var found []int
	for position := range t.accountCount() {
		if u, ok := t.account(position); ok {
			if strings.EqualFold(u.Name, key) {
				found = append(found, position)
			}
			continue
		}
		if b, ok := t.row(position); ok && strings.EqualFold(b.Name, key) {
			found = append(found, position)
		}
	}
	return found
}
