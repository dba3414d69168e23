package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// lists judges the three action lists. Logon types that must be managed are
// gathered, as DefaultAuditSet is one value for all of them.
func (d differ) lists(f *finding, p profile, w policy.Wishes, contested map[audit.LogonType]bool) {
	restore := restoration{profile: p}
	for _, l := range audit.LogonTypes() {
		wish := w.Record[l]
		if wish == nil || contested[l] {
			continue
		}
		if why := unreadable(p, l); why != "" {
			f.unknown = append(f.unknown, UnknownObject{Setting: audit.ListSetting(l), Reason: why})
			continue
		}
		switch {
		case wish.Managed:
			d.managed(f, &restore, l, *wish)
		case wish.Exact != nil:
			d.exact(f, p, l, *wish)
		default:
			d.atLeast(f, p, l, *wish)
		}
	}
	var pinned logons
	for _, c := range f.changes {
		if c.Pins && c.Fate == FatePlanned {
			pinned = pinned.with(logonType(c.Setting))
		}
	}
	f.changes = append(f.changes, restore.changes(pinned)...)
}

// unreadable says why the list of a logon type cannot be judged. Which types
// Microsoft manages, and the licence on which its defaults may depend, belong
// to the answer.
func unreadable(p profile, l audit.LogonType) string {
	for _, why := range []string{p.lists[l].missing, p.managed.missing, p.licensed.missing} {
		if why != "" {
			return why
		}
	}
	if p.managed.value.has(l) && p.lists[l].value.Len() == 0 {
		return "Audit" + l.String() + " is empty although Microsoft manages it"
	}
	return ""
}

// managed wants the logon type in DefaultAuditSet.
func (d differ) managed(f *finding, r *restoration, l audit.LogonType, w policy.RecordWish) {
	have, defaults := r.profile.lists[l].value, d.catalogue.defaults(r.profile, l)
	if !r.profile.managed.value.has(l) {
		lost := have.Minus(defaults)
		r.add(l, w.Origin, lost, lost.Len() > 0 && !d.policy.Guards.AllowWeakening)
		return
	}
	// The policy was accepted because these actions were Microsoft's defaults
	// when the matrix was dated. Here they are not: it contradicts itself.
	if lacking := w.Plus.Minus(have); lacking.Len() > 0 {
		f.unknown = append(f.unknown, UnknownObject{Setting: audit.ListSetting(l), Reason: fmt.Sprintf(
			"%s must be managed by Microsoft and record %s, which Microsoft's list does not hold here (%s)",
			l, lacking, w.OriginOf(lacking).Pos)})
	}
}

// exact wants this list and no other. What is missing is added; what is too
// much is a weakening, and a change of its own unless the policy allows it.
func (d differ) exact(f *finding, p profile, l audit.LogonType, w policy.RecordWish) {
	have := p.lists[l].value
	missing, extra := w.Exact.Minus(have), have.Minus(*w.Exact)
	if extra.Len() == 0 || !d.policy.Guards.AllowWeakening {
		d.addMissing(f, p, l, w, missing)
	}
	if extra.Len() == 0 {
		return
	}
	c := d.listChange(p, l, w)
	c.Remove, c.Weakens = extra.Slice(), true
	if !d.policy.Guards.AllowWeakening {
		c.After, c.Fate = w.Exact.Slice(), FateBlocked
		c.Reason = "allowWeakening: the policy wants exactly its own list, and removing actions would record less"
		f.changes = append(f.changes, c)
		return
	}
	unknown := d.unwritable(w, missing)
	known := missing.Minus(unknown)
	c.Add, c.After = known.Slice(), have.Union(known).Minus(extra).Slice()
	c.Reason = "the policy wants exactly its own list, and allows to record less"
	f.changes = append(f.changes, c)
	d.addUnknown(f, p, l, w, unknown)
}

// atLeast wants what Microsoft records by default, or what is named, or both.
// A managed list satisfies the defaults as it stands, whatever they are.
func (d differ) atLeast(f *finding, p profile, l audit.LogonType, w policy.RecordWish) {
	want := w.Plus
	if w.Defaults && !p.managed.value.has(l) {
		want = want.Union(d.catalogue.defaults(p, l))
	}
	if missing := want.Minus(p.lists[l].value); missing.Len() > 0 {
		d.addMissing(f, p, l, w, missing)
	}
}

// addMissing adds actions to a list. Names that this version does not know are
// split off: they are wanted, so the mailbox is not in line without them, but
// they are written only if the policy takes that upon itself.
func (d differ) addMissing(f *finding, p profile, l audit.LogonType, w policy.RecordWish, missing audit.ActionSet) {
	unknown := d.unwritable(w, missing)
	if known := missing.Minus(unknown); known.Len() > 0 {
		c := d.listChange(p, l, w)
		c.Add, c.After = known.Slice(), p.lists[l].value.Union(known).Slice()
		c.Origin = w.OriginOf(known)
		c.Reason = whyMissing(w, known, c.Pins)
		f.changes = append(f.changes, c)
	}
	d.addUnknown(f, p, l, w, unknown)
}

// unwritable are the actions that the policy names and this version does not
// know. One that the tenant itself shows as a default is known by that.
func (d differ) unwritable(w policy.RecordWish, missing audit.ActionSet) audit.ActionSet {
	if d.policy.AllowUnknownActions {
		return audit.ActionSet{}
	}
	named := w.Plus
	if w.Exact != nil {
		named = named.Union(*w.Exact)
	}
	return missing.Unknown().Intersect(named)
}

func (d differ) addUnknown(f *finding, p profile, l audit.LogonType, w policy.RecordWish, unknown audit.ActionSet) {
	if unknown.Len() == 0 {
		return
	}
	c := d.listChange(p, l, w)
	c.Add, c.After = unknown.Slice(), p.lists[l].value.Union(unknown).Slice()
	c.Origin = w.OriginOf(unknown)
	c.Fate = FateBlocked
	c.Reason = "allowUnknownActions: the policy names actions that this version does not know, and does not let them be written"
	f.changes = append(f.changes, c)
}

// whyMissing says why actions are to be added. The actions themselves stand
// beside it, and are not said again.
func whyMissing(w policy.RecordWish, missing audit.ActionSet, pins bool) string {
	why := "the list is pinned, and lacks actions of Microsoft's default set"
	switch {
	case w.Exact != nil:
		why = "the policy wants exactly its own list"
	case missing.Intersect(w.Plus).Len() > 0:
		why = "the policy names actions that are not recorded"
	}
	if pins {
		why += "; adding to the list takes it out of Microsoft's management"
	}
	return why
}

// listChange is the part that all changes of one list share. Writing a list
// takes its logon type out of Microsoft's hands (semantics 2.1).
func (d differ) listChange(p profile, l audit.LogonType, w policy.RecordWish) Change {
	return Change{
		Setting: audit.ListSetting(l), Before: p.lists[l].value.Slice(), Fate: FatePlanned,
		Pins: p.managed.value.has(l), Origin: w.Origin,
	}
}

// restoration gathers the logon types of one mailbox that must go back under
// Microsoft's management: those whose lists lose nothing by it, and those that
// the guard holds back.
type restoration struct {
	profile        profile
	free, held     logons
	lost           []string
	freeAt, heldAt policy.Origin
	weakens        bool
}

func (r *restoration) add(l audit.LogonType, at policy.Origin, lost audit.ActionSet, held bool) {
	into, origin := &r.free, &r.freeAt
	if held {
		into, origin = &r.held, &r.heldAt
	}
	if *into == 0 {
		*origin = at
	}
	*into = into.with(l)
	if lost.Len() > 0 {
		r.lost = append(r.lost, fmt.Sprintf("%s (%s)", lost, strings.ToLower(l.String())))
		r.weakens = r.weakens || !held
	}
}

// changes makes at most two changes: one planned, one blocked. Types that the
// same plan pins will not be in DefaultAuditSet when it is done.
func (r *restoration) changes(pinned logons) []Change {
	var out []Change
	now := r.profile.managed.value
	if r.free != 0 {
		c := Change{
			Setting: audit.SettingDefaultAuditSet, Before: now.names(), After: ((now | r.free) &^ pinned).names(), Add: r.free.names(),
			Fate: FatePlanned, Weakens: r.weakens, Origin: r.freeAt,
			Reason: strings.Join(r.free.names(), ", ") + " must be managed by Microsoft; the list is pinned",
		}
		if r.weakens {
			c.Reason += "; restoring it drops " + strings.Join(r.lost, ", ")
		}
		out = append(out, c)
	}
	if r.held != 0 {
		out = append(out, Change{
			Setting: audit.SettingDefaultAuditSet, Before: now.names(), After: ((now | r.free | r.held) &^ pinned).names(), Add: r.held.names(),
			Fate: FateBlocked, Weakens: true, Origin: r.heldAt,
			Reason: "allowWeakening: restoring Microsoft's defaults would drop " + strings.Join(r.lost, ", "),
		})
	}
	return out
}

// normalise makes the lists of a change sorted and never nil, and fills the id
// of a change that has its subject already.
func (c *Change) normalise() {
	// Those of the policy are shared with it, and sorted.
	c.Controls = mergedControls(c.Controls, c.Origin.Controls)
	for _, list := range []*[]string{&c.Add, &c.Remove} {
		if *list == nil {
			*list = []string{}
		}
		slices.Sort(*list)
	}
}
