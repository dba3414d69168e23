package strict

import (
	"regexp"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// place is where a character stands; both count from 1, as in Pos.
type place struct{ line, column int }

// loneTag is the non-specific tag, short or verbatim.
var loneTag = regexp.MustCompile(`!(?:<!>)?(?:[ \t]|$)`)

// loneTags finds where the text has an exclamation mark that is a non-specific
// tag if a value begins there: the library reads such a tag, lets it turn true
// into a text or do nothing, and tells nobody. Those inside texts and comments
// are found too; no value begins at them.
func loneTags(text []byte) map[place]bool {
	found := map[place]bool{}
	for i, line := range splitLines(text) {
		column, counted := 1, 0
		for _, at := range loneTag.FindAllIndex(line, -1) {
			column += utf8.RuneCount(line[counted:at[0]])
			counted = at[0]
			found[place{i + 1, column}] = true
		}
	}
	return found
}

// checkTag reports a tag. Without an anchor before it, a tag is what its value
// begins with; an anchor has been reported itself.
func (d *Document) checkTag(y *yaml.Node) {
	var tag string
	switch {
	case y.Style&yaml.TaggedStyle != 0:
		tag = y.Tag
	case d.loneTags[place{y.Line, y.Column}]:
		tag = "!"
	default:
		return
	}
	d.errorf(d.posOf(y), CodeTag, "remove it", "a tag (%s) is not allowed", tag)
}
