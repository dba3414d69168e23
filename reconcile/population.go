package reconcile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// record is all that is kept of one mailbox: 40 bytes and its name.
type record struct {
	id   guid
	name string
	// kase is the index of the mailbox's case in population.cases.
	kase int32
}

// caseKey is what makes two mailboxes the same to the diff.
type caseKey struct {
	profile int32
	match   int32
	stored  bool
}

// population is every mailbox of a tenant, folded. Profiles and match vectors
// are interned; records point at them through cases.
type population struct {
	records  []record
	profiles []profile
	matches  []string // one policy.Match per rule and per exemption, as bytes
	cases    []caseKey

	byProfile map[string]int32
	byMatch   map[string]int32
	byCase    map[caseKey]int32

	// nameless are rows without a usable Guid: they cannot be told apart, let
	// alone written, and are unknown each.
	nameless []UnknownObject
	// candidates are mailboxes whose matches hang on their delegates, identities
	// how the rows of permissions name each record, as hashes; both are gone when
	// the candidates are settled.
	candidates []suspended
	identities []uint64
	// repeated are mailboxes that were listed twice with different values.
	repeated map[guid]string
	// created is when mailboxes were made, of those that a run over what is new looks
	// for by that date; nil where there is none.
	created  map[guid]time.Time
	read     int
	ordinary int // of them, from the ordinary listing
	byType   map[string]int
}

func newPopulation() *population {
	return &population{
		byProfile: map[string]int32{}, byMatch: map[string]int32{}, byCase: map[caseKey]int32{},
		repeated: map[guid]string{}, byType: map[string]int{},
	}
}

// add folds one mailbox into the population.
func (p *population) add(id guid, name string, prof profile, match []policy.Match) {
	k := caseKey{
		profile: intern(p.byProfile, prof.key(), func() { p.profiles = append(p.profiles, prof) }),
		match:   p.internMatch(match),
	}
	p.records = append(p.records, record{id: id, name: name, kase: p.internCase(k)})
}

// internMatch numbers a match vector.
func (p *population) internMatch(match []policy.Match) int32 {
	b := make([]byte, len(match))
	for i, m := range match {
		b[i] = byte(m) //nolint:gosec // Match has three small values.
	}
	return p.takeMatch(string(b))
}

func (p *population) takeMatch(key string) int32 {
	return intern(p.byMatch, key, func() { p.matches = append(p.matches, key) })
}

func (p *population) internCase(k caseKey) int32 {
	return intern(p.byCase, k, func() { p.cases = append(p.cases, k) })
}

// intern gives the number of a key, and calls grow where it is a new one.
func intern[K comparable](seen map[K]int32, key K, grow func()) int32 {
	if i, ok := seen[key]; ok {
		return i
	}
	i := int32(len(seen)) //nolint:gosec // Bounded by the number of mailboxes.
	seen[key] = i
	grow()
	return i
}

// matchAt reads the match of one rule or exemption out of an interned vector.
func (p *population) matchAt(match int32, rule int) policy.Match {
	return policy.Match(p.matches[match][rule]) //nolint:gosec // Written by internMatch.
}

// contradicts tells whether a listing of stored values that are not true,
// sorted by id, cannot be one: a mailbox that shows false must be in it, and one
// of a type that shows what is stored must not be in it while it shows true.
func (p *population) contradicts(ids []guid) bool {
	return slices.ContainsFunc(p.records, func(r record) bool {
		prof := p.profileOf(r.kase)
		if prof.listing != exchange.Ordinary || prof.enabled.missing != "" || prof.kind.missing != "" {
			return false
		}
		_, listed := slices.BinarySearchFunc(ids, r.id, compareGUID)
		shown, showsStored := prof.enabled.value == triTrue, audit.OnByDefault(prof.kind.value) == audit.NotCovered
		return !shown && !listed || shown && listed && showsStored
	})
}

// markStored notes which mailboxes the listing of stored values named; it is
// sorted by id.
func (p *population) markStored(ids []guid) {
	for i := range p.records {
		r := &p.records[i]
		if _, found := slices.BinarySearchFunc(ids, r.id, compareGUID); found {
			k := p.cases[r.kase]
			k.stored = true
			r.kase = p.internCase(k)
		}
	}
}

// settle drops mailboxes that were listed twice, which a listing that moves
// while it is read can do, and puts the rest in the order of the plan: by name,
// then by id. Two rows of one mailbox that do not agree make it unknown, as
// nothing says which of them is true.
func (p *population) settle() {
	slices.SortFunc(p.records, func(a, b record) int {
		return cmp.Or(compareGUID(a.id, b.id), strings.Compare(a.name, b.name), cmp.Compare(a.kase, b.kase))
	})
	kept := p.records[:0]
	for _, r := range p.records {
		if n := len(kept); n > 0 && kept[n-1].id == r.id {
			if kept[n-1].kase != r.kase {
				p.repeated[r.id] = listedTwice
			}
			p.uncount(p.profileOf(r.kase))
			continue
		}
		kept = append(kept, r)
	}
	clear(p.records[len(kept):])
	p.records = kept
	slices.SortFunc(p.records, func(a, b record) int {
		return cmp.Or(strings.Compare(a.name, b.name), compareGUID(a.id, b.id))
	})
	p.dropUnused()
	clear(p.byCase)
	clear(p.byMatch)
	clear(p.byProfile)
}

// listedTwice is the reason of an object whose rows do not agree.
const listedTwice = "listed twice with different values"

// uncount takes a row that was listed again out of the numbers.
func (p *population) uncount(prof profile) {
	p.read--
	if prof.listing == exchange.Ordinary {
		p.ordinary--
	}
	name := typeName(prof.kind)
	if p.byType[name]--; p.byType[name] == 0 {
		delete(p.byType, name)
	}
}

// profileOf is the profile behind a case.
func (p *population) profileOf(kase int32) profile { return p.profiles[p.cases[kase].profile] }

// merge takes in the mailboxes of another population, which was folded under
// the same policy.
func (p *population) merge(o *population) {
	if p.read == 0 {
		*p = *o
		return
	}
	renumbered := make([]int32, len(o.cases))
	for i, k := range o.cases {
		prof := o.profiles[k.profile]
		renumbered[i] = p.internCase(caseKey{
			profile: intern(p.byProfile, prof.key(), func() { p.profiles = append(p.profiles, prof) }),
			match:   p.takeMatch(o.matches[k.match]),
		})
	}
	for _, c := range o.candidates {
		c.record += int32(len(p.records)) //nolint:gosec // Bounded by the number of mailboxes.
		c.yes, c.no = p.takeMatch(o.matches[c.yes]), p.takeMatch(o.matches[c.no])
		p.candidates = append(p.candidates, c)
	}
	p.identities = append(p.identities, o.identities...)
	for _, r := range o.records {
		p.records = append(p.records, record{id: r.id, name: r.name, kase: renumbered[r.kase]})
	}
	p.nameless = append(p.nameless, o.nameless...)
	for id, at := range o.created {
		p.noteCreated(id, at)
	}
	p.read += o.read
	p.ordinary += o.ordinary
	for t, n := range o.byType {
		p.byType[t] += n
	}
}
