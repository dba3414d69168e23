package reconcile

import (
	"cmp"
	"slices"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// lasting is what a comparison read or worked out that later ones need.
type lasting struct {
	// asOf is when the run began, by the service's clock where it is known.
	asOf time.Time
	// judged is the time by which exemptions and permissions have ended or not.
	judged time.Time
	// defaults are Microsoft's default sets as this run took them.
	defaults catalogue
	// groups is the digest of who is in the groups that the policy names.
	groups string
	// stored tells that the stored AuditEnabled values are known.
	stored bool
	// delegates are the answers on Full Access that were read whole.
	delegates map[guid]delegateFact
	// bypass is nil where the bypass associations were not listed whole.
	bypass *bypassFound
	// tenant are the changes of other kinds than mailboxes that are held, by their
	// place, as they were before.
	tenant map[int]Change
}

// bypassFound is what a whole listing of the bypass associations leaves.
type bypassFound struct {
	at      time.Time
	known   []string
	allowed []resolvedAccount
}

// foundBypass keeps what a whole listing showed: which rows are bypassed or
// allowed, and what the allow entries stand for. An entry that could not be
// resolved is not kept.
func foundBypass(list *bypassList, allowed []allowance) *bypassFound {
	out := &bypassFound{at: list.readAt.UTC()}
	var ids []guid
	for _, row := range list.rows {
		if row.id != (guid{}) {
			ids = append(ids, row.id)
		}
	}
	for _, a := range allowed {
		if a.failed == "" {
			out.allowed = append(out.allowed, resolvedAccount{account: accountOf(a.entry), ids: slices.Clone(a.ids)})
			ids = append(ids, a.ids...)
		}
	}
	slices.SortFunc(ids, compareGUID)
	for _, id := range slices.Compact(ids) {
		out.known = append(out.known, id.String())
	}
	for i := range out.allowed {
		slices.SortFunc(out.allowed[i].ids, compareGUID)
	}
	return out
}

// Remember gives what is to be remembered after a comparison.
func (p *Plan) Remember(m *Memory) *Memory { return p.remember(m, nil) }

// Remember gives what is to be remembered after an apply.
func (r *Run) Remember(m *Memory) *Memory { return r.Plan.remember(m, r) }

// remember gives what is to be remembered after a comparison, and after what came of
// it where r is not nil. It may be given another memory than the plan was made
// with, where one was kept meanwhile.
func (p *Plan) remember(m *Memory, r *Run) *Memory {
	if m == nil {
		return nil
	}
	n := *m
	n.waiting, n.fixes = p.stillWaiting(m.waiting, r), p.recentFixes(m.fixes, r)
	n.notSettable = p.stick(m.notSettable, r)
	n.delegates = p.knownDelegates(m.delegates)
	if p.lasting.bypass != nil {
		n.bypassAt, n.bypassKnown, n.allowed = p.lasting.bypass.at, p.lasting.bypass.known, p.lasting.bypass.allowed
	}
	switch {
	case p.UndoOf() != "":
		// What was undone drifts again, and not all of it is found by what changed.
		if r != nil && r.Wrote() > 0 {
			return n.withoutSweep()
		}
		return &n
	case p.Coverage.Scope == ScopeMailbox:
		if m.sweep.judgedAs(p) {
			n.sweep = m.sweep.after(p, r)
		}
	case p.Coverage.Scope == ScopeFull && p.refusal == guardPopulation:
		// The mailboxes that do not show any more may be there, out of sight: that an
		// earlier sweep saw them says nothing of them now.
		return n.withoutSweep()
	case !p.complete():
	case p.sweeps() && !p.madeWith(m) && m.sweep != nil && !m.sweep.at.Before(p.lasting.asOf):
		// Another run has swept the tenant since this one began. It may not have seen
		// what this one wrote, which is found as changed; what this one did not see is
		// in it.
	case p.sweeps():
		n.sweep, n.measure, n.learned = p.newSweep(m, r), 0, p.lasting.defaults.learned
	case m.sweep.judgedAs(p):
		n.sweep = m.sweep.after(p, r)
	}
	n.watermark = p.watermark(m, r)
	return &n
}

// complete tells whether everything that the run looks at was read and judged, of
// a population that is taken for the whole.
func (p *Plan) complete() bool { return p.Coverage.Complete && p.refusal != guardPopulation }

// sweeps tells whether the run was a complete sweep of the tenant.
func (p *Plan) sweeps() bool { return p.Coverage.Scope == ScopeFull && p.complete() }

// settled tells whether everything that a run wrote is known to have ended, and
// nothing was left half done. It is so without a run.
func (r *Run) settled() bool {
	if r == nil {
		return true
	}
	results := r.Results()
	return r.Stopped == "" && results[ResultFailed]+results[ResultUnconfirmed] == 0
}

// madeWith tells whether the plan was made with a memory; if not, another run has
// kept its own since.
func (p *Plan) madeWith(m *Memory) bool {
	return p.memory != nil && p.memory.version[snapshotMarks] == m.version[snapshotMarks]
}

// watermark gives the time from which on the next incremental run must look. It
// moves only after a complete run. Where the memory is not the one that the plan
// was made with, what the other run saw in between is not known to this one, and
// the earlier of both holds.
func (p *Plan) watermark(m *Memory, r *Run) time.Time {
	asOf := p.lasting.asOf
	if !p.madeWith(m) {
		if m.watermark.IsZero() && p.sweeps() || asOf.Before(m.watermark) {
			return asOf
		}
		return m.watermark
	}
	switch {
	case !p.complete() || p.Coverage.Scope == ScopeMailbox:
		return m.watermark
	case r.settled():
		return asOf
	case m.watermark.IsZero() && p.sweeps():
		return asOf // Nothing was remembered: all that changed before is in the sweep.
	}
	return m.watermark
}

// newSweep is what is kept of a complete sweep. A policy without rules for
// mailboxes says nothing of the population.
func (p *Plan) newSweep(m *Memory, r *Run) *sweep {
	s := &sweep{
		runID: p.RunID, at: p.lasting.asOf, digest: p.Policy.Digest, tool: p.Tool,
		groups: p.lasting.groups, ordinary: p.pop.ordinary, read: p.Coverage.Mailboxes.Read, open: p.open(r),
	}
	if !p.policy.HasMailboxes() {
		s.ordinary = m.population()
	}
	s.known = make([]guid, len(p.pop.records))
	for i, rec := range p.pop.records {
		s.known[i] = rec.id
	}
	slices.SortFunc(s.known, compareGUID)
	return s
}

// judgedAs tells whether a run judged as the sweep did: what another policy, or
// another version, finds or does not find says nothing of the findings of this one.
func (s *sweep) judgedAs(p *Plan) bool {
	return s != nil && s.digest == p.Policy.Digest && majorOf(s.tool) == majorOf(p.Tool)
}

// after gives the sweep with the findings of those mailboxes that a later run has
// read as that run leaves them.
func (s *sweep) after(p *Plan, r *Run) *sweep {
	out := *s
	out.open = s.open.replaced(p.open(r), p.lookup())
	return &out
}

// stillWaiting gives the writes that are waited for after a run: those of before
// whose time is not over and that do not show, and its own.
func (p *Plan) stillWaiting(old []waiting, r *Run) []waiting {
	var out []waiting
	now := p.CreatedAt
	if r != nil {
		now = r.FinishedAt
	}
	lookup := p.lookup()
	for _, w := range old {
		if !w.until.After(now) {
			continue
		}
		kept := waiting{until: w.end(now), subjects: subjects{kind: w.kind, setting: w.setting}, digest: w.digest}
		judged := w.kind == audit.KindMailbox && w.digest != "" && w.digest == p.applied()
		for _, id := range w.ids {
			if !judged || !p.shows(lookup, id, w.setting) {
				kept.ids = append(kept.ids, id)
			}
		}
		kept.names = w.names
		if kept.count() > 0 {
			out = append(out, kept)
		}
	}
	for _, s := range r.with(ResultUnconfirmed) {
		out = append(out, waiting{until: r.FinishedAt.UTC().Add(waitFor(s.kind)), subjects: s, digest: p.applied()})
	}
	return out
}

// applied is the digest of the policy that the plan brings the tenant in line with;
// one that undoes a run has none.
func (p *Plan) applied() string {
	if p.UndoOf() != "" {
		return ""
	}
	return p.Policy.Digest
}

// shows tells whether a mailbox was read, and does not need a change of a setting.
func (p *Plan) shows(lookup lookup, id guid, setting audit.Setting) bool {
	i, read := lookup.find(id)
	if !read {
		return false
	}
	r := p.pop.records[i]
	f := p.cases[r.kase].unheld()
	if _, repeated := p.pop.repeated[r.id]; repeated || len(f.unknown) > 0 {
		return false
	}
	return !slices.ContainsFunc(f.changes, func(c Change) bool { return c.Setting == setting && c.Fate != FateExempt })
}

// recentFixes gives the fixes of the last day after a run.
func (p *Plan) recentFixes(old []fixes, r *Run) []fixes {
	var out []fixes
	now := p.CreatedAt
	if r != nil {
		now = r.FinishedAt
	}
	for _, f := range old {
		// What this tool takes back itself nobody contests.
		takenBack := r != nil && p.UndoOf() != "" && f.runID == p.UndoOf()
		if f.lately(now) && !takenBack {
			out = append(out, f)
		}
	}
	if p.UndoOf() != "" {
		return out
	}
	for _, s := range r.with(ResultVerified) {
		out = append(out, fixes{runID: p.RunID, seen: p.CreatedAt, at: r.FinishedAt.UTC(), subjects: s})
	}
	return out
}

// with gives the subjects of the changes with a result, by kind and setting; none
// without a run.
func (r *Run) with(result Result) []subjects {
	if r == nil {
		return nil
	}
	var out []subjects
	of := func(kind audit.SubjectKind, setting audit.Setting) *subjects {
		for i := range out {
			if out[i].kind == kind && out[i].setting == setting {
				return &out[i]
			}
		}
		out = append(out, subjects{kind: kind, setting: setting})
		return &out[len(out)-1]
	}
	for i, rec := range r.Plan.pop.records {
		for slot, c := range r.Plan.cases[rec.kase].changes {
			if c.Fate == FatePlanned && r.mailbox.at(i, slot).result == result {
				s := of(audit.KindMailbox, c.Setting)
				s.ids = append(s.ids, rec.id)
			}
		}
	}
	for i, c := range r.Plan.tenant {
		if c.Fate == FatePlanned && r.tenant[i].result == result {
			of(c.Subject.Kind, c.Setting).add(c.Subject.ID)
		}
	}
	for i := range out {
		out[i].settle()
	}
	slices.SortFunc(out, func(a, b subjects) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.setting, b.setting))
	})
	return out
}
