package exchange

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"
)

const (
	// maxBody bounds an answer, packed and unpacked: a page of 1000 full rows of
	// 15 KB each has a wide margin in it.
	maxBody = 64 << 20
	// maxErrorBody bounds what is read of a failure. One that a proxy wraps in
	// another, with its trace, is long, and cut it could not be read at all.
	maxErrorBody = 1 << 20
)

// call is one HTTP call as it stands before the token: what is needed to make
// it, and to make it again.
type call struct {
	kind    callKind
	cmdlet  string   // what its errors are about
	cmdlets []string // what its trace lists
	method  string
	at      endpoint // of a further page; else the client says where
	path    string
	query   string // raw
	body    func(at endpoint, token string) ([]byte, error)
	// sound looks for what makes the answer to a read worth asking for again; nil
	// for writes.
	sound   func(*response) error
	anchor  anchor
	prefer  string
	header  map[string]string // what only this kind of call has
	batch   bool
	id      string // client-request-id, the same for retries and pages (wire 1.3)
	timeout time.Duration
}

// ids are the service's id of the request and this client's.
func (r response) ids() (request, client string) {
	return clean(r.header.Get("request-id")), r.id
}

// url is the address of the call.
func (q call) url() *url.URL {
	return &url.URL{Scheme: q.at.base.Scheme, Host: q.at.base.Host, Path: q.path, RawQuery: q.query}
}

// response is an answer of the service. body is good until the session's next
// call.
type response struct {
	status int
	header http.Header
	body   []byte
	sent   time.Time
	// cut is set where the body of a success could not be read to its end.
	cut error
	// unsound is what is wrong with a success; known is what was read of it.
	unsound error
	known   *decoded
	// token is what the call carried, at where it went, region that place where it
	// was learned, anchor how it was routed, and id its client-request-id.
	token  string
	at     endpoint
	region *endpoint
	anchor anchor
	id     string
}

// session is what the pages of one listing share: cookies, which keep it on its
// backend (wire 1.6), and a buffer. A single call is a session of its own.
type session struct {
	http   *http.Client
	packed bytes.Buffer
	plain  bytes.Buffer
}

func (c *Client) newSession() *session {
	jar, _ := cookiejar.New(nil) // its error is always nil
	return &session{http: &http.Client{
		Transport: c.transport,
		Jar:       jar,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// forget drops the cookies of another backend.
func (s *session) forget() {
	s.http.Jar, _ = cookiejar.New(nil) // its error is always nil
}

// newID returns a random GUID (version 4).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// callError says which cmdlet the context ended.
func callError(cmdlet string, err error) error { return fmt.Errorf("%s: %w", cmdlet, err) }

// once makes the call once. The response has the token that it carried, also
// beside an error. A token may take long to get, so it is asked for last but
// before the call takes one of the few places in flight.
func (c *Client) once(ctx context.Context, s *session, q call) (response, error) {
	if err := c.limit.turn(ctx, q); err != nil {
		return response{}, callError(q.cmdlet, err)
	}
	token, err := c.token(ctx)
	if err != nil || ctx.Err() != nil {
		return response{}, tokenError(ctx, q.cmdlet, err)
	}
	release, err := c.limit.slot(ctx, q.kind)
	if err != nil {
		return response{}, callError(q.cmdlet, err)
	}
	defer release()
	if err := mayWrite(ctx, q); err != nil {
		return response{}, err
	}
	at, region := c.place(q)
	q.at = at
	start := time.Now()
	resp, size, err := c.exchange(ctx, s, q, token)
	c.counters.requests.Add(1)
	c.counters.bytes.Add(size)
	if resp.status != 0 {
		c.counters.hear(serviceTime(resp.header))
	}
	if q.batch {
		c.counters.batches.Add(1)
	}
	resp.sent, resp.token, resp.at, resp.region, resp.anchor, resp.id = start, token, q.at, region, q.anchor, q.id
	if err == nil {
		err = c.judge(q, resp)
	}
	if err == nil && q.sound != nil {
		resp.unsound = q.sound(&resp)
	}
	c.report(q, resp, start, size, cmp.Or(err, resp.unsound, resp.cut))
	return resp, err
}

// report gives the call to the trace.
func (c *Client) report(q call, resp response, start time.Time, size int64, err error) {
	if c.trace == nil {
		return
	}
	c.trace(Trace{
		Start:           start,
		Duration:        time.Since(start),
		Method:          q.method,
		Path:            q.path,
		Cmdlets:         q.cmdlets,
		Status:          resp.status,
		RequestID:       clean(resp.header.Get("request-id")),
		ClientRequestID: q.id,
		ServiceTime:     serviceTime(resp.header),
		Bytes:           size,
		Err:             err,
	})
}

// serviceTime is the service's clock as an answer tells it.
func serviceTime(header http.Header) time.Time {
	at, _ := http.ParseTime(header.Get("Date")) // zero where there is none
	return at
}

// judge turns an answer that is no success into an error, and tells the limiter.
func (c *Client) judge(q call, resp response) error {
	c.limit.heard(q, resp)
	switch {
	case resp.status == http.StatusOK:
		return nil
	case resp.status > http.StatusOK && resp.status < 300:
		return unexpected(q.cmdlet, resp)
	case resp.status >= 300 && resp.status < 400:
		return redirected(q, resp)
	case resp.status == http.StatusTooManyRequests:
		c.counters.throttled.Add(1)
	}
	e := newError(q.cmdlet, resp.status, resp.header, resp.body)
	e.ClientRequestID = q.id
	return e
}

// exchange sends the call and reads the answer.
func (c *Client) exchange(ctx context.Context, s *session, q call, token string) (response, int64, error) {
	limited, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	req, err := c.request(limited, q, token)
	if err != nil {
		return response{}, 0, c.failed(ctx, q, token, err)
	}
	answer, err := s.http.Do(req)
	if err != nil && limited.Err() != nil {
		err = fmt.Errorf("%w of %v: %w", errNoTimeLeft, q.timeout, limited.Err())
	}
	if err != nil {
		return response{}, 0, c.failed(ctx, q, token, err)
	}
	defer func() { _ = answer.Body.Close() }() // what matters of it was read
	resp := response{status: answer.StatusCode, header: answer.Header}
	success := resp.status == http.StatusOK
	var size int64
	resp.body, size, err = s.read(answer.Body, success)
	if err != nil && ctx.Err() != nil {
		return response{}, size, callError(q.cmdlet, ctx.Err())
	}
	if err != nil && success {
		resp.cut = sanitize(err, token)
	}
	resp.scrub(token)
	return resp, size, nil
}

// request encodes the call; a GET has the same headers and no body.
func (c *Client) request(ctx context.Context, q call, token string) (*http.Request, error) {
	var body io.Reader
	if q.method != http.MethodGet {
		encoded, err := q.body(q.at, token)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, q.method, q.url().String(), body)
	if err != nil {
		return nil, err
	}
	c.setHeader(req.Header, q, token)
	if body == nil {
		req.Header.Del("Content-Type")
	}
	return req, nil
}

// errNoTimeLeft means that no answer came within the time of one call.
var errNoTimeLeft = errors.New("no answer within the time")

// failed makes the error of a call that got no answer. The context's error wins.
func (c *Client) failed(ctx context.Context, q call, token string, err error) error {
	if ctx.Err() != nil {
		return callError(q.cmdlet, ctx.Err())
	}
	return &Error{Cmdlet: q.cmdlet, ClientRequestID: q.id, Err: sanitize(err, token)}
}

// setHeader writes the headers of wire 1.3.
func (c *Client) setHeader(h http.Header, q call, token string) {
	h.Set("Authorization", "Bearer "+token)
	h.Set("User-Agent", c.userAgent)
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Accept", "application/json") // without it a $batch answers multipart (wire 2)
	h.Set("Accept-Charset", "UTF-8")
	h.Set("Accept-Language", "en-US") // warnings are recognised by their English text
	h.Set("Accept-Encoding", "gzip")
	h.Set("Prefer", q.prefer)
	h.Set("X-ResponseFormat", "json")
	h.Set("connection-id", c.session)
	h.Set("client-request-id", q.id)
	h.Set("X-AnchorMailbox", c.anchorValue(q.anchor))
	if q.anchor.targeted() {
		h.Set("parameter-based-routing", "true")
	}
	for name, value := range q.header {
		h.Set(name, value)
	}
}

// read takes a body into the session's buffers, unpacked where it is gzip. The
// header is not asked: errors are declared as gzip that are none (wire 1.7). Of
// a failure as much is returned as can be read.
func (s *session) read(body io.Reader, success bool) ([]byte, int64, error) {
	bound := int64(maxBody)
	if !success {
		bound = maxErrorBody
	}
	if err := fill(&s.packed, body, bound, success); err != nil {
		return s.packed.Bytes(), int64(s.packed.Len()), err
	}
	size := int64(s.packed.Len())
	if !bytes.HasPrefix(s.packed.Bytes(), []byte{0x1f, 0x8b}) {
		return s.packed.Bytes(), size, nil
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(s.packed.Bytes()))
	if err != nil {
		return s.packed.Bytes(), size, err
	}
	err = fill(&s.plain, unpacked, bound, success)
	return s.plain.Bytes(), size, err
}

// fill reads at most bound bytes; more are an error where strict is set, and
// left where they are otherwise.
func fill(to *bytes.Buffer, from io.Reader, bound int64, strict bool) error {
	to.Reset()
	n, err := to.ReadFrom(io.LimitReader(from, bound+1))
	if err == nil && n > bound {
		to.Truncate(int(bound))
		if strict {
			return fmt.Errorf("the answer is larger than %d bytes", bound)
		}
	}
	return err
}
