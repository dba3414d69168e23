package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// A setting that was fixed and drifted again this often within this time is
// contested: somebody, or something, sets it back. It is not fixed once more
// without a word (design, issue "rings and contested").
const (
	contestedAfter = 3
	contestedTime  = 24 * time.Hour
)

// fixes are changes of one setting that one run verified. Seen is when the run saw
// that they were needed.
type fixes struct {
	runID    string
	seen, at time.Time
	subjects
}

// lately tells whether they were made within the last day. Of those that a clock
// which was ahead dates later than now nobody knows when they were made.
func (f fixes) lately(now time.Time) bool { return now.Sub(f.at).Abs() < contestedTime }

// dispute is a setting with the objects for which it is contested, and the fixes
// of each.
type dispute struct {
	kind    audit.SubjectKind
	setting audit.Setting
	of      []fixes // in the order of time
	mailbox []guid  // contested ones, sorted
	other   []string
}

// disputesOf finds what was fixed often enough, lately.
func disputesOf(all []fixes, now time.Time) []dispute {
	byWhat := map[[2]string][]fixes{}
	for _, f := range all {
		if f.lately(now) {
			key := [2]string{string(f.kind), string(f.setting)}
			byWhat[key] = append(byWhat[key], f)
		}
	}
	var out []dispute
	for _, key := range slices.SortedFunc(maps.Keys(byWhat), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		list := byWhat[key]
		if len(list) < contestedAfter {
			continue
		}
		slices.SortStableFunc(list, func(a, b fixes) int { return a.at.Compare(b.at) })
		var ids []guid
		var names []string
		for _, f := range list {
			ids, names = append(ids, f.ids...), append(names, f.names...)
		}
		slices.SortFunc(ids, compareGUID)
		slices.Sort(names)
		d := dispute{kind: list[0].kind, setting: list[0].setting, of: list, mailbox: oftenIn(ids), other: oftenIn(names)}
		if len(d.mailbox)+len(d.other) > 0 {
			out = append(out, d)
		}
	}
	return out
}

// oftenIn gives what stands in a sorted list at least so often that it is
// contested, each once.
func oftenIn[T comparable](sorted []T) []T {
	var out []T
	for from := 0; from < len(sorted); {
		to := from
		for to < len(sorted) && sorted[to] == sorted[from] {
			to++
		}
		if to-from >= contestedAfter {
			out = append(out, sorted[from])
		}
		from = to
	}
	return out
}

// dispute says that a setting of an object is contested, with the times of both
// sides; it is empty where it is not.
func (h *holder) dispute(s Subject, id guid, setting audit.Setting) string {
	for _, d := range h.disputes {
		if d.kind != s.Kind || d.setting != setting || !(subjects{ids: d.mailbox, names: d.other}).hasObject(s, id) {
			continue
		}
		var ours, theirs []string
		for _, f := range d.of {
			if !f.hasObject(s, id) {
				continue
			}
			if len(ours) > 0 {
				theirs = append(theirs, f.seen.UTC().Format(time.RFC3339))
			}
			ours = append(ours, f.at.UTC().Format(time.RFC3339))
		}
		theirs = append(theirs, h.changedSince(id, d).UTC().Format(time.RFC3339))
		return fmt.Sprintf("contested: it was fixed at %s, and found changed again at %s; somebody sets it back, so it is not fixed once more unless it is asked for by name",
			strings.Join(lastOf(ours), ", "), strings.Join(lastOf(theirs), ", "))
	}
	return ""
}

// changedSince is when a disputed object was last changed: by the service's word
// where it is later than what we did ourselves, else when this run found it so.
func (h *holder) changedSince(id guid, d dispute) time.Time {
	last := d.of[len(d.of)-1].at
	if at, known := h.changed(id); known && at.After(last) {
		return at
	}
	return h.now
}

// recall tells the observer what earlier runs left, and what that makes worth
// knowing of mailboxes.
func (o *observer) recall(m *Memory, now time.Time) {
	if o.memory = m; m == nil {
		return
	}
	for _, d := range disputesOf(m.fixes, now) {
		if d.kind == audit.KindMailbox {
			o.disputed = append(o.disputed, d.mailbox...)
		}
	}
	slices.SortFunc(o.disputed, compareGUID)
	o.needs.changed = len(o.disputed) > 0
}

// dispute notes when a mailbox was last changed, where somebody sets one of its
// settings back.
func (o *observer) dispute(id guid, m exchange.Mailbox) {
	if _, disputed := slices.BinarySearchFunc(o.disputed, id, compareGUID); !disputed {
		return
	}
	if at, known := date(m.WhenChangedUTC); known {
		o.obs.changed.Store(id, at)
	}
}

// changedAt tells when a disputed mailbox was last changed.
func (o *observation) changedAt(id guid) (time.Time, bool) {
	at, known := o.changed.Load(id)
	if !known {
		return time.Time{}, false
	}
	when, ok := at.(time.Time)
	return when, ok
}

// lastOf keeps the times of a long dispute few.
func lastOf(times []string) []string {
	const most = 5
	return times[max(0, len(times)-most):]
}

// askedByName tells for which kinds somebody has asked by name: a mailbox by
// itself, or one kind of the tenant's own settings.
func (b *builder) askedByName() func(audit.SubjectKind) bool {
	return func(k audit.SubjectKind) bool {
		if k == audit.KindMailbox {
			return b.req.Mailbox != ""
		}
		return slices.Contains(b.req.Selection.Only, k)
	}
}

// warnings say how much is contested.
func (h *holder) warnings() []string {
	var out []string
	if h.contested > 0 {
		out = append(out, fmt.Sprintf("%s contested: fixed at least %d times within a day, and changed again by somebody else. "+
			"They are left as they are: find out who changes them (their reasons have the times of both sides), then ask for them by name "+
			"(apply --mailbox ID, or --only KIND for settings of the tenant)", areContested(h.contested), contestedAfter))
	}
	if h.renewed > 0 {
		out = append(out, fmt.Sprintf("%s contested: fixed at least %d times within a day, and changed again by somebody else. "+
			"As it was asked for by name, it is planned once more", areContested(h.renewed), contestedAfter))
	}
	return out
}

func areContested(n int) string {
	if n == 1 {
		return "1 setting is"
	}
	return fmt.Sprintf("%d settings are", n)
}
