package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
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

var update = flag.Bool("update", false, "write the golden files anew")

// hostileNames are what a tenant may call its mailboxes.
func hostileNames() []string {
	return []string{
		"::error file=a.go,line=1::all is well",
		"##vso[task.complete result=Succeeded;]DONE",
		"\x1b[2J\x1b[32mIn line\x1b[0m",
		"invoice\u202efdp.exe",
		"a\r\nIn line: 12 of 12 mailboxes",
		"<script>alert(1)</script> & 山田\u3000太郎",
		"zero\u200bwidth\u2028line",
		strings.Repeat("long.", 30) + "@contoso.com",
	}
}

func mailbox(i int, name string) reconcile.Subject {
	return reconcile.Subject{
		Kind: audit.KindMailbox, ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Name: name, Type: audit.UserMailbox,
	}
}

func origin(line int, rule string) policy.Origin {
	return policy.Origin{Pos: policy.Pos{File: "policy.yaml", Line: line, Column: 5}, Rule: rule}
}

// someChanges has every fate, groups of one and of many, and every form of
// value.
func someChanges() []reconcile.Change {
	list := []reconcile.Change{{
		ID: "a000000000000001", Subject: reconcile.Subject{Kind: audit.KindBypass, ID: "b-1", Name: "svc-dlp"},
		Setting: audit.SettingAuditBypassEnabled, Before: true, After: true,
		Fate: reconcile.FateExempt, Reason: "allowed until 2027-03-31: content scanner", Severity: audit.High, Origin: origin(30, ""),
	}, {
		ID: "a000000000000002", Subject: reconcile.Subject{Kind: audit.KindBypass, ID: "b-2", Name: "mallory"},
		Setting: audit.SettingAuditBypassEnabled, Before: true, After: false,
		Fate: reconcile.FatePlanned, Reason: "bypassed and not allowed", Severity: audit.High, Origin: origin(29, ""),
	}}
	for i, name := range hostileNames() {
		list = append(list, reconcile.Change{
			ID: fmt.Sprintf("b%015d", i), Subject: mailbox(i, name), Setting: audit.SettingAuditDelegate,
			Before: []string{"Create"}, After: []string{"Create", "FolderBind", "Move"}, Add: []string{"FolderBind", "Move"},
			Fate: reconcile.FatePlanned, Reason: "FolderBind, Move of delegate is not recorded", Severity: audit.High,
			Pins: true, Origin: origin(22, "everyone"), Controls: []string{"CIS-M365-7.0:6.1.2"},
		})
	}
	return append(list, reconcile.Change{
		ID: "c000000000000001", Subject: mailbox(90, "ann@contoso.com"), Setting: audit.SettingAuditOwner,
		Before: []string{"MailboxLogin", "SoftDelete"}, After: []string{"MailboxLogin"}, Remove: []string{"SoftDelete"},
		Fate: reconcile.FateBlocked, Reason: "weakening is not allowed", Severity: audit.High, Weakens: true, Origin: origin(24, "exact"),
	}, reconcile.Change{
		ID: "c000000000000002", Subject: mailbox(91, "group@contoso.com"), Setting: audit.SettingAuditLogAgeLimit,
		Before: "90.00:00:00", After: "180.00:00:00",
		Fate: reconcile.FateUnsupported, Reason: "the service has no way to set it", Severity: audit.Low, Origin: origin(26, "everyone"),
	}, reconcile.Change{
		ID: "c000000000000003", Subject: reconcile.Subject{Kind: audit.KindOrganization, ID: "organization"},
		Setting: audit.SettingAuditDisabled, Before: true, After: false,
		Fate: reconcile.FatePlanned, Reason: "mailbox auditing is off for the whole organisation", Severity: audit.High, Origin: origin(8, ""),
	})
}

func someUnknown() []reconcile.UnknownObject {
	return []reconcile.UnknownObject{
		{Subject: mailbox(95, "::warning::x"), Setting: audit.SettingAuditEnabled, Reason: "AuditEnabled is absent"},
		{Subject: mailbox(96, "bob@contoso.com"), Setting: audit.SettingAuditEnabled, Reason: "AuditEnabled is absent"},
		{Subject: reconcile.Subject{Kind: audit.KindBypass}, Reason: "Get-MailboxAuditBypassAssociation: cursor lost"},
	}
}

// drifted is a plan with everything in it.
func drifted() document {
	at := time.Date(2026, time.November, 23, 10, 0, 0, 0, time.FixedZone("CET", 3600))
	return document{
		schema: reconcile.PlanSchema,
		header: reconcile.Header{
			Tool: "exoaudit v0.1.0", RunID: "run-1", Tenant: "7c9e1d42-5b0a-4f63-9a17-3d2e86c4b5f0", CreatedAt: at,
			Policy: reconcile.PolicyRef{Name: "contoso-baseline", Digest: "sha256:00"},
		},
		verdict: reconcile.VerdictIncomplete,
		coverage: reconcile.Coverage{
			Scope: reconcile.ScopeFull, Reasons: []string{"Get-Mailbox: page 3 broke off\x1b[0m", "2 objects could not be judged"},
			Mailboxes: reconcile.MailboxCoverage{Read: 1200, ByType: map[string]int{"UserMailbox": 1100, "SharedMailbox": 100}},
			Bypass:    reconcile.BypassCoverage{Read: 3400, UnknownSystem: 7, ReadAt: at},
			Requests:  8, Pages: 6,
			Cost: []reconcile.Cost{
				{For: "hasDelegates", Requests: 1, Why: "listing who may send as whom, 1200 rows"},
				{For: "memberOf finance-leads@contoso.com", Requests: 3, Why: "listing 1012 members, 1 nested group"},
			},
		},
		summary: reconcile.Summary{
			States: map[audit.SubjectKind]reconcile.StateCounts{
				audit.KindMailbox:      {InSync: 1180, Drifted: 10, NotApplicable: 8, Unknown: 2},
				audit.KindBypass:       {InSync: 3398, Drifted: 1, Exempt: 1},
				audit.KindOrganization: {Drifted: 1},
			},
			Changes: reconcile.FateCounts{Planned: 10, Blocked: 1, Unsupported: 1, Exempt: 1},
		},
		guards: []reconcile.Guard{
			{Name: "population", Limit: 90, Actual: 100},
			{Name: "maxChangedPercent", Limit: 30, Actual: 30.001, Refused: true},
		},
		estimate: reconcile.Estimate{Writes: 10, Requests: 1, VerifyRequests: 2},
		catalogue: reconcile.Catalogue{
			Moved: []reconcile.MovedDefaults{{
				Type: audit.UserMailbox, Logon: "Owner", Licensed: true, Added: []string{"AttachmentAccess"}, Dropped: []string{},
			}},
			Lagging: []reconcile.LaggingLists{{Logon: "Delegate", Mailboxes: 2, Lacking: map[string]int{"MailItemsAccessed": 2}}},
		},
		changes:  slices.Values(someChanges()),
		unknown:  slices.Values(someUnknown()),
		warnings: []string{"mailbox auditing is off for the whole organisation: nothing below is recorded", "::notice::x"},
		refused:  []string{"Get-AdminAuditLogConfig"},
	}
}

// afterwards is the same plan, applied.
func afterwards() document {
	d := drifted()
	d.schema, d.verdict = reconcile.RunSchema, reconcile.VerdictDrift
	d.coverage.Complete, d.coverage.Reasons, d.refused = true, nil, nil
	list := someChanges()
	results := map[reconcile.Result]int{}
	for i := range list {
		if list[i].Fate != reconcile.FatePlanned {
			continue
		}
		list[i].Result = []reconcile.Result{reconcile.ResultVerified, reconcile.ResultFailed, reconcile.ResultSkipped}[i%3]
		if i%3 == 1 {
			list[i].Note = "the service said: \x1b[31mno"
		}
		results[list[i].Result]++
	}
	d.changes = slices.Values(list)
	d.applied = &applied{
		startedAt: d.header.CreatedAt, finishedAt: d.header.CreatedAt.Add(time.Minute), journalHead: "00ff",
		stopped: "interrupted", results: results, warnings: []string{"writes until ingestion starts are in our journal only"},
		refused: []string{"Set-MailboxAuditBypassAssociation"},
	}
	return d
}

// inOrder is a plan with nothing in it.
func inOrder() document {
	d := drifted()
	d.verdict = reconcile.VerdictInLine
	d.coverage.Complete, d.coverage.Reasons, d.refused, d.warnings = true, nil, nil, nil
	d.changes, d.unknown = slices.Values([]reconcile.Change{}), slices.Values([]reconcile.UnknownObject{})
	d.guards, d.estimate = nil, reconcile.Estimate{}
	d.summary = reconcile.Summary{States: map[audit.SubjectKind]reconcile.StateCounts{audit.KindMailbox: {InSync: 1192, NotApplicable: 8}}}
	return d
}

func TestGolden(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file  string
		write func(io.Writer) error
	}{
		{"plan.json", func(w io.Writer) error { return writeJSON(w, drifted()) }},
		{"run.json", func(w io.Writer) error { return writeJSON(w, afterwards()) }},
		{"inline.json", func(w io.Writer) error { return writeJSON(w, inOrder()) }},
		{"plan.txt", func(w io.Writer) error { return writeText(w, drifted(), TextOptions{}) }},
		{"plan-verbose.txt", func(w io.Writer) error { return writeText(w, drifted(), TextOptions{Verbose: true}) }},
		{"run.txt", func(w io.Writer) error { return writeText(w, afterwards(), TextOptions{}) }},
		{"run-results.txt", func(w io.Writer) error { return writeText(w, afterwards(), TextOptions{ResultsOnly: true}) }},
		{"inline.txt", func(w io.Writer) error { return writeText(w, inOrder(), TextOptions{}) }},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			var got bytes.Buffer
			if err := tt.write(&got); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "golden", tt.file)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s differs (-want +got); run the test with -update if that is meant:\n%s", path, diff)
			}
		})
	}
}

// TestHarmless looks at every line of every form, whatever the golden files
// say.
func TestHarmless(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]document{"plan": drifted(), "run": afterwards()} {
		for form, write := range map[string]func(io.Writer) error{
			"json":    func(w io.Writer) error { return writeJSON(w, d) },
			"text":    func(w io.Writer) error { return writeText(w, d, TextOptions{Verbose: true}) },
			"results": func(w io.Writer) error { return writeText(w, d, TextOptions{ResultsOnly: true}) },
		} {
			var out bytes.Buffer
			if err := write(&out); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				line = strings.TrimSuffix(line, "\n")
				if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##") {
					t.Errorf("%s %s: %q can be read as a command", name, form, line)
				}
				if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
					t.Errorf("%s %s: %q holds an invisible rune at %d", name, form, line, i)
				}
				if strings.HasPrefix(line, "In line") {
					t.Errorf("%s %s: %q: a name forged the verdict", name, form, line)
				}
			}
		}
	}
}

// TestJSONMeansTheSame decodes what was escaped.
func TestJSONMeansTheSame(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := writeJSON(&out, drifted()); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Changes []struct {
			Subject reconcile.Subject `json:"subject"`
		} `json:"changes"`
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range doc.Changes {
		if c.Subject.Type == audit.UserMailbox && strings.HasPrefix(c.Subject.ID, "00000000-0000-4000-8000-00000000000") {
			names = append(names, c.Subject.Name)
		}
	}
	if diff := cmp.Diff(hostileNames(), names); diff != "" {
		t.Errorf("names after decoding (-want +got):\n%s", diff)
	}
}

// TestNoNull: arrays are never null, whatever was left empty.
func TestNoNull(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	d := document{changes: slices.Values([]reconcile.Change{{Before: []string(nil), After: []string{}}}), unknown: slices.Values([]reconcile.UnknownObject{})}
	if err := writeJSON(&out, d); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "null") {
		t.Errorf("holds a null:\n%s", out.String())
	}
	if !json.Valid(out.Bytes()) {
		t.Errorf("is not JSON:\n%s", out.String())
	}
}

// brokenWriter takes n bytes.
type brokenWriter struct{ n int }

var errDiskFull = errors.New("disk full")

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.n -= len(p); w.n < 0 {
		return 0, errDiskFull
	}
	return len(p), nil
}

// TestWriterErrors: the first error ends the writing, at once. The changes here
// never end, so a writer that gathered them would not either.
func TestWriterErrors(t *testing.T) {
	t.Parallel()
	produced := 0
	d := drifted()
	d.changes = func(yield func(reconcile.Change) bool) {
		for {
			produced++
			if !yield(someChanges()[0]) {
				return
			}
		}
	}
	if err := writeJSON(&brokenWriter{n: 100 << 10}, d); !errors.Is(err, errDiskFull) {
		t.Errorf("writeJSON: %v, want %v", err, errDiskFull)
	}
	if produced > 10_000 {
		t.Errorf("%d changes were produced for a writer that takes 100 KiB", produced)
	}
	if err := writeText(&brokenWriter{}, inOrder(), TextOptions{}); !errors.Is(err, errDiskFull) {
		t.Errorf("writeText: %v, want %v", err, errDiskFull)
	}
}

// TestGroups: people read one paragraph, however many mailboxes share a cause.
func TestGroups(t *testing.T) {
	t.Parallel()
	one := someChanges()[2]
	changes := func(yield func(reconcile.Change) bool) {
		for range 20_000 {
			if !yield(one) {
				return
			}
		}
	}
	groups := groupChanges(changes, namesShown)
	if len(groups) != 1 || groups[0].count != 20_000 || len(groups[0].names) != namesShown {
		t.Errorf("20,000 equal changes made %d groups", len(groups))
	}
}

func TestWidth(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{"abc": 3, "山田": 4, "e\u0301": 1, "\x1b[31mred\x1b[0m": 3, "": 0, "😀": 2} {
		if got := width(s); got != want {
			t.Errorf("width(%q) = %d, want %d", s, got, want)
		}
	}
	if got := truncate("山田太郎花子", 7); got != "山田太…" {
		t.Errorf("truncate = %q", got)
	}
	if got := truncate("short", 5); got != "short" {
		t.Errorf("truncate = %q", got)
	}
	want := []string{"aaa bbb", "cccccccccc", "d"}
	if diff := cmp.Diff(want, wrap("aaa bbb  cccccccccc d", 8)); diff != "" {
		t.Errorf("wrap (-want +got):\n%s", diff)
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %s, want %s", n, got, want)
		}
	}
	for f, want := range map[float64]string{0: "0", 30: "30", 30.0000001: "30.01", 0.8: "0.8", 8.33: "8.33"} {
		if got := figure(f); got != want {
			t.Errorf("figure(%v) = %s, want %s", f, got, want)
		}
	}
}
