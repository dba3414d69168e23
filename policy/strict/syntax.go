package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

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

// syntaxError reports what the YAML library could not read. Its messages may
// name a line and never a column; the column is where that line's text begins.
func (d *Document) syntaxError(text []byte, err error) {
	lines := splitLines(text)
	line, message := lineOf(err)
	if line == 0 {
		line = findLine(lines, message)
	}
	line = min(max(line, 1), len(lines))
	if at := tabLine(lines, line); at > 0 {
		column := bytes.IndexByte(lines[at-1], '\t') + 1
		d.errorf(d.At(at, column), CodeTab, "indent with spaces", "a tab may not indent a line")
		return
	}
	content := lines[line-1]
	column := len(content) - len(bytes.TrimLeft(content, " \t")) + 1
	d.errorf(d.At(line, column), CodeSyntax, "", "this is not YAML: %s", message)
}

// splitLines cuts the text at every kind of line end that YAML knows and that
// checkText lets through. It gives at least one line.
func splitLines(text []byte) [][]byte {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
	return bytes.Split(text, []byte("\n"))
}

// lineOf takes the library's message apart: "yaml: line 3: did not find ...".
func lineOf(err error) (line int, message string) {
	message = strings.TrimPrefix(err.Error(), "yaml: ")
	m := regexp.MustCompile(`^(?:unmarshal errors:\s*)?line (\d+): `).FindStringSubmatch(message)
	if m == nil {
		return 0, message
	}
	line, convErr := strconv.Atoi(m[1])
	if convErr != nil {
		return 0, message
	}
	return line, message[len(m[0]):]
}

// findLine looks for the first line whose presence makes the library give the
// same message, by halving: the message itself has no line.
func findLine(lines [][]byte, message string) int {
	fails := func(n int) bool {
		_, err := decode(yaml.NewDecoder(bytes.NewReader(bytes.Join(lines[:n], []byte("\n")))))
		if err == nil || errors.Is(err, io.EOF) {
			return false
		}
		_, m := lineOf(err)
		return m == message
	}
	low, high := 1, len(lines)
	for low < high {
		middle := (low + high) / 2
		if fails(middle) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// tabLine gives the nearest line up to the one named, at most two above it, that
// is indented with a tab; 0 for none. The library names the line where it gave
// up, which may be after the one at fault.
func tabLine(lines [][]byte, line int) int {
	for at := line; at >= max(line-2, 1); at-- {
		content := lines[at-1]
		indent := content[:len(content)-len(bytes.TrimLeft(content, " \t"))]
		if bytes.IndexByte(indent, '\t') >= 0 && len(indent) < len(content) {
			return at
		}
	}
	return 0
}
