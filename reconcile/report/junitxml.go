package report

import (
	"bufio"
	"encoding/xml"
	"strings"
)

// xmlWriter writes elements and remembers the first error. Texts that come to it have
// gone through Line: XML 1.0 has no way to write most control characters at all.
type xmlWriter struct {
	w   *bufio.Writer
	err error
}

func (x *xmlWriter) raw(s string) {
	if x.err == nil {
		_, x.err = x.w.WriteString(s)
	}
}

func (x *xmlWriter) escaped(s string) {
	if x.err == nil {
		x.err = xml.EscapeText(x.w, []byte(s))
	}
}

// start writes a start tag up to its end; attributes are names and values.
func (x *xmlWriter) start(name string, attributes []string) {
	x.raw("<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		x.raw(" " + attributes[i] + `="`)
		x.escaped(attributes[i+1])
		x.raw(`"`)
	}
}

// open begins an element that holds others, on a line of its own.
func (x *xmlWriter) open(name string, attributes ...string) {
	x.start(name, attributes)
	x.raw(">\n")
}

func (x *xmlWriter) close(name string) { x.raw("</" + name + ">\n") }

// empty writes an element that holds nothing.
func (x *xmlWriter) empty(name string, attributes ...string) {
	x.start(name, attributes)
	x.raw("/>\n")
}

// text writes an element that holds text, line by line, for those who look at the file.
func (x *xmlWriter) text(name, text string, attributes ...string) {
	x.start(name, attributes)
	x.raw(">")
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			x.raw("\n")
		}
		x.escaped(line)
	}
	x.close(name)
}
