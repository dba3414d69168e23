package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// accepted makes exemptions of the mailboxes that fall short of the baselines,
// one for all of which the same is accepted. Beyond the bound the smallest are
// accepted together, by what they have in common.
func (a *drafter) accepted(standings []standing) {
	groups := map[string]*DraftExemption{}
	unnamed, purged := 0, 0
	for _, rec := range a.eligible(standings) {
		s := standings[rec.kase]
		if len(s.lacks) == 0 {
			continue
		}
		if !addressable(rec.name) {
			unnamed++
			continue
		}
		if s.accept == (DraftAccept{}) {
			if purged++; purged <= maxDraftPurged {
				a.note("%s: %s", rec.name, strings.Join(s.lacks, "; "))
			}
			continue
		}
		key := s.accept.key()
		if groups[key] == nil {
			groups[key] = &DraftExemption{Accept: s.accept}
		}
		groups[key].take([]string{rec.name}, s.lacks)
	}
	if more := purged - maxDraftPurged; more > 0 {
		a.note("%s short of the baseline in the same way, which cannot be accepted", plural(more, "more mailbox falls", "more mailboxes fall"))
	}
	if unnamed > 0 {
		a.note("%s short of the baseline and cannot be named by an address: nothing is accepted of them", plural(unnamed, "mailbox falls", "mailboxes fall"))
	}
	list := slices.SortedFunc(maps.Values(groups), func(x, y *DraftExemption) int {
		return cmp.Or(cmp.Compare(len(y.Addresses), len(x.Addresses)), strings.Compare(x.Accept.key(), y.Accept.key()))
	})
	for i, e := range list {
		if i >= maxDraftExemptions {
			last := &a.draft.Accepted[maxDraftExemptions-1]
			last.Accept = last.Accept.common(e.Accept)
			last.take(e.Addresses, e.Lacks)
			continue
		}
		e.Name = fmt.Sprintf("below-%d", i+1)
		a.draft.Accepted = append(a.draft.Accepted, *e)
	}
	a.bound()
}

// take adds mailboxes to an exemption.
func (e *DraftExemption) take(addresses, lacks []string) {
	e.Addresses = append(e.Addresses, addresses...)
	e.Mailboxes += len(addresses)
	for _, why := range lacks {
		if !slices.Contains(e.Lacks, why) {
			e.Lacks = append(e.Lacks, why)
		}
	}
	slices.Sort(e.Lacks)
}

// bound keeps the file readable by the language, which has a limit of its size:
// a tenant that falls short as a whole is accepted as a whole.
func (a *drafter) bound() {
	n, size := 0, 0
	for _, e := range a.draft.Accepted {
		n += len(e.Addresses)
		for _, address := range e.Addresses {
			size += len(address)
		}
	}
	if n <= maxDraftAddresses && size <= maxDraftText {
		return
	}
	all := DraftExemption{Name: "below", Addresses: []string{"*@*"}, Mailboxes: n, Accept: a.draft.Accepted[0].Accept}
	for _, e := range a.draft.Accepted {
		all.Accept = all.Accept.common(e.Accept)
		all.take(nil, e.Lacks)
	}
	a.draft.Accepted = []DraftExemption{all}
	a.note("%d mailboxes fall short, too many to list: the exemption speaks of all mailboxes, also of those that do not", n)
}

// key is equal for equal accepts only.
func (a DraftAccept) key() string {
	var b strings.Builder
	for _, l := range audit.LogonTypes() {
		if f := a.Record[l]; f != nil {
			fmt.Fprintf(&b, "%s %t [%s] ", l, f.Defaults, f.Plus)
		}
	}
	if a.AgeLimit != nil {
		b.WriteString(a.AgeLimit.String())
	}
	return b.String()
}

// common accepts whatever one of the two does.
func (a DraftAccept) common(o DraftAccept) DraftAccept {
	for _, l := range audit.LogonTypes() {
		a.Record[l] = a.Record[l].common(o.Record[l])
	}
	if a.AgeLimit == nil || o.AgeLimit != nil && *o.AgeLimit < *a.AgeLimit {
		a.AgeLimit = o.AgeLimit
	}
	return a
}

// common is the greater permission: what both lists hold. Nil accepts nothing.
func (f *DraftFloor) common(o *DraftFloor) *DraftFloor {
	switch {
	case f == nil:
		return o
	case o == nil:
		return f
	case f.Defaults && o.Defaults:
		return &DraftFloor{Defaults: true, Plus: f.Plus.Intersect(o.Plus), have: f.have.Intersect(o.have)}
	}
	have := f.have.Intersect(o.have)
	return &DraftFloor{Plus: have, have: have}
}

// durationText writes a duration as the language does.
func durationText(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return audit.FormatTimeSpan(d)
}
