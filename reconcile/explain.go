package reconcile

import (
	"context"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// ExplainSchema names the JSON form of an explanation; it changes only by
// adding.
const ExplainSchema = "exoaudit/explain/v1"

// ExplainRequest says which mailbox to explain, under which policy.
type ExplainRequest struct {
	Policy *policy.Policy
	// Identity is an address, the sign-in name or an id of the mailbox.
	Identity string
	Now      func() time.Time
	// Tool and Tenant go into the header.
	Tool, Tenant string
}

// Explanation says why a mailbox needs what, and what is recorded there today.
// It is a value without functions; its lists are never nil. Names of the tenant
// in it are hostile text.
type Explanation struct {
	Schema    string    `json:"schema"`
	Tool      string    `json:"tool"`
	Tenant    string    `json:"tenant"`
	CreatedAt time.Time `json:"createdAt"`
	Policy    PolicyRef `json:"policy"`
	Mailbox   Subject   `json:"mailbox"`
	// State is what a comparison says of the mailbox.
	State State `json:"state"`
	// Rules are all rules of the policy, matched or not, in its order.
	Rules []ExplainedRule `json:"rules"`
	// Exemptions are all exemptions for mailboxes, matched or not, in the order
	// of the policy.
	Exemptions []ExplainedExemption `json:"exemptions"`
	// Wishes are what the policy asks of this mailbox and of the switches that it
	// hangs on: by setting, then by place.
	Wishes []ExplainedWish `json:"wishes"`
	// Conflicts are wishes that no list can fulfil together.
	Conflicts []ExplainedConflict `json:"conflicts"`
	// Values are what the mailbox has today.
	Values []ExplainedValue `json:"values"`
	// Switches are the five of semantics 0, in its order.
	Switches []ExplainedSwitch `json:"switches"`
	// Verdicts are those of owner, delegate and admin.
	Verdicts []LogonVerdict `json:"verdicts"`
	// Changes are what a plan for this mailbox holds, those of the organization
	// included.
	Changes  []ExplainedChange `json:"changes"`
	Unknown  []UnknownObject   `json:"unknown"`
	Warnings []string          `json:"warnings"`
	// Requests is the number of HTTP requests that it took.
	Requests int `json:"requests"`
}

// Place is where a policy says something; Rule is empty outside of rules.
type Place struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Rule   string `json:"rule"`
}

func placeOf(p policy.Pos, rule string) Place {
	return Place{File: p.File, Line: p.Line, Column: p.Column, Rule: rule}
}

// ExplainedClause is one condition with its answer: yes, no or open.
type ExplainedClause struct {
	Text string `json:"text"`
	// Found is what the mailbox has; empty where the children say it.
	Found    string            `json:"found"`
	Match    string            `json:"match"`
	Place    Place             `json:"place"`
	Children []ExplainedClause `json:"children"`
}

// ExplainedRule is one rule and why it speaks of the mailbox or does not.
type ExplainedRule struct {
	Name    string            `json:"name"`
	Match   string            `json:"match"`
	Place   Place             `json:"place"`
	Clauses []ExplainedClause `json:"clauses"`
}

// ExplainedExemption is one exemption for mailboxes and why it speaks of this
// one or does not.
type ExplainedExemption struct {
	ExplainedRule
	Reason string `json:"reason"`
	Owner  string `json:"owner"`
	// Expires is the last day, YYYY-MM-DD.
	Expires string `json:"expires"`
	// Expired exemptions accept nothing any more.
	Expired bool `json:"expired"`
	// Accepts is the floor per setting; empty where the exemption does not match.
	Accepts []Accepted `json:"accepts"`
}

// Accepted is the least that an exemption asks of one setting.
type Accepted struct {
	Setting audit.Setting `json:"setting"`
	Floor   string        `json:"floor"`
	Place   Place         `json:"place"`
}

// ExplainedWish is one thing that a policy asks for, with the place that says
// so.
type ExplainedWish struct {
	Setting audit.Setting `json:"setting"`
	// Form is how it is asked: defaults, managed, plus or exact for an action
	// list, atLeast for a duration, is for everything else.
	Form string `json:"form"`
	// Value is what is asked for: a word, a duration as the service prints it,
	// or a sorted list of actions.
	Value any   `json:"value"`
	Place Place `json:"place"`
	// Match is yes, or open where the rule may not apply.
	Match string `json:"match"`
	// Decides tells that no other rule asks for more of the same setting.
	Decides bool `json:"decides"`
	// Met is yes, no or unknown.
	Met string `json:"met"`
	// Lacking and Excess are the actions that today's list has too few and too
	// many for this wish.
	Lacking  []string `json:"lacking"`
	Excess   []string `json:"excess"`
	Controls []string `json:"controls"`
}

// ExplainedConflict is two wishes that no list can fulfil together.
type ExplainedConflict struct {
	Setting audit.Setting `json:"setting"`
	Message string        `json:"message"`
	First   Place         `json:"first"`
	Second  Place         `json:"second"`
}

// ExplainedValue is one property of the mailbox as it was read.
type ExplainedValue struct {
	Name string `json:"name"`
	// Value is a word, a duration as the service prints it, or a sorted list; nil
	// where it is not known.
	Value any `json:"value"`
	// Missing says why the value is not known.
	Missing string `json:"missing"`
}

// ExplainedChange is a change of a plan in its JSON form.
type ExplainedChange struct {
	Subject  Subject       `json:"subject"`
	Setting  audit.Setting `json:"setting"`
	Before   any           `json:"before"`
	After    any           `json:"after"`
	Add      []string      `json:"add"`
	Remove   []string      `json:"remove"`
	Fate     Fate          `json:"fate"`
	Reason   string        `json:"reason"`
	Severity string        `json:"severity"`
	Weakens  bool          `json:"weakens"`
	Pins     bool          `json:"pins"`
	Origin   Place         `json:"origin"`
	Controls []string      `json:"controls"`
}

// Explain reads one mailbox and the switches on which its recording hangs, and
// says what the policy asks of it, why, and what is recorded there today. It
// writes nothing. An error for which errors.AsType finds a
// *[MailboxNotFoundError] says that there is no such mailbox; any other means
// that the mailbox could not be read or that the context ended. A switch that could not be read is unknown in the
// explanation.
//
// Defaults are those of this version, as one mailbox is not enough to learn the
// tenant's own (design section 3).
func Explain(ctx context.Context, r ExplainReader, req ExplainRequest) (*Explanation, error) {
	before := r.Stats()
	e := &Explanation{
		Schema: ExplainSchema, Tool: req.Tool, Tenant: req.Tenant, CreatedAt: req.Now().UTC(),
		Policy: PolicyRef{Name: req.Policy.Name, Digest: req.Policy.Digest()},
		State:  NotApplicable, Changes: []ExplainedChange{}, Unknown: []UnknownObject{}, Warnings: []string{},
	}
	s, err := snapshotOf(ctx, r, req)
	if err != nil {
		return nil, err
	}
	e.Mailbox = s.subject()
	judged, err := e.compare(ctx, s, req)
	if err != nil {
		return nil, err
	}
	x := explainer{snapshot: s, policy: req.Policy, now: judged}
	e.Rules, e.Exemptions = x.rules(), x.exemptions()
	e.Wishes, e.Conflicts = x.wishes()
	e.Values = x.values()
	e.Switches, e.Verdicts = x.switches(), x.verdicts()
	e.Warnings = append(e.Warnings, x.warnings()...)
	e.Requests = int(r.Stats().Requests - before.Requests)
	return e, nil
}

// compare takes over what the comparison of this one mailbox says, so that an
// explanation never differs from the plan. It is made as [Check] makes it, over
// what was read already; what selectors ask of groups and permissions is read
// here. It gives the time by which exemptions and permissions were judged.
func (e *Explanation) compare(ctx context.Context, s *snapshot, req ExplainRequest) (judged time.Time, err error) {
	o := newObserver(s, req.Policy, req.Now)
	if !s.spokenOf {
		s.settle(o, nil)
		o.hearClock()
		return o.obs.judging(e.CreatedAt), nil
	}
	before := s.Stats()
	obs, err := o.observe(ctx, req.Identity)
	if err != nil {
		return time.Time{}, err
	}
	b := builder{
		req: Request{Now: req.Now, Policy: req.Policy, Mailbox: req.Identity}, obs: obs, reader: s,
		plan: &Plan{before: before, Header: Header{CreatedAt: e.CreatedAt, Policy: e.Policy}, policy: req.Policy},
	}
	plan, err := b.build(ctx)
	if err != nil {
		return time.Time{}, err
	}
	s.settle(o, plan.pop)
	e.State = Unknown
	if len(plan.pop.records) == 1 {
		e.State = plan.stateOf(plan.pop.records[0])
	}
	for c := range plan.Changes() {
		if explains(c.Subject.Kind) {
			e.Changes = append(e.Changes, explainedChange(c))
		}
	}
	for u := range plan.Unknown() {
		if explains(u.Subject.Kind) {
			e.Unknown = append(e.Unknown, u)
		}
	}
	e.Warnings = append(e.Warnings, plan.Warnings...)
	return plan.lasting.judged, nil
}

// explains tells whether objects of a kind belong into the explanation of a
// mailbox.
func explains(k audit.SubjectKind) bool {
	return k == audit.KindMailbox || k == audit.KindOrganization
}

func explainedChange(c Change) ExplainedChange {
	return ExplainedChange{
		Subject: c.Subject, Setting: c.Setting, Before: c.Before, After: c.After, Add: c.Add, Remove: c.Remove,
		Fate: c.Fate, Reason: c.Reason, Severity: c.Severity.String(), Weakens: c.Weakens, Pins: c.Pins,
		Origin: placeOf(c.Origin.Pos, c.Origin.Rule), Controls: c.Controls,
	}
}
