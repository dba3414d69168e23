package strict_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/policy/strict"
)

// brief prints findings as "line:column code", one each.
func brief(ds strict.Diagnostics) string {
	var lines []string
	for _, d := range ds {
		lines = append(lines, fmt.Sprintf("%d:%d %s", d.Line, d.Column, d.Code))
	}
	return strings.Join(lines, "\n")
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"nothing", "", "1:1 empty-file"},
		{"blank lines", "\n\n", "1:1 empty-file"},
		{"only a comment", "# nothing\n", "1:1 empty-file"},
		{"only a mark", "---\n", "1:1 empty-file"},
		{"a byte order mark and nothing", "\uFEFF", "1:1 empty-file"},
		{"UTF-16", "\xFF\xFEa\x00", "1:1 bad-encoding"},
		{"not UTF-8", "a: 1\nb: \xE4\n", "2:4 bad-encoding"},
		{"not UTF-8 on two lines", "a: \xE4\xE4\nb: \xE4\n", "1:4 bad-encoding\n2:4 bad-encoding"},
		{"NUL", "a: b\x00c\n", "1:5 control-character"},
		{"bell", "a: 1\nb: \a\n", "2:4 control-character"},
		{"delete", "a: \x7f\n", "1:4 control-character"},
		{"next line", "a: x\u0085y\n", "1:5 control-character"},
		{"line separator", "a: x\u2028y\n", "1:5 control-character"},
		{"turned direction", "a: x # \u202Eb\n", "1:8 control-character"},
		{"mark in the middle", "a: 1\n\uFEFFb: 1\n", "2:1 control-character"},
		{"after CRLF", "a: 1\r\nb: \x01\r\n", "2:4 control-character"},
		{"after a lone CR", "a: 1\rb: \x01\r", "2:4 control-character"},
		{"column in characters", "äöü: \x01\n", "1:6 control-character"},
		{"tab on the first line", "\ta: 1\n", "1:1 tab"},
		{"tab as indentation", "a:\n\tb: 1\n", "2:1 tab"},
		{"tab after spaces", "a:\n  b: 1\n  \tc: 1\n", "3:3 tab"},
		{"unclosed list", "a: [1, 2\nb: 3\n", "1:1 syntax"},
		{"unclosed quote", "a: \"b\n", "1:1 syntax"},
		{"wrong indentation", "a:\n  b: 1\n c: 1\n", "3:2 syntax"},
		{"an earlier list is whole", "a: [1,\n  2,\n  3]\nb: 1\nc: [1,\n", "5:1 syntax"},
		{"two lists are whole", "a: [1,\n  2,\n  3]\nb: [1,\n  2,\n  3]\nc: 1\nd: 2\ne: [\n", "9:1 syntax"},
		{"two colons", "a: b: c\n", "1:1 syntax"},
		{"reserved sign", "a: @b\n", "1:1 syntax"},
		{"reserved sign later", "a: 1\nb: 2\nc: `x`\n", "3:1 syntax"},
		{"unknown alias", "a: 1\nb: *x\n", "2:1 syntax"},
		{"second document", "a: 1\n---\nb: 1\n", "2:1 second-document"},
		{"second empty document", "a: 1\n---\n", "2:1 second-document"},
		{"broken second document", "a: 1\n---\nb: [\n", "3:1 syntax"},
		{"anchor", "a: &x 1\n", "1:4 anchor"},
		{"alias", "a: &x 1\nb: *x\n", "1:4 anchor\n2:4 alias"},
		{"tag", "a: !!str 1\n", "1:4 tag"},
		{"own tag on a map", "a: !mine {b: 1}\n", "1:4 tag"},
		{"non-specific tag", "a: ! true\n", "1:4 tag"},
		{"non-specific tag on a text", "a: 1\nb: ! 'x'\n", "2:4 tag"},
		{"non-specific tag on a block", "a: ! |\n  x\n", "1:4 tag"},
		{"non-specific tag on a list", "- ! [1]\n- !\n  - 2\n", "1:3 tag\n2:3 tag"},
		{"non-specific tag on a map", "a: !\n  b: 1\n", "1:4 tag"},
		{"non-specific tag on a key", "a: 1\n! b: 1\n", "2:1 tag"},
		{"non-specific tag on the first key", "! b: 1\n", "1:1 tag"},
		{"non-specific tag on the document", "--- ! {a: 1}\n", "1:5 tag"},
		{"non-specific tag on nothing", "a: !\nb: [! , {c: ! }]\nd: !", "1:4 tag\n2:5 tag\n2:13 tag\n3:4 tag"},
		{"non-specific tag before an anchor", "a: ! &x b\n", "1:4 anchor\n1:4 tag"},
		{"non-specific tag after an anchor", "a: &x ! b\n", "1:4 anchor"},
		{"non-specific tag, verbatim", "a: !<!> true\n", "1:4 tag"},
		{"non-specific tag, in characters", "{ä: ü, ö: ! b}\r\n", "1:11 tag"},
		{"merge key", "a: {<<: {b: 1}}\n", "1:5 merge-key"},
		{"merge of an alias", "x: &x {b: 1}\na:\n  <<: *x\n", "1:4 anchor\n3:3 merge-key\n3:7 alias"},
		{"escaped bell", "a: \"x\\ay\"\n", "1:4 control-character"},
		{"escaped NUL in a key", "\"a\\0\": 1\n", "1:1 control-character"},
		{"escaped terminal sequence", "a: [\"\\e[31m\"]\n", "1:5 control-character"},
		{"zero width space", "a: x\u200By\n", "1:4 control-character"},
		{"soft hyphen", "a:\n  - x\u00ADy\n", "2:5 control-character"},
		{"word joiner", "a: 'x\u2060'\n", "1:4 control-character"},
		{"joiner", "a: x\u200Dy\n", "1:4 control-character"},
		{"language tag", "a: x\U000E0041\n", "1:4 control-character"},
		{"no-break space", "a: x\u00A0y\n", "1:4 control-character"},
		{"ideographic space", "a: x\u3000y\n", "1:4 control-character"},
		{"no-break space as indentation", "a:\n\u00A0\u00A0b: 1\n", "2:1 control-character"},
		{"variation selector", "a: x\uFE0F\n", "1:4 control-character"},
		{"filler that looks like a space", "a: x\u3164y\n", "1:4 control-character"},
		{"braille blank", "a: x\u2800y\n", "1:4 control-character"},
		{"escaped zero width space", "a: \"x\\u200By\"\n", "1:4 control-character"},
		{"escaped no-break space", "a: \"x\\_y\"\n", "1:4 control-character"},
		{"key twice to the eye", "ab: 1\na\u200Bb: 2\n", "2:1 control-character"},
		{"key twice", "a: 1\nb: 2\na: 3\n", "3:1 duplicate-key"},
		{"key twice, quoted", "a: 1\n\"a\": 3\n", "2:1 duplicate-key"},
		{"key thrice in depth", "m: {k: 1, k: 2, k: 3}\n", "1:11 duplicate-key\n1:17 duplicate-key"},
		{"map as key", "{a: 1}: b\n", "1:1 bad-key"},
		{"null as key", "~: b\n", "1:1 bad-key"},
		{"empty key", "\"\": b\n", "1:1 bad-key"},
		{"alias as key", "a: &x b\n*x : c\n", "1:4 anchor\n2:1 alias"},
		{"too large", "a: " + strings.Repeat("x", strict.MaxSize), "1:1 too-large"},
		{"too deep", strings.Repeat("[", 70) + strings.Repeat("]", 70), "1:65 too-deep"},
		{"absurdly deep", strings.Repeat("[", 20000), "1:1 syntax"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := strict.Parse("f.yaml", []byte(tt.text)).Diagnostics()
			if diff := cmp.Diff(tt.want, brief(found)); diff != "" {
				t.Errorf("(-want +got)\n%s\n%v", diff, found.Error())
			}
			if !found.HasErrors() || found.Err() == nil {
				t.Error("none of it is an error")
			}
		})
	}
}

func TestParseTakes(t *testing.T) {
	tests := map[string]string{
		"a byte order mark":            "\uFEFFa: 1\n",
		"CRLF":                         "a: 1\r\nb:\r\n  - x\r\n",
		"a document mark":              "---\na: 1\n...\n",
		"a tab inside a text":          "a: \"x\ty\"\n",
		"a tab before a comment":       "a: 1\t# comment\n",
		"no line end at the end":       "a: 1",
		"other scripts":                "名: ä\n",
		"exclamation marks":            "a!: b ! c # ! d\ne: '! f'\ng: \"! h\"\ni: |\n  ! j\nk: a\n  ! l\nm: [n!] \n",
		"combining marks":              "a: u\u0308 हिन्दी\n",
		"an unseen sign in a comment":  "a: 1 # 10\u00A0% \U0001F469\u200D\U0001F4BB\n",
		"the size limit":               "a: " + strings.Repeat("x", strict.MaxSize-3),
		"the depth limit":              strings.Repeat("[", 64) + strings.Repeat("]", 64),
		"a key that looks like a bool": "on: 1\ntrue: 2\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			d := strict.Parse("f.yaml", []byte(text))
			if found := d.Diagnostics(); len(found) > 0 || d.Root() == nil {
				t.Errorf("found %v", found.Error())
			}
		})
	}
}

func TestByteOrderMarkDoesNotMoveColumns(t *testing.T) {
	d := strict.Parse("f.yaml", []byte("\uFEFFa: 1\n"))
	m, _ := d.Root().Map(strict.Keys("a"))
	if got := m.Get("a").Pos(); got != (strict.Pos{File: "f.yaml", Line: 1, Column: 4}) {
		t.Errorf("Pos() = %v", got)
	}
}

func TestDiagnosticText(t *testing.T) {
	d := strict.Parse("dir/f.yaml", []byte("name: x\nnmae: y\n"))
	d.Root().Map(strict.Keys("name", "kind"))
	d.Root().Warnf("some-code", "", "take care of %s", "it")
	want := "dir/f.yaml:1:1: warning some-code: take care of it\n" +
		`dir/f.yaml:2:1: error unknown-key: unknown key "nmae" (did you mean name?)`
	if got := d.Diagnostics().Error(); got != want {
		t.Errorf("Error() =\n%s\nwant\n%s", got, want)
	}
	unseen := strict.Parse("f.yaml", []byte("a: x\u00A0y\nb: x\u200By\n")).Diagnostics()
	want = `f.yaml:1:4: error control-character: the character U+00A0 may not stand in the text "x\u00a0y" (write a plain space)` + "\n" +
		`f.yaml:2:4: error control-character: the character U+200B may not stand in the text "x\u200by" (remove it)`
	if got := unseen.Error(); got != want {
		t.Errorf("Error() =\n%s\nwant\n%s", got, want)
	}
	onlyWarning := strict.Diagnostics{{Severity: strict.Warning}}
	if onlyWarning.HasErrors() || onlyWarning.Err() != nil {
		t.Error("a warning is taken for an error")
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a: 1\nb: [x, {c: d}]\n", "\ta: 1", "a: &x 1\nb: *x", "<<: {a: 1}", "a: !!binary aGk=", "a: |\n  x\n\ty\n", "? a\n: b",
		"a: \x00", "a: 1\n---\nb", "%YAML 1.1\n---\na", "\uFEFF", "{a: 1, a: 2}", "- - - - x", "a: 'b", "a: 2027-03-31", "\r\r\na",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := strict.Parse("f.yaml", data)
		if d.Root() == nil && !d.Diagnostics().HasErrors() {
			t.Fatal("no document and no error")
		}
		read(d.Root(), 0)
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
		for _, found := range d.Diagnostics() {
			if found.Line < 1 || found.Column < 1 || found.Line > lines+1 || found.Code == "" || found.Message == "" {
				t.Fatalf("a finding without a place: %+v", found)
			}
			if !utf8.ValidString(found.String()) {
				t.Fatalf("a finding that is not text: %q", found.String())
			}
		}
	})
}

// read asks a node for everything, as far down as it goes.
func read(n *strict.Node, depth int) {
	n.Text()
	n.Bool()
	n.Int()
	n.Number()
	n.Written("anything")
	n.Map(strict.Required("a"), strict.Later("b"))
	if depth > strict.MaxDepth {
		return
	}
	for _, child := range append(n.Entries(), n.OneOrMore()...) {
		if n.IsScalar() {
			return
		}
		read(child, depth+1)
	}
}
