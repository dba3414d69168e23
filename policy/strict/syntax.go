package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"
)

// parseYAML gives the value of the only document in the text.
func (d *Document) parseYAML(text []byte) (*yaml.Node, bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	first, err := decode(decoder)
	switch {
	case errors.Is(err, io.EOF), err == nil && isNothing(first):
		d.errorf(d.At(1, 1), CodeEmpty, "", "the file holds no document")
		return nil, false
	case err != nil:
		d.syntaxError(text, err)
		return nil, false
	}
	second, err := decode(decoder)
	switch {
	case errors.Is(err, io.EOF):
		return first.Content[0], true
	case err != nil:
		d.syntaxError(text, err)
		return nil, false
	default:
		d.errorf(d.posOf(second), CodeSecondDocument, "put it into a file of its own",
			"a second document begins here, and only one is read")
		return first.Content[0], true
	}
}

// decode reads the next document. The library is archived and panics are its
// inner way to fail, so one that escapes becomes an error.
func decode(decoder *yaml.Decoder) (doc *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: %v", p)
		}
	}()
	doc = new(yaml.Node)
	err = decoder.Decode(doc)
	return doc, err
}

func isNothing(doc *yaml.Node) bool {
	return len(doc.Content) == 0 ||
		doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Tag == "!!null" && doc.Content[0].Value == ""
}

// syntaxError reports what the YAML library could not read. Its messages name no
// column, and often no line or a neighbouring one; so the line is looked for, and
// the column is where that line's text begins.
func (d *Document) syntaxError(text []byte, err error) {
	message, hint := messageOf(err)
	lines := splitLines(text)
	line := findLine(lines, message, hint)
	content := lines[line-1]
	indent := content[:len(content)-len(bytes.TrimLeft(content, " \t"))]
	if tab := bytes.IndexByte(indent, '\t'); tab >= 0 {
		d.errorf(d.At(line, tab+1), CodeTab, "indent with spaces", "a tab may not indent a line")
		return
	}
	d.errorf(d.At(line, len(indent)+1), CodeSyntax, "", "this is not YAML: %s", message)
}

// splitLines cuts the text at every kind of line end that YAML knows and that
// checkText lets through. It gives at least one line.
func splitLines(text []byte) [][]byte {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
	return bytes.Split(text, []byte("\n"))
}

var libraryMessage = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// messageOf takes the library's prefix and line number off a message such as
// "yaml: line 3: did not find expected key". Without a line, hint is 0.
func messageOf(err error) (message string, hint int) {
	text := err.Error()
	m := libraryMessage.FindStringSubmatch(text)
	if n, err := strconv.Atoi(m[1]); err == nil {
		hint = n
	}
	return text[len(m[0]):], hint
}

// findLine gives the line, from 1, that brings the message about: the text up to
// it fails in that way and the text before it does not. The library names that
// line, one beside it, or where the value around it begins or ends. Every step
// reads the text again, so a file beyond the size that people write gets the
// library's line as it is, or the first where it names none.
func findLine(lines [][]byte, message string, hint int) int {
	hint = min(hint, len(lines))
	if len(bytes.Join(lines, nil)) > searchable {
		return max(hint, 1)
	}
	for n := max(hint-1, 1); n <= min(hint+1, len(lines)); n++ {
		if failsWith(lines[:n], message) && !failsWith(lines[:n-1], message) {
			return n
		}
	}
	return firstFailing(lines, message)
}

// searchable is the size in bytes up to which findLine reads a text again.
const searchable = 64 << 10

// firstFailing halves the range of lines until one is left.
func firstFailing(lines [][]byte, message string) int {
	low, high := 1, len(lines)
	for low < high {
		middle := (low + high) / 2
		if failsWith(lines[:middle], message) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// failsWith tells whether the lines alone give the message.
func failsWith(lines [][]byte, message string) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(bytes.Join(lines, []byte("\n"))))
	_, err := decode(decoder)
	if err == nil {
		_, err = decode(decoder)
	}
	if err == nil || errors.Is(err, io.EOF) {
		return false
	}
	got, _ := messageOf(err)
	return got == message
}
