package reconcile

import "github.com/exoaudit/exoaudit/policy/audit"

// notSettable are mailboxes whose stored AuditEnabled the service would not set,
// as one run found: it says that nothing was different, and its filter says
// otherwise (semantics 2.2). The ids are sorted.
type notSettable struct {
	runID string
	ids   []guid
}

// stuck tells whether a mailbox is one of them, and which run found it.
func (m *Memory) stuck(id guid) (run string, found bool) {
	for _, n := range m.notSettable {
		if (subjects{ids: n.ids}).has(id) {
			return n.runID, true
		}
	}
	return "", false
}

// stick gives what is known not to be settable after a run: of what was known, that
// which the filter still lists; and what the run found.
func (p *Plan) stick(old []notSettable, r *Run) []notSettable {
	var out []notSettable
	lookup := p.lookup()
	for _, n := range old {
		kept := notSettable{runID: n.runID}
		for _, id := range n.ids {
			i, read := lookup.find(id)
			switch {
			case !p.lasting.stored:
				kept.ids = append(kept.ids, id)
			case read && p.pop.cases[p.pop.records[i].kase].stored:
				kept.ids = append(kept.ids, id)
			case !read && !p.sweeps():
				kept.ids = append(kept.ids, id)
			}
		}
		if len(kept.ids) > 0 {
			out = append(out, kept)
		}
	}
	if found := r.stuck(); len(found.ids) > 0 {
		out = append(out, found)
	}
	return out
}

// stuck are the mailboxes that the run found not to be settable.
func (r *Run) stuck() notSettable {
	if r == nil {
		return notSettable{}
	}
	found := subjects{}
	for i, rec := range r.Plan.pop.records {
		for slot, c := range r.Plan.cases[rec.kase].changes {
			if c.Setting == audit.SettingAuditEnabled && c.Fate == FatePlanned && r.mailbox.at(i, slot).result == ResultUnsupported {
				found.ids = append(found.ids, rec.id)
			}
		}
	}
	found.settle()
	return notSettable{runID: r.Plan.RunID, ids: found.ids}
}
