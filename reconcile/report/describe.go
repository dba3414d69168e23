package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/exoaudit/exoaudit/reconcile"
)

// WritePolicy writes a described policy as exoaudit/policy/v1. It returns the
// first error of w.
func WritePolicy(w io.Writer, p *reconcile.PolicyDescription) error { return writeIndented(w, p) }

// WritePolicyText writes a described policy for people: what it is made of, then
// each part with what it asks for and where that is said, and as its last line
// the digest. It returns the first error of w.
func WritePolicyText(w io.Writer, p *reconcile.PolicyDescription) error {
	t := &textWriter{w: bufio.NewWriter(w)}
	t.line("Policy %s, %s", Line(p.Name), Line(p.File))
	for _, e := range p.Extends {
		what := "extends "
		if e.BuiltIn {
			what += "the baseline "
		}
		t.line("  %s%s  (%s)", what, Line(e.Name), placeText(e.Place))
	}
	for _, o := range p.Overrides {
		t.line("  loosens %s  (%s): %s", Line(o.Path), placeText(o.Place), Line(o.Reason))
	}
	for _, part := range p.Parts {
		t.line("")
		t.part(part)
	}
	t.line("")
	t.line("%s", Line(p.Digest))
	return t.w.Flush()
}

// part shows one part: what it is, of whom it speaks, what it asks for.
func (t *textWriter) part(p reconcile.PolicyPart) {
	head := string(p.Kind)
	if p.Name != "" {
		head += " " + Line(p.Name)
	}
	if p.Place.File != "" {
		head += "  (" + placeText(p.Place) + ")"
	}
	t.line("%s", head)
	if len(p.Types) > 0 {
		t.para("  for ", joined(p.Types))
	}
	if p.Where != "" {
		t.para("  where ", Line(p.Where))
	}
	keys := len("controls")
	for _, v := range p.Values {
		keys = max(keys, len(v.Key))
	}
	note := func(key, text string) { t.para(fmt.Sprintf("  %-*s  ", keys, key), text) }
	for _, v := range p.Values {
		text := shownValue(v.Value)
		if v.Place.File != "" && v.Place != p.Place {
			text += "  (" + placeText(v.Place) + ")"
		}
		note(v.Key, text)
	}
	if p.Reason != "" {
		note("reason", Line(p.Reason))
		note("owner", Line(p.Owner))
		note("expires", Line(p.Expires))
	}
	if len(p.Controls) > 0 {
		note("controls", joined(p.Controls))
	}
}
