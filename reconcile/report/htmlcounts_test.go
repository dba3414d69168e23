package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// jsonFigures is what the JSON of a run says in numbers, in the words of the page.
type jsonFigures struct {
	states    map[string]map[string]string // by kind
	drift     map[string]string            // all settings together
	bySetting map[string]string            // drift that is neither accepted nor mended
	results   map[string]map[string]string // by kind
	tiles     map[string]string
	findings  int
	unknown   int
}

// jsonRun is what is read of the JSON form.
type jsonRun struct {
	Coverage struct {
		Mailboxes struct{ Read int }
	}
	Summary struct{ States map[string]map[string]int }
	Changes []jsonFinding
	Unknown []any
}

type jsonFinding struct {
	Subject                         struct{ Kind string }
	Setting, Fate, Severity, Result string
}

// unsupported differences do not count here: --fail-on low counts all else.
func (c jsonFinding) unsupported() bool { return c.Fate == "unsupported" || c.Result == "unsupported" }

// figuresOf counts the changes of the JSON form, by what is said of each there alone.
func figuresOf(t testing.TB, r Report) jsonFigures {
	t.Helper()
	var out bytes.Buffer
	if err := r.Write(&out, JSON, Options{}); err != nil {
		t.Fatal(err)
	}
	var run jsonRun
	if err := json.Unmarshal(out.Bytes(), &run); err != nil {
		t.Fatal(err)
	}
	f := jsonFigures{states: map[string]map[string]string{}, results: map[string]map[string]string{}}
	f.findings, f.unknown = len(run.Changes), len(run.Unknown)
	for kind, c := range run.Summary.States {
		if len(c) > 0 && c["inSync"]+c["exempt"]+c["notApplicable"]+c["drifted"]+c["unknown"] > 0 {
			f.states[kindTitle(kind)] = wordsOf(map[string]int{
				"In line": c["inSync"], "Exempt": c["exempt"], "Without a rule": c["notApplicable"], "Drifted": c["drifted"], "Unknown": c["unknown"],
			})
		}
	}
	f.countFindings(run, r.doc.applied != nil)
	if r.doc.applied != nil {
		f.countResults(run)
	}
	return f
}

// countFindings counts what is found by setting, by severity and by what it means.
func (f *jsonFigures) countFindings(run jsonRun, applied bool) {
	sum := map[string]int{"High": 0, "Medium": 0, "Low": 0, "Info": 0, "Of them blocked": 0, "Unsupported": 0, "Accepted": 0}
	tiles := map[string]int{"counts": 0, "high": 0, "below": 0, "unknown": f.unknown, "read": run.Coverage.Mailboxes.Read}
	settings, mended := map[string]int{}, 0
	for _, c := range run.Changes {
		switch {
		case c.Fate == "exempt":
			sum["Accepted"]++
			continue
		case c.Result == "verified", c.Result == "notNeeded":
			mended++
			continue
		case c.Fate == "blocked":
			sum["Of them blocked"]++
		case c.unsupported():
			sum["Unsupported"]++
		}
		settings[c.Setting]++
		sum[strings.ToUpper(c.Severity[:1])+c.Severity[1:]]++
		if c.unsupported() {
			tiles["below"]++
			continue
		}
		tiles["counts"]++
		if c.Severity == "high" {
			tiles["high"]++
		}
	}
	tiles["accepted"] = sum["Accepted"]
	if applied {
		sum["Mended"], tiles["settled"] = mended, mended
	}
	f.drift, f.bySetting, f.tiles = wordsOf(sum), wordsOf(settings), wordsOf(tiles)
}

// countResults counts how planned changes ended, by kind.
func (f *jsonFigures) countResults(run jsonRun) {
	results := map[string]map[string]int{}
	for _, c := range run.Changes {
		if c.Fate != "planned" {
			continue
		}
		if results[c.Subject.Kind] == nil {
			results[c.Subject.Kind] = map[string]int{"Verified": 0, "Not needed": 0, "Unconfirmed": 0, "Failed": 0, "Unsupported": 0, "Skipped": 0, "Not started": 0}
		}
		results[c.Subject.Kind][resultColumn(c.Result)]++
	}
	for kind, n := range results {
		f.results[kindTitle(kind)] = wordsOf(n)
	}
}

func resultColumn(result string) string {
	switch result {
	case "":
		return "Not started"
	case "notNeeded":
		return "Not needed"
	default:
		return strings.ToUpper(result[:1]) + result[1:]
	}
}

// wordsOf writes numbers as the page's data elements do.
func wordsOf(n map[string]int) map[string]string {
	out := map[string]string{}
	for k, v := range n {
		out[k] = strconv.Itoa(v)
	}
	return out
}

// TestHTMLCounts: every figure of the page is that of the JSON of the same run.
func TestHTMLCounts(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Report{
		"shared": sharedRun(), "drift only": driftOnly(), "applied": appliedRun(), "in line": inLineRun(),
		"hostile": hostileRun(t), "many": manyFindings(1_000), "too many": manyFindings(12_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page, want := pageOf(t, r), figuresOf(t, r)
			if diff := cmp.Diff(want.states, page.rows("states-by-kind")); diff != "" {
				t.Errorf("states (-json +html):\n%s", diff)
			}
			if diff := cmp.Diff(want.results, page.rows("results-by-kind")); diff != "" {
				t.Errorf("results (-json +html):\n%s", diff)
			}
			for key, n := range want.tiles {
				if got := page.value(t, "n-"+key); got != n {
					t.Errorf("the figure %q is %s, want %s", key, got, n)
				}
			}
			drift := page.rows("drift-by-setting")
			if together, ok := drift["Together"]; ok != (want.findings > 0) {
				t.Errorf("the drift of all settings is there: %t, with %d findings", ok, want.findings)
			} else if diff := cmp.Diff(want.drift, together); ok && diff != "" {
				t.Errorf("the drift of all settings (-json +html):\n%s", diff)
			}
			delete(drift, "Together")
			bySetting := map[string]string{}
			for head, cells := range drift {
				n := 0
				for _, column := range []string{"High", "Medium", "Low", "Info"} {
					v, _ := strconv.Atoi(cells[column])
					n += v
				}
				if n > 0 {
					bySetting[head[strings.LastIndex(head, " ")+1:]] = strconv.Itoa(n)
				}
			}
			if diff := cmp.Diff(want.bySetting, bySetting); diff != "" {
				t.Errorf("drift by setting (-json +html):\n%s", diff)
			}
			if got := totals(t, page, "findings"); got != want.findings {
				t.Errorf("%d findings by cause, want %d", got, want.findings)
			}
			if got := named(t, page, "findings"); got+wholes(r) != want.findings {
				t.Errorf("%d findings are named or counted with their cause, and %d have no name, want %d", got, wholes(r), want.findings)
			}
			if got := totals(t, page, "blind"); got != want.unknown {
				t.Errorf("%d could not be judged, want %d", got, want.unknown)
			}
		})
	}
}

// totals adds what the headings of a part say.
func totals(t testing.TB, page htmlTree, part string) int {
	t.Helper()
	n := 0
	for _, span := range (htmlTree{page.id(part)}).named("span") {
		if hasClass(span, "total") {
			v, err := strconv.Atoi(attr((htmlTree{span}).named("data")[0], "value"))
			if err != nil {
				t.Fatal(err)
			}
			n += v
		}
	}
	return n
}

// named adds the names of a part and what it says to be left out.
func named(t testing.TB, page htmlTree, part string) int {
	t.Helper()
	n := 0
	inside := htmlTree{page.id(part)}
	for _, details := range inside.named("details") {
		n += len((htmlTree{details}).named("li"))
		for _, p := range (htmlTree{details}).named("p") {
			var more int
			if _, err := fmt.Sscanf(strings.ReplaceAll(textOf(p), ",", ""), "and %d more", &more); err != nil {
				t.Fatalf("%q: %v", textOf(p), err)
			}
			n += more
		}
	}
	return n
}

// wholes counts findings of a tenant's own settings, which have no names.
func wholes(r Report) int {
	n := 0
	for c := range r.doc.changes {
		if slices.Contains([]string{kindOrganization, kindAdminAudit}, string(c.Subject.Kind)) {
			n++
		}
	}
	return n
}
