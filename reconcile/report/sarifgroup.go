package report

import (
	"fmt"

	"github.com/exoaudit/exoaudit/reconcile"
)

// sarifMost is how many results of a run GitHub keeps (libraries 3); above it findings
// are written by cause.
const sarifMost = 5_000

// sarifNames is how many places of a result GitHub shows.
const sarifNames = 100

// sarifGroup is what findings have in common that are written as one result. It is
// what their fingerprint is made of, so no two results of a report share one. Of an
// accepted difference the reason belongs to it, as it names the exemption.
type sarifGroup struct {
	setting, rule    string
	fate             reconcile.Fate
	standing         standing
	weakens          bool
	severity, reason string
}

// sarifGrouped is one such result while it is gathered.
type sarifGrouped struct {
	key   sarifGroup
	first reconcile.Change
	names []sarifLogical
	count int
}

// grouped folds open findings by cause, in the order of the first of each. There are
// as many as the policy has causes; names are kept up to what hosts show.
func (d document) grouped() []*sarifGrouped {
	byKey := map[sarifGroup]*sarifGrouped{}
	var order []*sarifGrouped
	for c := range d.open() {
		key := sarifGroup{
			setting: string(c.Setting), rule: c.Origin.Rule, fate: c.Fate, standing: d.standing(c),
			weakens: c.Weakens, severity: c.Severity.String(),
		}
		if key.standing == accepted {
			key.reason = c.Reason
		}
		g := byKey[key]
		if g == nil {
			g = &sarifGrouped{key: key, first: c}
			byKey[key] = g
			order = append(order, g)
		}
		g.count++
		if len(g.names) < sarifNames {
			g.names = append(g.names, d.logical(c.Subject))
		}
	}
	return order
}

// fingerprint survives edits of the policy's lines and of the mailboxes concerned.
func (g *sarifGrouped) fingerprint(tenant string) string {
	k := g.key
	return digest("exoauditGroup/v1", tenant, k.setting, k.rule, string(k.fate), k.standing.String(), fmt.Sprint(k.weakens), k.severity, k.reason)
}

// groupResult writes findings of one cause as one result.
func (d document) groupResult(g *sarifGrouped, s sarifSurvey, root checkout) sarifResult {
	c := g.first
	text := fmt.Sprintf("%s: %s: %s.", plural(g.count, "finding", "findings"), c.Setting, ruleOf(string(c.Setting)).Title)
	if c.Origin.Rule != "" {
		text += " Asked for by " + within(c.Origin.Rule, nameShown) + "."
	}
	text += " The first is " + d.sentence(c)
	if more := g.count - len(g.names); more > 0 {
		text += " " + plural(more, "subject is", "subjects are") + " not named here; the JSON and CSV reports name all."
	}
	r := d.result(c, s, text, root)
	r.Locations[0].Logical = g.names
	r.OccurrenceCount, r.Properties.Findings, r.Properties.Result = g.count, g.count, ""
	mark := g.fingerprint(d.header.Tenant)
	r.PartialFingerprints = sarifFingerprints{Group: mark, Primary: mark}
	return r
}
