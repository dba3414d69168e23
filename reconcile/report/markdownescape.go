package report

import (
	"strings"
	"unicode"
)

// code shows a name as a code span, in which nothing is markup, no address becomes a
// link and nobody is mentioned. The fence is longer than any run of backticks within.
func code(s string) string {
	s = truncate(Line(s), widest/2)
	if strings.TrimSpace(s) == "" {
		return "(no name)"
	}
	longest, run := 0, 0
	for _, r := range s {
		if r == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	fence := strings.Repeat("`", longest+1)
	if longest > 0 || strings.HasPrefix(s, " ") || strings.HasSuffix(s, " ") {
		// One space on each side is taken away by the reader.
		s = " " + s + " "
	}
	return fence + s + fence
}

// prose shows a sentence as text: a backslash before each character of ASCII that could
// begin markup. One that holds an address of the web or a mention, which hosts make into
// links whatever stands before them, becomes a code span.
func prose(s string) string {
	s = truncate(Line(s), widest)
	if linked(s) {
		return code(s)
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case strings.ContainsRune("\\`*_{}[]<>#|~&$^!", r):
			b.WriteByte('\\')
		case strings.ContainsRune("+-=:>", r) && strings.TrimLeft(s[:i], " ") == "":
			b.WriteByte('\\')
		case (r == '.' || r == ')') && digits(s[:i]):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return strings.TrimLeft(b.String(), " ")
}

// digits tells the number of a list: nothing but digits, which a point would make one.
func digits(s string) bool {
	s = strings.TrimLeft(s, " ")
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// linked tells text in which a host may find a link or a mention.
func linked(s string) bool {
	lower := strings.ToLower(s)
	if strings.Contains(lower, "://") || strings.Contains(lower, "www.") {
		return true
	}
	before := ' '
	for i, r := range s {
		if r == '@' && !isWord(before) && i+1 < len(s) {
			return true
		}
		before = r
	}
	return false
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
