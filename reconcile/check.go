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
)

// Request says what to compare, and within which limits.
type Request struct {
	// Tool, RunID and Tenant go into the plan's header.
	Tool, RunID, Tenant string
	// Now gives the time; it is asked for at the edges of the run only.
	Now    func() time.Time
	Policy *policy.Policy
	// Mailbox restricts the run to one mailbox, by address, sign-in name or id.
	Mailbox string
	// Compliance reads the retention policies; it is needed where the policy speaks
	// of retention and no single mailbox is asked for.
	Compliance ComplianceReader
	// AcceptPopulation takes an empty population, and one that is much smaller than
	// that of the last complete sweep, for the truth; it is the measure from then on.
	AcceptPopulation bool
	Selection        Selection
	Raised           []RaisedGuard
	// Memory is what earlier runs left; nil is a run without one.
	Memory *Memory
	// SinceLastRun looks only at what was created or changed since the last
	// complete run (design section 7). It needs a memory.
	SinceLastRun bool
	// BypassEvery is how old the last whole listing of bypass associations may be
	// in such a run; 0 is an hour.
	BypassEvery time.Duration
	// Raw keeps the rows of the tenant's own settings as they came, and reads them
	// where the policy has no opinion on them too (see Plan.Observed).
	Raw bool
}

// Check reads the tenant and compares it with the policy. The plan that it
// gives is complete as data: guards have been checked, and nothing was
// written. An error means that no report could be made at all: the context
// ended, the one mailbox asked for is not there, the policy asks for what this
// version cannot do ([UnsupportedError]), or nothing could be read; what could be
// read only in part is in the plan's coverage instead.
func Check(ctx context.Context, r Reader, req Request) (*Plan, error) {
	if err := withoutCompliance(req); err != nil {
		return nil, err
	}
	started, before := req.Now().UTC(), statsOf(r, req.Compliance)
	obs, why, err := look(ctx, r, &req)
	if err != nil {
		return nil, err
	}
	if err := obs.hopeless(); err != nil {
		return nil, err
	}
	if req.Mailbox != "" {
		req.Selection = req.Selection.within(audit.KindMailbox)
	}
	b := builder{req: req, obs: obs, reader: r, plan: &Plan{
		before: before, lasting: obs.lasting(started),
		Header: Header{
			Tool: req.Tool, RunID: req.RunID, Tenant: req.Tenant, CreatedAt: started,
			Policy: PolicyRef{Name: req.Policy.Name, Digest: req.Policy.Digest()},
		},
		selection: req.Selection, policy: req.Policy, memory: req.Memory, observed: obs.shown(req), Warnings: obs.rawMissing,
	}}
	if why != "" {
		b.plan.Warnings = append(b.plan.Warnings, sweepInstead(why))
	}
	return b.build(ctx)
}

// look reads what the request asks for. Where a look at what changed would leave
// something unseen it reads everything, changes the request to that, and tells why.
func look(ctx context.Context, r Reader, req *Request) (obs *observation, why string, err error) {
	fresh := func() *observer {
		o := newObserver(r, req.Policy, req.Now)
		o.compliance, o.tool, o.raw = req.Compliance, req.Tool, req.Raw
		o.recall(req.Memory, req.Now())
		return o
	}
	if req.SinceLastRun && req.Mailbox == "" {
		if req.Memory == nil {
			return nil, "", ErrNoMemory
		}
		if obs, why, err = fresh().sinceLastRun(ctx, req.BypassEvery); why == "" {
			return obs, "", err
		}
	}
	req.SinceLastRun = false
	obs, err = fresh().observe(ctx, req.Mailbox)
	return obs, why, err
}

// lasting begins what later runs need of a comparison.
func (o *observation) lasting(started time.Time) lasting {
	groups, _ := o.groups.digest()
	return lasting{asOf: started.Add(o.skew), delegates: o.delegates, groups: groups}
}

// hopeless gives the error of a run that has nothing to report: nothing was
// read, and not because a role forbids it, which is itself worth a report.
func (o *observation) hopeless() error {
	var errs []error
	var token *exchange.TokenError
	for _, f := range o.failures {
		if missing, ok := errors.AsType[*MailboxNotFoundError](f.err); ok {
			return missing
		}
		if exchange.IsRefused(f.err) {
			return nil
		}
		if t, ok := errors.AsType[*exchange.TokenError](f.err); ok {
			token = t
		}
		errs = append(errs, f)
	}
	if len(errs) == 0 || len(errs) < o.reads || o.pop.read > 0 || o.bypass != nil && o.bypass.read > 0 {
		return nil
	}
	if token != nil {
		return token // The same for every cmdlet, so it is said once.
	}
	return fmt.Errorf("nothing of the tenant could be read: %w", &unreadError{errs})
}

// builder puts a plan together from what was observed.
type builder struct {
	req    Request
	obs    *observation
	reader Reader
	plan   *Plan
}

func (b *builder) build(ctx context.Context) (*Plan, error) {
	p, obs := b.plan, b.obs
	b.joinStored()
	obs.pop.settle()
	cat := b.defaults()
	p.lasting.judged = obs.judging(p.CreatedAt)
	d := differ{policy: b.req.Policy, catalogue: cat, storedMissing: obs.storedMissing, now: p.lasting.judged}

	org := d.organization(obs.tenant)
	p.orgState, p.orgName = org.state, obs.tenant.name
	admin := d.adminAudit(obs.tenant.admin)
	p.adminState = admin.state
	p.tenant, p.unknown = slices.Concat(org.changes, admin.changes), slices.Concat(org.unknown, admin.unknown)
	p.Warnings = append(p.Warnings, d.rootCauses(obs.tenant)...)
	if err := b.bypass(ctx, d); err != nil {
		return nil, err
	}
	b.retention(d)
	b.mailboxes(d)
	p.Warnings = append(p.Warnings, slices.Concat(b.unmatched(), idle(b.req.Policy))...)
	p.Warnings = append(p.Warnings, slices.Concat(selectorLimits(b.req.Policy), b.sinceWarnings())...)
	p.Catalogue = Catalogue{Moved: cat.moved(), Lagging: b.lagging(d)}
	p.Warnings = append(p.Warnings, p.Catalogue.warnings()...)
	for _, w := range b.req.Policy.Expiries(d.now) {
		p.Warnings = append(p.Warnings, w.String())
	}
	b.carry()
	sortAll(p.tenant)
	b.hold()
	b.coverage()
	b.guards()
	p.Warnings = append(p.Warnings, raisedWarnings(b.req.Raised)...)
	return p, nil
}

// joinStored brings the listing of stored AuditEnabled values together with
// the mailboxes.
func (b *builder) joinStored() {
	if b.obs.storedMissing == "" && b.req.Policy.NeedsStoredAuditEnabled() {
		b.plan.lasting.stored = true
		b.obs.pop.markStored(b.obs.stored)
	}
}

// bypass resolves the allowed accounts and judges the rows.
func (b *builder) bypass(ctx context.Context, d differ) error {
	list := b.obs.bypass
	if list == nil {
		return nil
	}
	allowed, warnings, refused := b.obs.accounts.resolve(ctx, b.reader, list, b.readWhole(audit.KindMailbox))
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("looking up allowed accounts: %w", err)
	}
	b.plan.Warnings = append(b.plan.Warnings, warnings...)
	if refused {
		b.obs.failures = append(b.obs.failures, failure{kind: audit.KindBypass, cmdlet: "Get-User", err: errAccountsRefused})
	}
	f := d.bypass(list, allowed, d.now)
	if !b.readWhole(audit.KindBypass) {
		block(f.changes, "the listing of bypass associations is not complete")
	} else if !list.partial {
		b.plan.lasting.bypass = foundBypass(list, allowed)
	}
	b.plan.bypassStates = countBypass(list, f)
	b.plan.tenant = append(b.plan.tenant, f.changes...)
	b.plan.unknown = append(b.plan.unknown, f.unknown...)
	return nil
}

var errAccountsRefused = errors.New("allowed accounts could not be looked up: Get-User was refused")

func countBypass(list *bypassList, f finding) StateCounts {
	c := StateCounts{InSync: list.clean, Unknown: len(f.unknown)}
	for _, ch := range f.changes {
		if ch.Fate == FateExempt {
			c.Exempt++
		} else {
			c.Drifted++
		}
	}
	return c
}

// block takes planned changes out of the plan, and says why.
func block(changes []Change, why string) {
	for i := range changes {
		if changes[i].Fate == FatePlanned {
			changes[i].Fate = FateBlocked
			changes[i].Reason += "; not written: " + why
		}
	}
}

// mailboxes runs the diff, once per case.
func (b *builder) mailboxes(d differ) {
	pop := b.obs.pop
	whole := b.readWhole(audit.KindMailbox)
	cases := make([]finding, len(pop.cases))
	for i, k := range pop.cases {
		match := make([]policy.Match, matchers(b.req.Policy))
		for rule := range match {
			match[rule] = pop.matchAt(k.match, rule)
		}
		cases[i] = d.mailbox(pop.profiles[k.profile], match, k.stored)
		if !whole {
			block(cases[i].changes, "the listing of mailboxes is not complete")
		}
	}
	b.plan.pop, b.plan.cases = pop, cases
}

// readWhole tells whether every read of a kind went well.
func (b *builder) readWhole(kind audit.SubjectKind) bool {
	return !slices.ContainsFunc(b.obs.failures, func(f failure) bool { return f.kind == kind && !f.partial })
}

// coverage says what was read, and what was not.
func (b *builder) coverage() {
	p, obs := b.plan, b.obs
	stats := statsOf(b.reader, b.req.Compliance)
	c := Coverage{
		Scope: b.scope(), Reasons: []string{},
		Requests: int(stats.Requests - p.before.Requests), Pages: int(stats.Pages - p.before.Pages),
		Mailboxes: MailboxCoverage{Read: obs.pop.read, ByType: obs.pop.byType}, Cost: obs.costs(),
	}
	if obs.bypass != nil {
		c.Bypass = BypassCoverage{Read: obs.bypass.read, UnknownSystem: obs.bypass.unknownSystem, ReadAt: obs.bypass.readAt.UTC()}
	}
	for _, f := range obs.failures {
		if exchange.IsRefused(f.err) || errors.Is(f.err, errAccountsRefused) || f.kind == audit.KindRetention && withoutAccess(f.err) {
			p.Refused = append(p.Refused, f.cmdlet)
		}
		p.blind.in(f.kind)
		reason := f.Error()
		c.Reasons = append(c.Reasons, reason)
		// Of the tenant's own settings each is unknown by itself.
		if f.kind != audit.KindOrganization && f.kind != audit.KindAdminAudit {
			p.unknown = append(p.unknown, UnknownObject{Subject: Subject{Kind: f.kind}, Reason: reason})
		}
	}
	slices.Sort(p.Refused)
	p.Refused = slices.Compact(p.Refused)
	slices.Sort(c.Reasons)
	sortUnknown(p.unknown)
	sortUnknown(obs.pop.nameless)
	if obs.bypass != nil && obs.bypass.read == 0 && !obs.bypass.partial && b.readWhole(audit.KindBypass) {
		// A tenant of three mailboxes had 242 rows, most of them the service's
		// own (wire 1.5): none at all is what a role sees that may not look.
		p.blind.in(audit.KindBypass)
		c.Reasons = append(c.Reasons, "the listing of bypass associations is empty, which no tenant's is: the role may not see it")
	}
	if obs.storedMissing != "" && b.readWhole(audit.KindMailbox) {
		p.blind.in(audit.KindMailbox)
		c.Reasons = append(c.Reasons, obs.storedMissing)
	}
	b.sinceReasons(&c)
	if n := p.Summary().unknownObjects(); n > 0 {
		c.Reasons = append(c.Reasons, fmt.Sprintf("%s could not be judged", counted(n, "object")))
	}
	c.Complete = len(c.Reasons) == 0
	p.Coverage = c
}

// scope is how much of the tenant the run looks at.
func (b *builder) scope() Scope {
	switch {
	case b.req.Mailbox != "":
		return ScopeMailbox
	case b.req.SinceLastRun:
		return ScopeIncremental
	}
	return ScopeFull
}

// counted puts a number before a noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
