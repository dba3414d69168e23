package simulator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
)

// RoundTripper answers requests in the caller's own goroutine, whatever host they
// name: no socket, no goroutine left behind, so it works in a testing/synctest
// bubble. A request whose context ends during a delay fails with the context's error.
func (s *Service) RoundTripper() http.RoundTripper { return inProcess{s} }

type inProcess struct{ service *Service }

// RoundTrip implements [http.RoundTripper].
func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	in := req.Clone(req.Context())
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if req.Body == nil {
		in.Body = http.NoBody
	} else {
		defer req.Body.Close()
	}
	out := &recorder{header: http.Header{}}
	cut, err := out.run(t.service, in)
	if err != nil {
		return nil, err
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	response := &http.Response{
		Status: strconv.Itoa(out.status) + " " + http.StatusText(out.status), StatusCode: out.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.header, ContentLength: int64(len(out.body)), Request: req,
		Body: io.NopCloser(bytes.NewReader(out.body)),
	}
	if cut {
		response.ContentLength = -1
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(out.body), brokenOff{}))
	}
	return response, nil
}

// recorder is the http.ResponseWriter of one in-process request.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

// errDropped is a connection that was closed before the answer's header.
var errDropped = fmt.Errorf("simulator: the connection was closed without an answer: %w", io.EOF)

// errNoAnswer is what a handler that returns without answering leaves.
var errNoAnswer = errors.New("simulator: the request was abandoned without an answer")

// run serves the request and says whether the answer broke off in its body.
func (r *recorder) run(h http.Handler, in *http.Request) (cut bool, err error) {
	defer func() {
		switch problem := recover(); {
		case problem == http.ErrAbortHandler: //nolint:errorlint // recover gives the very value that was panicked with
			cut = true
		case problem != nil:
			panic(problem)
		}
		if r.status == 0 {
			switch err = in.Context().Err(); {
			case err != nil:
			case cut:
				err = errDropped
			default:
				err = errNoAnswer
			}
		}
	}()
	h.ServeHTTP(r, in)
	return false, nil
}

// Header implements [http.ResponseWriter].
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write implements [http.ResponseWriter]. An answer is written in one piece and not
// touched again, so a page of a megabyte is not copied.
func (r *recorder) Write(p []byte) (int, error) {
	if r.body == nil {
		r.body = p
		return len(p), nil
	}
	r.body = append(slices.Clip(r.body), p...)
	return len(p), nil
}

// brokenOff is the end of a body whose connection went away.
type brokenOff struct{}

// Read implements [io.Reader].
func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
