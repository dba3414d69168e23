package reconcile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/exchange"
	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// The forms in which a policy asks for something.
const (
	formDefaults = "defaults"
	formManaged  = "managed"
	formPlus     = "plus"
	formExact    = "exact"
	formAtLeast  = "atLeast"
	formIs       = "is"
)

// The answers to whether a wish is met today.
const (
	metYes     = "yes"
	metNo      = "no"
	metUnknown = "unknown"
)

func (x explainer) rules() []ExplainedRule {
	out := []ExplainedRule{}
	for i, r := range x.policy.Mailboxes {
		out = append(out, explainedRule(r.Explain(x.facts), x.matches[i]))
	}
	return out
}

// explainedRule gives the answer of the comparison, and the clauses as they
// answer by themselves: of a fact that changes nothing it is not asked.
func explainedRule(e policy.Explanation, answer policy.Match) ExplainedRule {
	return ExplainedRule{
		Name: e.Name, Match: answer.String(), Place: placeOf(e.Pos, e.Name), Clauses: explainedClauses(e.Clauses, e.Name),
	}
}

func explainedClauses(list []policy.Clause, rule string) []ExplainedClause {
	out := []ExplainedClause{}
	for _, c := range list {
		out = append(out, ExplainedClause{
			Text: c.Text, Found: c.Found, Match: c.Match.String(), Place: placeOf(c.Pos, rule),
			Children: explainedClauses(c.Children, rule),
		})
	}
	return out
}

// exemptions explains those for mailboxes; those of tenant settings match none.
func (x explainer) exemptions() []ExplainedExemption {
	out := []ExplainedExemption{}
	for i, e := range x.policy.Exemptions {
		if e.Where == nil {
			continue
		}
		match := x.matches[len(x.policy.Mailboxes)+i]
		item := ExplainedExemption{
			ExplainedRule: explainedRule(e.Explain(x.facts), match), Reason: e.Reason, Owner: e.Owner,
			Expires: e.Expires.Format(time.DateOnly), Expired: e.Expired(x.now), Accepts: []Accepted{},
		}
		if match != policy.No {
			item.Accepts = accepts(e)
		}
		out = append(out, item)
	}
	return out
}

// accepts lists the floors of an exemption, in the order of the plan's settings.
func accepts(e policy.Exemption) []Accepted {
	out := []Accepted{}
	add := func(s audit.Setting, floor string, at policy.Pos) {
		out = append(out, Accepted{Setting: s, Floor: floor, Place: placeOf(at, e.Name)})
	}
	if a := e.Accept.AuditEnabled; a != nil {
		add(audit.SettingAuditEnabled, a.Value.String(), a.Pos)
	}
	for _, l := range audit.LogonTypes() {
		if r := e.Accept.Record[l]; r != nil {
			add(audit.ListSetting(l), floorText(r), r.Pos)
		}
	}
	if a := e.Accept.AgeLimit; a != nil {
		add(audit.SettingAuditLogAgeLimit, audit.FormatTimeSpan(a.Value), a.Pos)
	}
	return out
}

// floorText says in a line what an exemption still asks of a list.
func floorText(r *policy.AcceptedRecord) string {
	if r.Form == nil {
		return orNothing(r.Floor)
	}
	var parts []string
	if r.Form.Defaults != nil {
		parts = append(parts, "Microsoft's defaults")
	}
	if r.Form.Managed != nil {
		parts = append(parts, "managed by Microsoft")
	}
	if r.Form.Plus != nil {
		parts = append(parts, r.Form.Plus.Set().String())
	}
	if r.Form.Exact != nil {
		parts = append(parts, "exactly "+orNothing(r.Form.Exact.Set()))
	}
	return strings.Join(parts, " and ")
}

// wishes lists what the policy asks of this mailbox and of the switches that it
// hangs on, each with its place, and what contradicts itself.
func (x explainer) wishes() ([]ExplainedWish, []ExplainedConflict) {
	out := x.tenantWishes()
	var matched []int
	for i, r := range x.policy.Mailboxes {
		m := x.matches[i]
		if m == policy.No {
			continue
		}
		if m == policy.Yes {
			matched = append(matched, i)
		}
		for _, w := range x.ruleWishes(r) {
			w.Match, w.Controls = m.String(), r.Controls
			out = append(out, w)
		}
	}
	merged, conflicts := x.policy.Resolve(x.profile.kind.value, matched)
	for i := range out {
		w := &out[i]
		w.Decides = w.Match == policy.Yes.String() && decides(merged, *w)
		for _, list := range []*[]string{&w.Lacking, &w.Excess, &w.Controls} {
			if *list == nil {
				*list = []string{}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b ExplainedWish) int {
		return cmp.Or(cmp.Compare(settingOrder(a.Setting), settingOrder(b.Setting)), cmp.Compare(a.Place.File, b.Place.File),
			cmp.Compare(a.Place.Line, b.Place.Line), cmp.Compare(a.Place.Column, b.Place.Column))
	})
	against := []ExplainedConflict{}
	for _, c := range conflicts {
		against = append(against, ExplainedConflict{
			Setting: audit.ListSetting(c.Logon), Message: c.Message,
			First: placeOf(c.First.Pos, c.First.Rule), Second: placeOf(c.Second.Pos, c.Second.Rule),
		})
	}
	return out, against
}

func settingOrder(s audit.Setting) int { return slices.Index(audit.Settings(), s) }

// decides tells whether a wish is the strictest of its setting. Wishes for
// lists add up, so each of them decides.
func decides(merged policy.Wishes, w ExplainedWish) bool {
	at := func(p policy.Pos) bool {
		return p == (policy.Pos{File: w.Place.File, Line: w.Place.Line, Column: w.Place.Column})
	}
	switch w.Setting {
	case audit.SettingAuditEnabled:
		return merged.AuditEnabled != nil && at(merged.AuditEnabled.Origin.Pos)
	case audit.SettingAuditLogAgeLimit:
		return merged.AgeLimit != nil && at(merged.AgeLimit.Origin.Pos)
	}
	return true
}

// tenantWishes are what the policy asks of the first three switches.
func (x explainer) tenantWishes() []ExplainedWish {
	var out []ExplainedWish
	add := func(s audit.Setting, value bool, at policy.Pos, controls []string, now ExplainedSwitch) {
		out = append(out, ExplainedWish{
			Setting: s, Form: formIs, Value: value, Place: placeOf(at, ""), Match: policy.Yes.String(),
			Met: metBy(now.Effect), Controls: controls,
		})
	}
	if org := x.policy.Organization; org != nil {
		if s := audit.SettingUnifiedAuditLogIngestionEnabled; org.UnifiedAuditLog != nil {
			add(s, true, org.UnifiedAuditLog.Pos, org.ControlsOf(s), x.unifiedLog())
		}
		if s := audit.SettingAuditDisabled; org.MailboxAuditing != nil {
			add(s, false, org.MailboxAuditing.Pos, org.ControlsOf(s), x.mailboxAuditing())
		}
	}
	if b := x.policy.Bypass; b != nil && x.listing == exchange.Ordinary {
		add(audit.SettingAuditBypassEnabled, false, b.Pos, b.Controls, x.ownBypass())
	}
	return out
}

func metBy(e Effect) string {
	switch e {
	case EffectAllows:
		return metYes
	case EffectStops:
		return metNo
	default:
		return metUnknown
	}
}

// ruleWishes are the wishes of one rule.
func (x explainer) ruleWishes(r policy.Rule) []ExplainedWish {
	var out []ExplainedWish
	for _, l := range audit.LogonTypes() {
		out = append(out, x.recordWishes(r, l)...)
	}
	if w := r.AuditEnabled; w != nil {
		out = append(out, ExplainedWish{
			Setting: audit.SettingAuditEnabled, Form: formAtLeast, Value: w.Value.String(), Place: placeOf(w.Pos, r.Name),
			Met: x.enabledMet(w.Value),
		})
	}
	if w := r.AgeLimit; w != nil {
		met := metNo
		switch age := x.profile.age; {
		case age.missing != "":
			met = metUnknown
		case age.value >= w.Value:
			met = metYes
		}
		out = append(out, ExplainedWish{
			Setting: audit.SettingAuditLogAgeLimit, Form: formAtLeast, Value: audit.FormatTimeSpan(w.Value),
			Place: placeOf(w.Pos, r.Name), Met: met,
		})
	}
	return out
}

// recordWishes are the parts of one rule's wish for a logon type.
func (x explainer) recordWishes(r policy.Rule, l audit.LogonType) []ExplainedWish {
	rec := r.Record[l]
	if rec == nil {
		return nil
	}
	var out []ExplainedWish
	add := func(form string, value any, at policy.Pos, lacking, excess audit.ActionSet, met bool) {
		w := ExplainedWish{
			Setting: audit.ListSetting(l), Form: form, Value: value, Place: placeOf(at, r.Name), Met: metNo,
			Lacking: lacking.Slice(), Excess: excess.Slice(),
		}
		if met {
			w.Met = metYes
		}
		if unreadable(x.profile, l) != "" {
			w.Met, w.Lacking, w.Excess = metUnknown, nil, nil
		}
		out = append(out, w)
	}
	have, managed := x.profile.lists[l].value, x.profile.managed.value.has(l)
	none := audit.ActionSet{}
	if rec.Defaults != nil {
		lacking := none
		if !managed {
			lacking = (catalogue{}).defaults(x.profile, l).Minus(have)
		}
		add(formDefaults, true, rec.Defaults.Pos, lacking, none, lacking.Len() == 0)
	}
	if rec.Managed != nil {
		add(formManaged, true, rec.Managed.Pos, none, none, managed)
	}
	if rec.Plus != nil {
		lacking := rec.Plus.Set().Minus(have)
		add(formPlus, rec.Plus.Set().Slice(), rec.Plus.Pos, lacking, none, lacking.Len() == 0)
	}
	if rec.Exact != nil {
		want := rec.Exact.Set()
		lacking, excess := want.Minus(have), have.Minus(want)
		add(formExact, want.Slice(), rec.Exact.Pos, lacking, excess, lacking.Len()+excess.Len() == 0)
	}
	return out
}

// enabledMet tells whether AuditEnabled is what a mode wants.
func (x explainer) enabledMet(mode policy.EnabledMode) string {
	kind, shown := x.profile.kind, x.profile.enabled
	coverage := audit.OnByDefault(kind.value)
	switch {
	case kind.missing != "" || shown.missing != "":
		return metUnknown
	case mode == policy.Effective && coverage == audit.Covered:
		return metYes
	case mode == policy.Explicit && x.stored.missing != "":
		return metUnknown
	case mode == policy.Explicit && x.stored.value, mode == policy.Effective && shown.value == triTrue:
		return metYes
	}
	return metNo
}

// values lists what the mailbox has, in the order in which people ask.
func (x explainer) values() []ExplainedValue {
	out := []ExplainedValue{
		explainedValue("RecipientTypeDetails", x.profile.kind, func(t audit.MailboxType) any { return string(t) }),
		explainedValue("AuditEnabled", x.profile.enabled, func(t tri) any { return shownWord(t) }),
		explainedValue("stored AuditEnabled", x.stored, func(b bool) any {
			if b {
				return "true"
			}
			return "not true"
		}),
		explainedValue("AuditLogAgeLimit", x.profile.age, func(d time.Duration) any { return audit.FormatTimeSpan(d) }),
		explainedValue("DefaultAuditSet", x.profile.managed, func(l logons) any { return l.names() }),
	}
	for _, l := range audit.LogonTypes() {
		out = append(out, explainedValue("Audit"+l.String(), x.profile.lists[l], func(s audit.ActionSet) any { return s.Slice() }))
	}
	return append(out, explainedValue(auditPlatform, x.profile.licensed, func(b bool) any { return b }))
}

func explainedValue[T any](name string, f fact[T], show func(T) any) ExplainedValue {
	if f.missing != "" {
		return ExplainedValue{Name: name, Missing: f.missing}
	}
	return ExplainedValue{Name: name, Value: show(f.value)}
}

func shownWord(t tri) string {
	switch t {
	case triTrue:
		return "true"
	case triFalse:
		return "false"
	default:
		return "unset"
	}
}

// warnings are what the five switches do not say.
func (x explainer) warnings() []string {
	out := []string{}
	if x.profile.kind.value == audit.GroupMailbox {
		out = append(out, "the action lists that a group mailbox shows are not to be believed (semantics 1.5)")
	}
	covered := audit.OnByDefault(x.profile.kind.value) == audit.Covered
	if covered && x.stored.missing == "" && !x.stored.value && x.profile.licensed.missing == "" && !x.profile.licensed.value {
		out = append(out, "the stored AuditEnabled is not true and the mailbox has no "+auditPlatform+
			": until 2024 its records did not reach the unified audit log then, and whether they do now is not documented (semantics 2.2)")
	}
	return out
}
