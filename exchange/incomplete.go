package exchange

import (
	"errors"
	"fmt"
	"strings"
)

// Reason says why a read is not whole.
type Reason string

// The reasons of an [IncompleteError].
const (
	// ReasonRequest means that a call failed; Err says how.
	ReasonRequest Reason = "the call failed"
	// ReasonCursorLost means that the page cursor is lost; Err is a
	// [CursorLostError].
	ReasonCursorLost Reason = "the page cursor is lost"
	// ReasonTruncated means that the body ended early or was no valid answer.
	ReasonTruncated Reason = "the answer was cut short or malformed"
	// ReasonMoreResults means that the service warned of more results and gave
	// no link to them.
	ReasonMoreResults Reason = "there are more results but no link to them"
	// ReasonSamePage means that a page came a second time: the listing would never
	// end, or another page is missing.
	ReasonSamePage Reason = "the same page came twice"
	// ReasonForeignLink means that a next link led to another host or path.
	ReasonForeignLink Reason = "the next link leads elsewhere"
	// ReasonWarning means that a page of a listing came with a warning that the
	// table does not know; Err holds its text.
	ReasonWarning Reason = "an unknown warning came with the answer"
	// ReasonErrors means that a success carried errors; Err is an [Error].
	ReasonErrors Reason = "the answer carried errors"
	// ReasonNoValue means that a read came back without rows where even an empty
	// list must be written out.
	ReasonNoValue Reason = "the answer has no value"
	// ReasonRowCount means that a read of one object gave none or several.
	ReasonRowCount Reason = "not exactly one object came back"
	// ReasonConfirmation means that the service asked for a confirmation instead
	// of running the cmdlet (wire 1.2).
	ReasonConfirmation Reason = "the service asked for a confirmation"
	// ReasonStatus means a status of success other than 200, which no success of
	// this service has (wire 1.1). A write may or may not have been executed.
	ReasonStatus Reason = "the answer has a status that no whole answer has"
	// ReasonNoAnswer means that a batch came back without an answer to an item.
	// A write may or may not have been executed.
	ReasonNoAnswer Reason = "the batch holds no answer to this call"
)

// IncompleteError means that a read, or the answer to a batch item, ended
// without being whole. What was read before it is true but is not all there is.
type IncompleteError struct {
	Cmdlet string
	Reason Reason
	// Pages and Rows count what had come by then; of the page that failed only
	// rows that were given to the caller.
	Pages, Rows int
	// RequestID is the service's id of the request whose answer was the last;
	// ClientRequestID is the id that this client gave it.
	RequestID, ClientRequestID string
	// Err is the cause, nil where Reason says all.
	Err error
}

// Error names the reason and how far the read came.
func (e *IncompleteError) Error() string {
	s := fmt.Sprintf("%s is incomplete after %d pages and %d rows: %s", e.Cmdlet, e.Pages, e.Rows, e.Reason)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	id := idText(e.RequestID, e.ClientRequestID)
	if strings.Contains(s, id) { // the cause has it already
		id = ""
	}
	return redact(s + id)
}

// cause is the reason as an error, without what a listing counts.
func (e *IncompleteError) cause() error {
	if e.Err == nil {
		return errors.New(string(e.Reason))
	}
	return fmt.Errorf("%s: %w", e.Reason, e.Err)
}

// Unwrap returns the cause, if any.
func (e *IncompleteError) Unwrap() error { return e.Err }

// CursorLostError means that the page cursor of a listing is lost: the service no
// longer knew it, or had never known it on that backend (wire 1.6), or the answer
// to a further page failed in a way that passes, after which nobody can say where
// the cursor stands. All pages are to be thrown away; a new listing may succeed.
type CursorLostError struct {
	// Page is the number of the page that was asked for, from 1.
	Page int
	Err  error
}

// Error says which page was lost.
func (e *CursorLostError) Error() string {
	return redact(fmt.Sprintf("page %d: %v", e.Page, e.Err))
}

// Unwrap returns the service's error.
func (e *CursorLostError) Unwrap() error { return e.Err }
