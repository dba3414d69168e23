package evidence

import (
	"encoding/json"
	"io"

	"github.com/exoaudit/exoaudit/reconcile/report"
)

// jsonFile writes one object field by field, and lists element by element, so that no
// file is held as a whole. It remembers the first error.
type jsonFile struct {
	w     io.Writer
	err   error
	later bool // a field has been written
}

func (j *jsonFile) raw(s string) {
	if j.err == nil {
		_, j.err = io.WriteString(j.w, s)
	}
}

// value writes a value on one line, as reports write it: what a terminal could act
// upon is escaped.
func (j *jsonFile) value(v any) {
	if j.err != nil {
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		j.err = err
		return
	}
	_, j.err = j.w.Write(report.EscapeJSON(b))
}

func (j *jsonFile) field(name string, v any) {
	j.name(name)
	j.value(v)
}

func (j *jsonFile) name(name string) {
	if j.later {
		j.raw(",")
	}
	j.later = true
	j.raw("\n\"" + name + "\": ")
}

// list writes a field with the elements that each gives to its argument, which tells
// whether to go on.
func (j *jsonFile) list(name string, each func(element func(any) bool)) {
	j.name(name)
	j.raw("[")
	first := true
	each(func(v any) bool {
		if !first {
			j.raw(",")
		}
		first = false
		j.raw("\n")
		j.value(v)
		return j.err == nil
	})
	if !first {
		j.raw("\n")
	}
	j.raw("]")
}

// writeObject writes a file that is one object.
func writeObject(w io.Writer, fields func(*jsonFile)) error {
	j := &jsonFile{w: w}
	j.raw("{")
	fields(j)
	j.raw("\n}\n")
	return j.err
}

// writeLine writes one line of a file of lines.
func writeLine(w io.Writer, v any) error {
	j := &jsonFile{w: w}
	j.value(v)
	j.raw("\n")
	return j.err
}
