package reconcile

import (
	"iter"
	"slices"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// ControlVerdict says how the tenant stands against one published control, as far as
// the policy says what the control asks for.
type ControlVerdict string

// The verdicts on a control. It takes the first that holds of notJudged, notMet,
// accepted, met. Neither --fail-on nor --strict has a say in it: a control asks for
// what it asks for, also where the service has no way to set it.
const (
	ControlMet ControlVerdict = "met"
	// ControlAccepted: everything that differs is let be by an exemption or an allow
	// entry of the policy.
	ControlAccepted ControlVerdict = "accepted"
	ControlNotMet   ControlVerdict = "notMet"
	// ControlNotJudged: something that the control needs was not read, or is unknown.
	ControlNotJudged ControlVerdict = "notJudged"
)

// ControlStanding is one control with what the policy asks for its sake, and what was
// found of it.
type ControlStanding struct {
	// ID is empty for what the policy asks for without naming a control.
	ID      string
	Verdict ControlVerdict
	// Why says what was not read or is unknown, where it is not judged.
	Why []string
	// Required are the parts of the policy that name the control; of the organization
	// only the switches that do.
	Required []PolicyPart
	// Idle are those of its rules that speak of no mailbox of the tenant, where it is
	// judged: nothing of them could differ.
	Idle []string
	// States counts the objects that it speaks of, by kind. A mailbox of which one of its
	// rules may speak, and nobody can tell, is unknown.
	States map[audit.SubjectKind]StateCounts
	// Differs counts differences that are not accepted, Accepted those that are, and
	// Unknown objects and settings that could not be judged.
	Differs, Accepted, Unknown int
	// Acceptances are the places of the entries that accept something of it.
	Acceptances []policy.Pos
	// Profiles are the values of the mailboxes that it speaks of, by their number among
	// [Plan.ObservedProfiles].
	Profiles []int
}

// OfNothing tells whether a control is met only for want of anything that it speaks of:
// all that the policy asks for its sake are rules, and each of them is idle.
func (s ControlStanding) OfNothing() bool {
	return s.Verdict == ControlMet && len(s.Idle) > 0 && len(s.Idle) == len(s.Required)
}

// blind is what was not read of a tenant.
type blind struct{ kinds []audit.SubjectKind }

func (b *blind) in(k audit.SubjectKind) { b.kinds = append(b.kinds, k) }

// Controls judges every control that the policy names, sorted by id; what it asks for
// without naming one comes last. It is nil for a plan that undoes a run.
func (p *Plan) Controls() []ControlStanding {
	if p.policy == nil || p.pop == nil || p.undo != nil {
		return nil
	}
	var out []ControlStanding
	for _, id := range p.controlIDs() {
		if s := p.control(id).standing(); len(s.Required) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// controlIDs lists the ids that the policy names, and last the empty one.
func (p *Plan) controlIDs() []string {
	var ids []string
	for _, part := range Describe(p.policy).Parts {
		ids = append(ids, part.Controls...)
	}
	slices.Sort(ids)
	return append(slices.Compact(ids), "")
}

// ControlChanges gives the differences that concern a control, in the order of the plan.
func (p *Plan) ControlChanges(id string) iter.Seq[Change] {
	if p.policy == nil || p.pop == nil {
		return func(func(Change) bool) {}
	}
	return p.control(id).changes()
}

// control is one control under judgement.
type control struct {
	id   string
	plan *Plan
	// parts by what they are about.
	settings   []audit.Setting // of the organization
	adminAudit bool
	retention  bool
	bypass     bool
	rules      []int
	required   []PolicyPart
}

// control gathers what the policy asks for the sake of a control.
func (p *Plan) control(id string) control {
	c := control{id: id, plan: p}
	if o := p.policy.Organization; o != nil {
		if o.UnifiedAuditLog != nil && c.named(o.ControlsOf(audit.SettingUnifiedAuditLogIngestionEnabled)) {
			c.settings = append(c.settings, audit.SettingUnifiedAuditLogIngestionEnabled)
		}
		if o.MailboxAuditing != nil && c.named(o.ControlsOf(audit.SettingAuditDisabled)) {
			c.settings = append(c.settings, audit.SettingAuditDisabled)
		}
	}
	c.adminAudit = p.policy.AdminAudit != nil && c.named(p.policy.AdminAudit.Controls)
	c.retention = p.policy.Retention != nil && c.named(p.policy.Retention.Controls)
	c.bypass = p.policy.Bypass != nil && c.named(p.policy.Bypass.Controls)
	for i, r := range p.policy.Mailboxes {
		if c.named(r.Controls) {
			c.rules = append(c.rules, i)
		}
	}
	c.required = c.parts(Describe(p.policy).Parts)
	return c
}

// named tells whether a part is about the control.
func (c control) named(ids []string) bool {
	return c.id == "" && len(ids) == 0 || c.id != "" && slices.Contains(ids, c.id)
}

// parts picks those of a description that are about the control.
func (c control) parts(all []PolicyPart) []PolicyPart {
	var out []PolicyPart
	for _, part := range all {
		switch part.Kind {
		case PartOrganization:
			if len(c.settings) == 0 {
				continue
			}
			part.Values = slices.DeleteFunc(slices.Clone(part.Values), func(v PartValue) bool { return !c.asksSwitch(v.Key) })
		case PartAdminAudit, PartRetention, PartRule, PartBypass:
			if !c.named(part.Controls) {
				continue
			}
		default:
			continue
		}
		out = append(out, part)
	}
	return out
}

// asksSwitch tells whether a value of the organization's section is about the control.
func (c control) asksSwitch(key string) bool {
	switch key {
	case "unifiedAuditLog":
		return slices.Contains(c.settings, audit.SettingUnifiedAuditLogIngestionEnabled)
	case "mailboxAuditing":
		return slices.Contains(c.settings, audit.SettingAuditDisabled)
	default:
		return false
	}
}

// concerns tells whether a difference is one of the control. While AuditDisabled is
// true no mailbox records anything (semantics 0), whoever asks for the switch.
func (c control) concerns(ch Change) bool {
	switch ch.Subject.Kind {
	case audit.KindOrganization:
		return slices.Contains(c.settings, ch.Setting) || ch.Setting == audit.SettingAuditDisabled && len(c.rules) > 0
	case audit.KindAdminAudit:
		return c.adminAudit
	case audit.KindRetention:
		return c.retention
	case audit.KindBypass:
		return c.bypass
	default:
		return true // Sorted out by mailbox.
	}
}

// concernsMailbox tells whether a difference of a mailbox is one of the control. What no
// control is named for is not marked: there it is enough that a rule speaks of the
// mailbox and of the setting.
func (c control) concernsMailbox(kase int, ch Change) bool {
	if c.id != "" {
		return c.named(ch.Controls)
	}
	return c.match(kase) == policy.Yes && slices.ContainsFunc(c.rules, func(i int) bool { return asks(c.plan.policy.Mailboxes[i], ch.Setting) })
}

// asks tells whether a rule has a wish for a setting.
func asks(r policy.Rule, s audit.Setting) bool {
	switch s {
	case audit.SettingAuditEnabled:
		return r.AuditEnabled != nil
	case audit.SettingAuditLogAgeLimit:
		return r.AgeLimit != nil
	case audit.SettingDefaultAuditSet:
		return slices.ContainsFunc(r.Record[:], func(rec *policy.Record) bool { return rec != nil })
	default:
		return slices.Contains(audit.Settings(), s) && r.Record[logonType(s)] != nil
	}
}

// needs tells whether something unknown is something that the control needs. What is
// unknown of mailboxes is counted by rule.
func (c control) needs(u UnknownObject) bool {
	switch u.Subject.Kind {
	case audit.KindOrganization:
		asked := slices.Contains(c.settings, u.Setting) || u.Setting == ""
		return asked && len(c.settings) > 0 || (u.Setting == audit.SettingAuditDisabled || u.Setting == "") && len(c.rules) > 0
	case audit.KindAdminAudit:
		return c.adminAudit
	case audit.KindRetention:
		return c.retention
	case audit.KindBypass:
		return c.bypass
	default:
		return len(c.rules) > 0
	}
}

// changes gives the differences that concern the control.
func (c control) changes() iter.Seq[Change] {
	return func(yield func(Change) bool) {
		some := make([]bool, len(c.plan.cases))
		for i, f := range c.plan.cases {
			some[i] = slices.ContainsFunc(f.changes, func(ch Change) bool { return c.concernsMailbox(i, ch) })
		}
		for i, part := range c.plan.steps() {
			if i == 1 {
				part = c.mailboxChanges(some)
			}
			for ch := range part {
				if ch = c.plan.guarded(ch); c.concerns(ch) && !yield(ch) {
					return
				}
			}
		}
	}
}

// mailboxChanges leaves out mailboxes that have nothing for the control: there are
// many controls, and most of them concern few.
func (c control) mailboxChanges(some []bool) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		for i, r := range c.plan.pop.records {
			if !some[r.kase] {
				continue
			}
			for ch := range c.plan.changesOf(i) {
				if c.concernsMailbox(int(r.kase), ch) && !yield(ch) {
					return
				}
			}
		}
	}
}
