package report

import "unicode/utf8"

// The bounds of one page. A browser shows what is under them at once; what is over them
// is in the forms for machines, and the page says so.
const (
	htmlNamesOfAll  = 10_000  // findings up to which every name is shown
	htmlNamesOfEach = 200     // names of one cause where there are more findings
	htmlCauseBytes  = 1 << 20 // bytes for the findings by cause, names aside
	htmlNameBytes   = 1 << 20 // bytes for the names in them
	htmlBlindBytes  = 1 << 19 // bytes for what could not be judged, and again for names
	htmlTableBytes  = 1 << 18 // bytes for one table that has no natural bound
	htmlRows        = 300     // rows of one table
	htmlLines       = 50      // lines of one list of reasons or warnings
	htmlName        = 160     // runes of one name
	htmlText        = 600     // runes of one reason
	htmlValues      = 80      // values of one list
)

// htmlBudget is how much a part of the page may still take. It is counted in bytes as
// they are written, so that no text of the tenant, however long or hard to escape, makes
// the page grow past what a browser opens at ease.
type htmlBudget struct{ left int }

// take takes what some texts need, each with its markup around it, and reports whether
// it was there. Once something was too much nothing is taken any more, so that what is
// shown is always the beginning.
func (b *htmlBudget) take(markup int, texts ...string) bool {
	for _, s := range texts {
		markup += escapedLen(s)
	}
	if markup > b.left {
		b.left = 0
		return false
	}
	b.left -= markup
	return true
}

// escapedLen is how many bytes a text takes in a page.
func escapedLen(s string) int {
	n := len(s)
	for i := range len(s) {
		switch s[i] {
		case '&', '<', '>', '"', '\'', '+':
			n += len("&#34;") - 1
		}
	}
	return n
}

// clipped makes a text of the tenant harmless and at most so many runes long. It is cut
// before it is escaped, so that no escape is cut in two, and says so with an ellipsis.
func clipped(s string, limit int) string {
	if len(s) <= limit {
		return Line(s)
	}
	runes := 0
	for i := 0; i < len(s); {
		if runes == limit {
			return Line(s[:i]) + "…"
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
		runes++
	}
	return Line(s)
}

// clippedList makes a list harmless, and tells how many of it are left out.
func clippedList(list []string) (shown []string, more int) {
	for _, s := range list[:min(len(list), htmlValues)] {
		shown = append(shown, clipped(s, htmlName))
	}
	return shown, len(list) - len(shown)
}

// htmlList is a list of texts that may go on beyond what is shown.
type htmlList struct {
	Items []string
	More  int
}

// first is the beginning of a list of which another part of the page has more.
func (l htmlList) first() htmlList {
	shown := l.Items[:min(len(l.Items), 3)]
	return htmlList{Items: shown, More: l.More + len(l.Items) - len(shown)}
}

// textList gives reasons or warnings as a list.
func textList(texts []string) htmlList {
	var l htmlList
	for _, s := range texts[:min(len(texts), htmlLines)] {
		l.Items = append(l.Items, clipped(s, htmlText))
	}
	l.More = len(texts) - len(l.Items)
	return l
}
