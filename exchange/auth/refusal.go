package auth

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// failure carries what is needed to tell why a call to the authority failed.
type failure struct {
	action, host string
	now          time.Time
	known        []Secret // values that must not show
}

// explain makes an *Error of any error of a call to the authority. Text that others wrote
// gets in only where its place is known, and scrubbed.
func (f failure) explain(err error) *Error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own // the guard's, about the certificate
	}
	e := &Error{Action: f.action, Host: f.host}
	call, isCall := errors.AsType[msal.CallErr](err)
	_, isJSON := errors.AsType[msal.InvalidJsonErr](err)
	sent, isSent := errors.AsType[*url.Error](err)
	switch {
	case isCall && call.Resp != nil:
		f.answered(e, call.Resp)
	case isJSON:
		e.Message = "the answer is not a token response that can be read (cut off, or not from a sign-in service); its text is withheld, as it may hold a token"
		e.Hint = "try again; if it stays, look for a proxy that rewrites answers"
	case errors.Is(err, context.Canceled):
		e.Message, e.cause = "interrupted", context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		e.Message, e.cause = "no answer in time", context.DeadlineExceeded
		e.Hint = "check that this machine can reach the host"
	case isSent:
		f.unsent(e, sent.Err)
	default:
		e.Message = scrub(err.Error(), f.known...)
	}
	return e
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
}

// answered reads an HTTP answer that is not a success.
func (f failure) answered(e *Error, resp *http.Response) {
	e.Status = resp.StatusCode
	e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), f.now)
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	var doc refusal
	if json.Unmarshal(body, &doc) != nil || doc.Error == "" && doc.Description == "" {
		e.Message = fmt.Sprintf("it answered %s, with no error document", statusText(resp.StatusCode))
	} else {
		f.document(e, doc)
	}
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		e.Message += ", a redirect, which is not followed with a credential"
	case e.Code != "":
		e.Hint = hint(e.Code, skew(resp.Header.Get("Date"), f.now))
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
		e.Hint = "the authority is throttling or unavailable and was not asked again; try again"
		if e.RetryAfter > 0 {
			e.Hint += " after " + e.RetryAfter.String()
		}
	}
}

// document takes the code, the words and the identifiers out of an error document.
func (f failure) document(e *Error, doc refusal) {
	text := scrub(doc.Description, f.known...)
	if code := regexp.MustCompile(`^AADSTS[0-9]+`).FindString(text); code != "" {
		e.Code = code
		text = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(text, code), ":"))
	} else if len(doc.Codes) > 0 {
		e.Code = "AADSTS" + strconv.Itoa(doc.Codes[0])
	}
	text, _, _ = strings.Cut(text, " Trace ID:")
	if text == "" {
		text = scrub(doc.Error, f.known...)
	}
	e.Message = strings.TrimSuffix(text, ".")
	if isGUID(doc.CorrelationID) {
		e.CorrelationID = doc.CorrelationID
	}
	if isGUID(doc.TraceID) {
		e.TraceID = doc.TraceID
	}
}

// hint says what to do about a code. The codes are those of libraries section 1, and
// AADSTS7000222, whose own text says that the secret keys are expired.
func hint(code string, skew time.Duration) string {
	switch code {
	case "AADSTS7000215":
		return "check AZURE_CLIENT_SECRET: it must be the secret's value, not its id, of this application"
	case "AADSTS7000222":
		return "make a new client secret in the application registration, and set AZURE_CLIENT_SECRET to its value"
	case "AADSTS700016":
		return "check AZURE_CLIENT_ID and the tenant: the application must be registered in, or consented to by, this tenant"
	case "AADSTS700027":
		return "upload the public part of this certificate to the application registration, and check that AZURE_CLIENT_ID is that application"
	case "AADSTS700024":
		if skew != 0 {
			return fmt.Sprintf("set the clock of this machine: it is %s the authority's", ahead(skew))
		}
		return "check the clock of this machine: a signed assertion is good for ten minutes around now"
	case "AADSTS90002":
		return "check the tenant, and that --cloud or AZURE_AUTHORITY_HOST is the cloud that it lives in"
	}
	return ""
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
