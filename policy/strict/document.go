package strict

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// MaxSize is the size in bytes from which a file is refused.
const MaxSize = 1 << 20

// MaxDepth is the number of levels that values may nest.
const MaxDepth = 64

// Document is one file and everything found wrong with it so far. It is not safe
// for concurrent use.
type Document struct {
	file  string
	root  *Node
	found Diagnostics

	loneTags map[place]bool // only while the tree is checked
}

// Parse reads a file's text. The name is used in places only; nothing is opened.
// What is wrong with the text as YAML is found in [Document.Diagnostics].
func Parse(file string, data []byte) *Document {
	d := &Document{file: file}
	text, ok := d.checkText(data)
	if !ok {
		return d
	}
	root, ok := d.parseYAML(text)
	if !ok {
		return d
	}
	d.loneTags = loneTags(text)
	if d.checkTree(root, 1) {
		d.root = &Node{doc: d, y: root}
	}
	d.loneTags = nil
	return d
}

// Root gives the document's value, or nil where the text has none that could be
// read. A nil *Node may be asked for anything and has nothing.
func (d *Document) Root() *Node { return d.root }

// Diagnostics gives what has been found so far, sorted by place.
func (d *Document) Diagnostics() Diagnostics { return d.found.Sorted() }

// Report adds a finding.
func (d *Document) Report(f Diagnostic) { d.found = append(d.found, f) }

// At gives a place in this file.
func (d *Document) At(line, column int) Pos {
	return Pos{File: d.file, Line: line, Column: column}
}

func (d *Document) errorf(p Pos, code, hint, format string, args ...any) {
	d.Report(Diagnostic{Pos: p, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (d *Document) posOf(y *yaml.Node) Pos { return d.At(max(y.Line, 1), max(y.Column, 1)) }
