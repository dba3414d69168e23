package policy_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

const head = "apiVersion: exoaudit/v1\nkind: AuditPolicy\nname: p\n"

// TestDigestIsOfTheMeaning changes everything about a file but what it says.
func TestDigestIsOfTheMeaning(t *testing.T) {
	same := []string{
		`mailboxes:
  a: {types: [UserMailbox, SharedMailbox], record: {owner: {plus: [Move, Create]}}, ageLimit: 365d}
  b: {where: {attribute: {office: [HQ, Lab]}}, auditEnabled: explicit}
bypass: {allow: []}
`,
		`# a comment
bypass: {}
severity: {auditOwner: high}
guards: {maxChangedPercent: 30.0, maxSweepAge: 1.02:00:00}
allowUnknownActions: false
mailboxes:
  b:
    auditEnabled: explicit
    where: {attribute: {office: [lab, hq]}}
  a:
    record: {owner: {plus: [create, MOVE]}}
    ageLimit: 1y
`,
	}
	first := mustParse(t, head+same[0]).Digest()
	second, found := policy.Parse("elsewhere/other.yaml", []byte(head+same[1]))
	if second == nil {
		t.Fatal(found.Error())
	}
	if first != second.Digest() {
		t.Errorf("%s and %s", first, second.Digest())
	}
	if !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(first) {
		t.Errorf("Digest() = %s", first)
	}
}

// TestDigestDisregardsCase: the service compares names without case, so the case
// of an action that the matrix does not know is no change either, nor is the
// order that it brings about.
func TestDigestDisregardsCase(t *testing.T) {
	digest := func(list string) string {
		p, found := policy.Parse("p.yaml", []byte(head+"mailboxes: {r: {record: {owner: "+list+"}}}\n"))
		if p == nil {
			t.Fatal(found.Error())
		}
		return p.Digest()
	}
	for _, key := range []string{"plus", "exact"} {
		first := digest("{" + key + ": [Telepathy, Xenoglossy, Move]}")
		if second := digest("{" + key + ": [xenoglossy, move, tElepathy]}"); first != second {
			t.Errorf("%s: %s and %s", key, first, second)
		}
		if other := digest("{" + key + ": [Telepathy, Xenoglossia, Move]}"); first == other {
			t.Errorf("%s: the same digest for another action", key)
		}
	}
}

// TestDigestShowsEveryChange changes one thing at a time.
func TestDigestShowsEveryChange(t *testing.T) {
	allow := "bypass: {allow: [{account: a@b.cd, reason: r, owner: o, expires: 2027-01-01}]}\n"
	variants := []string{
		"bypass: {}\n",
		"organization: {unifiedAuditLog: true}\n",
		"organization: {mailboxAuditing: true}\n",
		"organization: {mailboxAuditing: true, enableCustomization: true}\n",
		"bypass: {}\nallowUnknownActions: true\n",
		"bypass: {}\nguards: {maxChangedPercent: 31}\n",
		"bypass: {}\nguards: {maxChanged: 0}\n",
		"bypass: {}\nguards: {allowWeakening: true}\n",
		"bypass: {}\nguards: {maxSweepAge: 27h}\n",
		"bypass: {}\nseverity: {auditOwner: low}\n",
		allow,
		strings.Replace(allow, "a@b.cd", "b@b.cd", 1),
		strings.Replace(allow, "reason: r", "reason: s", 1),
		strings.Replace(allow, "owner: o", "owner: p", 1),
		strings.Replace(allow, "2027-01-01", "2027-01-02", 1),
		"mailboxes: {a: {ageLimit: 90d}}\n",
		"mailboxes: {b: {ageLimit: 90d}}\n",
		"mailboxes: {a: {ageLimit: 91d}}\n",
		"mailboxes: {a: {types: [UserMailbox], ageLimit: 90d}}\n",
		"mailboxes: {a: {where: {address: a@b.cd}, ageLimit: 90d}}\n",
		"mailboxes: {a: {auditEnabled: effective}}\n",
		"mailboxes: {a: {auditEnabled: explicit}}\n",
		"mailboxes: {a: {record: {owner: {defaults: true}}}}\n",
		"mailboxes: {a: {record: {owner: {managed: true}}}}\n",
		"mailboxes: {a: {record: {owner: {plus: [Move]}}}}\n",
		"mailboxes: {a: {record: {owner: {exact: [Move]}}}}\n",
		"mailboxes: {a: {record: {admin: {exact: [Move]}}}}\n",
		"mailboxes: {a: {ageLimit: 90d, controls: [A.8.15]}}\n",
		"mailboxes: {a: {where: {hasDelegates: true}, ageLimit: 90d}}\n",
		"mailboxes: {a: {where: {hasDelegates: false}, ageLimit: 90d}}\n",
		"mailboxes: {a: {where: {memberOf: a@b.cd}, ageLimit: 90d}}\n",
		"mailboxes: {a: {where: {memberOf: [a@b.cd, b@b.cd]}, ageLimit: 90d}}\n",
		"mailboxes: {a: {where: {capability: a}, ageLimit: 90d}}\n",
		"bypass: {controls: [A.8.15]}\n",
		"bypass: {}\nguards: {rings: []}\n",
		"bypass: {}\nguards: {rings: [5, 1%]}\n",
		"bypass: {}\nguards: {rings: [1%, 5]}\n",
		"organization: {mailboxAuditing: true, controls: [A.8.15]}\n",
		"organization: {mailboxAuditing: true, controls: {mailboxAuditing: [A.8.15]}}\n",
		"adminAudit: {enabled: true}\n",
		"adminAudit: {enabled: true, attempt: true}\n",
		"adminAudit: {enabled: true, controls: [A.8.15]}\n",
		"adminAudit: {cmdlets: ['*']}\n",
		"adminAudit: {parameters: ['*']}\n",
		"adminAudit: {excludedCmdlets: []}\n",
		"adminAudit: {excludedCmdlets: ['Get-*']}\n",
		"adminAudit: {ageLimit: 90d}\n",
		"retention: {floor: 90d}\n",
		"retention: {floor: 91d}\n",
		"retention: {floor: 91d, controls: [A.8.15]}\n",
		"retention: {require: [{recordTypes: [ExchangeItem], atLeast: 90d}]}\n",
		"retention: {require: [{recordTypes: [ExchangeItem], atLeast: 91d}]}\n",
		"retention: {require: [{recordTypes: [ExchangeAdmin], atLeast: 91d}]}\n",
		"extends: [cisa-scuba]\n",
		"extends: [cisa-scuba, microsoft-default]\n",
		"organization: {unifiedAuditLog: true, mailboxAuditing: true, controls: {unifiedAuditLog: ['CISA-SCUBA:MS.SECURITYSUITE.5.1v1', 'NIST-800-53:AU-12c'], mailboxAuditing: ['CISA-SCUBA:MS.EXO.13.1v1', 'MITRE-ATTACK:T1562.008', 'NIST-800-53:AU-12c']}}\n",
		exemption("where: {address: a@b.cd}", "ageLimit: 30d"),
		exemption("where: {address: b@b.cd}", "ageLimit: 30d"),
		exemption("where: {address: b@b.cd}", "ageLimit: 31d"),
		exemption("where: {address: b@b.cd}", "auditEnabled: none"),
		exemption("where: {address: b@b.cd}", "auditEnabled: effective"),
		exemption("where: {address: b@b.cd}", "owner: []"),
		exemption("where: {address: b@b.cd}", "admin: []"),
		exemption("where: {address: b@b.cd}", "owner: [Move]"),
		exemption("where: {address: b@b.cd}", "owner: {plus: [Move]}"),
		exemption("subject: organization", "unifiedAuditLog: false"),
		exemption("subject: organization", "mailboxAuditing: false"),
		exemption("subject: adminAudit", "enabled: false"),
		exemption("subject: adminAudit", "cmdlets: []"),
		exemption("subject: adminAudit", "parameters: []"),
		exemption("subject: adminAudit", "excludedCmdlets: []"),
		exemption("subject: adminAudit", "ageLimit: 30d"),
		exemption("subject: retention", "floor: 30d"),
		exemption("subject: retention", "require: []"),
		strings.Replace(exemption("subject: retention", "require: []"), "reason: r", "reason: s", 1),
		strings.Replace(exemption("subject: retention", "require: []"), "owner: o", "owner: s", 1),
		strings.Replace(exemption("subject: retention", "require: []"), "2027", "2028", 1),
		strings.Replace(exemption("subject: retention", "require: []"), "{e:", "{f:", 1),
	}
	seen := map[string]string{}
	for _, v := range variants {
		d := mustParse(t, head+v).Digest()
		if other, twice := seen[d]; twice {
			t.Errorf("the same digest for\n%sand\n%s", other, v)
		}
		seen[d] = v
	}
}

func exemption(what, accept string) string {
	return "bypass: {}\nexemptions: {e: {" + what + ", accept: {" + accept + "}, reason: r, owner: o, expires: 2027-06-30}}\n"
}

// TestDigestOfWhatIsExtended: what an extended file means is part of the digest,
// what it is called is not; a reason for less is.
func TestDigestOfWhatIsExtended(t *testing.T) {
	digest := func(root, base string) string {
		p, found := policy.Load("p.yaml", []byte(head+root), func(string) ([]byte, error) { return []byte(head + base), nil })
		if p == nil {
			t.Fatal(found.Error())
		}
		return p.Digest()
	}
	base := "guards: {maxChanged: 5}\nbypass: {}\n"
	first := digest("extends: [a.yaml]\n", base)
	if other := digest("# another name\nextends: [b/c.yaml]\n", base); other != first {
		t.Errorf("the name of a file changes %s to %s", first, other)
	}
	seen := map[string]bool{first: true}
	for _, d := range []string{
		digest("extends: [a.yaml]\n", "guards: {maxChanged: 6}\nbypass: {}\n"),
		digest("extends: [a.yaml]\nguards: {maxChanged: 6}\noverrides: {guards.maxChanged: r}\n", base),
		digest("extends: [a.yaml]\nguards: {maxChanged: 6}\noverrides: {guards.maxChanged: s}\n", base),
	} {
		if seen[d] {
			t.Errorf("%s stands for two policies", d)
		}
		seen[d] = true
	}
}

func TestExpiriesOfExemptions(t *testing.T) {
	p := mustParse(t, head+exemption("subject: organization", "unifiedAuditLog: false"))
	for now, want := range map[string]string{
		"2027-06-15": "", "2027-06-16": "expires-soon", "2027-06-30": "expires-soon", "2027-07-01": "expired", "2017-01-01": "expires-late",
	} {
		day, err := time.Parse(time.DateOnly, now)
		if err != nil {
			t.Fatal(err)
		}
		code := ""
		for _, d := range p.Expiries(day) {
			code += d.Code
			if d.Line != 5 || !strings.Contains(d.Message, "the exemption e ") {
				t.Errorf("%s", d)
			}
		}
		if code != want || p.Exemptions[0].Expired(day) != (want == "expired") {
			t.Errorf("on %s: %q, want %q", now, code, want)
		}
	}
}

func TestExpiries(t *testing.T) {
	p := mustParse(t, head+`bypass:
  allow:
    - {account: a@contoso.com, reason: r, owner: secops, expires: 2027-03-31}
    - {id: 8f7b2c1e-0000-4000-8000-000000000001, reason: r, owner: secops, expires: 2027-12-31}
`)
	tests := []struct{ now, want string }{
		{"2027-03-16T23:59:59Z", ""},
		{"2027-03-17T00:00:00Z", "6:67 expires-soon"},
		{"2027-03-31T23:59:59Z", "6:67 expires-soon"},
		{"2027-04-01T00:00:00Z", "6:67 expired"},
		{"2027-04-01T01:59:59+02:00", "6:67 expires-soon"},
		{"2027-12-20T00:00:00Z", "6:67 expired 7:85 expires-soon"},
		{"2029-01-01T00:00:00Z", "6:67 expired 7:85 expired"},
		{"2017-12-31T00:00:00Z", ""},
		{"2017-12-30T23:59:59Z", "7:85 expires-late"},
		{"2017-03-30T23:59:59Z", "6:67 expires-late 7:85 expires-late"},
	}
	for _, tt := range tests {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		found := p.Expiries(now)
		for _, d := range found {
			got = append(got, place(d.Pos)+" "+d.Code)
		}
		if text := strings.Join(got, " "); text != tt.want || found.HasErrors() {
			t.Errorf("at %s: %s, want %s", tt.now, text, tt.want)
		}
		if expired := p.Bypass.Allow[0].Expired(now); expired != strings.HasPrefix(tt.want, "6:67 expired") {
			t.Errorf("at %s: Expired() = %v", tt.now, expired)
		}
	}
	// The month of February has no 29th in ten years' time.
	leap := mustParse(t, head+"bypass: {allow: [{account: a@b.cd, reason: r, owner: o, expires: 2038-03-01}]}\n")
	if found := leap.Expiries(time.Date(2028, 2, 29, 23, 0, 0, 0, time.UTC)); len(found) != 0 {
		t.Errorf("within ten years: %v", found)
	}
	if found := mustParse(t, head+"organization: {mailboxAuditing: true}\n").Expiries(time.Unix(0, 0)); len(found) != 0 {
		t.Errorf("a policy without bypass: %v", found)
	}
}

func TestGuardsWithoutASection(t *testing.T) {
	for _, text := range []string{"bypass: {}\n", "bypass: {}\nguards: {}\n"} {
		g := mustParse(t, head+text).Guards
		if g.MaxChangedPercent != 30 || g.MaxSweepAge != 26*time.Hour || g.MaxChanged != nil || g.AllowWeakening || g.Rings != nil {
			t.Errorf("Guards = %+v", g)
		}
	}
}

// TestUselessActionsAreLeftOut: what is warned of as useless is never asked for.
func TestUselessActionsAreLeftOut(t *testing.T) {
	p, found := policy.Parse("p.yaml", []byte(head+"mailboxes: {r: {record: {owner: {plus: [AddFolderPermissions, Move, Telepathy]}}}}\n"))
	if p == nil || len(found) != 2 {
		t.Fatal(found.Error())
	}
	set := p.Mailboxes[0].Record[audit.Owner].Plus.Set()
	if set.String() != "Move, Telepathy" || set.Unknown().String() != "Telepathy" {
		t.Errorf("the wish is %s", set)
	}
	if p.HasMailboxes() != true || mustParse(t, head+"bypass: {}\n").HasMailboxes() {
		t.Error("HasMailboxes is wrong")
	}
}

// TestMailboxLoginIsNoMistake: CIS asks for it though it is of little use.
func TestMailboxLoginIsNoMistake(t *testing.T) {
	mustParse(t, head+"mailboxes: {r: {record: {owner: {plus: [MailboxLogin]}}}}\n")
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/ok/design.yaml", "testdata/ok/forms.yaml", "testdata/ok/bypass.yaml", "testdata/err/twenty.yaml"} {
		data, err := os.ReadFile(pattern)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(head + "mailboxes: {a: {where: {not: {not: {allOf: [{anyOf: []}]}}}, record: ~}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, found := policy.Parse("f.yaml", data)
		if (p == nil) != found.HasErrors() {
			t.Fatalf("policy %v with %s", p != nil, found.Error())
		}
		for _, d := range found {
			if d.Line < 1 || d.Column < 1 || d.File != "f.yaml" || d.Code == "" || d.Message == "" {
				t.Fatalf("a finding without a place: %+v", d)
			}
		}
		if p == nil {
			return
		}
		again, _ := policy.Parse("g.yaml", data)
		if p.Digest() != again.Digest() {
			t.Fatal("two digests of one text")
		}
		for _, typ := range p.Types() {
			p.Resolve(typ, indexes(p))
		}
	})
}
