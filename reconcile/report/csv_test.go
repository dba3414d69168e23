package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/reconcile"
)

// readCSV parses a sheet, and gives its rows by the names of the columns.
func readCSV(t testing.TB, data []byte) []map[string]string {
	t.Helper()
	data, marked := bytes.CutPrefix(data, []byte("\ufeff"))
	if !marked {
		t.Error("there is no byte order mark")
	}
	if n := bytes.Count(data, []byte("\n")); n != bytes.Count(data, []byte("\r\n")) {
		t.Error("a line does not end in CRLF")
	}
	sheet, err := csv.NewReader(bytes.NewReader(data)).ReadAll() // refuses rows of another length
	if err != nil {
		t.Fatalf("is not CSV: %v", err)
	}
	if n := bytes.Count(data, []byte("\n")); n != len(sheet) {
		t.Errorf("%d rows in %d lines", len(sheet), n)
	}
	var rows []map[string]string
	for _, cells := range sheet[1:] {
		row := map[string]string{}
		for i, name := range sheet[0] {
			row[name] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestCSVGolden(t *testing.T) {
	t.Parallel()
	golden(t, "shared.csv", written(t, sharedRun(), CSV))
	golden(t, "applied.csv", written(t, appliedRun(), CSV))
}

// TestCSVVerdict: the first row says that the run is no judgement, and so does every
// other, for whoever filters or sorts.
func TestCSVVerdict(t *testing.T) {
	t.Parallel()
	for name, r := range unjudged() {
		rows := readCSV(t, written(t, r, CSV))
		if first := rows[0]; first["record"] != recordRun || first["reason"] != r.doc.headline() {
			t.Errorf("%s: the first row is %v", name, first)
		}
		for _, row := range rows {
			if row["judged"] != "false" || row["verdict"] != string(r.doc.verdict) {
				t.Errorf("%s: a row can be read without the verdict: %v", name, row)
			}
		}
	}
	rows := readCSV(t, written(t, inLineRun(), CSV))
	if len(rows) != 1 || rows[0]["judged"] != "true" || rows[0]["verdict"] != "inLine" {
		t.Errorf("a run in line does not pass: %v", rows)
	}
	if rows := readCSV(t, written(t, driftOnly(), CSV)); rows[0]["judged"] != "true" || rows[0]["verdict"] != "drift" {
		t.Errorf("drift is %v", rows[0])
	}
}

// TestCSVCounts: each change and each unknown object of the JSON has its row, under
// its standing.
func TestCSVCounts(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Report{"shared": sharedRun(), "applied": appliedRun(), "in line": inLineRun(), "hostile": hostileRun(t), "many": manyFindings(50)} {
		var plan struct {
			Changes []struct{ ID, Fate, Result string }
			Unknown []any
		}
		if err := json.Unmarshal(written(t, r, JSON), &plan); err != nil {
			t.Fatal(err)
		}
		standings := map[string]int{}
		for c := range r.doc.changes {
			standings[r.doc.standing(c).String()]++
		}
		at, unknown, got := 0, 0, map[string]int{}
		for _, row := range readCSV(t, written(t, r, CSV)) {
			switch row["record"] {
			case recordFinding, recordSettled:
				if c := plan.Changes[at]; row["change"] != c.ID || row["fate"] != c.Fate || row["result"] != c.Result {
					t.Errorf("%s: row %v is not change %+v", name, row, c)
				}
				at++
				got[row["standing"]]++
				if (row["record"] == recordSettled) != (row["standing"] == "settled") || (row["why"] != "") != (row["standing"] == "below" || row["standing"] == "accepted") {
					t.Errorf("%s: %v", name, row)
				}
			case recordUnknown:
				unknown++
			}
		}
		if at != len(plan.Changes) || unknown != len(plan.Unknown) {
			t.Errorf("%s: %d changes and %d unknown, want %d and %d", name, at, unknown, len(plan.Changes), len(plan.Unknown))
		}
		for s, n := range standings {
			if got[s] != n {
				t.Errorf("%s: %d of standing %s, want %d", name, got[s], s, n)
			}
		}
	}
}

// TestCSVHostile reads hostile texts back: no more rows than there are things to say,
// no cell that is a formula, and each text still to be recognised.
func TestCSVHostile(t *testing.T) {
	t.Parallel()
	r := hostileRun(t)
	data := written(t, r, CSV)
	rows := readCSV(t, data)
	texts := hostileTexts()
	// The run and why it stopped, and what the shared run refused.
	if want := 3 + len(r.doc.coverage.Reasons) + len(r.doc.refused) + len(r.doc.warnings) + 2*len(texts); len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
	i := 0
	for _, row := range rows {
		for column, cell := range row {
			formula(t, column, cell)
		}
		if row["record"] != recordFinding {
			continue
		}
		for _, column := range []string{"name", "reason", "note", "before", "add", "policyRule", "controls", "type"} {
			recognised(t, column, texts[i], unguarded(row[column]))
		}
		i++
	}
	if i != len(texts) {
		t.Errorf("%d findings, want %d", i, len(texts))
	}
	for j, c := range string(data) {
		if j > 0 && c != '\n' && c != '\r' && !unicode.IsPrint(c) {
			t.Errorf("%U at %d", c, j)
		}
	}
}

// formulaStarts are the signs that begin a formula, and forms of them.
const formulaStarts = "=+-@＝＋－＠﹦﹢﹣﹫"

// formula refuses a cell that a spreadsheet takes for one, also one that reads the
// sheet with semicolons.
func formula(t testing.TB, column, cell string) {
	t.Helper()
	if utf8.RuneCountInString(cell) > 2*csvMost {
		t.Errorf("%s has %d bytes", column, len(cell))
	}
	for part := range strings.SplitSeq(cell, ";") {
		r, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(part, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }))
		if r != utf8.RuneError && strings.ContainsRune("=+-@＝＋－＠", r) {
			t.Errorf("%s is a formula: %.60q", column, cell)
		}
	}
}

// unguarded takes the apostrophes away that the writer has put there.
func unguarded(cell string) string {
	parts := strings.Split(cell, ";")
	for i, part := range parts {
		if rest, ok := strings.CutPrefix(part, "'"); ok && strings.IndexAny(strings.TrimLeft(rest, " "), formulaStarts) == 0 {
			parts[i] = rest
		}
	}
	return strings.Join(parts, ";")
}

// TestUnformula: what is no formula stays as it is.
func TestUnformula(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                  "",
		"ann@contoso.com":   "ann@contoso.com",
		"a=b; c-d":          "a=b; c-d",
		"=1+1":              "'=1+1",
		"  =1":              "'  =1",
		"＝1":                "'＝1",
		"-1":                "'-1",
		"@SUM(A1)":          "'@SUM(A1)",
		"a;=1":              "a;'=1",
		"a; +1; b":          "a;' +1; b",
		"'=1":               "'=1",
		";;-":               ";;'-",
		"=a ":               "'=a ",
		"90.00:00:00 -":     "90.00:00:00 -",
		"﹦1":                "'﹦1",
		"FolderBind; Move":  "FolderBind; Move",
		"00000000-0000-400": "00000000-0000-400",
	} {
		if got := unformula(in); got != want {
			t.Errorf("unformula(%q) = %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom([]rune("a =+-@;'＝＋ \"\t\r\nx"))).Draw(t, "text")
		got := csvCell(s)
		for part := range strings.SplitSeq(got, ";") {
			if r, _ := utf8.DecodeRuneInString(strings.TrimLeft(part, " ")); r != utf8.RuneError && strings.ContainsRune(formulaStarts, r) {
				t.Fatalf("csvCell(%q) = %q", s, got)
			}
		}
		if strings.ReplaceAll(got, "'", "") != strings.ReplaceAll(Line(s), "'", "") {
			t.Fatalf("csvCell(%q) = %q is another text", s, got)
		}
	})
}

// TestCSVLongCells: a cell holds what a spreadsheet takes, and says what it leaves out.
func TestCSVLongCells(t *testing.T) {
	t.Parallel()
	if got := csvCell(strings.Repeat("山", 3*csvMost)); utf8.RuneCountInString(got) != csvMost || !strings.HasSuffix(got, "山…") {
		t.Errorf("a long cell has %d runes", utf8.RuneCountInString(got))
	}
	list := make([]string, 5_000)
	for i := range list {
		list[i] = "Action" + number(i)
	}
	got := csvJoined(list)
	if utf8.RuneCountInString(got) > csvMost || !strings.HasPrefix(got, "Action0; Action1; ") || !strings.HasSuffix(got, " more") {
		t.Errorf("a long list is %.40q … %q", got, got[len(got)-40:])
	}
}

// TestCSVWriterErrors: the first error ends the writing, at once.
func TestCSVWriterErrors(t *testing.T) {
	t.Parallel()
	produced := 0
	r := inLineRun() // whose verdict in words counts nothing
	r.doc.changes = func(yield func(reconcile.Change) bool) {
		for {
			produced++
			if !yield(someChanges()[0]) {
				return
			}
		}
	}
	if err := r.Write(&brokenWriter{n: 100 << 10}, CSV, Options{}); !errors.Is(err, errDiskFull) {
		t.Errorf("%v, want %v", err, errDiskFull)
	}
	if produced > 10_000 {
		t.Errorf("%d changes were produced for a writer that takes 100 KiB", produced)
	}
	if err := inLineRun().Write(&brokenWriter{}, CSV, Options{}); !errors.Is(err, errDiskFull) {
		t.Errorf("%v, want %v", err, errDiskFull)
	}
}

// BenchmarkWriteCSV writes 100,000 findings.
func BenchmarkWriteCSV(b *testing.B) { benchmarkWrite(b, CSV) }
