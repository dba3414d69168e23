package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/journal"
	"github.com/exoaudit/exoaudit/reconcile/store"
	"github.com/exoaudit/exoaudit/reconcile/store/sqlite"
)

const pastTenant = "7c9e1d42-5b0a-4f63-9a17-3d2e86c4b5f0"

// reported is the golden report of a run, under an id and with a head of the right
// length.
func reported(t testing.TB, id string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "golden", "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte(`"runId": "run-1"`), fmt.Appendf(nil, `"runId": %q`, id), 1)
	return bytes.Replace(text, []byte(`"journalHead": "00ff"`), fmt.Appendf(nil, `"journalHead": "%064x"`, 255), 1)
}

// pastStore is a store with a run that was reported, one that was killed after a
// write of every form of value, one whose journal is in a file, and one that only
// compared.
func pastStore(t *testing.T) store.Store {
	t.Helper()
	ctx := t.Context()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	now := func() time.Time { at = at.Add(time.Second); return at }
	st, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "state.db"), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	lease, err := st.Acquire(ctx, pastTenant, store.Holder{Name: "test", Place: "here"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var head store.Head
	book := journal.NewBook("killed", now, "", 0, func(ctx context.Context, lines []journal.Line) error {
		err := st.Append(ctx, lease, head, lines)
		head = store.Head{Seq: head.Seq + int64(len(lines)), Hash: lines[len(lines)-1].Hash}
		return err
	})
	intents := pastIntents()
	row := store.Run{Tenant: pastTenant, StartedAt: at.Add(time.Hour), FinishedAt: at.Add(2 * time.Hour), Tool: "exoaudit v0.1.0", PolicyName: "p", PolicyDigest: "sha256:00"}
	run := func(id, command, verdict string, change func(*store.Run)) error {
		r := row
		r.ID, r.Command, r.Verdict, r.Scope = id, command, verdict, string(reconcile.ScopeFull)
		change(&r)
		return st.SaveRun(ctx, r)
	}
	err = errors.Join(
		book.Begin(ctx, journal.Begin{Tool: "exoaudit v0.1.0", Tenant: pastTenant, PolicyName: "p", PolicyDigest: "sha256:00"}),
		book.Intend(ctx, intents),
		book.Conclude(ctx, []journal.Outcome{{
			Change: intents[0].Change, Subject: intents[0].Subject, Setting: intents[0].Setting, Result: "failed", Note: "\x1b[31m::error::no",
		}}),
		run("reported", "apply", "drift", func(r *store.Run) {
			r.Document, r.JournalHead, r.Wrote = reported(t, "reported"), fmt.Sprintf("%064x", 255), 9
		}),
		run("elsewhere", "serve/full", "inLine", func(r *store.Run) {
			r.JournalFile, r.JournalHead, r.Wrote, r.Complete, r.StartedAt = "/var/own.ndjson", fmt.Sprintf("%064x", 3), 4, true, row.StartedAt.Add(time.Hour)
		}),
		run("compared", "check", "inLine", func(r *store.Run) { r.Complete, r.StartedAt = true, row.StartedAt.Add(2*time.Hour) }),
	)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// pastIntents are writes of every form of value, by hostile names.
func pastIntents() []journal.Intent {
	var out []journal.Intent
	add := func(kind audit.SubjectKind, name string, setting audit.Setting, before, after any) {
		out = append(out, journal.Intent{
			Change: fmt.Sprintf("%016x", len(out)+1), Subject: journal.Subject{Kind: kind, ID: fmt.Sprint("id-", len(out)), Name: name},
			Setting: setting, Before: before, After: after, Origin: "policy.yaml:3:5",
		})
	}
	for _, name := range hostileNames() {
		add(audit.KindMailbox, name, audit.SettingAuditOwner, []string(nil), []string{"Move"})
	}
	add(audit.KindMailbox, "eve@contoso.com", audit.SettingAuditLogAgeLimit, "90.00:00:00", "180.00:00:00")
	add(audit.KindBypass, "svc", audit.SettingAuditBypassEnabled, true, false)
	add(audit.KindRetention, "exoaudit", audit.SettingRetentionPolicy, nil, []string{"Priority=1"})
	add(audit.KindOrganization, "", "organizationCustomization", false, true)
	out[len(out)-1].Change = ""
	return out
}

func pastRuns(t *testing.T, st store.Store, q reconcile.HistoryQuery) (*reconcile.History, []reconcile.PastRun) {
	t.Helper()
	h, err := reconcile.OpenHistory(t.Context(), st, pastTenant)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := h.Runs(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return h, runs
}

// TestHistoryHasTheShapeOfItsSchema: every way in which a run is told, and nothing
// that the schema does not name.
func TestHistoryHasTheShapeOfItsSchema(t *testing.T) {
	t.Parallel()
	st := pastStore(t)
	h, runs := pastRuns(t, st, reconcile.HistoryQuery{All: true})
	var out bytes.Buffer
	if notices, err := WriteHistory(t.Context(), &out, h, runs, HistoryOptions{}); err != nil || len(notices) > 0 {
		t.Fatal(notices, err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for name, schema := range map[string][]byte{"open": HistorySchema(), "closed": indented(t, schemaBuilder{closed: true}.history())} {
		if err := compiled(t, schema).Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var got struct {
		Runs []struct {
			RunID    string
			Verdict  string
			Warnings []string
			Changes  []struct{ Result, Note string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	ids := ""
	for _, r := range got.Runs {
		ids += r.RunID + " "
	}
	if ids != "compared elsewhere reported killed " {
		t.Errorf("the runs are %s", ids)
	}
	killed := got.Runs[3]
	if len(killed.Changes) != len(pastIntents())-1 || killed.Verdict != "incomplete" ||
		!strings.Contains(strings.Join(killed.Warnings, "\n"), "organizationCustomization was written: unconfirmed") {
		t.Errorf("the killed run is %+v", killed)
	}
	whole := make(map[string]any)
	if err := json.Unmarshal(reported(t, "reported"), &whole); err != nil {
		t.Fatal(err)
	}
	all, _ := doc.(object)["runs"].([]any)
	text, _ := json.Marshal(all[2])
	same := make(map[string]any)
	if err := json.Unmarshal(text, &same); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, same); diff != "" {
		t.Errorf("the report that was kept is not the one that is told:\n%s", diff)
	}
}

// TestHistoryOfOneObject keeps its changes and no others, and counts runs after
// that.
func TestHistoryOfOneObject(t *testing.T) {
	t.Parallel()
	st := pastStore(t)
	h, runs := pastRuns(t, st, reconcile.HistoryQuery{All: true})
	for _, name := range []string{"EVE@contoso.com", "ID-8"} {
		var out, text bytes.Buffer
		o := HistoryOptions{Subject: name, Limit: 1}
		if _, err := WriteHistory(t.Context(), &out, h, runs, o); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), `"setting"`); n != 1 || !strings.Contains(out.String(), "eve@contoso.com") {
			t.Errorf("%s: %d changes:\n%s", name, n, out.String())
		}
		if _, err := WriteHistoryText(t.Context(), &text, h, runs, o); err != nil {
			t.Fatal(err)
		}
		want := "    mailbox eve@contoso.com auditLogAgeLimit: 90.00:00:00 -> 180.00:00:00  unconfirmed  2026-11-23 09:0"
		if !strings.Contains(text.String(), want) || strings.Count(text.String(), "\n") != 2 {
			t.Errorf("%s:\n%s", name, text.String())
		}
	}
	var out bytes.Buffer
	if _, err := WriteHistory(t.Context(), &out, h, runs, HistoryOptions{Subject: "nobody"}); err != nil || !strings.Contains(out.String(), `"runs": []`) {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestHistoryText: a line for each run, and one for each change; nothing of the
// tenant commands a terminal.
func TestHistoryText(t *testing.T) {
	t.Parallel()
	st := pastStore(t)
	h, runs := pastRuns(t, st, reconcile.HistoryQuery{All: true})
	for file, o := range map[string]HistoryOptions{"history.txt": {}, "history-changes.txt": {Changes: true}} {
		var got bytes.Buffer
		if notices, err := WriteHistoryText(t.Context(), &got, h, runs, o); err != nil || len(notices) > 0 {
			t.Fatal(notices, err)
		}
		path := filepath.Join("testdata", "golden", file)
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", path, diff)
		}
		for line := range strings.SplitSeq(got.String(), "\n") {
			if Line(line) != line {
				t.Errorf("%s: a line is not harmless: %q", file, line)
			}
		}
	}
}

// TestHistoryOfADamagedReport: what is kept and not readable is said, and the
// journal asked instead.
func TestHistoryOfADamagedReport(t *testing.T) {
	t.Parallel()
	st := pastStore(t)
	for name, text := range map[string]string{
		"no JSON": "hello", "cut": string(reported(t, "killed")[:400]), "a plan": `{"schema": "exoaudit/plan/v1", "changes": []}`,
		"more behind": `{"schema": "exoaudit/run/v1"} {}`, "another form": `{"schema": "exoaudit/run/v1", "changes": {}}`,
		"no object": `{"schema": "exoaudit/run/v1", "changes": [1]}`,
	} {
		row := store.Run{
			ID: "killed", Tenant: pastTenant, Command: "apply", StartedAt: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
			JournalHead: "x", Document: []byte(text),
		}
		if err := st.SaveRun(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		h, runs := pastRuns(t, st, reconcile.HistoryQuery{Run: "killed"})
		var out, lines bytes.Buffer
		notices, err := WriteHistory(t.Context(), &out, h, runs, HistoryOptions{})
		if err != nil || len(notices) != 1 || !json.Valid(out.Bytes()) || !strings.Contains(out.String(), "eve@contoso.com") {
			t.Errorf("%s: notices %q, %v", name, notices, err)
		}
		notices, err = WriteHistoryText(t.Context(), &lines, h, runs, HistoryOptions{Changes: true})
		if err != nil || len(notices) != 1 || !strings.Contains(lines.String(), "eve@contoso.com") {
			t.Errorf("%s: notices %q, %v", name, notices, err)
		}
	}
}

// FuzzCopyRun: whatever stands in a store, what is copied of it is one JSON value
// that commands no terminal, and nothing is copied of what is none.
func FuzzCopyRun(f *testing.F) {
	f.Add(reported(f, "run-1"))
	f.Add([]byte(`{"schema":"exoaudit/run/v1","changes":[{"subject":{"id":"\u009b##vso"}}],"unknown":[]}`))
	f.Add([]byte(`{"changes":[{}],"changes":[]} x`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var out bytes.Buffer
		_, err := copyRun(&out, doc, func(reconcile.Subject) bool { return true })
		if err != nil {
			return
		}
		if !json.Valid(doc) || !json.Valid(out.Bytes()) || bytes.Contains(out.Bytes(), []byte("##")) || bytes.ContainsRune(out.Bytes(), 0x9b) {
			t.Errorf("%q became %q", doc, out.Bytes())
		}
	})
}
