package reconcile

import (
	"iter"
	"maps"
	"slices"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// Plan is the whole comparison as a value: what was read, how every object
// stands, each difference with its fate, and the guards. It is never changed
// after Check has returned it. Mailboxes are held folded (see the package
// comment), so a plan in which 60,000 of them drift is a few megabytes;
// Changes unfolds it.
type Plan struct {
	Header
	Coverage Coverage
	// Catalogue says where Microsoft's default sets have moved on.
	Catalogue Catalogue
	Guards    []Guard
	Warnings  []string
	// Refused names the cmdlets that the service refused as a whole, sorted.
	Refused []string

	tenant       []Change // organization, admin audit log and bypass, sorted
	unknown      []UnknownObject
	orgState     State
	adminState   State
	orgName      string
	bypassStates StateCounts
	retention    StateCounts
	pop          *population
	cases        []finding

	policy    *policy.Policy
	memory    *Memory        // that the plan was made with, nil for none
	undo      *undoing       // nil for a plan that undoes no run
	lasting   lasting        // what later runs need of it
	before    exchange.Stats // of the client, when the plan was begun
	selection Selection
	raised    []RaisedGuard
	observed  Observed // see Request.Raw
	blind     blind    // what was not read
	// refusal is the name of the guard that blocks the whole plan, or empty.
	refusal string
}

// GuardRefused tells whether a run-wide guard refuses the plan, so that apply
// writes nothing.
func (p *Plan) GuardRefused() bool { return p.refusal != "" }

// Changes gives every change, sorted by subject kind, name, id and setting.
func (p *Plan) Changes() iter.Seq[Change] {
	return func(yield func(Change) bool) {
		for _, s := range p.steps() {
			for c := range s {
				if !yield(p.guarded(c)) {
					return
				}
			}
		}
	}
}

// steps are the changes by kind, in the order of the plan: bypass, mailbox,
// organization.
func (p *Plan) steps() []iter.Seq[Change] {
	split, _ := slices.BinarySearchFunc(p.tenant, audit.KindMailbox, func(c Change, k audit.SubjectKind) int {
		if c.Subject.Kind < k {
			return -1
		}
		return 1
	})
	return []iter.Seq[Change]{slices.Values(p.tenant[:split]), p.mailboxChanges(), slices.Values(p.tenant[split:])}
}

// guarded gives a change as the guards leave it.
func (p *Plan) guarded(c Change) Change {
	if p.refusal != "" && c.Fate == FatePlanned {
		c.Fate = FateBlocked
		c.Reason += "; not written: guard " + p.refusal + " refuses this plan"
	}
	return c
}

func (p *Plan) mailboxChanges() iter.Seq[Change] {
	return func(yield func(Change) bool) {
		for i := range p.pop.records {
			for c := range p.changesOf(i) {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// changesOf unfolds the changes of one mailbox.
func (p *Plan) changesOf(i int) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		r := p.pop.records[i]
		subject := p.mailbox(r)
		_, repeated := p.pop.repeated[r.id]
		for _, c := range p.cases[r.kase].changes {
			if repeated && c.Fate == FatePlanned {
				c.Fate = FateBlocked
				c.Reason += "; not written: " + p.pop.repeated[r.id]
			}
			c.Carried = p.cases[r.kase].carried
			if !yield(c.of(subject)) {
				return
			}
		}
	}
}

func (p *Plan) mailbox(r record) Subject {
	return Subject{
		Kind: audit.KindMailbox, ID: r.id.String(), Name: r.name,
		Type: p.pop.profileOf(r.kase).kind.value,
	}
}

// Unknown gives every object, or setting of one, that could not be judged,
// sorted as the changes are. A whole kind that could not be read is one of
// them, without id and name.
func (p *Plan) Unknown() iter.Seq[UnknownObject] {
	return func(yield func(UnknownObject) bool) {
		for _, list := range []iter.Seq[UnknownObject]{
			p.unknownIf(func(k audit.SubjectKind) bool { return k <= audit.KindMailbox }),
			p.unknownMailboxes(),
			p.unknownIf(func(k audit.SubjectKind) bool { return k > audit.KindMailbox }),
		} {
			for u := range list {
				if !yield(u) {
					return
				}
			}
		}
	}
}

func (p *Plan) unknownIf(kind func(audit.SubjectKind) bool) iter.Seq[UnknownObject] {
	return func(yield func(UnknownObject) bool) {
		for _, u := range p.unknown {
			if kind(u.Subject.Kind) && !yield(u) {
				return
			}
		}
	}
}

func (p *Plan) unknownMailboxes() iter.Seq[UnknownObject] {
	return func(yield func(UnknownObject) bool) {
		for _, u := range p.pop.nameless {
			if !yield(u) {
				return
			}
		}
		for _, r := range p.pop.records {
			for _, u := range p.unknownOf(r) {
				u.Subject = p.mailbox(r)
				if !yield(u) {
					return
				}
			}
		}
	}
}

func (p *Plan) unknownOf(r record) []UnknownObject {
	if why, ok := p.pop.repeated[r.id]; ok {
		return append(slices.Clone(p.cases[r.kase].unknown), UnknownObject{Reason: why})
	}
	return p.cases[r.kase].unknown
}

// stateOf is the state of one mailbox.
func (p *Plan) stateOf(r record) State {
	if _, repeated := p.pop.repeated[r.id]; repeated {
		return Unknown
	}
	return p.cases[r.kase].state
}

// Summary counts the plan. It walks the cases and the records, not the
// changes.
func (p *Plan) Summary() Summary {
	s := Summary{
		States:  map[audit.SubjectKind]StateCounts{},
		DriftAt: map[audit.Severity]int{}, UnsupportedAt: map[audit.Severity]int{},
	}
	var org, admin, mailbox StateCounts
	if p.orgState != "" {
		org.add(p.orgState)
	}
	if p.policy.AdminAudit != nil {
		admin.add(p.adminState)
	}
	mailbox.Unknown = len(p.pop.nameless)
	for _, r := range p.pop.records {
		mailbox.add(p.stateOf(r))
	}
	s.States[audit.KindOrganization] = org
	s.States[audit.KindMailbox] = mailbox
	s.States[audit.KindBypass] = p.bypassStates
	s.States[audit.KindAdminAudit], s.States[audit.KindRetention] = admin, p.retention
	for _, c := range p.tenant {
		s.count(p.guarded(c), 1)
	}
	p.countMailboxChanges(&s)
	if p.undo != nil {
		s.States, s.ChangedMailboxes = p.undo.states, p.undo.mailboxes
	}
	return s
}

// countMailboxChanges counts per case; only mailboxes that were listed twice
// need a look of their own.
func (p *Plan) countMailboxChanges(s *Summary) {
	perCase := make([]int, len(p.cases))
	for i, r := range p.pop.records {
		if _, repeated := p.pop.repeated[r.id]; repeated {
			for c := range p.changesOf(i) {
				s.count(p.guarded(c), 1)
			}
			continue
		}
		perCase[r.kase]++
	}
	for i, f := range p.cases {
		planned := false
		for _, c := range f.changes {
			c = p.guarded(c)
			c.Carried = f.carried
			s.count(c, perCase[i])
			planned = planned || c.Fate == FatePlanned
		}
		if planned && !f.carried {
			s.ChangedMailboxes += perCase[i]
		}
	}
}

// count adds n changes like c.
func (s *Summary) count(c Change, n int) {
	s.Changes.add(c.Fate, n)
	if c.Carried && c.Fate == FatePlanned {
		s.Carried += n
	}
	switch c.Fate {
	case FatePlanned, FateBlocked:
		s.DriftAt[c.Severity] += n
	case FateUnsupported:
		s.UnsupportedAt[c.Severity] += n
	case FateExempt:
	}
}

// unknownObjects is the number of objects of any kind that could not be
// judged.
func (s Summary) unknownObjects() int {
	n := 0
	for _, k := range slices.Sorted(maps.Keys(s.States)) {
		n += s.States[k].Unknown
	}
	return n
}

// driftedObjects is the number of objects of any kind that drift.
func (s Summary) driftedObjects() int {
	n := 0
	for _, k := range slices.Sorted(maps.Keys(s.States)) {
		n += s.States[k].Drifted
	}
	return n
}
