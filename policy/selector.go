package policy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// Match is the answer of a selector.
type Match int8

// The answers, ordered so that "all of" is the least and "any of" the greatest
// (Kleene's logic).
const (
	// No means that the mailbox is not meant.
	No Match = iota
	// Open means that a fact is missing and the answer depends on it.
	Open
	// Yes means that the mailbox is meant.
	Yes
)

// String gives the answer as a word.
func (m Match) String() string {
	switch m {
	case No:
		return "no"
	case Open:
		return "open"
	default:
		return "yes"
	}
}

// not turns Yes and No around and leaves Open.
func (m Match) not() Match { return Yes - m }

// Attribute is a property of a mailbox that selectors can ask about, in the
// spelling of the language.
type Attribute string

// Attributes that are not numbered. The numbered ones are customAttribute1 to
// customAttribute15.
const (
	AttributeOffice        Attribute = "office"
	AttributeUsageLocation Attribute = "usageLocation"
)

// AllAttributes gives every attribute that selectors can ask about, sorted.
func AllAttributes() []Attribute {
	all := []Attribute{AttributeOffice, AttributeUsageLocation}
	for n := range 15 {
		all = append(all, Attribute("customAttribute"+strconv.Itoa(n+1)))
	}
	slices.Sort(all)
	return all
}

// Property gives the name of the mailbox property that holds the attribute, such
// as CustomAttribute1.
func (a Attribute) Property() string {
	if a == "" {
		return ""
	}
	return strings.ToUpper(string(a[:1])) + string(a[1:])
}

// Fact is the value of an attribute. A value that could not be read is not
// known, which differs from an empty one.
type Fact struct {
	Value string
	Known bool
}

// Subject is what selectors may know of one mailbox. What is not known must be
// left unknown: the answer is then Open.
type Subject struct {
	// Type is empty where it is not known.
	Type audit.MailboxType
	// Addresses holds every SMTP address, without a prefix.
	Addresses []string
	// AddressesKnown tells that Addresses is complete.
	AddressesKnown bool
	// Attributes holds facts; an absent one is not known.
	Attributes map[Attribute]Fact
	// Groups says of groups whether the mailbox is in them, nested groups
	// included. The keys are addresses in lower case; an absent one is Open.
	Groups map[string]Match
	// Delegates tells whether somebody else may open the mailbox or send from it.
	Delegates BoolFact
	// Capabilities holds the PersistedCapabilities.
	Capabilities []string
	// CapabilitiesKnown tells that Capabilities could be read.
	CapabilitiesKnown bool
}

// BoolFact is a yes or no that may not be known. The zero value is not known.
type BoolFact struct{ Value, Known bool }

// Selector says which mailboxes a rule means. The implementations are closed:
// only this package makes them.
type Selector interface {
	// Match answers for one mailbox.
	Match(Subject) Match
	// String gives the canonical text: equal for selectors of the same meaning
	// up to order, case and repetition.
	String() string
	// Pos gives where the selector stands.
	Pos() Pos

	parts() []Selector
}

// Match tells whether the rule speaks of a mailbox: its type is one of the
// rule's, and the selector matches. A missing type or fact makes it Open unless
// the rest already says No.
func (r Rule) Match(s Subject) Match {
	byType := r.matchType(s)
	if byType == No || r.Where == nil {
		return byType
	}
	return min(byType, r.Where.Match(s))
}

func (r Rule) matchType(s Subject) Match {
	switch {
	case s.Type == "":
		return Open
	case slices.Contains(r.Types, s.Type):
		return Yes
	default:
		return No
	}
}

// walk visits a selector and everything inside it; nil has nothing.
func walk(s Selector, visit func(Selector)) {
	if s == nil {
		return
	}
	visit(s)
	for _, part := range s.parts() {
		walk(part, visit)
	}
}

// addressSelector matches where one pattern matches one address.
type addressSelector struct {
	pos      Pos
	patterns []string // lower case, sorted, no two alike
}

func (s *addressSelector) Pos() Pos          { return s.pos }
func (s *addressSelector) parts() []Selector { return nil }
func (s *addressSelector) String() string    { return call("address", s.patterns) }

func (s *addressSelector) Match(m Subject) Match {
	for _, a := range m.Addresses {
		lower := strings.ToLower(a)
		for _, p := range s.patterns {
			if matchGlob(p, lower) {
				return Yes
			}
		}
	}
	if m.AddressesKnown {
		return No
	}
	return Open
}

// attributeSelector matches where the attribute has one of the values.
type attributeSelector struct {
	pos       Pos
	attribute Attribute
	values    []string // lower case, sorted, no two alike
}

func (s *attributeSelector) Pos() Pos          { return s.pos }
func (s *attributeSelector) parts() []Selector { return nil }
func (s *attributeSelector) String() string    { return call(string(s.attribute), s.values) }

func (s *attributeSelector) Match(m Subject) Match {
	fact := m.Attributes[s.attribute]
	switch {
	case !fact.Known:
		return Open
	case slices.Contains(s.values, strings.ToLower(fact.Value)):
		return Yes
	default:
		return No
	}
}

// groupSelector matches where the mailbox is a member of one of the groups.
type groupSelector struct {
	pos    Pos
	groups []GroupRef // sorted by address, no two alike
}

func (s *groupSelector) Pos() Pos          { return s.pos }
func (s *groupSelector) parts() []Selector { return nil }

func (s *groupSelector) String() string {
	addresses := make([]string, len(s.groups))
	for i, g := range s.groups {
		addresses[i] = g.Address
	}
	return call("memberOf", addresses)
}

func (s *groupSelector) Match(m Subject) Match {
	answer := No
	for _, g := range s.groups {
		in, known := m.Groups[g.Address]
		if !known {
			in = Open
		}
		answer = max(answer, in)
	}
	return answer
}

// delegatesSelector matches where somebody else has rights on the mailbox.
type delegatesSelector struct{ pos Pos }

func (s *delegatesSelector) Pos() Pos          { return s.pos }
func (s *delegatesSelector) parts() []Selector { return nil }
func (s *delegatesSelector) String() string    { return "hasDelegates" }

func (s *delegatesSelector) Match(m Subject) Match {
	switch {
	case !m.Delegates.Known:
		return Open
	case m.Delegates.Value:
		return Yes
	default:
		return No
	}
}

// capabilitySelector matches where the mailbox has one of the capabilities.
type capabilitySelector struct {
	pos   Pos
	names []string // lower case, sorted, no two alike
}

func (s *capabilitySelector) Pos() Pos          { return s.pos }
func (s *capabilitySelector) parts() []Selector { return nil }
func (s *capabilitySelector) String() string    { return call("capability", s.names) }

func (s *capabilitySelector) Match(m Subject) Match {
	for _, c := range m.Capabilities {
		if slices.Contains(s.names, strings.ToLower(c)) {
			return Yes
		}
	}
	if m.CapabilitiesKnown {
		return No
	}
	return Open
}

// combined is anyOf or allOf over at least one selector.
type combined struct {
	pos  Pos
	all  bool
	list []Selector
}

func (s *combined) Pos() Pos          { return s.pos }
func (s *combined) parts() []Selector { return s.list }

func (s *combined) String() string {
	if len(s.list) == 1 {
		return s.list[0].String()
	}
	texts := make([]string, len(s.list))
	for i, part := range s.list {
		texts[i] = part.String()
	}
	slices.Sort(texts)
	texts = slices.Compact(texts)
	if len(texts) == 1 {
		return texts[0]
	}
	name := "anyOf"
	if s.all {
		name = "allOf"
	}
	return name + "(" + strings.Join(texts, ",") + ")"
}

func (s *combined) Match(m Subject) Match {
	answer := No
	if s.all {
		answer = Yes
	}
	for _, part := range s.list {
		if s.all {
			answer = min(answer, part.Match(m))
		} else {
			answer = max(answer, part.Match(m))
		}
	}
	return answer
}

// negated turns a selector around.
type negated struct {
	pos  Pos
	part Selector
}

func (s *negated) Pos() Pos              { return s.pos }
func (s *negated) parts() []Selector     { return []Selector{s.part} }
func (s *negated) String() string        { return "not(" + s.part.String() + ")" }
func (s *negated) Match(m Subject) Match { return s.part.Match(m).not() }
