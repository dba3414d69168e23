package reconcile

import (
	"fmt"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// step is the way back of one setting: the change that makes it, and what the object
// would then be. A step that is already there makes no change.
type step struct {
	Change
	of       deed
	asBefore bool
	changed  bool // since the run
	// then is the mailbox after this step alone; notStored tells whether its
	// stored AuditEnabled is not true then.
	then      profile
	notStored bool
}

// blocked is a step that is not taken.
func (s step) blocked(format string, args ...any) step {
	s.Fate = FateBlocked
	s.Reason += "; not written: " + fmt.Sprintf(format, args...)
	return s
}

// since is a step that is not taken because the object shows something else than
// the run left.
func (s step) since(shows any) step {
	s.changed = true
	return s.blocked("changed since: it shows %s", shownWords(shows))
}

// shownWords writes a value for a reason.
func shownWords(v any) string {
	list, ok := v.([]string)
	switch {
	case v == nil:
		return "nothing"
	case !ok:
		return fmt.Sprint(v)
	default:
		return namesOrNothing(list)
	}
}

// begin is a step of a deed, from what is there now.
func (b *undoBuilder) begin(d deed, now any) step {
	return step{of: d, Change: Change{
		Subject: d.subject, Setting: d.setting, Before: now, After: d.before, Fate: FatePlanned, Reason: "undoes run " + b.req.Run,
	}}
}

// mailboxBack plans the way back of one mailbox.
type mailboxBack struct {
	*undoBuilder
	id      string
	now     profile
	stored  bool // the filter finds its stored AuditEnabled not to be true
	steps   []step
	unknown []UnknownObject
}

// mailbox plans the way back of what was written on one mailbox.
func (b *undoBuilder) mailbox(of []deed) {
	s := of[0].subject
	seen, known := b.view.mailboxes[s.ID]
	switch {
	case !known:
		b.keep(s, nil, []UnknownObject{{Reason: "nothing came back for it"}})
		return
	case seen.gone:
		b.gone(s, of, "the mailbox is gone")
		return
	case seen.unread != "":
		b.keep(s, nil, []UnknownObject{{Reason: seen.unread}})
		return
	}
	m := &mailboxBack{undoBuilder: b, id: s.ID, now: seen.profile, stored: b.view.notStored(s.ID)}
	s.Name, s.Type = seen.name, seen.profile.kind.value
	if why := m.now.kind.missing; why != "" {
		m.unknown = append(m.unknown, UnknownObject{Reason: why})
	}
	for _, d := range of {
		m.step(d)
	}
	b.judgeMailbox(m, seen.match)
	b.keep(s, m.merged(), m.unknown)
}

// gone blocks all deeds on an object that is not there any more.
func (b *undoBuilder) gone(s Subject, of []deed, why string) {
	var steps []step
	for _, d := range of {
		steps = append(steps, b.begin(d, d.after).blocked("%s", why))
	}
	b.keep(s, steps, nil)
}

// step plans the way back of one setting of the mailbox.
func (m *mailboxBack) step(d deed) {
	missing := ""
	switch d.setting {
	case audit.SettingAuditEnabled:
		missing = m.now.enabled.missing
		if missing == "" && hidesStored(m.now) {
			missing = m.view.storedMissing
		}
	case audit.SettingAuditLogAgeLimit:
		missing = m.now.age.missing
	case audit.SettingDefaultAuditSet:
		for _, l := range audit.LogonTypes() {
			if _, replaced := d.lists[audit.ListSetting(l)]; replaced && missing == "" {
				missing = m.unreadList(l)
			}
		}
	default:
		missing = m.unreadList(logonType(d.setting))
	}
	if missing != "" {
		m.unknown = append(m.unknown, UnknownObject{Setting: d.setting, Reason: missing})
		return
	}
	switch d.setting {
	case audit.SettingAuditEnabled:
		m.enabled(d)
	case audit.SettingAuditLogAgeLimit:
		m.age(d)
	case audit.SettingDefaultAuditSet:
		m.pinAgain(d)
	default:
		if d.pinned {
			m.unpin(d)
		} else {
			m.list(d)
		}
	}
}

// unreadList says why a list cannot be judged.
func (m *mailboxBack) unreadList(l audit.LogonType) string {
	if why := m.now.lists[l].missing; why != "" {
		return why
	}
	return m.now.managed.missing
}

// enabled goes back to another AuditEnabled. What a run found is on record as true
// or not true: whether it was false or had never been set nobody knows, and "never
// set" cannot be written.
func (m *mailboxBack) enabled(d deed) {
	now := m.now.enabled.value == triTrue
	if hidesStored(m.now) {
		now = !m.stored
	}
	want, _ := d.before.(bool)
	s := m.begin(d, now)
	s.then, s.notStored = m.now, !want
	if s.asBefore = now == want; !want {
		s.Reason += "; it becomes false: whether it was false or had never been set is not on record, and the latter cannot be written"
		s.then.enabled = fact[tri]{value: triFalse}
		if hidesStored(m.now) {
			s.then.enabled = m.now.enabled
		}
	} else {
		s.then.enabled = fact[tri]{value: triTrue}
	}
	if !s.asBefore && now != d.after {
		s = s.since(now)
	}
	m.steps = append(m.steps, s)
}

// age goes back to another age limit.
func (m *mailboxBack) age(d deed) {
	now := audit.FormatTimeSpan(m.now.age.value)
	s := m.begin(d, now)
	s.then, s.notStored = m.now, m.stored
	text, _ := d.before.(string)
	span, err := audit.ParseTimeSpan(text)
	s.then.age = fact[time.Duration]{value: span}
	switch {
	case now == d.before:
		s.asBefore = true
	case now != d.after:
		s = s.since(now)
	case err != nil || !writableSpan(span):
		s = s.blocked("%s cannot be written: a limit must be above zero and of whole seconds", text)
	}
	m.steps = append(m.steps, s)
}

// writableSpan tells whether a time span can be sent: zero would empty a log
// (semantics 2.5), and parts of a second have no documented form.
func writableSpan(d time.Duration) bool { return d > 0 && d%time.Second == 0 }

// list takes back what was added to a list that was pinned before, and puts back
// what was removed. What others have done to it since stays.
func (m *mailboxBack) list(d deed) {
	l := logonType(d.setting)
	before, after := setOfAny(d.before), setOfAny(d.after)
	now, added, removed := m.now.lists[l].value, after.Minus(before), before.Minus(after)
	then := now.Minus(added).Union(removed)
	s := m.begin(d, now.Slice())
	s.After, s.Remove, s.Add = then.Slice(), added.Slice(), removed.Slice()
	s.then, s.notStored = m.now.withList(l, then), m.stored
	switch {
	case m.now.managed.value.has(l):
		m.steps = append(m.steps, s.blocked("changed since: Microsoft manages the list now"))
	case now.Intersect(added).Len() == 0 && now.ContainsAll(removed):
		s.asBefore = true
		m.steps = append(m.steps, s)
	case !now.ContainsAll(added) || now.Intersect(removed).Len() > 0:
		m.steps = append(m.steps, s.since(now.Slice()))
	case then.Len() == 0:
		m.steps = append(m.steps, s.blocked(emptyList))
	default:
		m.steps = append(m.steps, m.sendable(s, l, then)...)
	}
}

// emptyList is why a list is not emptied (semantics 10).
const emptyList = "the list was empty, and whether one can be emptied is not known"

// sendable takes out of a step the actions that the service does not take any more,
// such as MessageBind (semantics 1.3 E3), and names them in a step that is not taken.
func (m *mailboxBack) sendable(s step, l audit.LogonType, then audit.ActionSet) []step {
	sent := then
	if !s.Pins { // Only what is added is sent, and not the whole list.
		sent = then.Minus(m.now.lists[l].value)
	}
	refused := audit.SetOf(slices.DeleteFunc(sent.Slice(), func(name string) bool {
		a, known := audit.Canonical(name)
		return !known || audit.Status(l, a) != audit.Rejected
	}))
	if refused.Len() == 0 {
		return []step{s}
	}
	left := s
	left.After, left.Add, left.Remove, left.Pins = then.Slice(), refused.Slice(), nil, false
	left = left.blocked("the service does not take %s for %s any more", refused, l)
	then = then.Minus(refused)
	if then.Len() == 0 {
		return []step{left}
	}
	s.After, s.Add = then.Slice(), audit.SetOf(s.Add).Minus(refused).Slice()
	s.Remove = m.now.lists[l].value.Minus(then).Slice()
	s.then = s.then.withList(l, then)
	if len(s.Add)+len(s.Remove) == 0 && !s.Pins {
		return []step{left}
	}
	return []step{s, left}
}

// unpin gives a list back to Microsoft that the run took out of its hands. A list
// that shows anything but what the run left would lose more by that than the run
// brought.
func (m *mailboxBack) unpin(d deed) {
	l := logonType(d.setting)
	now, before := m.now.lists[l].value, setOfAny(d.before)
	s := m.begin(d, m.now.managed.value.names())
	s.Setting, s.Add, s.Remove = audit.SettingDefaultAuditSet, []string{l.String()}, nil
	s.After = m.now.managed.value.with(l).names()
	s.then, s.notStored = m.now.withList(l, before.Intersect(m.restored(l))), m.stored
	s.then.managed = fact[logons]{value: m.now.managed.value.with(l)}
	m.plan.undo.defaults[managedList{m.id, l}], m.plan.undo.shown[managedList{m.id, l}] = before, now
	switch {
	case m.now.managed.value.has(l):
		s.asBefore = true
		m.alreadyManaged(l, before)
	case !now.Equal(setOfAny(d.after)):
		s = s.blocked("changed since: Audit%s shows %s, and a restore of Microsoft's defaults would lose what others made of it", l, orNothing(now))
	}
	m.steps = append(m.steps, s)
}

// restored is what is known for sure of what a restore of Microsoft's defaults brings.
// What the journal says of them is of another day, and perhaps of somebody's hand.
func (m *mailboxBack) restored(l audit.LogonType) audit.ActionSet {
	return m.differ().catalogue.defaults(m.now, l)
}

// alreadyManaged says where a list that Microsoft manages again shows another set
// than before the run.
func (m *mailboxBack) alreadyManaged(l audit.LogonType, before audit.ActionSet) {
	if now := m.now.lists[l].value; !now.Equal(before) {
		m.plan.Warnings = append(m.plan.Warnings, movedSince(m.id, l, before, now))
	}
}

// movedSince says that Microsoft's defaults have changed: nothing brings the former
// ones back.
func movedSince(id string, l audit.LogonType, was, now audit.ActionSet) string {
	return fmt.Sprintf("Audit%s of mailbox %s is managed by Microsoft as before the run, and its defaults are others by now: they have also %s, and lack %s",
		l, id, orNothing(now.Minus(was)), orNothing(was.Minus(now)))
}

// pinAgain writes the lists that a restore of Microsoft's defaults replaced.
func (m *mailboxBack) pinAgain(d deed) {
	for _, l := range audit.LogonTypes() {
		list, replaced := d.lists[audit.ListSetting(l)]
		if !replaced {
			continue
		}
		now, then := m.now.lists[l].value, audit.SetOf(list)
		s := m.begin(d, now.Slice())
		s.Setting, s.After, s.Pins = audit.ListSetting(l), then.Slice(), true
		s.Add, s.Remove = then.Minus(now).Slice(), now.Minus(then).Slice()
		s.then, s.notStored = m.now.withList(l, then), m.stored
		s.then.managed = fact[logons]{value: m.now.managed.value.without(l)}
		switch {
		case m.now.managed.value.has(l) && then.Len() == 0:
			m.steps = append(m.steps, s.blocked(emptyList))
		case m.now.managed.value.has(l):
			m.steps = append(m.steps, m.sendable(s, l, then)...)
		case now.Equal(then):
			s.asBefore = true
			m.steps = append(m.steps, s)
		default:
			s.Pins = false
			m.steps = append(m.steps, s.since(now.Slice()))
		}
	}
}

// merged makes one change of the restores that are planned, as DefaultAuditSet is
// one value for all logon types.
func (m *mailboxBack) merged() []step {
	var whole *step
	var out []step
	pinned := logons(0)
	for _, s := range m.steps {
		if s.Pins && s.Fate == FatePlanned && !s.asBefore {
			pinned = pinned.with(logonType(s.Setting))
		}
	}
	for _, s := range m.steps {
		if s.Setting != audit.SettingDefaultAuditSet || s.Fate != FatePlanned || s.asBefore {
			out = append(out, s)
			continue
		}
		if whole == nil {
			whole = &s
			continue
		}
		whole.Add = append(slices.Clone(whole.Add), s.Add...)
		whole.Weakens = whole.Weakens || s.Weakens
	}
	if whole == nil {
		return out
	}
	after := m.now.managed.value &^ pinned
	for _, name := range whole.Add {
		if l, ok := audit.ParseLogonType(name); ok {
			after = after.with(l)
		}
	}
	whole.After = after.names()
	return append(out, *whole)
}

// withList is the profile with another list.
func (p profile) withList(l audit.LogonType, set audit.ActionSet) profile {
	p.lists[l] = fact[audit.ActionSet]{value: set}
	return p
}

// setOfAny is the set of a list that a deed names.
func setOfAny(v any) audit.ActionSet {
	list, _ := v.([]string)
	return audit.SetOf(list)
}
