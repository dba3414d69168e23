package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
)

// refusal is the error document of the authority (RFC 6749 section 5.2 with Microsoft's
// additions), as far as people or code need it.
type refusal struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
}

// failure carries what is needed to tell why a call to the authority, or to another giver of
// tokens, failed.
type failure struct {
	action, host string
	now          time.Time
	known        []Secret // values that must not show
	advice       advice   // what a hint depends on
}

// explain makes an *Error of any error of a call to the authority. Text that others wrote
// gets in only where its place is known, and scrubbed.
func (f failure) explain(err error) *Error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own // the guard's, about the certificate, or that of an assertion
	}
	e := &Error{Action: f.action, Host: f.host}
	call, isCall := errors.AsType[msal.CallErr](err)
	_, isJSON := errors.AsType[msal.InvalidJsonErr](err)
	sent, isSent := errors.AsType[*url.Error](err)
	switch {
	case isCall && call.Resp != nil:
		f.answered(e, call.Resp, bodyOf(call))
	case isJSON:
		e.temporary = true
		e.Message = "the answer is not a token response that can be read (cut off, or not from a sign-in service); its text is withheld, as it may hold a token"
		e.Hint = "try again; if it stays, look for a proxy that rewrites answers"
	case errors.Is(err, context.Canceled):
		e.Message, e.cause = "interrupted", context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		e.Message, e.cause = "no answer in time", context.DeadlineExceeded
		e.Hint = "check that this machine can reach the host"
		e.temporary = true
	case isSent:
		f.unsent(e, sent.Err)
	default:
		e.Message = scrub(err.Error(), f.known...)
		e.temporary = errors.Is(err, io.ErrUnexpectedEOF)
	}
	return e
}

// bodyOf gives the body of an answer that MSAL made an error of. Managed identities, and the
// polling for a device code, leave the body read to its end (seen in MSAL 1.10.1); the
// error's own text then still has it, after the status.
func bodyOf(call msal.CallErr) []byte {
	body, _ := io.ReadAll(io.LimitReader(call.Resp.Body, maxAnswer))
	if len(body) == 0 && call.Err != nil {
		_, after, _ := strings.Cut(call.Err.Error(), ":\n")
		return []byte(after)
	}
	return body
}

// unsent tells why a request got no answer.
func (f failure) unsent(e *Error, err error) {
	e.Message = scrub(err.Error(), f.known...)
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		e.Hint = "if a proxy or a private authority signs certificates here, give its root with --ca-file"
		return
	}
	if _, ok := errors.AsType[*foreignHostError](err); ok {
		e.Hint = "check the authority's address"
		return
	}
	e.Hint = "check that this machine can reach the host"
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	name, isName := errors.AsType[*net.DNSError](err)
	e.temporary = !isCertificate && !(isName && name.IsNotFound) && !errors.Is(err, errAnswerTooLong)
}

// answered reads an HTTP answer that is not a success.
func (f failure) answered(e *Error, resp *http.Response, body []byte) {
	e.Status = resp.StatusCode
	e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), f.now)
	var doc refusal
	if json.Unmarshal(body, &doc) != nil || doc.Error == "" && doc.Description == "" {
		e.Message = fmt.Sprintf("it answered %s, with no error document", statusText(resp.StatusCode))
	} else {
		f.document(e, doc)
	}
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		e.Message += ", a redirect, which is not followed with a credential"
	default:
		e.Hint = f.advice.on(e.Code, doc.Error, skew(resp.Header.Get("Date"), f.now))
	}
	if e.temporary = passing(resp.StatusCode); e.temporary {
		e.Hint = "the authority is throttling or unavailable; try again later"
		if e.RetryAfter > 0 {
			e.Hint = "the authority is throttling or unavailable; try again after " + e.RetryAfter.String()
		}
	}
}

// passing reports a status that another attempt may not meet.
func passing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// document takes the code, the words and the identifiers out of an error document.
func (f failure) document(e *Error, doc refusal) {
	text := scrub(doc.Description, f.known...)
	if code := regexp.MustCompile(`^AADSTS[0-9]+`).FindString(text); code != "" {
		e.Code = code
		text = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(text, code), ":"))
	} else if len(doc.Codes) > 0 {
		e.Code = "AADSTS" + strconv.Itoa(doc.Codes[0])
	} else if regexp.MustCompile(`^[a-z_]{1,40}$`).MatchString(doc.Error) {
		e.Code = doc.Error
	}
	text, _, _ = strings.Cut(text, " Trace ID:")
	if text == "" && e.Code != doc.Error {
		text = scrub(doc.Error, f.known...)
	}
	if text == "" {
		text = "it says no more"
	}
	e.Message = strings.TrimSuffix(text, ".")
	if isGUID(doc.CorrelationID) {
		e.CorrelationID = doc.CorrelationID
	}
	if isGUID(doc.TraceID) {
		e.TraceID = doc.TraceID
	}
}

// skew is how far this machine's clock is ahead of an answer's Date, zero where it is less
// than a minute or not known.
func skew(date string, now time.Time) time.Duration {
	theirs, err := http.ParseTime(date)
	if err != nil {
		return 0
	}
	if d := now.Sub(theirs).Round(time.Second); d.Abs() >= time.Minute {
		return d
	}
	return 0
}

func ahead(skew time.Duration) string {
	if skew < 0 {
		return (-skew).String() + " behind"
	}
	return skew.String() + " ahead of"
}

// retryAfter reads the header's two forms: seconds and a date (RFC 9110 section 10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
		return time.Duration(min(max(seconds, 0), 24*3600)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), 24*time.Hour)
	}
	return 0
}

func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}
