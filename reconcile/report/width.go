package report

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// columns is the width that text is written for.
const columns = 80

// runeWidth gives the columns a rune takes on a terminal: none for combining
// marks, two for the wide blocks of East Asian scripts and emoji, else one.
// The blocks are those of Unicode's EastAsianWidth property W and F, coarsely:
// a mistake costs alignment, nothing else.
func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r < 0x1100:
		return 1
	case r <= 0x115f, // Hangul initial consonants
		r >= 0x2e80 && r <= 0x303e, // radicals, CJK punctuation
		r >= 0x3041 && r <= 0xa4cf, // kana, ideographs, Yi
		r >= 0xac00 && r <= 0xd7a3, // Hangul syllables
		r >= 0xf900 && r <= 0xfaff, // compatibility ideographs
		r >= 0xfe30 && r <= 0xfe6f, // compatibility forms
		r >= 0xff00 && r <= 0xff60, // full-width forms
		r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1faff, // emoji
		r >= 0x20000 && r <= 0x3fffd: // further ideographs
		return 2
	default:
		return 1
	}
}

// width gives the columns that a text takes. Colour sequences take none; text
// of the tenant holds no escape rune any more, so every one is ours.
func width(s string) int {
	n := 0
	inColor := false
	for _, r := range s {
		switch {
		case r == 0x1b:
			inColor = true
		case inColor:
			inColor = r != 'm'
		default:
			n += runeWidth(r)
		}
	}
	return n
}

// truncate cuts a text to at most limit columns and says so with an ellipsis.
// Combining marks stay with the rune they belong to, unless there are more of them than
// any script has use for.
func truncate(s string, limit int) string {
	if len(s) <= limit || width(s) <= limit && utf8.RuneCountInString(s) <= 3*limit {
		return s
	}
	used, runes := 0, 0
	for i, r := range s {
		w := runeWidth(r)
		if used+w > limit-1 || runes == 3*limit-1 {
			return s[:i] + "…"
		}
		used += w
		runes++
	}
	return s
}

// wrap breaks a text at spaces into lines of at most limit columns. A word
// that is longer has a line of its own and is not broken, so that addresses
// and action names can be copied whole.
func wrap(s string, limit int) []string {
	var lines []string
	var line strings.Builder
	used := 0
	for word := range strings.FieldsSeq(s) {
		w := width(word)
		if used > 0 && used+1+w > limit {
			lines = append(lines, line.String())
			line.Reset()
			used = 0
		}
		if used > 0 {
			line.WriteByte(' ')
			used++
		}
		line.WriteString(word)
		used += w
	}
	if used > 0 || len(lines) == 0 {
		lines = append(lines, line.String())
	}
	return lines
}
