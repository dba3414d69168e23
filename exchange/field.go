package exchange

// State says what an answer held for one property.
type State uint8

// The states of a [Field]. Only Set carries a value.
const (
	// Absent means that the row has no such property, or only one of another
	// spelling: names match by exact case.
	Absent State = iota
	// Null means that the property was there and null.
	Null
	// Set means that the property was there once, with a value of its type.
	Set
	// Mistyped means that the property held a value of another JSON type, a
	// list with a foreign element, or text that is not valid UTF-8.
	Mistyped
	// Duplicate means that the row gave the property more than once.
	Duplicate
)

// String returns the state as one lower-case word.
func (s State) String() string {
	switch s {
	case Absent:
		return "absent"
	case Null:
		return "null"
	case Set:
		return "set"
	case Mistyped:
		return "mistyped"
	case Duplicate:
		return "duplicate"
	default:
		return "invalid"
	}
}

// Field is one property of a row: a value together with what is known about
// it. The zero Field is Absent. Value is the zero value unless State is Set.
type Field[T any] struct {
	Value T
	State State
}

// Get returns the value and whether there is one.
func (f Field[T]) Get() (T, bool) { return f.Value, f.State == Set }

// Of returns a Field that is Set to v, for those who build rows by hand.
func Of[T any](v T) Field[T] { return Field[T]{Value: v, State: Set} }
