package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// Catalogue says how Microsoft's default sets of this tenant stand to those that
// this version was made with, and which lists no longer follow them. The service
// adds actions without notice; lists that it manages follow, pinned ones do not
// (semantics 2.1). None of it is drift.
type Catalogue struct {
	// Moved holds the default sets that differ, by type, logon type and licence.
	Moved []MovedDefaults `json:"moved"`
	// Lagging holds the pinned lists that lack default actions, by logon type.
	Lagging []LaggingLists `json:"lagging"`
}

// MovedDefaults is a default set as the tenant's mailboxes show it, against the
// one of this version.
type MovedDefaults struct {
	Type  audit.MailboxType `json:"type"`
	Logon string            `json:"logon"`
	// Licensed tells mailboxes with the capability M365Auditing from those without.
	Licensed bool `json:"licensed"`
	// Added are the actions that this version does not know as defaults, Dropped
	// those that it does and the tenant does not show. Both are sorted.
	Added   []string `json:"added"`
	Dropped []string `json:"dropped"`
}

// LaggingLists are the pinned lists of one logon type that lack default actions
// which no change of the plan adds: those that a rule speaks of without asking
// for the defaults. An exact list is as somebody wants it, and is not counted.
type LaggingLists struct {
	Logon string `json:"logon"`
	// Mailboxes is how many lists there are.
	Mailboxes int `json:"mailboxes"`
	// Lacking counts them by the action that they lack.
	Lacking map[string]int `json:"lacking"`
}

// moved lists where the tenant's defaults differ from the matrix: the service
// has moved on, or this version of the tool has aged.
func (c catalogue) moved() []MovedDefaults {
	out := []MovedDefaults{}
	for _, t := range audit.MailboxTypes() {
		for _, l := range audit.LogonTypes() {
			for _, licensed := range []bool{false, true} {
				set, ok := c.learned[defaultKey{t, l, licensed}]
				if known := audit.Defaults(t, l); ok && !set.Equal(known) {
					out = append(out, MovedDefaults{
						Type: t, Logon: l.String(), Licensed: licensed,
						Added: sortedNames(set.Minus(known)), Dropped: sortedNames(known.Minus(set)),
					})
				}
			}
		}
	}
	return out
}

// sortedNames gives a set as a list that is never nil.
func sortedNames(s audit.ActionSet) []string {
	names := append([]string{}, s.Slice()...)
	slices.Sort(names)
	return names
}

// lagging counts the pinned lists that the defaults have left behind.
func (b *builder) lagging(d differ) []LaggingLists {
	pop := b.obs.pop
	perCase := make([]int, len(pop.cases))
	for _, r := range pop.records {
		perCase[r.kase]++
	}
	out := []LaggingLists{}
	for _, l := range audit.LogonTypes() {
		lag := LaggingLists{Logon: l.String(), Lacking: map[string]int{}}
		for i, k := range pop.cases {
			if perCase[i] == 0 || !b.asksOpenly(k, l) {
				continue
			}
			lacking := d.leftBehind(pop.profiles[k.profile], b.plan.cases[i].changes, l)
			if lacking.Len() == 0 {
				continue
			}
			lag.Mailboxes += perCase[i]
			for _, action := range lacking.Slice() {
				lag.Lacking[action] += perCase[i]
			}
		}
		if lag.Mailboxes > 0 {
			out = append(out, lag)
		}
	}
	return out
}

// asksOpenly tells whether a rule that matches asks for a list of a logon type,
// and none for an exact one.
func (b *builder) asksOpenly(k caseKey, l audit.LogonType) bool {
	asks := false
	for i, r := range b.req.Policy.Mailboxes {
		if r.Record[l] == nil || b.obs.pop.matchAt(k.match, i) != policy.Yes {
			continue
		}
		if r.Record[l].Exact != nil {
			return false
		}
		asks = true
	}
	return asks
}

// leftBehind are the default actions that a pinned list lacks, and that no change
// adds or names.
func (d differ) leftBehind(p profile, changes []Change, l audit.LogonType) audit.ActionSet {
	unknown := p.kind.missing + p.lists[l].missing + p.managed.missing + p.licensed.missing
	if unknown != "" || p.listing == exchange.Groups || p.managed.value.has(l) {
		return audit.ActionSet{}
	}
	lacking := d.catalogue.defaults(p, l).Minus(p.lists[l].value)
	for _, c := range changes {
		switch {
		case c.Setting == audit.ListSetting(l):
			lacking = lacking.Minus(audit.SetOf(c.Add))
		case c.Setting == audit.SettingDefaultAuditSet && slices.Contains(c.Add, l.String()):
			return audit.ActionSet{}
		}
	}
	return lacking
}

// warnings say the same for people.
func (c Catalogue) warnings() []string {
	var out []string
	for _, m := range c.Moved {
		out = append(out, fmt.Sprintf(
			"Microsoft's default set for %s on %s (%s) is not the one of this version: it has also %s, and lacks %s",
			m.Logon, m.Type, licence(m.Licensed), namesOrNothing(m.Added), namesOrNothing(m.Dropped)))
	}
	for _, lag := range c.Lagging {
		parts := make([]string, 0, len(lag.Lacking))
		for _, action := range slices.Sorted(maps.Keys(lag.Lacking)) {
			parts = append(parts, fmt.Sprintf("%s (%d)", action, lag.Lacking[action]))
		}
		out = append(out, fmt.Sprintf(
			"on %s the pinned %s list lacks actions of Microsoft's default set that no rule asks for: %s; a pinned list gets no new ones",
			countedMailboxes(lag.Mailboxes), lag.Logon, strings.Join(parts, ", ")))
	}
	return out
}

func countedMailboxes(n int) string {
	if n == 1 {
		return "1 mailbox"
	}
	return fmt.Sprintf("%d mailboxes", n)
}

func licence(has bool) string {
	if has {
		return "with " + auditPlatform
	}
	return "without " + auditPlatform
}

func namesOrNothing(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

func orNothing(s audit.ActionSet) string { return namesOrNothing(s.Slice()) }
