package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

// htmlNotice is something that a reader must not overlook. Class gives its symbol and
// colour, Word says the same in a word.
type htmlNotice struct {
	Class, Word, Text string
	List              htmlList
	To                string // a part of the page that says more
}

// attentionOf lists what needs a person, the gravest first.
func attentionOf(d document, f *htmlFound, p htmlPage) []htmlNotice {
	var out []htmlNotice
	for _, part := range [][]htmlNotice{
		notJudged(d, p), notDone(d), refusedGuards(p), highOnes(f), acceptances(p), catalogueNotices(d), warningNotices(d),
	} {
		out = append(out, part...)
	}
	return out
}

func notJudged(d document, p htmlPage) []htmlNotice {
	var out []htmlNotice
	if !p.Verdict.Judged {
		n := htmlNotice{Class: "bad", Word: "No pass", Text: "This report does not say that the tenant is in line, whatever else it shows.", To: "coverage", List: p.Coverage.Reasons.first()}
		if p.Undo {
			n.Text = "This report does not say that everything is taken back, whatever else it shows."
		}
		out = append(out, n)
	}
	if len(d.refused) > 0 {
		out = append(out, htmlNotice{
			Class: "bad", Word: "Refused", List: p.Coverage.Refused.first(), To: "coverage",
			Text: "The credential may not run " + plural(len(d.refused), "cmdlet", "cmdlets") + " that the policy needs; what hangs on that is not judged.",
		})
	}
	if p.BlindTotal > 0 {
		out = append(out, htmlNotice{Class: "unknown", Word: "Unknown", Text: plural(p.BlindTotal, "object or setting", "objects or settings") + " could not be judged.", To: "blind"})
	}
	return out
}

// notDone tells what a run was to do and did not.
func notDone(d document) []htmlNotice {
	if d.applied == nil {
		return nil
	}
	var out []htmlNotice
	add := func(word, text string) {
		out = append(out, htmlNotice{Class: "bad", Word: word, Text: text, To: "results"})
	}
	if d.applied.stopped != "" {
		add("Stopped", "The run ended before all was written: "+clipped(d.applied.stopped, htmlText))
	}
	if n := len(d.applied.refused); n > 0 {
		out = append(out, htmlNotice{
			Class: "bad", Word: "Refused", To: "results", List: textList(d.applied.refused),
			Text: "The credential may not run what some writes need; they were skipped.",
		})
	}
	if n := d.applied.results[reconcile.ResultFailed]; n > 0 {
		add("Failed", plural(n, "change", "changes")+" failed.")
	}
	if n := d.applied.results[reconcile.ResultUnconfirmed]; n > 0 {
		add("Unconfirmed", plural(n, "change was", "changes were")+" written and not read back as asked.")
	}
	if n := d.applied.results[reconcile.ResultSkipped] + d.applied.results[reconcile.ResultNone]; n > 0 {
		out = append(out, htmlNotice{Class: "drift", Word: "Skipped", Text: plural(n, "change was", "changes were") + " not started.", To: "results"})
	}
	return out
}

func refusedGuards(p htmlPage) []htmlNotice {
	var out []htmlNotice
	for _, g := range p.Guards {
		if g.Refused {
			out = append(out, htmlNotice{
				Class: "bad", Word: "Guard", To: "held",
				Text: fmt.Sprintf("The guard %s refuses: %s, and %s %s is allowed. Nothing is written.", g.Name, g.Actual, g.Bound, g.Limit),
			})
		}
	}
	return out
}

// highOnes names the settings with high differences that count.
func highOnes(f *htmlFound) []htmlNotice {
	var out []htmlNotice
	for _, name := range slices.Sorted(maps.Keys(f.bySetting)) {
		if s := f.bySetting[name]; s.High > 0 {
			text := s.Rule.Title + ": " + plural(s.High, "difference", "differences")
			if s.Rule.ID != "" {
				text += " (" + s.Rule.ID + ")"
			}
			out = append(out, htmlNotice{Class: "high", Word: "High", To: "counting", Text: text + "."})
		}
	}
	return out
}

func acceptances(p htmlPage) []htmlNotice {
	var over, soon []string
	for _, a := range p.Accepted {
		text := a.Name + ", until " + a.Until + ", " + a.Owner
		switch {
		case a.expired:
			over = append(over, text)
		case a.days <= htmlSoon:
			soon = append(soon, text)
		}
	}
	var out []htmlNotice
	if len(over) > 0 {
		out = append(out, htmlNotice{
			Class: "bad", Word: "Expired", To: "accepted", List: shownList(over),
			Text: plural(len(over), "entry of the policy accepts", "entries of the policy accept") + " nothing any more: take it out, or decide anew.",
		})
	}
	if len(soon) > 0 {
		out = append(out, htmlNotice{
			Class: "drift", Word: "Ends soon", To: "accepted", List: shownList(soon),
			Text: plural(len(soon), "entry of the policy ends", "entries of the policy end") + fmt.Sprintf(" within %d days; what it accepts is drift after that.", htmlSoon),
		})
	}
	return out
}

// shownList is a list of what is harmless already.
func shownList(texts []string) htmlList {
	shown := texts[:min(len(texts), htmlLines)]
	return htmlList{Items: shown, More: len(texts) - len(shown)}
}

// catalogueNotices tell where Microsoft's defaults are not those of this version.
func catalogueNotices(d document) []htmlNotice {
	var moved, lagging []string
	for _, m := range d.catalogue.Moved {
		text := clipped(string(m.Type), htmlName) + ", " + clipped(m.Logon, htmlName)
		if m.Licensed {
			text += ", with M365Auditing"
		}
		added, _ := clippedList(m.Added)
		dropped, _ := clippedList(m.Dropped)
		if len(added) > 0 {
			text += ": now also " + strings.Join(added, ", ")
		}
		if len(dropped) > 0 {
			text += ": no longer " + strings.Join(dropped, ", ")
		}
		moved = append(moved, text)
	}
	for _, l := range d.catalogue.Lagging {
		var lacks []string
		for _, action := range slices.Sorted(maps.Keys(l.Lacking))[:min(len(l.Lacking), htmlValues)] {
			lacks = append(lacks, clipped(action, htmlName)+" ("+number(l.Lacking[action])+")")
		}
		lagging = append(lagging, clipped(l.Logon, htmlName)+": "+plural(l.Mailboxes, "list lacks", "lists lack")+" "+strings.Join(lacks, ", "))
	}
	var out []htmlNotice
	if len(moved) > 0 {
		out = append(out, htmlNotice{Class: "low", Word: "Moved", Text: "Microsoft's default actions in this tenant are not those that this version knows.", List: shownList(moved)})
	}
	if len(lagging) > 0 {
		out = append(out, htmlNotice{Class: "low", Word: "Lagging", Text: "Pinned lists lack default actions that no rule asks for.", List: shownList(lagging)})
	}
	return out
}

func warningNotices(d document) []htmlNotice {
	if len(d.warnings) == 0 {
		return nil
	}
	return []htmlNotice{{Class: "drift", Word: "Warning", Text: plural(len(d.warnings), "warning", "warnings") + " came up:", List: textList(d.warnings)}}
}
