package reconcile

import (
	"cmp"
	"time"

	"github.com/exoaudit/exoaudit/policy"
)

// Acceptance is an entry of a policy that lets something be: an account that may
// bypass recording, or an exemption.
type Acceptance struct {
	// Kind is PartAllow or PartExemption.
	Kind PartKind
	// Name is the exemption's, or the account or id that is allowed.
	Name   string
	Reason string
	Owner  string
	// Expires is the last day, 00:00 UTC; Expired tells that it is over, by the time
	// that the plan was judged by.
	Expires time.Time
	Expired bool
	Place   policy.Pos
	// Accepted is the number of differences that the entry lets be in this plan.
	Accepted int
}

// Acceptances lists what the policy accepts: the allowed accounts, then the
// exemptions, each in the order of the policy.
func (p *Plan) Acceptances() []Acceptance {
	if p.policy == nil || p.undo != nil {
		return nil
	}
	var out []Acceptance
	if b := p.policy.Bypass; b != nil {
		for _, a := range b.Allow {
			out = append(out, Acceptance{
				Kind: PartAllow, Name: cmp.Or(a.Account, a.ID), Reason: a.Reason, Owner: a.Owner, Expires: a.Expires,
				Expired: a.Expired(p.lasting.judged), Place: a.Pos,
			})
		}
	}
	for _, e := range p.policy.Exemptions {
		out = append(out, Acceptance{
			Kind: PartExemption, Name: e.Name, Reason: e.Reason, Owner: e.Owner, Expires: e.Expires,
			Expired: e.Expired(p.lasting.judged), Place: e.Pos,
		})
	}
	p.countAccepted(out)
	return out
}

// countAccepted finds the entry behind each exempt difference by its place, which
// no two entries share.
func (p *Plan) countAccepted(entries []Acceptance) {
	at := make(map[policy.Pos]*Acceptance, len(entries))
	for i := range entries {
		at[entries[i].Place] = &entries[i]
	}
	if len(at) == 0 {
		return
	}
	for c := range p.Changes() {
		if c.Fate != FateExempt {
			continue
		}
		if e := at[c.Origin.Pos]; e != nil {
			e.Accepted++
		}
	}
}
