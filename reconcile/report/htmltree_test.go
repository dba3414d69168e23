package report

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// htmlTree is a page as a browser's parser reads it.
type htmlTree struct{ root *html.Node }

// pageOf writes a report and reads it back.
func pageOf(t testing.TB, r Report) htmlTree {
	t.Helper()
	var out bytes.Buffer
	if err := r.Write(&out, HTML, Options{}); err != nil {
		t.Fatal(err)
	}
	return treeOf(t, &out)
}

func treeOf(t testing.TB, r io.Reader) htmlTree {
	t.Helper()
	root, err := html.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	return htmlTree{root}
}

// all gives the elements that a condition holds for, in order.
func (h htmlTree) all(is func(*html.Node) bool) []*html.Node {
	var out []*html.Node
	for n := range h.root.Descendants() {
		if n.Type == html.ElementNode && is(n) {
			out = append(out, n)
		}
	}
	return out
}

func (h htmlTree) named(tag string) []*html.Node {
	return h.all(func(n *html.Node) bool { return n.Data == tag })
}

// id gives the element with an id; nil without one.
func (h htmlTree) id(id string) *html.Node {
	for _, n := range h.all(func(n *html.Node) bool { return attr(n, "id") == id }) {
		return n
	}
	return nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasClass(n *html.Node, class string) bool {
	for c := range strings.FieldsSeq(attr(n, "class")) {
		if c == class {
			return true
		}
	}
	return false
}

// textOf gives the text of an element, with its spaces folded.
func textOf(n *html.Node) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// value gives the number of the first data element below an element.
func (h htmlTree) value(t testing.TB, id string) string {
	t.Helper()
	n := h.id(id)
	if n == nil {
		t.Fatalf("the page has no element %q", id)
	}
	for _, d := range (htmlTree{n}).named("data") {
		return attr(d, "value")
	}
	t.Fatalf("%q holds no number: %q", id, textOf(n))
	return ""
}

// rows gives the rows of a table by what heads them: their cells by the name of their
// column, as the numbers of their data elements, or else as text. Drawings are left out.
func (h htmlTree) rows(id string) map[string]map[string]string {
	out := map[string]map[string]string{}
	table := h.id(id)
	if table == nil {
		return out
	}
	for _, tr := range (htmlTree{table}).named("tr") {
		cells := map[string]string{}
		head := ""
		for n := range tr.ChildNodes() {
			switch {
			case n.Type != html.ElementNode:
			case n.Data == "th" && attr(n, "scope") == "row":
				head = textOf(n)
			case n.Data == "td" && attr(n, "data-label") != "":
				cells[attr(n, "data-label")] = textOf(n)
				for _, d := range (htmlTree{n}).named("data") {
					cells[attr(n, "data-label")] = attr(d, "value")
				}
			}
		}
		if len(cells) > 0 {
			out[head] = cells
		}
	}
	return out
}
