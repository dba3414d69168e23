package report

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser starts a headless Chromium, or skips the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped: -short is set and this test starts a browser")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("skipped: there is no Chromium here; install it (Debian: apt-get install chromium) and run this test again")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root with it
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("%s does not start: %v", path, err)
	}
	return ctx
}

// tab is a page in the browser, and what the browser complained of.
type tab struct {
	ctx context.Context
	url string

	mu         sync.Mutex
	complaints []string
}

// open opens a page in a tab of its own that is as wide as asked for.
func open(t *testing.T, ctx context.Context, content string, width int64) *tab { //nolint:revive // t comes first in helpers of tests
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{ctx: ctx, url: "file://" + filepath.ToSlash(file)}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	call(t, b, network.Enable, network.EnableParams{})
	call(t, b, log.Enable, cdp.Empty{})
	call(t, b, runtime.Enable, cdp.Empty{})
	call(t, b, audits.Enable, cdp.Empty{})
	b.width(t, width)
	if err := chromedp.Do(ctx, chromedp.Navigate(b.url)); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *tab) listen(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		if ev.Request.URL != b.url {
			b.complaints = append(b.complaints, "request: "+ev.Request.URL)
		}
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, fmt.Sprintf("log: %s: %s", ev.Entry.Source, ev.Entry.Text))
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, "exception: "+ev.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, "console")
	case *audits.EventIssueAdded:
		b.complaints = append(b.complaints, "issue: "+string(ev.Issue.Code))
	}
}

func (b *tab) complained() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.complaints)
}

func call[P, R any](t *testing.T, b *tab, command cdp.Command[P, R], params P) R {
	t.Helper()
	result, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

func eval[T any](t *testing.T, b *tab, script string) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%v, in\n%s", err, script)
	}
	return v
}

func (b *tab) width(t *testing.T, width int64) {
	t.Helper()
	call(t, b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
}

// media emulates a kind of output and a colour scheme.
func (b *tab) media(t *testing.T, kind, scheme string) {
	t.Helper()
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: kind, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// overflow names what reaches past the right edge, the page itself first.
func (b *tab) overflow(t *testing.T) []string {
	t.Helper()
	return eval[[]string](t, b, `(() => {
		const out = [], wide = innerWidth;
		const page = document.scrollingElement.scrollWidth;
		if (page > wide) out.push("the page is " + page + " wide");
		for (const e of document.body.querySelectorAll("*")) {
			if (e.closest("svg") && e.tagName !== "svg") continue;
			if (e.closest("thead")?.clientWidth <= 1) continue; // for screen readers only
			const r = e.getBoundingClientRect();
			if (r.right > wide + 0.5 && r.width > 1) out.push(e.tagName + "." + e.className + " ends at " + r.right);
			if (e.scrollWidth > e.clientWidth + 1 && r.width > 1 && getComputedStyle(e).display !== "inline" && e.tagName !== "svg" && e.clientWidth > 0)
				out.push(e.tagName + "." + e.className + " holds " + e.scrollWidth + " in " + e.clientWidth);
		}
		return out.slice(0, 10);
	})()`)
}

// faint names texts that are too weak against what is behind them: WCAG 2.2, 1.4.3, wants
// 4.5 to 1.
func (b *tab) faint(t *testing.T) []string {
	t.Helper()
	return eval[[]string](t, b, `(() => {
		const rgb = (c) => (c.match(/[\d.]+/g) || []).map(Number);
		const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
		const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
		const out = new Set();
		for (const e of document.body.querySelectorAll("*")) {
			if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
			if (["title", "desc"].includes(e.tagName)) continue;
			const style = getComputedStyle(e);
			const front = rgb(e.closest("svg") ? style.fill : style.color);
			let behind = e, back = [255, 255, 255];
			for (; behind; behind = behind.parentElement) {
				const c = rgb(getComputedStyle(behind).backgroundColor);
				if (c.length === 3) { back = c; break; }
			}
			const [a, z] = [light(front), light(back)].sort((x, y) => y - x);
			const ratio = (a + 0.05) / (z + 0.05);
			if (ratio < 4.5) out.add(e.tagName + "." + (e.className.baseVal ?? e.className) + " " + style.color + " on " + back + ": " + ratio.toFixed(2));
		}
		return [...out].slice(0, 10);
	})()`)
}

// nameless gives the roles of what can be acted on, or is a picture, and has no name in
// the accessibility tree.
func (b *tab) nameless(t *testing.T) (roles []string, controls int) {
	t.Helper()
	text := func(v *accessibility.Value) string {
		var s string
		if v != nil && len(v.Value) > 0 {
			if err := json.Unmarshal(v.Value, &s); err != nil {
				return string(v.Value)
			}
		}
		return s
	}
	for _, n := range call(t, b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		role := text(n.Role)
		acts := slices.Contains([]string{"link", "button", "DisclosureTriangle", "image", "img", "region", "navigation", "table"}, role)
		for _, p := range n.Properties {
			acts = acts || string(p.Name) == "focusable" && string(p.Value.Value) == "true"
		}
		if n.Ignored || !acts {
			continue
		}
		controls++
		if strings.TrimSpace(text(n.Name)) == "" {
			roles = append(roles, role)
		}
	}
	return roles, controls
}

// picture writes a picture of the whole page where EXOAUDIT_SCREENSHOTS names a folder.
func (b *tab) picture(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("EXOAUDIT_SCREENSHOTS")
	if dir == "" {
		return
	}
	size := eval[[]float64](t, b, `[document.documentElement.clientWidth, document.documentElement.scrollHeight]`)
	beyond := true
	shot := call(t, b, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: &beyond, Clip: &page.Viewport{Width: size[0], Height: min(size[1], 12_000), Scale: 1},
	})
	if err := os.WriteFile(filepath.Join(dir, name+".png"), shot.Data, 0o600); err != nil {
		t.Fatal(err)
	}
}
