package report

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

func goldenText(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); run the test with -update if that is meant:\n%s", path, diff)
	}
}

// lists turns what JSON made of a list back into one.
func lists(v any) any {
	items, ok := v.([]any)
	if !ok {
		return v
	}
	out := []string{}
	for _, item := range items {
		text, _ := item.(string)
		out = append(out, text)
	}
	return out
}

// explanation reads one that the loop's tests have made.
func explanation(t *testing.T, path string) *reconcile.Explanation {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e := &reconcile.Explanation{}
	if err := json.Unmarshal(data, e); err != nil {
		t.Fatal(err)
	}
	for i := range e.Wishes {
		e.Wishes[i].Value = lists(e.Wishes[i].Value)
	}
	for i := range e.Values {
		e.Values[i].Value = lists(e.Values[i].Value)
	}
	for i := range e.Switches {
		e.Switches[i].Value = lists(e.Switches[i].Value)
	}
	for i := range e.Changes {
		c := &e.Changes[i]
		c.Before, c.After = lists(c.Before), lists(c.After)
	}
	return e
}

// TestExplanationText shows every explanation that the loop's tests make: five
// rules that overlap, and each of the five switches.
func TestExplanationText(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "testdata", "explain", "*.json"))
	if err != nil || len(files) < 6 {
		t.Fatalf("%d explanations (%v)", len(files), err)
	}
	whole := explanation(t, filepath.Join("..", "testdata", "explain", "rules.json"))
	for _, file := range files {
		var got bytes.Buffer
		e := explanation(t, file)
		if e.Schema == "" { // a file with what hangs on the switches only
			e.Tool, e.Tenant, e.CreatedAt, e.Policy, e.Requests = whole.Tool, whole.Tenant, whole.CreatedAt, whole.Policy, whole.Requests
			e.Mailbox = reconcile.Subject{Kind: audit.KindMailbox, ID: "m-1", Name: "dan@contoso.com", Type: audit.UserMailbox}
		}
		if err := WriteExplanationText(&got, e, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		goldenText(t, "explain-"+strings.TrimSuffix(filepath.Base(file), ".json")+".txt", got.Bytes())
	}
}

// hostileExplanation has a hostile name wherever a tenant or a file can put one.
func hostileExplanation(name string) *reconcile.Explanation {
	at := reconcile.Place{File: name, Line: 3, Column: 5, Rule: name}
	clause := reconcile.ExplainedClause{Text: name, Found: name, Match: "open", Place: at}
	clause.Children = []reconcile.ExplainedClause{{Text: name, Found: name, Match: "yes", Place: at}}
	rule := reconcile.ExplainedRule{Name: name, Match: "no", Place: at, Clauses: []reconcile.ExplainedClause{clause}}
	return &reconcile.Explanation{
		Schema: reconcile.ExplainSchema, Tool: name, Tenant: name, CreatedAt: time.Unix(0, 7),
		Policy:  reconcile.PolicyRef{Name: name, Digest: name},
		Mailbox: reconcile.Subject{Kind: audit.KindMailbox, ID: name, Name: name, Type: audit.MailboxType(name)},
		State:   reconcile.Drifted, Rules: []reconcile.ExplainedRule{rule},
		Exemptions: []reconcile.ExplainedExemption{{
			ExplainedRule: rule, Reason: name, Owner: name, Expires: "2027-01-01", Expired: true,
			Accepts: []reconcile.Accepted{{Setting: audit.SettingAuditOwner, Floor: name, Place: at}},
		}},
		Wishes: []reconcile.ExplainedWish{{
			Setting: audit.SettingAuditOwner, Form: "plus", Value: []string{name}, Place: at, Match: "open", Met: "unknown",
			Lacking: []string{name}, Excess: []string{name}, Controls: []string{name},
		}},
		Conflicts: []reconcile.ExplainedConflict{{Setting: audit.SettingAuditOwner, Message: name, First: at, Second: at}},
		Values:    []reconcile.ExplainedValue{{Name: name, Value: name}, {Name: name, Missing: name}},
		Switches:  []reconcile.ExplainedSwitch{{Number: 1, Name: reconcile.SwitchBypass, Property: name, Value: name, Effect: reconcile.EffectUnknown, Reason: name}},
		Verdicts: []reconcile.LogonVerdict{{
			Logon: name, Outcome: reconcile.OutcomeUnknown, DecidedBy: reconcile.SwitchBypass, Reason: name,
			Recorded: []string{name}, NotRecorded: []string{name}, Doubtful: []string{name}, Provided: name,
		}},
		Changes: []reconcile.ExplainedChange{{
			Setting: audit.SettingAuditOwner, Before: []string{name}, After: name, Add: []string{name}, Fate: reconcile.FatePlanned, Reason: name,
		}},
		Unknown:  []reconcile.UnknownObject{{Subject: reconcile.Subject{Kind: audit.KindMailbox, Name: name}, Reason: name}},
		Warnings: []string{name},
	}
}

// TestExplanationIsHarmless puts what a tenant may call things everywhere.
func TestExplanationIsHarmless(t *testing.T) {
	t.Parallel()
	for _, name := range hostileNames() {
		e := hostileExplanation(name)
		for form, write := range map[string]func(io.Writer) error{
			"json": func(w io.Writer) error { return WriteExplanation(w, e) },
			"text": func(w io.Writer) error { return WriteExplanationText(w, e, TextOptions{}) },
		} {
			var out bytes.Buffer
			if err := write(&out); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				line = strings.TrimSuffix(line, "\n")
				if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##") {
					t.Errorf("%s: %q can be read as a command", form, line)
				}
				if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
					t.Errorf("%s: %q holds an invisible rune at %d", form, line, i)
				}
				if strings.HasPrefix(line, "In line") {
					t.Errorf("%s: %q: a name forged the verdict", form, line)
				}
			}
			if last := lastLine(out.String()); form == "text" && !strings.HasPrefix(last, "Differs from the policy: ") {
				t.Errorf("the last line is %q", last)
			}
		}
	}
}

func lastLine(s string) string {
	list := slices.Collect(strings.Lines(s))
	return strings.TrimSuffix(list[len(list)-1], "\n")
}

// TestExplanationMeansTheSame decodes what was escaped.
func TestExplanationMeansTheSame(t *testing.T) {
	t.Parallel()
	for _, name := range hostileNames() {
		var out bytes.Buffer
		if err := WriteExplanation(&out, hostileExplanation(name)); err != nil {
			t.Fatal(err)
		}
		var got reconcile.Explanation
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Mailbox.Name != name || got.Rules[0].Clauses[0].Children[0].Found != name {
			t.Errorf("%q came back as %q", name, got.Mailbox.Name)
		}
		if !got.CreatedAt.Equal(time.Unix(0, 0)) {
			t.Errorf("createdAt is %s, want whole seconds", got.CreatedAt)
		}
	}
}

// TestExplanationStates: each state has its last line, and what is not known to
// this version is never in line.
func TestExplanationStates(t *testing.T) {
	t.Parallel()
	for state, want := range map[reconcile.State]string{
		reconcile.InSync: "In line with the policy: ann.", reconcile.Drifted: "Differs from the policy: ann.",
		reconcile.Exempt:        "Differs from the policy as an exemption accepts: ann.",
		reconcile.NotApplicable: "No rule of the policy speaks of it: ann.",
		reconcile.Unknown:       "It could not be judged against the policy: ann.",
		"later":                 "It could not be judged against the policy: ann.",
	} {
		var out bytes.Buffer
		e := &reconcile.Explanation{State: state, Mailbox: reconcile.Subject{Name: "ann"}}
		if err := WriteExplanationText(&out, e, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := lastLine(out.String()); got != want {
			t.Errorf("%s: %q, want %q", state, got, want)
		}
	}
}

const describedPolicy = `apiVersion: exoaudit/v1
kind: AuditPolicy
name: described
extends: [cisa-scuba]
organization: {unifiedAuditLog: true, controls: [NIST-800-53:AU-12]}
adminAudit: {enabled: true, cmdlets: ["*"], excludedCmdlets: [], ageLimit: 90d}
retention:
  floor: 180d
  require:
    - {recordTypes: [ExchangeItem, ExchangeAdmin], atLeast: 1y}
mailboxes:
  board:
    where: {anyOf: [{address: "ceo@contoso.com"}, {attribute: {office: Oslo}}]}
    record:
      owner: {plus: [SearchQueryInitiated]}
      admin: {exact: [Copy, HardDelete, Move]}
    auditEnabled: explicit
    ageLimit: 12:00:00
    controls: [ISO-27001:A.8.15]
bypass:
  allow:
    - {name: dlp, account: svc@contoso.com, reason: content scanner, owner: sec@contoso.com, expires: 2027-03-31}
    - {id: 5d0c8a4e-2f1b-4c57-9a36-7be1f0d4c921, reason: journal, owner: rec@contoso.com, expires: 2027-12-31}
exemptions:
  import:
    where: {address: "migration-*@contoso.com"}
    accept: {owner: [HardDelete], delegate: {defaults: true}, auditEnabled: none, ageLimit: 30d}
    reason: import
    owner: mail@contoso.com
    expires: 2027-06-30
  log:
    subject: organization
    accept: {unifiedAuditLog: false}
    reason: being moved
    owner: mail@contoso.com
    expires: 2027-06-30
severity: {auditLogAgeLimit: info}
guards: {maxChanged: 5, rings: [5, 1%]}
`

// TestPolicyDescription shows a policy with every part of the language.
func TestPolicyDescription(t *testing.T) {
	t.Parallel()
	p, found := policy.Parse("policy.yaml", []byte(describedPolicy))
	if found.HasErrors() {
		t.Fatal(found)
	}
	d := reconcile.Describe(p)
	var text, doc bytes.Buffer
	if err := WritePolicyText(&text, d); err != nil {
		t.Fatal(err)
	}
	if err := WritePolicy(&doc, d); err != nil {
		t.Fatal(err)
	}
	goldenText(t, "policy.txt", text.Bytes())
	goldenText(t, "policy-described.json", doc.Bytes())
	if strings.Contains(doc.String(), "null") {
		t.Error("holds a null")
	}
	kinds := map[reconcile.PartKind]bool{}
	for _, part := range d.Parts {
		kinds[part.Kind] = true
	}
	if len(kinds) != 9 {
		t.Errorf("the policy shows %d kinds of parts, want all 9", len(kinds))
	}
}
