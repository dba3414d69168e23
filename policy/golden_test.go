package policy_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// golden compares text with a file beside the input, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", path, diff)
	}
}

// inputs gives the files of a folder, at least so many.
func inputs(t *testing.T, pattern string, atLeast int) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) < atLeast {
		t.Fatalf("%s has %d files, want at least %d (%v)", pattern, len(files), atLeast, err)
	}
	return files
}

func parse(t *testing.T, path string) (*policy.Policy, policy.Diagnostics) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return policy.Parse(filepath.Base(path), data)
}

// mustParse parses text that has nothing wrong with it.
func mustParse(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string,
) *policy.Policy {
	t.Helper()
	p, found := policy.Parse("p.yaml", []byte(text))
	if len(found) > 0 {
		t.Fatalf("Parse found:\n%s\nin\n%s", found.Error(), text)
	}
	return p
}

// TestMistakes holds each file of testdata/err to the places and codes beside it.
func TestMistakes(t *testing.T) {
	for _, path := range inputs(t, "testdata/err/*.yaml", 40) {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			p, found := parse(t, path)
			var b strings.Builder
			for _, d := range found {
				fmt.Fprintf(&b, "%d:%d %s\n", d.Line, d.Column, d.Code)
				if d.File != name+".yaml" || d.Message == "" {
					t.Errorf("a finding without file or message: %+v", d)
				}
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".out", b.String())
			if (p == nil) != found.HasErrors() || len(found) == 0 {
				t.Errorf("policy %v with %d findings", p != nil, len(found))
			}
			if isWarning := strings.HasPrefix(name, "warn-"); isWarning == found.HasErrors() {
				t.Errorf("errors: %v\n%s", found.HasErrors(), found.Error())
			}
		})
	}
}

// TestTwentyMistakesAtOnce proves that no mistake hides another.
func TestTwentyMistakesAtOnce(t *testing.T) {
	_, found := parse(t, "testdata/err/twenty.yaml")
	if len(found) < 20 {
		t.Errorf("only %d findings:\n%s", len(found), found.Error())
	}
	codes := map[string]bool{}
	for _, d := range found {
		codes[d.Code] = true
	}
	if len(codes) < 20 {
		t.Errorf("only %d kinds of findings", len(codes))
	}
}

// TestMessages pins the words of a few findings, which people read.
func TestMessages(t *testing.T) {
	tests := []struct{ file, want string }{
		{"unknown-section", `unknown-section.yaml:5:1: error unknown-key: unknown key "mailboxs" (did you mean mailboxes?)`},
		{"guards-rings", `guards-rings.yaml:5:25: error bad-ring: "2 %" is no size of a ring (write a number of mailboxes, or a share as in 1%)`},
		{"severity-setting", `severity-setting.yaml:5:12: error bad-setting: there is no setting "auditLogAgelimt" (did you mean auditLogAgeLimit?)`},
		{"age-bare-number", `age-bare-number.yaml:6:15: error bad-duration: ageLimit "90": it is no duration (write 90d, 1y or 90.00:00:00)`},
		{"age-zero", `age-zero.yaml:6:15: error bad-duration: ageLimit "0d": zero is refused, it would purge what is kept (write 90d, 1y or 90.00:00:00)`},
		{"address-one-word", `address-one-word.yaml:8:16: error bad-pattern: "ceo" is no pattern for addresses: it has no @ (write the domain too, as in ceo@contoso.com)`},
		{"defaults-false", "defaults-false.yaml:6:32: error refused-value: defaults: false is not a wish a policy can have (leave the key out for no opinion)"},
		{"conflict-between-rules", "conflict-between-rules.yaml:9:22: error conflict: Admin: a list managed by Microsoft cannot hold Copy, which plus asks for (it contradicts conflict-between-rules.yaml:6:31 in rule everyone)"},
		{"warn-unknown-action", `warn-unknown-action.yaml:6:29: warning unknown-action: the action "Telepathy" is unknown to this version (it is written only with allowUnknownActions: true)`},
		{"warn-near-action", `warn-near-action.yaml:6:29: warning unknown-action: the action "MoveToDeletedItemz" is unknown to this version (did you mean MoveToDeletedItems? it is written only with allowUnknownActions: true)`},
		{"action-prefix", `action-prefix.yaml:8:22: error bad-action: the service may take "No" for None, which begins so (remove it)
action-prefix.yaml:8:26: error bad-action: the service may take "def" for Default, which begins so (remove it)
action-prefix.yaml:8:31: error bad-action: the service may take "MoveTo" for MoveToDeletedItems, which begins so (write MoveToDeletedItems)
action-prefix.yaml:8:39: error bad-action: the service may take "movetodeleteditem" for MoveToDeletedItems, which begins so (write MoveToDeletedItems)
action-prefix.yaml:8:58: error bad-action: the service may take "Mailbox" for MailboxLogin, which begins so (write MailboxLogin)
action-prefix.yaml:8:67: error bad-action: the service may take "Sen" for Send or SendAs or SendOnBehalf, which begin so (write one of them)
action-prefix.yaml:9:29: error bad-action: the service may take "Hard" for HardDelete, which begins so (write HardDelete)`},
		{"allow-twice", "allow-twice.yaml:10:7: error duplicate-value: a@contoso.com is allowed already at allow-twice.yaml:6:7"},
	}
	for _, tt := range tests {
		if _, found := parse(t, "testdata/err/"+tt.file+".yaml"); found.Error() != tt.want {
			t.Errorf("found %s\nwant  %s", found.Error(), tt.want)
		}
	}
	_, found := parse(t, "testdata/err/action-message-bind.yaml")
	if !strings.Contains(found.Error(), "use MailItemsAccessed") {
		t.Errorf("no pointer to MailItemsAccessed: %s", found.Error())
	}
}

// TestPolicies holds each file of testdata/ok to the policy it means.
func TestPolicies(t *testing.T) {
	for _, path := range inputs(t, "testdata/ok/*.yaml", 4) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			p, found := parse(t, path)
			if len(found) > 0 {
				t.Fatal(found.Error())
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".out", dump(p))
		})
	}
}

// dump writes a policy and what it resolves to where all its rules match.
func dump(p *policy.Policy) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("policy %s", p.Name)
	line("digest %s", p.Digest())
	if o := p.Organization; o != nil {
		line("organization at %s: log %v, auditing %v, customization %v", place(o.Pos), o.UnifiedAuditLog != nil, o.MailboxAuditing != nil, o.EnableCustomization)
	}
	for _, e := range p.Extends {
		line("extends %s at %s", e.Name, place(e.Pos))
	}
	for _, o := range p.Overrides {
		line("overrides %s at %s: %q", o.Path, place(o.Pos), o.Reason)
	}
	dumpTenant(p, line)
	for _, e := range p.Exemptions {
		line("exemption %s at %s until %s, %q of %q, for %s%v", e.Name, place(e.Pos), e.Expires.Format(time.DateOnly), e.Reason, e.Owner, e.Subject, e.Where)
		line("  accepts %s", dumpAccept(e.Accept))
	}
	if p.Bypass != nil {
		line("bypass at %s", place(p.Bypass.Pos))
		for _, a := range p.Bypass.Allow {
			line("  allow at %s: %s%s until %s, %q of %q", place(a.Pos), a.Account, a.ID, a.Expires.Format(time.DateOnly), a.Reason, a.Owner)
		}
	}
	g := p.Guards
	line("guards: %v %%, count %s, weakening %v, sweep age %v", g.MaxChangedPercent, count(g.MaxChanged), g.AllowWeakening, g.MaxSweepAge)
	if g.Rings != nil {
		line("rings: %v", g.Rings)
	}
	for _, s := range audit.Settings() {
		if p.Severity(s) != audit.DefaultSeverity(s) {
			line("severity: %s is %s", s, p.Severity(s))
		}
	}
	line("needs: addresses %v, attributes %v, stored AuditEnabled %v, unknown actions %v", p.NeedsAddresses(), p.Attributes(), p.NeedsStoredAuditEnabled(), p.AllowUnknownActions)
	if p.NeedsDelegates() || p.NeedsCapabilities() || p.Groups() != nil {
		line("needs: delegates %v, capabilities %v, groups %v", p.NeedsDelegates(), p.NeedsCapabilities(), p.Groups())
	}
	for _, r := range p.Mailboxes {
		line("rule %s at %s: %v", r.Name, place(r.Pos), r.Types)
		if len(r.Controls) > 0 {
			line("  controls %v", r.Controls)
		}
		if r.Where != nil {
			line("  where at %s: %s", place(r.Where.Pos()), r.Where)
		}
	}
	for _, t := range p.Types() {
		var all []int
		for i, r := range p.Mailboxes {
			if slices.Contains(r.Types, t) {
				all = append(all, i)
			}
		}
		line("%s by rules %v", t, all)
		w, conflicts := p.Resolve(t, all)
		b.WriteString(dumpWishes(w))
		for _, c := range conflicts {
			line("  conflict: %s %s and %s: %s", c.Logon, origin(c.First), origin(c.Second), c.Message)
		}
	}
	return b.String()
}

func dumpWishes(w policy.Wishes) string {
	var b strings.Builder
	for _, l := range audit.LogonTypes() {
		r := w.Record[l]
		if r == nil {
			continue
		}
		fmt.Fprintf(&b, "  %s by %s:", l, origin(r.Origin))
		if r.Defaults {
			b.WriteString(" defaults")
		}
		if r.Managed {
			b.WriteString(" managed")
		}
		if r.Plus.Len() > 0 {
			fmt.Fprintf(&b, " plus [%s]", r.Plus)
		}
		if r.Exact != nil {
			fmt.Fprintf(&b, " exact [%s]", r.Exact)
		}
		b.WriteString("\n")
	}
	if e := w.AuditEnabled; e != nil {
		fmt.Fprintf(&b, "  auditEnabled by %s: %s\n", origin(e.Origin), e.Value)
	}
	if a := w.AgeLimit; a != nil {
		fmt.Fprintf(&b, "  ageLimit by %s: %s\n", origin(a.Origin), audit.FormatTimeSpan(a.Value))
	}
	return b.String()
}

// dumpTenant writes the parts about the tenant that are not in every policy.
func dumpTenant(p *policy.Policy, line func(string, ...any)) {
	if o := p.Organization; o != nil {
		for _, s := range []audit.Setting{audit.SettingUnifiedAuditLogIngestionEnabled, audit.SettingAuditDisabled} {
			if c := o.ControlsOf(s); len(c) > 0 {
				line("  %s serves %v", s, c)
			}
		}
	}
	if a := p.AdminAudit; a != nil {
		line("adminAudit at %s: enabled %v, cmdlets %s, parameters %s, excluded %s, age %s, attempt %v, controls %v", place(a.Pos), a.Enabled != nil,
			said(a.Cmdlets), said(a.Parameters), said(a.ExcludedCmdlets), said(a.AgeLimit), a.Attempt, a.Controls)
	}
	if r := p.Retention; r != nil {
		line("retention at %s: floor %s, controls %v", place(r.Pos), said(r.Floor), r.Controls)
		for _, q := range r.Require {
			line("  require at %s: %v for %v", place(q.Pos), q.RecordTypes, q.AtLeast.Value)
		}
	}
}

func said[T any](v *policy.Located[T]) string {
	if v == nil {
		return "any"
	}
	return fmt.Sprint(v.Value)
}

func dumpAccept(a policy.Accept) string {
	var parts []string
	for _, l := range audit.LogonTypes() {
		switch r := a.Record[l]; {
		case r == nil:
		case r.Form != nil:
			parts = append(parts, fmt.Sprintf("%s at %s: a record, defaults %v, plus [%s]", l, place(r.Pos), r.Form.Defaults != nil, r.Form.Plus.Set()))
		default:
			parts = append(parts, fmt.Sprintf("%s at %s: [%s]", l, place(r.Pos), r.Floor))
		}
	}
	add := func(name, value string) {
		if value != "any" {
			parts = append(parts, name+" "+value)
		}
	}
	add("auditEnabled", said(a.AuditEnabled))
	add("ageLimit", said(a.AgeLimit))
	add("unifiedAuditLog", said(a.UnifiedAuditLog))
	add("mailboxAuditing", said(a.MailboxAuditing))
	add("enabled", said(a.Enabled))
	add("cmdlets", said(a.Cmdlets))
	add("parameters", said(a.Parameters))
	add("excluded", said(a.ExcludedCmdlets))
	add("floor", said(a.Floor))
	if a.Require != nil {
		for _, q := range a.Require.Value {
			add("require", fmt.Sprint(q.RecordTypes, q.AtLeast.Value))
		}
	}
	return strings.Join(parts, "; ")
}

func place(p policy.Pos) string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

func origin(o policy.Origin) string { return o.Rule + "@" + place(o.Pos) }

func count(n *int) string {
	if n == nil {
		return "any"
	}
	return fmt.Sprint(*n)
}
