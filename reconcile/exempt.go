package reconcile

import (
	"fmt"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// pardons are the exemptions that may speak of one mailbox, in the order of the
// policy: those that do, those of which it cannot be told, and those that did
// until they expired, which exempt nothing.
type pardons struct {
	sure, open, ended []policy.Exemption
}

// pardonsFor picks the exemptions from how they match a mailbox.
func (d differ) pardonsFor(match []policy.Match) pardons {
	var out pardons
	for i, m := range match {
		e := d.policy.Exemptions[i]
		switch {
		case e.Expired(d.now):
			if m == policy.Yes {
				out.ended = append(out.ended, e)
			}
		case m == policy.Yes:
			out.sure = append(out.sure, e)
		case m == policy.Open:
			out.open = append(out.open, e)
		}
	}
	return out
}

// mitigation is what exemptions make of the wishes for a mailbox. Each wish that
// is not met is either accepted as it is, or replaced by what is accepted.
type mitigation struct {
	// wishes are those that are left to be judged.
	wishes policy.Wishes
	// accepted are the changes that the policy does without.
	accepted []Change
	unknown  []UnknownObject
	// below are the exemptions whose floor replaces a wish, by where the floor is.
	below map[policy.Pos]policy.Exemption
}

// mitigate lowers the wishes that a mailbox does not meet to what exemptions
// accept. Of several exemptions it is enough to satisfy one, as each of them is a
// permission of its own; where none is satisfied the first is what must be
// reached. A value that cannot be read is left to the wish, which calls it
// unknown: it is not known to be within what is accepted either.
func (d differ) mitigate(c judged, w policy.Wishes, in pardons) mitigation {
	m := mitigation{wishes: w, below: map[policy.Pos]policy.Exemption{}}
	if len(in.sure)+len(in.open) == 0 {
		return m
	}
	for _, part := range wishParts() {
		wish := part.of(w)
		if f := d.judge(c, wish); len(f.changes) == 0 || len(f.unknown) > 0 {
			continue
		}
		d.mitigatePart(&m, c, part, wish, in)
	}
	return m
}

// mitigatePart does so for one wish that is not met.
func (d differ) mitigatePart(m *mitigation, c judged, part wishPart, wish policy.Wishes, in pardons) {
	var floor *policy.Wishes
	for _, e := range in.sure {
		lowered, speaks := part.accepted(wish, e)
		if !speaks {
			continue
		}
		if f := d.judge(c, lowered); len(f.changes)+len(f.unknown) == 0 {
			m.wishes = part.replace(m.wishes, policy.Wishes{})
			m.accepted = append(m.accepted, d.excused(c, wish, e)...)
			return
		}
		if floor == nil {
			floor = &lowered
			m.below[part.floorAt(e.Accept)] = e
		}
	}
	for _, e := range in.open {
		if _, speaks := part.accepted(wish, e); speaks {
			m.unknown = append(m.unknown, UnknownObject{Reason: fmt.Sprintf(
				"whether exemption %s (%s) applies cannot be told: %s", e.Name, e.Pos, d.whyOpen())})
			break
		}
	}
	if floor != nil {
		m.wishes = part.replace(m.wishes, *floor)
	}
}

// excused are the changes that an unmet wish would make, as differences that the
// policy accepts: listed, and not made. It is one for a setting, whatever guard
// would have held back a part of it.
func (d differ) excused(c judged, wish policy.Wishes, e policy.Exemption) []Change {
	open := *d.policy
	open.Guards.AllowWeakening, open.AllowUnknownActions = true, true
	d.policy = &open
	list := d.judge(c, wish).changes
	for i := range list {
		list[i].excuse(e)
	}
	return list
}

// excuse turns a difference into one that an exemption accepts.
func (c *Change) excuse(e policy.Exemption) {
	c.Controls = c.Origin.Controls
	c.After, c.Fate, c.Weakens, c.Pins = c.Before, FateExempt, false, false
	c.Origin = policy.Origin{Pos: e.Pos}
	c.Reason = fmt.Sprintf("exemption %s until %s for %s: %s", e.Name, e.Expires.Format(time.DateOnly), e.Owner, e.Reason)
}

// remark adds to the reasons of drift which exemption it has fallen out of: below
// what one accepts, or after its last day.
func (m mitigation) remark(changes []Change, in pardons) {
	for i := range changes {
		c := &changes[i]
		if e, ok := m.below[c.Origin.Pos]; ok {
			c.Reason += fmt.Sprintf("; this is the least that exemption %s accepts, until %s", e.Name, e.Expires.Format(time.DateOnly))
		}
		for _, e := range in.ended {
			if speaksOf(e.Accept, c.Setting) {
				c.Reason += fmt.Sprintf("; exemption %s ended on %s", e.Name, e.Expires.Format(time.DateOnly))
			}
		}
	}
}

// unmatched warns of selectors that choose nobody: of groups without members, and of
// exemptions for mailboxes that match none. Of the latter only a listing of all
// mailboxes that was read to its end can say so.
func (b *builder) unmatched() []string {
	out := slices.Clone(b.obs.groups.warnings)
	if b.scope() != ScopeFull || !b.req.Policy.HasMailboxes() || !b.readWhole(audit.KindMailbox) || len(b.obs.pop.nameless) > 0 {
		return out
	}
	pop, rules := b.obs.pop, len(b.req.Policy.Mailboxes)
	for i, e := range b.req.Policy.Exemptions {
		if e.Where == nil || pop.matchesAny(rules+i) {
			continue
		}
		out = append(out, fmt.Sprintf("exemption %s (%s) matches no mailbox; remove it, or correct its where", e.Name, e.Pos))
	}
	return out
}

// matchesAny tells whether a rule or exemption matches a mailbox, or may.
func (p *population) matchesAny(at int) bool {
	for _, k := range p.cases {
		if p.matchAt(k.match, at) != policy.No {
			return true
		}
	}
	return false
}
