package auth

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// maxMessage bounds what of a foreign text gets into an error.
const maxMessage = 600

// scrub takes secrets out of a text that this program did not write: the values it knows,
// as they are and as a form, a path, JSON and Go encode them, everything that looks like a
// JWT or stands after the word "Bearer", the user of an address, and the values of the
// fields that carry secrets in OAuth. What is left is one printable, bounded line.
func scrub(text string, known ...Secret) string {
	// Cleaned first: a control character inside a secret would hide it from the search and
	// then be taken out. Bounded last: half a secret is not found either.
	text = clean(text)
	for _, k := range known {
		value := clean(k.Reveal())
		for _, form := range encodings(value) {
			if form != "" {
				text = strings.ReplaceAll(text, form, redacted)
			}
		}
	}
	// Compiled per call: errors are rare, and a package variable would be state.
	fields := regexp.MustCompile(`(?i)((?:access_?token|refresh_?token|id_?token|client_?assertion|client_?secret|device_?code|assertion|password|\bcode)` +
		`(?:\\*["']|%22)?\s*(?:[=:]|%3A|%3D)\s*)(\\+"[^"]*"?|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s&,;}]+)`)
	text = fields.ReplaceAllString(text, "${1}"+redacted)
	text = regexp.MustCompile(`(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{16,}`).ReplaceAllString(text, "${1}"+redacted)
	text = regexp.MustCompile(`(://)[^/\s@]+@`).ReplaceAllString(text, "${1}"+redacted+"@")
	jwt := regexp.MustCompile(`eyJ[A-Za-z0-9_-]{4,}[A-Za-z0-9_.\-]*`)
	return bounded(jwt.ReplaceAllString(text, redacted))
}

// encodings are the forms in which a value may stand in a text.
func encodings(value string) []string {
	forms := []string{value, url.QueryEscape(value), url.PathEscape(value), strings.Trim(strconv.Quote(value), `"`)}
	if data, err := json.Marshal(value); err == nil {
		forms = append(forms, strings.Trim(string(data), `"`))
	}
	return forms
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
