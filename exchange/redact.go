package exchange

import (
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

// redactToken also removes the very token of the call, whatever it looks like.
func redactToken(s, token string) string {
	if token != "" {
		s = strings.ReplaceAll(s, token, "[redacted]")
	}
	return redact(s)
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
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return &transportError{text: clean(redactToken(err.Error(), token)), err: err}
}
