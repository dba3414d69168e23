package oracle

import (
	"maps"
	"slices"
	"strings"
)

// set holds names, which the service compares without regard to case; the key
// is the name in lower case, the value a spelling to print.
type set map[string]string

// newSet makes a set of names.
func newSet(names []string) set {
	s := make(set, len(names))
	for _, name := range names {
		s[strings.ToLower(name)] = name
	}
	return s
}

// has says whether a name is in the set.
func (s set) has(name string) bool {
	_, ok := s[strings.ToLower(name)]
	return ok
}

// minus gives the spellings of what s holds and other does not, sorted.
func (s set) minus(other set) []string {
	var names []string
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if _, ok := other[key]; !ok {
			names = append(names, s[key])
		}
	}
	return names
}
