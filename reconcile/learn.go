package reconcile

import (
	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// minManaged is how many managed mailboxes must show a list before it is
// taken for Microsoft's default (design section 3).
const minManaged = 3

// catalogue answers which actions Microsoft's default set holds. It is learned
// from the tenant, since the service adds actions without notice: what most
// managed mailboxes of a kind show is the default there.
type catalogue struct {
	learned map[defaultKey]audit.ActionSet
	// tied are those on which enough mailboxes voted, without a majority.
	tied map[defaultKey]bool
}

// defaultKey is what a default set depends on.
type defaultKey struct {
	kind     audit.MailboxType
	logon    audit.LogonType
	licensed bool
}

// defaults gives the default set for a profile and logon type: the learned
// one, or the matrix where the tenant says too little.
func (c catalogue) defaults(p profile, l audit.LogonType) audit.ActionSet {
	if set, ok := c.learned[defaultKey{p.kind.value, l, p.licensed.value}]; ok {
		return set
	}
	return audit.Defaults(p.kind.value, l)
}

// learn votes: each managed mailbox has one vote for the list that it shows.
// A tie, and fewer than three mailboxes, leave the matrix in force. Group
// mailboxes do not vote: what they show is not to be believed (semantics 1.5).
func learn(pop *population) catalogue {
	votes := map[defaultKey]map[string]int{}
	sets := map[string]audit.ActionSet{}
	for _, r := range pop.records {
		p := pop.profileOf(r.kase)
		if p.listing == exchange.Groups || p.kind.missing != "" || p.managed.missing != "" || p.licensed.missing != "" {
			continue
		}
		for _, l := range audit.LogonTypes() {
			// An empty list is not a default set: it was not shown.
			if !p.managed.value.has(l) || p.lists[l].missing != "" || p.lists[l].value.Len() == 0 {
				continue
			}
			k := defaultKey{p.kind.value, l, p.licensed.value}
			if votes[k] == nil {
				votes[k] = map[string]int{}
			}
			name := p.lists[l].value.String()
			votes[k][name]++
			sets[name] = p.lists[l].value
		}
	}
	c := catalogue{learned: map[defaultKey]audit.ActionSet{}, tied: map[defaultKey]bool{}}
	for k, count := range votes {
		switch winner, enough, best := elect(count); {
		case best && enough:
			c.learned[k] = sets[winner]
		case enough:
			c.tied[k] = true
		}
	}
	return c
}

// defaults gives the default sets that this run goes by. A full one learns them
// afresh, and takes what earlier ones learned where too few vote; one that looks at
// part of the tenant goes by what was learned of the whole.
func (b *builder) defaults() catalogue {
	var earlier map[defaultKey]audit.ActionSet
	if b.req.Memory != nil {
		earlier = b.req.Memory.learned
	}
	cat := catalogue{learned: map[defaultKey]audit.ActionSet{}}
	if b.scope() == ScopeFull {
		cat = learn(b.obs.pop)
	}
	for k, set := range earlier {
		if _, learned := cat.learned[k]; !learned && !cat.tied[k] {
			cat.learned[k] = set
		}
	}
	b.plan.lasting.defaults = cat
	return cat
}

// learnedMoved tells whether mailboxes vote for other default sets than those that
// the last full sweep went by.
func (m *Memory) learnedMoved(fresh catalogue) bool {
	for k, set := range fresh.learned {
		known, learned := m.learned[k]
		if !learned {
			known = audit.Defaults(k.kind, k.logon)
		}
		if !known.Equal(set) {
			return true
		}
	}
	return false
}

// elect names the list with most votes, and tells whether the electorate is large
// enough, and whether the list has more votes than any other.
func elect(count map[string]int) (winner string, enough, ahead bool) {
	best, second, total := 0, 0, 0
	for name, n := range count {
		total += n
		switch {
		case n > best:
			winner, second, best = name, best, n
		case n > second:
			second = n
		}
	}
	return winner, total >= minManaged, best > second
}
