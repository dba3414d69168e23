package policy

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// matchGlob tells whether the whole text matches a pattern in which * stands for
// any run of characters, the empty one too, and ? for exactly one. Every other
// character stands for itself. It takes time in proportion to the product of the
// two lengths at worst, whatever the pattern.
func matchGlob(pattern, text string) bool {
	p, t := 0, 0
	star, resume := -1, 0
	for t < len(text) {
		_, size := utf8.DecodeRuneInString(text[t:])
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && pattern[p] == '?':
			p++
			t += size
		case p < len(pattern) && strings.HasPrefix(pattern[p:], text[t:t+size]):
			p += size
			t += size
		case star >= 0:
			_, skipped := utf8.DecodeRuneInString(text[resume:])
			resume += skipped
			p, t = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// call prints a selector's name with its values, quoted so that no value can be
// taken for syntax.
func call(name string, values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	return name + "(" + strings.Join(quoted, ",") + ")"
}
