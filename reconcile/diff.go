package reconcile

import (
	"fmt"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// finding is what the diff says of one case: how its mailboxes stand, the
// changes that would bring them in line, without their subjects, and what
// could not be judged.
type finding struct {
	state   State
	changes []Change
	unknown []UnknownObject
	// carried tells that an earlier run found it, and this one has not read what it
	// is about.
	carried bool
	// raw is the finding before some of its changes were held; nil where none is.
	raw *finding
}

// differ compares profiles with wishes. It is pure: everything it knows is in
// it.
type differ struct {
	policy    *policy.Policy
	catalogue catalogue
	// storedMissing says why stored AuditEnabled values are not known; empty
	// where they are, or where no rule asks for them.
	storedMissing string
	// now decides which exemptions have expired.
	now time.Time
}

// judged is what one case shows: a profile, and whether the filter found its
// stored AuditEnabled not to be true.
type judged struct {
	profile   profile
	stored    bool
	contested map[audit.LogonType]bool
}

// judge compares what a case shows with wishes, and nothing else.
func (d differ) judge(c judged, w policy.Wishes) finding {
	var f finding
	d.lists(&f, c.profile, w, c.contested)
	d.enabled(&f, c.profile, w.AuditEnabled, c.stored)
	d.age(&f, c.profile, w.AgeLimit)
	return f
}

// mailbox judges one case: a profile, and how each rule and then each exemption
// matches it.
func (d differ) mailbox(p profile, match []policy.Match, stored bool) finding {
	var f finding
	if p.kind.missing != "" {
		f.unknown = append(f.unknown, UnknownObject{Reason: p.kind.missing})
	}
	var matched []int
	for i, m := range match[:len(d.policy.Mailboxes)] {
		switch m {
		case policy.Yes:
			matched = append(matched, i)
		case policy.Open:
			r := d.policy.Mailboxes[i]
			f.unknown = append(f.unknown, UnknownObject{Reason: fmt.Sprintf(
				"whether rule %s (%s) applies cannot be told: %s",
				r.Name, r.Pos, d.whyOpen())})
		case policy.No:
		}
	}
	if len(matched) == 0 {
		f.state = NotApplicable
		if len(f.unknown) > 0 {
			f.state = Unknown
		}
		return f
	}
	wishes, conflicts := d.policy.Resolve(p.kind.value, matched)
	for _, c := range conflicts {
		f.unknown = append(f.unknown, UnknownObject{
			Setting: audit.ListSetting(c.Logon),
			Reason:  fmt.Sprintf("rules contradict each other: %s (%s and %s)", c.Message, c.First.Pos, c.Second.Pos),
		})
	}
	c := judged{profile: p, stored: stored, contested: map[audit.LogonType]bool{}}
	for _, conflict := range conflicts {
		c.contested[conflict.Logon] = true
	}
	in := d.pardonsFor(match[len(d.policy.Mailboxes):])
	m := d.mitigate(c, wishes, in)
	left := d.judge(c, m.wishes)
	m.remark(left.changes, in)
	f.changes = slices.Concat(left.changes, m.accepted)
	f.unknown = slices.Concat(f.unknown, left.unknown, m.unknown)
	d.controls(f.changes, c, matched)
	d.finish(&f, p)
	return f
}

// stands settles the state by one more change.
func (f *finding) stands(fate Fate) {
	switch {
	case fate != FateExempt:
		f.state = Drifted
	case f.state == InSync:
		f.state = Exempt
	}
}

// finish settles the state, and takes out of the plan what must not be
// written: anything on an object that is unknown, and anything on a type whose
// settings are not known to be writable.
func (d differ) finish(f *finding, p profile) {
	f.state = InSync
	for i := range f.changes {
		c := &f.changes[i]
		c.Severity = d.policy.Severity(c.Setting)
		c.normalise()
		f.stands(c.Fate)
		switch {
		case len(f.unknown) > 0 && c.Fate == FatePlanned:
			c.Fate = FateBlocked
			c.Reason += "; not written, as another value of this mailbox is unknown"
		case audit.Writable(p.kind.value) == audit.WriteUndocumented && c.Fate == FatePlanned:
			// semantics 2.4: nothing says that these types can be written.
			c.Fate = FateUnsupported
			c.Reason += fmt.Sprintf("; whether audit settings of a %s can be written is not documented (%s)", p.kind.value, audit.TypeSource(p.kind.value))
		}
	}
	sortChanges(f.changes)
	if len(f.unknown) > 0 {
		f.state = Unknown
	}
}

// enabled judges AuditEnabled. For types that on-by-default covers the service
// shows true whatever is stored (semantics 2.2), so "explicit" is answered by
// the listing of stored values alone.
func (d differ) enabled(f *finding, p profile, w *policy.Wish[policy.EnabledMode], stored bool) {
	if w == nil {
		return
	}
	if p.enabled.missing != "" {
		f.unknown = append(f.unknown, UnknownObject{Setting: audit.SettingAuditEnabled, Reason: p.enabled.missing})
		return
	}
	hidden := audit.OnByDefault(p.kind.value) != audit.NotCovered
	on := p.enabled.value == triTrue
	why := "auditing is off here: on-by-default does not cover this type of mailbox, or is not known to"
	switch {
	case w.Value == policy.Effective && audit.OnByDefault(p.kind.value) == audit.Covered:
		on = true
	case w.Value == policy.Explicit && hidden:
		if d.storedMissing != "" {
			f.unknown = append(f.unknown, UnknownObject{Setting: audit.SettingAuditEnabled, Reason: d.storedMissing})
			return
		}
		on, why = !stored, "the stored AuditEnabled is not true; on-by-default hides that"
	}
	if on {
		return
	}
	f.changes = append(f.changes, Change{
		Setting: audit.SettingAuditEnabled, Before: false, After: true,
		Fate: FatePlanned, Reason: why, Origin: w.Origin,
	})
}

// age judges AuditLogAgeLimit: a longer one always satisfies.
func (d differ) age(f *finding, p profile, w *policy.Wish[time.Duration]) {
	if w == nil {
		return
	}
	if p.age.missing != "" {
		f.unknown = append(f.unknown, UnknownObject{Setting: audit.SettingAuditLogAgeLimit, Reason: p.age.missing})
		return
	}
	if p.age.value >= w.Value {
		return
	}
	f.changes = append(f.changes, Change{
		Setting: audit.SettingAuditLogAgeLimit,
		Before:  audit.FormatTimeSpan(p.age.value), After: audit.FormatTimeSpan(w.Value),
		Fate: FatePlanned, Reason: "the mailbox audit log is kept for less than the policy asks", Origin: w.Origin,
	})
}
