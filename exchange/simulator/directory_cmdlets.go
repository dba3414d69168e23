package simulator

import (
	"slices"
	"strings"
)

// directoryCmdlets are the cmdlets of groups and permissions.
func directoryCmdlets() []cmdlet {
	return []cmdlet{
		{"Get-Recipient", parameters(getRecipientParameters(), "Identity ResultSize"), spellIDTypeText, true, getRecipient},
		{"Get-DistributionGroupMember", parameters(getGroupMemberParameters(), "Identity ResultSize"), spellIDTypeText, true, membersOf(typeDistribution, typeSecurity)},
		{"Get-DynamicDistributionGroupMember", parameters(getGroupMemberParameters(), "Identity ResultSize"), spellTypeText, true, membersOf(typeDynamic)},
		{"Get-UnifiedGroupLinks", parameters(getGroupLinksParameters(), "Identity LinkType ResultSize"), spellJSON, true, getGroupLinks},
		{"Get-RecipientPermission", parameters(getRecipientPermissionParameters(), "Identity ResultSize"), spellTypeText, true, getRecipientPermission},
		{"Get-MailboxPermission", parameters(getMailboxPermissionParameters(), "Identity ResultSize GroupMailbox"), spellIDTypeText, true, getMailboxPermission},
	}
}

// findRecipients returns the mailboxes of every listing and the groups that an
// identity names; the caller holds the lock.
func (t *Tenant) findRecipients(identity string) []recipientView {
	var found []recipientView
	for _, n := range t.find(identity) {
		if m, ok := t.at(n); ok {
			found = append(found, viewOfMailbox(m))
		}
	}
	key := strings.TrimSpace(identity)
	if guid := canonicalGuid(key); guid != "" {
		key = guid
	}
	for _, g := range t.dir.groups {
		if strings.EqualFold(g.Guid, key) || strings.EqualFold(g.ExternalDirectoryObjectID, key) || strings.EqualFold(g.Name, key) || g.hasAddress(key) {
			found = append(found, viewOfGroup(g))
		}
	}
	return found
}

func (g *Group) hasAddress(key string) bool {
	return slices.ContainsFunc(g.Addresses, func(address string) bool {
		scheme, plain, _ := strings.Cut(address, ":")
		return strings.EqualFold(scheme, "smtp") && strings.EqualFold(plain, key)
	})
}

// oneRecipient finds the one recipient of some types that an identity names, of any
// type where none is named; the caller holds the lock.
func (c *call) oneRecipient(identity string, types ...string) (recipientView, *apiError) {
	found := slices.DeleteFunc(c.s.tenant.findRecipients(identity), func(r recipientView) bool {
		return len(types) > 0 && !slices.Contains(types, r.kind)
	})
	switch len(found) {
	case 0:
		return recipientView{}, c.notFound(identity)
	case 1:
		return found[0], nil
	}
	return recipientView{}, c.ambiguous(identity)
}

// getRecipient is Get-Recipient by identity.
func getRecipient(c *call) (outcome, *apiError) {
	if c.isNull("Identity") {
		return outcome{}, unmodelled("Get-Recipient without Identity")
	}
	identity, err := c.identity()
	if err != nil {
		return outcome{}, err
	}
	c.s.tenant.mu.RLock()
	defer c.s.tenant.mu.RUnlock()
	r, err := c.oneRecipient(identity)
	if err != nil {
		return outcome{}, err
	}
	return single(c, c.s.columns.recipient, r), nil
}

// getGroupLinks is Get-UnifiedGroupLinks for members.
func getGroupLinks(c *call) (outcome, *apiError) {
	link, err := c.text("LinkType")
	if err != nil {
		return outcome{}, err
	}
	switch kind, ok := matchEnum([]string{"Members", "Owners", "Subscribers", "Aggregators", "EventSubscribers"}, link); {
	case link == "":
		return outcome{}, bindingError(typeParameterSet, "Cannot process command because of one or more missing mandatory parameters: LinkType.")
	case !ok:
		return outcome{}, enumError("LinkType", link, "Microsoft.Exchange.Management.RecipientTasks.LinkType", []string{"Members", "Owners", "Subscribers"})
	case kind != "Members":
		return outcome{}, unmodelled("LinkType %s of Get-UnifiedGroupLinks", kind)
	}
	return membersOf(typeGroup)(c)
}

// membersOf lists the direct members of a group of one of the types.
func membersOf(types ...string) func(*call) (outcome, *apiError) {
	return func(c *call) (outcome, *apiError) {
		identity, err := c.identity()
		if err != nil {
			return outcome{}, err
		}
		t := c.s.tenant
		t.mu.RLock()
		group, err := c.oneRecipient(identity, types...)
		t.mu.RUnlock()
		if err != nil {
			return outcome{}, err
		}
		return listPage(c, c.s.columns.recipient, func(position int) (recipientView, int, bool) {
			t.mu.RLock()
			defer t.mu.RUnlock()
			members := t.dir.members[strings.ToLower(group.guid)]
			for ; position < len(members); position++ {
				if found := t.findRecipients(members[position]); len(found) == 1 {
					return found[0], position, true
				}
			}
			return recipientView{}, 0, false
		})
	}
}

// permissionStride is how many positions the entries of one mailbox have in a listing.
const permissionStride = 1 << 12

// getRecipientPermission is Get-RecipientPermission: everybody's, or one mailbox's. Those
// of recipients without a mailbox are not modelled and not listed.
func getRecipientPermission(c *call) (outcome, *apiError) {
	t := c.s.tenant
	if c.isNull("Identity") {
		return listPage(c, c.s.columns.recipientPermission, func(position int) (permissionView, int, bool) {
			for {
				m, n, ok := t.next(listOrdinary, position/permissionStride)
				if !ok {
					return permissionView{}, 0, false
				}
				i := 0
				if n == position/permissionStride {
					i = position % permissionStride
				}
				if list := t.permissionsOf(m.Guid, "SendAs"); i < len(list) {
					return permissionView{list[i], m.identity()}, n*permissionStride + i, true
				}
				position = (n + 1) * permissionStride
			}
		})
	}
	return permissionsByID(c, c.s.columns.recipientPermission, "SendAs")
}

// getMailboxPermission is Get-MailboxPermission of one mailbox.
func getMailboxPermission(c *call) (outcome, *apiError) {
	columns := c.s.columns.mailboxPermission
	if c.s.permissionList {
		columns = c.s.columns.mailboxPermissionList
	}
	return permissionsByID(c, columns, "FullAccess")
}

func permissionsByID(c *call, columns []property[permissionView], right string) (outcome, *apiError) {
	identity, err := c.identity()
	if err != nil {
		return outcome{}, err
	}
	l, err := c.listing()
	if err != nil {
		return outcome{}, err
	}
	m, err := c.readMailbox(identity, l)
	if err != nil {
		return outcome{}, err
	}
	list := c.s.tenant.permissionsOf(m.Guid, right)
	return listPage(c, columns, func(position int) (permissionView, int, bool) {
		if position >= len(list) {
			return permissionView{}, 0, false
		}
		return permissionView{list[position], m.identity()}, position, true
	})
}

func (t *Tenant) permissionsOf(guid, right string) []Permission {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.dir.permissions(guid, right)
}

// WithPermissionList makes Get-MailboxPermission answer in the metadata's form, a list of
// what each trustee may, instead of the cmdlet's own; which one comes over the wire is
// not known.
func WithPermissionList() Option { return func(s *Service) { s.permissionList = true } }
