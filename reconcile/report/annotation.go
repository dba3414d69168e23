package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

// level is how loudly a CI host shows an annotation.
type level string

const (
	levelError   level = "error"
	levelWarning level = "warning"
	levelNotice  level = "notice"
)

// annotation is one remark of a CI host beside a line of a file. Title and text are
// escaped for one line of a log, and not yet for the host's commands.
type annotation struct {
	level level
	// code is the id of a rule, empty for what is said of the run.
	code, title, text string
	// file is empty where no file says it.
	file         string
	line, column int
}

const (
	// causesAnnotated bounds the annotations of one run. GitHub shows ten errors and ten
	// warnings of a step, whatever is written.
	causesAnnotated = 50
	// widest bounds a remark, in columns.
	widest = 400
)

// annotations gives the remarks on a run: the verdict first, then what kept it from
// being judged, then the causes of drift from the gravest on, one remark for each, however
// many objects share it.
func (d document) annotations(at checkout) []annotation {
	out := []annotation{d.verdictAnnotation()}
	if !d.judged() {
		for _, reason := range d.coverage.Reasons {
			out = append(out, annotation{level: levelError, title: "Not read", text: Line(reason)})
		}
		for _, cmdlet := range d.refused {
			out = append(out, annotation{level: levelError, title: "Refused", text: Line(cmdlet) + ": the credential may not run it"})
		}
		if d.applied != nil && d.applied.stopped != "" {
			out = append(out, annotation{level: levelError, title: "Stopped", text: Line(d.applied.stopped)})
		}
	}
	for _, g := range d.guards {
		if g.Refused {
			out = append(out, annotation{
				level: levelError, title: "Guard " + Line(g.Name),
				text: fmt.Sprintf("refused: %s, %s %s; nothing is written", figure(g.Actual), bound(g.Name), figure(g.Limit)),
			})
		}
	}
	causes := d.causes()
	more := max(0, len(causes)-causesAnnotated)
	for _, g := range causes[:len(causes)-more] {
		out = append(out, d.annotate(g, at))
	}
	for _, g := range bounded(groupUnknown(d.unknown, 3), causesAnnotated) {
		out = append(out, unknownAnnotation(g))
	}
	if more > 0 {
		out = append(out, annotation{level: levelWarning, title: "More", text: plural(more, "more cause", "more causes") + " of drift: see the other reports of this run"})
	}
	for i := range out {
		out[i].title, out[i].text = truncate(out[i].title, widest/4), truncate(out[i].text, widest)
	}
	return out
}

// causes gives what there is to see, folded by cause, the gravest first.
func (d document) causes() []*group {
	list := groupChanges(d.open(), 3)
	list = slices.DeleteFunc(list, func(g *group) bool { return d.standing(g.first) == accepted })
	slices.SortStableFunc(list, func(a, b *group) int {
		return cmp.Or(cmp.Compare(d.standing(a.first), d.standing(b.first)), cmp.Compare(b.first.Severity, a.first.Severity))
	})
	return list
}

// bounded gives at most n of a list.
func bounded[T any](list []T, n int) []T { return list[:min(len(list), n)] }

func (d document) verdictAnnotation() annotation {
	a := annotation{level: levelNotice, title: "exoaudit: " + string(d.verdict), text: d.headline() + " " + Summary(d.summary)}
	if !d.passes() {
		a.level = levelError
	}
	return a
}

// annotate makes the remark on one cause.
func (d document) annotate(g *group, root checkout) annotation {
	c := g.first
	a := annotation{level: levelWarning, code: ruleOf(string(c.Setting)).ID}
	a.title = a.code + " " + ruleOf(string(c.Setting)).Title
	switch {
	case d.standing(c) == below:
		a.level = levelNotice
		a.title += " (does not count here)"
	case c.Severity.String() == "high" || c.Severity.String() == "medium":
		a.level = levelError
	}
	a.text = string(c.Setting) + ": " + editOf(c) + "; " + whom(c.Subject, g.names, g.count)
	if c.Fate != reconcile.FatePlanned {
		a.text += "; " + string(c.Fate)
	}
	if d.applied != nil && c.Fate == reconcile.FatePlanned {
		a.text += "; " + resultWord(c.Result)
	}
	if c.Reason != "" {
		a.text += ": " + Line(c.Reason)
	}
	if at, ok := d.writtenAt(c.Origin.Pos); ok {
		a.file, a.line, a.column = Line(root.path(at.File)), at.Line, at.Column
	}
	return a
}

func unknownAnnotation(g *unknownGroup) annotation {
	what := string(g.first.Setting)
	if what == "" {
		what = string(g.first.Subject.Kind)
	}
	return annotation{
		level: levelError, title: "Could not be judged",
		text: what + ": " + Line(g.first.Reason) + "; " + whom(g.first.Subject, g.names, g.count),
	}
}

// whom names some of the objects of a group, and counts the others.
func whom(first reconcile.Subject, names []string, count int) string {
	if first.Name == "" && (first.ID == "" || first.ID == string(first.Kind)) {
		return "of " + string(first.Kind)
	}
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = truncate(name, widest/5)
	}
	text := objects(string(first.Kind), count) + ": " + strings.Join(shown, ", ")
	if more := count - len(names); more > 0 {
		text += " and " + number(more) + " more"
	}
	return text
}
