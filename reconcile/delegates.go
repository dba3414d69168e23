package reconcile

import (
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
)

// suspended is a mailbox of which it hangs on its delegates which rules and
// exemptions match it. Until that is known they are open.
type suspended struct {
	// record is the index of the mailbox in the population.
	record int32
	// yes and no are its match vectors with and without delegates.
	yes, no int32
	// quiet tells that nobody may send on behalf of the mailbox.
	quiet bool
	// changed is when the mailbox was last changed; zero where that was not asked for.
	changed time.Time
}

// suspend keeps the mailbox that was just added suspended, where that is
// what it is. Where its matches are the same with and without delegates they are
// not open at all, whatever the parts of a selector say by themselves.
func (o *observer) suspend(pop *population, m exchange.Mailbox, s policy.Subject) {
	if !o.needs.delegates {
		return
	}
	var identity uint64
	if text, ok := m.Identity.Get(); ok && text != "" {
		identity = newSendAs(o.seed).hash(text)
	}
	pop.identities = append(pop.identities, identity)
	if s.Delegates.Known {
		return
	}
	last := int32(len(pop.records) - 1) //nolint:gosec // Bounded by the number of mailboxes.
	s.Delegates = policy.BoolFact{Known: true}
	no := matchesOf(o.policy, s)
	s.Delegates.Value = true
	yes := matchesOf(o.policy, s)
	if slices.Equal(yes, no) {
		pop.rematch(last, pop.internMatch(no))
		return
	}
	on, listed := m.GrantSendOnBehalfTo.Get()
	changed, _ := date(m.WhenChangedUTC)
	pop.candidates = append(pop.candidates, suspended{
		record: last, yes: pop.internMatch(yes), no: pop.internMatch(no), quiet: listed && !slices.Contains(on, ""), changed: changed,
	})
}

// onBehalf is what the row says of delegates by itself: somebody who may send on
// behalf of the mailbox is one, nobody leaves the question open. The bare security
// identifier of an account that is gone is nobody.
func onBehalf(m exchange.Mailbox) policy.BoolFact {
	who, _ := m.GrantSendOnBehalfTo.Get()
	for _, name := range who {
		if name = strings.TrimSpace(name); name != "" && !isSelf(name) && !strings.HasPrefix(strings.ToUpper(name), "S-1-5-21-") {
			return policy.BoolFact{Value: true, Known: true}
		}
	}
	return policy.BoolFact{}
}

// rematch gives a mailbox another match vector.
func (p *population) rematch(record, match int32) {
	r := &p.records[record]
	k := p.cases[r.kase]
	k.match = match
	r.kase = p.internCase(k)
}

// sharedIdentities counts the mailboxes of each identity for which the listing of
// send-as permissions has somebody else.
func (p *population) sharedIdentities(s *sendAs) map[uint64]int {
	out := map[uint64]int{}
	for _, identity := range p.identities {
		if _, given := s.given[identity]; given {
			out[identity]++
		}
	}
	return out
}

// decide gives the candidates the matches that their delegates decide; those of
// which it is not known stay open.
func (p *population) decide(delegates []delegated) {
	for i, c := range p.candidates {
		switch delegates[i] {
		case delegatedYes:
			p.rematch(c.record, c.yes)
		case delegatedNo:
			p.rematch(c.record, c.no)
		case delegatedUnknown, delegatedAsk:
		}
	}
	p.candidates, p.identities = nil, nil
}

// dropUnused forgets the cases that no mailbox has any more, so that what is said
// of cases is said of mailboxes.
func (p *population) dropUnused() {
	number := make([]int32, len(p.cases))
	for _, r := range p.records {
		number[r.kase] = 1
	}
	kept := p.cases[:0]
	for i, k := range p.cases {
		if number[i] == 1 {
			number[i] = int32(len(kept)) //nolint:gosec // Bounded by the number of mailboxes.
			kept = append(kept, k)
		}
	}
	p.cases = kept
	for i := range p.records {
		p.records[i].kase = number[p.records[i].kase]
	}
}
