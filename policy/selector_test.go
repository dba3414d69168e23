package policy_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// ruleWhere gives the only rule of a policy with the given selector.
func ruleWhere(t testing.TB, where string) policy.Rule {
	t.Helper()
	text := "apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: p\nmailboxes: {r: {ageLimit: 90d, where: " + where + "}}\n"
	p, found := policy.Parse("p.yaml", []byte(text))
	if p == nil {
		t.Fatal(found.Error())
	}
	return p.Mailboxes[0]
}

func known(value string) policy.Fact { return policy.Fact{Value: value, Known: true} }

func TestRuleMatch(t *testing.T) {
	ceo := policy.Subject{
		Type: audit.UserMailbox, Addresses: []string{"Anna@contoso.com", "CEO@contoso.com"}, AddressesKnown: true,
		Attributes: map[policy.Attribute]policy.Fact{"office": known("HQ"), "customAttribute1": known(""), "usageLocation": {}},
	}
	ceo.Groups = map[string]policy.Match{"leads@contoso.com": policy.Yes, "staff@contoso.com": policy.No}
	ceo.Delegates = policy.BoolFact{Value: true, Known: true}
	ceo.Capabilities, ceo.CapabilitiesKnown = []string{"BPOS_S_Enterprise", "M365Auditing"}, true
	untold := policy.Subject{Type: audit.UserMailbox, Delegates: policy.BoolFact{Known: true}}
	someKnown := policy.Subject{Type: audit.UserMailbox, Capabilities: []string{"BPOS_S_Enterprise"}}
	partial := policy.Subject{Type: audit.SharedMailbox, Addresses: []string{"board-1@contoso.com"}}
	untyped := ceo
	untyped.Type = ""
	room := ceo
	room.Type = audit.RoomMailbox
	tests := []struct {
		where   string
		subject policy.Subject
		want    policy.Match
	}{
		{`{address: ceo@contoso.com}`, ceo, policy.Yes},
		{`{address: CEO@CONTOSO.COM}`, ceo, policy.Yes},
		{`{address: ["x@contoso.com", "c?o@*"]}`, ceo, policy.Yes},
		{`{address: "eo@contoso.com"}`, ceo, policy.No},
		{`{address: "ceo@contoso.co"}`, ceo, policy.No},
		{`{address: "c.o@contoso.com"}`, ceo, policy.No},
		{`{address: "board-*@contoso.com"}`, partial, policy.Yes},
		{`{address: "ceo@contoso.com"}`, partial, policy.Open},
		{`{attribute: {office: hq}}`, ceo, policy.Yes},
		{`{attribute: {office: [lab, hq]}}`, ceo, policy.Yes},
		{`{attribute: {office: H}}`, ceo, policy.No},
		{`{attribute: {customAttribute1: VIP}}`, ceo, policy.No},
		{`{attribute: {usageLocation: NO}}`, ceo, policy.Open},
		{`{attribute: {customAttribute2: VIP}}`, ceo, policy.Open},
		{`{attribute: {office: hq, customAttribute1: VIP}}`, ceo, policy.No},
		{`{attribute: {office: hq}, address: "ceo@*"}`, ceo, policy.Yes},
		{`{attribute: {office: lab}, address: "ceo@*"}`, ceo, policy.No},
		{`{not: {attribute: {office: hq}}}`, ceo, policy.No},
		{`{not: {attribute: {usageLocation: NO}}}`, ceo, policy.Open},
		{`{anyOf: [{attribute: {usageLocation: NO}}, {attribute: {office: hq}}]}`, ceo, policy.Yes},
		{`{anyOf: [{attribute: {usageLocation: NO}}, {attribute: {office: lab}}]}`, ceo, policy.Open},
		{`{allOf: [{attribute: {usageLocation: NO}}, {attribute: {office: lab}}]}`, ceo, policy.No},
		{`{allOf: [{attribute: {usageLocation: NO}}, {attribute: {office: hq}}]}`, ceo, policy.Open},
		{`{memberOf: Leads@contoso.com}`, ceo, policy.Yes},
		{`{memberOf: [staff@contoso.com, leads@contoso.com]}`, ceo, policy.Yes},
		{`{memberOf: staff@contoso.com}`, ceo, policy.No},
		{`{memberOf: other@contoso.com}`, ceo, policy.Open},
		{`{memberOf: [staff@contoso.com, other@contoso.com]}`, ceo, policy.Open},
		{`{not: {memberOf: other@contoso.com}}`, ceo, policy.Open},
		{`{memberOf: staff@contoso.com}`, partial, policy.Open},
		{`{hasDelegates: true}`, ceo, policy.Yes},
		{`{hasDelegates: false}`, ceo, policy.No},
		{`{hasDelegates: true}`, untold, policy.No},
		{`{hasDelegates: false}`, untold, policy.Yes},
		{`{hasDelegates: true}`, partial, policy.Open},
		{`{hasDelegates: false}`, partial, policy.Open},
		{`{capability: m365auditing}`, ceo, policy.Yes},
		{`{capability: [Other, M365Auditing]}`, ceo, policy.Yes},
		{`{capability: M365Audit}`, ceo, policy.No},
		{`{capability: M365Auditing}`, partial, policy.Open},
		{`{capability: BPOS_S_Enterprise}`, someKnown, policy.Yes},
		{`{capability: M365Auditing}`, someKnown, policy.Open},
		{`{attribute: {office: hq}}`, untyped, policy.Open},
		{`{attribute: {office: lab}}`, untyped, policy.No},
		{`{attribute: {office: hq}}`, room, policy.No},
		{`{attribute: {usageLocation: NO}}`, room, policy.No},
	}
	for _, tt := range tests {
		if got := ruleWhere(t, tt.where).Match(tt.subject); got != tt.want {
			t.Errorf("%s matches %+v: %s, want %s", tt.where, tt.subject, got, tt.want)
		}
	}
	everyone := policy.Rule{Types: []audit.MailboxType{audit.UserMailbox}}
	for subject, want := range map[audit.MailboxType]policy.Match{audit.UserMailbox: policy.Yes, audit.RoomMailbox: policy.No, "": policy.Open} {
		if got := everyone.Match(policy.Subject{Type: subject}); got != want {
			t.Errorf("a rule without where matches %q: %s, want %s", subject, got, want)
		}
	}
}

func TestCanonicalSelectors(t *testing.T) {
	for _, pair := range [][2]string{
		{`{address: [b@x.y, a@x.y]}`, `{address: [A@x.y, B@x.y]}`},
		{`{address: a@x.y, attribute: {office: h}}`, `{allOf: [{attribute: {office: H}}, {address: a@x.y}]}`},
		{`{hasDelegates: false}`, `{not: {hasDelegates: true}}`},
		{`{memberOf: [b@x.yz, a@x.yz]}`, `{memberOf: [A@x.yz, B@x.yz]}`},
		{`{capability: [B, a]}`, `{capability: [A, b]}`},
		{`{anyOf: [{address: a@x.y}, {address: a@x.y}]}`, `{address: a@x.y}`},
		{`{anyOf: [{address: a@x.y}, {attribute: {office: h}}]}`, `{anyOf: [{attribute: {office: h}}, {address: a@x.y}]}`},
	} {
		a, b := ruleWhere(t, pair[0]).Where.String(), ruleWhere(t, pair[1]).Where.String()
		if a != b {
			t.Errorf("%s is %s and %s is %s", pair[0], a, pair[1], b)
		}
	}
	different := []string{
		`{address: a@x.y}`, `{not: {address: a@x.y}}`, `{attribute: {office: a@x.y}}`, `{attribute: {usageLocation: a@x.y}}`,
		`{anyOf: [{address: a@x.y}, {address: b@x.y}]}`, `{allOf: [{address: a@x.y}, {address: b@x.y}]}`, `{attribute: {office: "a\",\"b"}}`,
		`{attribute: {office: [a, b]}}`, `{memberOf: a@x.yz}`, `{memberOf: [a@x.yz, b@x.yz]}`, `{hasDelegates: true}`, `{hasDelegates: false}`,
		`{capability: a}`, `{capability: [a, b]}`, `{attribute: {office: a@x.yz}}`,
	}
	seen := map[string]string{}
	for _, where := range different {
		text := ruleWhere(t, where).Where.String()
		if other, twice := seen[text]; twice {
			t.Errorf("%s and %s are both %s", where, other, text)
		}
		seen[text] = where
	}
}

// term is a selector built beside its text, with an answer by the textbook.
type term struct {
	text   string
	answer func(facts []policy.Match) policy.Match
}

// genTerm draws a selector over three attributes.
func genTerm(depth int) *rapid.Generator[term] {
	return rapid.Custom(func(t *rapid.T) term {
		kind := 0
		if depth > 0 {
			kind = rapid.IntRange(0, 3).Draw(t, "kind")
		}
		switch kind {
		case 0:
			i := rapid.IntRange(0, 2).Draw(t, "fact")
			return term{
				fmt.Sprintf("{attribute: {customAttribute%d: x}}", i+1),
				func(facts []policy.Match) policy.Match { return facts[i] },
			}
		case 1:
			part := genTerm(depth-1).Draw(t, "part")
			negate := map[policy.Match]policy.Match{policy.Yes: policy.No, policy.Open: policy.Open, policy.No: policy.Yes}
			return term{
				"{not: " + part.text + "}",
				func(facts []policy.Match) policy.Match { return negate[part.answer(facts)] },
			}
		default:
			parts := rapid.SliceOfN(genTerm(depth-1), 1, 3).Draw(t, "parts")
			return combine(kind == 2, parts)
		}
	})
}

// combine is Kleene's "and" and "or" as a truth table states them: a decisive
// answer decides, else a missing fact leaves it open.
func combine(all bool, parts []term) term {
	name, decisive, otherwise := "anyOf", policy.Yes, policy.No
	if all {
		name, decisive, otherwise = "allOf", policy.No, policy.Yes
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.text
	}
	return term{"{" + name + ": [" + strings.Join(texts, ", ") + "]}", func(facts []policy.Match) policy.Match {
		var answers []policy.Match
		for _, p := range parts {
			answers = append(answers, p.answer(facts))
		}
		switch {
		case slices.Contains(answers, decisive):
			return decisive
		case slices.Contains(answers, policy.Open):
			return policy.Open
		default:
			return otherwise
		}
	}}
}

func subjectOf(facts []policy.Match) policy.Subject {
	s := policy.Subject{Type: audit.UserMailbox, Attributes: map[policy.Attribute]policy.Fact{}}
	for i, f := range facts {
		name := policy.Attribute(fmt.Sprintf("customAttribute%d", i+1))
		switch f {
		case policy.Yes:
			s.Attributes[name] = known("X")
		case policy.No:
			s.Attributes[name] = known("y")
		}
	}
	return s
}

func TestSelectorsAreKleeneLogic(t *testing.T) {
	answers := []policy.Match{policy.No, policy.Open, policy.Yes}
	rapid.Check(t, func(rt *rapid.T) {
		x := genTerm(3).Draw(rt, "selector")
		rule := ruleWhere(t, x.text)
		facts := rapid.SliceOfN(rapid.SampledFrom(answers), 3, 3).Draw(rt, "facts")
		got := rule.Match(subjectOf(facts))
		if want := x.answer(facts); got != want {
			rt.Fatalf("%s with %v is %s, want %s", x.text, facts, got, want)
		}
		// Learning a missing fact never turns a decided answer around.
		for i, f := range facts {
			if f != policy.Open || got == policy.Open {
				continue
			}
			for _, learned := range answers {
				more := slices.Clone(facts)
				more[i] = learned
				if again := rule.Match(subjectOf(more)); again != got {
					rt.Fatalf("%s: %s with %v, and %s with %v", x.text, got, facts, again, more)
				}
			}
		}
	})
}

// FuzzAddressGlob holds the patterns to the regular expression they stand for,
// and those that are refused to matching no address.
func FuzzAddressGlob(f *testing.F) {
	for _, seed := range [][2]string{
		{"*@contoso.com", "a@contoso.com"},
		{"a?c@*", "abc@x"},
		{"**a**b@*", "xaxb@"},
		{"ä?@x.y", "ÄÖ@x.y"},
		{"a*a*a*a*b@x.y", "aaaaaaaaaaaa@x.y"},
		{"a@x", "a@x"},
		{"a@x.", "a@x."},
		{".a@x.y", ".a@x.y"},
		{"a@x..y", "a@x..y"},
		{"a@?.", "a@x."},
		{"a@?", "a@x.y"},
	} {
		f.Add(seed[0], seed[1])
	}
	wellFormed := regexp.MustCompile(`^[^@.][^@]*@[^@.]+(\.[^@.]+)+$`)
	f.Fuzz(func(t *testing.T, pattern, address string) {
		if !regexp.MustCompile(`^[a-z0-9äö.*?-]{1,20}@[a-z0-9.*?-]{1,20}$`).MatchString(pattern) ||
			!regexp.MustCompile(`^[A-Za-z0-9ÄÖäö.@-]{0,200}$`).MatchString(address) {
			t.Skip("only patterns and addresses of the usual letters are compared")
		}
		quoted := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
		want := policy.No
		if regexp.MustCompile("^(?i)" + quoted + "$").MatchString(address) {
			want = policy.Yes
		}
		text := head + fmt.Sprintf("mailboxes: {r: {ageLimit: 90d, where: {address: %q}}}\n", pattern)
		p, found := policy.Parse("p.yaml", []byte(text))
		if p == nil {
			if want == policy.Yes && wellFormed.MatchString(address) {
				t.Fatalf("%q matches %q: %s", pattern, address, found.Error())
			}
			return
		}
		rule := p.Mailboxes[0]
		got := rule.Match(policy.Subject{Type: audit.UserMailbox, Addresses: []string{address}, AddressesKnown: true})
		if got != want {
			t.Fatalf("%q matches %q: %s, want %s", pattern, address, got, want)
		}
	})
}

func TestSelectorsKnowWhereTheyStand(t *testing.T) {
	const before = len(`mailboxes: {r: {ageLimit: 90d, where: {`)
	for where, want := range map[string]int{
		`{address: a@x.y}`:                           before + 1,
		`{not: {address: a@x.y}}`:                    before + 1,
		`{anyOf: [{address: a@x.y}]}`:                before + 1,
		`{memberOf: a@x.yz}`:                         before + 1,
		`{hasDelegates: false}`:                      before + 1,
		`{capability: a}`:                            before + 1,
		`{attribute: {office: a}}`:                   before + len(`attribute: {`) + 1,
		`{attribute: {office: a}, address: "a@x.y"}`: before - len(`where: {`) + 1,
	} {
		if got := ruleWhere(t, where).Where.Pos(); got.Line != 4 || got.Column != want {
			t.Errorf("%s stands at %s, want column %d", where, got, want)
		}
	}
	if got := []string{policy.No.String(), policy.Open.String(), policy.Yes.String()}; !slices.Equal(got, []string{"no", "open", "yes"}) {
		t.Errorf("the answers are %v", got)
	}
}

func TestAttributeProperties(t *testing.T) {
	all := policy.AllAttributes()
	if len(all) != 17 || !slices.IsSorted(all) {
		t.Errorf("AllAttributes() = %v", all)
	}
	for a, want := range map[policy.Attribute]string{
		"customAttribute15": "CustomAttribute15", policy.AttributeOffice: "Office", policy.AttributeUsageLocation: "UsageLocation", "": "",
	} {
		if got := a.Property(); got != want {
			t.Errorf("%q.Property() = %q, want %q", a, got, want)
		}
	}
}

// TestNeedsCoverExemptions: what an exemption asks about must be read as well.
func TestNeedsCoverExemptions(t *testing.T) {
	p := mustParse(t, head+`mailboxes: {r: {where: {memberOf: [b@x.yz, a@x.yz]}, ageLimit: 90d}}
exemptions:
  e:
    where: {hasDelegates: false, capability: c, memberOf: [a@x.yz, c@x.yz], address: "*@x.yz", attribute: {office: HQ}}
    accept: {ageLimit: 30d}
    reason: r
    owner: o
    expires: 2027-06-30
`)
	var groups []string
	for _, g := range p.Groups() {
		groups = append(groups, fmt.Sprintf("%s@%d", g.Address, g.Pos.Line))
	}
	if got := strings.Join(groups, " "); got != "a@x.yz@4 b@x.yz@4 c@x.yz@7" {
		t.Errorf("Groups() = %s", got)
	}
	if !p.NeedsDelegates() || !p.NeedsCapabilities() || !p.NeedsAddresses() || len(p.Attributes()) != 1 {
		t.Errorf("needs %v %v %v %v", p.NeedsDelegates(), p.NeedsCapabilities(), p.NeedsAddresses(), p.Attributes())
	}
	none := mustParse(t, head+"mailboxes: {r: {ageLimit: 90d}}\n")
	if none.NeedsDelegates() || none.NeedsCapabilities() || none.NeedsAddresses() || none.Groups() != nil {
		t.Error("a policy without selectors needs something")
	}
	e := p.Exemptions[0]
	if e.Match(policy.Subject{}) != policy.Open || (policy.Exemption{}).Match(policy.Subject{}) != policy.No {
		t.Error("an exemption matches what it cannot know, or a tenant setting a mailbox")
	}
}
