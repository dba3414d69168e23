package reconcile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// cover meets the wishes of a group: by a new policy where there is a number at
// which it wins and takes nothing away, else by raising what stands before it, too.
func (r *retentionDiff) cover(group []needed) {
	lacking := slices.Clone(group)
	if group[0].blocked {
		r.blockedNew(lacking, longerThanAsked)
		return
	}
	at, ok := r.place(lacking)
	if !ok {
		for _, n := range lacking {
			for _, i := range r.short(n) {
				r.raiseFor(i, n)
			}
		}
		if lacking = slices.DeleteFunc(lacking, func(n needed) bool { return !r.lacking(n) }); len(lacking) == 0 {
			return
		}
		if at, ok = r.place(lacking); !ok {
			r.blockedNew(lacking, "there is no free priority at which a new policy would win over those that are too short and take nothing from those that are longer")
			return
		}
	}
	r.add(lacking, at, FatePlanned, "")
}

// place finds the highest free number at which a policy for the group wins over
// all that is too short, and over nothing that is longer than it.
func (r *retentionDiff) place(group []needed) (int, bool) {
	under, over := maxPriority+1, 0
	for _, n := range group {
		for _, c := range classesOf(r.policies, n.recordType) {
			at := c.priority(r.policies)
			if c.kept(r.policies) < n.least {
				under = min(under, at)
			}
			if c.mostKept(r.policies, n.least) > n.span() {
				over = max(over, at)
			}
		}
	}
	has := func(at int) func(retained) bool { return func(p retained) bool { return p.priority == at } }
	for at := under - 1; at > over; at-- {
		if !slices.ContainsFunc(r.policies, has(at)) && !slices.ContainsFunc(r.all, has(at)) {
			return at, true
		}
	}
	return 0, false
}

// blockedNew says which policy is missing and cannot be made.
func (r *retentionDiff) blockedNew(group []needed, why string) {
	r.add(group, 0, FateBlocked, "; not written: "+why)
}

// add makes a policy for a group of record types, under the first free name; with
// no number where there is none for it.
func (r *retentionDiff) add(group []needed, at int, fate Fate, why string) {
	p := retained{name: r.freeName(), priority: at, duration: string(group[0].target), span: group[0].span(), typesKnown: true}
	for _, n := range group {
		p.types = append(p.types, n.recordType)
	}
	slices.Sort(p.types)
	c := Change{
		Subject: p.subject(), Setting: audit.SettingRetentionPolicy, Before: nil, After: p.values(), Add: p.values(),
		Fate: fate, Origin: policy.Origin{Pos: group[0].pos}, Reason: r.whyNew(group) + why,
	}
	r.f.changes = append(r.f.changes, c)
	if fate == FatePlanned {
		r.policies, r.before = append(r.policies, p), append(r.before, p)
		r.sort()
	}
}

// sort orders the policies as they win again, after one has been added.
func (r *retentionDiff) sort() {
	last := len(r.policies) - 1
	to, _ := slices.BinarySearchFunc(r.policies[:last], r.policies[last].priority, func(p retained, at int) int { return p.priority - at })
	raised := map[int]raise{}
	for i, why := range r.raised {
		if i >= to {
			i++
		}
		raised[i] = why
	}
	for _, list := range []*[]retained{&r.policies, &r.before} {
		p := (*list)[last]
		*list = slices.Insert((*list)[:last], to, p)
	}
	r.raised = raised
}

// ownPrefix begins the names of the policies that this tool makes.
const ownPrefix = "exoaudit "

// ownName tells a name that this tool gives to a policy.
func ownName(name string) bool {
	n, err := strconv.Atoi(strings.TrimPrefix(name, ownPrefix))
	return err == nil && n > 0 && name == ownPrefix+strconv.Itoa(n)
}

// freeName is "exoaudit" and the least number that no policy has in its name.
func (r *retentionDiff) freeName() string {
	for n := 1; ; n++ {
		name := ownPrefix + strconv.Itoa(n)
		same := func(other string) bool { return strings.EqualFold(other, name) }
		if !slices.ContainsFunc(r.all, func(p retained) bool { return same(p.name) }) &&
			!slices.ContainsFunc(r.f.changes, func(c Change) bool { return same(c.Subject.ID) }) {
			return name
		}
	}
}

// whyNew says what of a group is not kept long enough.
func (r *retentionDiff) whyNew(group []needed) string {
	for _, n := range group {
		for _, c := range classesOf(r.policies, n.recordType) {
			if c.kept(r.policies) >= n.least {
				continue
			}
			by := "no policy takes hold of some, and without one they are kept for sure for " + inDays(standardRetention) + " only"
			if n.span() < licensedRetention {
				// semantics 5.3: a policy wins over what a licence gives, too.
				by += "; the policy takes the place of the " + inDays(licensedRetention) + " that an E5 licence gives for Exchange, so ask for as much where users have one"
			}
			if len(c) > 0 {
				p := r.policies[c[0]]
				by = fmt.Sprintf("some are kept by %s (priority %d) for %s", p.name, p.priority, p.duration)
			}
			return fmt.Sprintf("records of %s must be kept for %s, and %s", n.recordType, inDays(n.least), by)
		}
	}
	return "records must be kept longer"
}

// report gives the changes of the tenant's own policies, and those that nobody can
// tell which of them wins.
func (r *retentionDiff) report() {
	for i, p := range r.before {
		why, raised := r.raised[i]
		c := Change{Subject: p.subject(), Setting: audit.SettingRetentionPolicy, Before: p.values(), After: p.values(), Fate: FatePlanned}
		switch {
		case raised:
			longer := p
			longer.duration = string(why.to)
			c.After, c.Add, c.Remove = longer.values(), []string{"RetentionDuration=" + longer.duration}, []string{"RetentionDuration=" + p.duration}
			c.Reason, c.Origin = why.reason, policy.Origin{Pos: why.pos}
			if held := r.heldBack(i); held != "" {
				c.Fate = FateBlocked
				c.Reason += "; not written: " + held
			}
		case p.clashes:
			c.Fate, c.Origin = FateBlocked, policy.Origin{Pos: r.want.Pos}
			c.Reason = fmt.Sprintf("another policy has its priority %d: nobody can say which of them wins; give one of them another by hand", p.priority)
		default:
			continue
		}
		r.f.changes = append(r.f.changes, c)
	}
}
