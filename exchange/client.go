package exchange

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sync/semaphore"
)

const (
	// BatchSize is the most objects that a method with a list takes, since the
	// service takes so many calls in one $batch (wire 2).
	BatchSize = 10
	// PageSize is the most rows of one page of a listing (wire 1.6).
	PageSize = 1000
)

// Config says which tenant a [Client] speaks to, and how.
type Config struct {
	// Endpoint is the address of the admin API, scheme and host only, such as
	// https://outlook.office365.com. Plain http is for loopback addresses.
	Endpoint string
	// TenantID is the GUID of the tenant.
	TenantID string
	// TokenSource gives the bearer token; it is asked before every call. If it
	// has a method Invalidate(), a call or a batch item that is answered by 401 is
	// made once more where the source then gives another token. Where the 401 asks
	// for claims and the source has a method Challenge(claims string), that one is
	// called instead, with the claims as JSON.
	TokenSource oauth2.TokenSource
	// Transport makes the HTTP calls; nil means a clone of the default one.
	Transport http.RoundTripper
	// UserAgent names the program; default "exoaudit".
	UserAgent string
	// Domain is the tenant's initial domain, such as contoso.onmicrosoft.com. Only a
	// [ComplianceClient] needs it, which can be told later.
	Domain string
	// Account, if any, gives the user name of the person who signed in; it is asked
	// after the token of each call. With one, calls are routed by it (wire 1.4); nil
	// or "" is an application on its own.
	Account func() string
	// Trace, if any, is called after every HTTP call, by several goroutines.
	Trace func(Trace)
	// Concurrency is how many HTTP calls are in flight at most; default 4.
	Concurrency int
	// CmdletsPerSecond bounds the rate of cmdlets, of reads and of writes each; a
	// batch of ten counts as ten, a page as one. Default 1000: no number is
	// published, and below this the rate is learned from the service's headers and
	// from its answers 429.
	CmdletsPerSecond float64
	// Retry says how often and how long a failed call is repeated.
	Retry Retry
	// Timeout bounds one HTTP call; default 960 s, the module's own, longer for
	// Set-OrganizationConfig (wire 1.7).
	Timeout time.Duration
}

// Client calls the admin API of one tenant. Its methods may be used by several
// goroutines. It holds no goroutine and needs no closing.
type Client struct {
	endpoint  endpoint
	tokens    oauth2.TokenSource
	renewing  *semaphore.Weighted // held while a refused token is replaced
	transport http.RoundTripper
	userAgent string
	account   func() string
	trace     func(Trace)
	limit     *limiter
	retry     Retry
	timeout   time.Duration
	session   string // connection-id
	domain    atomic.Pointer[string]
	counters  counters

	// What was learned from the service where the wire is not known.
	region         atomic.Pointer[endpoint] // where the front door sent us
	linkByGet      atomic.Bool              // the next link wants GET
	auditLogByHome atomic.Bool              // the audit log cmdlets want the other anchor
}

// New makes a client. It refuses an endpoint to which a token must not be sent,
// and a tenant that is not named by its GUID; it makes no call.
func New(cfg Config) (*Client, error) {
	at, err := newEndpoint(cfg.Endpoint, cfg.TenantID)
	if err != nil {
		return nil, err
	}
	return newClient(cfg, at)
}

// newClient makes a client of an endpoint that was checked.
func newClient(cfg Config, at endpoint) (*Client, error) {
	if cfg.TokenSource == nil {
		return nil, errors.New("exchange: no token source was given")
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "exoaudit"
	}
	if cfg.Concurrency <= 0 {
		cfg.Concurrency = 4
	}
	if cfg.CmdletsPerSecond <= 0 {
		cfg.CmdletsPerSecond = 1000
	}
	return &Client{
		endpoint:  at,
		tokens:    cfg.TokenSource,
		renewing:  semaphore.NewWeighted(1),
		transport: ownTransport(cfg.Transport, cfg.Concurrency),
		userAgent: cfg.UserAgent,
		account:   cfg.Account,
		trace:     cfg.Trace,
		limit:     newLimiter(cfg.Concurrency, cfg.CmdletsPerSecond),
		retry:     cfg.Retry.withDefaults(),
		timeout:   cfg.Timeout,
		session:   newID(),
	}, nil
}

// ownTransport returns the transport without automatic decompression: answers
// falsely declared as gzip would hide their status (wire 1.7).
func ownTransport(given http.RoundTripper, concurrency int) http.RoundTripper {
	if given == nil {
		given = http.DefaultTransport
	}
	standard, ok := given.(*http.Transport)
	if !ok {
		return given
	}
	own := standard.Clone()
	own.DisableCompression = true
	own.MaxIdleConnsPerHost = max(own.MaxIdleConnsPerHost, concurrency)
	return own
}

// Trace describes one HTTP call. It holds no token, no query and no body.
type Trace struct {
	Start    time.Time
	Duration time.Duration
	Method   string
	Path     string
	// Cmdlets are the cmdlets of the call, those of the items for a $batch.
	Cmdlets []string
	// Status is 0 where no answer came.
	Status          int
	RequestID       string
	ClientRequestID string
	// ServiceTime is the Date of the answer, by the service's clock and to the
	// second; zero where it has none.
	ServiceTime time.Time
	// Bytes is the size of the answer's body as it came over the wire.
	Bytes int64
	Err   error
}

// Stats counts what a client has done so far.
type Stats struct {
	// Requests counts HTTP calls, repeated ones included; the token source's own
	// calls are not among them.
	Requests int64
	// Pages counts pages of listings that were read.
	Pages int64
	// Batches counts $batch calls, which are Requests too.
	Batches int64
	// BytesRead counts the bytes of answers as they came over the wire.
	BytesRead int64
	// Throttled counts answers 429, those of single batch items included.
	Throttled int64
	// ServiceTime is the Date of the last answer, by the service's clock and to the
	// second; zero where it had none.
	ServiceTime time.Time
}

type counters struct {
	requests, pages, batches, bytes, throttled atomic.Int64
	// heard is the Date of the last answer in seconds since 1970, 0 for none.
	heard atomic.Int64
}

// hear notes the Date of an answer.
func (n *counters) hear(at time.Time) {
	if at.IsZero() {
		n.heard.Store(0)
		return
	}
	n.heard.Store(at.Unix())
}

// serviceTime is the Date of the last answer.
func (n *counters) serviceTime() time.Time {
	if at := n.heard.Load(); at != 0 {
		return time.Unix(at, 0).UTC()
	}
	return time.Time{}
}

// Stats returns the counts as they stand.
func (c *Client) Stats() Stats {
	return Stats{
		Requests:    c.counters.requests.Load(),
		Pages:       c.counters.pages.Load(),
		Batches:     c.counters.batches.Load(),
		BytesRead:   c.counters.bytes.Load(),
		Throttled:   c.counters.throttled.Load(),
		ServiceTime: c.counters.serviceTime(),
	}
}
