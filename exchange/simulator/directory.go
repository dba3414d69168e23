package simulator

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// Types of recipients without a mailbox of their own, as RecipientTypeDetails spells
// them. The mailbox of a Microsoft 365 group is a group too: typeGroup.
const (
	typeDistribution = "MailUniversalDistributionGroup"
	typeSecurity     = "MailUniversalSecurityGroup"
	typeDynamic      = "DynamicDistributionGroup"
)

// Group is a recipient with members. Type is MailUniversalDistributionGroup (if
// empty), MailUniversalSecurityGroup, DynamicDistributionGroup or GroupMailbox; with
// another, such as MailContact or RoomList, it is a recipient that no cmdlet lists
// members of. The members of a dynamic list are what its filter gives; here they are
// stored like those of the others.
type Group struct {
	Guid, ExternalDirectoryObjectID string
	Type                            string // RecipientTypeDetails.
	Name                            string
	PrimarySMTPAddress              string
	Addresses                       []string // "SMTP:…" (primary), "smtp:…".
	Members                         []string // Guids of mailboxes and groups, in any case.
}

// Permission is one stored entry of who may do what to a mailbox.
type Permission struct {
	Trustee   string   // An address, a name, or a security identifier.
	Rights    []string // FullAccess, ReadPermission …, or SendAs; see the method that takes it.
	Inherited bool
	Deny      bool
}

// directory is the part of a tenant that is neither mailbox nor account.
type directory struct {
	groups  []Group                 // Without the members, which are in members.
	members map[string][]string     // Lower-case Guids by the group's.
	full    map[string][]Permission // By the mailbox's Guid.
	sendAs  map[string][]Permission
	admin   AdminAudit

	retention     []RetentionPolicy
	retentionMade int
}

func newDirectory() directory {
	return directory{members: map[string][]string{}, full: map[string][]Permission{}, sendAs: map[string][]Permission{}, admin: defaultAdminAudit()}
}

func (d *directory) clone() directory {
	c := directory{
		groups: slices.Clone(d.groups), members: maps.Clone(d.members), full: maps.Clone(d.full), sendAs: maps.Clone(d.sendAs), admin: d.admin.clone(),
		retention: cloneRetention(d.retention), retentionMade: d.retentionMade,
	}
	for guid, list := range c.members {
		c.members[guid] = slices.Clone(list)
	}
	for _, table := range []map[string][]Permission{c.full, c.sendAs} {
		for guid, list := range table {
			table[guid] = slices.Clone(list) // The rights in them are never changed.
		}
	}
	return c
}

// AddGroup adds a group and returns it with what was empty filled in. One of type
// GroupMailbox is added as a group mailbox, unless Guid names one that there is,
// which then gets the members.
func (t *Tenant) AddGroup(g Group) Group {
	if g.Type == "" {
		g.Type = typeDistribution
	}
	if g.Type == typeGroup {
		return t.addUnified(g)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.dir.groups)
	fill := func(s *string, otherwise string) {
		if *s == "" {
			*s = otherwise
		}
	}
	fill(&g.Guid, t.gen.ids.guid(kindAddedGroup, fieldGuid, n))
	fill(&g.ExternalDirectoryObjectID, t.gen.ids.guid(kindAddedGroup, fieldEntra, n))
	fill(&g.Name, localPart(g.PrimarySMTPAddress))
	fill(&g.Name, "group."+g.Guid[:8])
	fill(&g.PrimarySMTPAddress, g.Name+"@"+t.gen.seed.Domain)
	g.Guid = strings.ToLower(g.Guid)
	if len(g.Addresses) == 0 {
		g.Addresses = []string{"SMTP:" + g.PrimarySMTPAddress}
	}
	t.dir.members[g.Guid] = lowerAll(g.Members)
	stored := g
	stored.Members = nil
	t.dir.groups = append(t.dir.groups, stored)
	return g
}

// addUnified adds the members of a Microsoft 365 group, and its mailbox if need be.
func (t *Tenant) addUnified(g Group) Group {
	m, found := t.Mailbox(g.Guid)
	if !found {
		m = t.AddMailbox(Mailbox{Guid: g.Guid, ExternalDirectoryObjectID: g.ExternalDirectoryObjectID, Type: typeGroup, Name: g.Name, PrimarySMTPAddress: g.PrimarySMTPAddress, Addresses: g.Addresses})
	}
	t.SetMembers(m.Guid, g.Members...)
	g.Guid, g.ExternalDirectoryObjectID, g.Name, g.PrimarySMTPAddress, g.Addresses = m.Guid, m.ExternalDirectoryObjectID, m.Name, m.PrimarySMTPAddress, m.Addresses
	return g
}

func lowerAll(list []string) []string {
	lower := make([]string, 0, len(list))
	for _, s := range list {
		lower = append(lower, strings.ToLower(s))
	}
	return lower
}

// SetMembers replaces the members of the group with a Guid.
func (t *Tenant) SetMembers(guid string, members ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dir.members[strings.ToLower(guid)] = lowerAll(members)
}

// RemoveGroup removes a group that has no mailbox; false if there is none. It stays
// among the members of others, where no listing shows it any more.
func (t *Tenant) RemoveGroup(guid string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.dir.groups)
	t.dir.groups = slices.DeleteFunc(t.dir.groups, func(g Group) bool { return strings.EqualFold(g.Guid, guid) })
	return len(t.dir.groups) < before
}

// Members returns the Guids of all mailboxes of every listing that are in a group,
// through however many groups, in order of first sight; a cycle ends where it closes.
func (t *Tenant) Members(guid string) []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var found []string
	seen := map[string]bool{}
	open := []string{strings.ToLower(guid)}
	for len(open) > 0 {
		next := open[0]
		open = open[1:]
		if seen[next] {
			continue
		}
		seen[next] = true
		if next != strings.ToLower(guid) {
			if numbers := t.findGuid(next); len(numbers) == 1 {
				found = append(found, next)
			}
		}
		open = append(open, t.dir.members[next]...)
	}
	return found
}

// AddMailboxPermission stores an entry that Get-MailboxPermission shows, FullAccess if
// no right is named.
func (t *Tenant) AddMailboxPermission(guid string, p Permission) {
	if p.Rights == nil {
		p.Rights = []string{"FullAccess"}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	guid = strings.ToLower(guid)
	t.dir.full[guid] = append(t.dir.full[guid], p)
}

// AddRecipientPermission stores an entry that Get-RecipientPermission shows, SendAs if
// no right is named.
func (t *Tenant) AddRecipientPermission(guid string, p Permission) {
	if p.Rights == nil {
		p.Rights = []string{"SendAs"}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	guid = strings.ToLower(guid)
	t.dir.sendAs[guid] = append(t.dir.sendAs[guid], p)
}

// ClearPermissions removes every entry that was added for a mailbox.
func (t *Tenant) ClearPermissions(guid string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.dir.full, strings.ToLower(guid))
	delete(t.dir.sendAs, strings.ToLower(guid))
}

// noise is what nearly every mailbox shows besides delegates: itself, what it inherits,
// and on some a refusal or the identifier of an account that is gone.
func noise(guid, right string) []Permission {
	h := hashText(guid + right)
	list := []Permission{{Trustee: `NT AUTHORITY\SELF`, Rights: []string{right}}}
	if right == "FullAccess" {
		list[0].Rights = []string{"FullAccess", "ReadPermission"}
		list = append(list,
			Permission{Trustee: `EURPR01A001\Organization Management`, Rights: []string{"FullAccess", "DeleteItem", "ReadPermission"}, Inherited: true},
			Permission{Trustee: `EURPR01A001\Administrator`, Rights: []string{"FullAccess"}, Inherited: true, Deny: true},
		)
		if h%4 == 0 {
			list = append(list, Permission{Trustee: "helpdesk@contoso.com", Rights: []string{"ReadPermission"}})
		}
	}
	if h%5 == 0 {
		list = append(list, Permission{Trustee: "S-1-5-21-1004336348-1177238915-682003330-512", Rights: []string{right}})
	}
	if h%7 == 0 {
		list = append(list, Permission{Trustee: "leaver@contoso.com", Rights: []string{right}, Deny: true})
	}
	return list
}

// permissions are the entries of a mailbox; the caller holds the lock.
func (d *directory) permissions(guid, right string) []Permission {
	stored := d.full[guid]
	if right == "SendAs" {
		stored = d.sendAs[guid]
	}
	return append(noise(guid, right), stored...)
}

// dump yields what the directory stores, as [Tenant.Dump] does.
func (t *Tenant) dumpDirectory() iter.Seq2[string, string] {
	t.mu.RLock()
	dir := t.dir.clone()
	t.mu.RUnlock()
	return func(yield func(string, string) bool) {
		var pairs [][2]string
		for _, g := range dir.groups {
			pairs = append(pairs, [2]string{"group/" + g.Guid + "/recipient", g.Type + " " + g.PrimarySMTPAddress})
		}
		for _, guid := range slices.Sorted(maps.Keys(dir.members)) {
			pairs = append(pairs, [2]string{"group/" + guid + "/members", sortedList(dir.members[guid])})
		}
		for _, guid := range slices.Sorted(maps.Keys(dir.full)) {
			pairs = append(pairs, [2]string{"permission/" + guid + "/full", describe(dir.full[guid])})
		}
		for _, guid := range slices.Sorted(maps.Keys(dir.sendAs)) {
			pairs = append(pairs, [2]string{"permission/" + guid + "/sendAs", describe(dir.sendAs[guid])})
		}
		pairs = append(pairs, dir.admin.pairs(t.ID())...)
		for _, p := range dir.retention {
			pairs = append(pairs, p.pairs()...)
		}
		for _, pair := range pairs {
			if !yield(pair[0], pair[1]) {
				return
			}
		}
	}
}

func describe(list []Permission) string {
	var texts []string
	for _, p := range list {
		text := p.Trustee + " " + sortedList(p.Rights)
		if p.Inherited {
			text += " inherited"
		}
		if p.Deny {
			text += " deny"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}
