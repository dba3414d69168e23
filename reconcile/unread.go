package reconcile

import (
	"errors"
	"strings"

	"github.com/exoaudit/exoaudit/exchange"
)

// unreadError is what several reads of one run failed with, said in one line.
type unreadError struct{ failures []error }

// Error says once what every cmdlet fails with alike: the want of a token, and
// a token that the service does not take.
func (e *unreadError) Error() string {
	for _, f := range e.failures {
		if token, ok := errors.AsType[*exchange.TokenError](f); ok {
			return token.Error()
		}
	}
	var texts []string
	for _, f := range e.failures {
		if exchange.IsUnauthenticated(f) {
			return f.Error()
		}
		texts = append(texts, f.Error())
	}
	return strings.Join(texts, "; ")
}

// Unwrap gives every failure: the exit status hangs on the worst.
func (e *unreadError) Unwrap() []error { return e.failures }
