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
	for _, k := range known {
		for _, form := range []string{k.Reveal(), url.QueryEscape(k.Reveal()), url.PathEscape(k.Reveal())} {
			if form != "" {
				text = strings.ReplaceAll(text, form, redacted)
			}
		}
	}
	// Compiled per call: errors are rare, and a package variable would be state.
	fields := regexp.MustCompile(`(?i)((?:access_token|refresh_token|id_token|client_assertion|client_secret|assertion|password|code)["']?\s*[=:]\s*)("[^"]*"?|'[^']*'?|[^\s&,;}]+)`)
	text = fields.ReplaceAllString(text, "${1}"+redacted)
	jwt := regexp.MustCompile(`eyJ[A-Za-z0-9_-]{4,}[A-Za-z0-9_.\-]*`)
	text = jwt.ReplaceAllString(text, redacted)
	return printable(text)
}

// printable makes one bounded line of a text, without control characters: what an authority
// or a file says must not drive a terminal.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxMessage {
		text = string(runes[:maxMessage]) + "…"
	}
	return text
}
