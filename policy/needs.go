package policy

import (
	"cmp"
	"maps"
	"slices"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// selectors visits every selector of the policy with all inside it: those of
// rules and of exemptions.
func (p *Policy) selectors(visit func(Selector)) {
	for _, r := range p.Mailboxes {
		walk(r.Where, visit)
	}
	for _, e := range p.Exemptions {
		walk(e.Where, visit)
	}
}

// Attributes gives the attributes that selectors ask about, sorted: what a
// listing has to select for them.
func (p *Policy) Attributes() []Attribute {
	set := map[Attribute]bool{}
	p.selectors(func(s Selector) {
		if a, ok := s.(*attributeSelector); ok {
			set[a.attribute] = true
		}
	})
	return slices.Sorted(maps.Keys(set))
}

// NeedsAddresses tells whether a selector asks about addresses.
func (p *Policy) NeedsAddresses() bool { return asksAbout[*addressSelector](p) }

// NeedsDelegates tells whether a selector asks who else may open or send from a
// mailbox, which takes listings and calls of their own.
func (p *Policy) NeedsDelegates() bool { return asksAbout[*delegatesSelector](p) }

// NeedsCapabilities tells whether a selector asks about PersistedCapabilities.
func (p *Policy) NeedsCapabilities() bool { return asksAbout[*capabilitySelector](p) }

func asksAbout[S Selector](p *Policy) bool {
	asks := false
	p.selectors(func(s Selector) {
		_, ok := s.(S)
		asks = asks || ok
	})
	return asks
}

// GroupRef is a group that a selector asks about.
type GroupRef struct {
	// Address is in lower case, as in the keys of [Subject].Groups.
	Address string
	// Pos is the first place that names the group.
	Pos Pos
}

// Groups gives every group that a selector asks about, each once, by address.
func (p *Policy) Groups() []GroupRef {
	var refs []GroupRef
	p.selectors(func(s Selector) {
		if g, ok := s.(*groupSelector); ok {
			refs = append(refs, g.groups...)
		}
	})
	slices.SortStableFunc(refs, func(a, b GroupRef) int { return cmp.Compare(a.Address, b.Address) })
	return slices.CompactFunc(refs, func(a, b GroupRef) bool { return a.Address == b.Address })
}

// Types gives every mailbox type that a rule speaks of, sorted.
func (p *Policy) Types() []audit.MailboxType {
	set := map[audit.MailboxType]bool{}
	for _, r := range p.Mailboxes {
		for _, t := range r.Types {
			set[t] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// NeedsStoredAuditEnabled tells whether a rule asks for the stored AuditEnabled,
// which only a filtered listing can show (semantics 2.2).
func (p *Policy) NeedsStoredAuditEnabled() bool {
	return slices.ContainsFunc(p.Mailboxes, func(r Rule) bool {
		return r.AuditEnabled != nil && r.AuditEnabled.Value == Explicit
	})
}
