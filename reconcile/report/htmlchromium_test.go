package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// TestProcessHTMLInChromium opens pages as their readers do: it wants no complaint, no
// request, the JSON's figures, nothing wider than a telephone, and a name for all that
// can be acted on.
func TestProcessHTMLInChromium(t *testing.T) {
	ctx := browser(t)
	pages := map[string]Report{
		"shared": sharedRun(), "applied": appliedRun(), "inline": inLineRun(), "undo": undoneRun(),
		"hostile": hostileRun(t), "many": manyFindings(10_000),
	}
	for name, r := range unjudged() {
		if strings.HasSuffix(name, "nothing found") { // the others are as the applied run is
			pages["unjudged "+name] = r
		}
	}
	for name, r := range pages {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := r.Write(&out, HTML, Options{}); err != nil {
				t.Fatal(err)
			}
			b := open(t, ctx, out.String(), 1400)
			ready := eval[float64](t, b, `performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd`)
			t.Logf("%d bytes, DOMContentLoaded after %.0f ms", out.Len(), ready)
			if out.Len() > htmlLimit {
				t.Errorf("the page has %d bytes, want at most %d", out.Len(), htmlLimit)
			}
			b.holdsFigures(t, r)
			file := strings.NewReplacer(" ", "-", ",", "").Replace(name)
			for _, look := range looks() {
				b.media(t, "", look.scheme)
				b.width(t, look.width)
				if over := b.overflow(t); len(over) > 0 {
					t.Errorf("%s, %d wide: too wide:\n%s", look.scheme, look.width, strings.Join(over, "\n"))
				}
				if faint := b.faint(t); len(faint) > 0 {
					t.Errorf("%s, %d wide: too weak to read:\n%s", look.scheme, look.width, strings.Join(faint, "\n"))
				}
				b.picture(t, fmt.Sprintf("%s-%d-%s", file, look.width, look.scheme))
			}
			if roles, controls := b.nameless(t); len(roles) > 0 || controls < 10 {
				t.Errorf("%d controls and pictures; without a name: %q", controls, roles)
			}
			if !strings.HasPrefix(name, "unjudged") { // they print as the others do
				b.prints(t, file)
			}
			if complaints := b.complained(); len(complaints) > 0 {
				t.Errorf("the browser complains:\n%s", strings.Join(complaints, "\n"))
			}
		})
	}
}

// look is a screen that the page is looked at on.
type look struct {
	width  int64
	scheme string
}

// looks gives each width and each scheme once, and all of both for pictures.
func looks() []look {
	out := []look{{1400, "light"}, {400, "dark"}}
	if os.Getenv("EXOAUDIT_SCREENSHOTS") != "" {
		out = append(out, look{1400, "dark"}, look{400, "light"})
	}
	return out
}

// holdsFigures compares the page as the browser understood it with the JSON.
func (b *tab) holdsFigures(t *testing.T, r Report) {
	t.Helper()
	got := treeOf(t, strings.NewReader("<!DOCTYPE html>"+eval[string](t, b, `document.documentElement.outerHTML`)))
	if r.doc.coverage.Scope != "undo" {
		want := figuresOf(t, r)
		for key, n := range want.tiles {
			if v := got.value(t, "n-"+key); v != n {
				t.Errorf("the figure %q is %s, want %s", key, v, n)
			}
		}
		if diff := cmp.Diff(want.states, got.rows("states-by-kind")); diff != "" {
			t.Errorf("states (-json +browser):\n%s", diff)
		}
		if n := totals(t, got, "findings"); n != want.findings {
			t.Errorf("%d findings, want %d", n, want.findings)
		}
	}
	elements := func(tree htmlTree) map[string]int {
		out := map[string]int{}
		for n := range tree.root.Descendants() {
			out[n.Data] += 0
			if n.Type == 3 { // an element
				out[n.Data]++
			}
		}
		for name, n := range out {
			if n == 0 {
				delete(out, name)
			}
		}
		return out
	}
	if diff := cmp.Diff(elements(pageOf(t, r)), elements(got)); diff != "" {
		t.Errorf("the browser finds other elements (-parser +browser):\n%s", diff)
	}
}

// prints prints the page: light, with all names, whatever is folded on the screen.
func (b *tab) prints(t *testing.T, file string) {
	t.Helper()
	b.media(t, "print", "dark")
	hidden := eval[int](t, b, `[...document.querySelectorAll("details li")].filter((e) => !e.checkVisibility()).length`)
	if hidden > 0 {
		t.Errorf("%d names are not printed", hidden)
	}
	if back := eval[string](t, b, `getComputedStyle(document.body).backgroundColor`); back != "rgb(255, 255, 255)" {
		t.Errorf("the paper is %s", back)
	}
	b.media(t, "", "light")
	pdf := call(t, b, page.PrintToPDF, page.PrintToPDFParams{}).Data
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Error("the page cannot be printed")
	}
	if dir := os.Getenv("EXOAUDIT_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, file+".pdf"), pdf, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestProcessHTMLKeyboard goes through the page with keys alone.
func TestProcessHTMLKeyboard(t *testing.T) {
	ctx := browser(t)
	var out bytes.Buffer
	if err := sharedRun().Write(&out, HTML, Options{}); err != nil {
		t.Fatal(err)
	}
	b := open(t, ctx, out.String(), 1400)
	press := func(keys string) {
		t.Helper()
		if err := chromedp.Do(b.ctx, chromedp.KeyEvent(keys)); err != nil {
			t.Fatal(err)
		}
	}
	focus := func() string {
		return eval[string](t, b, `document.activeElement.tagName + " " + document.activeElement.textContent.trim()`)
	}
	press("\t")
	if got := focus(); got != "A Skip to the report" {
		t.Fatalf("the first key leads to %q", got)
	}
	if !eval[bool](t, b, `(() => { const r = document.activeElement.getBoundingClientRect(); return r.width > 50 && r.height > 20 })()`) {
		t.Error("the link that skips to the report is not seen when it has the focus")
	}
	press("\r")
	if got := eval[string](t, b, `location.hash + " " + document.activeElement.tagName`); got != "#main MAIN" {
		t.Errorf("skipping leads to %q", got)
	}
	closed := eval[int](t, b, `document.querySelectorAll("details:not([open])").length`)
	seen := map[string]bool{}
	for range 200 {
		press("\t")
		at := focus()
		if outline := eval[string](t, b, `getComputedStyle(document.activeElement).outlineStyle`); outline != "solid" && !strings.HasPrefix(at, "BODY") {
			t.Fatalf("%q has the focus and it is not seen", at)
		}
		if strings.HasPrefix(at, "BODY") || seen[at] && strings.HasPrefix(at, "A Skip") {
			break
		}
		seen[at] = true
		if eval[bool](t, b, `document.activeElement.matches("details:not([open]) > summary")`) {
			press("\r")
		}
	}
	if left := eval[int](t, b, `document.querySelectorAll("details:not([open])").length`); closed == 0 || left > 0 {
		t.Errorf("%d of %d folded lists could not be opened by keys", left, closed)
	}
}

// TestProcessHTMLBrowserSees shows that the tests above see what they are there for.
func TestProcessHTMLBrowserSees(t *testing.T) {
	ctx := browser(t)
	b := open(t, ctx, `<!DOCTYPE html><html lang="en"><head><title>bad</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'"></head><body>
<p style="color: #ccc">weak</p><p><font color="#cccccc">weak</font></p><script>1</script><img src="file:///nowhere.png">
<table width="2000"><tr><td>wide</td></tr></table><a href="#x"></a></body></html>`, 400)
	complaints := strings.Join(b.complained(), "\n")
	for _, want := range []string{"inline style", "script", "nowhere.png", "issue: ContentSecurityPolicyIssue"} {
		if !strings.Contains(complaints, want) {
			t.Errorf("%q is not seen in:\n%s", want, complaints)
		}
	}
	if over := b.overflow(t); len(over) == 0 {
		t.Error("a table of 2,000 pixels is not seen to be too wide")
	}
	if faint := b.faint(t); len(faint) == 0 {
		t.Error("grey on white is not seen to be weak")
	}
	if roles, _ := b.nameless(t); !slices.Contains(roles, "link") {
		t.Errorf("a link without a name is not seen: %q", roles)
	}
}
