package simulator

import (
	"encoding/json"
	"slices"
	"strings"
)

// getMailbox is Get-Mailbox: by identity, or a listing. The ordinary listing never
// holds group or public-folder mailboxes; each of those has its switch (semantics 2.4).
func getMailbox(c *call) (outcome, *apiError) {
	l, err := c.listing()
	if err != nil {
		return outcome{}, err
	}
	keep, err := c.mailboxTest()
	if err != nil {
		return outcome{}, err
	}
	if c.isNull("Identity") {
		return listPage(c, c.s.columns.mailbox, func(position int) (mailboxView, int, bool) {
			for {
				m, at, ok := c.s.tenant.next(l, position)
				if !ok {
					return mailboxView{}, 0, false
				}
				if m = seen(c, "mailbox/"+m.Guid, m); keep(&m) {
					return mailboxView{&m, c.s}, at, true
				}
				position = at + 1
			}
		})
	}
	identity, err := c.identity()
	if err != nil {
		return outcome{}, err
	}
	m, err := c.readMailbox(identity, l)
	if err != nil {
		return outcome{}, err
	}
	if !keep(&m) {
		return outcome{}, c.notFound(identity)
	}
	return single(c, c.s.columns.mailbox, mailboxView{&m, c.s}), nil
}

// listing is the inventory that the switches choose.
func (c *call) listing() (listing, *apiError) {
	switch {
	case c.has("GroupMailbox") && c.has("PublicFolder"):
		return 0, parameterSetError("GroupMailbox", "PublicFolder")
	case c.has("GroupMailbox"):
		return listGroups, nil
	case c.has("PublicFolder"):
		return listPublicFolders, nil
	}
	return listOrdinary, nil
}

// mailboxTest compiles Filter and RecipientTypeDetails.
func (c *call) mailboxTest() (func(*Mailbox) bool, *apiError) {
	types, err := c.recipientTypes()
	if err != nil {
		return nil, err
	}
	filter := func(*Mailbox) bool { return true }
	if !c.isNull("Filter") {
		text, err := c.text("Filter")
		if err != nil {
			return nil, err
		}
		parsed, parseErr := parseFilter(text)
		if parseErr != nil {
			return nil, bindingError(typeTransform, "Cannot bind parameter 'Filter' to the target. Exception setting \"Filter\": \"Invalid filter syntax: %v\"", parseErr)
		}
		if c.s.switches.Filter == FilterHonoured && !c.fired.has(DoIgnoreFilter) {
			filter = parsed
		}
	}
	return func(m *Mailbox) bool {
		return (len(types) == 0 || slices.Contains(types, m.Type)) && filter(m)
	}, nil
}

// recipientTypes reads RecipientTypeDetails: one value, a comma list, or an array.
func (c *call) recipientTypes() ([]string, *apiError) {
	if c.isNull("RecipientTypeDetails") {
		return nil, nil
	}
	values, ok := stringList(c.parameters["RecipientTypeDetails"])
	if !ok {
		return nil, transformError("RecipientTypeDetails", string(c.parameters["RecipientTypeDetails"]), "Microsoft.Exchange.Data.Directory.Recipient.RecipientTypeDetails[]", "The value is not a list of names.")
	}
	var types []string
	for _, value := range values {
		name, ok := matchEnum(recipientTypes(), value)
		if !ok {
			return nil, enumError("RecipientTypeDetails", value, "Microsoft.Exchange.Data.Directory.Recipient.RecipientTypeDetails", recipientTypes())
		}
		types = append(types, name)
	}
	return types, nil
}

// enumError is E1 of semantics 1.3.
func enumError(name, value, kind string, members []string) *apiError {
	return transformError(name, value, kind, "Conversion failed due to invalid enumeration value. Please specify one of the following enumeration values and try again. The possible enumeration values are '"+strings.Join(members, ", ")+"'.")
}

// stringList reads an array of strings, or one string with commas.
func stringList(raw json.RawMessage) ([]string, bool) {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list, true
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil, false
	}
	for part := range strings.SplitSeq(text, ",") {
		list = append(list, strings.TrimSpace(part))
	}
	return list, true
}

// locate finds the one mailbox of a listing that an identity names; the caller holds the lock.
func (c *call) locate(identity string, l listing) (int, *apiError) {
	t := c.s.tenant
	found := slices.DeleteFunc(slices.Clone(t.find(identity)), func(n int) bool {
		m, ok := t.at(n)
		return !ok || listingOf(m.Type) != l
	})
	switch len(found) {
	case 0:
		return 0, c.notFound(identity)
	case 1:
		return found[0], nil
	}
	return 0, c.ambiguous(identity)
}

func (c *call) readMailbox(identity string, l listing) (Mailbox, *apiError) {
	c.s.tenant.mu.RLock()
	defer c.s.tenant.mu.RUnlock()
	n, err := c.locate(identity, l)
	if err != nil {
		return Mailbox{}, err
	}
	m, _ := c.s.tenant.at(n)
	return seen(c, "mailbox/"+m.Guid, m), nil
}
