package auth

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a string that shows itself to nobody: every way of formatting or logging it, and
// of encoding it as JSON, XML or YAML, gives "[redacted]". Only Reveal gives the text.
//
// The fmt package cannot call methods on unexported struct fields, so a struct that keeps a
// Secret in one needs a Format method of its own.
type Secret string

// Reveal returns the text, for the one place that sends it.
func (s Secret) Reveal() string { return string(s) }

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// GoString returns "[redacted]", for %#v.
func (s Secret) GoString() string { return redacted }

// Format writes "[redacted]" for every verb, %x and %d too.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText encodes "[redacted]"; encoders for JSON, XML and YAML use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON encodes the JSON string "[redacted]".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue gives slog "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
