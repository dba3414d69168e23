package strict

import (
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"
)

var (
	wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)
	number      = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
)

// Text reads a text. What YAML takes for a number, a boolean or nothing is
// refused unless it is quoted. A plain date is a text.
func (n *Node) Text() (string, bool) {
	if n.IsScalar() && (n.y.Tag == "!!str" || n.y.Tag == "!!timestamp" || n.isQuoted()) {
		return n.y.Value, true
	}
	hint := ""
	if n.IsScalar() && n.y.Tag != "!!null" {
		hint = `put it in quotes: "` + shorten(n.y.Value) + `"`
	}
	n.wrongType("a text", hint)
	return "", false
}

// Written reads a scalar as it is written, whatever YAML takes it for: for values
// with a grammar of their own, such as durations. Nothing at all is refused; want
// says in the message what belongs there.
func (n *Node) Written(want string) (string, bool) {
	if n.IsScalar() && n.y.Tag != "!!null" {
		return n.y.Value, true
	}
	n.wrongType(want, "")
	return "", false
}

// Bool reads a boolean, spelt true or false and nothing else.
func (n *Node) Bool() (value, ok bool) {
	if n.IsScalar() && n.y.Tag == "!!bool" && !n.isQuoted() {
		switch n.y.Value {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	n.wrongType("true or false", "")
	return false, false
}

// Int reads a whole number in decimal digits, without a leading zero, sign plus,
// underscore or base.
func (n *Node) Int() (int, bool) {
	if n.IsScalar() && !n.isQuoted() && wholeNumber.MatchString(n.y.Value) {
		if v, err := strconv.Atoi(n.y.Value); err == nil {
			return v, true
		}
	}
	n.wrongType("a whole number in decimal digits", "")
	return 0, false
}

// Number reads a decimal number such as 30 or 0.5, without an exponent.
func (n *Node) Number() (float64, bool) {
	if n.IsScalar() && !n.isQuoted() && number.MatchString(n.y.Value) {
		if v, err := strconv.ParseFloat(n.y.Value, 64); err == nil {
			return v, true
		}
	}
	n.wrongType("a decimal number", "")
	return 0, false
}

// isQuoted tells whether the scalar is written in quotes or as a block.
func (n *Node) isQuoted() bool {
	return n.y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
}
