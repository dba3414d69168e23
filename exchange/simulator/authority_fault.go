package simulator

import (
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// AuthorityCall says which request a fault is asked about, counted from one.
type AuthorityCall struct {
	// Request is its number among all requests, Token its number among the requests for a
	// token, or zero where it asks for something else.
	Request, Token int
}

// AuthorityFault decides how one request is answered. It may be called concurrently.
type AuthorityFault func(AuthorityCall) AuthorityAnswer

// AuthorityAnswer is what a fault does with a request; its zero value answers ordinarily.
type AuthorityAnswer struct {
	// Delay passes before anything is answered, unless the request is given up earlier.
	Delay time.Duration
	// Status, where not zero, replaces the ordinary answer by Body with this status.
	Status int
	// Body is sent with Status as it is.
	Body string
	// Header holds additional headers of an answer with Status.
	Header http.Header
	// Truncate sends the ordinary answer cut in half: a complete HTTP response whose JSON
	// ends in the middle, after the token has been put into it.
	Truncate bool
}

// AuthorityThrottled answers 429. Retry-After is given in seconds, and left out where
// retryAfter is zero.
func AuthorityThrottled(retryAfter time.Duration) AuthorityAnswer {
	h := http.Header{}
	if retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	return AuthorityAnswer{
		Status: http.StatusTooManyRequests,
		Header: h,
		Body:   `{"error":"temporarily_unavailable","error_description":"The request was throttled."}`,
	}
}

// AuthorityUnavailable answers 503 with a page that is no JSON, as a gateway does.
func AuthorityUnavailable() AuthorityAnswer {
	return AuthorityAnswer{
		Status: http.StatusServiceUnavailable,
		Header: http.Header{"Content-Type": {"text/html"}},
		Body:   "<html><body>The service is unavailable.</body></html>",
	}
}

// AuthorityFailing gives the first n requests for a token an answer, and the others the
// ordinary one.
func AuthorityFailing(n int, answer AuthorityAnswer) AuthorityFault {
	return func(c AuthorityCall) AuthorityAnswer {
		if c.Token > 0 && c.Token <= n {
			return answer
		}
		return AuthorityAnswer{}
	}
}

// SetFault installs a fault for the requests to come; nil answers ordinarily again.
func (a *Authority) SetFault(f AuthorityFault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault = f
}

func (f AuthorityAnswer) serve(w http.ResponseWriter, r *http.Request, ordinary http.Handler) {
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
	}
	switch {
	case f.Status != 0:
		maps.Copy(w.Header(), f.Header)
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Body)
	case f.Truncate:
		whole := newAuthorityRecorder()
		ordinary.ServeHTTP(whole, r)
		w.Header().Set("Content-Type", whole.header.Get("Content-Type"))
		w.WriteHeader(whole.status)
		_, _ = w.Write(whole.body.Bytes()[:whole.body.Len()/2])
	default:
		ordinary.ServeHTTP(w, r)
	}
}
