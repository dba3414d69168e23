package reconcile

import (
	"iter"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// ObservedValue is one audit property as mailboxes showed it: a boolean, a time span
// as the service prints it, a sorted list, or nil where it was never set.
type ObservedValue struct {
	Property string `json:"property"`
	Value    any    `json:"value"`
	// Unknown says why there is no value to go by; empty where there is one.
	Unknown string `json:"unknown,omitempty"`
}

// ObservedProfile is one distinct combination of audit values, and how many mailboxes
// showed it. Only what the policy speaks of was asked for, and is there.
type ObservedProfile struct {
	// Index is the number by which mailboxes name it, from 0 on.
	Index int `json:"index"`
	// Listing is ordinary, groups or public folders.
	Listing   string          `json:"listing"`
	Type      string          `json:"type"`
	Mailboxes int             `json:"mailboxes"`
	Values    []ObservedValue `json:"values"`
}

// ObservedMailbox is one mailbox that was read, and how it stands.
type ObservedMailbox struct {
	Subject Subject
	State   State
	// Profile is the index of its values, -1 for a row that cannot be told apart and
	// for one that was listed twice with different values.
	Profile int
	// StoredNotTrue says that the listing of stored AuditEnabled values that are not
	// true names it; it is asked for only where a rule says explicit.
	StoredNotTrue bool
	// Unknown says why it cannot be told which values are its own; empty for all but
	// a few.
	Unknown string
}

// numbered gives profiles numbers in the order in which mailboxes show them, so that
// they do not hang on which listing came first, and counts mailboxes.
func (p *Plan) numbered() (number map[int32]int, order []int32, count []int) {
	number = map[int32]int{}
	for _, r := range p.pop.records {
		if _, twice := p.pop.repeated[r.id]; twice {
			continue
		}
		prof := p.pop.cases[r.kase].profile
		n, seen := number[prof]
		if !seen {
			n = len(order)
			number[prof] = n
			order, count = append(order, prof), append(count, 0)
		}
		count[n]++
	}
	return number, order, count
}

// ObservedProfiles gives every combination of values that mailboxes showed.
func (p *Plan) ObservedProfiles() []ObservedProfile {
	if p.pop == nil || p.policy == nil {
		return nil
	}
	asked := needsOf(p.policy)
	_, order, count := p.numbered()
	out := make([]ObservedProfile, len(order))
	for i, at := range order {
		prof := p.pop.profiles[at]
		out[i] = ObservedProfile{
			Index: i, Listing: prof.listing.String(), Type: typeName(prof.kind), Mailboxes: count[i], Values: prof.observed(asked),
		}
	}
	return out
}

// observed lists the values that were asked for, by the names of the service.
func (p profile) observed(asked needs) []ObservedValue {
	out := []ObservedValue{}
	if asked.enabled {
		v := ObservedValue{Property: "AuditEnabled", Unknown: p.enabled.missing}
		if v.Unknown == "" && p.enabled.value != triUnset {
			v.Value = p.enabled.value == triTrue
		}
		out = append(out, v)
	}
	if asked.age {
		out = append(out, observedAs("AuditLogAgeLimit", p.age, audit.FormatTimeSpan))
	}
	if asked.lists {
		for _, l := range audit.LogonTypes() {
			out = append(out, observedAs("Audit"+l.String(), p.lists[l], func(s audit.ActionSet) []string { return notNil(s.Slice()) }))
		}
		out = append(out, observedAs("DefaultAuditSet", p.managed, logons.names),
			observedAs("PersistedCapabilities has "+auditPlatform, p.licensed, func(b bool) bool { return b }))
	}
	return out
}

func observedAs[T, V any](property string, f fact[T], show func(T) V) ObservedValue {
	if f.missing != "" {
		return ObservedValue{Property: property, Unknown: f.missing}
	}
	return ObservedValue{Property: property, Value: show(f.value)}
}

// ObservedMailboxes gives every mailbox that was read, in the order of the plan: rows
// that cannot be told apart, then by name and id. It unfolds what the plan holds.
func (p *Plan) ObservedMailboxes() iter.Seq[ObservedMailbox] {
	return func(yield func(ObservedMailbox) bool) {
		if p.pop == nil {
			return
		}
		for _, u := range p.pop.nameless {
			if !yield(ObservedMailbox{Subject: u.Subject, State: Unknown, Profile: -1, Unknown: u.Reason}) {
				return
			}
		}
		number, _, _ := p.numbered()
		for _, r := range p.pop.records {
			k := p.pop.cases[r.kase]
			m := ObservedMailbox{Subject: p.mailbox(r), State: p.stateOf(r), Profile: -1, StoredNotTrue: k.stored, Unknown: p.pop.repeated[r.id]}
			if m.Unknown == "" {
				m.Profile = number[k.profile]
			}
			if !yield(m) {
				return
			}
		}
	}
}

// RetentionRow is one retention policy of the tenant as it was read. An empty list
// does not limit it.
type RetentionRow struct {
	Name        string   `json:"name"`
	Priority    int      `json:"priority"`
	RecordTypes []string `json:"recordTypes"`
	Operations  []string `json:"operations"`
	UserIDs     []string `json:"userIds"`
	Duration    string   `json:"duration"`
	// Unknown says why it cannot be judged; empty for one that can.
	Unknown string `json:"unknown,omitempty"`
}

// shown gives what is kept of an observation as it came.
func (o *observation) shown(req Request) Observed {
	out := o.raw
	if !req.Raw || req.Compliance == nil || req.Policy.Retention == nil {
		return out
	}
	for _, r := range o.retention {
		out.Retention = append(out.Retention, RetentionRow{
			Name: r.name, Priority: r.priority, RecordTypes: notNil(r.types), Operations: notNil(r.operations), UserIDs: notNil(r.users),
			Duration: r.duration, Unknown: r.missing,
		})
	}
	return out
}

func notNil(list []string) []string { return append([]string{}, list...) }
