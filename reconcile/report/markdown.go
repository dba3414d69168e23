package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

const (
	// causesListed bounds the causes in a Markdown report, and the items of its other
	// lists.
	causesListed = 200
	// listLong bounds a list in bytes, but for its last item: a job summary of GitHub is
	// refused whole above 1 MiB.
	listLong = 128 << 10
)

// writeMarkdown writes GitHub-flavoured Markdown for job summaries and pull requests:
// the verdict, what was read, how the objects stand, and what drifts by cause.
func writeMarkdown(w io.Writer, d document) error {
	m := &markdownWriter{w: bufio.NewWriter(w)}
	m.head(d)
	m.coverage(d)
	m.states(d)
	m.guards(d)
	m.causes(d)
	m.unknown(d)
	m.acceptances(d)
	m.list("Warnings", d.warnings)
	m.foot(d)
	return m.w.Flush()
}

type markdownWriter struct {
	w    *bufio.Writer
	size int // of what has been written, in bytes
}

func (m *markdownWriter) line(format string, args ...any) {
	n, _ := fmt.Fprintf(m.w, format+"\n", args...) // the writer remembers its error
	m.size += n
}

// items writes items until they are too many or too long, and gives the number of those
// that are left out.
func items[T any](m *markdownWriter, list []T, write func(T)) (more int) {
	start := m.size
	for i, item := range list {
		if i == causesListed || m.size-start > listLong {
			return len(list) - i
		}
		write(item)
	}
	return 0
}

// head is the verdict. The sign repeats what the words say.
func (m *markdownWriter) head(d document) {
	sign := map[bool]string{true: "❌", false: "⛔"}[d.judged()]
	if d.passes() {
		sign = "✅"
	}
	m.line("## %s %s", sign, prose(d.headline()))
	m.line("")
	of := "policy " + code(d.header.Policy.Name)
	if d.undo() {
		of = "undo of run " + code(d.coverage.BaseRun)
	}
	m.line("Tenant %s, %s, %s", code(d.header.Tenant), of, d.header.CreatedAt.UTC().Format("2006-01-02 15:04 UTC"))
	m.line("")
}

// coverage is said before any difference, and at length where it is not complete.
func (m *markdownWriter) coverage(d document) {
	c := d.coverage
	read := []string{plural(c.Mailboxes.Read, "mailbox", "mailboxes")}
	for _, typ := range slices.Sorted(maps.Keys(c.Mailboxes.ByType)) {
		read = append(read, number(c.Mailboxes.ByType[typ])+" "+code(typ))
	}
	word := "**complete**"
	if !c.Complete {
		word = "**NOT COMPLETE**"
	}
	m.line("Coverage: %s, scope %s; read: %s, %s; %s.", word, prose(string(c.Scope)), strings.Join(read, ", "),
		plural(c.Bypass.Read, "bypass row", "bypass rows"), plural(c.Requests, "request", "requests"))
	m.line("")
	reasons := slices.Clone(c.Reasons)
	for _, cmdlet := range d.refused {
		reasons = append(reasons, cmdlet+" was refused as a whole: the credential may not run it")
	}
	if d.applied != nil {
		for _, cmdlet := range d.applied.refused {
			reasons = append(reasons, cmdlet+" was refused: the changes that need it were skipped")
		}
		if d.applied.stopped != "" {
			reasons = append(reasons, "stopped: "+d.applied.stopped)
		}
	}
	m.list("What is missing", reasons)
}

// list writes a heading and its items, where there are any.
func (m *markdownWriter) list(title string, texts []string) {
	if len(texts) == 0 {
		return
	}
	m.line("### %s", title)
	m.line("")
	if more := items(m, texts, func(text string) { m.line("- %s", prose(text)) }); more > 0 {
		m.line("- and %s more", number(more))
	}
	m.line("")
}

func (m *markdownWriter) states(d document) {
	m.line("| | drifted | unknown | exempt | in line | no opinion |")
	m.line("| :-- | --: | --: | --: | --: | --: |")
	for _, kind := range kinds() {
		c, _ := states(d.summary, kind)
		if c != (reconcile.StateCounts{}) {
			m.line("| %s | %s | %s | %s | %s | %s |", kind,
				number(c.Drifted), number(c.Unknown), number(c.Exempt), number(c.InSync), number(c.NotApplicable))
		}
	}
	m.line("")
	if d.applied != nil {
		m.line("Applied: %s. %s", resultCounts(d.applied.results), prose(d.lastLine()))
	} else {
		m.line("%s", prose(d.lastLine()))
	}
	m.line("")
}

func (m *markdownWriter) guards(d document) {
	var refused []string
	for _, g := range d.guards {
		if g.Refused {
			refused = append(refused, fmt.Sprintf("%s: %s, %s %s", g.Name, figure(g.Actual), bound(g.Name), figure(g.Limit)))
		}
	}
	m.list("Guards that refuse the plan: nothing is written", refused)
}

// causes lists what drifts, the gravest first.
func (m *markdownWriter) causes(d document) {
	list := d.causes()
	if len(list) == 0 {
		return
	}
	m.line("### Differences")
	m.line("")
	more := items(m, list, func(g *group) {
		c := g.first
		m.line("- **%s** %s `%s` %s", ruleOf(string(c.Setting)).ID, c.Severity, c.Setting, prose(truncate(editOf(c), widest)))
		m.line("  - %s", m.whom(g))
		m.line("  - %s", m.why(d, g))
	})
	if more > 0 {
		m.line("- and %s: see the other reports of this run", plural(more, "more cause", "more causes"))
	}
	m.line("")
}

func (m *markdownWriter) whom(g *group) string {
	first := g.first.Subject
	if first.Name == "" && (first.ID == "" || first.ID == string(first.Kind)) {
		return "the tenant's own setting"
	}
	return objects(string(first.Kind), g.count) + ": " + codes(g.names, g.count)
}

// codes names some objects, and counts the others.
func codes(names []string, count int) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = code(name)
	}
	text := strings.Join(shown, ", ")
	if more := count - len(names); more > 0 {
		text += " and " + number(more) + " more"
	}
	return text
}

// why says what is done about a cause, and where the policy asks for it.
func (m *markdownWriter) why(d document, g *group) string {
	c := g.first
	parts := []string{string(c.Fate)}
	if d.applied != nil && c.Fate == reconcile.FatePlanned {
		parts[0] = resultWord(c.Result)
	}
	if d.standing(c) == below {
		parts = append(parts, "does not count here")
	}
	if c.Weakens {
		parts = append(parts, "records less than today")
	}
	if c.Pins {
		parts = append(parts, "leaves Microsoft's managed defaults")
	}
	if c.Carried {
		parts = append(parts, "found by an earlier run")
	}
	for _, text := range []string{c.Reason, c.Note} {
		if text != "" {
			parts = append(parts, prose(text))
		}
	}
	if c.Origin.File != "" {
		parts = append(parts, code(where(c)))
	}
	if len(c.Controls) > 0 {
		parts = append(parts, codes(bounded(c.Controls, 20), len(c.Controls)))
	}
	return strings.Join(parts, "; ")
}

func (m *markdownWriter) unknown(d document) {
	list := groupUnknown(d.unknown, 3)
	if len(list) == 0 {
		return
	}
	m.line("### Could not be judged")
	m.line("")
	more := items(m, list, func(g *unknownGroup) {
		what := string(g.first.Setting)
		if what == "" {
			what = string(g.first.Subject.Kind)
		}
		text := fmt.Sprintf("`%s`: %s", what, prose(g.first.Reason))
		if g.first.Subject.Name != "" || g.first.Subject.ID != "" {
			text += "; " + objects(string(g.first.Subject.Kind), g.count) + ": " + codes(g.names, g.count)
		}
		m.line("- %s", text)
	})
	if more > 0 {
		m.line("- and %s", plural(more, "more reason", "more reasons"))
	}
	m.line("")
}

// acceptances lists what the policy lets be, by its last day.
func (m *markdownWriter) acceptances(d document) {
	list := slices.Clone(d.acceptances)
	if len(list) == 0 {
		return
	}
	slices.SortStableFunc(list, func(a, b reconcile.Acceptance) int { return a.Expires.Compare(b.Expires) })
	m.line("### Accepted by the policy")
	m.line("")
	more := items(m, list, func(a reconcile.Acceptance) {
		until := "until " + a.Expires.Format("2006-01-02")
		if a.Expired {
			until = "**expired** on " + a.Expires.Format("2006-01-02")
		}
		m.line("- %s %s, %s, owner %s: %s (%s)", a.Kind, code(a.Name), until, code(a.Owner), prose(a.Reason),
			plural(a.Accepted, "difference", "differences"))
	})
	if more > 0 {
		m.line("- and %s more", number(more))
	}
	m.line("")
}

func (m *markdownWriter) foot(d document) {
	m.line("%s, run %s, policy digest %s", prose(d.header.Tool), code(d.header.RunID), code(d.header.Policy.Digest))
	if d.applied != nil && d.applied.journalHead != "" {
		m.line("")
		m.line("Journal head %s", code(d.applied.journalHead))
	}
}
