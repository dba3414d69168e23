package strict

import "gopkg.in/yaml.v3"

// checkTree reports, for the whole document and before anybody reads it, the
// constructs that are refused wherever they stand.
func (d *Document) checkTree(y *yaml.Node, depth int) {
	p := d.posOf(y)
	if depth > MaxDepth {
		d.errorf(p, CodeTooDeep, "", "values nest deeper than %d levels", MaxDepth)
		return
	}
	if y.Anchor != "" {
		d.errorf(p, CodeAnchor, "write the value out", "an anchor (&%s) is not allowed", y.Anchor)
	}
	if y.Kind == yaml.AliasNode {
		d.errorf(p, CodeAlias, "write the value out", "an alias (*%s) is not allowed", y.Value)
		return
	}
	if y.Style&yaml.TaggedStyle != 0 {
		d.errorf(p, CodeTag, "remove it", "a tag (%s) is not allowed", y.Tag)
	}
	if y.Kind == yaml.MappingNode {
		d.checkKeys(y)
	}
	for _, child := range y.Content {
		d.checkTree(child, depth+1)
	}
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
