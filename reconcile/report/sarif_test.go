package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// written gives a report in a form.
func written(t testing.TB, r Report, f Format) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, f, Options{}); err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	return b.Bytes()
}

// golden holds a report to its golden file; with -update it writes it.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", file)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); run the test with -update if that is meant:\n%s", path, diff)
	}
}

// publicData reads a file of the shared data, and skips where there is none.
func publicData(t *testing.T, file string) (path string, data []byte) {
	t.Helper()
	path = filepath.Join("..", "..", "..", "shared", "data", file)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("skipped: there is no %s; put it there to hold the report to it", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path, data
}

// sarifLog is what a consumer reads of a log.
type sarifLog struct {
	Version string `json:"version"`
	Runs    []struct {
		Invocations []sarifInvocation `json:"invocations"`
		Properties  sarifRunBag       `json:"properties"`
		Tool        sarifTool         `json:"tool"`
		Results     []sarifResult     `json:"results"`
	} `json:"runs"`
}

func readSARIF(t testing.TB, data []byte) sarifLog {
	t.Helper()
	var log sarifLog
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatalf("is not SARIF: %v", err)
	}
	if len(log.Runs) != 1 || len(log.Runs[0].Invocations) != 1 || log.Runs[0].Results == nil {
		t.Fatal("is not one run with one invocation and results")
	}
	return log
}

// sarifPasses judges a log as code scanning does: a run that succeeded and has no
// result at a level above note that is not suppressed.
func sarifPasses(log sarifLog) bool {
	run := log.Runs[0]
	return run.Invocations[0].ExecutionSuccessful && !slices.ContainsFunc(run.Results, func(r sarifResult) bool {
		return r.Kind == "fail" && r.Level != "note" && len(r.Suppressions) == 0
	})
}

func TestSARIFGolden(t *testing.T) {
	t.Parallel()
	golden(t, "shared.sarif", written(t, sharedRun(), SARIF))
	golden(t, "applied.sarif", written(t, appliedRun(), SARIF))
}

// TestSARIFSchema holds logs of every sort to the official schema.
func TestSARIFSchema(t *testing.T) {
	t.Parallel()
	_, schema := publicData(t, "sarif-schema-2.1.0.json")
	s := compiled(t, schema)
	reports := unjudged()
	reports["shared"], reports["applied"], reports["in line"] = sharedRun(), appliedRun(), inLineRun()
	reports["hostile"], reports["many"] = hostileRun(t), manyFindings(sarifMost+1)
	for name, r := range reports {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(written(t, r, SARIF)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := bytes.Replace(written(t, sharedRun(), SARIF), []byte(`"startLine":`), []byte(`"startLines":`), 1)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(broken))
	if err != nil {
		t.Fatal(err)
	}
	if s.Validate(doc) == nil {
		t.Error("the schema takes a log that is none, so it says nothing about the others")
	}
}

// TestSARIFVerdict: what was not judged is no pass to a consumer that knows the
// standard, and its first notification says so.
func TestSARIFVerdict(t *testing.T) {
	t.Parallel()
	for name, r := range unjudged() {
		run := readSARIF(t, written(t, r, SARIF)).Runs[0]
		if run.Invocations[0].ExecutionSuccessful {
			t.Errorf("%s: executionSuccessful is true", name)
		}
		list := run.Invocations[0].Notifications
		if len(list) == 0 || list[0].Level != "error" || list[0].Descriptor.ID != noticeJudged || list[0].Message.Text != r.doc.headline() {
			t.Errorf("%s: the first notification is not the verdict: %+v", name, list)
		}
		if run.Properties.Verdict != string(r.doc.verdict) {
			t.Errorf("%s: the verdict is %q", name, run.Properties.Verdict)
		}
	}
	if !sarifPasses(readSARIF(t, written(t, inLineRun(), SARIF))) {
		t.Error("a run in line does not pass")
	}
	if sarifPasses(readSARIF(t, written(t, driftOnly(), SARIF))) {
		t.Error("drift passes")
	}
	// The verdict stands before any result, for whoever reads no further.
	doc := string(written(t, sharedRun(), SARIF))
	if strings.Index(doc, "executionSuccessful") > strings.Index(doc, `"results"`) {
		t.Error("results come before the verdict")
	}
}

// TestSARIFCategory: no run closes what a run of another policy, or of the whole tenant,
// has found.
func TestSARIFCategory(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for name, edit := range map[string]func(*document){
		"full":                      func(*document) {},
		"one mailbox":               func(d *document) { d.coverage.Scope = reconcile.ScopeMailbox },
		"undo":                      func(d *document) { d.coverage.Scope = reconcile.ScopeUndo },
		"undo without a policy":     func(d *document) { d.coverage.Scope, d.header.Policy.Name = reconcile.ScopeUndo, "" },
		"another policy":            func(d *document) { d.header.Policy.Name = "other" },
		"a policy named by a scope": func(d *document) { d.header.Policy.Name += "/mailbox" },
		"another tenant":            func(d *document) { d.header.Tenant = "other" },
	} {
		r := driftOnly()
		edit(&r.doc)
		var log struct {
			Runs []struct{ AutomationDetails sarifDetails }
		}
		if err := json.Unmarshal(written(t, r, SARIF), &log); err != nil {
			t.Fatal(err)
		}
		id := log.Runs[0].AutomationDetails.ID
		if other, ok := seen[id]; ok || !strings.HasPrefix(id, "exoaudit/") || !strings.HasSuffix(id, "/") {
			t.Errorf("%s has the category %q, as has %q", name, id, other)
		}
		seen[id] = name
	}
	part := driftOnly()
	part.doc.coverage.Scope = reconcile.ScopeIncremental
	if part.doc.category() != driftOnly().doc.category() {
		t.Error("an incremental run, which carries what is open, has a category of its own")
	}
}

// TestSARIFNotices: each reason why a run is no judgement is notified as an error, and
// is described.
func TestSARIFNotices(t *testing.T) {
	t.Parallel()
	run := readSARIF(t, written(t, sharedRun(), SARIF)).Runs[0]
	got := map[string][]string{}
	for _, n := range run.Invocations[0].Notifications {
		got[n.Descriptor.ID] = append(got[n.Descriptor.ID], n.Level+" "+n.Message.Text)
	}
	want := map[string][]string{
		noticeJudged:   {"error INCOMPLETE: not everything was read, written and confirmed. This is no pass."},
		noticeCoverage: {`error Get-Mailbox: page 3 broke off\x1b[0m`, "error 2 objects could not be judged"},
		noticeRefused:  {"error Get-AdminAuditLogConfig was refused as a whole: the credential may not run it"},
		noticeUnknown: {
			`error mailbox, auditEnabled: AuditEnabled is absent: 2 mailboxes, the first is \x3a:warning:\x3ax`,
			"error bypass: Get-MailboxAuditBypassAssociation: cursor lost",
		},
		noticeGuard: {"warning maxChangedPercent: 30.01, at most 30: refused, nothing is written"},
		noticeWarning: {
			"warning mailbox auditing is off for the whole organisation: nothing below is recorded", `warning \x3a:notice:\x3ax`,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notifications (-want +got):\n%s", diff)
	}
	described := map[string]bool{}
	for _, n := range run.Tool.Driver.Notifications {
		described[n.ID] = true
	}
	for id := range got {
		if !described[id] {
			t.Errorf("the notification %s is not described", id)
		}
	}
}

// TestSARIFStandings: results are told apart as the verdict does, and their number is
// that of the JSON of the same run.
func TestSARIFStandings(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Report{"shared": sharedRun(), "applied": appliedRun(), "drift": driftOnly(), "in line": inLineRun(), "hostile": hostileRun(t)} {
		run := readSARIF(t, written(t, r, SARIF)).Runs[0]
		var doc struct {
			Changes []struct{ Fate, Severity, Result string }
			Unknown []any
		}
		if err := json.Unmarshal(written(t, r, JSON), &doc); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, result := range run.Results {
			got[result.Properties.Standing]++
			if suppressed := len(result.Suppressions) > 0; suppressed != (result.Properties.Fate == string(reconcile.FateExempt)) {
				t.Errorf("%s: %s is suppressed: %t", name, result.Message.Text, suppressed)
			}
			if result.Properties.Standing == "below" && result.Properties.Why == "" {
				t.Errorf("%s: %s does not say why it does not count", name, result.Message.Text)
			}
		}
		p := run.Properties
		if p.Counting != got["counts"] || p.Below != got["below"] || p.Accepted != got["accepted"] || p.Unknown != len(doc.Unknown) {
			t.Errorf("%s: the properties %+v do not agree with the results %v", name, p, got)
		}
		fixed := 0
		for _, c := range doc.Changes {
			if c.Result == string(reconcile.ResultVerified) || c.Result == string(reconcile.ResultNotNeeded) {
				fixed++
			}
		}
		if p.Fixed != fixed || len(run.Results)+fixed != len(doc.Changes) {
			t.Errorf("%s: %d results and %d fixed of %d changes", name, len(run.Results), p.Fixed, len(doc.Changes))
		}
	}
}

// TestSARIFRules: ids, indexes and levels of rules hold whatever was found.
func TestSARIFRules(t *testing.T) {
	t.Parallel()
	r := driftOnly()
	r.doc.changes = func(yield func(reconcile.Change) bool) {
		for i := range 60 {
			c := someChanges()[2]
			c.Controls = []string{"CIS-" + number(1_000_000-i)}
			if !yield(c) {
				return
			}
		}
		c := someChanges()[11]
		c.Setting, c.Severity = audit.SettingAuditLogAgeLimit, audit.Medium // as a policy may say
		yield(c)
	}
	run := readSARIF(t, written(t, r, SARIF)).Runs[0]
	for i, got := range run.Tool.Driver.Rules {
		want := rules()[i]
		if got.ID != want.ID || got.ShortDescription.Text != want.Title || got.Help.Text != want.Help {
			t.Errorf("rule %d is %+v", i, got)
		}
		if len(got.Properties.Tags) > sarifTags || got.Properties.Tags[0] != "security" || !slices.IsSorted(got.Properties.Tags[1:]) {
			t.Errorf("%s has the tags %q", got.ID, got.Properties.Tags)
		}
		word := audit.DefaultSeverity(audit.Setting(want.Setting)).String()
		if want.Setting == "auditLogAgeLimit" {
			word = "medium"
		}
		if got.Default.Level != sarifLevel(word) || got.Properties.SecuritySeverity != securitySeverity(word) {
			t.Errorf("%s has level %s and %s, and is %s", got.ID, got.Default.Level, got.Properties.SecuritySeverity, word)
		}
	}
	if n := len(run.Tool.Driver.Rules); n != len(rules()) || n != len(audit.Settings()) {
		t.Errorf("%d rules for %d settings", n, len(audit.Settings()))
	}
	for _, result := range run.Results {
		if id := run.Tool.Driver.Rules[*result.RuleIndex].ID; id != result.RuleID {
			t.Errorf("the index of %s leads to %s", result.RuleID, id)
		}
	}
	if tags := run.Tool.Driver.Rules[10].Properties.Tags; len(tags) != sarifTags || tags[1] != "CIS-1,000,000" && tags[1] != "CIS-999,941" {
		t.Errorf("tags are %q", tags)
	}
}

// TestSARIFWriterErrors: the first error ends the writing, at once. Findings are gone
// through twice before the first is written, for the verdict in words and for what
// stands before them.
func TestSARIFWriterErrors(t *testing.T) {
	t.Parallel()
	for _, n := range []int{sarifMost, sarifMost + 1} {
		produced := 0
		r := driftOnly()
		r.doc.changes = func(yield func(reconcile.Change) bool) {
			for c := range mailboxFindings(n) {
				produced++
				if !yield(c) {
					return
				}
			}
		}
		err := r.Write(&brokenWriter{n: 100 << 10}, SARIF, Options{})
		if n > sarifMost { // ten results: all fit
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if !errors.Is(err, errDiskFull) {
			t.Errorf("%v, want %v", err, errDiskFull)
		}
		if over := produced - 2*n; over > 1000 {
			t.Errorf("%d findings were produced for a writer that takes 100 KiB", over)
		}
	}
	if err := sharedRun().Write(&brokenWriter{}, SARIF, Options{}); !errors.Is(err, errDiskFull) {
		t.Errorf("%v, want %v", err, errDiskFull)
	}
}

// BenchmarkWriteSARIF writes 100,000 findings.
func BenchmarkWriteSARIF(b *testing.B) { benchmarkWrite(b, SARIF) }

// benchmarkWrite writes 100,000 findings in a form.
func benchmarkWrite(b *testing.B, f Format) {
	b.ReportAllocs()
	r := manyFindings(100_000)
	var size countingWriter
	for b.Loop() {
		size = 0
		if err := r.Write(&size, f, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size), "bytes-written")
}

type countingWriter int

func (w *countingWriter) Write(p []byte) (int, error) {
	*w += countingWriter(len(p))
	return len(p), nil
}

var _ io.Writer = (*countingWriter)(nil)
