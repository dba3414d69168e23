package simulator

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Tenant is the stored state of one Exchange Online organization. All methods are
// safe for concurrent use; an iterator sees each object as it is when it is reached,
// so objects may be added, changed and removed while somebody iterates.
type Tenant struct {
	gen generator

	mu       sync.RWMutex
	now      func() time.Time
	org      Organization
	boxes    map[int]Mailbox  // Changed and added mailboxes by number.
	removed  map[int]bool     // Removed mailboxes by number.
	byName   map[string][]int // Lower-case names and Guids of the mailboxes in boxes.
	added    int              // Mailboxes ever added.
	users    []User           // Added accounts.
	rows     []Bypass         // Added bypass rows.
	late     []lateAccount    // Order in which accounts were added.
	bypassed map[string]bool  // Changed bypass values by Guid.
	touched  map[string]time.Time
	dir      directory
}

// lateAccount is one account or row that was added after the seed.
type lateAccount struct {
	kind   idKind
	number int
}

// NewTenant makes a tenant from a seed. The same seed makes the same tenant.
func NewTenant(s Seed) *Tenant {
	s = s.withDefaults()
	return &Tenant{
		gen:      generator{seed: s, ids: newMint(s.ID, s.Seed)},
		now:      time.Now,
		org:      Organization{AuditDisabled: s.AuditDisabled, Dehydrated: s.Dehydrated, UnifiedAuditLog: !s.UnifiedLogOff},
		boxes:    map[int]Mailbox{},
		removed:  map[int]bool{},
		byName:   map[string][]int{},
		bypassed: map[string]bool{},
		touched:  map[string]time.Time{},
		dir:      newDirectory(),
	}
}

// ID returns the tenant's GUID.
func (t *Tenant) ID() string { return t.gen.seed.ID }

// Domain returns the tenant's initial domain.
func (t *Tenant) Domain() string { return t.gen.seed.Domain }

// Snapshot returns a deep copy: later changes to either are not seen by the other.
// It costs as much as what was changed since the seed, not as the tenant.
func (t *Tenant) Snapshot() *Tenant {
	t.mu.RLock()
	defer t.mu.RUnlock()
	c := &Tenant{
		gen: t.gen, now: t.now, org: t.org, added: t.added,
		boxes: make(map[int]Mailbox, len(t.boxes)), removed: maps.Clone(t.removed),
		byName: make(map[string][]int, len(t.byName)),
		users:  slices.Clone(t.users), rows: slices.Clone(t.rows), late: slices.Clone(t.late),
		bypassed: maps.Clone(t.bypassed), touched: maps.Clone(t.touched), dir: t.dir.clone(),
	}
	for n, m := range t.boxes {
		c.boxes[n] = m.clone()
	}
	for name, numbers := range t.byName {
		c.byName[name] = slices.Clone(numbers)
	}
	return c
}

// setClock makes the tenant date its changes by a service's clock.
func (t *Tenant) setClock(now func() time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now = now
}

// Mailbox numbers run through the generated ordinary, group and public-folder
// mailboxes, then through the added ones.

func (t *Tenant) generated() int {
	return t.gen.seed.Mailboxes + t.gen.seed.Groups + t.gen.seed.PublicFolders
}

func (t *Tenant) number(kind idKind, n int) (int, bool) {
	if n < 0 || n >= t.gen.count(kind) {
		return 0, false
	}
	switch kind {
	case kindOrdinary:
		return n, true
	case kindGroup:
		return t.gen.seed.Mailboxes + n, true
	case kindPublicFolder:
		return t.gen.seed.Mailboxes + t.gen.seed.Groups + n, true
	}
	return 0, false
}

// span is the range of generated numbers in one listing.
func (t *Tenant) span(l listing) (from, to int) {
	s := t.gen.seed
	switch l {
	case listGroups:
		return s.Mailboxes, s.Mailboxes + s.Groups
	case listPublicFolders:
		return s.Mailboxes + s.Groups, t.generated()
	}
	return 0, s.Mailboxes
}

// at returns mailbox number n; the caller holds the lock.
func (t *Tenant) at(n int) (Mailbox, bool) {
	if t.removed[n] {
		return Mailbox{}, false
	}
	if m, ok := t.boxes[n]; ok {
		return m.clone(), true
	}
	s := t.gen.seed
	switch {
	case n < 0 || n >= t.generated():
		return Mailbox{}, false
	case n < s.Mailboxes:
		return t.gen.mailbox(kindOrdinary, n), true
	case n < s.Mailboxes+s.Groups:
		return t.gen.mailbox(kindGroup, n-s.Mailboxes), true
	}
	return t.gen.mailbox(kindPublicFolder, n-s.Mailboxes-s.Groups), true
}

// next returns the first mailbox of a listing at or after a position, and its position.
func (t *Tenant) next(l listing, position int) (Mailbox, int, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	from, to := t.span(l)
	for n := max(position, from); n < to; n++ {
		if m, ok := t.at(n); ok {
			return m, n, true
		}
	}
	for n := max(position, t.generated()); n < t.generated()+t.added; n++ {
		if m, ok := t.at(n); ok && listingOf(m.Type) == l {
			return m, n, true
		}
	}
	return Mailbox{}, 0, false
}

// AllMailboxes yields the ordinary, then the group, then the public-folder mailboxes,
// each in the order of its listing.
func (t *Tenant) AllMailboxes() iter.Seq[Mailbox] {
	return func(yield func(Mailbox) bool) {
		for _, l := range []listing{listOrdinary, listGroups, listPublicFolders} {
			for position := 0; ; {
				m, at, ok := t.next(l, position)
				if !ok {
					break
				}
				if !yield(m) {
					return
				}
				position = at + 1
			}
		}
	}
}

// find returns the numbers of the mailboxes an identity names: a Guid of any kind, an
// SMTP address, a UPN, an alias, or a name; the caller holds the lock.
func (t *Tenant) find(identity string) []int {
	key := strings.ToLower(strings.TrimSpace(identity))
	if key == "" {
		return nil
	}
	if guid := canonicalGuid(key); guid != "" {
		return t.findGuid(guid)
	}
	found := slices.Clone(t.byName[key])
	if n, ok := t.findGenerated(key); ok && !slices.Contains(found, n) {
		found = append(found, n)
	}
	if len(found) == 0 && !strings.Contains(key, "@") {
		found = t.scanNames(identity)
	}
	return found
}

func (t *Tenant) findGuid(guid string) []int {
	if numbers, ok := t.byName[guid]; ok {
		return slices.Clone(numbers)
	}
	kind, field, n, ok := t.gen.ids.read(guid)
	if !ok || field > fieldEntra {
		return nil
	}
	number, ok := t.number(kind, n)
	if !ok || t.removed[number] {
		return nil
	}
	if _, changed := t.boxes[number]; changed {
		return nil // Its present Guids are in byName.
	}
	if m, _ := t.at(number); !slices.Contains(m.guids(), guid) {
		return nil
	}
	return []int{number}
}

// findGenerated reads the number that every generated alias ends in, and checks it.
func (t *Tenant) findGenerated(key string) (int, bool) {
	candidates := []int{t.gen.seed.Mailboxes - 1} // The discovery mailbox has no number in its name.
	if n, ok := trailingNumber(key); ok {
		candidates = candidates[:0]
		for _, kind := range []idKind{kindOrdinary, kindGroup, kindPublicFolder} {
			if number, ok := t.number(kind, n); ok {
				candidates = append(candidates, number)
			}
		}
	}
	for _, number := range candidates {
		if m, ok := t.at(number); ok && slices.Contains(m.names(), key) {
			return number, true
		}
	}
	return 0, false
}

// trailingNumber is the number after the last dot of an address's local part.
func trailingNumber(address string) (int, bool) {
	local := localPart(address)
	n, err := strconv.Atoi(local[strings.LastIndexByte(local, '.')+1:])
	return n, err == nil && n >= 0
}

// scanNames looks for a Name, which need not be unique (semantics 3).
func (t *Tenant) scanNames(name string) []int {
	var found []int
	for n := range t.generated() + t.added {
		if m, ok := t.at(n); ok && strings.EqualFold(m.Name, name) {
			found = append(found, n)
		}
	}
	return found
}
