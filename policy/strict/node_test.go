package strict_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/policy/strict"
)

// value parses "v: TEXT" and gives the node under v.
func value(t *testing.T, text string) (*strict.Document, *strict.Node) {
	t.Helper()
	d := strict.Parse("f.yaml", []byte("v: "+text))
	m, ok := d.Root().Map(strict.Keys("v"))
	if !ok || m.Get("v") == nil {
		t.Fatalf("%q has no value: %v", text, d.Diagnostics().Error())
	}
	return d, m.Get("v")
}

func TestScalars(t *testing.T) {
	readers := map[string]func(*strict.Node) (any, bool){
		"text":   func(n *strict.Node) (any, bool) { return two(n.Text()) },
		"bool":   func(n *strict.Node) (any, bool) { return two(n.Bool()) },
		"int":    func(n *strict.Node) (any, bool) { return two(n.Int()) },
		"number": func(n *strict.Node) (any, bool) { return two(n.Number()) },
		"raw":    func(n *strict.Node) (any, bool) { return two(n.Written("a duration")) },
	}
	tests := []struct {
		reader, text string
		want         any // nil: refused
	}{
		{"text", "hello", "hello"},
		{"text", `"4711"`, "4711"},
		{"text", `'true'`, "true"},
		{"text", "NO", "NO"},
		{"text", "yes", "yes"},
		{"text", "2027-03-31", "2027-03-31"},
		{"text", "|\n  a\n  b\n", "a\nb\n"},
		{"text", "4711", nil},
		{"text", "0x10", nil},
		{"text", "1_000", nil},
		{"text", "1e3", nil},
		{"text", ".inf", nil},
		{"text", "true", nil},
		{"text", "~", nil},
		{"text", "", nil},
		{"text", "null", nil},
		{"text", "[a]", nil},
		{"text", "{a: b}", nil},
		{"bool", "true", true},
		{"bool", "false", false},
		{"bool", "True", nil},
		{"bool", "TRUE", nil},
		{"bool", "yes", nil},
		{"bool", "on", nil},
		{"bool", "off", nil},
		{"bool", `"true"`, nil},
		{"bool", `"yes"`, nil},
		{"bool", "1", nil},
		{"bool", "", nil},
		{"int", "0", 0},
		{"int", "5000", 5000},
		{"int", "-3", -3},
		{"int", "010", nil},
		{"int", "0o10", nil},
		{"int", "0x10", nil},
		{"int", "0b1", nil},
		{"int", "1_000", nil},
		{"int", "+5", nil},
		{"int", "-0", nil},
		{"int", "1.0", nil},
		{"int", "1e3", nil},
		{"int", `"5"`, nil},
		{"int", "9223372036854775808", nil},
		{"int", "", nil},
		{"number", "30", 30.0},
		{"number", "0.5", 0.5},
		{"number", "-1.25", -1.25},
		{"number", ".5", nil},
		{"number", "5.", nil},
		{"number", "1e2", nil},
		{"number", ".nan", nil},
		{"number", "-.inf", nil},
		{"number", "010", nil},
		{"number", "1_0.5", nil},
		{"number", `"30"`, nil},
		{"raw", "90", "90"},
		{"raw", "180.00:00:00", "180.00:00:00"},
		{"raw", "~", nil},
		{"raw", "[90d]", nil},
	}
	for _, tt := range tests {
		d, n := value(t, tt.text)
		got, ok := readers[tt.reader](n)
		if ok != (tt.want != nil) || ok && got != tt.want {
			t.Errorf("%s of %q = %v, %v, want %v", tt.reader, tt.text, got, ok, tt.want)
		}
		if found := d.Diagnostics(); ok && len(found) > 0 || !ok && (len(found) != 1 || found[0].Code != strict.CodeWrongType) {
			t.Errorf("%s of %q found %v", tt.reader, tt.text, found.Error())
		}
	}
}

func two[T any](v T, ok bool) (any, bool) { return v, ok }

func TestUnquotedTextIsExplained(t *testing.T) {
	d, n := value(t, "4711")
	n.Text()
	const want = `f.yaml:1:4: error wrong-type: v: expected a text, found the number 4711 (put it in quotes: "4711")`
	if got := d.Diagnostics().Error(); got != want {
		t.Errorf("found %s\nwant  %s", got, want)
	}
}

func TestMap(t *testing.T) {
	d := strict.Parse("f.yaml", []byte("known: 1\nunkown: 2\nlater: 3\nKNOWN: 4\nsomething: 5\n"))
	m, ok := d.Root().Map(strict.Keys("known", "other"), strict.Required("must"), strict.Later("later"))
	if !ok || m.Len() != 1 || m.Get("known") == nil || m.Get("later") != nil || m.Node() != d.Root() {
		t.Errorf("Map() = %+v, %v", m, ok)
	}
	const want = `f.yaml:1:1: error missing-key: the key "must" is missing
f.yaml:2:1: error unknown-key: unknown key "unkown" (did you mean known?)
f.yaml:3:1: error not-supported: later is not supported by this version
f.yaml:4:1: error unknown-key: unknown key "KNOWN" (did you mean known?)
f.yaml:5:1: error unknown-key: unknown key "something" (expected one of known, other, must)`
	if diff := cmp.Diff(want, d.Diagnostics().Error()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCollections(t *testing.T) {
	d := strict.Parse("f.yaml", []byte("m: {b: 1, a: 2, b: 3}\nl: [x, [y]]\ns: z\nn:\n"))
	m, _ := d.Root().Map(strict.Keys("m", "l", "s", "n"))
	entries, ok := m.Get("m").OpenMap()
	var names []string
	for _, e := range entries {
		names = append(names, e.Key())
	}
	if !ok || strings.Join(names, " ") != "b a" {
		t.Errorf("OpenMap() has %v, %v", names, ok)
	}
	items, ok := m.Get("l").List()
	if !ok || len(items) != 2 || items[0].Key() != "" || items[0].KeyPos() != items[0].Pos() || !items[1].IsList() {
		t.Errorf("List() = %v, %v", items, ok)
	}
	if one := m.Get("s").OneOrMore(); len(one) != 1 || one[0] != m.Get("s") {
		t.Errorf("OneOrMore() of a text = %v", one)
	}
	if two := m.Get("l").OneOrMore(); len(two) != 2 {
		t.Errorf("OneOrMore() of a list = %v", two)
	}
	m.Get("s").List()
	m.Get("s").OpenMap()
	m.Get("l").Map()
	m.Get("n").Map()
	const want = `1:17 duplicate-key
2:4 wrong-type
3:4 wrong-type
3:4 wrong-type
4:3 wrong-type`
	if diff := cmp.Diff(want, brief(d.Diagnostics())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestNilNodeHasNothing guards the promise that readers need not check for nil.
func TestNilNodeHasNothing(t *testing.T) {
	var n *strict.Node
	n.Errorf("code", "", "nothing")
	n.Warnf("code", "", "nothing")
	n.Report(strict.Diagnostic{})
	read(n, 0)
	if n.IsMap() || n.IsList() || n.IsScalar() || n.Key() != "" || !n.Pos().IsZero() || !n.KeyPos().IsZero() || n.OneOrMore() != nil {
		t.Error("a nil node has something")
	}
}

func TestNearest(t *testing.T) {
	words := []string{"auditDisabled", "auditEnabled", "auditOwner", "Send", "SendAs"}
	for word, want := range map[string]string{
		"auditEnabeld": "auditEnabled", "AUDITOWNER": "auditOwner", "Sned": "Send", "SendA": "Send", "SendaS": "SendAs",
		"x": "", "": "", "retention": "", strings.Repeat("audit", 40): "",
	} {
		if got := strict.Nearest(word, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
