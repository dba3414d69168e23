package reconcile

import (
	"maps"
	"slices"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// TypeStanding says how the mailboxes of one type stand. Type is the service's
// RecipientTypeDetails, and "unknown" for those that did not show one.
type TypeStanding struct {
	Type   string
	States StateCounts
}

// RuleStanding says how the mailboxes stand that one rule speaks of. A mailbox of
// which several rules speak is in each of them, with its one state.
type RuleStanding struct {
	Rule     string
	Place    policy.Pos
	Controls []string
	States   StateCounts
	// Open is the number of mailboxes of which it is not known whether the rule speaks
	// of them; they are in no count of States.
	Open int
}

// ByType counts mailboxes by type and state, sorted by type. Rows that cannot be
// told apart are unknown objects of their type.
func (p *Plan) ByType() []TypeStanding {
	if p.pop == nil || p.undo != nil {
		return nil
	}
	counts := map[string]*StateCounts{}
	at := func(t audit.MailboxType) *StateCounts {
		name := string(t)
		if name == "" {
			name = "unknown"
		}
		if counts[name] == nil {
			counts[name] = &StateCounts{}
		}
		return counts[name]
	}
	for _, u := range p.pop.nameless {
		at(u.Subject.Type).add(Unknown)
	}
	for _, r := range p.pop.records {
		at(p.pop.profileOf(r.kase).kind.value).add(p.stateOf(r))
	}
	var out []TypeStanding
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, TypeStanding{Type: name, States: *counts[name]})
	}
	return out
}

// ByRule counts mailboxes by rule and state, in the order of the policy.
func (p *Plan) ByRule() []RuleStanding {
	if p.pop == nil || p.policy == nil || p.undo != nil {
		return nil
	}
	out := make([]RuleStanding, len(p.policy.Mailboxes))
	for i, rule := range p.policy.Mailboxes {
		out[i] = RuleStanding{Rule: rule.Name, Place: rule.Pos, Controls: rule.Controls}
	}
	for _, r := range p.pop.records {
		match := p.pop.cases[r.kase].match
		if match < 0 {
			continue // A finding of an earlier run, of which only the outcome was kept.
		}
		for i := range out {
			switch p.pop.matchAt(match, i) {
			case policy.Yes:
				out[i].States.add(p.stateOf(r))
			case policy.Open:
				out[i].Open++
			case policy.No:
			}
		}
	}
	return out
}
