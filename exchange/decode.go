package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// answer is the envelope of a success (wire 1.5), with the rows still as text.
type answer struct {
	// value holds the array of rows, nil where there is none; valueState says
	// whether value was there, null, or no array.
	value      jsontext.Value
	valueState State
	nextLink   string
	warnings   []string
	errors     []json.RawMessage
	// failure is the first error member that is not null: the body of a success
	// is an error envelope then.
	failure json.RawMessage
	// confirmation is what the service asks back where it did nothing (wire 1.2).
	confirmation string
	// inside is what errors or confirmation say, for a page whose rows are to be
	// seen first; reason says which of them it was.
	inside error
	reason Reason
}

// The members of an envelope that this client understands.
const (
	memberValue        = "value"
	memberError        = "error"
	memberNextLink     = "@odata.nextLink"
	memberErrors       = "@adminapi.errors"
	memberWarnings     = "@adminapi.warnings"
	memberConfirmation = "@adminapi.confirmationmessage"
)

// checkMember refuses a member whose name could be meant for one that decides
// what an answer is worth, and is not it: passed over, it would make a success
// of a failure, or a whole listing of a part.
func checkMember(name string) error {
	switch name {
	case memberValue, memberError, memberNextLink, memberErrors, memberWarnings, memberConfirmation:
		return nil
	}
	for _, known := range [...]string{
		memberValue, memberError, memberNextLink, memberErrors, memberWarnings, memberConfirmation,
		"odata.error", "@odata.error", "message", "odata.nextLink", "@nextLink",
	} {
		if strings.EqualFold(name, known) {
			return fmt.Errorf("it has a member %q, which is not how the service spells it", clean(name))
		}
	}
	return nil
}

// newDecoder lets duplicate names and broken UTF-8 pass: both spoil the property
// they stand in, not the page.
func newDecoder(b []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(b), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// errMalformed is wrapped by what decodeAnswer returns.
var errMalformed = errors.New("malformed answer")

// decodeAnswer reads the envelope. An empty body is an answer without value. The
// error means that the body cannot be trusted as a whole; rows are looked at
// later, and only what they are made of can be wrong with them then.
func decodeAnswer(body []byte) (answer, error) {
	var a answer
	if len(bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))) == 0 {
		return a, nil
	}
	return a, members(body, a.take)
}

// members reads body as one JSON object and gives take each member of it. The
// values are parts of body.
func members(body []byte, take func(name string, value jsontext.Value) error) error {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	dec := newDecoder(body)
	if dec.PeekKind() != '{' {
		return malformed(dec, errors.New("it is not a JSON object"))
	}
	if _, err := dec.ReadToken(); err != nil {
		return malformed(dec, err)
	}
	for dec.PeekKind() != '}' {
		name, value, err := member(dec, body)
		if err == nil {
			err = take(name, value)
		}
		if err != nil {
			return malformed(dec, err)
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return malformed(dec, err)
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return malformed(dec, errors.New("something follows it"))
	}
	return nil
}

// member reads the next member of an object. A name that is not UTF-8 is given
// as it stands, which is no name that anybody looks for.
func member(dec *jsontext.Decoder, body []byte) (string, jsontext.Value, error) {
	raw, err := dec.ReadValue()
	if err != nil {
		return "", nil, err
	}
	name := string(raw)
	if b, ok := unquote(raw); ok {
		name = string(b)
	}
	if raw, err = dec.ReadValue(); err != nil {
		return "", nil, err
	}
	// The decoder's own bytes are good until its next call only.
	end := dec.InputOffset()
	return name, jsontext.Value(body[end-int64(len(raw)) : end]), nil
}

// malformed names the place and not the content, which may hold anything.
func malformed(dec *jsontext.Decoder, err error) error {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		err = syntax.Err
	}
	return fmt.Errorf("%w at byte %d: %w", errMalformed, dec.InputOffset(), err)
}

// take reads one member of the envelope. The last of a kind does not win over
// the first: a second value, next link or list is malformed or added.
func (a *answer) take(name string, raw jsontext.Value) error {
	if err := checkMember(name); err != nil {
		return err
	}
	switch name {
	case memberValue:
		return a.takeValue(raw)
	case memberNextLink:
		return a.takeLink(raw)
	case memberWarnings:
		a.warnings = append(a.warnings, listOf(raw)...)
	case memberErrors:
		a.errors = append(a.errors, elementsOf(raw)...)
	case memberConfirmation:
		a.takeConfirmation(raw)
	case memberError:
		// One that was there is not taken back by another.
		if a.failure == nil && raw.Kind() != 'n' {
			a.failure = json.RawMessage(raw.Clone())
		}
	}
	return nil
}

// takeConfirmation keeps the question; one that is no text is one all the same.
func (a *answer) takeConfirmation(raw jsontext.Value) {
	asked := strings.Join(listOf(raw), "; ")
	if asked == "" && raw.Kind() != 'n' && raw.Kind() != '"' {
		asked = string(raw)
	}
	if a.confirmation == "" {
		a.confirmation = asked
	}
}

func (a *answer) takeValue(raw jsontext.Value) error {
	if a.valueState != Absent {
		return errors.New("value came twice")
	}
	switch raw.Kind() {
	case 'n':
		a.valueState = Null
	case '[':
		a.valueState, a.value = Set, raw
	default:
		return errors.New("value is not a list")
	}
	return nil
}

func (a *answer) takeLink(raw jsontext.Value) error {
	if raw.Kind() == 'n' {
		return nil
	}
	b, ok := []byte(nil), false
	if raw.Kind() == '"' {
		b, ok = unquote(raw)
	}
	switch {
	case !ok:
		return errors.New("the next link is not a text")
	case len(b) == 0:
		return errors.New("the next link is empty")
	case a.nextLink != "" && a.nextLink != string(b):
		return errors.New("two next links came")
	}
	a.nextLink = string(b)
	return nil
}

// listOf reads a list of texts. What is no text is kept as it stands: nothing in
// the place of a warning may pass for none.
func listOf(raw jsontext.Value) []string {
	var out []string
	for _, element := range elementsOf(raw) {
		var s string
		if json.Unmarshal(element, &s) != nil {
			s = string(element)
		}
		if s = redact(clean(s)); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// elementsOf returns the elements of an array, or the value itself where it is
// none; null has no elements.
func elementsOf(raw jsontext.Value) []json.RawMessage {
	switch raw.Kind() {
	case 'n':
		return nil
	case '[':
		var elements []json.RawMessage
		dec := newDecoder(raw)
		if _, err := dec.ReadToken(); err != nil {
			return nil
		}
		for dec.PeekKind() != ']' {
			element, err := dec.ReadValue()
			if err != nil {
				break
			}
			elements = append(elements, json.RawMessage(element.Clone()))
		}
		return elements
	default:
		return []json.RawMessage{json.RawMessage(raw.Clone())}
	}
}

// finder returns the place of a property in a row, nil for those that are not
// wanted.
type finder[T any] func(row *T, name []byte) property

// rows calls yield for each row of the answer, until it returns false.
func rows[T any](a answer, shared names, find finder[T], yield func(T) bool) error {
	if a.value == nil {
		return nil
	}
	dec := newDecoder(a.value)
	if _, err := dec.ReadToken(); err != nil {
		return malformed(dec, err)
	}
	for dec.PeekKind() != ']' {
		var row T
		if err := takeRow(dec, shared, func(name []byte) property { return find(&row, name) }); err != nil {
			return malformed(dec, err)
		}
		if !yield(row) {
			return nil
		}
	}
	return nil
}
