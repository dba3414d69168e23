package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

type canonicalAdminAudit struct {
	Enabled, Attempt              bool
	Cmdlets, Parameters, Excluded *[]string
	AgeLimit                      int64
	Controls                      []string
}

type canonicalRetention struct {
	Floor    int64
	Require  []string
	Controls []string
}

type canonicalOverride struct{ Path, Reason string }

type canonicalExemption struct {
	Name, Where, Subject, Reason, Owner, Expires string
	Accept                                       canonicalAccept
}

type canonicalAccept struct {
	Record                                    [3]*canonicalAccepted
	AuditEnabled                              string
	AgeLimit, Floor                           int64
	UnifiedAuditLog, MailboxAuditing, Enabled bool // whether the switch may be off
	Cmdlets, Parameters, Excluded, Require    *[]string
}

type canonicalAccepted struct {
	Floor []string
	Form  *canonicalRecord
}

// canonicalExtras fills in what most policies do not have.
func (p *Policy) canonicalExtras(c *canonicalPolicy) {
	for _, e := range p.Extends {
		if e.BuiltIn {
			c.Baselines = append(c.Baselines, e.Name)
		}
	}
	slices.Sort(c.Baselines)
	for _, e := range p.Exemptions {
		c.Exemptions = append(c.Exemptions, e.canonical())
	}
	slices.SortFunc(c.Exemptions, func(a, b canonicalExemption) int { return cmp.Compare(a.Name, b.Name) })
	for _, o := range p.Overrides {
		c.Overrides = append(c.Overrides, canonicalOverride{o.Path, o.Reason})
	}
	slices.SortFunc(c.Overrides, func(a, b canonicalOverride) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason))
	})
}

func (a *AdminAudit) canonical() *canonicalAdminAudit {
	if a == nil {
		return nil
	}
	return &canonicalAdminAudit{
		Enabled: a.Enabled != nil, Attempt: a.Attempt,
		Cmdlets: canonicalPatterns(a.Cmdlets), Parameters: canonicalPatterns(a.Parameters),
		Excluded: canonicalPatterns(a.ExcludedCmdlets), AgeLimit: seconds(a.AgeLimit), Controls: a.Controls,
	}
}

func (r *Retention) canonical() *canonicalRetention {
	if r == nil {
		return nil
	}
	return &canonicalRetention{Floor: seconds(r.Floor), Require: canonicalRequired(r.Require), Controls: r.Controls}
}

func (e Exemption) canonical() canonicalExemption {
	c := canonicalExemption{
		Name: e.Name, Subject: string(e.Subject), Reason: e.Reason, Owner: e.Owner, Expires: e.Expires.Format(time.DateOnly),
		Accept: e.Accept.canonical(),
	}
	if e.Where != nil {
		c.Where = e.Where.String()
	}
	return c
}

func (a Accept) canonical() canonicalAccept {
	c := canonicalAccept{
		AgeLimit: seconds(a.AgeLimit), Floor: seconds(a.Floor),
		UnifiedAuditLog: a.UnifiedAuditLog != nil, MailboxAuditing: a.MailboxAuditing != nil, Enabled: a.Enabled != nil,
		Cmdlets: canonicalPatterns(a.Cmdlets), Parameters: canonicalPatterns(a.Parameters), Excluded: canonicalPatterns(a.ExcludedCmdlets),
	}
	for i, r := range a.Record {
		if r != nil {
			c.Record[i] = &canonicalAccepted{canonicalNames(r.Floor), r.Form.canonical()}
		}
	}
	if a.AuditEnabled != nil {
		c.AuditEnabled = a.AuditEnabled.Value.String()
	}
	if a.Require != nil {
		c.Require = new(canonicalRequired(a.Require.Value))
	}
	return c
}

// seconds gives a duration's length; 0, which no file can ask for, where there is
// none.
func seconds(d *Located[time.Duration]) int64 {
	if d == nil {
		return 0
	}
	return int64(d.Value / time.Second)
}

// canonicalPatterns gives patterns in lower case, sorted; nil where the file has
// no list, which is another thing than an empty one.
func canonicalPatterns(list *Located[[]string]) *[]string {
	if list == nil {
		return nil
	}
	lower := make([]string, len(list.Value))
	for i, p := range list.Value {
		lower[i] = strings.ToLower(p)
	}
	slices.Sort(lower)
	return &lower
}

func canonicalRequired(list []RequiredRetention) []string {
	texts := []string{}
	for _, r := range list {
		types := make([]string, len(r.RecordTypes))
		for i, t := range r.RecordTypes {
			types[i] = strings.ToLower(t)
		}
		slices.Sort(types)
		texts = append(texts, fmt.Sprintf("%d %s", r.AtLeast.Value/time.Second, strings.Join(types, " ")))
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

func canonicalRings(rings []RingSize) *[]string {
	if rings == nil {
		return nil
	}
	texts := make([]string, len(rings))
	for i, r := range rings {
		texts[i] = r.String()
	}
	return &texts
}
