package report

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// harmless escapes in encoded JSON what encoding/json leaves as it is and what
// a terminal or a CI log could act upon when the document is printed there:
// DEL and C1 controls, bidirectional and other invisible runes, and the second
// of two hash signs ("##vso[" is a command to Azure Pipelines anywhere in a
// line). The document means the same: outside ASCII and with a hash sign, such
// runes occur in JSON within strings only.
func harmless(doc []byte) []byte {
	if !needsEscape(doc) {
		return doc
	}
	var out bytes.Buffer
	out.Grow(len(doc) + 64)
	last := rune(-1)
	for i := 0; i < len(doc); {
		r, size := utf8.DecodeRune(doc[i:])
		switch {
		case r == '#' && last == '#', r >= 0x7f && !shown(r) && r < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, r)
			last = -1
		case r >= 0x10000 && !shown(r):
			high, low := surrogates(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
			last = -1
		default:
			out.Write(doc[i : i+size])
			last = r
		}
		i += size
	}
	return out.Bytes()
}

// needsEscape is the short way out: nearly every row is plain ASCII.
func needsEscape(doc []byte) bool {
	for _, c := range doc {
		if c >= 0x7f {
			return true
		}
	}
	return bytes.Contains(doc, []byte("##"))
}

// surrogates splits a rune beyond the basic plane as JSON's \u escapes want it.
func surrogates(r rune) (high, low rune) {
	r -= 0x10000
	return 0xd800 + r>>10, 0xdc00 + r&0x3ff
}

// EscapeJSON gives encoded JSON as the JSON of reports is written: it means the same,
// and does nothing where it is shown in a terminal or a CI log.
func EscapeJSON(doc []byte) []byte { return harmless(doc) }
