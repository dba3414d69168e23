package strict

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// Node is a value in a document. Every method may be called on nil, which stands
// for a value that is absent or was already reported.
type Node struct {
	doc *Document
	y   *yaml.Node
	key *yaml.Node // the key it stands under, nil for the root and list items
}

// Pos gives where the value begins.
func (n *Node) Pos() Pos {
	if n == nil {
		return Pos{}
	}
	return n.doc.posOf(n.y)
}

// KeyPos gives where the value's key stands; for the root and for list items,
// where the value begins.
func (n *Node) KeyPos() Pos {
	if n == nil {
		return Pos{}
	}
	if n.key == nil {
		return n.Pos()
	}
	return n.doc.posOf(n.key)
}

// Key gives the key the value stands under, "" for the root and list items.
func (n *Node) Key() string {
	if n == nil || n.key == nil {
		return ""
	}
	return n.key.Value
}

// Errorf reports an error where the value stands.
func (n *Node) Errorf(code, hint, format string, args ...any) {
	if n != nil {
		n.doc.errorf(n.Pos(), code, hint, format, args...)
	}
}

// Warnf reports a warning where the value stands.
func (n *Node) Warnf(code, hint, format string, args ...any) {
	if n != nil {
		n.doc.Report(Diagnostic{Pos: n.Pos(), Code: code, Message: fmt.Sprintf(format, args...), Hint: hint, Severity: Warning})
	}
}

// Report adds a finding to the document the node is of, at any place.
func (n *Node) Report(f Diagnostic) {
	if n != nil {
		n.doc.Report(f)
	}
}

// IsMap tells whether the value is a map.
func (n *Node) IsMap() bool { return n != nil && n.y.Kind == yaml.MappingNode }

// IsList tells whether the value is a list.
func (n *Node) IsList() bool { return n != nil && n.y.Kind == yaml.SequenceNode }

// IsScalar tells whether the value is a single text, number, boolean or nothing.
func (n *Node) IsScalar() bool { return n != nil && n.y.Kind == yaml.ScalarNode }

// wrongType reports that something else was expected. Aliases have been reported.
func (n *Node) wrongType(want, hint string) {
	if n == nil || n.y.Kind == yaml.AliasNode {
		return
	}
	n.Errorf(CodeWrongType, hint, "%sexpected %s, found %s", n.subject(), want, n.found())
}

// subject begins a message with the key, where there is one.
func (n *Node) subject() string {
	if k := n.Key(); k != "" {
		return k + ": "
	}
	return ""
}

// found says in words what the value is.
func (n *Node) found() string {
	switch {
	case n.IsMap():
		return "a map"
	case n.IsList():
		return "a list"
	case n == n.doc.root:
		// A file that is one text may hold a secret: what a policy extends is
		// named by whoever writes the policy, and messages are shown in logs.
		return "a single value"
	}
	switch n.y.Tag {
	case "!!null":
		return "nothing"
	case "!!bool":
		return fmt.Sprintf("the boolean %s", n.y.Value)
	case "!!int", "!!float":
		return fmt.Sprintf("the number %s", n.y.Value)
	default:
		return fmt.Sprintf("the text %q", shorten(n.y.Value))
	}
}

// shorten keeps a message to a line's length.
func shorten(text string) string {
	const most = 60
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}
