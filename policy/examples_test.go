package policy_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

// example parses a policy that users are told to copy: nothing may be wrong with
// it, warnings included, and at the given day nothing may be about to expire.
func example(t *testing.T, name string) *policy.Policy {
	t.Helper()
	data, err := os.ReadFile("../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	p, found := policy.Parse(name, data)
	if len(found) > 0 {
		t.Fatal(found.Error())
	}
	if found := p.Expiries(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)); len(found) > 0 {
		t.Error(found.Error())
	}
	return p
}

func TestExampleBaseline(t *testing.T) {
	p := example(t, "baseline.yaml")
	if p.Bypass == nil || len(p.Bypass.Allow) > 0 || p.Organization.MailboxAuditing == nil || p.Organization.UnifiedAuditLog == nil {
		t.Errorf("the tenant part is %+v, %+v", p.Bypass, p.Organization)
	}
	for _, typ := range p.Types() {
		w, conflicts := p.Resolve(typ, indexes(p))
		for _, l := range audit.LogonTypes() {
			if rec := w.Record[l]; rec == nil || !rec.Defaults || rec.Plus.Len() > 0 {
				t.Errorf("%s %s: %+v, want the defaults and nothing else", typ, l, rec)
			}
		}
		if len(conflicts) > 0 || w.AuditEnabled.Value != policy.Effective {
			t.Errorf("%s: auditEnabled %s, conflicts %v", typ, w.AuditEnabled.Value, conflicts)
		}
	}
}

func TestExampleSensitiveMailboxes(t *testing.T) {
	p := example(t, "sensitive-mailboxes.yaml")
	subject := func(address, office string) policy.Subject {
		return policy.Subject{
			Type: audit.UserMailbox, Addresses: []string{address}, AddressesKnown: true,
			Attributes: map[policy.Attribute]policy.Fact{"office": known(office), "customAttribute1": known("")},
		}
	}
	for _, tt := range []struct {
		subject policy.Subject
		want    string
	}{
		{subject("board-7@contoso.com", ""), "[everyone sensitive] SearchQueryInitiated 365.00:00:00"},
		{subject("ann@contoso.com", "Legal"), "[everyone sensitive] SearchQueryInitiated 365.00:00:00"},
		{subject("legal-archive@contoso.com", "Legal"), "[everyone]  180.00:00:00"},
		{subject("ann@contoso.com", "Sales"), "[everyone]  180.00:00:00"},
	} {
		var rules []int
		text := "["
		for i, r := range p.Mailboxes {
			if r.Match(tt.subject) == policy.Yes {
				if len(rules) > 0 {
					text += " "
				}
				text += r.Name
				rules = append(rules, i)
			}
		}
		w, conflicts := p.Resolve(audit.UserMailbox, rules)
		text += "] " + w.Record[audit.Owner].Plus.String() + " " + audit.FormatTimeSpan(w.AgeLimit.Value)
		if text != tt.want || len(conflicts) > 0 {
			t.Errorf("%v: %s, want %s; conflicts %v", tt.subject.Addresses, text, tt.want, conflicts)
		}
	}
	if len(p.Bypass.Allow) != 2 || p.Severity(audit.SettingAuditEnabled) != audit.High || *p.Guards.MaxChanged != 500 {
		t.Errorf("bypass %v, guards %+v", p.Bypass.Allow, p.Guards)
	}
}

// TestExampleTests runs the test cases that users are told to copy.
func TestExampleTests(t *testing.T) {
	f, found := parseTest(t, "../examples/sensitive-mailboxes.test.yaml")
	if len(found) > 0 {
		t.Fatal(found.Error())
	}
	name, _ := f.PolicySource()
	if failures := f.Run(example(t, name)); len(failures) > 0 {
		t.Errorf("%v", failures)
	}
}

func TestExampleOnABaseline(t *testing.T) {
	p := example(t, "on-a-baseline.yaml")
	var rules []string
	for _, r := range p.Mailboxes {
		rules = append(rules, r.Name)
	}
	if got := strings.Join(rules, " "); got != "cis-m365-7.0 shared sensitive" || len(p.Extends) != 2 || p.Organization == nil {
		t.Errorf("rules %s, extends %v", got, p.Extends)
	}
	if len(p.Groups()) != 2 || !p.NeedsDelegates() || len(p.Exemptions) != 1 || p.Bypass.Allow[0].Name != "dlp" {
		t.Errorf("groups %v, delegates %v, exemptions %v", p.Groups(), p.NeedsDelegates(), p.Exemptions)
	}
}
