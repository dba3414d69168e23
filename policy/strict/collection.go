package strict

import "gopkg.in/yaml.v3"

// Key describes a key that a map may have.
type Key struct {
	Name string
	// Required makes its absence an error.
	Required bool
	// Later marks a key that has a meaning, but not in this version: it is
	// refused with CodeNotSupported, never ignored.
	Later bool
}

// Keys makes optional keys of names.
func Keys(names ...string) []Key {
	keys := make([]Key, len(names))
	for i, n := range names {
		keys[i] = Key{Name: n}
	}
	return keys
}

// Later makes keys of names that this version does not support yet.
func Later(names ...string) []Key {
	keys := Keys(names...)
	for i := range keys {
		keys[i].Later = true
	}
	return keys
}

// Required makes keys of names that must be present.
func Required(names ...string) []Key {
	keys := Keys(names...)
	for i := range keys {
		keys[i].Required = true
	}
	return keys
}

// Map is what a map node holds under the keys it may have.
type Map struct {
	node   *Node
	values map[string]*Node
}

// Get gives the value under a key, nil where it is absent.
func (m Map) Get(name string) *Node { return m.values[name] }

// Node gives the map itself.
func (m Map) Node() *Node { return m.node }

// Len is the number of keys that were accepted.
func (m Map) Len() int { return len(m.values) }

// Map reads a map with the given keys and reports every other key. False means
// that the value is no map, which has been reported; the empty Map is then safe
// to read.
func (n *Node) Map(keyGroups ...[]Key) (Map, bool) {
	if n == nil {
		return Map{}, false
	}
	if !n.IsMap() {
		n.wrongType("a map", "")
		return Map{}, false
	}
	m := Map{node: n, values: map[string]*Node{}}
	known, names := map[string]Key{}, []string{}
	for _, group := range keyGroups {
		for _, k := range group {
			known[k.Name] = k
			if !k.Later {
				names = append(names, k.Name)
			}
		}
	}
	for _, child := range n.Entries() {
		k, ok := known[child.Key()]
		switch {
		case !ok:
			n.doc.errorf(child.KeyPos(), CodeUnknownKey, didYouMean(child.Key(), names), "unknown key %q%s", child.Key(), n.within())
		case k.Later:
			n.doc.errorf(child.KeyPos(), CodeNotSupported, "", "%s is not supported by this version", child.Key())
		default:
			m.values[k.Name] = child
		}
	}
	for _, name := range names {
		if known[name].Required && m.values[name] == nil {
			n.doc.errorf(n.KeyPos(), CodeMissingKey, "", "the key %q is missing%s", name, n.within())
		}
	}
	return m, true
}

// within says in which map a key stands, where that has a name.
func (n *Node) within() string {
	if k := n.Key(); k != "" {
		return " in " + k
	}
	return ""
}

// Entries gives the values of a map with any keys, in the file's order. Keys that
// are no words and second values of a key are left out; they have been reported.
// A value that is no map has no entries and is not reported here.
func (n *Node) Entries() []*Node {
	if !n.IsMap() {
		return nil
	}
	seen := map[string]bool{}
	var entries []*Node
	for i := 0; i+1 < len(n.y.Content); i += 2 {
		key, value := n.y.Content[i], n.y.Content[i+1]
		bad := key.Kind != yaml.ScalarNode || key.Value == "" || key.Tag == "!!merge" || key.Tag == "!!null"
		if bad || seen[key.Value] {
			continue
		}
		seen[key.Value] = true
		entries = append(entries, &Node{doc: n.doc, y: value, key: key})
	}
	return entries
}

// OpenMap gives the entries of a map whose keys are names that the file chooses.
// False means that the value is no map, which has been reported.
func (n *Node) OpenMap() ([]*Node, bool) {
	if n == nil {
		return nil, false
	}
	if !n.IsMap() {
		n.wrongType("a map", "")
		return nil, false
	}
	return n.Entries(), true
}

// List gives the items of a list. False means that the value is no list, which
// has been reported.
func (n *Node) List() ([]*Node, bool) {
	if n == nil {
		return nil, false
	}
	if !n.IsList() {
		n.wrongType("a list", "")
		return nil, false
	}
	return n.items(), true
}

// OneOrMore gives the items of a list, or a value that is no list as the only
// item.
func (n *Node) OneOrMore() []*Node {
	switch {
	case n == nil:
		return nil
	case n.IsList():
		return n.items()
	default:
		return []*Node{n}
	}
}

func (n *Node) items() []*Node {
	items := make([]*Node, len(n.y.Content))
	for i, y := range n.y.Content {
		items[i] = &Node{doc: n.doc, y: y}
	}
	return items
}
