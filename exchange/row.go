package exchange

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// maxNames bounds the strings that a listing shares among its rows.
const maxNames = 512

// names lets rows share the strings that repeat in every one of them, the names
// of audit actions above all. The zero value shares nothing.
type names map[string]string

func (n names) share(b []byte) string {
	if s, ok := n[string(b)]; ok {
		return s
	}
	s := string(b)
	if n != nil && len(n) < maxNames && len(s) <= 64 {
		n[s] = s
	}
	return s
}

// property is where a row puts one property.
type property interface {
	// take reads the value that comes next. It fails only where the text is not
	// JSON any more.
	take(dec *jsontext.Decoder, shared names) error
}

// take reads one value into the field, and nothing but its State where the value
// is not what the field holds. The second value under a name spoils the first:
// nobody can say which was meant.
func (f *Field[T]) take(dec *jsontext.Decoder, shared names) error {
	var zero T
	if f.State != Absent {
		f.Value, f.State = zero, Duplicate
		return dec.SkipValue()
	}
	if dec.PeekKind() == 'n' {
		f.State = Null
		return dec.SkipValue()
	}
	var ok bool
	var err error
	switch value := any(&f.Value).(type) {
	case *string:
		*value, ok, err = takeString(dec, shared)
	case *bool:
		*value, ok, err = takeBool(dec)
	case *[]string:
		*value, ok, err = takeList(dec, shared)
	case *int:
		*value, ok, err = takeInt(dec)
	default:
		err = dec.SkipValue()
	}
	f.State = Set
	if !ok {
		f.Value, f.State = zero, Mistyped
	}
	return err
}

// takeString accepts a JSON string of valid UTF-8.
func takeString(dec *jsontext.Decoder, shared names) (string, bool, error) {
	raw, err := dec.ReadValue()
	if err != nil || raw.Kind() != '"' {
		return "", false, err
	}
	b, ok := unquote(raw)
	if !ok {
		return "", false, nil
	}
	if shared == nil {
		return string(b), true, nil
	}
	return shared.share(b), true, nil
}

// takeBool accepts true and false, and the words that .NET writes for them
// (semantics 9.5).
func takeBool(dec *jsontext.Decoder) (value, ok bool, err error) {
	raw, err := dec.ReadValue()
	if err != nil {
		return false, false, err
	}
	switch string(raw) {
	case `true`, `"True"`:
		return true, true, nil
	case `false`, `"False"`:
		return false, true, nil
	default:
		return false, false, nil
	}
}

// takeList accepts an array of strings; the list of an empty one is not nil.
func takeList(dec *jsontext.Decoder, shared names) ([]string, bool, error) {
	if dec.PeekKind() != '[' {
		return nil, false, dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, false, err
	}
	list, whole := []string{}, true
	for dec.PeekKind() != ']' {
		s, ok, err := takeString(dec, shared)
		if err != nil {
			return nil, false, err
		}
		whole = whole && ok
		if whole {
			list = append(list, s)
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, false, err
	}
	return list, whole, nil
}

// unquote returns the text of a JSON string, and false where it is not UTF-8 or
// has an unpaired surrogate.
func unquote(raw jsontext.Value) ([]byte, bool) {
	if body := raw[1 : len(raw)-1]; bytes.IndexByte(body, '\\') < 0 && isASCII(body) {
		return body, true
	}
	b, err := jsontext.AppendUnquote(nil, []byte(raw))
	return b, err == nil
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// takeRow reads one row. find returns the place of a property, nil for those
// that are not wanted; names with an annotation mark are never asked for. A row
// that is no object leaves every property absent.
func takeRow(dec *jsontext.Decoder, shared names, find func(name []byte) property) error {
	if dec.PeekKind() != '{' {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		raw, err := dec.ReadValue()
		if err != nil {
			return err
		}
		var place property
		if name, ok := unquote(raw); ok && bytes.IndexByte(name, '@') < 0 {
			place = find(name)
		}
		if place == nil {
			err = dec.SkipValue()
		} else {
			err = place.take(dec, shared)
		}
		if err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}
