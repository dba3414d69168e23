package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// maxLine bounds a line: what has a longer one is no journal. Lines hold one
// change, of some kilobytes.
const maxLine = 1 << 20

// Lines gives the lines of a journal file in their order. It does not check the
// chain, [Follow] and [Verify] do. Text that is no line of a journal is a
// *ChainError; so is one that is spelt otherwise than it was sealed, since nothing
// may stand in it that the seal does not cover. It ends at the first error.
func Lines(r io.Reader) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		in := bufio.NewReaderSize(r, maxLine)
		for n := int64(1); ; n++ {
			text, err := in.ReadSlice('\n')
			switch {
			case errors.Is(err, bufio.ErrBufferFull):
				yield(Line{}, &ChainError{n, "it is longer than any journal line"})
				return
			case errors.Is(err, io.EOF) && len(text) == 0:
				return
			case errors.Is(err, io.EOF):
				yield(Line{}, &tornError{bytes.Clone(text)})
				return
			case err != nil:
				yield(Line{}, fmt.Errorf("reading the journal: %w", err))
				return
			}
			line, why := parseLine(text)
			if why != "" {
				yield(line, &ChainError{n, why})
				return
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// tornError is a last line without an end.
type tornError struct{ text []byte }

func (e *tornError) Error() string { return "the last line of the journal has no end" }

// begins tells whether the text is the beginning of the line that follows head.
func (e *tornError) begins(head string) bool {
	start := []byte(`{"prev":"` + head + `","hash":"`)
	return bytes.HasPrefix(e.text, start) || bytes.HasPrefix(start, e.text)
}

// parseLine reads a line, which must be spelt as it was sealed.
func parseLine(text []byte) (line Line, why string) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&line); err != nil {
		return line, "it is not a journal line"
	}
	sealed, err := json.Marshal(line)
	if err != nil || !bytes.Equal(append(sealed, '\n'), text) {
		return line, "it holds more than was sealed"
	}
	return line, ""
}

// size is the length of the line in a file.
func (l Line) size() int64 {
	return int64(len(`{"prev":"","hash":"","entry":}`) + 1 + len(l.Prev) + len(l.Hash) + len(l.Entry))
}
