package reconcile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// todo marks what people have to fill in; validate warns as long as it stands.
const todo = "TODO"

// yamlWriter writes the text of a policy. Whatever comes from the tenant goes
// through quoted or comment.
type yamlWriter struct{ b strings.Builder }

func (y *yamlWriter) line(indent int, format string, args ...any) {
	y.b.WriteString(strings.Repeat("  ", indent))
	fmt.Fprintf(&y.b, format, args...)
	y.b.WriteByte('\n')
}

// comment writes text as comments of bounded width, one word after the other.
// Runes that a terminal could act upon are escaped.
func (y *yamlWriter) comment(indent int, format string, args ...any) {
	text := quoted(fmt.Sprintf(format, args...))
	text = strings.ReplaceAll(text[1:len(text)-1], `\"`, `"`)
	const width = 88
	row, next := "#", "#"
	if strings.HasPrefix(text, "- ") {
		next = "#  " // What goes on stands below the text of its item.
	}
	for word := range strings.FieldsSeq(text) {
		if len(row)+1+len(word) > width && row != "#" {
			y.line(indent, "%s", row)
			row = next
		}
		row += " " + word
	}
	y.line(indent, "%s", row)
}

// quoted is text as a YAML scalar: its escapes are those of YAML too. No two hash
// signs are left side by side, since CI systems that are shown the draft take
// "##vso[" and "##[" for commands anywhere in a line.
func quoted(text string) string {
	return strings.ReplaceAll(strconv.QuoteToASCII(text), "##", `#\x23`)
}

// render writes the policy.
func (d *Draft) render() []byte {
	var y yamlWriter
	d.head(&y)
	d.rules(&y)
	d.allow(&y)
	d.exemptions(&y)
	return []byte(y.b.String())
}

func (d *Draft) head(y *yamlWriter) {
	of := ""
	if d.Tenant != "" {
		of = " of the tenant " + d.Tenant
	}
	y.comment(0, "A policy drafted from what was there on %s%s: %s.", d.CreatedAt.Format(time.DateOnly), of, plural(d.Mailboxes, "mailbox", "mailboxes"))
	y.line(0, "#")
	y.comment(0, "It rests on the baseline that the tenant is nearest to, asks for what the tenant does beyond it, and accepts"+
		" until %s what falls short of it. That is a loan and not a norm: give each entry marked %s a reason and an owner, or remove it and"+
		" have apply repair what it names.", d.Expires.Format(time.DateOnly), todo)
	for i, note := range d.Notes {
		if i == 0 {
			y.line(0, "#")
			y.comment(0, "What it does not say:")
		}
		y.comment(0, "- %s", note)
	}
	y.line(0, "apiVersion: %s", policy.APIVersion)
	y.line(0, "kind: %s", policy.Kind)
	y.line(0, "name: drafted")
	y.line(0, "")
	y.comment(0, "In how many values the mailboxes differ from each baseline, in either direction:")
	for _, b := range d.Distances {
		y.comment(0, "%s %d", b.Name, b.Differs)
	}
	y.line(0, "extends: [%s]", strings.Join(d.Extends, ", "))
}

func (d *Draft) rules(y *yamlWriter) {
	if len(d.Rules) == 0 {
		return
	}
	y.line(0, "")
	y.comment(0, "What mailboxes do beyond the baseline, so that it is missed when it is gone.")
	y.line(0, "mailboxes:")
	for _, r := range d.Rules {
		y.comment(1, "%s", plural(r.Mailboxes, "mailbox", "mailboxes"))
		y.line(1, "%s:", r.Name)
		types := make([]string, len(r.Types))
		for i, t := range r.Types {
			types[i] = string(t)
		}
		y.line(2, "types: [%s]", strings.Join(types, ", "))
		if len(r.Addresses) > 0 {
			y.line(2, "where:")
			y.addresses(3, r.Addresses)
		}
		if len(r.Except) > 0 {
			y.line(2, "where:")
			y.line(3, "not:")
			y.addresses(4, r.Except)
		}
		d.record(y, r)
		if r.Enabled != "" {
			y.line(2, "auditEnabled: %s", r.Enabled)
		}
		if r.AgeLimit > 0 {
			y.line(2, "ageLimit: %s", quoted(durationText(r.AgeLimit)))
		}
	}
}

func (d *Draft) record(y *yamlWriter, r DraftRule) {
	begun := false
	for _, l := range audit.LogonTypes() {
		if !r.Defaults && r.Plus[l].Len() == 0 {
			continue
		}
		if !begun {
			y.line(2, "record:")
			begun = true
		}
		y.line(3, "%s: %s", strings.ToLower(l.String()), floorYAML(r.Defaults, r.Plus[l]))
	}
}

// floorYAML writes a record: Microsoft's defaults, further actions, or both.
func floorYAML(defaults bool, plus audit.ActionSet) string {
	switch {
	case defaults && plus.Len() > 0:
		return fmt.Sprintf("{defaults: true, plus: [%s]}", plus)
	case defaults:
		return "{defaults: true}"
	}
	return fmt.Sprintf("{plus: [%s]}", plus)
}

func (y *yamlWriter) addresses(indent int, list []string) {
	y.line(indent, "address:")
	for _, a := range slices.Sorted(slices.Values(list)) {
		y.line(indent+1, "- %s", quoted(a))
	}
}

func (d *Draft) allow(y *yamlWriter) {
	if len(d.Allow) == 0 {
		return
	}
	y.line(0, "")
	y.comment(0, "Nothing that these accounts do is recorded, in any mailbox.")
	y.line(0, "bypass:")
	y.line(1, "allow:")
	for _, e := range d.Allow {
		y.line(2, "- id: %s", quoted(e.ID))
		if e.Account != "" {
			y.comment(3, "%s", e.Account)
		}
		d.loan(y, 3)
	}
}

// loan is what every permission needs.
func (d *Draft) loan(y *yamlWriter, indent int) {
	y.line(indent, "reason: %s", todo)
	y.line(indent, "owner: %s", todo)
	y.line(indent, "expires: %s", d.Expires.Format(time.DateOnly))
}

func (d *Draft) exemptions(y *yamlWriter) {
	if len(d.Accepted) == 0 && !d.UnifiedLogOff && !d.AuditDisabled {
		return
	}
	y.line(0, "")
	y.comment(0, "What falls short today. Less than what is accepted here is drift again.")
	y.line(0, "exemptions:")
	d.switches(y)
	for _, e := range d.Accepted {
		y.comment(1, "%s:", plural(e.Mailboxes, "mailbox", "mailboxes"))
		for _, why := range e.Lacks[:min(len(e.Lacks), maxDraftLacks)] {
			y.comment(1, "- %s", why)
		}
		if more := len(e.Lacks) - maxDraftLacks; more > 0 {
			y.comment(1, "- and in %s", plural(more, "other way", "other ways"))
		}
		y.line(1, "%s:", e.Name)
		y.line(2, "where:")
		y.addresses(3, e.Addresses)
		y.line(2, "accept:")
		for _, l := range audit.LogonTypes() {
			f := e.Accept.Record[l]
			switch {
			case f == nil:
			case f.Defaults:
				y.line(3, "%s: %s", strings.ToLower(l.String()), floorYAML(true, f.Plus))
			default:
				y.line(3, "%s: [%s]", strings.ToLower(l.String()), f.Plus)
			}
		}
		if e.Accept.AgeLimit != nil {
			y.line(3, "ageLimit: %s", quoted(durationText(*e.Accept.AgeLimit)))
		}
		d.loan(y, 2)
	}
}

// switches accepts those of the tenant that are off.
func (d *Draft) switches(y *yamlWriter) {
	if !d.UnifiedLogOff && !d.AuditDisabled {
		return
	}
	y.comment(1, "The tenant's own switches: with these off nothing that follows counts for much.")
	y.line(1, "tenant-switches:")
	y.line(2, "subject: %s", audit.KindOrganization)
	y.line(2, "accept:")
	if d.UnifiedLogOff {
		y.line(3, "unifiedAuditLog: false")
	}
	if d.AuditDisabled {
		y.line(3, "mailboxAuditing: false")
	}
	d.loan(y, 2)
}
