package strict

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// checkTree reports, for the whole document and before anybody reads it, the
// constructs that are refused wherever they stand. False means that the document
// nests too deep to be walked at all.
func (d *Document) checkTree(y *yaml.Node, depth int) bool {
	p := d.posOf(y)
	if depth > MaxDepth {
		d.errorf(p, CodeTooDeep, "", "values nest deeper than %d levels", MaxDepth)
		return false
	}
	if y.Anchor != "" {
		d.errorf(p, CodeAnchor, "write the value out", "an anchor (&%s) is not allowed", y.Anchor)
	}
	d.checkTag(y)
	switch y.Kind {
	case yaml.AliasNode:
		d.errorf(p, CodeAlias, "write the value out", "an alias (*%s) is not allowed", y.Value)
		return true
	case yaml.MappingNode:
		d.checkKeys(y)
	case yaml.ScalarNode:
		d.checkInvisible(y)
	}
	walkable := true
	for _, child := range y.Content {
		walkable = d.checkTree(child, depth+1) && walkable
	}
	return walkable
}

// checkInvisible refuses what a reader cannot see in a text or key: characters
// that checkText has no eyes for because they are written as escapes, and those
// that do no harm in a comment. A text ends up on terminals and in reports, where
// it must do nothing, and is compared with values that people typed.
func (d *Document) checkInvisible(y *yaml.Node) {
	i := strings.IndexFunc(y.Value, func(r rune) bool { return isForbidden(r) || isInvisible(r) })
	if i < 0 {
		return
	}
	r, _ := utf8.DecodeRuneInString(y.Value[i:])
	hint := "remove it"
	if unicode.Is(unicode.Zs, r) {
		hint = "write a plain space"
	}
	d.errorf(d.posOf(y), CodeControl, hint, "the character %U may not stand in the text %q", r, shorten(y.Value))
}

// checkKeys reports keys that are no words and keys that stand twice.
func (d *Document) checkKeys(y *yaml.Node) {
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		switch {
		case key.Kind == yaml.AliasNode: // reported as an alias
		case key.Kind != yaml.ScalarNode:
			d.errorf(d.posOf(key), CodeBadKey, "", "a key must be a word")
		case key.Tag == "!!merge":
			d.errorf(d.posOf(key), CodeMergeKey, "write the keys out", "a merge key (<<) is not allowed")
		case key.Tag == "!!null" || key.Value == "":
			d.errorf(d.posOf(key), CodeBadKey, "", "a key may not be empty")
		default:
			if first, twice := seen[key.Value]; twice {
				d.errorf(d.posOf(key), CodeDuplicateKey, "", "the key %q stands already at %s", key.Value, d.posOf(first))
				continue
			}
			seen[key.Value] = key
		}
	}
}
