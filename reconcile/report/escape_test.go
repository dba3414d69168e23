package report

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"plain address", "ann@contoso.com", "ann@contoso.com"},
		{"time span keeps its colons", "90.00:00:00", "90.00:00:00"},
		{"empty", "", ""},
		{"letters of other scripts", "Ærø 山田 Ж", "Ærø 山田 Ж"},
		{"wide space", "山田\u3000太郎", "山田 太郎"},
		{"escape sequence", "a\x1b[31mred", `a\x1b[31mred`},
		{"C1 control", "a\u009b31m", `a\x9b31m`},
		{"delete", "a\x7f", `a\x7f`},
		{"NUL", "a\x00b", `a\x00b`},
		{"newline", "a\r\n::error::b", `a\r\n:\x3aerror:\x3ab`},
		{"tab", "a\tb", `a\tb`},
		{"right-to-left override", "a\u202egnp", `a\u202egnp`},
		{"isolate", "a\u2066b\u2069", `a\u2066b\u2069`},
		{"marks", "\u200ea\u200fb\u061c", `\u200ea\u200fb\u061c`},
		{"zero width", "a\u200bb\ufeffc\u2060", `a\u200bb\ufeffc\u2060`},
		{"line separators", "a\u2028b\u2029", `a\u2028b\u2029`},
		{"hangul filler", "a\u3164b", `a\u3164b`},
		{"variation selector", "a\ufe0fb", `a\ufe0fb`},
		{"tag characters", "a\U000e0041", `a\U000e0041`},
		{"invalid UTF-8", "a\xffb", `a\xffb`},
		{"workflow command", "::set-output name=x::y", `\x3a:set-output name=x:\x3ay`},
		{"workflow command after spaces", "  ::error::x", `  \x3a:error:\x3ax`},
		{"workflow command after an invisible rune", "\u200b::error::x", `\u200b:\x3aerror:\x3ax`},
		{"single colon first", ":x", `\x3ax`},
		{"azure command", "x ##vso[task.complete]", `x #\x23vso[task.complete]`},
		{"runner command", "##[error]x", `#\x23[error]x`},
		{"many hashes", "#####[", `#\x23#\x23#[`},
		{"backslash stays", `CONTOSO\ann`, `CONTOSO\ann`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Line(tt.in); got != tt.want {
				t.Errorf("Line(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// FuzzLine holds the promise of Line for any bytes at all.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"ann", "\x1b[2J", "::error::x", " : :: #", "##vso[x]", "\u202e\u2066", "\xff\xfe", "a\u00a0::b", "＃＃"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Line(s)
		if !utf8.ValidString(got) {
			t.Fatalf("Line(%q) = %q: not UTF-8", s, got)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Fatalf("Line(%q) = %q: holds %U", s, got, r)
			}
		}
		if strings.HasPrefix(strings.TrimSpace(got), ":") || strings.Contains(got, "::") || strings.Contains(got, "##") {
			t.Fatalf("Line(%q) = %q: can be read as a command", s, got)
		}
		if s != "" && got == "" {
			t.Fatalf("Line(%q) is empty: a name must never vanish", s)
		}
	})
}
