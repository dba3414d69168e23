package reconcile

import (
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// verdictOn is what a step would mean.
type verdictOn struct {
	weakens bool
	// breaks is why the policy would not be met any more by what the step leaves, with
	// the place that asks for more; empty where it would, or where there is none.
	breaks string
	at     policy.Origin
}

// judged settles whether a step is taken: what the policy does not put up with, or
// without a policy what weakens, is taken only where that is allowed.
func (b *undoBuilder) judged(s step, v verdictOn) step {
	if s.asBefore {
		return s
	}
	s.Weakens = v.weakens
	if s.of.failed && s.Fate == FatePlanned {
		s = s.blocked("by the journal the write failed, and yet what it was to leave shows: whether the run made it or somebody else is not known")
	}
	if v.breaks != "" {
		s.Reason += "; " + v.breaks
		s.Origin = v.at
	}
	if s.Fate != FatePlanned || b.req.AllowWeakening {
		return s
	}
	switch {
	case b.req.Policy == nil && v.weakens:
		return s.blocked("allowWeakening: without a policy nothing is weakened")
	case v.breaks != "":
		return s.blocked("allowWeakening: the policy would be broken")
	}
	return s
}

// differ judges by the policy, with the defaults that earlier runs learned.
func (b *undoBuilder) differ() differ {
	d := differ{policy: b.policy, storedMissing: b.view.storedMissing, now: b.plan.CreatedAt}
	if b.req.Memory != nil {
		d.catalogue.learned = b.req.Memory.learned
	}
	return d
}

// judgeMailbox judges each step of a mailbox by what it would be after that step
// alone: the settings of a mailbox do not depend on each other.
func (b *undoBuilder) judgeMailbox(m *mailboxBack, match []policy.Match) {
	d := b.differ()
	var now finding
	if b.policy.HasMailboxes() && b.req.Policy != nil {
		now = d.mailbox(m.now, match, m.stored)
	}
	for i, s := range m.steps {
		v := verdictOn{weakens: weakensMailbox(m.now, s)}
		if b.policy.HasMailboxes() && b.req.Policy != nil && !s.asBefore {
			v.breaks, v.at = broken(now, d.mailbox(s.then, match, s.notStored))
		}
		m.steps[i] = b.judged(s, v)
	}
}

// weakensMailbox tells whether a mailbox would record less after a step.
func weakensMailbox(now profile, s step) bool {
	for _, l := range audit.LogonTypes() {
		if now.lists[l].missing == "" && now.lists[l].value.Minus(s.then.lists[l].value).Len() > 0 {
			return true
		}
	}
	switch s.Setting {
	case audit.SettingAuditEnabled:
		return equalValues(s.Before, true) && equalValues(s.After, false)
	case audit.SettingAuditLogAgeLimit:
		return s.then.age.value < now.age.value
	default:
		return false
	}
}

// broken says what a policy asks for after a step that it did not ask for before;
// empty for nothing. What cannot be judged may be broken.
func broken(now, then finding) (string, policy.Origin) {
	if len(then.unknown) > 0 {
		return "whether the policy puts up with it cannot be told: " + then.unknown[0].Reason, policy.Origin{}
	}
	for _, c := range then.changes {
		if c.Fate != FateExempt && !slices.ContainsFunc(now.changes, func(o Change) bool { return o.Fate != FateExempt && asksAsMuch(o, c) }) {
			return "it breaks the policy: " + c.Reason, c.Origin
		}
	}
	return "", policy.Origin{}
}

// asksAsMuch tells whether one change already asks for all that another does.
func asksAsMuch(o, c Change) bool {
	if o.Setting != c.Setting || o.Subject.ID != c.Subject.ID {
		return false
	}
	if len(c.Add)+len(c.Remove) > 0 {
		return len(without(c.Add, o.Add)) == 0 && len(without(c.Remove, o.Remove)) == 0
	}
	return equalValues(o.Before, c.Before) && equalValues(o.After, c.After)
}

// equalValues compares two values of a change; lists as sets, in any case.
func equalValues(a, b any) bool {
	x, isX := a.([]string)
	y, isY := b.([]string)
	if isX || isY {
		return isX && isY && audit.SetOf(x).Equal(audit.SetOf(y))
	}
	return a == b
}

// judgeSwitch judges a switch of the tenant.
func (b *undoBuilder) judgeSwitch(s step) step {
	var v verdictOn
	now := b.view.tenant
	then := now
	if s.Setting == audit.SettingAuditDisabled {
		then.auditDisabled.value, _ = s.After.(bool)
		v.weakens = then.auditDisabled.value
	} else {
		then.unifiedLog.value, _ = s.After.(bool)
		v.weakens = !then.unifiedLog.value
	}
	if b.req.Policy != nil && !s.asBefore {
		d := b.differ()
		before, after := d.organization(now), d.organization(then)
		after.unknown = unknownOf(after, s.Setting)
		v.breaks, v.at = broken(before, after)
	}
	return b.judged(s, v)
}

// unknownOf are the unknown parts of a finding that are about a setting.
func unknownOf(f finding, s audit.Setting) []UnknownObject {
	return slices.DeleteFunc(slices.Clone(f.unknown), func(u UnknownObject) bool { return u.Setting != s })
}

// judgeAdmin judges a setting of the admin audit log.
func (b *undoBuilder) judgeAdmin(s step) step {
	v := verdictOn{weakens: weakensAdmin(s)}
	if b.req.Policy != nil && !s.asBefore {
		now := b.view.tenant.admin
		then := now
		names := fact[[]string]{value: namesOf(s.After)}
		switch s.Setting {
		case audit.SettingAdminAuditLogEnabled:
			then.enabled.value, _ = s.After.(bool)
		case audit.SettingAdminAuditLogCmdlets:
			then.cmdlets = names
		case audit.SettingAdminAuditLogParameters:
			then.parameters = names
		case audit.SettingAdminAuditLogExcludedCmdlets:
			then.excluded = names
		default:
			then.age.value = spanOf(s.After)
		}
		d := b.differ()
		before, after := d.adminAudit(now), d.adminAudit(then)
		after.unknown = unknownOf(after, s.Setting)
		v.breaks, v.at = broken(before, after)
	}
	return b.judged(s, v)
}

// weakensAdmin tells whether the admin audit log would hold less after a step.
func weakensAdmin(s step) bool {
	switch s.Setting {
	case audit.SettingAdminAuditLogEnabled:
		return equalValues(s.After, false)
	case audit.SettingAdminAuditLogAgeLimit:
		return spanOf(s.After) < spanOf(s.Before)
	case audit.SettingAdminAuditLogExcludedCmdlets:
		return len(s.Add) > 0
	default:
		return len(s.Remove) > 0
	}
}

func spanOf(v any) time.Duration {
	text, _ := v.(string)
	d, _ := audit.ParseTimeSpan(text) // It was formatted by this package.
	return d
}

// judgeRetention judges a step of a retention policy by the list as it would be. A
// policy that goes, or keeps records for less, weakens whatever others do.
func (b *undoBuilder) judgeRetention(s step) step {
	edit := retentionEdit(namesOf(s.After))
	was, _ := retentionEdit(namesOf(s.Before)).Duration.Span()
	span, _ := edit.Duration.Span()
	after := b.retentionAfter(s)
	v := verdictOn{weakens: s.Before != nil && (s.After == nil || span < was) || s.Before == nil && cuts(after, s.Subject.ID)}
	if b.req.Policy != nil && b.policy.Retention != nil && !s.asBefore {
		d := b.differ()
		now, _ := d.retention(b.retained)
		then, _ := d.retention(after)
		v.breaks, v.at = broken(now, then)
	}
	s = b.judged(s, v)
	if s.Weakens && s.Fate == FatePlanned && !s.asBefore {
		b.retained = after // What the next one leans on may be gone by then.
	}
	return s
}

// cuts tells whether a policy, among those that there are with it, may keep a record
// for less than it would be kept without it.
func cuts(policies []retained, name string) bool {
	at := slices.IndexFunc(policies, func(p retained) bool { return strings.EqualFold(p.name, name) })
	if at < 0 {
		return false
	}
	p := policies[at]
	for _, t := range p.types {
		for _, c := range classesOf(policies, t) {
			without := slices.DeleteFunc(slices.Clone(c), func(i int) bool { return i == at })
			if slices.Contains(c.winners(policies), at) && without.mostKept(policies, p.span) > p.span {
				return true
			}
		}
	}
	return len(p.types) == 0 // It takes hold of records of any type.
}

// retentionAfter are the policies after a step, and after those before it that weaken.
func (b *undoBuilder) retentionAfter(s step) []retained {
	out := slices.DeleteFunc(slices.Clone(b.retained), func(p retained) bool { return strings.EqualFold(p.name, s.Subject.ID) })
	if s.After == nil {
		return out
	}
	edit := retentionEdit(namesOf(s.After))
	p := retained{
		name: s.Subject.ID, priority: edit.Priority, types: edit.RecordTypes, operations: edit.Operations, users: edit.UserIDs,
		duration: string(edit.Duration), typesKnown: true,
	}
	p.span, _ = edit.Duration.Span()
	out = append(out, p)
	slices.SortStableFunc(out, func(x, y retained) int { return x.priority - y.priority })
	return out
}
