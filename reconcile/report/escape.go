package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line makes text of the tenant harmless on one line of a terminal or of a CI
// log. The result holds printable runes only:
//
//   - control characters (C0, DEL, C1, among them ESC), bidirectional controls,
//     zero-width and other invisible runes become visible escapes such as
//     \x1b, \n or \u202e, invalid UTF-8 becomes \xNN;
//   - other kinds of space become an ordinary space;
//   - what CI systems take for a command is broken: no colon is left at the
//     start and no pair of colons anywhere (GitHub Actions reads "::error::"
//     at the start of a line, also after spaces), and no pair of hash signs
//     (Azure Pipelines and the GitHub runner read "##vso[" and "##[").
//
// A backslash is left as it is, so the escapes are for reading, not for
// decoding.
func Line(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/2)
	blank := true // only spaces so far
	last := rune(-1)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
			last = -1
		case r == ':' && (blank || last == ':'), r == '#' && last == '#':
			fmt.Fprintf(&b, `\x%02x`, r)
			last = -1
		default:
			last = writeRune(&b, r)
		}
		blank = blank && last == ' '
		i += size
	}
	return b.String()
}

// plain reports whether s needs no escape; nearly every name is plain.
func plain(s string) bool {
	var last byte
	for i := range len(s) {
		c := s[i]
		if c < 0x20 || c > 0x7e {
			return false
		}
		if c == ':' && (i == 0 || last == ':' || last == ' ') {
			return false
		}
		if c == '#' && last == '#' {
			return false
		}
		last = c
	}
	return true
}

// writeRune writes one valid rune, escaped where it cannot be shown, and
// returns the last rune that stands in the output, or -1 after an escape.
func writeRune(b *strings.Builder, r rune) rune {
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case unicode.Is(unicode.Zs, r):
		b.WriteByte(' ')
		return ' '
	case shown(r):
		b.WriteRune(r)
		return r
	case r < 0x100:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
	return -1
}

// shown reports whether a rune leaves a visible mark where it stands. Runes
// that are letters by class but drawn as nothing (Hangul fillers, variation
// selectors) can hide text or make two names look alike, so they do not count.
func shown(r rune) bool {
	return unicode.IsPrint(r) &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) &&
		r != '\u2800' // a braille pattern without dots
}
