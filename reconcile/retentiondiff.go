package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// needed is how long records of one type must be kept.
type needed struct {
	recordType string
	least      time.Duration
	pos        policy.Pos
	// target is what a policy for them is given; blocked where the service has none
	// that is not far longer.
	target  exchange.RetentionDuration
	blocked bool
}

// span is how long a policy for them keeps records.
func (n needed) span() time.Duration {
	span, _ := n.target.Span()
	return span
}

// retentionDiff works out what brings a list of policies in line. It raises a
// policy that is too short where that touches nothing but what the wish speaks of,
// or where nothing less helps; else it puts a new one before it. It never moves or
// removes one, and never has a record kept for less than before.
type retentionDiff struct {
	want policy.Retention
	// all are the tenant's, those that cannot be judged too; policies are the tenant's that can, with
	// what is raised so far.
	all, policies []retained
	// before are the same as they are; made are new ones.
	before []retained
	needs  []needed
	raised map[int]raise
	f      finding
}

// raise is why a policy is given a longer duration.
type raise struct {
	to     exchange.RetentionDuration
	pos    policy.Pos
	reason string
}

// retention judges the retention policies of a tenant. Each is an object, and so
// is one that is to be made.
func (d differ) retention(list []retained) (finding, StateCounts) {
	f := d.retentionFor(list, *d.policy.Retention)
	d.excuseRetention(&f, list)
	for i := range f.changes {
		c := &f.changes[i]
		c.Severity = d.policy.Severity(c.Setting)
		c.Controls = mergedControls(c.Controls, d.policy.Retention.Controls)
		c.normalise()
		*c = c.of(c.Subject)
	}
	if len(f.unknown) > 0 {
		block(f.changes, "another retention policy could not be judged")
	}
	sortAll(f.changes)
	return f, d.countRetention(list, f)
}

// retentionFor compares the policies with a wish.
func (d differ) retentionFor(list []retained, want policy.Retention) finding {
	r := retentionDiff{want: want, all: list, needs: needsOfRetention(want), raised: map[int]raise{}}
	for _, p := range list {
		switch {
		case p.missing == "":
			r.policies = append(r.policies, p)
		case r.relevant(p):
			r.f.unknown = append(r.f.unknown, UnknownObject{Subject: p.subject(), Setting: audit.SettingRetentionPolicy, Reason: p.missing})
		}
	}
	r.before = slices.Clone(r.policies)
	r.floor()
	r.raiseOwn()
	for _, group := range r.groups() {
		r.cover(group)
	}
	r.report()
	return r.f
}

// needsOfRetention gives the wishes by record type, each once, with the longest
// that is asked for. A new policy must not fall below the floor either.
func needsOfRetention(want policy.Retention) []needed {
	byType := map[string]needed{}
	for _, r := range want.Require {
		for _, t := range r.RecordTypes {
			key := strings.ToLower(t)
			if have, ok := byType[key]; !ok || r.AtLeast.Value > have.least {
				byType[key] = needed{recordType: t, least: r.AtLeast.Value, pos: r.AtLeast.Pos}
			}
		}
	}
	var out []needed
	for _, key := range slices.Sorted(maps.Keys(byType)) {
		n := byType[key]
		least := n.least
		if want.Floor != nil && ofExchange(n.recordType) {
			least = max(least, want.Floor.Value)
		}
		var sure bool
		n.target, sure = roundedUp(least)
		n.blocked = !sure
		out = append(out, n)
	}
	return out
}

// relevant tells whether the wish speaks of what a policy takes hold of.
func (r *retentionDiff) relevant(p retained) bool {
	return !p.typesKnown || r.want.Floor != nil && p.onExchange() ||
		slices.ContainsFunc(r.needs, func(n needed) bool { return p.takes(n.recordType) })
}

// floor raises the policies on records of Exchange that are too short.
func (r *retentionDiff) floor() {
	if r.want.Floor == nil {
		return
	}
	for i, p := range r.policies {
		if p.onExchange() && p.span < r.want.Floor.Value {
			to, _ := roundedUp(r.want.Floor.Value)
			r.raise(i, to, r.want.Floor.Pos, fmt.Sprintf("it keeps records of Exchange for %s only, and no policy may for less than %s",
				p.duration, inDays(r.want.Floor.Value)))
		}
	}
}

// raise gives a policy a longer duration; the longest that is asked for holds. One
// that cannot be written keeps what it has in the eyes of what follows.
func (r *retentionDiff) raise(i int, to exchange.RetentionDuration, pos policy.Pos, reason string) {
	span, _ := to.Span()
	if had, ok := r.raised[i]; ok {
		if old, _ := had.to.Span(); old >= span {
			return
		}
	}
	r.raised[i] = raise{to: to, pos: pos, reason: reason}
	if r.heldBack(i) == "" {
		r.policies[i].duration, r.policies[i].span = string(to), span
	}
}

// heldBack says why the raise of a policy cannot be made; empty where it can.
func (r *retentionDiff) heldBack(i int) string {
	switch p := r.before[i]; {
	case p.clashes:
		return fmt.Sprintf("another policy has its priority %d, and the service takes none that is not its own: give one of them another by hand", p.priority)
	case p.outside:
		return fmt.Sprintf("its priority %d is none that can be written", p.priority)
	case len(p.operations) > 0 && len(p.types) != 1:
		return "it has operations for other than one record type, which the service does not take"
	case r.wanting(r.raised[i].to):
		return longerThanAsked
	}
	return ""
}

const longerThanAsked = "the service has no duration for this but ten years, which nobody asked for: ask for at most a year, or for 10y"

// wanting tells ten years that stand for less.
func (r *retentionDiff) wanting(to exchange.RetentionDuration) bool {
	if to != exchange.TenYears {
		return false
	}
	span, _ := to.Span()
	asked := r.want.Floor != nil && r.want.Floor.Value == span
	return !asked && !slices.ContainsFunc(r.needs, func(n needed) bool { return n.least == span })
}

// short gives the policies that take hold of a record that must be kept longer.
func (r *retentionDiff) short(n needed) []int {
	var out []int
	for _, c := range classesOf(r.policies, n.recordType) {
		for _, i := range c.winners(r.policies) {
			if r.policies[i].span < n.least && !slices.Contains(out, i) {
				out = append(out, i)
			}
		}
	}
	return out
}

// raiseOwn raises the policies that are too short and take hold of nothing but
// records that must be kept longer.
func (r *retentionDiff) raiseOwn() {
	for _, n := range r.needs {
		for _, i := range r.short(n) {
			all, ok := r.allNeeded(r.policies[i])
			if !ok {
				continue
			}
			for _, own := range all {
				if !own.blocked && r.policies[i].span < own.span() {
					r.raiseFor(i, own)
				}
			}
		}
	}
}

// allNeeded gives the wishes for what a policy takes hold of, where there is one
// for each of its types.
func (r *retentionDiff) allNeeded(p retained) ([]needed, bool) {
	var out []needed
	for _, t := range p.types {
		i := slices.IndexFunc(r.needs, func(n needed) bool { return strings.EqualFold(n.recordType, t) })
		if i < 0 {
			return nil, false
		}
		out = append(out, r.needs[i])
	}
	return out, len(out) > 0
}

func (r *retentionDiff) raiseFor(i int, n needed) {
	r.raise(i, n.target, n.pos, fmt.Sprintf("it wins over what would keep records of %s longer than its %s, and they must be kept for %s",
		n.recordType, r.before[i].duration, inDays(n.least)))
}

// groups gives the wishes that are not met yet, together where one new policy can
// meet them.
func (r *retentionDiff) groups() [][]needed {
	type key struct {
		target  exchange.RetentionDuration
		blocked bool
	}
	byTarget := map[key][]needed{}
	for _, n := range r.needs {
		if r.lacking(n) {
			at := key{n.target, n.blocked}
			byTarget[at] = append(byTarget[at], n)
		}
	}
	out := slices.Collect(maps.Values(byTarget))
	slices.SortFunc(out, func(a, b []needed) int {
		return cmp.Or(cmp.Compare(b[0].span(), a[0].span()), strings.Compare(a[0].recordType, b[0].recordType))
	})
	return out
}

func (r *retentionDiff) lacking(n needed) bool {
	return slices.ContainsFunc(classesOf(r.policies, n.recordType), func(c recordClass) bool { return c.kept(r.policies) < n.least })
}
