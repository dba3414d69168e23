package journal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Line is one line of a journal file. Hash is SHA-256, in hex, of Prev and the
// bytes of Entry as they stand.
type Line struct {
	Prev  string          `json:"prev"`
	Hash  string          `json:"hash"`
	Entry json.RawMessage `json:"entry"`
}

// seal chains an entry to the head so far.
func seal(prev string, e Entry) (Line, error) {
	raw, err := json.Marshal(e)
	if err != nil {
		return Line{}, fmt.Errorf("encoding a journal entry: %w", err)
	}
	return Line{Prev: prev, Hash: digest(prev, raw), Entry: raw}, nil
}

func digest(prev string, raw []byte) string {
	h := sha256.New()
	h.Write([]byte(prev))
	h.Write([]byte{'\n'})
	h.Write(raw)
	return hex.EncodeToString(h.Sum(nil))
}

// ChainError says where a journal does not hold together.
type ChainError struct {
	Line int
	Why  string
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("journal line %d: %s", e.Line, e.Why)
}

// Tail is the end of a journal: what the next entry must follow.
type Tail struct {
	Head string
	Seq  int64
	// Torn says that the last line is only a part of one: its write was cut
	// off, so the entry never counted.
	Torn bool
	// Size is the length of the whole lines, in bytes.
	Size int64
}

// maxLine bounds a line: what has a longer one is no journal. Lines hold one
// change, of some kilobytes.
const maxLine = 1 << 20

// Read goes through a journal, calls each for every entry, and checks the
// chain. It ends at a last line of which only the beginning was written, and
// reports it in the tail; anything else that does not hold together, a file
// that is no journal among it, is a *ChainError.
func Read(r io.Reader, each func(Entry) error) (Tail, error) {
	var tail Tail
	in := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		text, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return tail, &ChainError{n, "it is longer than any journal line"}
		}
		if errors.Is(err, io.EOF) {
			if tail.Torn = len(text) > 0; tail.Torn && !beginsLine(text, tail.Head) {
				return tail, &ChainError{n, "it is not a journal line"}
			}
			return tail, nil
		}
		if err != nil {
			return tail, fmt.Errorf("reading the journal: %w", err)
		}
		entry, line, err := parseLine(text)
		switch {
		case err != nil:
			return tail, &ChainError{n, err.Error()}
		case line.Prev != tail.Head:
			return tail, &ChainError{n, "it does not follow the line before it"}
		case line.Hash != digest(line.Prev, line.Entry):
			return tail, &ChainError{n, "its text is not the one that was sealed"}
		case entry.Seq != tail.Seq+1:
			return tail, &ChainError{n, fmt.Sprintf("it has number %d, not %d", entry.Seq, tail.Seq+1)}
		}
		tail.Head, tail.Seq = line.Hash, entry.Seq
		tail.Size += int64(len(text))
		if err := each(entry); err != nil {
			return tail, err
		}
	}
}

// beginsLine tells whether text is the beginning of the line that follows head.
func beginsLine(text []byte, head string) bool {
	start := []byte(`{"prev":"` + head + `","hash":"`)
	return bytes.HasPrefix(text, start) || bytes.HasPrefix(start, text)
}

// parseLine reads a line, which must be spelt as it was sealed: nothing may
// stand in it that the seal does not cover.
func parseLine(text []byte) (Entry, Line, error) {
	var line Line
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&line); err != nil {
		return Entry{}, line, errors.New("it is not a journal line")
	}
	sealed, err := json.Marshal(line)
	if err != nil || !bytes.Equal(append(sealed, '\n'), text) {
		return Entry{}, line, errors.New("it holds more than was sealed")
	}
	var e Entry
	if err := json.Unmarshal(line.Entry, &e); err != nil || !e.wellFormed() {
		return Entry{}, line, errors.New("its entry is not readable")
	}
	return e, line, nil
}

// wellFormed tells whether an entry holds just what its kind says.
func (e Entry) wellFormed() bool {
	return (e.Begin != nil) == (e.Kind == KindBegin) &&
		(e.Intent != nil) == (e.Kind == KindIntent) &&
		(e.Outcome != nil) == (e.Kind == KindOutcome) &&
		(e.Kind == KindEnd || e.Begin != nil || e.Intent != nil || e.Outcome != nil)
}
