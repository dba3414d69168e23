package policy

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/policy/strict"
)

// Conflict is two wishes for one logon type that no list can fulfil together.
// First stands before Second in the file.
type Conflict struct {
	Logon   audit.LogonType
	First   Origin
	Second  Origin
	Message string
}

// conflictsOf finds what the given asks contradict each other in, sorted by
// place. Every contradiction is between two parts, so pairs are all there is.
func conflictsOf(t audit.MailboxType, l audit.LogonType, asks []ask) []Conflict {
	var found []Conflict
	for i, a := range asks {
		found = append(found, a.against(a, t, l)...)
		for _, b := range asks[i+1:] {
			found = append(found, a.against(b, t, l)...)
			found = append(found, b.against(a, t, l)...)
		}
	}
	for i := range found {
		c := &found[i]
		if c.First.compare(c.Second) > 0 {
			c.First, c.Second = c.Second, c.First
		}
	}
	slices.SortStableFunc(found, func(x, y Conflict) int {
		return cmp.Or(x.Second.compare(y.Second), x.First.compare(y.First), cmp.Compare(x.Message, y.Message))
	})
	return slices.CompactFunc(found, func(x, y Conflict) bool {
		return x.Second.compare(y.Second) == 0 && x.First.compare(y.First) == 0 && x.Message == y.Message
	})
}

// against finds what the managed or exact part of a contradicts in b.
func (a ask) against(b ask, t audit.MailboxType, l audit.LogonType) []Conflict {
	var found []Conflict
	add := func(x, y Pos, format string, args ...any) {
		found = append(found, Conflict{Logon: l, First: a.at(x), Second: b.at(y), Message: fmt.Sprintf(format, args...)})
	}
	defaults := audit.Defaults(t, l)
	if m := a.record.Managed; m != nil && b.record.Plus != nil {
		if extra := b.record.Plus.Set().Minus(defaults); extra.Len() > 0 {
			add(m.Pos, b.record.Plus.Pos, "a list managed by Microsoft cannot hold %s, which plus asks for", extra)
		}
	}
	e := a.record.Exact
	if e == nil {
		return found
	}
	exact := e.Set()
	if b.record.Managed != nil {
		add(e.Pos, b.record.Managed.Pos, "an exact list is not managed by Microsoft")
	}
	if b.record.Defaults != nil {
		if lacking := defaults.Minus(exact); lacking.Len() > 0 {
			add(e.Pos, b.record.Defaults.Pos, "the exact list leaves out %s of Microsoft's defaults", lacking)
		}
	}
	if b.record.Plus != nil {
		if lacking := b.record.Plus.Set().Minus(exact); lacking.Len() > 0 {
			add(e.Pos, b.record.Plus.Pos, "the exact list leaves out %s, which plus asks for", lacking)
		}
	}
	if o := b.record.Exact; o != nil && !o.Set().Equal(exact) {
		add(e.Pos, o.Pos, "two exact lists differ")
	}
	return found
}

// checkConflicts reports contradictions that are certain: within one rule, and
// between two rules of which every mailbox of the one is a mailbox of the other.
// What only some mailbox may meet is left to Resolve.
func (p *Policy) checkConflicts(l *loader) {
	where, strictly := make([]string, len(p.Mailboxes)), make([]bool, len(p.Mailboxes))
	for i, r := range p.Mailboxes {
		if r.Where != nil {
			where[i] = r.Where.String()
		}
		// Every contradiction has a managed or an exact part on one side.
		strictly[i] = slices.ContainsFunc(r.Record[:], func(rec *Record) bool {
			return rec != nil && (rec.Managed != nil || rec.Exact != nil)
		})
	}
	for i := range p.Mailboxes {
		p.checkPair(i, i, l)
		for j := i + 1; j < len(p.Mailboxes); j++ {
			// All mailboxes that one rule matches, of the types both have, are
			// matched by the other.
			certain := where[i] == "" || where[j] == "" || where[i] == where[j]
			if certain && (strictly[i] || strictly[j]) {
				p.checkPair(i, j, l)
			}
		}
	}
	for _, e := range p.Exemptions {
		e.checkForms(l)
	}
}

// checkForms reports records that an exemption accepts and no list can be.
func (e Exemption) checkForms(l *loader) {
	for _, logon := range audit.LogonTypes() {
		accepted := e.Accept.Record[logon]
		if accepted == nil || accepted.Form == nil {
			continue
		}
		asks := []ask{{&Rule{Name: e.Name}, accepted.Form}}
		for _, c := range conflictsOf(audit.UserMailbox, logon, asks) {
			l.report(Diagnostic{
				Pos: c.Second.Pos, Code: CodeConflict, Severity: strict.Error,
				Message: fmt.Sprintf("%s: %s", logon, c.Message), Hint: fmt.Sprintf("it contradicts %s", c.First.Pos),
			})
		}
	}
}

// checkPair reports each contradiction of two rules once, though several types
// may show it. A rule is paired with itself to be checked alone.
func (p *Policy) checkPair(i, j int, l *loader) {
	seen := map[[2]Pos]bool{}
	for _, t := range p.Mailboxes[i].Types {
		if !slices.Contains(p.Mailboxes[j].Types, t) {
			continue
		}
		for _, logon := range audit.LogonTypes() {
			for _, c := range p.pairConflicts(i, j, t, logon) {
				pair := [2]Pos{c.First.Pos, c.Second.Pos}
				if seen[pair] {
					continue
				}
				seen[pair] = true
				here, there := l.nearer(c.Second, c.First)
				l.report(Diagnostic{
					Pos:      here.Pos,
					Code:     CodeConflict,
					Severity: strict.Error,
					Message:  fmt.Sprintf("%s: %s", c.Logon, c.Message),
					Hint:     fmt.Sprintf("it contradicts %s in rule %s", there.Pos, there.Rule),
				})
			}
		}
	}
}

// nearer gives the two places so that the first is in the file which began to be
// read first: a mistake belongs to the policy, not to the baseline it extends.
func (l *loader) nearer(a, b Origin) (here, there Origin) {
	if l.rank[b.File] < l.rank[a.File] {
		return b, a
	}
	return a, b
}

// pairConflicts gives the contradictions between two rules, without those that
// each has in itself.
func (p *Policy) pairConflicts(i, j int, t audit.MailboxType, l audit.LogonType) []Conflict {
	if i == j {
		return conflictsOf(t, l, p.asks([]int{i}, l))
	}
	found := conflictsOf(t, l, p.asks([]int{i, j}, l))
	return slices.DeleteFunc(found, func(c Conflict) bool { return c.First.Rule == c.Second.Rule })
}
