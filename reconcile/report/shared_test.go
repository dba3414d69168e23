package report

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// This file holds the one run that every form is shown with: the same tenant, clock,
// version and ids for all golden files.

// wholeOf gives a document what only some forms show.
func wholeOf(d document) Report {
	day := func(s string) time.Time {
		at, err := time.Parse(time.DateOnly, s)
		if err != nil {
			panic(err)
		}
		return at
	}
	pos := func(line int) policy.Pos { return policy.Pos{File: "policy.yaml", Line: line, Column: 5} }
	d.threshold = reconcile.Threshold{FailOn: audit.Low}
	d.byType = []reconcile.TypeStanding{
		{Type: "GroupMailbox", States: reconcile.StateCounts{Drifted: 1}},
		{Type: "SharedMailbox", States: reconcile.StateCounts{InSync: 99, NotApplicable: 1}},
		{Type: "UserMailbox", States: reconcile.StateCounts{InSync: 1081, Drifted: 9, NotApplicable: 7, Unknown: 2}},
	}
	d.byRule = []reconcile.RuleStanding{
		{Rule: "everyone", Place: pos(20), Controls: []string{"CIS-M365-7.0:6.1.2"}, States: reconcile.StateCounts{InSync: 1180, Drifted: 9, Unknown: 2}},
		{Rule: "exact", Place: pos(24), States: reconcile.StateCounts{InSync: 3, Drifted: 1}, Open: 1},
	}
	d.acceptances = []reconcile.Acceptance{
		{Kind: reconcile.PartAllow, Name: "svc-dlp@contoso.com", Reason: "content scanner, CHG-4711", Owner: "secops@contoso.com", Expires: day("2027-03-31"), Place: pos(30), Accepted: 1},
		{Kind: reconcile.PartAllow, Name: "old-scanner@contoso.com", Reason: "gone", Owner: "secops@contoso.com", Expires: day("2026-10-31"), Expired: true, Place: pos(34)},
		{Kind: reconcile.PartExemption, Name: "migration-import", Reason: "high-volume import <until Q2> | CHG-5120", Owner: "messaging@contoso.com", Expires: day("2026-12-01"), Place: pos(40), Accepted: 0},
	}
	d.observed = reconcile.Observed{
		Organization: rawRow("Get-OrganizationConfig", `{"Name":"contoso.onmicrosoft.com","DisplayName":"Contoso","AuditDisabled":true,"SendFromAliasEnabled":false}`),
		AdminAudit:   rawRow("Get-AdminAuditLogConfig", `{"AdminAuditLogEnabled":true,"UnifiedAuditLogIngestionEnabled":true,"UnifiedAuditLogFirstOptInDate":"/Date(1618327011162)/","ObjectClass":["top","msExchAdminAuditLogConfig"]}`),
	}
	return Report{doc: d}
}

func rawRow(cmdlet, row string) *reconcile.RawRow {
	return &reconcile.RawRow{
		Cmdlet: cmdlet, ReadAt: time.Date(2026, time.November, 23, 9, 0, 1, 0, time.UTC),
		RequestID: "0f4e7c52-0000-4000-8000-000000000001", ClientRequestID: "0f4e7c52-0000-4000-8000-000000000002", Row: json.RawMessage(row),
	}
}

// sharedRun is a plan with everything in it, and not complete.
func sharedRun() Report { return wholeOf(drifted()) }

// driftOnly is the same plan had everything been read.
func driftOnly() Report {
	d := drifted()
	d.verdict = reconcile.VerdictDrift
	d.coverage.Complete, d.coverage.Reasons, d.refused = true, nil, nil
	d.unknown = slices.Values([]reconcile.UnknownObject{})
	return wholeOf(d)
}

// appliedRun is the shared plan, applied.
func appliedRun() Report { return wholeOf(afterwards()) }

// inLineRun has nothing to say.
func inLineRun() Report { return wholeOf(inOrder()) }

// unjudged are the reports that must not be taken for a pass, whatever else they say:
// every verdict that is no judgement, with drift beside it and without.
func unjudged() map[string]Report {
	out := map[string]Report{}
	for _, verdict := range []reconcile.Verdict{reconcile.VerdictIncomplete, reconcile.VerdictFailed} {
		empty := inOrder()
		empty.verdict = verdict
		empty.coverage.Complete, empty.coverage.Reasons = false, []string{"Get-Mailbox: page 3 broke off"}
		if verdict == reconcile.VerdictFailed {
			empty.refused = []string{"Get-Mailbox"}
		}
		full := drifted()
		full.verdict = verdict
		after := afterwards()
		after.verdict = verdict
		out[fmt.Sprintf("%s, nothing found", verdict)] = wholeOf(empty)
		out[fmt.Sprintf("%s, drift", verdict)] = wholeOf(full)
		out[fmt.Sprintf("%s, applied", verdict)] = wholeOf(after)
	}
	refused := inOrder()
	refused.verdict, refused.applied = reconcile.VerdictRefused, &applied{startedAt: refused.header.CreatedAt, finishedAt: refused.header.CreatedAt}
	refused.guards = []reconcile.Guard{{Name: "maxChangedPercent", Limit: 30, Actual: 100, Refused: true}}
	out["refused, applied"] = wholeOf(refused)
	return out
}

// hostileTexts are what a tenant may call its mailboxes to break out of some form.
func hostileTexts() []string {
	return []string{
		"<script>alert(1)</script>",
		"</title></style><img src=x onerror=alert(1)>",
		`" onmouseover="alert(1)`,
		`=HYPERLINK("http://evil.example/","ok")`,
		"+1", "-1", "@SUM(A1)", "\t=1", "\r=1",
		"::error file=a.go,line=1::all is well",
		"%0A::error::x", "\n::error::x",
		"##vso[task.complete result=Succeeded;]DONE",
		"##[error]x",
		"a]]>b", "&amp;&#60;", "<!-- -->", "<?xml?>", "]]&gt;",
		"a\x00b\x01c\x1b[31md\x7fe\u0085f\u2028g", "\xff\xfe", "\ufffe\uffff", "\U000e0041",
		"invoice\u202efdp.exe", "\u2066x\u2069", "zero\u200bwidth",
		"| a | b |\n|---|---|", "[x](http://evil.example)", "![x](http://evil.example/x.png)", "**bold** _it_ `code` ~s~ # h",
		"<details><summary>x</summary>", "```\n::error::\n```", "@everyone", "https://evil.example/",
		`a"b,c;d` + "\r\ne", "'single", "back\\slash", "{{.}}", "${x}", "javascript:alert(1)",
		strings.Repeat("long.", 2_000) + "@contoso.com",
	}
}

// hostileRun has each hostile text wherever a tenant, or whoever wrote a policy, can put
// one: in names, values, reasons, notes, warnings and rules.
func hostileRun(t testing.TB) Report {
	t.Helper()
	return textRun(hostileTexts())
}

// textRun has some texts where hostileRun has hostile ones; it takes at least eleven.
func textRun(list []string) Report {
	d := afterwards()
	var changes []reconcile.Change
	var unknown []reconcile.UnknownObject
	var byType []reconcile.TypeStanding
	r := wholeOf(d)
	for i, text := range list {
		c := reconcile.Change{
			ID: fmt.Sprintf("%016x", i), Subject: mailbox(i, text), Setting: audit.SettingAuditDelegate,
			Before: []string{text}, After: []string{"Create", text}, Add: []string{text},
			Fate: reconcile.FatePlanned, Reason: text, Severity: audit.High, Result: reconcile.ResultFailed, Note: text,
			Origin:   policy.Origin{Pos: policy.Pos{File: text + ".yaml", Line: 1 + i, Column: 5}, Rule: text},
			Controls: []string{text},
		}
		c.Subject.Type = audit.MailboxType(text)
		changes = append(changes, c)
		unknown = append(unknown, reconcile.UnknownObject{Subject: mailbox(1000+i, text), Setting: audit.SettingAuditEnabled, Reason: text})
		byType = append(byType, reconcile.TypeStanding{Type: text, States: reconcile.StateCounts{Drifted: 1, Unknown: 1}})
		r.doc.warnings = append(r.doc.warnings, text)
		r.doc.coverage.Reasons = append(r.doc.coverage.Reasons, text)
		r.doc.refused = append(r.doc.refused, text)
		r.doc.byRule = append(r.doc.byRule, reconcile.RuleStanding{Rule: text, Place: c.Origin.Pos, Controls: c.Controls})
		r.doc.acceptances = append(r.doc.acceptances, reconcile.Acceptance{
			Kind: reconcile.PartExemption, Name: text, Reason: text, Owner: text, Expires: time.Date(2027, 1, 1+i, 0, 0, 0, 0, time.UTC), Place: c.Origin.Pos,
		})
	}
	r.doc.header.Policy.Name, r.doc.header.Tenant, r.doc.applied.stopped = list[0], list[10], list[9]
	r.doc.changes, r.doc.unknown, r.doc.byType = slices.Values(changes), slices.Values(unknown), byType
	r.doc.coverage.Complete, r.doc.verdict = false, reconcile.VerdictIncomplete
	return r
}

// manyFindings is a plan with n findings in n mailboxes that share ten causes, for
// benchmarks and limits. It holds none of them.
func manyFindings(n int) Report {
	d := drifted()
	d.verdict = reconcile.VerdictDrift
	d.coverage.Complete, d.coverage.Reasons, d.refused = true, nil, nil
	d.unknown = slices.Values([]reconcile.UnknownObject{})
	d.summary.States = map[audit.SubjectKind]reconcile.StateCounts{audit.KindMailbox: {Drifted: n}}
	d.summary.Changes = reconcile.FateCounts{Planned: n}
	d.coverage.Mailboxes = reconcile.MailboxCoverage{Read: n, ByType: map[string]int{"UserMailbox": n}}
	d.changes = mailboxFindings(n)
	r := wholeOf(d)
	r.doc.byType = []reconcile.TypeStanding{{Type: "UserMailbox", States: reconcile.StateCounts{Drifted: n}}}
	return r
}

func mailboxFindings(n int) iter.Seq[reconcile.Change] {
	settings := []audit.Setting{audit.SettingAuditAdmin, audit.SettingAuditDelegate, audit.SettingAuditOwner}
	return func(yield func(reconcile.Change) bool) {
		for i := range n {
			c := reconcile.Change{
				ID: fmt.Sprintf("%016x", i), Subject: mailbox(i, fmt.Sprintf("user-%06d@contoso.com", i)), Setting: settings[i%3],
				Before: []string{"Create", "HardDelete"}, After: []string{"Create", "FolderBind", "HardDelete"}, Add: []string{"FolderBind"},
				Fate: reconcile.FatePlanned, Reason: "FolderBind is not recorded", Severity: audit.High, Origin: origin(20+i%10, "everyone"),
				Controls: []string{"CIS-M365-7.0:6.1.2"},
			}
			if !yield(c) {
				return
			}
		}
	}
}
