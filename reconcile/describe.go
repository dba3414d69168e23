package reconcile

import (
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// PolicySchema names the JSON form of a described policy; it changes only by
// adding.
const PolicySchema = "exoaudit/policy/v1"

// PolicyDescription is a policy with all that it extends, as data: what applies,
// where it is said, and what it came to be by. Its lists are never nil.
type PolicyDescription struct {
	Schema    string              `json:"schema"`
	File      string              `json:"file"`
	Name      string              `json:"name"`
	Digest    string              `json:"digest"`
	Extends   []DescribedBase     `json:"extends"`
	Overrides []DescribedOverride `json:"overrides"`
	// Parts are the sections, rules, allow entries and exemptions that apply, in
	// the order of the language.
	Parts []PolicyPart `json:"parts"`
}

// DescribedBase is a baseline or file that a policy extends.
type DescribedBase struct {
	Name    string `json:"name"`
	BuiltIn bool   `json:"builtIn"`
	Place   Place  `json:"place"`
}

// DescribedOverride is a place where a policy asks for less than one that it
// extends, and why.
type DescribedOverride struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
	Place  Place  `json:"place"`
}

// PartKind says what one part of a policy is.
type PartKind string

// The kinds of parts, in the order in which a policy is described.
const (
	PartOrganization PartKind = "organization"
	PartAdminAudit   PartKind = "adminAudit"
	PartRetention    PartKind = "retention"
	PartRule         PartKind = "rule"
	PartBypass       PartKind = "bypass"
	PartAllow        PartKind = "allow"
	PartExemption    PartKind = "exemption"
	PartSeverity     PartKind = "severity"
	PartGuards       PartKind = "guards"
)

// PolicyPart is one part of a policy. Which fields hold something hangs on
// its kind.
type PolicyPart struct {
	Kind PartKind `json:"kind"`
	Name string   `json:"name"`
	// Place is empty for what is built in.
	Place Place `json:"place"`
	// Types and Where say of which mailboxes a rule or exemption speaks.
	Types []string `json:"types"`
	Where string   `json:"where"`
	// Values are what it asks for, or what an exemption accepts.
	Values   []PartValue `json:"values"`
	Reason   string      `json:"reason"`
	Owner    string      `json:"owner"`
	Expires  string      `json:"expires"`
	Controls []string    `json:"controls"`
}

// PartValue is one value: a boolean, a number, a word, a duration as the
// service prints it, or a list.
type PartValue struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
	Place Place  `json:"place"`
}

func newPart(kind PartKind, name string, at policy.Pos, controls []string) PolicyPart {
	return PolicyPart{
		Kind: kind, Name: name, Place: placeOf(at, ""), Types: []string{}, Values: []PartValue{},
		Controls: append([]string{}, controls...),
	}
}

func (p *PolicyPart) add(key string, value any, at policy.Pos) {
	p.Values = append(p.Values, PartValue{Key: key, Value: value, Place: placeOf(at, "")})
}

func (p *PolicyPart) addSpan(key string, v *policy.Located[time.Duration]) {
	if v != nil {
		p.add(key, audit.FormatTimeSpan(v.Value), v.Pos)
	}
}

func (p *PolicyPart) addList(key string, v *policy.Located[[]string]) {
	if v != nil {
		p.add(key, append([]string{}, v.Value...), v.Pos)
	}
}

func (p *PolicyPart) addSwitch(key string, v *policy.Located[bool]) {
	if v != nil {
		p.add(key, v.Value, v.Pos)
	}
}

// Describe takes a policy apart, for people and programs that ask what applies
// and why. It is pure.
func Describe(p *policy.Policy) *PolicyDescription {
	r := &PolicyDescription{
		Schema: PolicySchema, File: p.File, Name: p.Name, Digest: p.Digest(),
		Extends: []DescribedBase{}, Overrides: []DescribedOverride{}, Parts: []PolicyPart{},
	}
	for _, e := range p.Extends {
		r.Extends = append(r.Extends, DescribedBase{Name: e.Name, BuiltIn: e.BuiltIn, Place: placeOf(e.Pos, "")})
	}
	for _, o := range p.Overrides {
		r.Overrides = append(r.Overrides, DescribedOverride{Path: o.Path, Reason: o.Reason, Place: placeOf(o.Pos, "")})
	}
	r.Parts = append(r.Parts, tenantParts(p)...)
	for _, rule := range p.Mailboxes {
		r.Parts = append(r.Parts, rulePart(rule))
	}
	r.Parts = append(r.Parts, bypassParts(p.Bypass)...)
	for _, e := range p.Exemptions {
		r.Parts = append(r.Parts, exemptionPart(e))
	}
	severity := newPart(PartSeverity, "", policy.Pos{}, nil)
	for _, s := range audit.Settings() {
		severity.add(string(s), p.Severity(s).String(), policy.Pos{})
	}
	r.Parts = append(r.Parts, severity, guardsPart(p))
	return r
}

func tenantParts(p *policy.Policy) []PolicyPart {
	var out []PolicyPart
	if o := p.Organization; o != nil {
		part := newPart(PartOrganization, "", o.Pos, organizationControls(o))
		part.addSwitch("unifiedAuditLog", o.UnifiedAuditLog)
		part.addSwitch("mailboxAuditing", o.MailboxAuditing)
		part.add("enableCustomization", o.EnableCustomization, policy.Pos{})
		out = append(out, part)
	}
	if a := p.AdminAudit; a != nil {
		part := newPart(PartAdminAudit, "", a.Pos, a.Controls)
		part.addSwitch("enabled", a.Enabled)
		part.addList("cmdlets", a.Cmdlets)
		part.addList("parameters", a.Parameters)
		part.addList("excludedCmdlets", a.ExcludedCmdlets)
		part.addSpan("ageLimit", a.AgeLimit)
		part.add("attempt", a.Attempt, policy.Pos{})
		out = append(out, part)
	}
	if r := p.Retention; r != nil {
		part := newPart(PartRetention, "", r.Pos, r.Controls)
		part.addSpan("floor", r.Floor)
		for _, want := range r.Require {
			part.add("require", want.RecordTypes, want.Pos)
			part.addSpan("atLeast", &want.AtLeast)
		}
		out = append(out, part)
	}
	return out
}

// organizationControls are those of the section and of each switch.
func organizationControls(o *policy.Organization) []string {
	all := slices.Concat(o.Controls, o.ControlsOf(audit.SettingUnifiedAuditLogIngestionEnabled), o.ControlsOf(audit.SettingAuditDisabled))
	slices.Sort(all)
	return slices.Compact(all)
}

func rulePart(r policy.Rule) PolicyPart {
	part := newPart(PartRule, r.Name, r.Pos, r.Controls)
	for _, t := range r.Types {
		part.Types = append(part.Types, string(t))
	}
	part.Where = whereText(r.Where)
	for _, l := range audit.LogonTypes() {
		part.addRecord("record."+strings.ToLower(l.String()), r.Record[l])
	}
	if w := r.AuditEnabled; w != nil {
		part.add("auditEnabled", w.Value.String(), w.Pos)
	}
	part.addSpan("ageLimit", r.AgeLimit)
	return part
}

func whereText(s policy.Selector) string {
	if s == nil {
		return ""
	}
	return s.String()
}

// addRecord adds what is asked of one logon type.
func (p *PolicyPart) addRecord(key string, r *policy.Record) {
	if r == nil {
		return
	}
	p.addSwitch(key+".defaults", r.Defaults)
	p.addSwitch(key+".managed", r.Managed)
	if r.Plus != nil {
		p.add(key+".plus", r.Plus.Set().Slice(), r.Plus.Pos)
	}
	if r.Exact != nil {
		p.add(key+".exact", r.Exact.Set().Slice(), r.Exact.Pos)
	}
}

func bypassParts(b *policy.Bypass) []PolicyPart {
	if b == nil {
		return nil
	}
	out := []PolicyPart{newPart(PartBypass, "", b.Pos, b.Controls)}
	for _, a := range b.Allow {
		part := newPart(PartAllow, a.Name, a.Pos, nil)
		if a.Account != "" {
			part.add("account", a.Account, a.Pos)
		} else {
			part.add("id", a.ID, a.Pos)
		}
		part.Reason, part.Owner, part.Expires = a.Reason, a.Owner, a.Expires.Format(time.DateOnly)
		out = append(out, part)
	}
	return out
}

func exemptionPart(e policy.Exemption) PolicyPart {
	part := newPart(PartExemption, e.Name, e.Pos, nil)
	part.Where = whereText(e.Where)
	if e.Subject != "" {
		part.Where = "subject " + string(e.Subject)
	}
	part.Reason, part.Owner, part.Expires = e.Reason, e.Owner, e.Expires.Format(time.DateOnly)
	a := e.Accept
	for _, l := range audit.LogonTypes() {
		key := "accept." + strings.ToLower(l.String())
		switch r := a.Record[l]; {
		case r == nil:
		case r.Form != nil:
			part.addRecord(key, r.Form)
		default:
			part.add(key, r.Floor.Slice(), r.Pos)
		}
	}
	if a.AuditEnabled != nil {
		part.add("accept.auditEnabled", a.AuditEnabled.Value.String(), a.AuditEnabled.Pos)
	}
	part.addSpan("accept.ageLimit", a.AgeLimit)
	part.addSwitch("accept.unifiedAuditLog", a.UnifiedAuditLog)
	part.addSwitch("accept.mailboxAuditing", a.MailboxAuditing)
	part.addSwitch("accept.enabled", a.Enabled)
	part.addList("accept.cmdlets", a.Cmdlets)
	part.addList("accept.parameters", a.Parameters)
	part.addList("accept.excludedCmdlets", a.ExcludedCmdlets)
	part.addSpan("accept.floor", a.Floor)
	if a.Require != nil {
		for _, want := range a.Require.Value {
			part.add("accept.require", want.RecordTypes, want.Pos)
			part.addSpan("accept.atLeast", &want.AtLeast)
		}
	}
	return part
}

// guardsPart gives the guards, the built-in ones where the policy has none.
func guardsPart(p *policy.Policy) PolicyPart {
	g := p.Guards
	part := newPart(PartGuards, "", policy.Pos{}, nil)
	part.add("maxChangedPercent", g.MaxChangedPercent, policy.Pos{})
	if g.MaxChanged != nil {
		part.add("maxChanged", *g.MaxChanged, policy.Pos{})
	}
	part.add("allowWeakening", g.AllowWeakening, policy.Pos{})
	rings := g.Rings
	if rings == nil {
		rings = policy.DefaultRings()
	}
	sizes := []string{}
	for _, r := range rings {
		sizes = append(sizes, r.String())
	}
	part.add("rings", sizes, policy.Pos{})
	part.add("maxSweepAge", audit.FormatTimeSpan(g.MaxSweepAge), policy.Pos{})
	part.add("allowUnknownActions", p.AllowUnknownActions, policy.Pos{})
	return part
}
