package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Explanation says why a rule or exemption speaks of a mailbox or does not.
type Explanation struct {
	// Name is the rule's or exemption's.
	Name string
	Pos  Pos
	// Match is the answer that the clauses give together.
	Match Match
	// Clauses are the types of a rule, and the selector where there is one.
	Clauses []Clause
}

// Clause is one condition with its answer for one mailbox.
type Clause struct {
	// Text is the condition in one line: address("ceo@contoso.com"), anyOf, not.
	Text string
	// Found is what the mailbox has, for people; empty where the children say it.
	Found string
	Match Match
	// Pos is where the condition stands; zero for types that the file leaves out.
	Pos      Pos
	Children []Clause
}

// Explain says by which clause the rule matches a mailbox or does not.
func (r Rule) Explain(s Subject) Explanation {
	types := Clause{Text: call("types", names(r.Types)), Found: orUnknown(string(s.Type)), Match: r.matchType(s), Pos: r.Pos}
	e := Explanation{Name: r.Name, Pos: r.Pos, Match: r.Match(s), Clauses: []Clause{types}}
	if r.Where != nil {
		e.Clauses = append(e.Clauses, Explain(r.Where, s))
	}
	return e
}

// Explain says by which clause the exemption matches a mailbox or does not. One
// for a tenant setting matches none and has no clause.
func (e Exemption) Explain(s Subject) Explanation {
	x := Explanation{Name: e.Name, Pos: e.Pos, Match: e.Match(s)}
	if e.Where != nil {
		x.Clauses = []Clause{Explain(e.Where, s)}
	}
	return x
}

// Explain gives a selector and everything inside it with the answers for one
// mailbox.
func Explain(sel Selector, s Subject) Clause {
	c := Clause{Text: sel.String(), Match: sel.Match(s), Pos: sel.Pos()}
	switch sel := sel.(type) {
	case *combined:
		c.Text = "anyOf"
		if sel.all {
			c.Text = "allOf"
		}
		for _, part := range sel.list {
			c.Children = append(c.Children, Explain(part, s))
		}
	case *negated:
		c.Text = "not"
		c.Children = []Clause{Explain(sel.part, s)}
	default:
		c.Found = found(sel, s)
	}
	return c
}

// found says what the mailbox has of what a selector asks about.
func found(sel Selector, s Subject) string {
	switch sel := sel.(type) {
	case *addressSelector:
		return listed(s.Addresses, s.AddressesKnown)
	case *attributeSelector:
		fact := s.Attributes[sel.attribute]
		if !fact.Known {
			return unknownFact
		}
		return strconv.Quote(fact.Value)
	case *groupSelector:
		return sel.membership(s)
	case *delegatesSelector:
		switch {
		case !s.Delegates.Known:
			return unknownFact
		case s.Delegates.Value:
			return "has delegates"
		default:
			return "has no delegates"
		}
	case *capabilitySelector:
		return listed(s.Capabilities, s.CapabilitiesKnown)
	default:
		return ""
	}
}

const unknownFact = "not known"

func orUnknown(text string) string {
	if text == "" {
		return unknownFact
	}
	return text
}

// listed gives values, sorted, and says where there may be more of them.
func listed(values []string, complete bool) string {
	text := strings.Join(slices.Sorted(slices.Values(values)), ", ")
	switch {
	case !complete && text == "":
		return unknownFact
	case !complete:
		return text + " and what is not known"
	case text == "":
		return "none"
	default:
		return text
	}
}

// membership says for each group whether the mailbox is in it.
func (s *groupSelector) membership(m Subject) string {
	parts := make([]string, len(s.groups))
	for i, g := range s.groups {
		in, known := m.Groups[g.Address]
		if !known {
			in = Open
		}
		parts[i] = fmt.Sprintf("%s: %s", g.Address, in)
	}
	return strings.Join(parts, ", ")
}
