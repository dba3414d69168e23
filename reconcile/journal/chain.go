package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
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

// ChainError says where a journal does not hold together: at the entry that
// should have number Entry, which in a file stands on the line of the same
// number.
type ChainError struct {
	Entry int64
	Why   string
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("journal entry %d: %s", e.Entry, e.Why)
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

// Read goes through a journal file, calls each for every entry, and checks the
// chain. It ends at a last line of which only the beginning was written, and
// reports it in the tail; anything else that does not hold together, a file
// that is no journal among it, is a *ChainError.
func Read(r io.Reader, each func(Entry) error) (Tail, error) {
	return Follow(Tail{}, Lines(r), func(_ Line, e Entry) error { return each(e) })
}

// Follow goes on with a journal behind a place that was checked before; the zero
// Tail is its beginning. It calls each for every line with its entry, once the
// line is known to follow the one before it and to be as it was sealed. One that is
// not is a *ChainError that names its place: a changed byte, or a line taken out,
// put in, repeated or moved, anywhere but at the end. That lines were cut off at the
// end cannot be seen; see [Verify] for that.
//
// It returns the tail behind the last line that holds, and the first error of
// lines or of each as it is.
func Follow(tail Tail, lines iter.Seq2[Line, error], each func(Line, Entry) error) (Tail, error) {
	for line, err := range lines {
		if torn, ok := errors.AsType[*tornError](err); ok {
			if tail.Torn = true; !torn.begins(tail.Head) {
				return tail, &ChainError{tail.Seq + 1, "it is not a journal line"}
			}
			return tail, nil
		}
		if err != nil {
			return tail, err
		}
		entry, why := tail.next(line)
		if why != "" {
			return tail, &ChainError{tail.Seq + 1, why}
		}
		tail.Head, tail.Seq, tail.Size = line.Hash, entry.Seq, tail.Size+line.size()
		if err := each(line, entry); err != nil {
			return tail, err
		}
	}
	return tail, nil
}

// next reads the line that follows the tail, or says why it does not.
func (t Tail) next(line Line) (e Entry, why string) {
	if line.Prev != t.Head {
		return e, "it does not follow the entry before it"
	}
	if line.Hash != digest(line.Prev, line.Entry) {
		return e, "its text is not the one that was sealed"
	}
	if err := json.Unmarshal(line.Entry, &e); err != nil || !e.wellFormed() {
		return e, "it is not readable"
	}
	if e.Seq != t.Seq+1 {
		return e, fmt.Sprintf("it has number %d", e.Seq)
	}
	return e, ""
}

// wellFormed tells whether an entry holds just what its kind says.
func (e Entry) wellFormed() bool {
	return (e.Begin != nil) == (e.Kind == KindBegin) &&
		(e.Intent != nil) == (e.Kind == KindIntent) &&
		(e.Outcome != nil) == (e.Kind == KindOutcome) &&
		(e.Kind == KindEnd || e.Begin != nil || e.Intent != nil || e.Outcome != nil)
}
