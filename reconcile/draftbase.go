package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// floorBaseline is what no draft goes below.
const floorBaseline = "microsoft-default"

// draftBase is one policy made of every baseline that a draft may rest on. One
// reading under it serves to compare the tenant with each of them.
type draftBase struct {
	union      *policy.Policy
	candidates []baselineRules
}

// baselineRules is a baseline and its rules in the union.
type baselineRules struct {
	name  string
	rules []int
}

// newDraftBase leaves out the baselines that say nothing of mailboxes, as any
// tenant would be near to them, and those that ask for more than is read here.
func newDraftBase() (draftBase, error) {
	var b draftBase
	var names []string
	for _, info := range policy.Baselines() {
		text, _ := policy.Baseline(info.Name)
		p, found := policy.Parse(info.Name, text)
		if err := found.Err(); err != nil {
			return b, fmt.Errorf("the baseline %s: %w", info.Name, err)
		}
		if p.HasMailboxes() && p.Retention == nil && p.AdminAudit == nil {
			names = append(names, info.Name)
		}
	}
	// The rule of its own asks for nothing that is judged; it has the stored
	// values of AuditEnabled read.
	text := fmt.Sprintf("apiVersion: %s\nkind: %s\nname: candidates\nextends: [%s]\nmailboxes:\n  stored: {types: [%s], auditEnabled: explicit}\n",
		policy.APIVersion, policy.Kind, strings.Join(names, ", "), audit.UserMailbox)
	union, found := policy.Parse("candidates", []byte(text))
	if err := found.Err(); err != nil {
		return b, fmt.Errorf("the baselines together: %w", err)
	}
	b.union = union
	for _, name := range names {
		c := baselineRules{name: name}
		for i, r := range union.Mailboxes {
			if r.Pos.File == policy.BuiltInFile(name) {
				c.rules = append(c.rules, i)
			}
		}
		b.candidates = append(b.candidates, c)
	}
	return b, nil
}

// floor is the baseline below which nothing goes.
func (b draftBase) floor() baselineRules {
	return b.candidates[slices.IndexFunc(b.candidates, func(c baselineRules) bool { return c.name == floorBaseline })]
}

// types are the mailbox types that some rules speak of.
func (b draftBase) types(rules []int) []audit.MailboxType {
	var out []audit.MailboxType
	for _, i := range rules {
		out = append(out, b.union.Mailboxes[i].Types...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// wishes are what some rules ask of a type together. The rules of baselines
// have no selectors.
func (b draftBase) wishes(t audit.MailboxType, rules []int) policy.Wishes {
	var matched []int
	for _, i := range rules {
		if slices.Contains(b.union.Mailboxes[i].Types, t) {
			matched = append(matched, i)
		}
	}
	w, _ := b.union.Resolve(t, matched)
	return w
}

// covers tells whether a baseline asks at least for what the floor does.
func (b draftBase) covers(c baselineRules) bool {
	floor := b.floor()
	for _, t := range b.types(floor.rules) {
		has, must := b.wishes(t, c.rules), b.wishes(t, floor.rules)
		for _, l := range audit.LogonTypes() {
			if must.Record[l] != nil && (has.Record[l] == nil || must.Record[l].Defaults && !has.Record[l].Defaults) {
				return false
			}
		}
		if has.AgeLimit == nil || has.AgeLimit.Value < must.AgeLimit.Value || has.AuditEnabled == nil {
			return false
		}
	}
	return true
}

// drafter drafts one policy.
type drafter struct {
	differ

	base  draftBase
	obs   *observation
	draft *Draft
	// rules are those of the chosen baselines in the union.
	rules []int
}

// choose finds the baseline that the tenant differs from least, in either
// direction: one that asks for little is not near for that. Microsoft's own
// wins a tie, then the last one, which is the newest.
func (a *drafter) choose() {
	floor := a.base.floor()
	counts := a.counts()
	best := -1
	for i, c := range a.base.candidates {
		rules := slices.Concat(floor.rules, c.rules)
		d := BaselineDistance{Name: c.name}
		for k, n := range counts {
			d.Differs += n * a.distance(k, rules)
		}
		a.draft.Distances = append(a.draft.Distances, d)
		switch {
		case best < 0 || d.Differs < a.draft.Distances[best].Differs:
			best = i
		case d.Differs == a.draft.Distances[best].Differs && a.draft.Distances[best].Name != floorBaseline:
			best = i
		}
	}
	chosen := a.base.candidates[best]
	a.draft.Nearest, a.draft.Extends, a.rules = chosen.name, []string{chosen.name}, chosen.rules
	if !a.base.covers(chosen) {
		a.draft.Extends = []string{floorBaseline, chosen.name}
		a.rules = slices.Concat(floor.rules, chosen.rules)
	}
}

// counts is how many mailboxes are in each case.
func (a *drafter) counts() []int {
	out := make([]int, len(a.obs.pop.cases))
	for _, r := range a.obs.pop.records {
		if _, repeated := a.obs.pop.repeated[r.id]; !repeated {
			out[r.kase]++
		}
	}
	return out
}

// distance is the number of values of one case that are not what rules would
// make of a fresh mailbox.
func (a *drafter) distance(kase int, rules []int) int {
	p := a.obs.pop.profileOf(int32(kase)) //nolint:gosec // An index of the cases.
	w := a.base.wishes(p.kind.value, rules)
	n := 0
	for _, l := range audit.LogonTypes() {
		if w.Record[l] == nil || unreadable(p, l) != "" {
			continue
		}
		if !settable(l, p.lists[l].value).Equal(a.target(p, l, *w.Record[l])) {
			n++
		}
	}
	if w.AgeLimit != nil && p.age.missing == "" && p.age.value != w.AgeLimit.Value {
		n++
	}
	return n
}

// target is the list that a wish makes of Microsoft's defaults.
func (a *drafter) target(p profile, l audit.LogonType, w policy.RecordWish) audit.ActionSet {
	return settable(l, a.catalogue.defaults(p, l).Union(w.Plus))
}

// settable are the actions of a list that a policy can ask for without a
// diagnostic: known ones that the service takes and does not fold into others.
func settable(l audit.LogonType, list audit.ActionSet) audit.ActionSet {
	var out []audit.Action
	for _, a := range audit.Actions() {
		_, folded := audit.FoldedInto(a)
		if mark := audit.Status(l, a); !folded && mark != audit.Rejected && mark != audit.Unlisted && list.Has(a) {
			out = append(out, a)
		}
	}
	return audit.NewActionSet(out...)
}
