package report

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"
)

// The page's template and style are files of their own, so that tools for them work.
//
//go:embed html/page.gohtml html/page.css
var htmlFiles embed.FS

// writeHTML writes one page that needs nothing else: its style and its drawings are in
// it, it runs no script, and its policy (Content-Security-Policy) forbids the browser to
// fetch anything or to apply any other style than the one whose hash it names.
//
// Findings are folded by cause, and what one page shows is bounded (see
// [htmlBudget]): past the bound they are counted and no longer named.
func writeHTML(w io.Writer, d document) error {
	style, err := htmlFiles.ReadFile("html/page.css")
	if err != nil {
		return err
	}
	page, err := template.New("page.gohtml").Funcs(template.FuncMap{"number": number}).
		ParseFS(htmlFiles, "html/page.gohtml")
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	if err := page.Execute(buffered, newHTMLPage(d, string(style))); err != nil {
		return err
	}
	return buffered.Flush()
}

// contentPolicy is the page's own law: nothing is loaded, and of styles only the one
// with this hash is applied. Other directives have no meaning in a page that is opened
// as a file, or none in a meta element.
func contentPolicy(style string) string {
	sum := sha256.Sum256([]byte(style))
	return strings.Join([]string{
		"default-src 'none'",
		"style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
		"base-uri 'none'",
		"form-action 'none'",
	}, "; ")
}
