package report

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/exoaudit/exoaudit/reconcile"
)

// junitDoc is what a consumer reads of a document.
type junitDoc struct {
	XMLName  xml.Name        `xml:"testsuites"`
	Tests    int             `xml:"tests,attr"`
	Failures int             `xml:"failures,attr"`
	Errors   int             `xml:"errors,attr"`
	Suites   []junitDocSuite `xml:"testsuite"`
}

type junitDocSuite struct {
	Name       string `xml:"name,attr"`
	Tests      int    `xml:"tests,attr"`
	Failures   int    `xml:"failures,attr"`
	Errors     int    `xml:"errors,attr"`
	Skipped    int    `xml:"skipped,attr"`
	Properties []struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	} `xml:"properties>property"`
	Cases []junitDocCase `xml:"testcase"`
	Out   []string       `xml:"system-out"`
}

type junitDocCase struct {
	Name      string          `xml:"name,attr"`
	Classname string          `xml:"classname,attr"`
	Failures  []junitDocBlame `xml:"failure"`
	Errors    []junitDocBlame `xml:"error"`
	Skipped   []junitDocBlame `xml:"skipped"`
	Out       []string        `xml:"system-out"`
}

type junitDocBlame struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// readJUnit parses a document, and holds the counts of its attributes to its elements.
func readJUnit(t testing.TB, data []byte) junitDoc {
	t.Helper()
	var doc junitDoc
	if err := xml.Unmarshal(data, &doc); err != nil {
		t.Fatalf("is not JUnit: %v", err)
	}
	var all junitDocSuite
	for _, s := range doc.Suites {
		got := junitDocSuite{Tests: len(s.Cases)}
		if len(s.Cases) == 0 {
			t.Errorf("the suite %s is empty", s.Name)
		}
		for _, c := range s.Cases {
			got.Failures, got.Errors, got.Skipped = got.Failures+len(c.Failures), got.Errors+len(c.Errors), got.Skipped+len(c.Skipped)
			if len(c.Failures)+len(c.Errors)+len(c.Skipped) > 1 || c.Name == "" || c.Classname == "" {
				t.Errorf("a case is %+v", c)
			}
		}
		if got.Tests != s.Tests || got.Failures != s.Failures || got.Errors != s.Errors || got.Skipped != s.Skipped {
			t.Errorf("the suite %s says tests %d, failures %d, errors %d, skipped %d and has %d, %d, %d, %d",
				s.Name, s.Tests, s.Failures, s.Errors, s.Skipped, got.Tests, got.Failures, got.Errors, got.Skipped)
		}
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	if doc.Tests != all.Tests || doc.Failures != all.Failures || doc.Errors != all.Errors {
		t.Errorf("the whole says tests %d, failures %d, errors %d, and has %d, %d, %d", doc.Tests, doc.Failures, doc.Errors, all.Tests, all.Failures, all.Errors)
	}
	return doc
}

func (d junitDoc) passes() bool { return d.Failures+d.Errors == 0 }

func TestJUnitGolden(t *testing.T) {
	t.Parallel()
	golden(t, "shared.junit.xml", written(t, sharedRun(), JUnit))
	golden(t, "applied.junit.xml", written(t, appliedRun(), JUnit))
}

// TestProcessJUnitSchema holds documents to the common schema, by xmllint.
func TestProcessJUnitSchema(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped: it starts xmllint; leave out -short to run it")
	}
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("skipped: there is no xmllint; install libxml2-utils to hold the report to the schema")
	}
	schema, _ := publicData(t, "junit-10.xsd")
	reports := unjudged()
	reports["shared"], reports["applied"], reports["in line"], reports["hostile"] = sharedRun(), appliedRun(), inLineRun(), hostileRun(t)
	valid := func(doc []byte) ([]byte, error) {
		file := filepath.Join(t.TempDir(), "report.xml")
		if err := os.WriteFile(file, doc, 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.CommandContext(t.Context(), lint, "--noout", "--nonet", "--schema", schema, file).CombinedOutput()
	}
	for name, r := range reports {
		if out, err := valid(written(t, r, JUnit)); err != nil {
			t.Errorf("%s: %v: %.2000s", name, err, out)
		}
	}
	broken := strings.Replace(string(written(t, sharedRun(), JUnit)), `<testsuite name=`, `<testsuite title=`, 1)
	if _, err := valid([]byte(broken)); err == nil {
		t.Error("the schema takes a document that is none, so it says nothing about the others")
	}
}

// TestJUnitVerdict: a host that counts failures and errors takes no run for a pass that
// is no judgement, and the first case says why.
func TestJUnitVerdict(t *testing.T) {
	t.Parallel()
	for name, r := range unjudged() {
		doc := readJUnit(t, written(t, r, JUnit))
		if doc.Errors == 0 || doc.passes() {
			t.Errorf("%s: %d errors", name, doc.Errors)
		}
		first := doc.Suites[0].Cases[0]
		if doc.Suites[0].Name != "coverage" || len(first.Errors) != 1 || first.Errors[0].Message != r.doc.headline() {
			t.Errorf("%s: the first case is %+v", name, first)
		}
		for _, s := range doc.Suites[1:] {
			if s.Cases[0].Name != "in line" || len(s.Cases[0].Skipped) != 1 {
				t.Errorf("%s: the suite %s alone looks like a pass: %+v", name, s.Name, s.Cases[0])
			}
			for _, c := range s.Cases {
				if len(c.Skipped)+len(c.Failures) == 0 {
					t.Errorf("%s: %s passes in the suite %s", name, c.Name, s.Name)
				}
			}
		}
	}
	doc := readJUnit(t, written(t, inLineRun(), JUnit))
	if !doc.passes() {
		t.Error("a run in line does not pass")
	}
	if last := doc.Suites[len(doc.Suites)-1]; last.Name != "mailbox" || last.Tests != 1 || last.Skipped != 0 {
		t.Errorf("what is in line is %+v", last)
	}
	if doc := readJUnit(t, written(t, driftOnly(), JUnit)); doc.passes() || doc.Errors != 0 {
		t.Errorf("drift has %d failures and %d errors", doc.Failures, doc.Errors)
	}
}

// TestJUnitStandings: cases are told apart as the verdict does, and agree with the JSON
// of the same run.
func TestJUnitStandings(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Report{"shared": sharedRun(), "applied": appliedRun(), "drift": driftOnly(), "in line": inLineRun(), "hostile": hostileRun(t), "many": manyFindings(50)} {
		var plan struct {
			Changes []struct {
				Subject reconcile.Subject
				Setting string
				Result  reconcile.Result
			}
			Coverage struct{ Reasons []string }
		}
		if err := json.Unmarshal(written(t, r, JSON), &plan); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{}
		for _, c := range plan.Changes {
			if c.Result != reconcile.ResultVerified && c.Result != reconcile.ResultNotNeeded {
				want[string(c.Subject.Kind)+"."+c.Setting]++
			}
		}
		standings := map[standing]int{}
		for c := range r.doc.changes {
			standings[r.doc.standing(c)]++
		}
		doc := readJUnit(t, written(t, r, JUnit))
		got, skipped, mended := map[string]int{}, 0, 0
		for _, s := range doc.Suites[1:] {
			for _, c := range s.Cases {
				switch c.Name {
				case "in line":
					continue
				case "mended by this run":
					mended++
					continue
				}
				got[c.Classname]++
				skipped += len(c.Skipped)
			}
		}
		for class, n := range want {
			if got[class] != n {
				t.Errorf("%s: %d cases of %s, want %d", name, got[class], class, n)
			}
		}
		if len(got) != len(want) || doc.Failures != standings[counts] || skipped != standings[below]+standings[accepted] || (mended > 0) != (standings[settled] > 0) {
			t.Errorf("%s: %d failures, %d skipped, %d mended, want %v", name, doc.Failures, skipped, mended, standings)
		}
	}
}

// TestJUnitSaysWhy: what is skipped says why.
func TestJUnitSaysWhy(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, s := range readJUnit(t, written(t, sharedRun(), JUnit)).Suites {
		for _, c := range s.Cases {
			for _, skipped := range c.Skipped {
				got[c.Name] = skipped.Message
			}
		}
	}
	for name, want := range map[string]string{
		"svc-dlp [b-1]: stays true": "accepted: allowed until 2027-03-31: content scanner",
		"group@contoso.com [00000000-0000-4000-8000-000000000091]: 90.00:00:00 → 180.00:00:00": "does not count here: the service has no way to set it, and strict was not asked for: " +
			"group@contoso.com: auditLogAgeLimit: 90.00:00:00 → 180.00:00:00: the service has no way to set it (low, unsupported)",
		"in line": "not judged, as the run is incomplete; of what was read: 0 objects in line, 0 exempt; no rule speaks of 0", // organization
	} {
		if got[name] != want {
			t.Errorf("%s is skipped as %q, want %q", name, got[name], want)
		}
	}
}

// TestJUnitHostile reads hostile texts back: as many elements as without them, and each
// text still to be recognised.
func TestJUnitHostile(t *testing.T) {
	t.Parallel()
	r := hostileRun(t)
	data := written(t, r, JUnit)
	for i, c := range string(data) {
		if c != '\n' && !unicode.IsPrint(c) {
			t.Fatalf("%U at %d", c, i)
		}
	}
	doc := readJUnit(t, data)
	if len(doc.Suites) != 4 { // coverage, bypass, mailbox, organization: the summary speaks of three kinds
		t.Errorf("%d suites", len(doc.Suites))
	}
	texts := hostileTexts()
	found := doc.Suites[2].Cases[1:]
	if len(found) != len(texts) {
		t.Fatalf("%d cases of %d findings", len(found), len(texts))
	}
	for i, c := range found {
		name, _, _ := strings.Cut(c.Name, " [00000000-0000-4000-8000-")
		recognised(t, "name", texts[i], name)
		if len(c.Failures) != 1 || c.Failures[0].Type != "high" || c.Classname != "mailbox.auditDelegate" {
			t.Errorf("%q is %+v", texts[i], c)
		}
		recognised(t, "value", texts[i], strings.TrimPrefix(strings.Split(c.Failures[0].Text, "\n")[0], "before: "))
	}
	// One for the verdict, the stop and the cmdlet that was refused; of each text a
	// reason, a cmdlet and an object that could not be judged.
	if want := 3 + 3*len(texts); doc.Errors != want {
		t.Errorf("%d errors, want %d", doc.Errors, want)
	}
	warned := strings.Split(strings.Join(doc.Suites[0].Out, ""), "\n")
	if len(warned) != len(r.doc.warnings) {
		t.Errorf("%d lines of %d warnings", len(warned), len(r.doc.warnings))
	}
}

// TestJUnitWriterErrors: the first error ends the writing, at once.
func TestJUnitWriterErrors(t *testing.T) {
	t.Parallel()
	const n = 5_000
	produced := 0
	r := changed(manyFindings(n), func(*reconcile.Change) { produced++ })
	if err := r.Write(&brokenWriter{n: 100 << 10}, JUnit, Options{}); !errors.Is(err, errDiskFull) {
		t.Errorf("%v, want %v", err, errDiskFull)
	}
	// Once for the counts, once for the verdict in words.
	if over := produced - 2*n; over > 1000 {
		t.Errorf("%d findings were produced for a writer that takes 100 KiB", over)
	}
	if err := sharedRun().Write(&brokenWriter{}, JUnit, Options{}); !errors.Is(err, errDiskFull) {
		t.Errorf("%v, want %v", err, errDiskFull)
	}
}

// BenchmarkWriteJUnit writes 100,000 findings.
func BenchmarkWriteJUnit(b *testing.B) { benchmarkWrite(b, JUnit) }
