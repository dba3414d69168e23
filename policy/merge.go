package policy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/policy/strict"
)

// merger puts one policy over another. Of two policies that stand beside each
// other in one extends list neither may loosen the other: the stricter wins.
type merger struct {
	report    func(Diagnostic)
	siblings  bool
	blind     bool // part of the base is not known
	overrides []Override
	used      map[string]bool
}

// clash is a name that two extended policies both have.
type clash struct {
	path          string
	first, second Pos
}

// over gives the policy that base and child are together. Neither is changed.
func (m *merger) over(base, child *Policy) *Policy {
	p := &Policy{
		File: child.File, Name: child.Name,
		Organization: m.organization(base.Organization, child.Organization),
		AdminAudit:   m.adminAudit(base.AdminAudit, child.AdminAudit),
		Retention:    m.retention(base.Retention, child.Retention),
		MailboxesPos: child.MailboxesPos,
		allowUnknown: scalar(m, "allowUnknownActions", base.allowUnknown, child.allowUnknown, denies),
		wishes:       base.wishes || child.wishes,
	}
	p.AllowUnknownActions = isTrue(p.allowUnknown)
	if p.MailboxesPos.IsZero() {
		p.MailboxesPos = base.MailboxesPos
	}
	p.Overrides = slices.Concat(base.Overrides, missingFrom(base.Overrides, child.Overrides))
	p.clashes = base.clashes
	m.rules(p, base, child)
	m.exemptions(p, base, child)
	m.bypass(p, base, child)
	p.severity = m.severities(base, child)
	p.Guards = m.guards(base.Guards.said, child.Guards.said)
	if !m.siblings {
		m.settle(p)
		m.checkOverrides()
	}
	return p
}

// missingFrom gives the overrides of the second list that the first does not have
// already: two policies may extend the same third.
func missingFrom(have, more []Override) []Override {
	return slices.DeleteFunc(slices.Clone(more), func(o Override) bool { return slices.Contains(have, o) })
}

// settle reports the names that extended policies share and that the policy above
// them does not override.
func (m *merger) settle(p *Policy) {
	for _, c := range p.clashes {
		m.report(Diagnostic{
			Pos: c.second, Code: CodeDuplicateName, Severity: strict.Error,
			Message: fmt.Sprintf("%s stands at %s too, and one policy extends both", c.path, c.first),
			Hint:    "rename one, or replace both with override: true and a reason",
		})
	}
	p.clashes = nil
}

// checkOverrides warns of overrides that loosen nothing: they would let a later
// change of the extended policy pass unseen.
func (m *merger) checkOverrides() {
	for _, o := range m.overrides {
		if !m.used[o.Path] && !m.blind {
			m.report(Diagnostic{
				Pos: o.Pos, Code: CodeUselessOverride, Severity: strict.Warning,
				Message: "nothing is loosened at " + o.Path, Hint: "remove it",
			})
		}
	}
}

// allows tells whether the child may loosen a value, and remembers that it does.
func (m *merger) allows(path string) bool {
	if !slices.ContainsFunc(m.overrides, func(o Override) bool { return o.Path == path }) {
		return false
	}
	m.used[path] = true
	return true
}

// looser reports a value that asks for less than the base does.
func (m *merger) looser(path string, at, base Pos) {
	m.report(Diagnostic{
		Pos: at, Code: CodeLooser, Severity: strict.Error,
		Message: fmt.Sprintf("%s asks for less than %s does", path, base),
		Hint:    fmt.Sprintf("remove it, or give the reason in overrides: {%s: …}", path),
	})
}

// scalar gives the value that stands at a path: the stricter, or the child's
// where it has a reason to be looser.
func scalar[T any](m *merger, path string, base, child *Located[T], asStrict func(a, b T) bool) *Located[T] {
	switch {
	case base == nil:
		return child
	case child == nil:
		return base
	case m.siblings && asStrict(base.Value, child.Value):
		return base
	case asStrict(child.Value, base.Value), m.siblings:
		return child
	case m.allows(path):
		return child
	default:
		m.looser(path, child.Pos, base.Pos)
		return base
	}
}

// The orders of strictness: each tells whether the first value is as strict as
// the second.
func denies(a, b bool) bool                            { return !a || b }
func isAtLeast[T audit.Severity | ~int64](a, b T) bool { return a >= b }
func isAtMost[T ~int | ~int64 | ~float64](a, b T) bool { return a <= b }

// first gives the child's value, else the base's: for values that are all equal.
func first[T any](child, base *T) *T {
	if child != nil {
		return child
	}
	return base
}

func (m *merger) severities(base, child *Policy) map[audit.Setting]Located[audit.Severity] {
	merged := maps.Clone(base.severity)
	for _, s := range audit.Settings() {
		said, ok := child.severity[s]
		if !ok {
			continue
		}
		if merged == nil {
			merged = map[audit.Setting]Located[audit.Severity]{}
		}
		var before *Located[audit.Severity]
		if b, ok := merged[s]; ok {
			before = &b
		}
		merged[s] = *scalar(m, severityPath(s), before, &said, isAtLeast[audit.Severity])
	}
	return merged
}

func (m *merger) guards(base, child saidGuards) Guards {
	return saidGuards{
		percent:   scalar(m, "guards.maxChangedPercent", base.percent, child.percent, isAtMost[float64]),
		changed:   scalar(m, "guards.maxChanged", base.changed, child.changed, isAtMost[int]),
		weakening: scalar(m, "guards.allowWeakening", base.weakening, child.weakening, denies),
		age:       scalar(m, "guards.maxSweepAge", base.age, child.age, isAtMost),
		rings:     m.rings(base.rings, child.rings),
	}.guards()
}

// rings gives the rings of a run: of two lists side by side of which neither is
// as careful as the other, one after the other.
func (m *merger) rings(base, child *Located[[]RingSize]) *Located[[]RingSize] {
	if !m.siblings || base == nil || child == nil ||
		asCareful(base.Value, child.Value) || asCareful(child.Value, base.Value) {
		return scalar(m, "guards.rings", base, child, asCareful)
	}
	first, second := base.Value, child.Value
	if fmt.Sprint(first) > fmt.Sprint(second) {
		first, second = second, first
	}
	return &Located[[]RingSize]{Value: slices.Concat(first, second), Pos: base.Pos}
}
