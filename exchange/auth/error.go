package auth

import (
	"fmt"
	"strings"
	"time"
)

// Error says why there is no token. It never holds a token, an assertion or a secret, and
// wraps nothing but a context's error: the MSAL library's errors may hold all of these.
type Error struct {
	// Action is what was tried, such as "get a token for https://outlook.office365.com/.default".
	Action string
	// Host is the authority's host, empty where nothing was sent.
	Host string
	// Status is the HTTP status of the answer, or zero.
	Status int
	// Code is the authority's own code, such as "AADSTS7000215", or the word of OAuth where
	// it gives no number, such as "authorization_declined", or empty.
	Code string
	// Message is the reason, the authority's words without its trailing identifiers.
	Message string
	// Hint says what to do, or is empty.
	Hint string
	// RetryAfter is how long the authority asked to wait, or zero.
	RetryAfter time.Duration
	// CorrelationID and TraceID are what Microsoft's support asks for, or empty.
	CorrelationID, TraceID string

	cause     error // context.Canceled, context.DeadlineExceeded or nil
	temporary bool  // asking again may help
}

// gaveUp tells that an error stayed although it looked temporary.
func (e *Error) gaveUp(tries int) *Error {
	last := *e
	if tries > 1 {
		last.Message += fmt.Sprintf(" (asked %d times)", tries)
	}
	return &last
}

// interrupted is the error where the wait before another attempt was ended.
func (e *Error) interrupted(cause error) *Error {
	last := *e
	last.cause = cause
	last.Message += " (interrupted before asking again)"
	return &last
}

// Error tells what, where, why and what to do, on one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "auth: cannot %s", e.Action)
	if e.Host != "" {
		fmt.Fprintf(&b, " from %s", e.Host)
	}
	b.WriteString(": ")
	if e.Code != "" {
		b.WriteString(e.Code + ": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	if e.CorrelationID != "" {
		fmt.Fprintf(&b, " (correlation id %s)", e.CorrelationID)
	}
	return b.String()
}

// Unwrap gives the context's error where the wait was ended by it.
func (e *Error) Unwrap() error { return e.cause }

// ConfigError says that the configuration of the credentials is wrong, which no new attempt
// will change.
type ConfigError struct {
	// Setting is the environment variable or flag at fault.
	Setting string
	// Reason says what is wrong and what to do.
	Reason string

	cause error // of reading a file, or nil
}

// Error tells the setting and the reason.
func (e *ConfigError) Error() string {
	setting := e.Setting
	if setting == "auth" {
		setting = "--auth" // the flag, and not this package
	}
	return fmt.Sprintf("auth: %s: %s", setting, e.Reason)
}

// Unwrap gives the error of reading a file that the setting names, or nil.
func (e *ConfigError) Unwrap() error { return e.cause }

// NoCredentialError says that no credential was found. Where a managed identity was the last
// hope, the first token tells it, and not FromEnvironment.
type NoCredentialError struct {
	// Looked lists what was looked for.
	Looked []string
}

// Error lists what was looked for.
func (e *NoCredentialError) Error() string {
	return "auth: no credential found; set one of: " + strings.Join(e.Looked, "; ")
}
