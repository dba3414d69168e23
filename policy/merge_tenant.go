package policy

import (
	"slices"
	"strings"
	"time"
)

func (m *merger) organization(base, child *Organization) *Organization {
	if base == nil || child == nil {
		return first(child, base)
	}
	o := &Organization{
		Pos:              child.Pos,
		UnifiedAuditLog:  first(child.UnifiedAuditLog, base.UnifiedAuditLog),
		MailboxAuditing:  first(child.MailboxAuditing, base.MailboxAuditing),
		Controls:         united(base.Controls, child.Controls),
		customization:    scalar(m, "organization.enableCustomization", base.customization, child.customization, denies),
		unifiedControls:  united(base.unifiedControls, child.unifiedControls),
		auditingControls: united(base.auditingControls, child.auditingControls),
	}
	o.EnableCustomization = isTrue(o.customization)
	return o
}

func (m *merger) adminAudit(base, child *AdminAudit) *AdminAudit {
	if base == nil || child == nil {
		return first(child, base)
	}
	a := &AdminAudit{
		Pos:             child.Pos,
		Enabled:         first(child.Enabled, base.Enabled),
		Cmdlets:         m.covered("adminAudit.cmdlets", base.Cmdlets, child.Cmdlets),
		Parameters:      m.covered("adminAudit.parameters", base.Parameters, child.Parameters),
		ExcludedCmdlets: m.excluded(base.ExcludedCmdlets, child.ExcludedCmdlets),
		AgeLimit:        scalar(m, "adminAudit.ageLimit", base.AgeLimit, child.AgeLimit, isAtLeast[time.Duration]),
		Controls:        united(base.Controls, child.Controls),
		attempt:         scalar(m, "adminAudit.attempt", base.attempt, child.attempt, denies),
	}
	a.Attempt = isTrue(a.attempt)
	return a
}

// covered gives what must be covered: what either list asks for, as lists of
// wishes add up, or the child's alone where it has a reason.
func (m *merger) covered(path string, base, child *Located[[]string]) *Located[[]string] {
	switch {
	case base == nil:
		return child
	case child == nil:
		return base
	case coversAll(child.Value, base.Value):
		return child
	case !m.siblings && m.allows(path):
		return child
	default:
		return &Located[[]string]{Value: widest(slices.Concat(base.Value, child.Value)), Pos: child.Pos}
	}
}

// widest leaves out the patterns that another one covers, and sorts the rest.
func widest(patterns []string) []string {
	var kept []string
	for _, p := range patterns {
		if Covers(kept, p) {
			continue
		}
		kept = slices.DeleteFunc(kept, func(k string) bool { return Covers([]string{p}, k) })
		kept = append(kept, p)
	}
	return sortedFold(kept)
}

// excluded gives what may be excluded: for policies side by side only what both
// allow.
func (m *merger) excluded(base, child *Located[[]string]) *Located[[]string] {
	if base == nil || child == nil || !m.siblings {
		return scalar(m, "adminAudit.excludedCmdlets", base, child, func(a, b []string) bool { return coversAll(b, a) })
	}
	both := []string{}
	for _, p := range base.Value {
		if Covers(child.Value, p) {
			both = append(both, p)
		}
	}
	for _, p := range child.Value {
		if Covers(base.Value, p) {
			both = append(both, p)
		}
	}
	if both = widest(both); both == nil {
		both = []string{}
	}
	return &Located[[]string]{Value: both, Pos: base.Pos}
}

func sortedFold(list []string) []string {
	slices.SortFunc(list, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return list
}

func (m *merger) retention(base, child *Retention) *Retention {
	if base == nil || child == nil {
		return first(child, base)
	}
	r := &Retention{
		Pos:      child.Pos,
		Floor:    scalar(m, "retention.floor", base.Floor, child.Floor, isAtLeast[time.Duration]),
		Require:  slices.Clone(base.Require),
		Controls: united(base.Controls, child.Controls),
	}
	have := map[Pos]bool{}
	for _, b := range base.Require {
		have[b.Pos] = true
	}
	for _, c := range child.Require {
		// What two policies have from the same third stands once.
		if !have[c.Pos] {
			r.Require = append(r.Require, c)
		}
	}
	return r
}
