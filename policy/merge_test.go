package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// knob is a single value of the language, from 1 (the loosest) to 3.
type knob struct {
	path  string
	write [4]string
	read  func(p *policy.Policy) string
	means [4]string // what read gives for a value; 0 is no opinion
}

func knobs() []knob {
	return []knob{
		{
			"guards.maxChangedPercent",
			[4]string{"", "50", "40", "20.5"},
			func(p *policy.Policy) string { return fmt.Sprint(p.Guards.MaxChangedPercent) },
			[4]string{"30", "50", "40", "20.5"},
		},
		{
			"guards.maxChanged",
			[4]string{"", "50", "40", "0"},
			func(p *policy.Policy) string { return count(p.Guards.MaxChanged) },
			[4]string{"any", "50", "40", "0"},
		},
		{
			"guards.maxSweepAge",
			[4]string{"", "50h", "40h", "1h"},
			func(p *policy.Policy) string { return p.Guards.MaxSweepAge.String() },
			[4]string{"26h0m0s", "50h0m0s", "40h0m0s", "1h0m0s"},
		},
		{
			"guards.allowWeakening",
			[4]string{"", "true", "false", "false"},
			func(p *policy.Policy) string { return fmt.Sprint(p.Guards.AllowWeakening) },
			[4]string{"false", "true", "false", "false"},
		},
		{
			"guards.rings",
			[4]string{"", "[]", "[10]", "[5, 1%]"},
			func(p *policy.Policy) string { return fmt.Sprint(p.Guards.Rings) },
			[4]string{"[]", "[]", "[10]", "[5 1%]"},
		},
		{
			"retention.floor",
			[4]string{"", "30d", "90d", "1y"},
			func(p *policy.Policy) string { return said(p.Retention.Floor) },
			[4]string{"any", "720h0m0s", "2160h0m0s", "8760h0m0s"},
		},
		{
			"adminAudit.ageLimit",
			[4]string{"", "30d", "90d", "1y"},
			func(p *policy.Policy) string { return said(p.AdminAudit.AgeLimit) },
			[4]string{"any", "720h0m0s", "2160h0m0s", "8760h0m0s"},
		},
		{
			"adminAudit.attempt",
			[4]string{"", "true", "false", "false"},
			func(p *policy.Policy) string { return fmt.Sprint(p.AdminAudit.Attempt) },
			[4]string{"false", "true", "false", "false"},
		},
		{
			"adminAudit.excludedCmdlets",
			[4]string{"", `["Get-*", "Test-*"]`, `["Get-*"]`, "[]"},
			func(p *policy.Policy) string { return said(p.AdminAudit.ExcludedCmdlets) },
			[4]string{"any", "[Get-* Test-*]", "[Get-*]", "[]"},
		},
		{
			"organization.enableCustomization",
			[4]string{"", "true", "false", "false"},
			func(p *policy.Policy) string { return fmt.Sprint(p.Organization.EnableCustomization) },
			[4]string{"false", "true", "false", "false"},
		},
		{
			"severity.auditOwner",
			[4]string{"", "info", "low", "high"},
			func(p *policy.Policy) string { return p.Severity(audit.SettingAuditOwner).String() },
			[4]string{"high", "info", "low", "high"},
		},
	}
}

// layer writes a policy that says some values.
func layer(values []int, extra string) string {
	sections := map[string][]string{}
	for i, k := range knobs() {
		if section, key, _ := strings.Cut(k.path, "."); values[i] > 0 {
			sections[section] = append(sections[section], key+": "+k.write[values[i]])
		}
	}
	var b strings.Builder
	b.WriteString(head + extra)
	for _, s := range []string{"guards", "retention", "adminAudit", "organization", "severity"} {
		more := sections[s]
		switch s {
		case "retention":
			more = append(more, "require: [{recordTypes: [ExchangeItem], atLeast: 90d}]")
		case "adminAudit":
			more = append(more, "enabled: true")
		case "organization":
			more = append(more, "mailboxAuditing: true")
		}
		fmt.Fprintf(&b, "%s: {%s}\n", s, strings.Join(more, ", "))
	}
	return b.String()
}

// TestScalarsOfExtendedPolicies compares three policies of random values with the
// rule in one sentence: beside each other the stricter wins, the child may be
// stricter, and looser only where it says why.
func TestScalarsOfExtendedPolicies(t *testing.T) {
	all := knobs()
	draw := rapid.SliceOfN(rapid.IntRange(0, 3), len(all), len(all))
	rapid.Check(t, func(t *rapid.T) {
		a, b, child := draw.Draw(t, "a"), draw.Draw(t, "b"), draw.Draw(t, "child")
		reasons := rapid.SliceOfN(rapid.Bool(), len(all), len(all)).Draw(t, "reasons")
		want := make([]string, len(all))
		var overrides, looser, useless []string
		for i, k := range all {
			base := max(a[i], b[i])
			value := max(base, child[i])
			isLooser := child[i] > 0 && base > 0 && k.means[child[i]] != k.means[value]
			if reasons[i] {
				overrides = append(overrides, k.path+": because")
				if !isLooser {
					useless = append(useless, k.path)
				}
			}
			switch {
			case isLooser && reasons[i]:
				value = child[i]
			case isLooser:
				looser = append(looser, k.path)
			}
			want[i] = k.means[value]
		}
		p, found := loadThree(a, b, child, "extends: [a.yaml, b.yaml]\n", overrides)
		checkFound(t, found, looser, useless)
		turned, _ := loadThree(a, b, child, "extends: [b.yaml, a.yaml]\n", overrides)
		if (p == nil) != (len(looser) > 0) || (p == nil) != (turned == nil) {
			t.Fatalf("policy %v, turned %v, with %v", p != nil, turned != nil, looser)
		}
		if p == nil {
			return
		}
		for i, k := range all {
			if got := k.read(p); got != want[i] {
				t.Fatalf("%s is %s, want %s", k.path, got, want[i])
			}
		}
		if p.Digest() != turned.Digest() {
			t.Fatal("the order of what is extended changes the meaning")
		}
	})
}

func loadThree(a, b, child []int, extends string, overrides []string) (*policy.Policy, policy.Diagnostics) {
	if len(overrides) > 0 {
		extends += "overrides: {" + strings.Join(overrides, ", ") + "}\n"
	}
	f := filesOf(map[string]string{"a.yaml": layer(a, ""), "b.yaml": layer(b, "")})
	return policy.Load("p.yaml", []byte(layer(child, extends)), f.read)
}

// checkFound wants each looser value and each useless reason said, and no more.
func checkFound(t *rapid.T, found policy.Diagnostics, looser, useless []string) {
	counts := map[string]int{}
	for _, d := range found {
		counts[d.Code]++
		list := looser
		if d.Code == policy.CodeUselessOverride {
			list = useless
		}
		if !slices.ContainsFunc(list, func(path string) bool { return strings.Contains(d.Message, path) }) {
			t.Fatalf("found %s", d)
		}
	}
	if counts[policy.CodeLooser] != len(looser) || counts[policy.CodeUselessOverride] != len(useless) || len(counts) > 2 {
		t.Fatalf("found\n%s\nwant %v and %v", found.Error(), looser, useless)
	}
}

// TestRingsSideBySide: of two lists neither of which is as careful as the other
// both are kept.
func TestRingsSideBySide(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"[5, 1%]", "[10]", "[5 1%]"},
		{"[10, 1%]", "[5]", "[10 1% 5]"},
		{"[5]", "[1%]", "[1% 5]"},
		{"[1%]", "[5]", "[1% 5]"},
		{"[]", "[1%]", "[1%]"},
		{"[5, 5]", "[5]", "[5 5]"},
		{"[1%, 10%]", "[0.5%, 20%]", "[0.5% 20% 1% 10%]"},
	} {
		f := filesOf(map[string]string{
			"a.yaml": head + "bypass: {}\nguards: {rings: " + tt.a + "}\n", "b.yaml": head + "guards: {rings: " + tt.b + "}\n",
		})
		p, found := policy.Load("p.yaml", []byte(head+"extends: [a.yaml, b.yaml]\n"), f.read)
		if p == nil {
			t.Fatal(found.Error())
		}
		if got := fmt.Sprint(p.Guards.Rings); got != tt.want {
			t.Errorf("%s and %s are %s, want %s", tt.a, tt.b, got, tt.want)
		}
	}
	if fmt.Sprint(policy.DefaultRings()) != "[5 1%]" || policy.DefaultRingsFrom != 100 {
		t.Errorf("the built-in rings are %v from %d", policy.DefaultRings(), policy.DefaultRingsFrom)
	}
}

func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		patterns []string
		name     string
		want     bool
	}{
		{[]string{"*"}, "Set-Mailbox", true},
		{[]string{"*mailbox*"}, "Set-MailboxPlan", true},
		{[]string{"Set-Mail"}, "Set-Mailbox", false},
		{[]string{"New-*", "set-mailbox"}, "Set-Mailbox", true},
		{nil, "Set-Mailbox", false},
	} {
		if got := policy.Covers(tt.patterns, tt.name); got != tt.want {
			t.Errorf("Covers(%v, %s) = %v", tt.patterns, tt.name, got)
		}
	}
}
