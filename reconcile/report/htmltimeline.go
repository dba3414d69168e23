package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
)

const (
	htmlDay      = 24 * time.Hour
	htmlSoon     = 14 // days before the last one from which an entry needs attention
	timelineRows = 30
	timelineTop  = 44 // pixels for the axis
	timelineRow  = 40 // pixels for an entry
	timelineName = 26 // runes of a name above its bar
)

// htmlAccepted is an entry of the policy that lets something be.
type htmlAccepted struct {
	Kind, Name, Reason, Owner, Place string
	Until                            string // the last day
	State                            string // in words
	Class                            string // for the symbol
	Accepted                         int

	raw     string // the name as it is
	expires time.Time
	expired bool
	days    int // left after today; less than zero once it is over
}

// acceptedRows gives the entries in the order of the policy.
func acceptedRows(d document) (rows []htmlAccepted, more int) {
	budget := htmlBudget{left: htmlTableBytes}
	today := day(d.header.CreatedAt)
	for _, a := range d.acceptances {
		row := htmlAccepted{
			Kind: "Exemption", Name: clipped(a.Name, htmlName), Reason: clipped(a.Reason, htmlText), Owner: clipped(a.Owner, htmlName),
			Place: htmlPlace(a.Place.File, a.Place.Line), Until: a.Expires.UTC().Format(time.DateOnly), Accepted: a.Accepted,
			raw: a.Name, expires: day(a.Expires), expired: a.Expired, days: int(day(a.Expires).Sub(today) / htmlDay),
		}
		if a.Kind == reconcile.PartAllow {
			row.Kind = "Allowed bypass"
		}
		row.State, row.Class = row.stateWord()
		if !budget.take(700, row.Name, row.Name, row.Reason, row.Owner, row.Place) {
			break
		}
		rows = append(rows, row)
	}
	return rows, len(d.acceptances) - len(rows)
}

func (a htmlAccepted) stateWord() (word, class string) {
	switch {
	case a.expired:
		return "expired " + plural(max(-a.days, 0), "day", "days") + " ago", "bad"
	case a.days <= htmlSoon:
		return plural(max(a.days, 0), "day", "days") + " left", "drift"
	default:
		return plural(a.days, "day", "days") + " left", "ok"
	}
}

func day(t time.Time) time.Time { return t.UTC().Truncate(htmlDay) }

// htmlTimeline is the drawing of when entries end. Places along it are in percent, so
// that it fits any width with its letters left as they are.
type htmlTimeline struct {
	Height   int
	Title    string
	Desc     string
	Ticks    []htmlTick
	Today    htmlTick
	Entries  []htmlTimelineEntry
	LeftOut  int
	AxisY    int
	BottomY  int
	HasEnded bool
}

type htmlTick struct {
	X, Label, Anchor string
	Class            string
}

type htmlTimelineEntry struct {
	Name, Note string
	Class      string
	X, Width   string
	TextY, Y   int
	Expired    bool
}

// timelineOf draws the entries that end first, the earliest on top; nil without any.
// The scale reaches at most one year back and three ahead.
func timelineOf(d document, rows []htmlAccepted) *htmlTimeline {
	if len(rows) == 0 || d.header.CreatedAt.IsZero() {
		return nil
	}
	list := slices.Clone(rows)
	slices.SortStableFunc(list, func(a, b htmlAccepted) int {
		return cmp.Or(a.expires.Compare(b.expires), cmp.Compare(a.Name, b.Name))
	})
	shown := list[:min(len(list), timelineRows)]
	today := day(d.header.CreatedAt)
	from, to := today, today.AddDate(0, 0, 60)
	for _, a := range shown {
		if a.expires.Before(from) {
			from = a.expires
		}
		if a.expires.After(to) {
			to = a.expires
		}
	}
	from = later(from, today.AddDate(-1, 0, 0)).AddDate(0, 0, -10)
	if limit := today.AddDate(3, 0, 0); to.After(limit) {
		to = limit
	}
	to = to.AddDate(0, 0, 1+int(to.Sub(from)/htmlDay)/20)
	scale := timeScale{from: from, to: to}

	t := &htmlTimeline{
		Title: "When what the policy accepts comes to its end", LeftOut: len(list) - len(shown),
		Height: timelineTop + len(shown)*timelineRow + 4, AxisY: timelineTop - 8,
		Ticks: scale.ticks(), Today: scale.tick(today, "Report of "+today.Format(time.DateOnly)),
	}
	t.BottomY = t.Height
	t.Desc = plural(len(shown), "entry", "entries") + ", the earliest end first; the same is in the table."
	for i, a := range shown {
		t.Entries = append(t.Entries, scale.entry(a, today, timelineTop+i*timelineRow))
		t.HasEnded = t.HasEnded || a.expired
	}
	return t
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// timeScale maps days to places.
type timeScale struct{ from, to time.Time }

func (s timeScale) at(t time.Time) float64 {
	return min(max(100*float64(t.Sub(s.from))/float64(s.to.Sub(s.from)), 0), 100)
}

func (s timeScale) tick(t time.Time, label string) htmlTick {
	x := s.at(t)
	anchor := "middle"
	switch {
	case x < 20:
		anchor = "start"
	case x > 80:
		anchor = "end"
	}
	return htmlTick{X: percent(x), Label: label, Anchor: anchor}
}

// ticks are beginnings of months, few enough to be read on a telephone.
func (s timeScale) ticks() []htmlTick {
	step := 12
	for _, months := range []int{1, 2, 3, 6} {
		if s.to.Sub(s.from) <= time.Duration(months)*31*5*htmlDay {
			step = months
			break
		}
	}
	var out []htmlTick
	first := time.Date(s.from.Year(), time.January, 1, 0, 0, 0, 0, time.UTC)
	for t := first; t.Before(s.to); t = t.AddDate(0, step, 0) {
		if !t.Before(s.from) {
			out = append(out, s.tick(t, t.Format("2006-01")))
		}
	}
	return out
}

// entry draws one entry: from today to its last day, or, where it is over, from then
// until today.
func (s timeScale) entry(a htmlAccepted, today time.Time, y int) htmlTimelineEntry {
	begin, end := today, a.expires.Add(htmlDay)
	if a.expired {
		begin, end = a.expires.Add(htmlDay), today
	}
	note := "until " + a.Until
	if a.expired {
		note = "expired " + a.Until
	}
	x := s.at(begin)
	return htmlTimelineEntry{
		Name: clipped(a.raw, timelineName), Note: note, Class: a.Class, Expired: a.expired,
		X: percent(x), Width: percent(max(s.at(end)-x, 0.6)), TextY: y + 12, Y: y + 20,
	}
}
