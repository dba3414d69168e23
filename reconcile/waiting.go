package reconcile

import (
	"fmt"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// waiting are writes of one run that were accepted and did not show by its end:
// nobody knows yet whether they took, and until the time is over none is made
// again (design section 4).
type waiting struct {
	until time.Time
	subjects
	// digest is that of the policy of the run. To others the values of before may be
	// right too; it is empty where the run was no apply of a policy.
	digest string
}

// waitFor is how long after its run an unconfirmed write is waited for: what is set
// for the whole tenant takes up to an hour to take effect.
func waitFor(kind audit.SubjectKind) time.Duration {
	switch kind {
	case audit.KindMailbox, audit.KindBypass:
		return 15 * time.Minute
	default:
		return time.Hour
	}
}

// end is until when it is waited for. A clock that was ahead does not make that
// longer than it takes.
func (w waiting) end(now time.Time) time.Time {
	if latest := now.UTC().Add(waitFor(w.kind)); w.until.After(latest) {
		return latest
	}
	return w.until
}

// awaiting is the reason of a change that waits.
func awaiting(until time.Time) string {
	return "awaiting confirmation until " + until.UTC().Format(time.RFC3339)
}

// held is why a planned change is not made by this run: it is then blocked or
// unsupported. An unclear one leaves its object unknown.
type held struct {
	fate    Fate
	reason  string
	unclear bool
}

// hold takes out of the plan what earlier runs say must not be written now: what
// was written and does not show yet, what the service would not set, and what
// somebody undoes again and again. It is done last, so that a change that is held
// for another reason keeps that one.
func (b *builder) hold() {
	if b.req.Memory == nil {
		return
	}
	h := &holder{memory: b.req.Memory, now: b.plan.CreatedAt, disputes: disputesOf(b.req.Memory.fixes, b.plan.CreatedAt), asked: b.askedByName(), changed: b.obs.changedAt}
	if h.idle() {
		return
	}
	b.holdMailboxes(h)
	b.holdTenant(h)
	b.plan.Warnings = append(b.plan.Warnings, h.warnings()...)
}

// holder knows what is held.
type holder struct {
	memory   *Memory
	now      time.Time
	disputes []dispute
	// asked tells which kinds somebody has asked for by name, so that what is
	// contested is written once more.
	asked func(audit.SubjectKind) bool
	// changed tells when a disputed mailbox was last changed.
	changed func(guid) (time.Time, bool)
	// contested counts the changes that are held as contested, and renewed those
	// that are made all the same.
	contested, renewed int
}

func (h *holder) idle() bool {
	return len(h.memory.waiting)+len(h.memory.notSettable)+len(h.disputes) == 0
}

// of tells whether a planned change is held.
func (h *holder) of(s Subject, id guid, setting audit.Setting) (held, bool) {
	if until, waits := h.waits(s, id, setting); waits {
		return held{fate: FateBlocked, reason: awaiting(until), unclear: true}, true
	}
	if setting == audit.SettingAuditEnabled && s.Kind == audit.KindMailbox {
		if run, stuck := h.memory.stuck(id); stuck {
			return held{fate: FateUnsupported, reason: "not settable without a toggle, as run " + run + " found; it is not sent again while the filter lists the mailbox"}, true
		}
	}
	if why := h.dispute(s, id, setting); why != "" {
		if h.asked(s.Kind) {
			h.renewed++
			return held{}, false
		}
		h.contested++
		return held{fate: FateBlocked, reason: why}, true
	}
	return held{}, false
}

// waits tells until when a write of an earlier run is waited for.
func (h *holder) waits(s Subject, id guid, setting audit.Setting) (time.Time, bool) {
	var until time.Time
	for _, w := range h.memory.waiting {
		if w.kind == s.Kind && w.setting == setting && w.until.After(h.now) && w.until.After(until) && w.hasObject(s, id) {
			until = w.end(h.now)
		}
	}
	return until, !until.IsZero()
}

// holdMailboxes gives mailboxes with held changes cases of their own, so that
// everything that counts cases counts them as they stand.
func (b *builder) holdMailboxes(h *holder) {
	p, pop := b.plan, b.obs.pop
	made := map[string]int32{}
	for i := range pop.records {
		r := &pop.records[i]
		if _, repeated := pop.repeated[r.id]; repeated {
			continue
		}
		f := &p.cases[r.kase]
		holds, key := h.ofCase(r.id, f)
		if len(holds) == 0 {
			continue
		}
		key = fmt.Sprintf("%d%s", r.kase, key)
		kase, known := made[key]
		if !known {
			kase = int32(len(p.cases)) //nolint:gosec // Bounded by the number of mailboxes.
			made[key] = kase
			of := pop.cases[r.kase]
			p.cases, pop.cases = append(p.cases, f.holding(holds)), append(pop.cases, of)
		}
		r.kase = kase
	}
}

// ofCase gives what is held of the changes of one mailbox, by their place, and a
// text that is the same for mailboxes of the same case with the same holds.
func (h *holder) ofCase(id guid, f *finding) (map[int]held, string) {
	var holds map[int]held
	var key []byte
	for slot, c := range f.changes {
		if c.Fate != FatePlanned {
			continue
		}
		if why, isHeld := h.of(Subject{Kind: audit.KindMailbox}, id, c.Setting); isHeld {
			if holds == nil {
				holds = map[int]held{}
			}
			holds[slot] = why
			key = fmt.Appendf(key, " %d:%s", slot, why.reason)
		}
	}
	return holds, string(key)
}

// holding gives a finding with some of its changes held. An object that is unknown
// is never written: where one change waits, all do.
func (f *finding) holding(holds map[int]held) finding {
	raw := *f
	out := raw
	out.raw = &raw
	out.changes, out.unknown = append([]Change(nil), f.changes...), append([]UnknownObject(nil), f.unknown...)
	for slot := range out.changes {
		if why, isHeld := holds[slot]; isHeld {
			c := &out.changes[slot]
			if why.unclear {
				out.unknown = append(out.unknown, UnknownObject{Setting: c.Setting, Reason: why.reason})
			}
			c.hold(why)
		}
	}
	if len(out.unknown) > 0 {
		out.state = Unknown
		block(out.changes, "another value of this mailbox is unknown")
	}
	sortChanges(out.changes)
	return out
}

// hold takes a change out of the plan.
func (c *Change) hold(why held) {
	c.Fate, c.Reason = why.fate, why.reason+"; "+c.Reason
}

// holdTenant does the same with the changes of other kinds.
func (b *builder) holdTenant(h *holder) {
	p := b.plan
	seen := map[Subject]bool{} // that are unclear
	for i := range p.tenant {
		c := &p.tenant[i]
		if c.Fate != FatePlanned {
			continue
		}
		id, _ := parseGUID(c.Subject.ID)
		why, isHeld := h.of(c.Subject, id, c.Setting)
		if !isHeld {
			continue
		}
		if p.lasting.tenant == nil {
			p.lasting.tenant = map[int]Change{}
		}
		p.lasting.tenant[i] = *c
		c.hold(why)
		if why.unclear {
			p.unknown = append(p.unknown, UnknownObject{Subject: c.Subject, Setting: c.Setting, Reason: why.reason})
			if !seen[c.Subject] {
				p.unclear(c.Subject.Kind)
			}
			seen[c.Subject] = true
		}
	}
	if p.orgState == Unknown || p.adminState == Unknown {
		b.blockUnknown()
	}
}

// unclear moves one drifted object of a kind to those that are unknown.
func (p *Plan) unclear(kind audit.SubjectKind) {
	switch kind {
	case audit.KindOrganization:
		p.orgState = Unknown
	case audit.KindAdminAudit:
		p.adminState = Unknown
	case audit.KindBypass:
		p.bypassStates.Drifted--
		p.bypassStates.Unknown++
	case audit.KindRetention:
		p.retention.Drifted--
		p.retention.Unknown++
	case audit.KindMailbox:
	}
}

// blockUnknown blocks what is planned on the organization or the admin audit log
// where a value of the same object is unknown.
func (b *builder) blockUnknown() {
	p := b.plan
	for i := range p.tenant {
		c := &p.tenant[i]
		unclear := c.Subject.Kind == audit.KindOrganization && p.orgState == Unknown ||
			c.Subject.Kind == audit.KindAdminAudit && p.adminState == Unknown
		if unclear && c.Fate == FatePlanned {
			if p.lasting.tenant == nil {
				p.lasting.tenant = map[int]Change{}
			}
			p.lasting.tenant[i] = *c
			block(p.tenant[i:i+1], "another setting of this object is unknown")
		}
	}
}
