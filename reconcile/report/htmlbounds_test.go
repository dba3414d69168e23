package report

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/exoaudit/exoaudit/policy"
	"github.com/exoaudit/exoaudit/policy/audit"
	"github.com/exoaudit/exoaudit/reconcile"
)

// htmlLimit is the size that a page never passes.
const htmlLimit = 5_000_000

// sizeOf gives the bytes of a page.
func sizeOf(t testing.TB, r Report) int {
	t.Helper()
	var out bytes.Buffer
	if err := r.Write(&out, HTML, Options{}); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

// TestHTMLNamesAll: up to ten thousand findings every one is named.
func TestHTMLNamesAll(t *testing.T) {
	t.Parallel()
	for findings, want := range map[int]int{10_000: 10_000, 10_001: 30 * htmlNamesOfEach} {
		var out bytes.Buffer
		if err := manyFindings(findings).Write(&out, HTML, Options{}); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(out.Bytes(), []byte("<li><bdi>user-")); n != want {
			t.Errorf("%d names for %d findings, want %d", n, findings, want)
		}
		if said := bytes.Contains(out.Bytes(), []byte("more: see the JSON or CSV report")); said != (want < findings) {
			t.Errorf("%d findings: it is said that some are left out: %t", findings, said)
		}
	}
}

// TestLargeHTMLBounds: whatever a tenant holds, the page stays one that a browser opens.
func TestLargeHTMLBounds(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short is set and this test writes pages of 100,000 findings")
	}
	t.Parallel()
	for name, r := range map[string]Report{
		"ten thousand":     manyFindings(10_000),
		"hundred thousand": manyFindings(100_000),
		"causes":           causesRun(20_000),
	} {
		if n := sizeOf(t, r); n > htmlLimit {
			t.Errorf("%s: %d bytes, want at most %d", name, n, htmlLimit)
		} else {
			t.Logf("%s: %d bytes", name, n)
		}
	}
	var out bytes.Buffer
	if err := worstRun(400).Write(&out, HTML, Options{}); err != nil {
		t.Fatal(err)
	}
	if out.Len() > htmlLimit {
		t.Errorf("worst: %d bytes, want at most %d", out.Len(), htmlLimit)
	}
	t.Logf("worst: %d bytes", out.Len())
	page := treeOf(t, &out)
	if text := textOf(page.id("findings")); !strings.Contains(text, "More causes than one page shows") {
		t.Error("causes are left out without a word")
	}
	if got := totals(t, page, "findings"); got != 400 {
		t.Errorf("%d findings are counted, want 400", got)
	}
}

// causesRun is a run in which no two findings have their cause in common.
func causesRun(n int) Report {
	r := manyFindings(n)
	all := r.doc.changes
	r.doc.changes = func(yield func(reconcile.Change) bool) {
		for c := range all {
			c.Reason = c.ID
			if !yield(c) {
				return
			}
		}
	}
	return r
}

// worstRun is a run of which every text is as long, as hard to escape and as different
// from all others as it can be.
func worstRun(n int) Report {
	long := func(i int) string { return strconv.Itoa(i) + strings.Repeat("\"'<\U000e0041", 2_500) }
	r := appliedRun()
	r.doc.changes = func(yield func(reconcile.Change) bool) {
		for i := range n {
			text := long(i)
			list := slices.Repeat([]string{text}, 200)
			c := reconcile.Change{
				ID: fmt.Sprintf("%016x", i), Subject: mailbox(i, text), Setting: audit.SettingAuditDelegate,
				Before: text, After: text, Fate: reconcile.FateBlocked, Reason: text, Note: text, Severity: audit.High,
				Origin: policy.Origin{Pos: policy.Pos{File: text, Line: i}, Rule: text}, Controls: list,
			}
			if i%2 == 0 {
				c.Add = list[:3]
			}
			if !yield(c) {
				return
			}
		}
	}
	r.doc.unknown = func(yield func(reconcile.UnknownObject) bool) {
		for i := range n {
			if !yield(reconcile.UnknownObject{Subject: mailbox(i, long(i)), Reason: long(i)}) {
				return
			}
		}
	}
	for i := range n {
		text := long(i)
		r.doc.warnings = append(r.doc.warnings, text)
		r.doc.coverage.Reasons = append(r.doc.coverage.Reasons, text)
		r.doc.refused = append(r.doc.refused, text)
		r.doc.byType = append(r.doc.byType, reconcile.TypeStanding{Type: text})
		r.doc.byRule = append(r.doc.byRule, reconcile.RuleStanding{Rule: text, Controls: []string{text}})
		r.doc.acceptances = append(r.doc.acceptances, reconcile.Acceptance{Name: text, Reason: text, Owner: text, Expires: time.Unix(int64(i), 0), Expired: true})
	}
	r.doc.header.Tenant, r.doc.header.Tool, r.doc.applied.stopped = long(0), long(1), long(2)
	return r
}

// TestHTMLClipped: a text is cut between runes, before it is escaped, and says so.
func TestHTMLClipped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, limit := rapid.String().Draw(t, "text"), rapid.IntRange(0, 12).Draw(t, "limit")
		got := clipped(text, limit)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is no text", got)
		}
		runes := []rune(text)
		want := Line(text)
		if len(runes) > limit {
			want = Line(string(runes[:limit])) + "…"
		}
		if got != want {
			t.Fatalf("clipped(%q, %d) = %q, want %q", text, limit, got, want)
		}
	})
	if got := clipped("\xff\xfe\xfd", 2); got != `\xff\xfe…` {
		t.Errorf("clipped gives %q for bytes that are no text", got)
	}
}

// TestHTMLTimeline: places are true to the days, and what is over reaches up to today.
func TestHTMLTimeline(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := inOrder()
	d.header.CreatedAt = at("2026-11-23").Add(15 * time.Hour)
	d.acceptances = []reconcile.Acceptance{
		{Name: "far", Expires: at("2999-12-31")},
		{Name: "over", Expires: at("2026-11-13"), Expired: true},
		{Name: "old", Expires: at("1999-01-01"), Expired: true},
		{Name: "today", Expires: at("2026-11-23")},
		{Name: "soon", Expires: at("2026-12-07")},
		{Name: "later", Expires: at("2026-12-08")},
	}
	rows, _ := acceptedRows(d)
	words := map[string]string{}
	for _, r := range rows {
		words[r.Name] = r.Class + ": " + r.State
	}
	for name, want := range map[string]string{
		"over": "bad: expired 10 days ago", "today": "drift: 0 days left", "soon": "drift: 14 days left", "later": "ok: 15 days left",
	} {
		if words[name] != want {
			t.Errorf("%s: %q, want %q", name, words[name], want)
		}
	}
	line := timelineOf(d, rows)
	var order []string
	for _, e := range line.Entries {
		order = append(order, e.Name)
		x, w := percentOf(t, e.X), percentOf(t, e.Width)
		today := percentOf(t, line.Today.X)
		switch begins, ends := math.Abs(x-today) < 0.05, math.Abs(x+w-today) < 0.05; {
		case e.Expired && !ends:
			t.Errorf("%s is over and ends at %.2f, not today, %.2f", e.Name, x+w, today)
		case !e.Expired && !begins:
			t.Errorf("%s begins at %.2f, not today, %.2f", e.Name, x, today)
		}
		if x < 0 || x+w > 100.7 {
			t.Errorf("%s reaches from %.2f to %.2f", e.Name, x, x+w)
		}
	}
	if want := []string{"old", "over", "today", "soon", "later", "far"}; !slices.Equal(order, want) {
		t.Errorf("the order is %q, want %q", order, want)
	}
	if n := len(line.Ticks); n < 2 || n > 6 {
		t.Errorf("%d ticks", n)
	}
	if timelineOf(d, nil) != nil {
		t.Error("there is a time line of nothing")
	}
}

func percentOf(t testing.TB, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestHTMLBars: the parts of a bar fit into it, in proportion, and none is too thin to
// be seen.
func TestHTMLBars(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.IntRange(0, 1_000_000), 1, 6).Draw(t, "counts")
		whole := 0
		var parts []htmlPart
		for _, n := range counts {
			parts = append(parts, htmlPart{"x", "y", n})
			whole += n
		}
		bar := barOf("", whole, parts)
		shown, end := 0, 0.0
		for _, s := range bar.Segments {
			x, _ := strconv.ParseFloat(strings.TrimSuffix(s.X, "%"), 64)
			w, _ := strconv.ParseFloat(strings.TrimSuffix(s.Width, "%"), 64)
			if math.Abs(x-end) > 0.05 || w < 1 || x+w > 100.05 {
				t.Fatalf("%v: a part reaches from %.2f to %.2f after %.2f", counts, x, x+w, end)
			}
			end = x + w
			shown++
		}
		for _, n := range counts {
			if n > 0 {
				shown--
			}
		}
		if shown != 0 {
			t.Fatalf("%v: %d parts too many", counts, shown)
		}
		if whole > 0 && end < 99.9 {
			t.Fatalf("%v: the bar ends at %.2f", counts, end)
		}
	})
}

func BenchmarkWriteHTML(b *testing.B) {
	r := manyFindings(100_000)
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		size = sizeOf(b, r)
	}
	b.ReportMetric(float64(size), "output-bytes")
}
