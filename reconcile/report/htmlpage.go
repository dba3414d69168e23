package report

import (
	"html/template"
	"maps"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/reconcile"
)

// htmlPage is what the template shows, in the order in which it does.
type htmlPage struct {
	Title  string
	Style  template.CSS
	Policy string // the page's own law, not the audit policy
	Undo   bool
	Run    *htmlRun // nil for a plan

	Header    htmlHeader
	Verdict   htmlVerdict
	Coverage  htmlCoverage
	Attention []htmlNotice

	Kinds, Types, Rules  []htmlStates
	TypesMore, RulesMore int
	Drift                []htmlDrift
	DriftSum             htmlDrift
	Causes               []htmlCauses
	Held                 []*htmlHeld
	HeldMore             int
	Guards               []htmlGuard
	Estimate             string
	Accepted             []htmlAccepted
	AcceptedMore         int
	Timeline             *htmlTimeline
	Blind                []*htmlBlind
	BlindTotal           int
	BlindMore            int
	Threshold            string
}

// htmlHeader says what the report is of.
type htmlHeader struct {
	Tool, RunID, Tenant, PolicyName, Digest string
	Time, Stamp                             string // for people, and for machines
}

// htmlVerdict is the first thing that is seen. Class and Word tell a report that judged
// from one that could not, whatever it found.
type htmlVerdict struct {
	Class, Word, Headline, Summary string
	// Part says what a look at a part of the tenant leaves out; empty for the whole.
	Part   string
	Judged bool
	Tiles  []htmlTile
}

// htmlTile is one figure under the verdict.
type htmlTile struct {
	Key, Label string
	N          int
	Class      string
}

// htmlCoverage says what was read.
type htmlCoverage struct {
	Complete        bool
	Scope           string
	Reasons         htmlList
	Refused         htmlList
	Mailboxes       string
	Bypass          string
	Requests, Pages string
	Cost            []htmlCost
}

type htmlCost struct{ For, Why, Requests string }

// htmlGuard is one limit.
type htmlGuard struct {
	Name, Bound, Actual, Limit string
	Refused                    bool
}

// htmlRun is what a run did.
type htmlRun struct {
	Started, Finished, JournalHead, Stopped string
	Rows                                    []htmlResults
}

// htmlCauses are the causes of one standing.
type htmlCauses struct {
	ID, Title, About string
	Total            int
	Causes           []*htmlCause
	Further          []htmlFurther
}

// htmlFurther counts findings whose causes found no room.
type htmlFurther struct {
	Rule  rule
	Count int
}

func newHTMLPage(d document, style string) htmlPage {
	found := gatherHTML(d)
	p := htmlPage{
		Style:  template.CSS(style), //nolint:gosec // G203: the style is the program's own file, and no text of a run is in it.
		Policy: contentPolicy(style),
		Undo:   d.undo(),
		Header: headerOf(d),
		Kinds:  kindStates(d),
		Causes: causesOf(d, found),
		Held:   found.held, HeldMore: found.heldMore, Guards: guardsOf(d),
		Coverage: htmlCoverageOf(d), Threshold: thresholdOf(d),
	}
	p.Types, p.TypesMore = typeStates(d)
	p.Rules, p.RulesMore = ruleStates(d)
	p.Drift, p.DriftSum = driftRows(found)
	p.Accepted, p.AcceptedMore = acceptedRows(d)
	p.Timeline = timelineOf(d, p.Accepted)
	p.Blind, p.BlindTotal, p.BlindMore = gatherBlind(d)
	p.Verdict = verdictOf(d, found, p.BlindTotal)
	p.Title = p.Verdict.Word + partOf(d) + ": mailbox audit report, " + p.Header.name()
	if d.applied != nil {
		p.Run = &htmlRun{
			Started: clock(d.applied.startedAt), Finished: clock(d.applied.finishedAt),
			JournalHead: clipped(d.applied.journalHead, htmlName), Stopped: clipped(d.applied.stopped, htmlText),
			Rows: resultRows(found),
		}
	} else if e := d.estimate; e.Writes > 0 {
		p.Estimate = "Applying this takes " + plural(e.Writes, "write", "writes") + " in " + plural(e.Requests, "request", "requests") +
			", and " + plural(e.VerifyRequests, "request", "requests") + " to read back."
	}
	p.Attention = attentionOf(d, found, p)
	return p
}

func headerOf(d document) htmlHeader {
	h := d.header
	return htmlHeader{
		Tool: clipped(h.Tool, htmlName), RunID: clipped(h.RunID, htmlName), Tenant: clipped(h.Tenant, htmlName),
		PolicyName: clipped(h.Policy.Name, htmlName), Digest: clipped(h.Policy.Digest, htmlName),
		Time: clock(h.CreatedAt), Stamp: stamp(h.CreatedAt),
	}
}

// name is what the page is called by: the policy, or the tenant where there is none.
func (h htmlHeader) name() string {
	if h.PolicyName != "" {
		return h.PolicyName
	}
	return h.Tenant
}

// clock writes a time for people; empty where it is not known.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func verdictOf(d document, f *htmlFound, blind int) htmlVerdict {
	v := htmlVerdict{Headline: d.headline(), Judged: d.judged(), Summary: d.lastLine(), Part: leftOut(d)}
	undo := d.undo()
	switch {
	case d.passes() && undo:
		v.Class, v.Word = "ok", "Undone"
	case d.passes():
		v.Class, v.Word = "ok", "In line"
	case d.judged():
		v.Class, v.Word = "drift", "Drift"
		if undo {
			v.Word = "Partly undone"
		}
	case d.verdict == reconcile.VerdictFailed:
		v.Class, v.Word = "bad", "NOT JUDGED"
	case d.verdict == reconcile.VerdictRefused:
		v.Class, v.Word = "bad", "REFUSED"
	default:
		v.Class, v.Word = "bad", "INCOMPLETE"
	}
	high := 0
	for _, s := range f.bySetting {
		high += s.High
	}
	tile := func(key, label string, n int, class string) {
		if n == 0 {
			class = ""
		}
		v.Tiles = append(v.Tiles, htmlTile{Key: key, Label: label, N: n, Class: class})
	}
	tile("counts", "differences count", f.standings[counts], "drift")
	tile("high", "of them high", high, "bad")
	tile("unknown", "could not be judged", blind, "unknown")
	tile("below", "differences do not count", f.standings[below], "")
	tile("accepted", "are accepted", f.standings[accepted], "exempt")
	if d.applied != nil {
		tile("settled", map[bool]string{true: "taken back", false: "mended by this run"}[undo], f.standings[settled], "ok")
	}
	if !undo {
		tile("read", "mailboxes read", d.coverage.Mailboxes.Read, "")
	}
	return v
}

// partOf names the part of a tenant that a report is of.
func partOf(d document) string {
	switch d.coverage.Scope {
	case reconcile.ScopeMailbox:
		return ", one mailbox only"
	case reconcile.ScopeIncremental:
		return ", changes only"
	case reconcile.ScopeFull, reconcile.ScopeUndo:
	}
	return ""
}

// leftOut says what a look at a part of a tenant says nothing of.
func leftOut(d document) string {
	switch d.coverage.Scope {
	case reconcile.ScopeMailbox:
		return "Only one mailbox was looked at. Of other mailboxes, of accounts that bypass recording and of retention policies this says nothing."
	case reconcile.ScopeIncremental:
		text := "Only mailboxes that were made or changed since were read."
		if run := d.coverage.BaseRun; run != "" {
			text += " Of all others this says what is still open since run " + clipped(run, htmlName) + "."
		}
		if d.coverage.Bypass.Read == 0 {
			text += " Which accounts bypass recording was not read."
		}
		return text
	case reconcile.ScopeFull, reconcile.ScopeUndo:
	}
	return ""
}

func htmlCoverageOf(d document) htmlCoverage {
	c := d.coverage
	out := htmlCoverage{
		Complete: c.Complete, Reasons: textList(c.Reasons), Refused: textList(d.refused),
		Requests: plural(c.Requests, "request", "requests"), Pages: plural(c.Pages, "page", "pages"),
	}
	switch c.Scope {
	case reconcile.ScopeMailbox:
		out.Scope = "One mailbox only."
	case reconcile.ScopeIncremental:
		out.Scope = "What changed since the last run" + base(clippedRaw(c.BaseRun)) + "."
	case reconcile.ScopeUndo:
		out.Scope = "What run " + clipped(c.BaseRun, htmlName) + " wrote."
	case reconcile.ScopeFull:
		out.Scope = "All that the policy speaks of."
	}
	if c.Mailboxes.Read > 0 || hasKind(d, kindMailbox) {
		out.Mailboxes = mailboxesRead(boundedTypes(c.Mailboxes))
	}
	if c.Bypass.Read > 0 || hasKind(d, kindBypass) {
		out.Bypass = bypassRead(c.Bypass)
	}
	for _, cost := range c.Cost[:min(len(c.Cost), htmlLines)] {
		out.Cost = append(out.Cost, htmlCost{
			For: clipped(cost.For, htmlName), Why: clipped(cost.Why, htmlText), Requests: plural(cost.Requests, "request", "requests"),
		})
	}
	return out
}

// boundedTypes leaves types out that the service does not have so many of.
func boundedTypes(m reconcile.MailboxCoverage) reconcile.MailboxCoverage {
	if len(m.ByType) <= htmlLines {
		return m
	}
	few := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(m.ByType))[:htmlLines] {
		few[name] = m.ByType[name]
	}
	m.ByType = few
	return m
}

// clippedRaw shortens what is escaped later.
func clippedRaw(s string) string {
	if runes := []rune(s); len(runes) > htmlName {
		return string(runes[:htmlName]) + "…"
	}
	return s
}

func guardsOf(d document) []htmlGuard {
	var out []htmlGuard
	for _, g := range d.guards {
		out = append(out, htmlGuard{
			Name: clipped(g.Name, htmlName), Bound: bound(g.Name), Actual: figure(g.Actual), Limit: figure(g.Limit), Refused: g.Refused,
		})
	}
	return out
}

// thresholdOf says what counts.
func thresholdOf(d document) string {
	if d.undo() {
		return ""
	}
	text := "Differences count from the level " + d.threshold.FailOn.String()
	if d.threshold.Strict {
		return text + ", those that the service cannot set among them."
	}
	return text + "; those that the service cannot set do not."
}

// causesOf parts the causes by what they mean for the verdict.
func causesOf(d document, f *htmlFound) []htmlCauses {
	parts := []htmlCauses{
		counts:   {ID: "counting", Title: "Differences that count", About: "Each is one difference between the policy and the tenant that counts for the verdict."},
		below:    {ID: "not-counting", Title: "Differences that do not count", About: "They are there, and do not decide the verdict at the level that was asked for."},
		accepted: {ID: "let-be", Title: "Accepted by the policy", About: "An exemption or an allow entry lets these be."},
		settled:  {ID: "mended", Title: "Mended by this run", About: "Written, read back and found as the policy asks."},
	}
	if d.undo() {
		parts[counts].Title, parts[counts].About = "What the run wrote and is still there", "Each is one value that is not as it was before the run."
		parts[settled].Title, parts[settled].About = "Taken back", "Written, read back and found as it was before the run."
	}
	for _, g := range f.causes {
		parts[g.Standing].Causes = append(parts[g.Standing].Causes, g)
	}
	for s := range parts {
		parts[s].Total = f.standings[s]
		for _, r := range rules() {
			if n := f.further[htmlFurtherKey{standing(s), r.Setting}]; n > 0 {
				parts[s].Further = append(parts[s].Further, htmlFurther{Rule: d.ruleFor(r.Setting), Count: n})
			}
		}
	}
	return slices.DeleteFunc(parts, func(c htmlCauses) bool { return c.Total == 0 })
}
