package auth

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxAnswer bounds an answer of the authority; real ones are a few kilobytes.
const maxAnswer = 1 << 20

// guard is the transport under MSAL. MSAL sends the credential wherever the discovery
// document says, and reads answers without a bound; the guard lets neither happen.
type guard struct {
	next  http.RoundTripper
	host  string       // the authority's, with its port
	plain bool         // http is how this host is spoken to
	ready func() error // checked before a credential is sent, or nil
}

// attemptTimeout bounds one request with its answer.
const attemptTimeout = 30 * time.Second

// guardedClient is the caller's client with a guard, and following no redirect: one with
// status 307 would repeat the form, and with it the secret, at another address.
func guardedClient(client *http.Client, g *guard) *http.Client {
	if client == nil {
		client = &http.Client{}
	}
	guarded := *client
	if g.next = guarded.Transport; g.next == nil {
		g.next = http.DefaultTransport
	}
	guarded.Transport = g
	if guarded.Timeout <= 0 || guarded.Timeout > attemptTimeout {
		guarded.Timeout = attemptTimeout
	}
	guarded.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &guarded
}

// RoundTrip sends a request if its host may have it.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := g.allow(req); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	resp, err := g.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{resp.Body, maxAnswer}
	return resp, nil
}

func (g *guard) allow(req *http.Request) error {
	host := guardHost(req.URL)
	if req.URL.Scheme != "https" && !(g.plain && req.URL.Scheme == "http" && host == g.host) {
		return &foreignHostError{req.URL.Scheme + "://" + host}
	}
	// A national cloud may have several names; a custom authority has exactly one.
	if host != g.host && (!isMicrosoft(g.host) || !isMicrosoft(host)) {
		return &foreignHostError{host}
	}
	if req.Method == http.MethodPost && g.ready != nil {
		return g.ready()
	}
	return nil
}

// foreignHostError is the guard's refusal to talk to another host than the authority.
type foreignHostError struct{ host string }

func (e *foreignHostError) Error() string {
	return fmt.Sprintf("the way to a token leads to %q, where no credential is sent", printable(e.host))
}

var errAnswerTooLong = errors.New("the answer is longer than an answer of an authority can be")

// boundedBody fails, rather than ends, where a body is longer than its bound.
type boundedBody struct {
	io.ReadCloser
	left int64
}

// Read reads up to the bound.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errAnswerTooLong
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}
