package report

import (
	"slices"
	"strconv"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

// junitCase is a case of the suite "coverage": one that passes, or an error.
type junitCase struct {
	name, problem, message, details string
}

// junitCoverage gives the verdict on the run itself, and each thing that was not read,
// written or confirmed.
func (d document) junitCoverage() []junitCase {
	first := junitCase{name: "everything was read", details: d.headline()}
	if d.applied != nil {
		first.name = "everything was read, written and confirmed"
	}
	if !d.judged() {
		first.problem, first.message = string(d.verdict), d.headline()
	}
	out := []junitCase{first}
	each := func(name, problem string, texts []string, and string) {
		for i, text := range texts {
			if i == junitMost {
				rest := plural(len(texts)-i, "more is", "more are") + " not listed here"
				out = append(out, junitCase{name: name + " and others", problem: problem, message: rest})
				return
			}
			text = within(text, textShown) + and
			out = append(out, junitCase{name: name + text, problem: problem, message: text})
		}
	}
	each("read: ", "notCovered", d.coverage.Reasons, "")
	each("allowed to read: ", "refused", d.refused, " was refused as a whole: the credential may not run it")
	each("allowed to write: ", "refused", d.refusedWriting(), " was refused as a whole: the credential may not run it")
	if d.applied != nil && d.applied.stopped != "" {
		each("gone through: ", "stopped", []string{d.applied.stopped}, "")
	}
	return append(out, d.junitUnknown()...)
}

// junitUnknown gives a case for each reason for which objects could not be judged.
func (d document) junitUnknown() []junitCase {
	var out []junitCase
	groups := groupUnknown(d.unknown, namesShown)
	for i, g := range groups {
		if i == junitMost {
			rest := plural(len(groups)-i, "more reason is", "more reasons are") + " not listed here"
			return append(out, junitCase{name: "judged: and others", problem: "unknown", message: rest})
		}
		u := g.first
		what := string(u.Subject.Kind)
		if u.Setting != "" {
			what += "." + string(u.Setting)
		}
		c := junitCase{name: "judged: " + what + ": " + within(u.Reason, textShown), problem: "unknown"}
		c.message = what + " could not be judged: " + within(u.Reason, textShown)
		if u.Subject.Name != "" || u.Subject.ID != "" {
			c.message = objects(string(u.Subject.Kind), g.count) + " could not be judged: " + within(u.Reason, textShown)
			c.details = namesAndMore(g)
		}
		out = append(out, c)
	}
	return out
}

// namesAndMore lists who could not be judged, one a line.
func namesAndMore(g *unknownGroup) string {
	lines := g.names
	if more := g.count - len(g.names); more > 0 {
		lines = append(slices.Clone(lines), "and "+number(more)+" more")
	}
	return strings.Join(lines, "\n")
}

func countErrors(cases []junitCase) int {
	n := 0
	for _, c := range cases {
		if c.problem != "" {
			n++
		}
	}
	return n
}

// writeCoverage writes the suite "coverage", with what the run says of itself.
func (d document) writeCoverage(x *xmlWriter, cases []junitCase) {
	x.open("testsuite", "name", "coverage", "tests", strconv.Itoa(len(cases)), "failures", "0",
		"errors", strconv.Itoa(countErrors(cases)), "skipped", "0", "timestamp", stamp(d.header.CreatedAt))
	x.raw("<properties>\n")
	for _, p := range d.junitProperties() {
		x.empty("property", "name", p[0], "value", within(p[1], textShown))
	}
	x.close("properties")
	for _, c := range cases {
		x.open("testcase", "name", c.name, "classname", "coverage")
		if c.problem != "" {
			x.text("error", c.details, "type", c.problem, "message", c.message)
		} else {
			x.text("system-out", c.details)
		}
		x.close("testcase")
	}
	if len(d.warnings) > 0 {
		lines := make([]string, len(d.warnings))
		for i, w := range d.warnings {
			lines[i] = "warning: " + within(w, textShown)
		}
		x.text("system-out", strings.Join(lines, "\n"))
	}
	x.close("testsuite")
}

func (d document) junitProperties() [][2]string {
	unknown := count(d.summary, func(c reconcile.StateCounts) int { return c.Unknown })
	return [][2]string{
		{"verdict", string(d.verdict)},
		{"complete", strconv.FormatBool(d.coverage.Complete)},
		{"scope", string(d.coverage.Scope)},
		{"tool", d.header.Tool},
		{"run", d.header.RunID},
		{"tenant", d.header.Tenant},
		{"policy", d.header.Policy.Name},
		{"policyDigest", d.header.Policy.Digest},
		{"createdAt", stamp(d.header.CreatedAt)},
		{"mailboxesRead", strconv.Itoa(d.coverage.Mailboxes.Read)},
		{"bypassRowsRead", strconv.Itoa(d.coverage.Bypass.Read)},
		{"unknownObjects", strconv.Itoa(unknown)},
	}
}
