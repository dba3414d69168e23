package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

// UndoReader is what it takes to plan the way back of a run: the reads, and that
// of bypass rows by identity. *exchange.Client satisfies it.
type UndoReader interface {
	Reader
	BypassByID(ctx context.Context, guids []string) []exchange.Result[exchange.BypassAssociation]
}

// UndoRequest says which run to undo, and within which limits.
type UndoRequest struct {
	// Tool, RunID and Tenant go into the plan's header; RunID is that of the undo.
	Tool, RunID, Tenant string
	// Now gives the time; it is asked for at the edges of the run only.
	Now func() time.Time
	// Run is the id of the run to undo, Entries are those of its journal, and
	// outcomes of its writes that later runs recorded. Others are read over.
	Run     string
	Entries []journal.Entry
	// Policy is what the tenant must not fall short of; nil lets nothing be weakened.
	Policy *policy.Policy
	// AllowWeakening lets the undo weaken what the run has strengthened.
	AllowWeakening bool
	// Compliance reads the retention policies; it is needed where the run wrote some.
	Compliance ComplianceReader
	// Memory is what earlier runs left; nil is a run without one.
	Memory *Memory
}

// ForeignRunError says that a run wrote to another tenant.
type ForeignRunError struct{ Run, Tenant string }

func (e *ForeignRunError) Error() string {
	return fmt.Sprintf("run %s wrote to tenant %s, and cannot be undone in another", e.Run, e.Tenant)
}

// UnknownRunError says that a journal has no run of that id.
type UnknownRunError struct{ Run string }

func (e *UnknownRunError) Error() string { return fmt.Sprintf("the journal has no run %s", e.Run) }

// undoing is what a plan that undoes a run has beside its changes.
type undoing struct {
	of     string // the run
	states map[audit.SubjectKind]StateCounts
	// mailboxes is the number of mailboxes that the plan changes.
	mailboxes int
	// defaults are the lists that Microsoft managed before the run and is to manage
	// again.
	defaults map[managedList]audit.ActionSet
	// shown are the same lists as the plan saw them: a restore drops what is in them.
	shown map[managedList]audit.ActionSet
}

// managedList is the list of one logon type of a mailbox.
type managedList struct {
	mailbox string
	logon   audit.LogonType
}

// UndoOf is the id of the run that the plan undoes; empty for every other plan.
func (p *Plan) UndoOf() string {
	if p.undo == nil {
		return ""
	}
	return p.undo.of
}

// PlanUndo plans the way back of a run: for each setting that it wrote, what was
// there before its first write. What the tenant shows is read anew. A setting that
// does not show any more what the run left is somebody else's by now, and blocked;
// so is what cannot be gone back to, a removed bypass among it, and, unless it is allowed,
// what would break the policy or, without a policy, weaken auditing. What shows its
// former value already is counted in the warnings.
//
// The plan has scope [ScopeUndo], and is for [ApplyUndo]. The error is a
// *ForeignRunError, an *UnknownRunError, a *DeedError, the context's, or that nothing at all could be read.
func PlanUndo(ctx context.Context, r UndoReader, req UndoRequest) (*Plan, error) {
	begun := slices.IndexFunc(req.Entries, func(e journal.Entry) bool { return e.Run == req.Run && e.Begin != nil })
	if begun < 0 {
		return nil, &UnknownRunError{req.Run}
	}
	if at := req.Entries[begun].Begin.Tenant; at != req.Tenant {
		return nil, &ForeignRunError{req.Run, at}
	}
	found, err := deedsOf(req.Run, req.Entries)
	if err != nil {
		return nil, err
	}
	rules := req.Policy
	if rules == nil {
		rules = &policy.Policy{}
	}
	b := &undoBuilder{req: req, policy: rules, deeds: found, plan: &Plan{
		Header:   Header{Tool: req.Tool, RunID: req.RunID, Tenant: req.Tenant, CreatedAt: req.Now().UTC()},
		Coverage: Coverage{Scope: ScopeUndo, BaseRun: req.Run, Reasons: []string{}, Cost: []Cost{}},
		Guards:   []Guard{}, pop: newPopulation(), policy: rules, memory: req.Memory, before: statsOf(r, req.Compliance),
		undo: &undoing{of: req.Run, states: map[audit.SubjectKind]StateCounts{}, defaults: map[managedList]audit.ActionSet{}, shown: map[managedList]audit.ActionSet{}},
	}}
	if req.Policy != nil {
		b.plan.Policy = PolicyRef{Name: rules.Name, Digest: rules.Digest()}
	}
	if b.view, err = b.read(ctx, r); err != nil {
		return nil, err
	}
	b.build(r)
	return b.plan, nil
}

// undoBuilder puts the plan of an undo together.
type undoBuilder struct {
	req    UndoRequest
	policy *policy.Policy // never nil
	deeds  deeds
	view   *undoView
	plan   *Plan

	// retained are the retention policies as the steps so far would leave them.
	retained []retained
	asBefore int // settings that show their former value already
	states   map[audit.SubjectKind]map[string]State
}

// build makes the changes of everything that the run wrote.
func (b *undoBuilder) build(r Reader) {
	b.states, b.retained = map[audit.SubjectKind]map[string]State{}, b.view.retention
	for of := range b.deeds.bySubject {
		switch of[0].subject.Kind {
		case audit.KindMailbox:
			b.mailbox(of)
		case audit.KindBypass:
			b.bypass(of)
		case audit.KindOrganization:
			b.organization(of)
		case audit.KindAdminAudit:
			b.adminAudit(of)
		case audit.KindRetention:
			b.retention(of)
		}
	}
	p := b.plan
	sortAll(p.tenant)
	sortUnknown(p.unknown)
	for kind, objects := range b.states {
		var c StateCounts
		for _, s := range objects {
			c.add(s)
		}
		p.undo.states[kind] = c
	}
	b.coverage(r)
	b.guards()
	p.Warnings = append(p.Warnings, b.warnings()...)
}

// keep takes the steps of one object into the plan. Where a value of it could not be
// read, nothing of it is written.
func (b *undoBuilder) keep(s Subject, steps []step, unknown []UnknownObject) {
	state := InSync
	unknown = append(unknown, b.awaited(s, steps)...)
	for _, st := range steps {
		switch {
		case st.of.failed && (st.asBefore || st.changed):
			b.deeds.notMade++
			continue
		case st.asBefore:
			b.asBefore++
			continue
		}
		c := st.Change
		c.Severity = b.policy.Severity(c.Setting)
		c.normalise()
		if len(unknown) > 0 && c.Fate == FatePlanned {
			c.Fate = FateBlocked
			c.Reason += "; not written, as another value of this object is unknown"
		}
		b.plan.tenant = append(b.plan.tenant, c.of(s))
		state = Drifted
	}
	for _, u := range unknown {
		u.Subject = s
		b.plan.unknown = append(b.plan.unknown, u)
		state = Unknown
	}
	if b.states[s.Kind] == nil {
		b.states[s.Kind] = map[string]State{}
	}
	b.states[s.Kind][s.ID] = state
}

// coverage says what was read, and what was not.
func (b *undoBuilder) coverage(r Reader) {
	p, c := b.plan, &b.plan.Coverage
	stats := statsOf(r, b.req.Compliance)
	c.Requests, c.Pages = int(stats.Requests-p.before.Requests), int(stats.Pages-p.before.Pages)
	c.Mailboxes = MailboxCoverage{Read: b.view.pop.read, ByType: b.view.pop.byType}
	c.Bypass.Read = len(b.view.bypass)
	if c.Bypass.Read > 0 {
		c.Bypass.ReadAt = p.CreatedAt
	}
	c.Cost = append(c.Cost, b.view.costs...)
	for _, f := range b.view.failures {
		if exchange.IsRefused(f.err) || f.kind == audit.KindRetention && withoutAccess(f.err) {
			p.Refused = append(p.Refused, f.cmdlet)
		}
		c.Reasons = append(c.Reasons, f.Error())
	}
	slices.Sort(p.Refused)
	p.Refused = slices.Compact(p.Refused)
	slices.Sort(c.Reasons)
	c.Reasons = slices.Compact(c.Reasons)
	if n := p.Summary().unknownObjects(); n > 0 {
		c.Reasons = append(c.Reasons, fmt.Sprintf("%s could not be judged", counted(n, "object")))
	}
	c.Complete = len(c.Reasons) == 0
}

// guards checks the limits of the policy. That on a share needs to know of how
// many, which an undo does not read.
func (b *undoBuilder) guards() {
	changed := map[string]bool{}
	for _, c := range b.plan.tenant {
		if c.Subject.Kind == audit.KindMailbox && c.Fate == FatePlanned {
			changed[c.Subject.ID] = true
		}
	}
	b.plan.undo.mailboxes = len(changed)
	if b.req.Policy == nil || !b.policy.HasMailboxes() {
		return
	}
	limits, n := b.policy.Guards, len(changed)
	if read := b.mailboxCount(); read > 0 {
		part := share(n, read)
		b.guard(Guard{
			Name: guardMaxChangedPercent, Limit: limits.MaxChangedPercent, Actual: round(part),
			Refused: n >= minForPercent && part > limits.MaxChangedPercent,
		})
	} else if n >= minForPercent {
		b.plan.Warnings = append(b.plan.Warnings, fmt.Sprintf(
			"guard %s was not checked: no complete sweep is remembered that says how many mailboxes there are", guardMaxChangedPercent))
	}
	if limits.MaxChanged != nil {
		b.guard(Guard{Name: guardMaxChanged, Limit: float64(*limits.MaxChanged), Actual: float64(n), Refused: n > *limits.MaxChanged})
	}
}

// mailboxCount is how many mailboxes there were by the last complete sweep, also where
// that one does not hold any more; 0 where nothing is remembered.
func (b *undoBuilder) mailboxCount() int {
	if m := b.req.Memory; m != nil && m.sweep != nil && m.sweep.read > 0 {
		return m.sweep.read
	}
	return b.req.Memory.population()
}

// awaited says which settings may still change without anybody's doing: what was
// written and does not show yet. Nothing is written on top of that (design section 4),
// and what shows a former value is not taken to keep it.
func (b *undoBuilder) awaited(s Subject, steps []step) []UnknownObject {
	var out []UnknownObject
	now := b.plan.CreatedAt
	id, _ := parseGUID(s.ID)
	for _, st := range steps {
		var until time.Time
		switch {
		case st.of.unsure && st.asBefore:
			from := st.of.at
			if from.After(now) { // By another clock.
				from = now
			}
			until = from.Add(waitFor(s.Kind))
		case !st.of.unsure && !st.asBefore && st.Fate == FatePlanned && b.req.Memory != nil:
			h := &holder{memory: b.req.Memory, now: now}
			until, _ = h.waits(s, id, st.Setting)
			if at, waits := h.waits(s, id, st.of.setting); waits && at.After(until) {
				until = at
			}
		}
		if until.After(now) {
			out = append(out, UnknownObject{Setting: st.of.setting, Reason: awaiting(until)})
		}
	}
	return out
}

func (b *undoBuilder) guard(g Guard) {
	b.plan.Guards = append(b.plan.Guards, g)
	if g.Refused && b.plan.refusal == "" {
		b.plan.refusal = g.Name
	}
}

// warnings say what the changes do not: what needs nothing, and what has no way back.
func (b *undoBuilder) warnings() []string {
	var out []string
	if b.asBefore > 0 {
		out = append(out, fmt.Sprintf("%s as before the run already, and need nothing", countedAre(b.asBefore, "setting")))
	}
	if n := b.deeds.notMade; n > 0 {
		out = append(out, fmt.Sprintf("%s of the run did not take, by its journal, and need nothing", counted(n, "write")))
	}
	return append(out, b.deeds.noWayBack...)
}

func countedAre(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return counted(n, noun) + " are"
}

// errNotUndo says that a plan is not one for [ApplyUndo].
var errNotUndo = errors.New("the plan undoes no run")
