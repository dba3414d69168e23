package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	source "github.com/yuin/goldmark/text"

	"github.com/exoaudit/exoaudit/reconcile"
)

// parsed reads Markdown as GitHub does, and gives the kinds of its nodes, how often each
// occurs, and its text.
func parsed(t *testing.T, markdown string) (nodes map[string]int, plain string) {
	t.Helper()
	src := []byte(markdown)
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(source.NewReader(src))
	nodes = map[string]int{}
	var b strings.Builder
	if err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		kind := n.Kind().String()
		if h, ok := n.(*ast.Heading); ok {
			kind += fmt.Sprint(h.Level)
		}
		nodes[kind]++
		if s, ok := n.(*ast.Text); ok {
			b.Write(s.Segment.Value(src))
			b.WriteByte(' ')
		}
		return ast.WalkContinue, nil
	}); err != nil {
		t.Fatal(err)
	}
	return nodes, b.String()
}

// TestMarkdownOfHostileText: no name becomes markup. The same report with harmless names
// has the same nodes.
func TestMarkdownOfHostileText(t *testing.T) {
	t.Parallel()
	hostile := hostileRun(t)
	nodes, _ := parsed(t, spelled(t, hostile, Markdown))
	for _, kind := range []string{"RawHTML", "HTMLBlock", "Link", "Image", "FencedCodeBlock", "CodeBlock", "Blockquote", "ThematicBreak", "Heading1", "Heading4", "Strikethrough", "TaskCheckBox"} {
		if nodes[kind] > 0 {
			t.Errorf("%d of %s", nodes[kind], kind)
		}
	}
	if nodes["AutoLink"] > 0 { // An address in a sentence may be one, an address of the web may not.
		t.Errorf("%d links", nodes["AutoLink"])
	}
	var harmless []string
	for i := range hostileTexts() {
		harmless = append(harmless, fmt.Sprintf("name %d", i))
	}
	want, _ := parsed(t, spelled(t, runNaming(t, harmless), Markdown))
	for _, kind := range []string{"Heading2", "Heading3", "List", "ListItem", "Table", "TableRow", "Emphasis"} {
		if nodes[kind] != want[kind] {
			t.Errorf("%d of %s, and %d with harmless names", nodes[kind], kind, want[kind])
		}
	}
	text := spelled(t, hostile, Markdown)
	for _, want := range []string{"<script>alert(1)</script>", "=HYPERLINK(", `\u202efdp.exe`, "a]]>b", "long.long."} {
		if !strings.Contains(text, want) {
			t.Errorf("%q cannot be told any more", want)
		}
	}
	for _, r := range text {
		if r != '\n' && !shown(r) {
			t.Errorf("an invisible rune %U", r)
		}
	}
}

// TestProse: sentences read as they were written.
func TestProse(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"FolderBind, Move of delegate is not recorded", "1. no list", "- no list", "+ no list", "# no heading", "a_b_c *d* `e` ~f~",
		"<b>bold</b>", "[a](b)", "![a](b)", "a | b", "> no quote", "    no code", "=====", "-----", "10) no list", "Set-Mailbox -Identity x", "C:\\x\\y", "&amp; &#60;",
	} {
		nodes, plain := parsed(t, "- "+prose(s)+"\n")
		for kind := range nodes {
			switch kind {
			case "Document", "List", "ListItem", "TextBlock", "Text", "Paragraph", "String":
			default:
				t.Errorf("%q becomes a %s: %q", s, kind, prose(s))
			}
		}
		if nodes["List"] != 1 || nodes["ListItem"] != 1 || strings.TrimSpace(plain) == "" {
			t.Errorf("%q: %v, %q", s, nodes, plain)
		}
	}
	for _, s := range []string{"see https://evil.example", "ask @everyone", "WWW.evil.example"} {
		if nodes, _ := parsed(t, "- "+prose(s)+"\n"); nodes["CodeSpan"] != 1 || nodes["AutoLink"] > 0 {
			t.Errorf("%q: %v", s, nodes)
		}
	}
	if got := prose("ask ann@contoso.com"); got != "ask ann@contoso.com" {
		t.Errorf("an address: %q", got)
	}
}

// TestCode: whatever the name, it is one span.
func TestCode(t *testing.T) {
	t.Parallel()
	for _, s := range append(hostileTexts(), "", " ", "`", "``", "a`b", " x ", "`x`") {
		nodes, _ := parsed(t, code(s)+"\n")
		if s = strings.TrimSpace(s); s != "" && nodes["CodeSpan"] != 1 || nodes["Paragraph"] != 1 || len(nodes) > 4 {
			t.Errorf("%.60q: %v of %.80q", s, nodes, code(s))
		}
	}
}

// TestMarkdownVerdict: the first heading is the verdict, and only one verdict passes.
func TestMarkdownVerdict(t *testing.T) {
	t.Parallel()
	first := func(r Report) string {
		line, _, _ := strings.Cut(spelled(t, r, Markdown), "\n")
		return line
	}
	if got := first(inLineRun()); !strings.HasPrefix(got, "## ✅ In line") {
		t.Errorf("a pass begins with %q", got)
	}
	if got := first(driftOnly()); !strings.HasPrefix(got, "## ❌ Drift") {
		t.Errorf("drift begins with %q", got)
	}
	for name, r := range unjudged() {
		text := spelled(t, r, Markdown)
		if got := first(r); !strings.HasPrefix(got, "## ⛔ ") || !strings.Contains(got, "This is no pass") || strings.Contains(text, "✅") {
			t.Errorf("%s begins with %q", name, got)
		}
	}
}

// TestMarkdownIsBounded: a job summary is refused above 1 MiB, so it stays far below,
// whatever there is to say.
func TestMarkdownIsBounded(t *testing.T) {
	t.Parallel()
	r := hostileRun(t)
	long := strings.Repeat("`x` <y> ", 1_000)
	r.doc.changes = func(yield func(reconcile.Change) bool) {
		for i := range 1_000 {
			c := someChanges()[2]
			c.Subject.Name, c.Reason, c.Note = long, fmt.Sprint(i, long), long
			if !yield(c) {
				return
			}
		}
	}
	for range 1_000 {
		r.doc.warnings = append(r.doc.warnings, long)
		r.doc.coverage.Reasons = append(r.doc.coverage.Reasons, long)
	}
	if n := len(spelled(t, r, Markdown)); n > 900<<10 {
		t.Errorf("%d bytes", n)
	}
}

// runNaming is hostileRun with other names.
func runNaming(t *testing.T, names []string) Report {
	t.Helper()
	return textRun(names)
}
