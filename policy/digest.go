package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exoaudit/exoaudit/policy/audit"
)

// Digest names the meaning of the policy: "sha256:" and 64 hex digits over the
// canonical JSON of what it resolves to with all that it extends, the names of the
// baselines among that, and the matrix version. Places, comments, the order of keys,
// rules and lists, the spelling of durations, the case of actions and the names of
// files do not change it; anything that may change a plan does.
func (p *Policy) Digest() string {
	text, err := json.Marshal(p.canonical())
	if err != nil {
		// The canonical form is made of texts, numbers and booleans only, all
		// finite: Marshal has nothing to fail on.
		panic(fmt.Sprintf("policy: digest: %v", err))
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// The canonical form. Its field order and names are part of the digest.
type canonicalPolicy struct {
	APIVersion   string
	Matrix       string
	Name         string
	Organization *canonicalOrganization
	Rules        []canonicalRule
	Bypass       *canonicalBypass
	Severity     map[audit.Setting]string // encoding/json sorts the keys
	Guards       canonicalGuards
	Unknown      bool
	// What is absent from most policies leaves no trace, so that a new part of the
	// language does not change the digest of a policy without it.
	Baselines  []string             `json:",omitempty"`
	AdminAudit *canonicalAdminAudit `json:",omitempty"`
	Retention  *canonicalRetention  `json:",omitempty"`
	Exemptions []canonicalExemption `json:",omitempty"`
	Overrides  []canonicalOverride  `json:",omitempty"`
}

type canonicalOrganization struct {
	UnifiedAuditLog, MailboxAuditing, EnableCustomization bool
	UnifiedControls, AuditingControls                     []string `json:",omitempty"`
}

type canonicalRule struct {
	Name     string
	Types    []audit.MailboxType
	Where    string
	Record   [3]*canonicalRecord
	Enabled  string
	AgeLimit int64
	Controls []string `json:",omitempty"`
}

type canonicalRecord struct {
	Defaults, Managed bool
	Plus, Exact       []string
}

type canonicalBypass struct {
	Allow    []canonicalAllow
	Controls []string `json:",omitempty"`
}

type canonicalAllow struct{ Account, ID, Reason, Owner, Expires string }

type canonicalGuards struct {
	MaxChangedPercent float64
	MaxChanged        *int
	AllowWeakening    bool
	MaxSweepAge       int64
	// Rings is nil where the built-in rings apply, which is another thing than an
	// empty list.
	Rings *[]string `json:",omitempty"`
}

func (p *Policy) canonical() canonicalPolicy {
	c := canonicalPolicy{
		APIVersion: APIVersion,
		Matrix:     audit.MatrixVersion,
		Name:       p.Name,
		Severity:   map[audit.Setting]string{},
		Guards: canonicalGuards{
			p.Guards.MaxChangedPercent, p.Guards.MaxChanged,
			p.Guards.AllowWeakening, int64(p.Guards.MaxSweepAge / time.Second), canonicalRings(p.Guards.Rings),
		},
		Unknown:    p.AllowUnknownActions,
		AdminAudit: p.AdminAudit.canonical(),
		Retention:  p.Retention.canonical(),
	}
	if o := p.Organization; o != nil {
		c.Organization = &canonicalOrganization{
			o.UnifiedAuditLog != nil, o.MailboxAuditing != nil, o.EnableCustomization,
			o.ControlsOf(audit.SettingUnifiedAuditLogIngestionEnabled), o.ControlsOf(audit.SettingAuditDisabled),
		}
	}
	p.canonicalExtras(&c)
	for _, r := range p.Mailboxes {
		c.Rules = append(c.Rules, r.canonical())
	}
	slices.SortFunc(c.Rules, func(a, b canonicalRule) int { return cmp.Compare(a.Name, b.Name) })
	if p.Bypass != nil {
		c.Bypass = &canonicalBypass{Controls: p.Bypass.Controls}
		for _, a := range p.Bypass.Allow {
			c.Bypass.Allow = append(c.Bypass.Allow, canonicalAllow{a.Account, a.ID, a.Reason, a.Owner, a.Expires.Format(time.DateOnly)})
		}
		slices.SortFunc(c.Bypass.Allow, func(a, b canonicalAllow) int {
			return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.ID, b.ID))
		})
	}
	for _, s := range audit.Settings() {
		c.Severity[s] = p.Severity(s).String()
	}
	return c
}

func (r Rule) canonical() canonicalRule {
	c := canonicalRule{Name: r.Name, Types: r.Types, Controls: r.Controls}
	if r.Where != nil {
		c.Where = r.Where.String()
	}
	for i, rec := range r.Record {
		c.Record[i] = rec.canonical()
	}
	if r.AuditEnabled != nil {
		c.Enabled = r.AuditEnabled.Value.String()
	}
	if r.AgeLimit != nil {
		c.AgeLimit = int64(r.AgeLimit.Value / time.Second)
	}
	return c
}

func (r *Record) canonical() *canonicalRecord {
	if r == nil {
		return nil
	}
	return &canonicalRecord{
		Defaults: r.Defaults != nil,
		Managed:  r.Managed != nil,
		Plus:     canonicalNames(r.Plus.Set()),
		Exact:    canonicalNames(r.Exact.Set()),
	}
}

// canonicalNames gives the actions of a set, sorted: those of the matrix in its
// spelling, the others in lower case, for their spelling is only the file's.
func canonicalNames(set audit.ActionSet) []string {
	listed := set.Minus(set.Unknown()).Slice()
	for _, name := range set.Unknown().Slice() {
		listed = append(listed, strings.ToLower(name))
	}
	slices.Sort(listed)
	return listed
}
