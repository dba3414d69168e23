package reconcile

import (
	"maps"
	"slices"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// standing judges the control.
func (c control) standing() ControlStanding {
	s := ControlStanding{ID: c.id, Required: c.required, States: map[audit.SubjectKind]StateCounts{}}
	entries := map[policy.Pos]bool{}
	for ch := range c.changes() {
		if ch.Fate != FateExempt {
			s.Differs++
			continue
		}
		s.Accepted++
		entries[ch.Origin.Pos] = true
	}
	s.Acceptances = slices.SortedFunc(maps.Keys(entries), policy.Pos.Compare)
	for _, u := range c.plan.unknown {
		if c.needs(u) {
			s.unknown(u.Reason)
		}
	}
	c.tenantStates(&s)
	c.mailboxes(&s)
	c.unread(&s)
	slices.Sort(s.Why)
	s.Why = slices.Compact(s.Why)
	switch {
	case len(s.Why) > 0 || s.Unknown > 0:
		s.Verdict, s.Idle = ControlNotJudged, nil
	case s.Differs > 0:
		s.Verdict = ControlNotMet
	case s.Accepted > 0:
		s.Verdict = ControlAccepted
	default:
		s.Verdict = ControlMet
	}
	return s
}

func (s *ControlStanding) unknown(why string) {
	s.Unknown++
	if len(s.Why) < maxWhy && !slices.Contains(s.Why, why) {
		s.Why = append(s.Why, why)
	}
}

// maxWhy bounds the reasons that a control names: the unknown objects have their own.
const maxWhy = 20

// tenantStates takes over the states of the kinds that are judged as a whole.
func (c control) tenantStates(s *ControlStanding) {
	all := c.plan.Summary().States
	for kind, asked := range map[audit.SubjectKind]bool{
		audit.KindOrganization: len(c.settings) > 0, audit.KindAdminAudit: c.adminAudit,
		audit.KindRetention: c.retention, audit.KindBypass: c.bypass,
	} {
		if asked {
			s.States[kind] = all[kind]
		}
	}
}

// mailboxes counts those of which a rule of the control speaks.
func (c control) mailboxes(s *ControlStanding) {
	if len(c.rules) == 0 {
		return
	}
	speaks := make([]policy.Match, len(c.plan.cases))
	for i := range c.plan.cases {
		speaks[i] = c.match(i)
	}
	var counts StateCounts
	number, _, _ := c.plan.numbered()
	profiles := map[int]bool{}
	for _, r := range c.plan.pop.records {
		state := c.plan.stateOf(r)
		_, twice := c.plan.pop.repeated[r.id]
		switch {
		case twice, speaks[r.kase] == policy.Open, speaks[r.kase] == policy.Yes && state == Unknown:
			state = Unknown
			s.unknown("mailboxes could not be judged: " + c.plan.whyUnknown(r))
		case speaks[r.kase] == policy.No:
			continue
		}
		counts.add(state)
		if n, ok := number[c.plan.pop.cases[r.kase].profile]; ok {
			profiles[n] = true
		}
	}
	for _, u := range c.plan.pop.nameless {
		counts.add(Unknown)
		s.unknown(u.Reason)
	}
	s.States[audit.KindMailbox] = counts
	s.Idle = c.idle()
	s.Profiles = slices.Sorted(maps.Keys(profiles))
}

// idle names the rules of the control that speak of no mailbox, in the order of the
// policy.
func (c control) idle() []string {
	var out []string
	for _, rule := range c.rules {
		if !slices.ContainsFunc(c.plan.pop.records, func(r record) bool { return c.matchOf(r.kase, rule) != policy.No }) {
			out = append(out, c.plan.policy.Mailboxes[rule].Name)
		}
	}
	return out
}

// matchOf tells whether one rule speaks of the mailboxes of a case.
func (c control) matchOf(kase int32, rule int) policy.Match {
	at := c.plan.pop.cases[kase].match
	if at < 0 || int(at) >= len(c.plan.pop.matches) {
		return policy.Open
	}
	return c.plan.pop.matchAt(at, rule)
}

// whyUnknown gives the first reason for which a mailbox could not be judged.
func (p *Plan) whyUnknown(r record) string {
	if list := p.unknownOf(r); len(list) > 0 {
		return list[0].Reason
	}
	return "it is not known whether a rule applies"
}

// match tells whether a rule of the control speaks of the mailboxes of a case. Of what
// an earlier run found only the outcome is kept, and nothing can be told.
func (c control) match(kase int) policy.Match {
	at := c.plan.pop.cases[kase].match
	if at < 0 || int(at) >= len(c.plan.pop.matches) {
		return policy.Open
	}
	out := policy.No
	for _, rule := range c.rules {
		switch c.plan.pop.matchAt(at, rule) {
		case policy.Yes:
			return policy.Yes
		case policy.Open:
			out = policy.Open
		case policy.No:
		}
	}
	return out
}

// unread adds what was not read at all, or not to its end, and what the control needs.
func (c control) unread(s *ControlStanding) {
	p := c.plan
	switch {
	case p.Coverage.Scope != ScopeFull:
		s.unknown("this run has not looked at the whole tenant")
		return
	case !p.Coverage.Complete && len(p.blind.kinds) == 0 && !p.hasUnknown():
		for _, reason := range p.Coverage.Reasons {
			s.unknown(reason)
		}
		return
	}
	for _, kind := range p.blind.kinds {
		if kind == audit.KindOrganization || kind == audit.KindAdminAudit {
			continue // Each of their settings is unknown by itself.
		}
		if c.needs(UnknownObject{Subject: Subject{Kind: kind}}) {
			s.unknown("what is there of " + string(kind) + " was not read to its end")
		}
	}
	if p.refusal == guardPopulation && len(c.rules) > 0 {
		s.unknown("the tenant shows no mailboxes, or far fewer than before")
	}
}

func (p *Plan) hasUnknown() bool {
	for range p.Unknown() {
		return true
	}
	return false
}
