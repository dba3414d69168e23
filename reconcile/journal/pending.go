package journal

import (
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// Pending finds, among the entries of a journal, the intents of which no outcome
// is recorded. The zero value has seen nothing.
type Pending struct {
	intents map[writeKey]Entry
	tenants map[string]string // by run
}

// writeKey tells the writes of a journal apart.
type writeKey struct {
	run     string
	subject string
	kind    audit.SubjectKind
	setting audit.Setting
	change  string
}

func keyOf(run string, s Subject, setting audit.Setting, change string) writeKey {
	return writeKey{run, s.ID, s.Kind, setting, change}
}

// Take looks at the next entry. The outcome of a write may be recorded by a later
// run, which then names the run of the intent (see [Outcome]).
func (p *Pending) Take(e Entry) {
	switch {
	case e.Begin != nil:
		if p.tenants == nil {
			p.tenants = map[string]string{}
		}
		p.tenants[e.Run] = e.Begin.Tenant
	case e.Intent != nil:
		if p.intents == nil {
			p.intents = map[writeKey]Entry{}
		}
		p.intents[keyOf(e.Run, e.Intent.Subject, e.Intent.Setting, e.Intent.Change)] = e
	case e.Outcome != nil:
		run := e.Run
		if e.Outcome.Of != "" {
			run = e.Outcome.Of
		}
		delete(p.intents, keyOf(run, e.Outcome.Subject, e.Outcome.Setting, e.Outcome.Change))
	}
}

// OpenFor parts the intents that have no outcome: those of runs on a tenant, or of runs
// that do not name theirs, and those of runs on others, of which a look at this tenant
// would say nothing, or what is wrong.
func (p *Pending) OpenFor(tenant string) (own, others []Entry) {
	for _, e := range p.Open() {
		if of := p.tenants[e.Run]; of == "" || strings.EqualFold(of, tenant) {
			own = append(own, e)
		} else {
			others = append(others, e)
		}
	}
	return own, others
}

// Open gives the intents that have no outcome, in the order of the journal.
func (p *Pending) Open() []Entry {
	out := make([]Entry, 0, len(p.intents))
	for _, e := range p.intents {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int { return int(a.Seq - b.Seq) })
	return out
}
