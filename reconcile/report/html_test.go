package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// everyPage gives the reports that the page is tried with.
func everyPage(t testing.TB) map[string]Report {
	t.Helper()
	out := map[string]Report{
		"shared": sharedRun(), "drift only": driftOnly(), "applied": appliedRun(), "in line": inLineRun(),
		"hostile": hostileRun(t), "many": manyFindings(100), "causes": causesRun(1_000), "undo": undoneRun(),
		"empty": {doc: document{changes: slices.Values([]reconcile.Change{}), unknown: slices.Values([]reconcile.UnknownObject{})}},
	}
	for name, r := range unjudged() {
		out["unjudged: "+name] = r
	}
	return out
}

// undoneRun is an undo, which has no types, rules or acceptances, and no policy.
func undoneRun() Report {
	d := afterwards()
	d.coverage.Scope, d.coverage.BaseRun, d.header.Policy = reconcile.ScopeUndo, "run-0", reconcile.PolicyRef{}
	d.summary.States = nil
	d.threshold = reconcile.Threshold{FailOn: audit.Low}
	return Report{doc: d}
}

func TestHTMLGolden(t *testing.T) {
	t.Parallel()
	for file, r := range map[string]Report{"shared.html": sharedRun(), "applied.html": appliedRun()} {
		var got bytes.Buffer
		if err := r.Write(&got, HTML, Options{}); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", "golden", file)
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
	}
}

// TestHTMLStandsAlone: nothing is fetched and nothing runs, and the page itself forbids
// both; its one style is the one that its policy names.
func TestHTMLStandsAlone(t *testing.T) {
	t.Parallel()
	allowed := strings.Fields("html head meta title style body a svg defs symbol path circle pattern rect use desc g line text tspan " +
		"div header p dl dt dd bdi time nav ul li main section h1 h2 h3 h4 span small data table caption thead tbody tfoot tr th td " +
		"article details summary figure figcaption footer")
	for name, r := range everyPage(t) {
		page := pageOf(t, r)
		for _, n := range page.all(func(*html.Node) bool { return true }) {
			if !slices.Contains(allowed, n.Data) {
				t.Errorf("%s: the page has an element %s", name, n.Data)
			}
			for _, a := range n.Attr {
				switch {
				case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "src", a.Key == "srcset", a.Key == "action", a.Key == "xlink:href":
					t.Errorf("%s: <%s> has the attribute %s", name, n.Data, a.Key)
				case a.Key == "href" && (!strings.HasPrefix(a.Val, "#") || page.id(a.Val[1:]) == nil):
					t.Errorf("%s: <%s href=%q> leads nowhere in the page", name, n.Data, a.Val)
				case strings.Contains(a.Val, "url(") && a.Val != "url(#hatch)":
					t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
				}
			}
		}
		styles := page.named("style")
		if len(styles) != 1 {
			t.Fatalf("%s: %d style elements", name, len(styles))
		}
		style := styles[0].FirstChild.Data
		sum := sha256.Sum256([]byte(style))
		want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
		var got string
		for _, m := range page.named("meta") {
			if attr(m, "http-equiv") == "Content-Security-Policy" {
				got = attr(m, "content")
			}
		}
		if got != want {
			t.Errorf("%s: the page's policy is %q, want %q", name, got, want)
		}
		if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
			t.Errorf("%s: the style refers to something", name)
		}
	}
}

// TestHTMLStructure holds the page to what screen readers and keyboards need.
func TestHTMLStructure(t *testing.T) {
	t.Parallel()
	for name, r := range everyPage(t) {
		page := pageOf(t, r)
		for _, complaint := range slices.Concat(headings(page), tables(page), drawings(page), references(page)) {
			t.Errorf("%s: %s", name, complaint)
		}
		for tag, n := range map[string]int{"h1": 1, "main": 1, "nav": 1, "head": 1} {
			if got := len(page.named(tag)); got != n {
				t.Errorf("%s: %d %s elements, want %d", name, got, tag, n)
			}
		}
		if lang := attr(page.named("html")[0], "lang"); lang != "en" {
			t.Errorf("%s: lang is %q", name, lang)
		}
		if first := page.named("a")[0]; attr(first, "href") != "#main" {
			t.Errorf("%s: the first link does not skip to the report", name)
		}
	}
}

// headings finds levels that are left out.
func headings(page htmlTree) []string {
	var out []string
	last := 0
	for _, n := range page.all(func(n *html.Node) bool {
		return len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6'
	}) {
		level := int(n.Data[1] - '0')
		if level > last+1 {
			out = append(out, fmt.Sprintf("<%s> %q comes after a heading of level %d", n.Data, textOf(n), last))
		}
		last = level
	}
	return out
}

func tables(page htmlTree) []string {
	var out []string
	for _, table := range page.named("table") {
		inside := htmlTree{table}
		if len(inside.named("caption")) != 1 {
			out = append(out, "a table has no caption")
		}
		for _, th := range inside.named("th") {
			if scope := attr(th, "scope"); scope != "col" && scope != "row" {
				out = append(out, fmt.Sprintf("the heading %q of a table has no scope", textOf(th)))
			}
		}
		columns := len((htmlTree{inside.named("thead")[0]}).named("th"))
		for _, tr := range inside.named("tr") {
			if n := len((htmlTree{tr}).all(func(n *html.Node) bool { return n.Data == "th" || n.Data == "td" })); n != columns {
				out = append(out, fmt.Sprintf("a row of %q has %d cells of %d", textOf(inside.named("caption")[0]), n, columns))
			}
		}
	}
	return out
}

// drawings finds those that neither have a name nor are hidden.
func drawings(page htmlTree) []string {
	var out []string
	for _, svg := range page.named("svg") {
		if attr(svg, "aria-hidden") == "true" {
			continue
		}
		inside := htmlTree{svg}
		if attr(svg, "role") != "img" || len(inside.named("title")) != 1 || len(inside.named("desc")) != 1 {
			out = append(out, "a drawing has no name")
		}
	}
	return out
}

// references finds ids that are there twice, and references to none.
func references(page htmlTree) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range page.all(func(n *html.Node) bool { return attr(n, "id") != "" }) {
		if id := attr(n, "id"); seen[id] {
			out = append(out, "two elements have the id "+id)
		} else {
			seen[id] = true
		}
	}
	for _, n := range page.all(func(n *html.Node) bool { return attr(n, "aria-labelledby") != "" }) {
		if !seen[attr(n, "aria-labelledby")] {
			out = append(out, "no element has the id "+attr(n, "aria-labelledby"))
		}
	}
	return out
}

// TestHTMLVerdict: whoever opens the page sees first whether it judged, and cannot take
// what is no judgement for a pass.
func TestHTMLVerdict(t *testing.T) {
	t.Parallel()
	verdict := func(r Report) (page htmlTree, class, word string) {
		page = pageOf(t, r)
		section := (htmlTree{page.named("main")[0]}).named("section")[0]
		if attr(section, "id") != "verdict" {
			t.Fatalf("the first part of the page is %q", attr(section, "id"))
		}
		return page, attr(section, "class"), textOf(page.id("verdict-word"))
	}
	for name, r := range unjudged() {
		page, class, word := verdict(r)
		if class != "verdict v-bad" || (word != "INCOMPLETE" && word != "NOT JUDGED" && word != "REFUSED") {
			t.Errorf("%s: the verdict is %q in %q", name, word, class)
		}
		for _, want := range []string{"no pass"} {
			if h := textOf(page.id("headline")); !strings.Contains(h, want) {
				t.Errorf("%s: the headline is %q", name, h)
			}
		}
		if title := textOf(page.named("title")[0]); !strings.HasPrefix(title, word+": ") {
			t.Errorf("%s: the title is %q", name, title)
		}
		if first := (htmlTree{page.id("attention")}).named("li")[0]; !strings.Contains(textOf(first), "No pass") {
			t.Errorf("%s: what needs attention begins with %q", name, textOf(first))
		}
	}
	for name, tt := range map[string]struct {
		r           Report
		class, word string
	}{
		"in line": {inLineRun(), "verdict v-ok", "In line"},
		"drift":   {driftOnly(), "verdict v-drift", "Drift"},
		"undo":    {undoneRun(), "verdict v-drift", "Partly undone"},
	} {
		if _, class, word := verdict(tt.r); class != tt.class || word != tt.word {
			t.Errorf("%s: the verdict is %q in %q, want %q in %q", name, word, class, tt.word, tt.class)
		}
	}
}

// TestHTMLAfterRun: a run that left nothing does not speak of what it found as if it were
// still there, and an undo does not call what it takes back a breach.
func TestHTMLAfterRun(t *testing.T) {
	t.Parallel()
	done := appliedRun()
	done.doc.verdict = reconcile.VerdictInLine
	list := slices.Collect(done.doc.changes)
	for i := range list {
		if list[i].Fate == reconcile.FatePlanned {
			list[i].Result = reconcile.ResultVerified
		}
	}
	list = slices.DeleteFunc(list, func(c reconcile.Change) bool { return c.Fate == reconcile.FateBlocked })
	done.doc.changes = slices.Values(list)
	got := textOf(pageOf(t, done).id("headline"))
	if !strings.HasPrefix(got, "In line") || !strings.Contains(got, "10 differences") || strings.Contains(got, "satisfy") {
		t.Errorf("the headline of a run that mended 10 differences is %q", got)
	}
	page := pageOf(t, undoneRun())
	if text := textOf(page.named("body")[0]); strings.Contains(text, "EXA0") || strings.Contains(text, "Mended") || page.id("states") != nil {
		t.Errorf("an undo is told as a comparison with a policy:\n%s", text)
	}
}

// TestHTMLHostile: texts of the tenant change no element of the page, and can be read.
func TestHTMLHostile(t *testing.T) {
	t.Parallel()
	texts := hostileTexts()
	harmless := make([]string, len(texts))
	for i := range texts {
		harmless[i] = fmt.Sprintf("name-%02d", i)
	}
	shape := func(page htmlTree) map[string]int {
		out := map[string]int{}
		for _, n := range page.all(func(*html.Node) bool { return true }) {
			out[n.Data]++
			for _, a := range n.Attr {
				out[n.Data+" "+a.Key]++
			}
		}
		return out
	}
	hostile := pageOf(t, hostileRun(t))
	if diff := cmp.Diff(shape(pageOf(t, textRun(harmless))), shape(hostile)); diff != "" {
		t.Errorf("hostile texts change the elements of the page (-harmless +hostile):\n%s", diff)
	}
	var comments int
	for n := range hostile.root.Descendants() {
		if n.Type == html.CommentNode {
			comments++
		}
	}
	if comments > 0 {
		t.Errorf("the page has %d comments", comments)
	}
	names := map[string]bool{}
	for _, n := range hostile.named("bdi") {
		if n.FirstChild != nil {
			names[n.FirstChild.Data] = true
		}
	}
	for _, text := range texts {
		want := Line(text)
		if len(want) > 1_000 {
			want = want[:htmlName] + "…"
		}
		if !names[want] {
			t.Errorf("%q cannot be read in the page: want %q", text, want)
		}
	}
	if got := slices.Sorted(maps.Keys(names)); len(got) < len(texts) {
		t.Errorf("%d names for %d texts", len(got), len(texts))
	}
}

func TestHTMLWriterError(t *testing.T) {
	t.Parallel()
	for _, room := range []int{0, 40 << 10} {
		if err := manyFindings(1_000).Write(&brokenWriter{n: room}, HTML, Options{}); !errors.Is(err, errDiskFull) {
			t.Errorf("with room for %d bytes: %v, want %v", room, err, errDiskFull)
		}
	}
}
