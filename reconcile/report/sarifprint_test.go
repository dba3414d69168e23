package report

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// changed gives a report whose changes are edited one by one.
func changed(r Report, edit func(*reconcile.Change)) Report {
	all := r.doc.changes
	r.doc.changes = func(yield func(reconcile.Change) bool) {
		for c := range all {
			edit(&c)
			if !yield(c) {
				return
			}
		}
	}
	return r
}

func primary(t testing.TB, r Report) []string {
	t.Helper()
	var out []string
	for _, result := range readSARIF(t, written(t, r, SARIF)).Runs[0].Results {
		out = append(out, result.PartialFingerprints.Primary)
	}
	return out
}

// TestSARIFFingerprints: a finding keeps its fingerprint through what is edited
// around it, and no other finding has it.
func TestSARIFFingerprints(t *testing.T) {
	t.Parallel()
	want := primary(t, driftOnly())
	if len(want) != len(someChanges()) {
		t.Fatalf("%d results of %d findings", len(want), len(someChanges()))
	}
	for name, edit := range map[string]func(*reconcile.Change){
		"lines have moved":          func(c *reconcile.Change) { c.Origin.Line += 40; c.Origin.Column++ },
		"the file is another":       func(c *reconcile.Change) { c.Origin.File = "other/policy.yaml" },
		"the rule is another":       func(c *reconcile.Change) { c.Origin.Rule = "renamed" },
		"the subject is renamed":    func(c *reconcile.Change) { c.Subject.Name = "renamed@contoso.com" },
		"the list is another":       func(c *reconcile.Change) { c.Add, c.ID = append(slices.Clone(c.Add), "Copy"), "other" },
		"a guard holds it":          func(c *reconcile.Change) { c.Fate, c.Reason = reconcile.FateBlocked, "maxChangedPercent" },
		"an exemption accepts it":   func(c *reconcile.Change) { c.Fate, c.Reason = reconcile.FateExempt, "until May" },
		"its severity is another":   func(c *reconcile.Change) { c.Severity = audit.Low },
		"an earlier run has it too": func(c *reconcile.Change) { c.Carried = true },
	} {
		if got := primary(t, changed(driftOnly(), edit)); !slices.Equal(got, want) {
			t.Errorf("%s: fingerprints change", name)
		}
	}
	other := driftOnly()
	other.doc.header.Tenant = "another"
	if slices.ContainsFunc(primary(t, other), func(p string) bool { return slices.Contains(want, p) }) {
		t.Error("another tenant has the same fingerprint")
	}
	// An applied run has the fingerprints of the check before it, but those it mended.
	after := primary(t, appliedRun())
	for _, p := range after {
		if !slices.Contains(want, p) {
			t.Error("a run has a fingerprint that the plan had not")
		}
	}
	if len(after) >= len(want) {
		t.Error("nothing was mended, so nothing was tested")
	}
}

// TestSARIFFingerprintsUnique: whatever changes a mailbox has, each has its own.
func TestSARIFFingerprintsUnique(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var list []reconcile.Change
		for i := range rapid.IntRange(1, 6).Draw(t, "mailboxes") {
			for range rapid.IntRange(1, 5).Draw(t, "changes") {
				list = append(list, reconcile.Change{
					Subject: mailbox(i, "same name"),
					Setting: rapid.SampledFrom([]audit.Setting{audit.SettingDefaultAuditSet, audit.SettingAuditOwner}).Draw(t, "setting"),
					Weakens: rapid.Bool().Draw(t, "weakens"),
					Fate:    rapid.SampledFrom([]reconcile.Fate{reconcile.FatePlanned, reconcile.FateBlocked, reconcile.FateExempt}).Draw(t, "fate"),
				})
			}
		}
		var known twins
		seen := map[string]bool{}
		for _, c := range list {
			p := known.fingerprint("tenant", c)
			if seen[p] {
				t.Fatalf("two findings have the fingerprint %s: %+v", p, list)
			}
			seen[p] = true
		}
	})
}

// TestSARIFManaged: the two changes that a managed set gives are told apart whichever
// of them is there.
func TestSARIFManaged(t *testing.T) {
	t.Parallel()
	free := reconcile.Change{Subject: mailbox(1, "ann"), Setting: audit.SettingDefaultAuditSet, Fate: reconcile.FatePlanned}
	held := free
	held.Weakens, held.Fate = true, reconcile.FateBlocked
	var both, one twins
	both.fingerprint("t", free)
	if both.fingerprint("t", held) != one.fingerprint("t", held) {
		t.Error("the blocked change is another once the planned one is mended")
	}
}

// TestSARIFPlaces: a finding stands where a person has written what asks for it.
func TestSARIFPlaces(t *testing.T) {
	t.Parallel()
	baseline := policy.Pos{File: "builtin:cis-m365-7.0", Line: 19, Column: 9}
	extends := []policy.Extended{
		{Name: "shared/base.yaml", Pos: policy.Pos{File: "audit/policy.yaml", Line: 4, Column: 11}},
		{Name: "cis-m365-7.0", BuiltIn: true, Pos: policy.Pos{File: "shared/base.yaml", Line: 5, Column: 12}},
	}
	tests := []struct {
		name, root, uri string
		at              policy.Pos
		extends         []policy.Extended
		policyFile      string
		line, column    int
	}{
		{name: "a file", at: policy.Pos{File: "policy.yaml", Line: 7, Column: 3}, uri: "policy.yaml", line: 7, column: 3},
		{name: "under a root", root: "ops/", at: policy.Pos{File: "policy.yaml", Line: 7, Column: 3}, uri: "ops/policy.yaml", line: 7, column: 3},
		{name: "above a root", root: "ops/", at: policy.Pos{File: "../policy.yaml", Line: 7, Column: 3}, uri: "policy.yaml", line: 7, column: 3},
		{name: "with a dot", at: policy.Pos{File: "./a/policy.yaml", Line: 7, Column: 3}, uri: "a/policy.yaml", line: 7, column: 3},
		{name: "whole", root: "ops/", at: policy.Pos{File: "/srv/a b.yaml", Line: 7, Column: 3}, uri: "file:///srv/a%20b.yaml", line: 7, column: 3},
		{name: "whole, in the repository", root: "ops/", at: policy.Pos{File: "/w/x/ops/a b.yaml", Line: 7, Column: 3}, uri: "ops/a%20b.yaml", line: 7, column: 3},
		{name: "whole, beside the repository", at: policy.Pos{File: "/w/xy/a.yaml", Line: 7, Column: 3}, uri: "file:///w/xy/a.yaml", line: 7, column: 3},
		{name: "out and in again", at: policy.Pos{File: "../x/a.yaml", Line: 7, Column: 3}, uri: "a.yaml", line: 7, column: 3},
		{name: "from above the repository", root: "../", at: policy.Pos{File: "x/ops/a.yaml", Line: 7, Column: 3}, uri: "ops/a.yaml", line: 7, column: 3},
		{name: "out of the repository", at: policy.Pos{File: "../y/a.yaml", Line: 7, Column: 3}, uri: "file:///home/runner/work/y/a.yaml", line: 7, column: 3},
		{name: "on a drive", at: policy.Pos{File: "D:/a/policy.yaml", Line: 7, Column: 3}, uri: "file:///D:/a/policy.yaml", line: 7, column: 3},
		{name: "with what means something", at: policy.Pos{File: "a:b/c d#e?f%20.yaml", Line: 7, Column: 3}, uri: "a%3Ab/c%20d%23e%3Ff%2520.yaml", line: 7, column: 3},
		{name: "no column", at: policy.Pos{File: "policy.yaml"}, uri: "policy.yaml", line: 1, column: 1},
		{name: "a baseline", at: baseline, extends: extends, policyFile: "audit/policy.yaml", uri: "shared/base.yaml", line: 5, column: 12},
		{name: "a baseline that nobody names", at: baseline, policyFile: "audit/policy.yaml", uri: "audit/policy.yaml", line: 1, column: 1},
		{name: "nowhere", policyFile: "audit/policy.yaml", uri: "audit/policy.yaml", line: 1, column: 1},
		{name: "no policy at all"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := document{extends: tt.extends, policyFile: tt.policyFile}
			got := d.location(reconcile.Change{Origin: policy.Origin{Pos: tt.at}}, Options{Root: tt.root, Repository: []string{"/home/runner/work/x", "/w/x/"}}.checkout()).Physical
			if tt.uri == "" {
				if got != nil {
					t.Errorf("stands at %+v", got)
				}
				return
			}
			want := sarifPhysical{sarifArtifact{tt.uri}, sarifRegion{tt.line, tt.column}}
			if got == nil || *got != want {
				t.Errorf("stands at %+v, want %+v", got, want)
			}
		})
	}
}

// upTo reads a log of at most so many results.
func upTo(t testing.TB, r Report, most int) sarifLog {
	t.Helper()
	var b bytes.Buffer
	if err := writeSARIFUpTo(&b, r.doc, checkout{}, most); err != nil {
		t.Fatal(err)
	}
	return readSARIF(t, b.Bytes())
}

// TestSARIFAggregates: above what a host keeps there is one result for each cause, it
// says of how many findings, and a notification says so.
func TestSARIFAggregates(t *testing.T) {
	t.Parallel()
	const most = 400
	if run := upTo(t, manyFindings(most), most).Runs[0]; len(run.Results) != most || run.Properties.Aggregated {
		t.Fatalf("%d findings are %d results", most, len(run.Results))
	}
	const n = sarifMost + 1 // what is written is bounded by what GitHub takes
	run := readSARIF(t, written(t, manyFindings(n), SARIF)).Runs[0]
	if !run.Properties.Aggregated || run.Properties.Counting != n {
		t.Errorf("the properties are %+v", run.Properties)
	}
	if !slices.ContainsFunc(run.Invocations[0].Notifications, func(n sarifNotification) bool { return n.Descriptor.ID == noticeAggregated }) {
		t.Error("nothing is said of it")
	}
	if len(run.Results) != 3 { // three settings, one rule
		t.Errorf("%d results", len(run.Results))
	}
	total, seen := 0, map[string]bool{}
	for _, r := range run.Results {
		total += r.OccurrenceCount
		if names := r.Locations[0].Logical; len(names) != sarifNames || r.Locations[0].Physical == nil {
			t.Errorf("%s names %d", r.RuleID, len(names))
		}
		if r.PartialFingerprints.Finding != "" || r.PartialFingerprints.Group != r.PartialFingerprints.Primary {
			t.Errorf("%s has the fingerprints of a finding: %+v", r.RuleID, r.PartialFingerprints)
		}
		seen[r.PartialFingerprints.Primary] = true
	}
	if total != n || len(seen) != len(run.Results) {
		t.Errorf("%d findings in %d results with %d fingerprints", total, len(run.Results), len(seen))
	}
	moved := primary(t, changed(manyFindings(n+7), func(c *reconcile.Change) { c.Origin.Line += 3; c.Subject.Name = "x" + c.Subject.Name }))
	if !slices.Equal(moved, primary(t, manyFindings(n))) {
		t.Error("fingerprints of results change with lines and mailboxes")
	}
}

// TestSARIFAggregatesStandings: what is accepted is not mixed with what counts.
func TestSARIFAggregatesStandings(t *testing.T) {
	t.Parallel()
	r := changed(manyFindings(400), func(c *reconcile.Change) {
		if n := c.ID[len(c.ID)-1] - '0'; n%2 == 0 {
			c.Fate, c.Reason = reconcile.FateExempt, fmt.Sprintf("exemption %d", n/5)
		}
	})
	want := map[string]int{}
	for c := range r.doc.changes {
		want[fmt.Sprintf("%s %t", r.doc.standing(c), c.Fate == reconcile.FateExempt)]++
	}
	got := map[string]int{}
	for _, result := range upTo(t, r, 10).Runs[0].Results {
		got[fmt.Sprintf("%s %t", result.Properties.Standing, len(result.Suppressions) == 1)] += result.OccurrenceCount
	}
	if !maps.Equal(got, want) || len(want) != 2 {
		t.Errorf("standings are %v, want %v", got, want)
	}
}
