package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// The bounds of a draft. A policy is for people: what does not fit is said in a
// note, or accepted together.
const (
	maxDraftRules      = 20
	maxRuleAddresses   = 200
	maxDraftExemptions = 25
	maxDraftAddresses  = 8000
	maxDraftText       = 400 << 10 // bytes of these addresses
	maxDraftAllow      = 1000
	maxDraftPurged     = 20 // mailboxes named for an age limit of zero
	maxDraftLacks      = 20 // lines of what one exemption falls short of
)

// standing is how one case stands against the chosen baselines: per value either
// short of them or beyond them, or neither.
type standing struct {
	accept DraftAccept
	lacks  []string
	// plus and age are what is beyond.
	plus [3]audit.ActionSet
	age  time.Duration
	// judged tells which of the values could be judged and do not fall short.
	judged [3]bool
	aged   bool
	stored bool
	kind   audit.MailboxType
	// problem says why nothing can be said of the case.
	problem string
}

// mailboxes writes the rules and exemptions.
func (a *drafter) mailboxes() {
	scope := a.base.types(a.rules)
	standings := make([]standing, len(a.obs.pop.cases))
	for i := range standings {
		standings[i] = a.stand(i, scope)
	}
	a.draft.Rules = a.typeRules(scope, standings, a.counts())
	a.storedRules(scope, standings)
	a.otherTypes(scope)
	a.profileRules(scope, standings)
	a.accepted(standings)
}

// stand judges one case of the types that the baselines speak of.
func (a *drafter) stand(kase int, scope []audit.MailboxType) standing {
	k := a.obs.pop.cases[kase]
	p := a.obs.pop.profiles[k.profile]
	s := standing{kind: p.kind.value, stored: !k.stored}
	if p.kind.missing != "" {
		s.problem = p.kind.missing
	}
	if s.problem != "" || !slices.Contains(scope, p.kind.value) {
		return s
	}
	wishes := a.base.wishes(p.kind.value, a.rules)
	f := a.judge(judged{profile: p, stored: k.stored}, wishes)
	if len(f.unknown) > 0 {
		s.problem = f.unknown[0].Reason
		return s
	}
	for _, c := range f.changes {
		s.short(c, p, a.catalogue)
	}
	for _, l := range audit.LogonTypes() {
		if s.accept.Record[l] != nil || wishes.Record[l] == nil {
			continue
		}
		s.judged[l] = true
		if !p.managed.value.has(l) {
			s.plus[l] = settable(l, p.lists[l].value).Minus(a.target(p, l, *wishes.Record[l]))
		}
	}
	if s.accept.AgeLimit == nil && wishes.AgeLimit != nil {
		s.aged = true
		if age := p.age.value.Truncate(time.Second); age > wishes.AgeLimit.Value {
			s.age = age
		}
	}
	return s
}

// short takes in a value that falls short.
func (s *standing) short(c Change, p profile, cat catalogue) {
	switch c.Setting {
	case audit.SettingAuditLogAgeLimit:
		age := p.age.value.Truncate(time.Second)
		if age == 0 {
			// Zero purges the log (semantics 2.5), and no policy accepts it.
			s.lacks = append(s.lacks, "auditLogAgeLimit is zero, which cannot be accepted and stays drift")
			return
		}
		s.accept.AgeLimit = &age
		s.lacks = append(s.lacks, fmt.Sprintf("%s is %v, not %v", c.Setting, c.Before, c.After))
	case audit.SettingAuditAdmin, audit.SettingAuditDelegate, audit.SettingAuditOwner:
		l := logonType(c.Setting)
		s.accept.Record[l] = floorOf(p, l, cat)
		s.lacks = append(s.lacks, fmt.Sprintf("%s lacks %s", c.Setting, strings.Join(c.Add, ", ")))
	default:
		s.lacks = append(s.lacks, string(c.Setting)+": "+c.Reason)
	}
}

// floorOf is what a list is worth today, as the least that is accepted.
func floorOf(p profile, l audit.LogonType, cat catalogue) *DraftFloor {
	have := settable(l, p.lists[l].value)
	defaults := cat.defaults(p, l)
	switch {
	case p.managed.value.has(l):
		return &DraftFloor{Defaults: true, have: have}
	case p.lists[l].value.ContainsAll(defaults):
		return &DraftFloor{Defaults: true, Plus: have.Minus(defaults), have: have}
	}
	return &DraftFloor{Plus: have, have: have}
}

// typeRules ask of each type for what all of its mailboxes do beyond the
// baselines, where they do not fall short of them.
func (a *drafter) typeRules(scope []audit.MailboxType, standings []standing, counts []int) []DraftRule {
	var out []DraftRule
	for _, t := range scope {
		r := DraftRule{Name: "every-" + strings.ToLower(string(t)), Types: []audit.MailboxType{t}}
		var seen [3]bool
		aged := false
		for i, s := range standings {
			if s.kind != t || s.problem != "" || counts[i] == 0 {
				continue
			}
			r.Mailboxes += counts[i]
			for _, l := range audit.LogonTypes() {
				if !s.judged[l] {
					continue
				}
				if !seen[l] {
					r.Plus[l], seen[l] = s.plus[l], true
				}
				r.Plus[l] = r.Plus[l].Intersect(s.plus[l])
			}
			if s.aged {
				if !aged || s.age < r.AgeLimit {
					r.AgeLimit, aged = s.age, true
				}
			}
		}
		if r.asks() {
			out = append(out, r)
		}
	}
	return out
}

func (r DraftRule) asks() bool {
	return r.Defaults || r.Enabled != "" || r.AgeLimit > 0 || r.Plus[0].Len()+r.Plus[1].Len()+r.Plus[2].Len() > 0
}

// storedRules ask for a stored AuditEnabled of true where most mailboxes of a
// type have it, or of those that do: on-by-default hides that value, and what
// takes it away is worth a look all the same (semantics 2.2).
func (a *drafter) storedRules(scope []audit.MailboxType, standings []standing) {
	if a.obs.storedMissing != "" {
		return
	}
	for _, t := range scope {
		var is, not []string
		for _, rec := range a.eligible(standings) {
			switch s := standings[rec.kase]; {
			case s.kind != t:
			case s.stored:
				is = append(is, rec.name)
			default:
				not = append(not, rec.name)
			}
		}
		a.some(DraftRule{Name: "stored-" + strings.ToLower(string(t)), Types: []audit.MailboxType{t}, Enabled: policy.Explicit.String()}, is, not)
	}
}

// some adds a rule for the mailboxes of a type that already do what it asks: for
// all of them, for all but a few, or for a few.
func (a *drafter) some(r DraftRule, does, doesNot []string) {
	r.Mailboxes = len(does)
	switch short := func(list []string) bool {
		return len(list) <= maxRuleAddresses && !slices.ContainsFunc(list, func(s string) bool { return !addressable(s) })
	}; {
	case len(does) == 0:
		return
	case len(doesNot) == 0:
	case len(doesNot) <= len(does) && short(doesNot):
		r.Except = doesNot
	case short(does):
		r.Addresses = does
	default:
		a.note("%s what %s would ask for, too many to list beside those that do not", plural(len(does), "mailbox does", "mailboxes do"), r.Name)
		return
	}
	a.draft.Rules = append(a.draft.Rules, r)
}

// otherTypes write a rule for the mailboxes of each type that no chosen baseline
// speaks of, as far as they record at least Microsoft's defaults. The others
// are noted: to accept what nothing asks for would say nothing.
func (a *drafter) otherTypes(scope []audit.MailboxType) {
	does, doesNot := map[audit.MailboxType][]record{}, map[audit.MailboxType]int{}
	for _, rec := range a.obs.pop.records {
		p := a.obs.pop.profileOf(rec.kase)
		t := p.kind.value
		if _, repeated := a.obs.pop.repeated[rec.id]; repeated || p.kind.missing != "" || slices.Contains(scope, t) {
			continue
		}
		if audit.OnByDefault(t) != audit.NotCovered || audit.Writable(t) != audit.FullyWritable || a.belowDefaults(p) || !addressable(rec.name) {
			doesNot[t]++
			continue
		}
		does[t] = append(does[t], rec)
	}
	for _, t := range slices.Sorted(maps.Keys(does)) {
		r := DraftRule{
			Name: "every-" + strings.ToLower(string(t)), Types: []audit.MailboxType{t}, Defaults: true,
			Enabled: policy.Effective.String(), AgeLimit: a.leastAge(does[t]), Mailboxes: len(does[t]),
		}
		if doesNot[t] == 0 {
			a.draft.Rules = append(a.draft.Rules, r)
			continue
		}
		var names []string
		for _, rec := range does[t] {
			names = append(names, rec.name)
		}
		r.Name = "audited-" + strings.ToLower(string(t))
		if len(names) > maxRuleAddresses {
			doesNot[t] += len(names)
			continue
		}
		r.Addresses = names
		a.draft.Rules = append(a.draft.Rules, r)
	}
	for _, t := range slices.Sorted(maps.Keys(doesNot)) {
		why := "whether on-by-default covers them, and whether their settings can be written, is not documented"
		if audit.OnByDefault(t) == audit.NotCovered {
			why = "on-by-default does not cover them, and they are not audited as Microsoft audits users; to change that, name the type in a rule"
		}
		a.note("nothing is asked of %s: %s", plural(doesNot[t], string(t), string(t)+" mailboxes"), why)
	}
}

// leastAge is the age limit that all of some mailboxes have; 0 where it is less
// than Microsoft's.
func (a *drafter) leastAge(list []record) time.Duration {
	least := time.Duration(0)
	for i, rec := range list {
		age := a.obs.pop.profileOf(rec.kase).age
		if age.missing != "" {
			return 0
		}
		if i == 0 || age.value < least {
			least = age.value.Truncate(time.Second)
		}
	}
	if w := a.base.wishes(audit.UserMailbox, a.base.floor().rules); least < w.AgeLimit.Value {
		return 0
	}
	return least
}

// belowDefaults tells whether a mailbox of a type that on-by-default does not
// cover records less than Microsoft's defaults, or may.
func (a *drafter) belowDefaults(p profile) bool {
	if p.enabled.missing != "" || p.enabled.value != triTrue {
		return true
	}
	for _, l := range audit.LogonTypes() {
		if unreadable(p, l) != "" {
			return true
		}
		if !p.managed.value.has(l) && !p.lists[l].value.ContainsAll(a.catalogue.defaults(p, l)) {
			return true
		}
	}
	return false
}

// profileRules ask of mailboxes that do more than their type for that, one rule
// for all that do the same. The largest groups come first, and the rest is said
// in a note.
func (a *drafter) profileRules(scope []audit.MailboxType, standings []standing) {
	ofType := map[audit.MailboxType]DraftRule{}
	for _, r := range a.draft.Rules {
		if strings.HasPrefix(r.Name, "every-") {
			ofType[r.Types[0]] = r
		}
	}
	groups := map[string]*DraftRule{}
	for _, rec := range a.eligible(standings) {
		s := standings[rec.kase]
		if !slices.Contains(scope, s.kind) || !addressable(rec.name) {
			continue
		}
		r := DraftRule{Types: scope}
		for _, l := range audit.LogonTypes() {
			r.Plus[l] = s.plus[l].Minus(ofType[s.kind].Plus[l])
		}
		if s.age > ofType[s.kind].AgeLimit {
			r.AgeLimit = s.age
		}
		if !r.asks() {
			continue
		}
		key := fmt.Sprint(r.Plus, r.AgeLimit)
		if groups[key] == nil {
			groups[key] = &r
		}
		groups[key].Addresses = append(groups[key].Addresses, rec.name)
		groups[key].Mailboxes++
	}
	keys := slices.SortedFunc(maps.Keys(groups), func(x, y string) int {
		return cmp.Or(cmp.Compare(groups[y].Mailboxes, groups[x].Mailboxes), strings.Compare(x, y))
	})
	left, written := 0, 0
	for _, key := range keys {
		r := groups[key]
		if len(r.Addresses) > maxRuleAddresses || written == maxDraftRules {
			left += r.Mailboxes
			continue
		}
		written++
		r.Name = fmt.Sprintf("more-%d", written)
		a.draft.Rules = append(a.draft.Rules, *r)
	}
	if left > 0 {
		a.note("%s more than is asked for here, in ways too many or too common to list", plural(left, "mailbox records", "mailboxes record"))
	}
}

// eligible are the mailboxes of which something can be said, in plan order.
func (a *drafter) eligible(standings []standing) []record {
	var out []record
	for _, r := range a.obs.pop.records {
		if _, repeated := a.obs.pop.repeated[r.id]; !repeated && standings[r.kase].problem == "" {
			out = append(out, r)
		}
	}
	return out
}

// addressable tells whether a policy can mean a mailbox by its name. A name
// that no address pattern fits is refused by the language, and * and ? in it
// would mean others too.
func addressable(name string) bool {
	local, domain, cut := strings.Cut(name, "@")
	return cut && local != "" && strings.Contains(domain, ".") && !strings.Contains(domain, "..") && len(name) <= 320 &&
		!strings.ContainsAny(name, "*? \t\r\n,;:<>()[]\"\\") && !strings.Contains(domain, "@") &&
		!strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".") && !strings.HasPrefix(domain, ".") &&
		strings.IndexFunc(name, func(r rune) bool { return r < 0x21 || r > 0x7e }) < 0
}

// notes says what the draft leaves out.
func (a *drafter) notes() {
	pop := a.obs.pop
	unclear := len(pop.nameless) + len(pop.repeated)
	counts := a.counts()
	for i := range pop.cases {
		p := pop.profileOf(int32(i))
		if p.kind.missing != "" {
			unclear += counts[i]
		}
	}
	if unclear > 0 {
		a.note("%s could not be read whole, and nothing is accepted of them", plural(unclear, "mailbox", "mailboxes"))
	}
	if pop.read == 0 {
		a.note("no mailbox was read: the role may not see them")
	}
	if a.obs.storedMissing != "" {
		a.note("the stored AuditEnabled is not asked for: %s", a.obs.storedMissing)
	}
	a.note("mailboxes of groups and public folders were not read (%s and %s can be named in a rule)", audit.GroupMailbox, audit.PublicFolderMailbox)
}
