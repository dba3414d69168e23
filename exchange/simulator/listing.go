package simulator

import (
	"slices"
	"strings"
)

// listPage fills one page from a position on: at most the page size, and at most what
// is left of ResultSize, after which the next page starts a new share of it: a
// ResultSize of one was seen to give one row, a next link and the warning (wire 1.6).
func listPage[T any](c *call, columns []property[T], next func(position int) (T, int, bool)) (outcome, *apiError) {
	limit, err := c.resultSize()
	if err != nil {
		return outcome{}, err
	}
	position, left := 0, limit
	if c.continued {
		position, left = c.from.position, c.from.left
	}
	size := c.pageSize()
	if left > 0 {
		size = min(size, left)
	}
	w := newRowWriter(c, columns)
	w.expect = min(size, 1000)
	object, at, ok := next(position)
	for ; ok && len(w.out.ends) < size; object, at, ok = next(at + 1) {
		w.add(&object)
	}
	if ok {
		w.out.next = at
		if limit > 0 {
			if w.out.left = left - size; w.out.left <= 0 {
				w.out.left = limit
			}
		}
	}
	return w.close(), nil
}

// rowWriter collects the rows of an answer.
type rowWriter[T any] struct {
	c       *call
	columns []property[T]
	row     Row
	scratch []byte
	expect  int // Rows to make room for once the size of one is known.
	out     outcome
}

func newRowWriter[T any](c *call, columns []property[T]) *rowWriter[T] {
	return &rowWriter[T]{c: c, columns: selected(columns, queryOption(c.in.query, "$select")), out: outcome{value: []byte{'['}, next: -1}}
}

func (w *rowWriter[T]) add(object *T) {
	w.scratch = fillRow(&w.row, w.scratch[:0], w.columns, object)
	if w.c.s.edit != nil {
		w.c.s.edit(w.c.cmdlet.name, &w.row)
	}
	if len(w.out.ends) > 0 {
		w.out.value = append(w.out.value, ',')
	}
	w.out.value = w.row.appendJSON(w.out.value)
	w.out.ends = append(w.out.ends, len(w.out.value))
	if len(w.out.ends) == 1 {
		w.out.value = slices.Grow(w.out.value, min(w.expect*(len(w.out.value)+len(w.out.value)/8), 256<<10))
	}
}

func (w *rowWriter[T]) close() outcome {
	w.out.value = append(w.out.value, ']')
	return w.out
}

// repeat adds row n, from 1, once more at the end of the page; 0 is the first.
func (o *outcome) repeat(n int) {
	n = max(n, 1)
	if n > len(o.ends) {
		return
	}
	start := 1
	if n > 1 {
		start = o.ends[n-2] + 1 // After the comma.
	}
	row := o.value[start:o.ends[n-1]]
	o.value = append(append(o.value[:len(o.value)-1:len(o.value)-1], ','), row...)
	o.ends = append(o.ends, len(o.value))
	o.value = append(o.value, ']')
}

// single is the answer of a cmdlet that returns the given objects and no more.
func single[T any](c *call, columns []property[T], objects ...T) outcome {
	w := newRowWriter(c, columns)
	for i := range objects {
		w.add(&objects[i])
	}
	return w.close()
}

// selected keeps the properties that $select names; a name that no property has is
// passed over.
func selected[T any](columns []property[T], names string) []property[T] {
	if names == "" {
		return columns
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		wanted[strings.ToLower(strings.TrimSpace(name))] = true
	}
	var kept []property[T]
	for _, p := range columns {
		if wanted[strings.ToLower(p.name)] {
			kept = append(kept, p)
		}
	}
	return kept
}
