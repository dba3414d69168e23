package reconcile

import (
	"bytes"
	"encoding/hex"
	"strings"
)

// guid is a Guid of the service in 16 bytes, in the order of its text form. A
// tenant with 60,000 mailboxes and 90,000 bypass rows is why it is not a
// string.
type guid [16]byte

// parseGUID reads the text form, in any case, with or without braces. The
// all-zero Guid, which the service shows where there is none, is refused.
func parseGUID(s string) (guid, bool) {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}")
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return guid{}, false
	}
	var g guid
	for i, part := range [][2]int{{0, 8}, {9, 13}, {14, 18}, {19, 23}, {24, 36}} {
		at := [...]int{0, 4, 6, 8, 10}[i]
		if _, err := hex.Decode(g[at:], []byte(s[part[0]:part[1]])); err != nil {
			return guid{}, false
		}
	}
	return g, g != guid{}
}

// String writes the text form, in lower case, as the service does.
func (g guid) String() string {
	var b [36]byte
	hex.Encode(b[0:8], g[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], g[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], g[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], g[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], g[10:16])
	return string(b[:])
}

// compareGUID orders guids by their bytes.
func compareGUID(a, b guid) int { return bytes.Compare(a[:], b[:]) }
