package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

// htmlFound is what one pass over the changes gathers. It grows with the number of
// causes up to a bound, and not with the number of findings.
type htmlFound struct {
	standings [settled + 1]int
	bySetting map[string]*htmlSetting
	held      []*htmlHeld // blocked and unsupported, in the order of their first
	heldMore  int
	causes    []*htmlCause
	results   map[string]map[reconcile.Result]int // by kind of subject
	further   map[htmlFurtherKey]int              // findings whose cause is not shown

	budget, names htmlBudget
	namesOfEach   int
}

type htmlFurtherKey struct {
	standing standing
	setting  string
}

// htmlSetting is the drift of one setting. Severities and fates count what is open and
// not accepted.
type htmlSetting struct {
	Rule       rule
	BySeverity map[string]int
	High       int // high ones that count
	Drift      int
	Blocked    int
	NotSet     int
	Accepted   int
	Settled    int
}

// htmlHeld is a reason for which the tool does not mend something.
type htmlHeld struct {
	Word, Class, Reason string
	Rule                rule
	Count               int
}

type htmlHeldKey struct{ word, setting, reason string }

// htmlCause is what findings of one cause have in common, and whom they are about.
type htmlCause struct {
	Number   int
	Standing standing
	Severity string
	Rule     rule
	Fate     string // with the result, for runs
	Why      string // why it does not count, or is accepted or settled
	Reason   string
	Note     string
	Adds     []string
	AddsMore int
	Removes  []string
	Less     int // removed ones that are not shown
	Before   string
	After    string
	Varies   bool // others had something else before
	Place    string
	PlaceOf  string // the rule
	Controls []string
	Traits   []string
	Objects  string // how many of what
	Count    int
	Whole    bool // of a tenant's own setting: there is no list of names
	Names    []string
	More     int

	first reconcile.Change
}

// gatherHTML goes over the changes once.
func gatherHTML(d document) *htmlFound {
	f := &htmlFound{
		bySetting:   map[string]*htmlSetting{},
		results:     map[string]map[reconcile.Result]int{},
		further:     map[htmlFurtherKey]int{},
		budget:      htmlBudget{left: htmlCauseBytes},
		names:       htmlBudget{left: htmlNameBytes},
		namesOfEach: htmlNamesOfAll,
	}
	n := d.summary.Changes
	if n.Planned+n.Blocked+n.Unsupported+n.Exempt > htmlNamesOfAll {
		f.namesOfEach = htmlNamesOfEach
	}
	held := map[htmlHeldKey]*htmlHeld{}
	causes := map[groupKey]*htmlCause{}
	for c := range d.changes {
		s := d.standing(c)
		f.standings[s]++
		f.setting(d, c, s)
		f.hold(held, d, c, s)
		f.cause(causes, d, c, s)
		if d.applied != nil && c.Fate == reconcile.FatePlanned {
			kind := string(c.Subject.Kind)
			if f.results[kind] == nil {
				f.results[kind] = map[reconcile.Result]int{}
			}
			f.results[kind][c.Result]++
		}
	}
	f.order()
	return f
}

func (f *htmlFound) setting(d document, c reconcile.Change, s standing) {
	name := string(c.Setting)
	row := f.bySetting[name]
	if row == nil {
		row = &htmlSetting{Rule: d.ruleFor(name), BySeverity: map[string]int{}}
		f.bySetting[name] = row
	}
	switch s {
	case accepted:
		row.Accepted++
		return
	case settled:
		row.Settled++
		return
	case counts, below:
	}
	row.Drift++
	row.BySeverity[c.Severity.String()]++
	if s == counts && c.Severity.String() == severityHigh {
		row.High++
	}
	switch {
	case c.Fate == reconcile.FateBlocked:
		row.Blocked++
	case unsupported(c):
		row.NotSet++
	}
}

// hold keeps why something open will not be mended.
func (f *htmlFound) hold(seen map[htmlHeldKey]*htmlHeld, d document, c reconcile.Change, s standing) {
	if s == settled {
		return
	}
	key := htmlHeldKey{setting: string(c.Setting), reason: c.Reason}
	var class string
	switch {
	case c.Fate == reconcile.FateBlocked:
		key.word, class = "blocked", "blocked"
	case unsupported(c):
		key.word, class = "unsupported", "none"
	default:
		return
	}
	if h := seen[key]; h != nil {
		h.Count++
		return
	}
	if len(f.held) == htmlRows {
		f.heldMore++
		return
	}
	h := &htmlHeld{Word: key.word, Class: class, Reason: clipped(c.Reason, htmlText), Rule: d.ruleFor(key.setting), Count: 1}
	seen[key] = h
	f.held = append(f.held, h)
}

// cause puts a change to those of its cause. One that finds no room is counted by its
// setting.
func (f *htmlFound) cause(seen map[groupKey]*htmlCause, d document, c reconcile.Change, s standing) {
	key := keyOf(c)
	g := seen[key]
	if g == nil {
		if f.budget.left > 0 {
			g = newHTMLCause(d, c, s)
		}
		if g == nil || !f.budget.take(g.cost()) {
			f.further[htmlFurtherKey{s, string(c.Setting)}]++
			return
		}
		seen[key] = g
		f.causes = append(f.causes, g)
	}
	g.Count++
	g.Varies = g.Varies || !sameValue(g.first.Before, c.Before)
	if !g.Whole {
		g.Names = addName(g.Names, c.Subject, f.namesOfEach, &f.names)
	}
}

// order puts what counts before what does not, and what matters more first; the rest
// stays in the order of the plan.
func (f *htmlFound) order() {
	slices.SortStableFunc(f.causes, func(a, b *htmlCause) int {
		return cmp.Or(cmp.Compare(a.Standing, b.Standing), -cmp.Compare(a.first.Severity, b.first.Severity))
	})
	for i, g := range f.causes {
		g.Number = i + 1
		g.Objects = objects(string(g.first.Subject.Kind), g.Count)
		if !g.Whole {
			g.More = g.Count - len(g.Names)
		}
	}
}

// Open tells whether the names are shown without being asked for.
func (g *htmlCause) Open() bool { return len(g.Names) <= 5 }

// ruleFor gives what a setting's findings are called. What an undo takes back breaks no
// rule, so there it goes by the setting alone.
func (d document) ruleFor(setting string) rule {
	if d.undo() {
		return rule{Setting: setting, Title: setting}
	}
	return ruleOf(setting)
}

func newHTMLCause(d document, c reconcile.Change, s standing) *htmlCause {
	g := &htmlCause{
		first: c, Standing: s, Severity: c.Severity.String(), Rule: d.ruleFor(string(c.Setting)),
		Reason: clipped(c.Reason, htmlText), Note: clipped(withoutRequest(c.Note), htmlText),
		Before: htmlValue(c.Before), After: htmlValue(c.After),
		Fate: string(c.Fate), Why: d.whyNot(c, s), PlaceOf: clipped(c.Origin.Rule, htmlName),
		Whole: c.Subject.Name == "" && (c.Subject.ID == "" || c.Subject.ID == string(c.Subject.Kind)),
	}
	if d.applied != nil && c.Fate == reconcile.FatePlanned {
		g.Fate = resultWord(c.Result)
	}
	g.Adds, g.AddsMore = clippedList(c.Add)
	g.Removes, g.Less = clippedList(c.Remove)
	g.Controls, _ = clippedList(c.Controls)
	if c.Origin.File != "" {
		g.Place = clipped(c.Origin.File, htmlName) + ":" + strconv.Itoa(c.Origin.Line)
	}
	if c.Weakens {
		g.Traits = append(g.Traits, "Records less than today.")
	}
	if c.Pins {
		g.Traits = append(g.Traits, "Leaves Microsoft's managed defaults: new default actions will not come by themselves.")
	}
	if c.Carried {
		g.Traits = append(g.Traits, "Found by an earlier run and not read again by this one.")
	}
	return g
}

// whyNot says why a change is not counted; empty for one that is.
func (d document) whyNot(c reconcile.Change, s standing) string {
	switch {
	case s == accepted:
		return "The policy accepts it."
	case s == settled && d.undo():
		return "Taken back by this run."
	case s == settled:
		return "Found and mended by this run."
	case s == below && c.Severity < d.threshold.FailOn:
		return "Does not count: its severity is under the level asked for, " + d.threshold.FailOn.String() + "."
	case s == below:
		return "Does not count: the service has no way to set it."
	default:
		return ""
	}
}

// cost is what the card of a cause takes, markup included and names not.
func (g *htmlCause) cost() int {
	n := 1600
	for _, s := range slices.Concat([]string{g.Reason, g.Note, g.Before, g.After, g.Place, g.PlaceOf}, g.Adds, g.Removes, g.Controls) {
		n += escapedLen(s) + 60
	}
	return n
}

// htmlValue writes a value before or after a change.
func htmlValue(v any) string {
	list, ok := v.([]string)
	if !ok || len(list) == 0 {
		if s, ok := v.(string); ok {
			return clipped(s, htmlName)
		}
		return shownValue(v)
	}
	shown, more := clippedList(list)
	text := strings.Join(shown, ", ")
	if more > 0 {
		text += " and " + number(more) + " more"
	}
	return text
}

func sameValue(a, b any) bool {
	la, listA := a.([]string)
	lb, listB := b.([]string)
	if listA || listB {
		return listA && listB && slices.Equal(la, lb)
	}
	return shownValue(a) == shownValue(b)
}

// addName adds a name where there is still room for it.
func addName(names []string, s reconcile.Subject, limit int, b *htmlBudget) []string {
	if len(names) >= limit || b.left == 0 {
		return names
	}
	if name := htmlNameOf(s); b.take(len("<li><bdi></bdi></li>\n"), name) {
		return append(names, name)
	}
	return names
}

// htmlNameOf names a subject as nameOf does, and not at any length.
func htmlNameOf(s reconcile.Subject) string {
	return clipped(cmp.Or(s.Name, s.ID, string(s.Kind)), htmlName)
}
