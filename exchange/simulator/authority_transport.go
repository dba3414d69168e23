package simulator

import (
	"bytes"
	"io"
	"net/http"
)

// RoundTripper answers requests in the caller's own goroutine, with no socket: whatever
// host a request names, this authority is it. It works in a testing/synctest bubble.
func (a *Authority) RoundTripper() http.RoundTripper {
	return authorityTransport{a}
}

type authorityTransport struct{ authority *Authority }

// RoundTrip serves the request and gives back what was written; an ended context wins.
func (t authorityTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	served := req.Clone(req.Context())
	served.RequestURI = req.URL.RequestURI()
	if served.Host == "" {
		served.Host = req.URL.Host
	}
	if served.Body == nil {
		served.Body = http.NoBody
	}
	rec := newAuthorityRecorder()
	t.authority.ServeHTTP(rec, served)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		Status:        http.StatusText(rec.status),
		StatusCode:    rec.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        rec.header,
		Body:          io.NopCloser(bytes.NewReader(rec.body.Bytes())),
		ContentLength: int64(rec.body.Len()),
		Request:       req,
	}, nil
}

// authorityRecorder keeps a response in memory. The one of net/http/httptest would add a
// command line flag to every program that links the simulator.
type authorityRecorder struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

func newAuthorityRecorder() *authorityRecorder {
	return &authorityRecorder{header: http.Header{}, status: http.StatusOK}
}

// Header is part of http.ResponseWriter.
func (r *authorityRecorder) Header() http.Header { return r.header }

// WriteHeader is part of http.ResponseWriter.
func (r *authorityRecorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
}

// Write is part of http.ResponseWriter.
func (r *authorityRecorder) Write(p []byte) (int, error) {
	r.wrote = true
	return r.body.Write(p)
}
