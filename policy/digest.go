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
// canonical JSON of what it resolves to and the matrix version. Places, comments,
// the order of keys, rules and lists, the spelling of durations, the case of
// actions and the file's name do not change it; anything that may change a plan does.
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
}

type canonicalOrganization struct{ UnifiedAuditLog, MailboxAuditing, EnableCustomization bool }

type canonicalRule struct {
	Name     string
	Types    []audit.MailboxType
	Where    string
	Record   [3]*canonicalRecord
	Enabled  string
	AgeLimit int64
}

type canonicalRecord struct {
	Defaults, Managed bool
	Plus, Exact       []string
}

type canonicalBypass struct{ Allow []canonicalAllow }

type canonicalAllow struct{ Account, ID, Reason, Owner, Expires string }

type canonicalGuards struct {
	MaxChangedPercent float64
	MaxChanged        *int
	AllowWeakening    bool
	MaxSweepAge       int64
}

func (p *Policy) canonical() canonicalPolicy {
	c := canonicalPolicy{
		APIVersion: APIVersion,
		Matrix:     audit.MatrixVersion,
		Name:       p.Name,
		Severity:   map[audit.Setting]string{},
		Guards: canonicalGuards{
			p.Guards.MaxChangedPercent, p.Guards.MaxChanged,
			p.Guards.AllowWeakening, int64(p.Guards.MaxSweepAge / time.Second),
		},
		Unknown: p.AllowUnknownActions,
	}
	if o := p.Organization; o != nil {
		c.Organization = &canonicalOrganization{o.UnifiedAuditLog != nil, o.MailboxAuditing != nil, o.EnableCustomization}
	}
	for _, r := range p.Mailboxes {
		c.Rules = append(c.Rules, r.canonical())
	}
	slices.SortFunc(c.Rules, func(a, b canonicalRule) int { return cmp.Compare(a.Name, b.Name) })
	if p.Bypass != nil {
		c.Bypass = &canonicalBypass{}
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
	c := canonicalRule{Name: r.Name, Types: r.Types}
	if r.Where != nil {
		c.Where = r.Where.String()
	}
	for i, rec := range r.Record {
		if rec == nil {
			continue
		}
		c.Record[i] = &canonicalRecord{
			Defaults: rec.Defaults != nil,
			Managed:  rec.Managed != nil,
			Plus:     canonicalNames(rec.Plus.Set()),
			Exact:    canonicalNames(rec.Exact.Set()),
		}
	}
	if r.AuditEnabled != nil {
		c.Enabled = r.AuditEnabled.Value.String()
	}
	if r.AgeLimit != nil {
		c.AgeLimit = int64(r.AgeLimit.Value / time.Second)
	}
	return c
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
