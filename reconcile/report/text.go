package report

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

// TextOptions say how text is written for people. The zero value is without
// colour and names at most five subjects of each difference.
type TextOptions struct {
	// Color repeats in colour what the symbols say.
	Color bool
	// Verbose names every subject.
	Verbose bool
	// ResultsOnly leaves out what the plan of a run has said already: coverage,
	// guards, and differences that nothing was done about.
	ResultsOnly bool
}

// WritePlanText writes a plan for people: coverage first, then warnings, the
// differences by cause, what could not be judged, guards, and a summary as the
// last line. It returns the first error of w.
func WritePlanText(w io.Writer, p *reconcile.Plan, t reconcile.Threshold, o TextOptions) error {
	return writeText(w, ofPlan(p, t), o)
}

func writeText(w io.Writer, d document, o TextOptions) error {
	t := &textWriter{w: bufio.NewWriter(w), opts: o, names: namesShown}
	if o.Verbose {
		t.names = -1
	}
	if o.ResultsOnly && d.applied != nil {
		t.line("")
		t.line("Results of run %s:", Line(d.header.RunID))
		d.changes = planned(d.changes)
		t.groups(groupChanges(d.changes, t.names), true)
		t.warnings(d.applied.warnings)
	} else {
		t.header(d)
		t.coverage(d)
		t.warnings(d.warnings)
		t.differences(d)
		t.unknown(d)
		t.guards(d)
	}
	t.closing(d)
	return t.w.Flush()
}

// textWriter writes lines of at most 80 columns where words allow. Errors of
// the writer stay in the buffer until Flush.
type textWriter struct {
	w     *bufio.Writer
	opts  TextOptions
	names int
}

func (t *textWriter) line(format string, args ...any) {
	fmt.Fprintf(t.w, format, args...)
	t.w.WriteByte('\n')
}

// para writes a text that is already escaped, wrapped under an indent; its
// first line starts with lead, which is as wide as the indent.
func (t *textWriter) para(lead, text string) {
	indent := strings.Repeat(" ", width(lead))
	for i, l := range wrap(text, columns-width(lead)) {
		if i == 0 {
			t.line("%s%s", lead, l)
		} else {
			t.line("%s%s", indent, l)
		}
	}
}

func (t *textWriter) header(d document) {
	h := d.header
	of := "policy " + Line(h.Policy.Name)
	if d.undo() {
		of = "undo of run " + Line(d.coverage.BaseRun)
		if h.Policy.Name != "" {
			of += " under policy " + Line(h.Policy.Name)
		}
	}
	t.line("Tenant %s, %s", Line(h.Tenant), of)
	t.line("%s, run %s, %s", h.CreatedAt.UTC().Format("2006-01-02 15:04:05 UTC"), Line(h.RunID), Line(h.Tool))
	t.line("")
}

// coverage says what was read before anything is said about what was found.
func (t *textWriter) coverage(d document) {
	c := d.coverage
	word := t.paint(green, "complete")
	switch {
	case c.Complete:
	case c.Scope == reconcile.ScopeUndo:
		word = t.paint(red, "INCOMPLETE: not all that the run wrote could be looked at")
	default:
		word = t.paint(red, "INCOMPLETE: this report cannot say that the tenant is in line")
	}
	switch c.Scope {
	case reconcile.ScopeMailbox:
		word += " (one mailbox only)"
	case reconcile.ScopeIncremental:
		word += " (what changed since the last run" + base(c.BaseRun) + ")"
	case reconcile.ScopeUndo:
		word += " (what the run wrote)"
	case reconcile.ScopeFull:
	}
	t.line("Coverage: %s", word)
	for _, reason := range c.Reasons {
		t.para("  ? ", Line(reason))
	}
	for _, cmdlet := range d.refused {
		t.para("  ? ", Line(cmdlet)+" was refused as a whole: the credential may not run it")
	}
	if c.Mailboxes.Read > 0 || hasKind(d, kindMailbox) {
		t.para("  ", mailboxesRead(c.Mailboxes))
	}
	if c.Bypass.Read > 0 || hasKind(d, kindBypass) {
		t.para("  ", bypassRead(c.Bypass))
	}
	t.line("  %s in %s", plural(c.Pages, "page", "pages"), plural(c.Requests, "request", "requests"))
	for _, cost := range c.Cost {
		t.para("    ", plural(cost.Requests, "request", "requests")+" for "+Line(cost.For)+": "+Line(cost.Why))
	}
	t.states(d.summary)
	t.line("")
}

// base says whose findings an incremental run carries.
func base(run string) string {
	if run == "" {
		return ""
	}
	return ", and the open findings of run " + Line(run)
}

// hasKind reports whether objects of a kind were judged.
func hasKind(d document, kind string) bool {
	c, _ := states(d.summary, kind)
	return c != reconcile.StateCounts{}
}

func mailboxesRead(m reconcile.MailboxCoverage) string {
	var parts []string
	for _, typ := range slices.Sorted(maps.Keys(m.ByType)) {
		parts = append(parts, number(m.ByType[typ])+" "+Line(typ))
	}
	text := plural(m.Read, "mailbox", "mailboxes") + " read"
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	return text
}

func bypassRead(b reconcile.BypassCoverage) string {
	text := plural(b.Read, "bypass row", "bypass rows") + " read"
	if b.UnknownSystem > 0 {
		text += fmt.Sprintf(" (%s of the service's own without a value)", number(b.UnknownSystem))
	}
	return text
}

// states is a small table, one line for each kind that was judged.
func (t *textWriter) states(s reconcile.Summary) {
	t.line("")
	t.line("  %-14s %9s %9s %9s %9s %11s", "", "drifted", "unknown", "exempt", "in line", "no opinion")
	for _, kind := range kinds() {
		c, _ := states(s, kind)
		if c == (reconcile.StateCounts{}) {
			continue
		}
		t.line("  %-14s %9s %9s %9s %9s %11s", kind,
			number(c.Drifted), number(c.Unknown), number(c.Exempt), number(c.InSync), number(c.NotApplicable))
	}
}

func (t *textWriter) warnings(list []string) {
	if len(list) == 0 {
		return
	}
	t.line("Warnings:")
	for _, w := range list {
		t.para("  - ", Line(w))
	}
	t.line("")
}

// differences lists the groups, each with what, why, where from, and for whom.
func (t *textWriter) differences(d document) {
	groups := groupChanges(d.changes, t.names)
	if len(groups) == 0 {
		return
	}
	t.line("Differences (~ change, ! blocked, - unsupported, = exempt):")
	t.groups(groups, d.applied != nil)
}

func (t *textWriter) groups(groups []*group, withResult bool) {
	for _, g := range groups {
		t.group(g, withResult)
	}
	t.line("")
}

// planned leaves the changes that a run was to make.
func planned(changes iter.Seq[reconcile.Change]) iter.Seq[reconcile.Change] {
	return func(yield func(reconcile.Change) bool) {
		for c := range changes {
			if c.Fate == reconcile.FatePlanned && !yield(c) {
				return
			}
		}
	}
}

func (t *textWriter) group(g *group, withResult bool) {
	c := g.first
	head := fmt.Sprintf("%s: %s", c.Setting, editOf(c))
	if withResult && c.Fate == reconcile.FatePlanned {
		head += " (" + resultWord(c.Result) + ")"
	}
	if t.opts.ResultsOnly {
		t.result(g, head)
		return
	}
	t.para("  "+t.symbol(c.Fate)+" ", head)
	why := []string{c.Severity.String()}
	if c.Reason != "" {
		why = append(why, Line(c.Reason))
	}
	if c.Weakens {
		why = append(why, "records less than today")
	}
	if c.Pins {
		why = append(why, "leaves Microsoft's managed defaults")
	}
	if c.Carried {
		why = append(why, "found by an earlier run and not read again by this one")
	}
	t.para("      ", strings.Join(why, "; "))
	if c.Note != "" {
		t.para("      ", Line(c.Note))
	}
	t.subjects("      ", where(c), c.Subject, g.names, g.count)
}

// result is one group of an applied run, whose causes the plan has shown: names
// are said again only where something is left to look at.
func (t *textWriter) result(g *group, head string) {
	lead := "  " + t.symbol(g.first.Fate) + " "
	switch g.first.Result {
	case reconcile.ResultVerified, reconcile.ResultNotNeeded:
		t.para(lead, head+"; "+objects(string(g.first.Subject.Kind), g.count))
	default:
		t.subjects(lead, head, g.first.Subject, g.names, g.count)
	}
	if g.first.Note != "" {
		t.para("      ", Line(g.first.Note))
	}
}

// subjects ends a paragraph with whom it is about. A tenant's own settings, or
// a listing as a whole, have no names to list.
func (t *textWriter) subjects(lead, text string, first reconcile.Subject, names []string, count int) {
	if first.Name == "" && (first.ID == "" || first.ID == string(first.Kind)) {
		t.para(lead, text)
		return
	}
	t.para(lead, text+"; "+objects(string(first.Kind), count)+":")
	for _, name := range names {
		if !t.opts.Verbose {
			name = truncate(name, columns-10)
		}
		t.line("        - %s", name)
	}
	if more := count - len(names); more > 0 {
		t.line("        and %s more", number(more))
	}
}

// where gives the position of the wish in the policy.
func where(c reconcile.Change) string {
	if c.Origin.File == "" {
		return "no position"
	}
	text := Line(c.Origin.File) + ":" + strconv.Itoa(c.Origin.Line)
	if c.Origin.Rule != "" {
		text += " (" + Line(c.Origin.Rule) + ")"
	}
	return text
}

func resultWord(r reconcile.Result) string {
	if r == reconcile.ResultNone {
		return "not started"
	}
	return string(r)
}

// unknown stands apart from the differences and from what is in line.
func (t *textWriter) unknown(d document) {
	groups := groupUnknown(d.unknown, t.names)
	if len(groups) == 0 {
		return
	}
	t.line("Could not be judged (nothing is written there):")
	for _, g := range groups {
		what := string(g.first.Setting)
		if what == "" {
			what = string(g.first.Subject.Kind)
		}
		t.subjects("  "+t.paint(yellow, "?")+" ", what+": "+Line(g.first.Reason), g.first.Subject, g.names, g.count)
	}
	t.line("")
}

// guards shows the limits that were checked, once there is something to limit.
func (t *textWriter) guards(d document) {
	if len(d.guards) > 0 {
		t.line("Guards:")
		for _, g := range d.guards {
			word := "ok"
			if g.Refused {
				word = t.paint(red, "REFUSED, nothing is written")
			}
			t.line("  %-18s %s, %s %s: %s", Line(g.Name), figure(g.Actual), bound(g.Name), figure(g.Limit), word)
		}
	}
	if e := d.estimate; d.applied == nil && e.Writes > 0 {
		t.line("Estimate: %s in %s, %s to read back", plural(e.Writes, "write", "writes"),
			plural(e.Requests, "request", "requests"), plural(e.VerifyRequests, "request", "requests"))
	}
	if len(d.guards) > 0 || d.applied == nil && d.estimate.Writes > 0 {
		t.line("")
	}
}

// bound says on which side of its limit a guard wants the figure.
func bound(name string) string {
	if name == "population" {
		return "at least"
	}
	return "at most"
}

// figure writes a number of a guard with at most two digits after the point,
// rounded up so that a figure over its limit never shows as equal to it.
func figure(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(ceil2(f), 'f', 2, 64), "0"), ".")
}
