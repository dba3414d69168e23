package reconcile

import (
	"cmp"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// carried are the findings that incremental runs carry until they are settled,
// folded as the plan has them: those that the last full sweep left open, and those
// that later runs found. What is exempt is no finding.
type carried struct {
	cases []carriedCase
	// records are the mailboxes, by name, then by id; kase is an index into cases.
	records []record
	// tenant are the changes of the kind that an incremental run does not read,
	// which is retention. The other kinds are read by every run.
	tenant []Change
	// unknown are objects without a record that could not be judged.
	unknown []UnknownObject
}

// carriedCase is what mailboxes that stand alike have in common.
type carriedCase struct {
	finding
	kind    audit.MailboxType
	listing exchange.Listing
}

// notRead is what a profile says that nobody read in this run: such a mailbox
// neither votes nor is compared.
const notRead = "not read by this run"

// seenBy is the note of a carried change that an apply does not make.
func seenBy(run string) string {
	return "seen by run " + run + ", and not read again by this one, which looks at what changed since: the next full sweep writes it"
}

// profile stands for the mailboxes of a carried case in a population.
func (c carriedCase) profile() profile {
	p := profile{listing: c.listing}
	p.kind.value = c.kind
	p.enabled.missing, p.age.missing, p.managed.missing, p.licensed.missing = notRead, notRead, notRead, notRead
	for l := range p.lists {
		p.lists[l].missing = notRead
	}
	return p
}

// carry takes the findings that earlier runs left open into the plan, except
// those of mailboxes that this run has read: what it read stands. A mailbox that is
// gone cannot be told from one that did not change: what was found of it is carried
// until the next full sweep.
func (b *builder) carry() {
	if b.scope() != ScopeIncremental || b.req.Memory.sweep == nil || b.req.Memory.sweep.open == nil {
		return
	}
	c, p, pop := b.req.Memory.sweep.open, b.plan, b.obs.pop
	read := p.lookup()
	first := int32(len(p.cases)) //nolint:gosec // Bounded by the number of mailboxes.
	for _, k := range c.cases {
		f := k.finding
		f.carried = true
		p.cases = append(p.cases, f)
		pop.profiles = append(pop.profiles, k.profile())
		pop.cases = append(pop.cases, caseKey{profile: int32(len(pop.profiles) - 1), match: -1}) //nolint:gosec // Ditto.
	}
	for _, r := range c.records {
		if _, again := read.find(r.id); !again {
			pop.records = append(pop.records, record{id: r.id, name: r.name, kase: first + r.kase})
		}
	}
	slices.SortFunc(pop.records, func(x, y record) int {
		return cmp.Or(strings.Compare(x.name, y.name), compareGUID(x.id, y.id))
	})
	b.carryTenant(c)
}

// carryTenant takes over what is carried of other kinds than mailboxes.
func (b *builder) carryTenant(c *carried) {
	p := b.plan
	drifted := map[string]bool{}
	for _, change := range c.tenant {
		change.Carried = true
		p.tenant = append(p.tenant, change)
		if change.Subject.Kind == audit.KindRetention {
			drifted[change.Subject.ID] = true
		}
	}
	p.retention.Drifted += len(drifted)
	p.unknown = append(p.unknown, c.unknown...)
}
