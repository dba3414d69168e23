package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a file. Line and Column count from 1, columns in characters.
// The zero value is no place.
type Pos struct {
	File   string
	Line   int
	Column int
}

// String gives file:line:column.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// IsZero tells whether p is no place.
func (p Pos) IsZero() bool { return p == Pos{} }

// Compare orders places by file, line and column.
func (p Pos) Compare(o Pos) int {
	return cmp.Or(cmp.Compare(p.File, o.File), cmp.Compare(p.Line, o.Line), cmp.Compare(p.Column, o.Column))
}

// Severity says whether a diagnostic makes a file unusable.
type Severity uint8

// The severities of diagnostics.
const (
	// Error makes the file unusable.
	Error Severity = iota
	// Warning lets the file be used.
	Warning
)

// String gives error or warning.
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// The codes of the diagnostics of this package. A code never changes its
// meaning; scripts may rely on it.
const (
	// CodeEmpty is a file without a document.
	CodeEmpty = "empty-file"
	// CodeTooLarge is a file over MaxSize.
	CodeTooLarge = "too-large"
	// CodeTooDeep is a value nested deeper than MaxDepth.
	CodeTooDeep = "too-deep"
	// CodeEncoding is text that is not UTF-8.
	CodeEncoding = "bad-encoding"
	// CodeControl is an invisible character that may not stand in a file, or in
	// a text or key of it.
	CodeControl = "control-character"
	// CodeTab is a tab where YAML wants spaces.
	CodeTab = "tab"
	// CodeSyntax is text that is not YAML.
	CodeSyntax = "syntax"
	// CodeSecondDocument is a second document in the file.
	CodeSecondDocument = "second-document"
	// CodeAnchor is an anchor (&name).
	CodeAnchor = "anchor"
	// CodeAlias is an alias (*name).
	CodeAlias = "alias"
	// CodeTag is an explicit tag (!name).
	CodeTag = "tag"
	// CodeMergeKey is a merge key (<<).
	CodeMergeKey = "merge-key"
	// CodeBadKey is a key that is not a plain word.
	CodeBadKey = "bad-key"
	// CodeDuplicateKey is a key that stands twice in one map.
	CodeDuplicateKey = "duplicate-key"
	// CodeUnknownKey is a key that nobody reads.
	CodeUnknownKey = "unknown-key"
	// CodeNotSupported is a key that has a meaning, but not in this version.
	CodeNotSupported = "not-supported"
	// CodeMissingKey is a required key that is absent.
	CodeMissingKey = "missing-key"
	// CodeWrongType is a value of another kind than expected.
	CodeWrongType = "wrong-type"
)

// Diagnostic is one finding about a file.
type Diagnostic struct {
	Pos
	// Code is stable and names the kind of finding.
	Code string
	// Message says what is wrong.
	Message string
	// Hint says what to do; it may be empty.
	Hint string
	// Severity is Error unless said otherwise.
	Severity Severity
}

// String gives "file:line:column: error CODE: message (hint)".
func (d Diagnostic) String() string {
	text := fmt.Sprintf("%s: %s %s: %s", d.Pos, d.Severity, d.Code, d.Message)
	if d.Hint != "" {
		text += " (" + d.Hint + ")"
	}
	return text
}

// Diagnostics is a list of findings. As an error it prints one per line; it is
// an error value only where a caller chooses to return it, see [Diagnostics.Err].
type Diagnostics []Diagnostic

// Error gives one finding per line.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// HasErrors tells whether one of the findings makes the file unusable.
func (ds Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

// Err gives the findings as an error where one of them is an error, else nil.
func (ds Diagnostics) Err() error {
	if ds.HasErrors() {
		return ds
	}
	return nil
}

// Sorted gives a copy in the order of places, at one place by code and message,
// each finding once.
func (ds Diagnostics) Sorted() Diagnostics {
	sorted := slices.Clone(ds)
	slices.SortStableFunc(sorted, func(a, b Diagnostic) int {
		return cmp.Or(a.Compare(b.Pos), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(sorted)
}
