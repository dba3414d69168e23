package doctor

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/exoaudit/exoaudit/reconcile/report"
)

// columns is the width that text is written for; commands are never broken.
const columns = 100

// WriteText writes the report for people: the checks by area, the commands
// that close the gaps, and the verdict as the last line. Colour repeats what
// the words say. It returns the first error of w.
func WriteText(w io.Writer, r *Report, color bool) error {
	t := &textWriter{w: bufio.NewWriter(w), color: color}
	t.header(r)
	for _, c := range r.Checks {
		t.names = max(t.names, len(shownName(c)))
	}
	for _, a := range areas() {
		t.area(a, r)
	}
	for _, g := range r.Grants {
		t.grant(g)
	}
	t.closing(r)
	return t.w.Flush()
}

type textWriter struct {
	w     *bufio.Writer
	color bool
	names int // the width of the longest name
}

func (t *textWriter) line(format string, args ...any) {
	fmt.Fprintf(t.w, format, args...)
	t.w.WriteByte('\n')
}

func (t *textWriter) header(r *Report) {
	t.line("Tenant %s at %s", or(r.Tenant, "(not known)"), report.Line(r.Endpoint))
	what := "everything that check and apply can need"
	if r.ReadOnly {
		what = "everything that check can need"
	}
	if r.PolicyName != "" {
		what = strings.Replace(what, "everything that", "what", 1)
		what = strings.Replace(what, "can need", "need", 1)
		if r.ReadOnly {
			what += "s"
		}
		what += " for the policy " + report.Line(r.PolicyName) + " (" + report.Line(r.PolicyFile) + ")"
	}
	t.line("Looked at: %s", what)
}

func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return report.Line(s)
}

// title is the heading of an area.
func title(a Area) string {
	switch a {
	case AreaCredential:
		return "Credential"
	case AreaService:
		return "Service"
	case AreaTenant:
		return "Tenant"
	case AreaRead:
		return "Reads, for check and apply"
	case AreaWrite:
		return "Writes, for apply"
	case AreaState:
		return "State"
	default:
		return string(a)
	}
}

func (t *textWriter) area(a Area, r *Report) {
	first := true
	for _, c := range r.Checks {
		if c.Area != a {
			continue
		}
		if first {
			t.line("")
			t.line("%s", title(a))
			first = false
		}
		t.check(c)
	}
}

// shownName puts a parameter under its cmdlet.
func shownName(c Check) string {
	if c.Parameter != "" {
		return "  -" + c.Parameter
	}
	return c.Name
}

// check writes one check: the status, the name, what was seen, what to do.
func (t *textWriter) check(c Check) {
	lead := fmt.Sprintf("  %s  %-*s  ", t.status(c.Status), t.names, shownName(c))
	indent := strings.Repeat(" ", 2+statusWidth+2+t.names+2)
	for i, part := range wrap(c.Seen, columns-len(indent)) {
		if i > 0 {
			lead = indent
		}
		t.line("%s%s", lead, part)
	}
	if c.Fix == "" {
		return
	}
	lead = indent + "-> "
	for _, part := range wrap(c.Fix, columns-len(indent)-3) {
		t.line("%s%s", lead, part)
		lead = indent + "   "
	}
}

// statusWidth is that of the longest status.
const statusWidth = len(Missing)

func (t *textWriter) status(s Status) string {
	padded := fmt.Sprintf("%-*s", statusWidth, s)
	if !t.color {
		return padded
	}
	code := "31"
	switch s {
	case OK:
		code = "32"
	case Unknown, Warning:
		code = "33"
	case Missing:
	}
	return "\x1b[" + code + "m" + padded + "\x1b[0m"
}

func (t *textWriter) grant(g Grant) {
	t.line("")
	t.line("%s", g.Title)
	t.para("  for: " + strings.Join(g.For, "; "))
	for _, n := range g.Notes {
		t.para("  " + n)
	}
	for _, c := range g.Commands {
		t.line("    %s", c)
	}
}

// para writes a text under its own indent.
func (t *textWriter) para(text string) {
	for _, part := range wrap(text, columns-2) {
		t.line("  %s", part)
	}
}

// closing says the verdict, after what it rests on.
func (t *textWriter) closing(r *Report) {
	t.line("")
	if r.Alarm != "" {
		t.para("ALARM: " + r.Alarm)
		t.line("%d requests were made; it is not certain that nothing was written.", r.Requests)
	} else {
		t.line("%d requests were made; nothing was written.", r.Requests)
	}
	t.line("%s", verdictLine(r))
}

// some gives the first of many names: the list itself stands above.
func some(names []string) string {
	const shown = 4
	if len(names) > shown+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
	}
	return strings.Join(names, ", ")
}

func verdictLine(r *Report) string {
	var parts []string
	for _, s := range []Status{Missing, Unknown, Warning} {
		if n := r.Count(s); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
		if s == Warning && r.Count(s) > 1 {
			parts[len(parts)-1] += "s"
		}
	}
	tail := ""
	if len(parts) > 0 {
		tail = " (" + strings.Join(parts, ", ") + ")"
	}
	switch r.Verdict() {
	case VerdictMissing:
		return "Missing: " + strings.Join(r.Gaps(), ", ") + tail
	case VerdictIncomplete:
		return "Not all could be determined: " + some(r.named(Unknown)) + tail
	default:
		return "Ready" + tail
	}
}

// wrap breaks a text at spaces into lines of at most limit runes; a longer word
// has a line of its own.
func wrap(s string, limit int) []string {
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(s) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+1+n > limit {
			lines, line, used = append(lines, line), "", 0
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	return append(lines, line)
}
