package reconcile

import (
	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// Estimate counts what applying the plan costs when nothing goes wrong. With
// nothing planned it is zero.
func (p *Plan) Estimate() Estimate {
	var e Estimate
	if p.refusal != "" {
		return e
	}
	if p.undo != nil {
		return p.estimateUndo()
	}
	bypass, retention := 0, false
	for _, c := range p.tenant {
		switch {
		case c.Fate != FatePlanned || c.Carried || !p.selection.kind(c.Subject.Kind):
		case c.Subject.Kind == audit.KindBypass:
			bypass++
		default:
			e.Writes++
			e.Requests++
			e.VerifyRequests++
			retention = retention || c.Subject.Kind == audit.KindRetention
		}
	}
	if retention {
		e.VerifyRequests++ // They are read once more before the first write.
	}
	e.Writes += bypass
	e.Requests += batches(bypass)
	e.VerifyRequests += batches(bypass)
	p.estimateMailboxes(&e)
	return e
}

// estimateMailboxes counts as the engine works: ring after ring, in each the
// mailboxes in tens, the restores of a ten in a request of their own before the
// rest of it.
func (p *Plan) estimateMailboxes(e *Estimate) {
	touched, restores, edits, stored := 0, 0, 0, false
	flush := func() {
		e.Requests += batches(restores) + batches(edits)
		e.VerifyRequests += batches(touched)
		e.Writes += restores + edits
		touched, restores, edits = 0, 0, 0
	}
	rings := p.rings()
	left := rings[0].Mailboxes // of the ring
	for i := range p.selected() {
		work := p.workOf(i)
		touched++
		if work.restores {
			restores++
		}
		if work.edits {
			edits++
		}
		stored = stored || work.stored
		if left--; left == 0 {
			flush()
			rings = rings[1:]
			left = rings[0].Mailboxes
		} else if touched == exchange.BatchSize {
			flush()
		}
	}
	flush()
	if stored {
		e.VerifyRequests++
	}
}

// batches is the number of $batch requests for n calls.
func batches(n int) int { return (n + exchange.BatchSize - 1) / exchange.BatchSize }

// work says which calls a mailbox needs.
type work struct {
	restores, edits bool
	// stored says that a stored AuditEnabled must be read back by the filter.
	stored bool
}

func (p *Plan) workOf(i int) work {
	var w work
	r := p.pop.records[i]
	for _, c := range p.cases[r.kase].changes {
		if c.Fate != FatePlanned {
			continue
		}
		switch c.Setting {
		case audit.SettingDefaultAuditSet:
			w.restores = true
		case audit.SettingAuditEnabled:
			w.edits = true
			w.stored = w.stored || p.storedOnly(r)
		default:
			w.edits = true
		}
	}
	return w
}

// storedOnly tells whether a mailbox hides its stored AuditEnabled, so that
// only the filter can confirm it.
func (p *Plan) storedOnly(r record) bool {
	return audit.OnByDefault(p.pop.profileOf(r.kase).kind.value) != audit.NotCovered
}
