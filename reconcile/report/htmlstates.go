package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

// The severities by their words, the greatest first.
const (
	severityHigh   = "high"
	severityMedium = "medium"
	severityLow    = "low"
	severityInfo   = "info"
)

func severities() []string {
	return []string{severityHigh, severityMedium, severityLow, severityInfo}
}

// htmlBar is a bar of parts, drawn in percent of its width, so that it needs no script
// and no style of its own to fit any screen.
type htmlBar struct {
	Title, Desc string
	Segments    []htmlSegment
}

// htmlSegment is one part of a bar; Class names its colour.
type htmlSegment struct{ Class, X, Width string }

type htmlPart struct {
	class, word string
	n           int
}

// barOf draws parts of a bar that is full at whole. A part that is there is at least as
// wide as can be seen; the larger ones give way.
func barOf(title string, whole int, parts []htmlPart) htmlBar {
	const least = 1.5
	b := htmlBar{Title: title}
	var words []string
	var widths []float64
	sum := 0.0
	for _, p := range parts {
		words = append(words, number(p.n)+" "+p.word)
		w := 0.0
		if p.n > 0 {
			w = max(100*float64(p.n)/float64(max(whole, p.n)), least)
		}
		widths = append(widths, w)
		sum += w
	}
	scale := 1.0
	if sum > 100 {
		scale = 100 / sum
	}
	x := 0.0
	for i, w := range widths {
		if w == 0 {
			continue
		}
		w *= scale
		b.Segments = append(b.Segments, htmlSegment{Class: parts[i].class, X: percent(x), Width: percent(w)})
		x += w
	}
	b.Desc = strings.Join(words, ", ") + "."
	return b
}

func percent(f float64) string { return fmt.Sprintf("%.2f%%", f) }

// htmlStates is one row of the tables of states.
type htmlStates struct {
	Name     string
	Place    string
	Controls []string
	Open     int
	States   reconcile.StateCounts
	Bar      htmlBar
}

func stateBar(title string, s reconcile.StateCounts) htmlBar {
	return barOf(title, s.InSync+s.Exempt+s.NotApplicable+s.Drifted+s.Unknown, []htmlPart{
		{"ok", "in line", s.InSync},
		{"exempt", "exempt", s.Exempt},
		{"none", "without a rule", s.NotApplicable},
		{"drift", "drifted", s.Drifted},
		{"unknown", "unknown", s.Unknown},
	})
}

// kindStates gives a row for each kind of object that was judged.
func kindStates(d document) []htmlStates {
	var rows []htmlStates
	if d.undo() {
		return nil
	}
	for _, kind := range kinds() {
		if c, _ := states(d.summary, kind); c != (reconcile.StateCounts{}) {
			rows = append(rows, htmlStates{Name: kindTitle(kind), States: c, Bar: stateBar("How they stand: "+kindTitle(kind), c)})
		}
	}
	return rows
}

func kindTitle(kind string) string {
	switch kind {
	case kindAdminAudit:
		return "Admin audit log"
	case kindBypass:
		return "Bypass of auditing, by account"
	case kindMailbox:
		return "Mailboxes"
	case kindOrganization:
		return "Organization"
	case kindRetention:
		return "Retention of the audit log"
	default:
		return kind
	}
}

// typeStates gives a row for each type of mailbox.
func typeStates(d document) (rows []htmlStates, more int) {
	budget := htmlBudget{left: htmlTableBytes}
	for _, t := range d.byType {
		name := clipped(t.Type, htmlName)
		if len(rows) == htmlRows || !budget.take(900, name, name) {
			break
		}
		rows = append(rows, htmlStates{Name: name, States: t.States, Bar: stateBar("How they stand: "+name, t.States)})
	}
	return rows, len(d.byType) - len(rows)
}

// ruleStates gives a row for each rule of the policy.
func ruleStates(d document) (rows []htmlStates, more int) {
	budget := htmlBudget{left: htmlTableBytes}
	for _, r := range d.byRule {
		name := clipped(r.Rule, htmlName)
		controls, _ := clippedList(r.Controls)
		place := htmlPlace(r.Place.File, r.Place.Line)
		if len(rows) == htmlRows || !budget.take(900+40*len(controls), append([]string{name, name, place}, controls...)...) {
			break
		}
		rows = append(rows, htmlStates{
			Name: name, Place: place, Controls: controls, Open: r.Open, States: r.States,
			Bar: stateBar("How those stand of which this rule speaks: "+name, r.States),
		})
	}
	return rows, len(d.byRule) - len(rows)
}

// htmlPlace is a position in the policy; empty where there is none.
func htmlPlace(file string, line int) string {
	if file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", clipped(file, htmlName), line)
}

// htmlDrift is one row of the table of drift by setting.
type htmlDrift struct {
	*htmlSetting
	High, Medium, Low, Info int
	Bar                     htmlBar
}

// driftRows gives a row for each setting with findings, and one for all of them
// together, which has no rule. Bars are to one scale.
func driftRows(f *htmlFound) (rows []htmlDrift, sum htmlDrift) {
	widest := 0
	for _, s := range f.bySetting {
		widest = max(widest, s.Drift)
	}
	sum.htmlSetting = &htmlSetting{}
	for _, s := range f.bySetting {
		row := htmlDrift{
			htmlSetting: s,
			High:        s.BySeverity[severityHigh], Medium: s.BySeverity[severityMedium],
			Low: s.BySeverity[severityLow], Info: s.BySeverity[severityInfo],
		}
		var parts []htmlPart
		for _, word := range severities() {
			parts = append(parts, htmlPart{word, word, s.BySeverity[word]})
		}
		row.Bar = barOf("Drift by severity: "+s.Rule.Title, widest, parts)
		rows = append(rows, row)
		sum.add(row)
	}
	slices.SortFunc(rows, func(a, b htmlDrift) int {
		return cmp.Or(cmp.Compare(a.Rule.ID, b.Rule.ID), cmp.Compare(a.Rule.Setting, b.Rule.Setting))
	})
	return rows, sum
}

func (d *htmlDrift) add(r htmlDrift) {
	d.High, d.Medium, d.Low, d.Info = d.High+r.High, d.Medium+r.Medium, d.Low+r.Low, d.Info+r.Info
	d.Drift, d.Blocked, d.NotSet = d.Drift+r.Drift, d.Blocked+r.Blocked, d.NotSet+r.NotSet
	d.Accepted, d.Settled = d.Accepted+r.Accepted, d.Settled+r.Settled
}

// htmlResults is how the changes of one kind ended.
type htmlResults struct {
	Name                                                                     string
	Verified, Unconfirmed, Failed, Unsupported, Skipped, NotNeeded, NotBegun int
}

// resultRows gives a row for each kind of object that a run was to change.
func resultRows(f *htmlFound) []htmlResults {
	var rows []htmlResults
	for _, kind := range kinds() {
		if n := f.results[kind]; n != nil {
			rows = append(rows, htmlResults{
				Name: kindTitle(kind), Verified: n[reconcile.ResultVerified], Unconfirmed: n[reconcile.ResultUnconfirmed],
				Failed: n[reconcile.ResultFailed], Unsupported: n[reconcile.ResultUnsupported],
				Skipped: n[reconcile.ResultSkipped], NotNeeded: n[reconcile.ResultNotNeeded], NotBegun: n[reconcile.ResultNone],
			})
		}
	}
	return rows
}

// htmlBlind is one reason for which several objects could not be judged.
type htmlBlind struct {
	What, Reason string
	Objects      string
	Count        int
	Whole        bool // of a listing as a whole: there is no list of names
	Names        []string
	More         int

	first reconcile.UnknownObject
}

// Open tells whether the names are shown without being asked for.
func (b *htmlBlind) Open() bool { return len(b.Names) <= 5 }

type htmlBlindKey struct{ kind, setting, reason string }

// gatherBlind folds what could not be judged, within bounds; total counts all of it.
func gatherBlind(d document) (rows []*htmlBlind, total, further int) {
	texts, names := htmlBudget{left: htmlBlindBytes}, htmlBudget{left: htmlBlindBytes}
	seen := map[htmlBlindKey]*htmlBlind{}
	for u := range d.unknown {
		total++
		key := htmlBlindKey{string(u.Subject.Kind), string(u.Setting), u.Reason}
		b := seen[key]
		if b == nil {
			b = newHTMLBlind(u)
			if !texts.take(600, b.What, b.Reason) {
				further++
				continue
			}
			seen[key] = b
			rows = append(rows, b)
		}
		b.Count++
		if !b.Whole {
			b.Names = addName(b.Names, u.Subject, htmlNamesOfAll, &names)
		}
	}
	for _, b := range rows {
		b.Objects = objects(string(b.first.Subject.Kind), b.Count)
		if !b.Whole {
			b.More = b.Count - len(b.Names)
		}
	}
	return rows, total, further
}

func newHTMLBlind(u reconcile.UnknownObject) *htmlBlind {
	what := kindTitle(string(u.Subject.Kind))
	if u.Setting != "" {
		what = string(u.Setting)
	}
	return &htmlBlind{
		What: what, Reason: clipped(u.Reason, htmlText), first: u,
		Whole: u.Subject.Name == "" && (u.Subject.ID == "" || u.Subject.ID == string(u.Subject.Kind)),
	}
}
