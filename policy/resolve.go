package policy

import (
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// Wish is a value that a mailbox must reach, and who asks for it.
type Wish[T any] struct {
	Value  T
	Origin Origin
}

// Wishes is all that the matching rules ask of one mailbox together.
type Wishes struct {
	// Record holds a wish per logon type, nil for no opinion.
	Record [3]*RecordWish
	// AuditEnabled is the greatest mode asked for.
	AuditEnabled *Wish[EnabledMode]
	// AgeLimit is the longest limit asked for; the mailbox may have a longer one.
	AgeLimit *Wish[time.Duration]
}

// RecordWish is what one logon type must record.
type RecordWish struct {
	// Defaults wants at least Microsoft's default set.
	Defaults bool
	// Managed wants the logon type listed in DefaultAuditSet.
	Managed bool
	// Plus wants at least these actions.
	Plus audit.ActionSet
	// Exact wants these actions and no others; nil for no such wish.
	Exact *audit.ActionSet
	// Origin is where the strictest part stands: exact, else managed, else the
	// first rule's wish in the file.
	Origin Origin

	parts []part
}

// part is one thing that one rule asks for, with its place.
type part struct {
	form   form
	action audit.Action // of plus and exact
	origin Origin
}

// form is the kind of a part. They are tried in this order to name an origin.
type form uint8

const (
	formPlus form = iota
	formExact
	formManaged
	formDefaults
)

// OriginOf names who asks for actions that a list is missing: the first that
// lists one of them, else the exact, managed or defaults part that covers it.
func (w RecordWish) OriginOf(missing audit.ActionSet) Origin {
	for _, f := range []form{formPlus, formExact, formManaged, formDefaults} {
		for _, p := range w.parts {
			listed := f == formPlus || f == formExact
			if p.form == f && (!listed || missing.Has(p.action)) {
				return p.origin
			}
		}
	}
	return w.Origin
}

// Resolve merges the rules with the given indexes, which all match one mailbox
// of the given type. The order of the indexes does not matter. Wishes that no
// list can fulfil together are reported as conflicts; the wish of that logon
// type must then not be acted upon.
func (p *Policy) Resolve(t audit.MailboxType, rules []int) (Wishes, []Conflict) {
	indexes := slices.Clone(rules)
	slices.Sort(indexes)
	indexes = slices.Compact(indexes)
	var wishes Wishes
	var conflicts []Conflict
	for _, l := range audit.LogonTypes() {
		asks := p.asks(indexes, l)
		wishes.Record[l] = merge(asks)
		conflicts = append(conflicts, conflictsOf(t, l, asks)...)
	}
	for _, i := range indexes {
		r := &p.Mailboxes[i]
		wishes.AuditEnabled = greater(wishes.AuditEnabled, r.AuditEnabled, r)
		wishes.AgeLimit = greater(wishes.AgeLimit, r.AgeLimit, r)
	}
	return wishes, conflicts
}

// greater keeps the greater of a wish and what another rule says; of equal ones
// the first stays.
func greater[T EnabledMode | time.Duration](have *Wish[T], said *Located[T], r *Rule) *Wish[T] {
	if said == nil || have != nil && have.Value >= said.Value {
		return have
	}
	return &Wish[T]{Value: said.Value, Origin: r.origin(said.Pos)}
}

// ask is one rule's wish for one logon type.
type ask struct {
	rule   *Rule
	record *Record
}

func (p *Policy) asks(indexes []int, l audit.LogonType) []ask {
	var asks []ask
	for _, i := range indexes {
		if r := &p.Mailboxes[i]; r.Record[l] != nil {
			asks = append(asks, ask{r, r.Record[l]})
		}
	}
	return asks
}

func (a ask) at(p Pos) Origin { return a.rule.origin(p) }

// origin names a place inside the rule.
func (r *Rule) origin(p Pos) Origin { return Origin{Pos: p, Rule: r.Name, Controls: r.Controls} }

// merge makes one wish of several; nil of none.
func merge(asks []ask) *RecordWish {
	if len(asks) == 0 {
		return nil
	}
	w := &RecordWish{}
	for _, a := range asks {
		r := a.record
		if r.Defaults != nil {
			w.Defaults = true
			w.parts = append(w.parts, part{form: formDefaults, origin: a.at(r.Defaults.Pos)})
		}
		if r.Managed != nil {
			w.Managed = true
			w.parts = append(w.parts, part{form: formManaged, origin: a.at(r.Managed.Pos)})
		}
		if r.Plus != nil {
			w.Plus = w.Plus.Union(r.Plus.Set())
			w.parts = append(w.parts, a.listed(formPlus, r.Plus)...)
		}
		if r.Exact != nil {
			if w.Exact == nil {
				w.Exact = new(r.Exact.Set())
			}
			w.parts = append(w.parts, a.listed(formExact, r.Exact)...)
		}
	}
	w.Origin = strictest(asks)
	return w
}

func (a ask) listed(f form, list *ActionList) []part {
	parts := make([]part, len(list.Actions))
	for i, item := range list.Actions {
		parts[i] = part{form: f, action: item.Value, origin: a.at(item.Pos)}
	}
	return parts
}

// strictest gives the first exact part, else the first managed part, else the
// first record.
func strictest(asks []ask) Origin {
	for _, a := range asks {
		if a.record.Exact != nil {
			return a.at(a.record.Exact.Pos)
		}
	}
	for _, a := range asks {
		if a.record.Managed != nil {
			return a.at(a.record.Managed.Pos)
		}
	}
	return asks[0].at(asks[0].record.Pos)
}
