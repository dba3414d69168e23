package reconcile

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// Selection restricts what an apply writes, for pilots. What it leaves out
// stays in the plan and ends skipped.
type Selection struct {
	// Only are the subject kinds to write; empty is all.
	Only []audit.SubjectKind
	// Limit is the number of mailboxes to write, in plan order; 0 is all.
	Limit int
	// nothing says that two restrictions leave nothing to write.
	nothing bool
}

// within restricts a selection further, to one kind.
func (s Selection) within(k audit.SubjectKind) Selection {
	s.nothing = !s.kind(k)
	s.Only = []audit.SubjectKind{k}
	return s
}

// kind tells whether a kind is to be written.
func (s Selection) kind(k audit.SubjectKind) bool {
	return !s.nothing && (len(s.Only) == 0 || slices.Contains(s.Only, k))
}

// selectedMailboxes is the number of mailboxes that the run would write: those
// with a planned change, after the selection has cut.
func (p *Plan) selectedMailboxes() int {
	if !p.selection.kind(audit.KindMailbox) {
		return 0
	}
	n := 0
	for i := range p.pop.records {
		if p.hasPlanned(i) {
			n++
		}
	}
	if p.selection.Limit > 0 {
		return min(n, p.selection.Limit)
	}
	return n
}

// hasPlanned tells whether a mailbox has a planned change that this run may make,
// whatever the guards say of the whole.
func (p *Plan) hasPlanned(i int) bool {
	r := p.pop.records[i]
	if _, repeated := p.pop.repeated[r.id]; repeated || p.cases[r.kase].carried {
		return false
	}
	return slices.ContainsFunc(p.cases[r.kase].changes, func(c Change) bool { return c.Fate == FatePlanned })
}

// selected gives the indexes of the mailboxes that the run writes, in plan
// order.
func (p *Plan) selected() iter.Seq[int] {
	return func(yield func(int) bool) {
		if !p.selection.kind(audit.KindMailbox) || p.refusal != "" {
			return
		}
		n := 0
		for i := range p.pop.records {
			if !p.hasPlanned(i) {
				continue
			}
			if p.selection.Limit > 0 && n == p.selection.Limit {
				return
			}
			n++
			if !yield(i) {
				return
			}
		}
	}
}

// ParseSelection reads subject kinds by name and a number of mailboxes.
func ParseSelection(only []string, limit int) (Selection, error) {
	s := Selection{Limit: limit}
	if limit < 0 {
		return s, fmt.Errorf("a limit of %d mailboxes is none", limit)
	}
	for _, name := range only {
		kinds := audit.SubjectKinds()
		i := slices.IndexFunc(kinds[:], func(k audit.SubjectKind) bool { return strings.EqualFold(string(k), name) })
		if i < 0 {
			return s, fmt.Errorf("%q is no kind of object; kinds are %s", name, joinKinds(kinds[:]))
		}
		s.Only = append(s.Only, kinds[i])
	}
	return s, nil
}
