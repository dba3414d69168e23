package exchange

import (
	"bytes"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// maxText bounds the service's texts inside errors and warnings, in bytes.
const maxText = 4096

// secretPattern matches bearer tokens, JSON web tokens and the fields of token
// answers. It is read only.
var secretPattern = regexp.MustCompile(
	`(?i)(bearer\s+)[^\s"',;]+` +
		`|\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*` +
		`|("?\b(?:access_token|refresh_token|id_token|client_assertion|client_secret|assertion)"?\s*[:=]\s*"?)[^\s"&,;]+`)

// redact removes what looks like a credential from a text.
func redact(s string) string {
	return secretPattern.ReplaceAllString(s, "${1}${2}[redacted]")
}

// shortestToken is the length from which a token is looked for in texts. A real
// one has a thousand characters; looking for a short word would garble them.
const shortestToken = 12

// redactToken also removes the very token of the call, whatever it looks like.
func redactToken(s, token string) string {
	if len(token) >= shortestToken {
		s = strings.ReplaceAll(s, token, "[redacted]")
	}
	return redact(s)
}

// scrub removes the token of the call from an answer that echoes it, before
// anything of it can reach an error, a warning or a row.
func (r *response) scrub(token string) {
	if len(token) < shortestToken {
		return
	}
	if secret := []byte(token); bytes.Contains(r.body, secret) {
		r.body = bytes.ReplaceAll(r.body, secret, []byte("[redacted]"))
	}
	for _, values := range r.header {
		for i := range values {
			values[i] = strings.ReplaceAll(values[i], token, "[redacted]")
		}
	}
}

// clean bounds a text of the service and drops what could disturb a terminal or
// a log line.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

// transportError keeps the cause for errors.Is and shows a text without URL and
// token: a *url.Error repeats the whole address, page cursor included.
type transportError struct {
	text string
	err  error
}

func (e *transportError) Error() string { return e.text }

func (e *transportError) Unwrap() error { return e.err }

// sanitize turns an error of the HTTP layer into one that can be shown.
func sanitize(err error, token string) error {
	for { // a proxy or an odd transport may have wrapped one in another
		wrapped, ok := errors.AsType[*url.Error](err)
		if !ok || wrapped.Err == nil {
			break
		}
		err = wrapped.Err
	}
	return &transportError{text: clean(redactToken(err.Error(), token)), err: err}
}
