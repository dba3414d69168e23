package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// TestExplain holds the clauses of every rule and exemption of one policy to a
// golden file, for mailboxes of which much, little and nothing is known.
func TestExplain(t *testing.T) {
	p, found := parse(t, "testdata/explain/policy.yaml")
	if len(found) > 0 {
		t.Fatal(found.Error())
	}
	subjects := []struct {
		name    string
		subject policy.Subject
	}{
		{"a chief with delegates", policy.Subject{
			Type: audit.UserMailbox, Addresses: []string{"ceo@contoso.com", "anna@contoso.com"}, AddressesKnown: true,
			Attributes: map[policy.Attribute]policy.Fact{"customAttribute1": known("VIP"), "office": known("")},
			Groups:     map[string]policy.Match{"leads@contoso.com": policy.No, "board@contoso.com": policy.Yes},
			Delegates:  policy.BoolFact{Value: true, Known: true}, Capabilities: []string{"M365Auditing", "BPOS_S_Enterprise"}, CapabilitiesKnown: true,
		}},
		{"a shared mailbox half read", policy.Subject{
			Type: audit.SharedMailbox, Addresses: []string{"info@contoso.com"},
			Groups:    map[string]policy.Match{"leads@contoso.com": policy.No},
			Delegates: policy.BoolFact{Known: true}, CapabilitiesKnown: true,
		}},
		{"a room", policy.Subject{Type: audit.RoomMailbox, AddressesKnown: true}},
		{"nothing known", policy.Subject{}},
	}
	var b strings.Builder
	for _, s := range subjects {
		fmt.Fprintf(&b, "%s\n", s.name)
		for _, r := range p.Mailboxes {
			explained(&b, "rule", r.Explain(s.subject))
		}
		for _, e := range p.Exemptions {
			explained(&b, "exemption", e.Explain(s.subject))
		}
	}
	golden(t, "testdata/explain/policy.golden", b.String())
}

func explained(b *strings.Builder, what string, e policy.Explanation) {
	fmt.Fprintf(b, "  %s %s at %s: %s\n", what, e.Name, place(e.Pos), e.Match)
	for _, c := range e.Clauses {
		clause(b, c, "    ")
	}
}

func clause(b *strings.Builder, c policy.Clause, indent string) {
	fmt.Fprintf(b, "%s%-4s %s at %s", indent, c.Match, c.Text, place(c.Pos))
	if c.Found != "" {
		fmt.Fprintf(b, " (%s)", c.Found)
	}
	b.WriteString("\n")
	for _, child := range c.Children {
		clause(b, child, indent+"  ")
	}
}

// TestExplainAgreesWithMatch: the answer of a tree is that of the selector, and
// follows from its children by Kleene's logic.
func TestExplainAgreesWithMatch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := genTerm(3).Draw(rt, "selector")
		rule := ruleWhere(t, x.text)
		facts := rapid.SliceOfN(rapid.SampledFrom([]policy.Match{policy.No, policy.Open, policy.Yes}), 3, 3).Draw(rt, "facts")
		s := subjectOf(facts)
		e := rule.Explain(s)
		if e.Match != rule.Match(s) || len(e.Clauses) != 2 {
			rt.Fatalf("%s is %s, explained as %+v", x.text, rule.Match(s), e)
		}
		follows(rt, e.Clauses[1])
	})
}

func follows(t *rapid.T, c policy.Clause) {
	for _, child := range c.Children {
		follows(t, child)
	}
	want := c.Match
	switch c.Text {
	case "not":
		want = policy.Yes - c.Children[0].Match
	case "anyOf", "allOf":
		want = c.Children[0].Match
		for _, child := range c.Children {
			if c.Text == "anyOf" {
				want = max(want, child.Match)
			} else {
				want = min(want, child.Match)
			}
		}
	default:
		if c.Found == "" || len(c.Children) > 0 {
			t.Fatalf("a leaf that says nothing: %+v", c)
		}
	}
	if c.Match != want || c.Pos.IsZero() {
		t.Fatalf("%+v, want %s", c, want)
	}
}
