package simulator

import (
	"encoding/hex"
	"hash/fnv"
	"strings"
)

// idKind says which of the tenant's object families a Guid belongs to.
type idKind uint8

const (
	kindOrdinary idKind = iota + 1
	kindGroup
	kindPublicFolder
	kindUser
	kindSystem
	kindAddedMailbox
	kindAddedUser
	kindAddedBypass
	kindRequest
	kindCursor
	kindOrganization
	kindAddedGroup
)

// idField says which of an object's identifiers a Guid is.
type idField uint8

const (
	fieldGuid idField = iota
	fieldExchangeGuid
	fieldExchangeObject
	fieldEntra
)

const indexBits = 48

// mint makes Guids that can be read back: the number of the object is part of the
// Guid, under a mix keyed by tenant and seed. So a million mailboxes need no index.
type mint struct{ key uint64 }

func newMint(tenant string, seed uint64) mint {
	return mint{key: mix(seed ^ hashText(strings.ToLower(tenant)))}
}

// guid returns the lower-case Guid of object n, marked as a version 4 UUID.
func (m mint) guid(kind idKind, field idField, n int) string {
	word := uint64(kind)<<56 | uint64(field)<<indexBits | uint64(n)&(1<<indexBits-1) //nolint:gosec // n is an index, never negative
	front := mix(word ^ m.key)
	check := mix(front ^ m.key<<1)
	var raw [16]byte
	putBytes(raw[0:6], front>>16)
	putBytes(raw[9:11], front)
	putBytes(raw[6:9], check)
	putBytes(raw[11:16], check>>24)
	raw[6] = raw[6]&0x0f | 0x40
	raw[8] = raw[8]&0x3f | 0x80
	return formatGuid(raw)
}

// read is the inverse of guid; ok is false for a Guid that was not minted here.
func (m mint) read(guid string) (kind idKind, field idField, n int, ok bool) {
	raw, ok := parseGuid(guid)
	if !ok {
		return 0, 0, 0, false
	}
	front := getBytes(raw[0:6])<<16 | getBytes(raw[9:11])
	word := unmix(front) ^ m.key
	kind, field = idKind(word>>56), idField(word>>indexBits&0xff)
	n = int(word & (1<<indexBits - 1))
	return kind, field, n, m.guid(kind, field, n) == formatGuid(raw)
}

// mix is an invertible scrambling of 64 bits.
func mix(x uint64) uint64 {
	x ^= x >> 32
	x *= mixA
	x ^= x >> 32
	x *= mixB
	x ^= x >> 32
	return x
}

func unmix(x uint64) uint64 {
	x ^= x >> 32
	x *= oddInverse(mixB)
	x ^= x >> 32
	x *= oddInverse(mixA)
	x ^= x >> 32
	return x
}

const (
	mixA = 0x9e6c63d0876a9a47
	mixB = 0xd1b54a32d192ed03
)

// oddInverse is the multiplicative inverse modulo 2^64, by Newton's iteration.
func oddInverse(a uint64) uint64 {
	x := a
	for range 6 {
		x *= 2 - a*x
	}
	return x
}

func hashText(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}

func putBytes(dst []byte, v uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte(v)
		v >>= 8
	}
}

func getBytes(src []byte) uint64 {
	var v uint64
	for _, b := range src {
		v = v<<8 | uint64(b)
	}
	return v
}

func formatGuid(raw [16]byte) string {
	var out [36]byte
	hex.Encode(out[0:8], raw[0:4])
	hex.Encode(out[9:13], raw[4:6])
	hex.Encode(out[14:18], raw[6:8])
	hex.Encode(out[19:23], raw[8:10])
	hex.Encode(out[24:36], raw[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// parseGuid accepts the dashed form in any case, with or without braces.
func parseGuid(s string) (raw [16]byte, ok bool) {
	if len(s) == 38 && s[0] == '{' && s[37] == '}' {
		s = s[1:37]
	}
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return raw, false
	}
	var digits [32]byte
	n := 0
	for i := range len(s) {
		if s[i] == '-' {
			continue
		}
		if n == len(digits) {
			return raw, false
		}
		digits[n] = s[i]
		n++
	}
	if n != len(digits) {
		return raw, false
	}
	_, err := hex.Decode(raw[:], digits[:])
	return raw, err == nil
}

// canonicalGuid is the lower-case dashed spelling, or "" for what is no Guid.
func canonicalGuid(s string) string {
	raw, ok := parseGuid(s)
	if !ok {
		return ""
	}
	return formatGuid(raw)
}
