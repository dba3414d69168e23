package audit

import (
	"math/bits"
	"slices"
	"strings"
)

// ActionSet is an immutable set of actions. Names are compared without case and
// kept in the matrix spelling; names that the matrix does not know are members
// like any other, so that nothing the service shows is lost. The zero value is
// the empty set. Sets are compared with [ActionSet.Equal].
type ActionSet struct {
	known   uint32   // bit i is matrix row i
	unknown []string // sorted without case, no two alike
}

// NewActionSet makes a set of the given actions.
func NewActionSet(actions ...Action) ActionSet {
	var set ActionSet
	for _, a := range actions {
		set = set.with(string(a))
	}
	return set
}

// SetOf makes a set of names as the service or a file spells them.
func SetOf(names []string) ActionSet {
	var set ActionSet
	for _, n := range names {
		set = set.with(n)
	}
	return set
}

// with adds one name. Of two spellings of an unknown name the bytewise smaller
// stays, so that the result does not depend on the order of the additions.
func (s ActionSet) with(name string) ActionSet {
	if i := rowOf(name); i >= 0 {
		s.known |= 1 << i
		return s
	}
	at, found := slices.BinarySearchFunc(s.unknown, name, compareFold)
	unknown := slices.Clone(s.unknown)
	if found {
		unknown[at] = min(unknown[at], name)
	} else {
		unknown = slices.Insert(unknown, at, name)
	}
	s.unknown = unknown
	return s
}

// compareFold orders names without case.
func compareFold(a, b string) int {
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

// Has tells whether the action is a member.
func (s ActionSet) Has(a Action) bool {
	if i := rowOf(string(a)); i >= 0 {
		return s.known&(1<<i) != 0
	}
	return s.hasUnknown(string(a))
}

func (s ActionSet) hasUnknown(name string) bool {
	_, found := slices.BinarySearchFunc(s.unknown, name, compareFold)
	return found
}

// Len is the number of members.
func (s ActionSet) Len() int { return bits.OnesCount32(s.known) + len(s.unknown) }

// Union gives the members of either set.
func (s ActionSet) Union(o ActionSet) ActionSet {
	s.known |= o.known
	for _, n := range o.unknown {
		s = s.with(n)
	}
	return s
}

// Minus gives the members of s that are not in o.
func (s ActionSet) Minus(o ActionSet) ActionSet {
	return ActionSet{known: s.known &^ o.known, unknown: s.filter(func(n string) bool { return !o.hasUnknown(n) })}
}

// Intersect gives the members that both sets have, in the spelling of s.
func (s ActionSet) Intersect(o ActionSet) ActionSet {
	return ActionSet{known: s.known & o.known, unknown: s.filter(o.hasUnknown)}
}

// filter keeps some of the unknown names. It gives nil for none, so that equal
// sets are equal in memory too.
func (s ActionSet) filter(keep func(string) bool) []string {
	var kept []string
	for _, n := range s.unknown {
		if keep(n) {
			kept = append(kept, n)
		}
	}
	return kept
}

// ContainsAll tells whether every member of o is a member of s.
func (s ActionSet) ContainsAll(o ActionSet) bool { return o.Minus(s).Len() == 0 }

// Equal tells whether both sets have the same members, whatever their case.
func (s ActionSet) Equal(o ActionSet) bool {
	return s.known == o.known && slices.EqualFunc(s.unknown, o.unknown,
		func(a, b string) bool { return compareFold(a, b) == 0 })
}

// Slice gives the members sorted by their bytes. It is never nil.
func (s ActionSet) Slice() []string {
	names := make([]string, 0, s.Len())
	for i := range matrix {
		if s.known&(1<<i) != 0 {
			names = append(names, string(matrix[i].action))
		}
	}
	names = append(names, s.unknown...)
	slices.Sort(names)
	return names
}

// Unknown gives the members that the matrix does not know.
func (s ActionSet) Unknown() ActionSet { return ActionSet{unknown: s.unknown} }

// String gives the members as a comma-separated list, sorted as in [ActionSet.Slice].
func (s ActionSet) String() string { return strings.Join(s.Slice(), ", ") }
