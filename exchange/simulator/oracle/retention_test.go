package oracle_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/exchange/simulator/oracle"
)

// policy is a retention policy on two record types of Exchange.
func policy(name string, priority int, duration string, change ...func(*simulator.RetentionPolicy)) simulator.RetentionPolicy {
	p := simulator.RetentionPolicy{Name: name, Priority: priority, Duration: duration, RecordTypes: words("ExchangeAdmin ExchangeItem")}
	for _, f := range change {
		f(&p)
	}
	return p
}

func TestJudgeRetention(t *testing.T) {
	year := oracle.RetentionWish{Floor: 180 * day, Require: []oracle.RequiredRetention{{RecordTypes: words("ExchangeAdmin ExchangeItem"), AtLeast: 365 * day}}}
	types := func(list string) func(*simulator.RetentionPolicy) {
		return func(p *simulator.RetentionPolicy) { p.RecordTypes = words(list) }
	}
	users := func(p *simulator.RetentionPolicy) { p.UserIDs = []string{"ceo@contoso.com"} }
	tests := []struct {
		name string
		have []simulator.RetentionPolicy
		want oracle.RetentionWish
		miss []string // parts of the reasons, in order
	}{
		{"none", nil, year, []string{"ExchangeAdmin of user any other", "ExchangeItem of user any other"}},
		{"the standard is enough", nil, oracle.RetentionWish{Require: []oracle.RequiredRetention{{RecordTypes: words("ExchangeItem"), AtLeast: 180 * day}}}, nil},
		{"a year", []simulator.RetentionPolicy{policy("a", 5, "TwelveMonths")}, year, nil},
		{"in another case", []simulator.RetentionPolicy{policy("a", 5, "twelvemonths", types("exchangeadmin EXCHANGEITEM"))}, year, nil},
		{"all types", []simulator.RetentionPolicy{policy("a", 5, "TenYears", types(""))}, year, nil},
		{"too short", []simulator.RetentionPolicy{policy("a", 5, "NineMonths")}, year, []string{"ExchangeAdmin", "ExchangeItem"}},
		{"other types", []simulator.RetentionPolicy{policy("a", 5, "TenYears", types("ExchangeItem SharePoint"))}, year, []string{"ExchangeAdmin"}},
		{"one user only", []simulator.RetentionPolicy{policy("a", 5, "TenYears", users)}, year, []string{"ExchangeAdmin of user any other", "ExchangeItem"}},
		{"an attacker's short one wins", []simulator.RetentionPolicy{policy("a", 5, "TenYears"), policy("x", 1, "SevenDays", types("ExchangeItem"))}, year, []string{"ExchangeItem of user any other, operation any other, are kept by x", "below"}},
		{"an attacker's short one for a user wins", []simulator.RetentionPolicy{policy("a", 5, "TenYears"), policy("x", 1, "SixMonths", users)}, year, []string{"ExchangeAdmin of user ceo@contoso.com", "ExchangeItem of user ceo@contoso.com"}},
		{"a short one for an operation wins", []simulator.RetentionPolicy{policy("a", 5, "TenYears"), policy("x", 1, "SixMonths", types("ExchangeItem"), func(p *simulator.RetentionPolicy) { p.Operations = []string{"HardDelete"} })}, year, []string{"operation harddelete"}},
		{"a short one loses", []simulator.RetentionPolicy{policy("a", 5, "TenYears"), policy("x", 6, "SixMonths")}, year, nil},
		{"a short one loses, and is below the floor", []simulator.RetentionPolicy{policy("a", 5, "TenYears"), policy("x", 6, "ThreeMonths")}, year, []string{"it keeps records of Exchange for ThreeMonths"}},
		{"below the floor elsewhere", []simulator.RetentionPolicy{policy("a", 5, "TenYears"), policy("x", 1, "SevenDays", types("SharePoint"))}, year, nil},
		{"not known", []simulator.RetentionPolicy{policy("a", 5, "Always")}, year, []string{"not known", "ExchangeAdmin", "ExchangeItem"}},
		{"a priority twice", []simulator.RetentionPolicy{policy("a", 5, "TenYears"), policy("b", 5, "TenYears")}, year, []string{"the priority 5 of a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{})
			for _, p := range test.have {
				tenant.AddRetentionPolicy(p)
			}
			var whys []string
			for _, f := range oracle.Judge(tenant, oracle.Wishes{Retention: &test.want}) {
				if f.Kind != "retention" || f.Setting != "retentionPolicy" {
					t.Errorf("unexpected finding %+v", f)
				}
				whys = append(whys, f.Why)
			}
			if len(whys) != len(test.miss) {
				t.Fatalf("got %q, want %q", whys, test.miss)
			}
			for _, part := range test.miss {
				if !slices.ContainsFunc(whys, func(why string) bool { return strings.Contains(why, part) }) {
					t.Errorf("got %q, want %q", whys, part)
				}
			}
			if found := oracle.Judge(tenant, oracle.Wishes{}); len(found) > 0 {
				t.Errorf("without an opinion: %+v", found)
			}
		})
	}
}

func TestJudgeAdminAudit(t *testing.T) {
	wish := oracle.AdminAuditWish{Enabled: true, Cmdlets: words("*"), Parameters: words("*"), Excluded: []string{}, AgeLimit: 90 * 24 * time.Hour}
	tests := []struct {
		name   string
		change func(*simulator.AdminAudit)
		want   oracle.AdminAuditWish
		miss   []string
	}{
		{"as made", func(*simulator.AdminAudit) {}, wish, nil},
		{"off", func(a *simulator.AdminAudit) { a.Enabled = false }, wish, []string{"adminAuditLogEnabled"}},
		{"some cmdlets", func(a *simulator.AdminAudit) { a.Cmdlets = words("*Mailbox*") }, wish, []string{"adminAuditLogCmdlets"}},
		{"enough cmdlets", func(a *simulator.AdminAudit) { a.Cmdlets = words("*mailbox* Get-*") }, oracle.AdminAuditWish{Cmdlets: words("*Mailbox*")}, nil},
		{"all cmdlets hold some", func(*simulator.AdminAudit) {}, oracle.AdminAuditWish{Cmdlets: words("*Mailbox*")}, nil},
		{"no parameters", func(a *simulator.AdminAudit) { a.Parameters = nil }, wish, []string{"adminAuditLogParameters"}},
		{"excluded", func(a *simulator.AdminAudit) { a.ExcludedCmdlets = words("Set-Mailbox") }, wish, []string{"adminAuditLogExcludedCmdlets"}},
		{"excluded as wished", func(a *simulator.AdminAudit) { a.ExcludedCmdlets = words("set-mailbox") }, oracle.AdminAuditWish{Excluded: words("Set-Mailbox")}, nil},
		{"short", func(a *simulator.AdminAudit) { a.AgeLimit = "89.00:00:00" }, wish, []string{"adminAuditLogAgeLimit"}},
		{"no duration", func(a *simulator.AdminAudit) { a.AgeLimit = "" }, wish, []string{"adminAuditLogAgeLimit"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tenant := simulator.NewTenant(simulator.Seed{})
			tenant.UpdateAdminAudit(test.change)
			var settings []string
			for _, f := range oracle.Judge(tenant, oracle.Wishes{AdminAudit: &test.want}) {
				if f.Kind != "adminAudit" || f.Why == "" {
					t.Errorf("unexpected finding %+v", f)
				}
				settings = append(settings, f.Setting)
			}
			if !slices.Equal(settings, test.miss) {
				t.Errorf("got %q, want %q", settings, test.miss)
			}
		})
	}
}
