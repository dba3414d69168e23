package evidence_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/exchange/simulator"
	"github.com/exoaudit/exoaudit/reconcile"
	"github.com/exoaudit/exoaudit/reconcile/evidence"
	"github.com/exoaudit/exoaudit/reconcile/journal"
)

var update = flag.Bool("update", false, "write the golden files anew")

// files unpacks a bundle.
func files(t testing.TB, data []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
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
		t.Errorf("%s is not as it was (-update writes it anew):\n%s", name, diff)
	}
}

// withoutReports blanks what a manifest says of the reports, which have golden files of
// their own.
func withoutReports(text []byte) []byte {
	return regexp.MustCompile(`("name":"report\.[a-z]+","size":)[0-9]+,"sha256":"[0-9a-f]+"`).ReplaceAll(text, []byte(`${1}0,"sha256":""`))
}

// TestGolden: one run, with everything in it.
func TestGolden(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		data, w := made(t, bundle(t, shared, check(t, parse(t, shared), drifting())))
		got := files(t, data)
		for _, name := range []string{"manifest.json", "controls.json", "exemptions.json", "README.txt", "observed/profiles.json", "observed/bypass.json"} {
			golden(t, "shared."+strings.ReplaceAll(name, "/", "."), withoutReports(got[name]))
		}
		var names []string
		for _, f := range w.Manifest.Files {
			names = append(names, f.Name)
			sum := sha256.Sum256(got[f.Name])
			if f.Size != int64(len(got[f.Name])) || f.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("%s is not as the manifest has it", f.Name)
			}
		}
		if !slices.IsSorted(names) || len(names)+1 != len(got) {
			t.Errorf("the manifest names %v of %d files", names, len(got))
		}
		sum := sha256.Sum256(data)
		if w.Digest != "sha256:"+hex.EncodeToString(sum[:]) || w.Size != int64(len(data)) {
			t.Errorf("digest %s, size %d", w.Digest, w.Size)
		}
		before, seal := data[:len(data)-164], data[len(data)-64:]
		if byHand := sha256.Sum256(before); hex.EncodeToString(byHand[:]) != string(seal) {
			t.Error("the seal is not what README.txt says how to work out")
		}
		if v := verified(t, data, w.Digest); !v.Whole() || v.Digest != w.Digest || v.Files != len(names) || v.Entries != 4 || v.Manifest.RunID == "" {
			t.Errorf("%+v", v)
		}
		if got := string(got["policy/00-my_policy.yaml"]); got != shared {
			t.Errorf("the policy is %q", got)
		}
	})
}

// TestSameInputsSameBytes: nothing in a bundle hangs on when it is made, or on how
// often.
func TestSameInputsSameBytes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := parse(t, shared)
		one, _ := made(t, bundle(t, shared, check(t, p, drifting())))
		b := bundle(t, shared, check(t, p, drifting()))
		two, _ := made(t, b)
		again, _ := made(t, b)
		if !bytes.Equal(one, two) || !bytes.Equal(two, again) {
			t.Error("the same inputs gave other bytes")
		}
		other, _ := made(t, bundle(t, shared, check(t, p, tenant(simulator.Seed{Seed: 2, Mailboxes: 20, BypassPerMailbox: -1}))))
		if bytes.Equal(one, other) {
			t.Error("another tenant gave the same bytes")
		}
	})
}

// document is the part of JSON files that tests look at.
type document struct {
	Controls []struct {
		ID        string
		Verdict   string
		Why       []string
		Observed  struct{ Differs, Accepted, Unknown int }
		Findings  []json.RawMessage
		IdleRules []string
		Required  []struct{ Text string }
	}
}

func controls(t testing.TB, data []byte) map[string]string {
	t.Helper()
	var d document
	if err := json.Unmarshal(files(t, data)["controls.json"], &d); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, c := range d.Controls {
		out[c.ID] = c.Verdict
		if len(c.Required) == 0 || len(c.Findings) != c.Observed.Differs+c.Observed.Accepted {
			t.Errorf("%s: %d parts, %d findings of %+v", c.ID, len(c.Required), len(c.Findings), c.Observed)
		}
		if (c.Verdict == "notJudged") != (len(c.Why) > 0) {
			t.Errorf("%s is %s, and why: %v", c.ID, c.Verdict, c.Why)
		}
	}
	return out
}

// TestControlVerdicts: what cannot be read is not judged, whoever asks for it, and what
// does not hang on it is.
func TestControlVerdicts(t *testing.T) {
	calm := func() *simulator.Tenant { return tenant(simulator.Seed{Mailboxes: 40}) }
	off := func() *simulator.Tenant {
		return tenant(simulator.Seed{Mailboxes: 40, AuditDisabled: true, UnifiedLogOff: true})
	}
	refused := func(cmdlet string) simulator.Option { return simulator.WithFaults(simulator.Refused(cmdlet)) }
	for name, c := range map[string]struct {
		tenant *simulator.Tenant
		opts   []simulator.Option
		want   map[string]string
	}{
		"in line but for an exemption": {calm(), nil, map[string]string{
			"": "met", "ORG:log": "met", "ORG:on": "met", "BOX:defaults": "met", "BOX:age": "accepted", "BYPASS:none": "met",
		}},
		"switched off": {off(), nil, map[string]string{
			"": "notMet", "ORG:log": "notMet", "ORG:on": "notMet", "BOX:defaults": "notMet", "BOX:age": "notMet", "BYPASS:none": "met",
		}},
		"drift": {drifting(), nil, map[string]string{
			"": "met", "ORG:log": "met", "ORG:on": "met", "BOX:defaults": "notMet", "BOX:age": "accepted", "BYPASS:none": "notMet",
		}},
		"no organization": {calm(), []simulator.Option{refused("Get-OrganizationConfig")}, map[string]string{
			"": "notJudged", "ORG:log": "met", "ORG:on": "notJudged", "BOX:defaults": "notJudged", "BOX:age": "notJudged", "BYPASS:none": "met",
		}},
		"no audit log": {calm(), []simulator.Option{refused("Get-AdminAuditLogConfig")}, map[string]string{
			"": "met", "ORG:log": "notJudged", "ORG:on": "met", "BOX:defaults": "met", "BOX:age": "accepted", "BYPASS:none": "met",
		}},
		"no mailboxes": {drifting(), []simulator.Option{refused("Get-Mailbox")}, map[string]string{
			"": "notJudged", "ORG:log": "met", "ORG:on": "met", "BOX:defaults": "notJudged", "BOX:age": "notJudged", "BYPASS:none": "notMet",
		}},
		"no bypass": {calm(), []simulator.Option{refused("Get-MailboxAuditBypassAssociation")}, map[string]string{
			"": "met", "ORG:log": "met", "ORG:on": "met", "BOX:defaults": "met", "BOX:age": "accepted", "BYPASS:none": "notJudged",
		}},
		"a listing that breaks off": {calm(), []simulator.Option{simulator.WithFaults(simulator.ErrorInside("Get-Mailbox", 0, "no more"))}, map[string]string{
			"": "notJudged", "ORG:log": "met", "ORG:on": "met", "BOX:defaults": "notJudged", "BOX:age": "notJudged", "BYPASS:none": "met",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				plan := check(t, parse(t, shared), c.tenant, c.opts...)
				data, w := made(t, bundle(t, shared, plan))
				if diff := cmp.Diff(c.want, controls(t, data)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				if !verified(t, data, w.Digest).Whole() {
					t.Error("it does not verify")
				}
				incomplete(t, data, w, plan)
			})
		})
	}
}

// TestOpenRules: where it cannot be told whether a rule speaks of a mailbox, no control
// is judged that speaks of it.
func TestOpenRules(t *testing.T) {
	const text = header + `mailboxes:
  vip: {where: {attribute: {customAttribute1: VIP}}, ageLimit: 30d, controls: [OPEN]}
  all: {ageLimit: 30d, controls: [BOTH, ALL]}
  one: {types: [RoomMailbox], ageLimit: 30d, controls: [BOTH]}
`
	lost := func(cmdlet string, row *simulator.Row) {
		if kind, _ := row.Get("RecipientTypeDetails"); cmdlet == "Get-Mailbox" && string(kind) == `"RoomMailbox"` {
			row.Delete("CustomAttribute1")
		}
		if kind, _ := row.Get("RecipientTypeDetails"); cmdlet == "Get-Mailbox" && string(kind) == `"SharedMailbox"` {
			row.Rename("CustomAttribute1", "customattribute1")
		}
	}
	inBubble(t, func(t *testing.T) {
		calm := tenant(simulator.Seed{Mailboxes: 40})
		data, _ := made(t, bundle(t, text, check(t, parse(t, text), calm)))
		if diff := cmp.Diff(map[string]string{"OPEN": "met", "BOTH": "met", "ALL": "met"}, controls(t, data)); diff != "" {
			t.Errorf("nothing is lost: (-want +got)\n%s", diff)
		}
		data, _ = made(t, bundle(t, text, check(t, parse(t, text), calm, simulator.WithRowEdit(lost))))
		if diff := cmp.Diff(map[string]string{"OPEN": "notJudged", "BOTH": "notJudged", "ALL": "notJudged"}, controls(t, data)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// TestIdleRules: a control whose rules speak of no mailbox is not let pass for one that
// was found to be met.
func TestIdleRules(t *testing.T) {
	const text = header + `mailboxes:
  nobody: {where: {address: ["nobody@fabrikam.com"]}, ageLimit: 30d, controls: [NONE, SOME]}
  nothing: {where: {attribute: {customAttribute1: NONE}}, ageLimit: 30d, controls: [NONE]}
  all: {ageLimit: 30d, controls: [ALL, SOME]}
`
	inBubble(t, func(t *testing.T) {
		idle := func(opts ...simulator.Option) (map[string][]string, evidence.ControlCounts, string) {
			plan := check(t, parse(t, text), tenant(simulator.Seed{Mailboxes: 20}), opts...)
			data, w := made(t, bundle(t, text, plan))
			var d document
			if err := json.Unmarshal(files(t, data)["controls.json"], &d); err != nil {
				t.Fatal(err)
			}
			out := map[string][]string{}
			for _, c := range d.Controls {
				out[c.ID] = c.IdleRules
			}
			return out, w.Manifest.Controls, string(files(t, data)["README.txt"])
		}
		got, counts, readme := idle()
		if diff := cmp.Diff(map[string][]string{"NONE": {"nobody", "nothing"}, "SOME": {"nobody"}, "ALL": {}}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if counts != (evidence.ControlCounts{Met: 3, OfNothing: 1}) || !strings.Contains(readme, "3 met (1 of them: no mailbox") {
			t.Errorf("%+v\n%s", counts, readme)
		}
		got, counts, _ = idle(simulator.WithFaults(simulator.Refused("Get-Mailbox")))
		if diff := cmp.Diff(map[string][]string{"NONE": {}, "SOME": {}, "ALL": {}}, got); diff != "" || counts != (evidence.ControlCounts{NotJudged: 3}) {
			t.Errorf("nothing was read: %+v (-want +got)\n%s", counts, diff)
		}
	})
}

// incomplete holds a bundle to saying so everywhere where a run is not complete, and
// nowhere where it is.
func incomplete(t *testing.T, data []byte, w evidence.Written, plan *reconcile.Plan) {
	t.Helper()
	got, complete := files(t, data), plan.Coverage.Complete && len(plan.Refused) == 0
	if w.Manifest.Complete != complete || (got["INCOMPLETE.txt"] == nil) != complete {
		t.Errorf("complete is %t, the manifest says %t", complete, w.Manifest.Complete)
	}
	if says := bytes.Contains(got["README.txt"][:200], []byte("INCOMPLETE")); says == complete {
		t.Errorf("complete is %t, and README.txt begins\n%s", complete, got["README.txt"][:200])
	}
	for name, text := range got {
		if filepath.Ext(name) != ".json" || name == "report.json" {
			continue
		}
		var d struct{ RunComplete, Complete *bool }
		if err := json.Unmarshal(text, &d); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		said := d.RunComplete
		if name == "manifest.json" {
			said = d.Complete
		}
		if said == nil || *said != complete {
			t.Errorf("%s does not say whether the run is complete", name)
		}
	}
}

// TestObserved: every mailbox has a line, and the profiles add up to them.
func TestObserved(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		plan := check(t, parse(t, shared), drifting())
		data, _ := made(t, bundle(t, shared, plan))
		got := files(t, data)
		states := map[reconcile.State]int{}
		used := map[int]int{}
		for line := range bytes.Lines(got["observed/mailboxes.ndjson"]) {
			var m struct {
				ID, Name, Type string
				State          reconcile.State
				Profile        int
			}
			if err := json.Unmarshal(line, &m); err != nil || m.ID == "" || m.Name == "" || m.Type == "" {
				t.Errorf("%s: %v", line, err)
			}
			states[m.State]++
			used[m.Profile]++
		}
		want := plan.Summary().States["mailbox"]
		if states[reconcile.Drifted] != want.Drifted || states[reconcile.InSync] != want.InSync || states[reconcile.Exempt] != want.Exempt {
			t.Errorf("%v, want %+v", states, want)
		}
		var profiles struct {
			Profiles []reconcile.ObservedProfile
		}
		if err := json.Unmarshal(got["observed/profiles.json"], &profiles); err != nil {
			t.Fatal(err)
		}
		for i, p := range profiles.Profiles {
			if p.Index != i || p.Mailboxes != used[i] || len(p.Values) != 7 {
				t.Errorf("profile %d: %+v, of %d mailboxes", i, p, used[i])
			}
		}
		var row struct {
			Read      bool
			RowSha256 string
			RequestID string
			ReadAt    string
			Row       map[string]any
		}
		if err := json.Unmarshal(got["observed/organization.json"], &row); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(plan.Observed().Organization.Row)
		if !row.Read || row.RowSha256 != hex.EncodeToString(sum[:]) || row.RequestID == "" || row.ReadAt != "2026-11-23T09:00:00Z" || row.Row["AuditDisabled"] != false {
			t.Errorf("%+v", row)
		}
	})
}

// TestCountsAgree: what a bundle says is what the report of the run says.
func TestCountsAgree(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		plan := check(t, parse(t, shared), drifting())
		data, w := made(t, bundle(t, shared, plan))
		var rep struct {
			Verdict string
			RunID   string
			Changes []struct {
				Subject  struct{ Kind string }
				Controls []string
			}
		}
		if err := json.Unmarshal(files(t, data)["report.json"], &rep); err != nil {
			t.Fatal(err)
		}
		counts := map[string]int{}
		for _, c := range rep.Changes {
			for _, id := range c.Controls {
				counts[id]++
			}
		}
		var d document
		if err := json.Unmarshal(files(t, data)["controls.json"], &d); err != nil {
			t.Fatal(err)
		}
		for _, c := range d.Controls {
			if c.ID != "" && len(c.Findings) != counts[c.ID] {
				t.Errorf("%s has %d findings, the report %d", c.ID, len(c.Findings), counts[c.ID])
			}
		}
		if rep.Verdict != w.Manifest.Verdict || rep.RunID != w.Manifest.RunID {
			t.Errorf("%+v", w.Manifest)
		}
	})
}

var errFull = errors.New("disk full")

type limited struct{ left int }

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// TestWriterErrors: the first error of the writer ends it, wherever it comes.
func TestWriterErrors(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := bundle(t, shared, check(t, parse(t, shared), drifting()))
		data, _ := made(t, b)
		for at := 0; at < len(data); at += 1009 {
			if _, err := evidence.Write(&limited{left: at}, b); !errors.Is(err, errFull) {
				t.Fatalf("at %d: %v", at, err)
			}
		}
	})
}

// TestJournalPart: the bundle has the entries from a day on, and the entry that the
// first hangs on; a journal that does not hold together is said and taken up to there.
func TestJournalPart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		all := lines(t)
		broken := slices.Clone(all)
		broken[3].Entry = bytes.Replace(broken[3].Entry, []byte(`"b"`), []byte(`"c"`), 1)
		plan := check(t, parse(t, shared), tenant(simulator.Seed{Mailboxes: 3}))
		for name, c := range map[string]struct {
			in   *evidence.Journal
			want evidence.ManifestJournal
		}{
			"none":        {nil, evidence.ManifestJournal{}},
			"empty":       {&evidence.Journal{Source: "s", Lines: seq(nil)}, evidence.ManifestJournal{Kept: true, Source: "s", Whole: true}},
			"all":         {&evidence.Journal{Lines: seq(all)}, evidence.ManifestJournal{Kept: true, Whole: true, Entries: 6, HeadSeq: 6, HeadHash: all[5].Hash}},
			"from day 3":  {&evidence.Journal{Lines: seq(all), Since: day(3)}, evidence.ManifestJournal{Kept: true, Whole: true, Since: "2026-11-03T12:00:00Z", PreviousSeq: 2, PreviousHash: all[1].Hash, Entries: 4, HeadSeq: 6, HeadHash: all[5].Hash}},
			"nothing new": {&evidence.Journal{Lines: seq(all), Since: day(9)}, evidence.ManifestJournal{Kept: true, Whole: true, Since: "2026-11-09T12:00:00Z", PreviousSeq: 6, PreviousHash: all[5].Hash, HeadSeq: 6, HeadHash: all[5].Hash}},
			"broken": {&evidence.Journal{Lines: seq(broken), Since: day(2)}, evidence.ManifestJournal{
				Kept: true, Since: "2026-11-02T12:00:00Z", PreviousSeq: 1, PreviousHash: all[0].Hash, Entries: 2, HeadSeq: 3, HeadHash: all[2].Hash,
				Why: "journal entry 4: its text is not the one that was sealed",
			}},
		} {
			b := bundle(t, shared, plan)
			b.Journal = c.in
			data, w := made(t, b)
			if diff := cmp.Diff(c.want, w.Manifest.Journal); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", name, diff)
			}
			if v := verified(t, data, ""); !v.Whole() || v.Entries != c.want.Entries {
				t.Errorf("%s: %+v", name, v)
			}
		}
		b := bundle(t, shared, plan)
		b.Journal.Lines = func(yield func(journal.Line, error) bool) { yield(journal.Line{}, errFull) }
		if _, err := evidence.Write(io.Discard, b); !errors.Is(err, errFull) {
			t.Errorf("a journal that cannot be read: %v", err)
		}
	})
}

// TestHostileNames: what a tenant calls its mailboxes breaks out of nothing.
func TestHostileNames(t *testing.T) {
	names := []string{"<script>alert(1)</script>", "=HYPERLINK(1)", "##vso[task.complete]", "a\u202eb", "c\x1b[31m", "::error::x", "d\x7fe\u0085f", "../../etc/passwd"}
	plain, hostile := tenant(simulator.Seed{Mailboxes: 20, BypassPerMailbox: -1, Bypassed: 1}), tenant(simulator.Seed{Mailboxes: 20, BypassPerMailbox: -1, Bypassed: 1})
	inBubble(t, func(t *testing.T) {
		text := strings.Replace(shared, "reason: storage", `reason: "<b> ##[x]"`, 1)
		p := parse(t, text)
		rename := func(_ string, row *simulator.Row) {
			for i, property := range []string{"PrimarySmtpAddress", "Name", "RecipientTypeDetails", "DisplayName"} {
				if v, ok := row.Get(property); ok && (property != "RecipientTypeDetails" || len(v)%7 == 0) {
					b, _ := json.Marshal(names[(len(v)+i)%len(names)])
					row.Set(property, string(b))
				}
			}
		}
		before, _ := made(t, bundle(t, text, check(t, p, plain)))
		b := bundle(t, text, check(t, p, hostile, simulator.WithRowEdit(rename)))
		b.Sources = append(b.Sources, evidence.Source{Name: "../../<x>\x1b##[a].yaml", Data: []byte("x")}, evidence.Source{Name: strings.Repeat("n", 10_000)})
		data, w := made(t, b)
		if v := verified(t, data, w.Digest); !v.Whole() {
			t.Fatalf("%+v", v.Problems)
		}
		a, h := files(t, before), files(t, data)
		if len(h) < len(a)+2 {
			t.Errorf("%d files, %d without hostile names", len(h), len(a))
		}
		for name, text := range h {
			if strings.HasPrefix(name, "policy/") {
				continue
			}
			if i := bytes.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == 0x85 || r == '\u202e' }); i >= 0 {
				t.Errorf("%s: a rune that may not be shown at %d: %q", name, i, text[max(0, i-40):i+10])
			}
			if bytes.Contains(text, []byte("##")) || bytes.Contains(text, []byte("<script>")) {
				t.Errorf("%s holds what may be acted upon", name)
			}
		}
		if n := bytes.Count(h["observed/mailboxes.ndjson"], []byte("\n")); n != 20 {
			t.Errorf("%d lines of mailboxes", n)
		}
		if !bytes.Contains(h["observed/mailboxes.ndjson"], []byte("HYPERLINK(1)")) {
			t.Error("the names cannot be recognised any more")
		}
	})
}

// TestNoPolicyForIt: a policy without controls has one entry for all that it asks for.
func TestNoPolicyForIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const text = header + "mailboxes:\n  everyone: {record: {owner: {defaults: true}}}\n"
		plan := check(t, parse(t, text), tenant(simulator.Seed{Mailboxes: 3}))
		data, w := made(t, evidence.Bundle{Plan: plan, Policy: parse(t, text)})
		if got := controls(t, data); fmt.Sprint(got) != "map[:met]" || w.Manifest.Controls != (evidence.ControlCounts{}) {
			t.Errorf("%v, %+v", got, w.Manifest.Controls)
		}
		if !verified(t, data, "").Whole() || w.Manifest.Journal.Kept {
			t.Errorf("%+v", w.Manifest)
		}
	})
}
