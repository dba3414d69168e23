package policy

import (
	"slices"

	"github.com/exoaudit/exoaudit/policy/strict"
)

// named is what a merge needs to know of a rule, an exemption or an allow entry.
type named interface {
	// paths name the part; two parts with one path in common are the same.
	paths() []string
	at() Pos
	overriding() *override
}

func (r Rule) paths() []string            { return []string{"mailboxes." + r.Name} }
func (r Rule) at() Pos                    { return r.Pos }
func (r Rule) overriding() *override      { return r.override }
func (e Exemption) paths() []string       { return []string{"exemptions." + e.Name} }
func (e Exemption) at() Pos               { return e.Pos }
func (e Exemption) overriding() *override { return e.override }
func (a Allow) at() Pos                   { return a.Pos }
func (a Allow) overriding() *override     { return a.override }

func (a Allow) paths() []string {
	var paths []string
	if a.Name != "" {
		paths = append(paths, "bypass.allow."+a.Name)
	}
	if s := a.subject(); s != "" {
		paths = append(paths, "bypass.allow."+s)
	}
	return paths
}

func (m *merger) rules(p, base, child *Policy) {
	p.Mailboxes = beside(m, p, base.Mailboxes, child.Mailboxes)
}

func (m *merger) exemptions(p, base, child *Policy) {
	p.Exemptions = beside(m, p, base.Exemptions, child.Exemptions)
}

func (m *merger) bypass(p, base, child *Policy) {
	switch {
	case base.Bypass == nil:
		p.Bypass = child.Bypass
		if child.Bypass != nil {
			beside(m, p, nil, child.Bypass.Allow)
		}
	case child.Bypass == nil:
		p.Bypass = base.Bypass
	default:
		p.Bypass = &Bypass{
			Pos:      child.Bypass.Pos,
			Allow:    beside(m, p, base.Bypass.Allow, child.Bypass.Allow),
			Controls: united(base.Bypass.Controls, child.Bypass.Controls),
		}
	}
}

// beside gives the parts of both, without those of the base that the child
// replaces. One part that came two ways stands once.
func beside[T named](m *merger, p *Policy, base, child []T) []T {
	if m.siblings {
		return siblingParts(p, base, child)
	}
	places := indexed(base)
	replaced := map[int]bool{}
	for _, c := range child {
		same, shared := places.find(c.paths())
		o := c.overriding()
		switch {
		case o == nil && len(same) > 0:
			m.report(Diagnostic{
				Pos: c.at(), Code: CodeDuplicateName, Severity: strict.Error,
				Message: shared + " stands already at " + base[same[0]].at().String(),
				Hint:    "rename it, or replace the other with override: true and a reason",
			})
		case o != nil && len(same) == 0 && !m.blind && len(c.paths()) > 0:
			m.report(Diagnostic{
				Pos: o.pos, Code: CodeBadOverride, Severity: strict.Error,
				Message: "no extended policy has " + c.paths()[0], Hint: "remove override, or correct the name",
			})
		case o != nil && len(same) > 0:
			for _, i := range same {
				replaced[i] = true
			}
			p.clashes = slices.DeleteFunc(p.clashes, func(k clash) bool { return slices.Contains(c.paths(), k.path) })
			p.Overrides = append(p.Overrides, Override{Path: shared, Reason: o.reason, Pos: o.pos})
		}
	}
	var merged []T
	for i, b := range base {
		if !replaced[i] {
			merged = append(merged, b)
		}
	}
	return append(merged, child...)
}

// siblingParts gives the parts of two policies that one extends. What both have
// is left for that one to settle.
func siblingParts[T named](p *Policy, base, more []T) []T {
	places := indexed(base)
	merged := slices.Clone(base)
	for _, c := range more {
		same, shared := places.find(c.paths())
		if slices.ContainsFunc(same, func(i int) bool { return base[i].at() == c.at() }) {
			continue
		}
		for _, i := range same {
			p.clashes = append(p.clashes, clash{shared, base[i].at(), c.at()})
		}
		merged = append(merged, c)
	}
	return merged
}

// placesByPath says where the parts with a path stand in a list. Lists may be
// long, so that they are not compared with each other part by part.
type placesByPath map[string][]int

func indexed[T named](parts []T) placesByPath {
	places := placesByPath{}
	for i, part := range parts {
		for _, path := range part.paths() {
			places[path] = append(places[path], i)
		}
	}
	return places
}

// find gives the places of all parts that have one of the paths, in order, and the
// first path that one has.
func (p placesByPath) find(paths []string) (places []int, shared string) {
	for _, path := range paths {
		if shared == "" && len(p[path]) > 0 {
			shared = path
		}
		places = append(places, p[path]...)
	}
	slices.Sort(places)
	return slices.Compact(places), shared
}
