package reconcile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// DeedError says which intent of a journal cannot be understood. Nothing of the
// run is undone then: what else it says may be as wrong.
type DeedError struct {
	Seq int64 // the number of the entry
	Why string
}

func (e *DeedError) Error() string {
	return fmt.Sprintf("entry %d of the journal is not of a kind that this version can undo: %s", e.Seq, e.Why)
}

// deed is what a run did to one setting of one object: from what it found before its
// first write to what it meant to leave with its last.
type deed struct {
	subject Subject
	setting audit.Setting
	// before and after are a bool, a time span, or a sorted list, as in a [Change];
	// nil where a retention policy was not there.
	before, after any
	// pinned says that the list was Microsoft's before.
	pinned bool
	// lists are those that a restore of DefaultAuditSet replaced.
	lists map[audit.Setting][]string
	ending
}

// ending is what the journal tells of how a write ended.
type ending struct {
	// at is when that was recorded.
	at time.Time
	// unsure says that it may have been made and not show yet: it was accepted and not
	// seen, or its run ended before it knew. What a later run found of it is but what
	// the tenant showed then.
	unsure bool
	// failed says that its own run saw it fail. An answer that was lost may have been
	// that of a write which was made.
	failed bool
}

// deeds are all that a run did, sorted by subject.
type deeds struct {
	list []deed
	// notMade counts intents that came to nothing.
	notMade int
	// noWayBack names what the service cannot take back.
	noWayBack []string
}

// deedKey names one setting of one object.
type deedKey struct {
	kind    audit.SubjectKind
	id      string
	setting audit.Setting
}

// deedsOf reads what a run did from its journal. Of a write the last outcome
// counts. One without outcome may have been made: what the tenant shows tells.
func deedsOf(run string, entries []journal.Entry) (deeds, error) {
	var found deeds
	outcomes := map[string]journal.Entry{}
	keyOf := func(s journal.Subject, setting audit.Setting, change string) string {
		return strings.Join([]string{string(s.Kind), s.ID, string(setting), change}, "\x1e")
	}
	for _, e := range entries {
		if o := e.Outcome; o != nil && (o.Of == run || o.Of == "" && e.Run == run) {
			outcomes[keyOf(o.Subject, o.Setting, o.Change)] = e
		}
	}
	at := map[deedKey]int{}
	for _, e := range entries {
		i := e.Intent
		if i == nil || e.Run != run {
			continue
		}
		if i.Inverse.None != "" {
			found.noWayBack = append(found.noWayBack, fmt.Sprintf("%s of %s is not undone: %s", i.Setting, i.Subject.Kind, i.Inverse.None))
			continue
		}
		d, err := deedOf(*i)
		if err != nil {
			return deeds{}, &DeedError{Seq: e.Seq, Why: err.Error()}
		}
		var made bool
		if d.ending, made = endingOf(e, outcomes[keyOf(i.Subject, i.Setting, i.Change)]); !made {
			found.notMade++
			continue
		}
		k := deedKey{d.subject.Kind, d.subject.ID, d.setting}
		if n, again := at[k]; again {
			found.list[n].extend(d)
			continue
		}
		at[k] = len(found.list)
		found.list = append(found.list, d)
	}
	slices.SortStableFunc(found.list, func(a, b deed) int {
		return cmp.Or(
			strings.Compare(string(a.subject.Kind), string(b.subject.Kind)),
			strings.Compare(a.subject.ID, b.subject.ID),
			strings.Compare(string(a.setting), string(b.setting)),
		)
	})
	return found, nil
}

// endingOf reads how a write ended from its outcome, if there is one. It is not made
// where the service or the run itself said so.
func endingOf(intent, outcome journal.Entry) (how ending, made bool) {
	if outcome.Outcome == nil {
		return ending{at: intent.At, unsure: true}, true
	}
	how = ending{at: outcome.At}
	switch Result(outcome.Outcome.Result) {
	case ResultUnsupported, ResultSkipped, ResultNotNeeded:
		return how, false
	case ResultFailed:
		how.unsure = outcome.Outcome.Of != ""
		how.failed = !how.unsure
	case ResultUnconfirmed:
		how.unsure = true
	case ResultNone, ResultVerified:
	}
	return how, true
}

// extend adds a later write of the same run to the same setting.
func (d *deed) extend(later deed) {
	switch {
	case later.failed && !d.failed:
		return
	case d.failed && !later.failed:
		*d = later
		return
	}
	d.ending = later.ending
	d.after = later.after
	for s, list := range later.lists {
		if _, known := d.lists[s]; !known {
			d.lists[s] = list
		}
	}
}

// bySubject gives the deeds of each object together.
func (d deeds) bySubject(yield func([]deed) bool) {
	for first := 0; first < len(d.list); {
		s := d.list[first].subject
		last := first
		for last < len(d.list) && d.list[last].subject.Kind == s.Kind && d.list[last].subject.ID == s.ID {
			last++
		}
		if !yield(d.list[first:last]) {
			return
		}
		first = last
	}
}

// of gives the deeds on a kind of object.
func (d deeds) of(kind audit.SubjectKind) []deed {
	return slices.DeleteFunc(slices.Clone(d.list), func(x deed) bool { return x.subject.Kind != kind })
}

// OnRetention tells an intent on a retention policy: to undo its run takes the Security
// & Compliance service as well.
func OnRetention(i journal.Intent) bool { return i.Subject.Kind == audit.KindRetention }

// deedOf reads one intent. Its values come from a file that others may have had in
// their hands, so nothing of them is taken on trust.
func deedOf(i journal.Intent) (deed, error) {
	d := deed{
		subject: Subject{Kind: i.Subject.Kind, ID: i.Subject.ID, Name: i.Subject.Name, Type: i.Subject.Type},
		setting: i.Setting, lists: map[audit.Setting][]string{},
	}
	if kind := i.Setting.Kind(); kind == "" || kind != i.Subject.Kind {
		return d, fmt.Errorf("%q is no setting of %q", i.Setting, i.Subject.Kind)
	}
	switch d.subject.Kind {
	case audit.KindMailbox, audit.KindBypass:
		id, ok := parseGUID(d.subject.ID)
		if !ok || id.String() != d.subject.ID {
			return d, fmt.Errorf("%q is not a Guid", d.subject.ID)
		}
	case audit.KindRetention:
		if strings.TrimSpace(d.subject.ID) == "" {
			return d, errors.New("a retention policy without a name")
		}
		if (i.Before == nil || i.After == nil) && !ownName(d.subject.ID) {
			return d, fmt.Errorf("no run makes or removes a retention policy called %q", d.subject.ID)
		}
	default:
		if d.subject.ID != string(d.subject.Kind) {
			return d, fmt.Errorf("%q is not the %s", d.subject.ID, d.subject.Kind)
		}
	}
	var known [2]bool
	d.before, known[0] = valueOf(i.Setting, i.Before)
	d.after, known[1] = valueOf(i.Setting, i.After)
	if !known[0] || !known[1] {
		return d, fmt.Errorf("a value of %s has another form", i.Setting)
	}
	if d.before == nil && d.after == nil {
		return d, errors.New("a retention policy that was there neither before nor after")
	}
	if d.subject.Kind == audit.KindBypass && d.after == true {
		return d, errors.New("no run sets a bypass")
	}
	return d, d.inverse(i.Inverse)
}

// inverse takes from the journal what the values do not tell: whose a list was,
// and what a restore replaced.
func (d *deed) inverse(inv journal.Inverse) error {
	d.pinned = isList(d.setting) && inv.Setting == audit.SettingDefaultAuditSet
	if d.setting != audit.SettingDefaultAuditSet {
		return nil
	}
	for s, list := range inv.Lists {
		if !isList(s) || slices.Contains(list, "") {
			return fmt.Errorf("%q is no list that a restore replaces", s)
		}
		d.lists[s] = audit.SetOf(list).Slice()
	}
	if len(d.lists) == 0 {
		return errors.New("a restore of DefaultAuditSet without the lists that it replaced")
	}
	return nil
}

// isList tells the settings that are action lists.
func isList(s audit.Setting) bool { return s == audit.ListSetting(logonType(s)) }

// valueOf reads the value of a setting back from JSON. Lists are sorted.
func valueOf(s audit.Setting, v any) (any, bool) {
	switch s {
	case audit.SettingAuditDisabled, audit.SettingUnifiedAuditLogIngestionEnabled, audit.SettingAdminAuditLogEnabled,
		audit.SettingAuditBypassEnabled, audit.SettingAuditEnabled:
		_, ok := v.(bool)
		return v, ok
	case audit.SettingAuditLogAgeLimit, audit.SettingAdminAuditLogAgeLimit:
		text, _ := v.(string)
		d, err := audit.ParseTimeSpan(text)
		return audit.FormatTimeSpan(d), err == nil
	case audit.SettingRetentionPolicy:
		if v == nil {
			return nil, true
		}
	default:
	}
	return listOf(v)
}

func listOf(v any) (any, bool) {
	out := []string{}
	switch list := v.(type) {
	case []string:
		out = append(out, list...)
	case []any:
		for _, e := range list {
			name, ok := e.(string)
			if !ok {
				return nil, false
			}
			out = append(out, name)
		}
	default:
		return nil, false
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out, !slices.ContainsFunc(out, func(name string) bool { return strings.TrimSpace(name) == "" })
}
