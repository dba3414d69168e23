package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/exoaudit/exoaudit/reconcile"
)

// junitMost is how many reasons of one sort are cases of their own; the others are
// counted.
const junitMost = 500

// writeJUnit writes JUnit XML, as test reports of CI systems take it. The suite
// "coverage" comes first: it has an error where the run is no judgement of the tenant,
// and one for each reason. Then there is a suite for each kind of object, with a case
// that passes where objects are in line, and one for each open finding: a failure where
// it counts, skipped with the reason where it does not or is accepted. What a run has
// mended is counted in a case that passes.
//
// A case keeps its name while its finding stays as it is, so that a host can tell
// since when it fails. Findings are ranged over several times, as a suite says how many
// failures it has before the first, and none of them is held.
func writeJUnit(w io.Writer, d document) error {
	x := &xmlWriter{w: bufio.NewWriterSize(w, 64<<10)}
	suites := d.junitSuites()
	coverage := d.junitCoverage()
	all := junitSuite{cases: len(coverage), errors: countErrors(coverage)}
	for _, s := range suites {
		all.cases += s.total()
		all.failures += s.failures
	}
	x.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	x.open("testsuites", "name", "exoaudit", "tests", strconv.Itoa(all.cases), "failures", strconv.Itoa(all.failures), "errors", strconv.Itoa(all.errors))
	d.writeCoverage(x, coverage)
	for _, s := range suites {
		if x.err != nil {
			return x.err
		}
		d.writeSuite(x, s)
	}
	x.close("testsuites")
	if x.err != nil {
		return x.err
	}
	return x.w.Flush()
}

// junitSuite is what a suite counts.
type junitSuite struct {
	kind                             string
	cases, failures, errors, skipped int
	fixed                            int
	states                           reconcile.StateCounts
}

// total is the number of cases: one for what is in line, one for what was mended, if
// anything was, and one for each finding.
func (s junitSuite) total() int {
	n := 1 + s.cases
	if s.fixed > 0 {
		n++
	}
	return n
}

// junitSuites counts findings by kind, in the order of a plan: the kinds of which the
// run speaks.
func (d document) junitSuites() []junitSuite {
	byKind := map[string]*junitSuite{}
	at := func(kind string) *junitSuite {
		if byKind[kind] == nil {
			byKind[kind] = &junitSuite{kind: kind}
		}
		return byKind[kind]
	}
	for _, kind := range kinds() {
		if c, ok := states(d.summary, kind); ok && c != (reconcile.StateCounts{}) {
			at(kind).states = c
		}
	}
	for c := range d.changes {
		s := at(string(c.Subject.Kind))
		switch d.standing(c) {
		case counts:
			s.cases++
			s.failures++
		case below, accepted:
			s.cases++
			s.skipped++
		case settled:
			s.fixed++
		}
	}
	var out []junitSuite
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		s := *byKind[kind]
		if !d.listsInLine(s) {
			s.skipped++
		}
		if s.fixed > 0 && !d.judged() {
			s.skipped++
		}
		out = append(out, s)
	}
	return out
}

// listsInLine tells whether a suite may have a case that passes: not where nothing is
// in line, nor in a run that is no pass, of which somebody may look at one suite alone.
func (d document) listsInLine(s junitSuite) bool { return d.judged() && s.states.InSync > 0 }

// writeSuite writes the suite of one kind.
func (d document) writeSuite(x *xmlWriter, s junitSuite) {
	x.open("testsuite", "name", s.kind, "tests", strconv.Itoa(s.total()), "failures", strconv.Itoa(s.failures),
		"errors", "0", "skipped", strconv.Itoa(s.skipped), "timestamp", stamp(d.header.CreatedAt))
	standing := fmt.Sprintf("%s in line, %s exempt; no rule speaks of %s", objects(s.kind, s.states.InSync), number(s.states.Exempt), number(s.states.NotApplicable))
	x.open("testcase", "name", "in line", "classname", s.kind)
	switch {
	case d.listsInLine(s):
		x.text("system-out", standing)
	case d.judged():
		x.empty("skipped", "message", standing)
	default:
		x.empty("skipped", "message", "not judged, as the run is "+string(d.verdict)+"; of what was read: "+standing)
	}
	x.close("testcase")
	if s.fixed > 0 {
		x.open("testcase", "name", "mended by this run", "classname", s.kind)
		mended := plural(s.fixed, "difference was", "differences were") + " found and mended"
		if d.judged() {
			x.text("system-out", mended)
		} else {
			x.empty("skipped", "message", mended+"; the run is "+string(d.verdict))
		}
		x.close("testcase")
	}
	if s.cases > 0 {
		for c := range d.open() {
			if string(c.Subject.Kind) != s.kind {
				continue
			}
			if d.writeCase(x, c); x.err != nil {
				return
			}
		}
	}
	x.close("testsuite")
}

// writeCase writes one finding.
func (d document) writeCase(x *xmlWriter, c reconcile.Change) {
	x.open("testcase", "name", junitName(c), "classname", string(c.Subject.Kind)+"."+string(c.Setting))
	severity, sentence := c.Severity.String(), d.sentence(c)
	switch d.standing(c) {
	case accepted:
		x.empty("skipped", "type", "accepted", "message", "accepted: "+within(c.Reason, textShown))
	case below:
		x.empty("skipped", "type", severity, "message", d.whyBelow(c)+": "+sentence)
	case counts, settled:
		x.text("failure", strings.Join(d.junitDetails(c), "\n"), "type", severity, "message", sentence)
	}
	x.close("testcase")
}

// junitName names a finding: names are not unique, so the id stands beside them.
func junitName(c reconcile.Change) string {
	name := shownName(c.Subject)
	if id := within(c.Subject.ID, nameShown); id != "" && id != name && id != string(c.Subject.Kind) {
		name += " [" + id + "]"
	}
	return name + ": " + editShown(c)
}

// junitDetails says the rest of a finding, line by line.
func (d document) junitDetails(c reconcile.Change) []string {
	out := []string{
		"before: " + valueShown(c.Before), "after: " + valueShown(c.After),
		"asked for at: " + placeShown(c), "state: " + d.became(c),
	}
	if len(c.Controls) > 0 {
		out = append(out, "controls: "+listShown(c.Controls))
	}
	if c.Weakens {
		out = append(out, "records less than today")
	}
	if c.Pins {
		out = append(out, "leaves Microsoft's managed defaults")
	}
	return append(out, "change: "+Line(c.ID))
}
