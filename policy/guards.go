package policy

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy/strict"
)

// Guards bounds what one run may change.
type Guards struct {
	// MaxChangedPercent is of the mailboxes of the last complete sweep; 30 where
	// the file has none.
	MaxChangedPercent float64
	// MaxChanged is a number of mailboxes, nil for no limit.
	MaxChanged *int
	// AllowWeakening lets changes be made that weaken auditing.
	AllowWeakening bool
	// MaxSweepAge is how old the last full sweep may be; 26 hours where the file
	// has none.
	MaxSweepAge time.Duration
	// Rings are the sizes of the parts of a run that are verified before the next
	// begins; the rest follows the last. Nil means [DefaultRings] where at least
	// [DefaultRingsFrom] mailboxes change, an empty list means no rings.
	Rings []RingSize

	said saidGuards
}

// RingSize is the size of one ring: a number of mailboxes, or where Count is 0 a
// share of the changed mailboxes.
type RingSize struct {
	// Count is a number of mailboxes.
	Count int
	// Percent is over 0 and at most 100.
	Percent float64
}

// String gives the size as the language writes it: 5 or 1%.
func (r RingSize) String() string {
	if r.Count > 0 {
		return strconv.Itoa(r.Count)
	}
	return strconv.FormatFloat(r.Percent, 'f', -1, 64) + "%"
}

// The guards of a policy that names none.
const (
	DefaultMaxChangedPercent = 30.0
	DefaultMaxSweepAge       = 26 * time.Hour
	// DefaultRingsFrom is the number of changed mailboxes from which the built-in
	// rings apply.
	DefaultRingsFrom = 100
)

// DefaultRings gives the rings of a policy that names none.
func DefaultRings() []RingSize { return []RingSize{{Count: 5}, {Percent: 1}} }

// saidGuards is what the files themselves say; nil is nothing.
type saidGuards struct {
	percent   *Located[float64]
	changed   *Located[int]
	weakening *Located[bool]
	age       *Located[time.Duration]
	rings     *Located[[]RingSize]
}

// guards fills in the built-in values.
func (s saidGuards) guards() Guards {
	g := Guards{MaxChangedPercent: DefaultMaxChangedPercent, MaxSweepAge: DefaultMaxSweepAge, said: s}
	if s.percent != nil {
		g.MaxChangedPercent = s.percent.Value
	}
	if s.changed != nil {
		g.MaxChanged = &s.changed.Value
	}
	if s.weakening != nil {
		g.AllowWeakening = s.weakening.Value
	}
	if s.age != nil {
		g.MaxSweepAge = s.age.Value
	}
	if s.rings != nil {
		g.Rings = s.rings.Value
	}
	return g
}

// longestSweepAge bounds what may count as a sweep of the mailboxes there are: a
// year, as the guard that lets a sweep of any age pass is none.
const longestSweepAge = 366 * day

func guardKeys() []string {
	return []string{"maxChangedPercent", "maxChanged", "allowWeakening", "rings", "maxSweepAge"}
}

func readGuards(n *strict.Node) Guards {
	var s saidGuards
	m, ok := n.Map(strict.Keys(guardKeys()...))
	if !ok {
		return s.guards()
	}
	if c := m.Get("maxChangedPercent"); c != nil {
		if v, ok := c.Number(); ok {
			if v < 0 || v > 100 {
				c.Errorf(CodeOutOfRange, "", "maxChangedPercent must be from 0 to 100")
			}
			s.percent = &Located[float64]{v, c.Pos()}
		}
	}
	if c := m.Get("maxChanged"); c != nil {
		if v, ok := c.Int(); ok {
			if v < 0 {
				c.Errorf(CodeOutOfRange, "leave the key out for no limit", "maxChanged must not be negative")
			}
			s.changed = &Located[int]{v, c.Pos()}
		}
	}
	s.weakening = readBool(m.Get("allowWeakening"))
	s.rings = readRings(m.Get("rings"))
	if s.age = readDuration(m.Get("maxSweepAge"), true); s.age != nil && s.age.Value > longestSweepAge {
		m.Get("maxSweepAge").Errorf(CodeOutOfRange, "", "maxSweepAge must be 366 days at most")
	}
	return s.guards()
}

// mostRings bounds the parts of one run: each costs a wait for the read-back.
const mostRings = 16

var (
	ringCount = regexp.MustCompile(`^[1-9][0-9]{0,8}$`)
	ringShare = regexp.MustCompile(`^(0|[1-9][0-9]{0,2})(\.[0-9]{1,6})?%$`)
)

func readRings(n *strict.Node) *Located[[]RingSize] {
	items, ok := n.List()
	if !ok {
		return nil
	}
	if len(items) > mostRings {
		n.Errorf(CodeOutOfRange, "", "rings has %d sizes, %d at most", len(items), mostRings)
	}
	rings := &Located[[]RingSize]{Value: []RingSize{}, Pos: n.Pos()}
	for _, item := range items {
		if size, ok := readRing(item); ok {
			rings.Value = append(rings.Value, size)
		}
	}
	return rings
}

func readRing(n *strict.Node) (RingSize, bool) {
	const hint = "write a number of mailboxes, or a share as in 1%"
	text, ok := n.Written("a number or a share")
	if !ok {
		return RingSize{}, false
	}
	switch {
	case ringCount.MatchString(text):
		count, err := strconv.Atoi(text)
		return RingSize{Count: count}, err == nil
	case ringShare.MatchString(text):
		share, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if err == nil && share > 0 && share <= 100 {
			return RingSize{Percent: share}, true
		}
		n.Errorf(CodeOutOfRange, "", "a ring must be over 0%% and at most 100%%")
		return RingSize{}, false
	default:
		n.Errorf(CodeBadRing, hint, "%q is no size of a ring", text)
		return RingSize{}, false
	}
}

// asCareful tells whether rings stop a run at least as often and as early as
// others: each of those has one of its own, of the same unit and no larger.
func asCareful(rings, others []RingSize) bool {
	i := 0
	for _, r := range rings {
		if i == len(others) {
			return true
		}
		o := others[i]
		sameUnit := (r.Count > 0) == (o.Count > 0)
		if sameUnit && r.Count <= o.Count && r.Percent <= o.Percent {
			i++
		}
	}
	return i == len(others)
}
