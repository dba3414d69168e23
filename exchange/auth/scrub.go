package auth

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// maxMessage bounds what of a foreign text gets into an error.
const maxMessage = 600

// scrub takes secrets out of a text that this program did not write: the values it knows,
// as they are and as a form encodes them, everything that looks like a JWT, and the values
// of the fields that carry secrets in OAuth. What is left is one printable, bounded line.
func scrub(text string, known ...Secret) string {
	// Cleaned first: a control character inside a secret would hide it from the search and
	// then be taken out. Bounded last: half a secret is not found either.
	text = clean(text)
	for _, k := range known {
		value := clean(k.Reveal())
		for _, form := range []string{value, url.QueryEscape(value), url.PathEscape(value)} {
			if form != "" {
				text = strings.ReplaceAll(text, form, redacted)
			}
		}
	}
	// Compiled per call: errors are rare, and a package variable would be state.
	fields := regexp.MustCompile(`(?i)((?:access_token|refresh_token|id_token|client_assertion|client_secret|device_code|assertion|password|\bcode)["']?\s*[=:]\s*)("[^"]*"?|'[^']*'?|[^\s&,;}]+)`)
	text = fields.ReplaceAllString(text, "${1}"+redacted)
	jwt := regexp.MustCompile(`eyJ[A-Za-z0-9_-]{4,}[A-Za-z0-9_.\-]*`)
	return bounded(jwt.ReplaceAllString(text, redacted))
}

// printable makes one bounded line of a text, without control characters: what an authority
// or a file says must not drive a terminal.
func printable(text string) string { return bounded(clean(text)) }

func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

func bounded(text string) string {
	if runes := []rune(text); len(runes) > maxMessage {
		return string(runes[:maxMessage]) + "…"
	}
	return text
}
