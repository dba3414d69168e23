package exchange

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

const (
	testTenant   = "11111111-2222-3333-4444-555555555555"
	testEndpoint = "https://outlook.example"
	testToken    = "a-very-secret-token"
	testGUID     = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
)

// reply is a canned answer of a scripted service.
type reply struct {
	status int
	header map[string]string
	body   string
	err    error // instead of an answer
	cut    bool  // the body breaks off after what there is
}

// ok is a 200 with a body.
func ok(body string) reply { return reply{status: http.StatusOK, body: body} }

// page is a 200 with rows, a next link where link is not empty, and warnings.
func page(rows, link string, warnings ...string) reply {
	doc := map[string]any{"@adminapi.warnings": append([]string{}, warnings...), "value": json.RawMessage("[" + rows + "]")}
	if link != "" {
		doc["@odata.nextLink"] = link
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return ok(string(b))
}

// script is a transport that answers the nth request with the nth reply, the
// last one from then on, and keeps what was sent.
type script struct {
	mu      sync.Mutex
	replies []reply
	sent    []sent
}

type sent struct {
	method, url, host string
	header            http.Header
	body              string
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	body := ""
	if req.Body != nil {
		b, _ := io.ReadAll(req.Body)
		body = string(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.replies[min(len(s.sent), len(s.replies)-1)]
	s.sent = append(s.sent, sent{req.Method, req.URL.String(), req.URL.Host, req.Header.Clone(), body})
	if r.err != nil {
		return nil, r.err
	}
	h := http.Header{"Request-Id": {"r-" + strconv.Itoa(len(s.sent))}}
	for k, v := range r.header {
		h.Set(k, v)
	}
	var reader io.Reader = strings.NewReader(r.body)
	if r.cut {
		reader = io.MultiReader(reader, brokenReader{})
	}
	return &http.Response{StatusCode: r.status, Header: h, Request: req, Body: io.NopCloser(reader), ContentLength: -1}, nil
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// requests returns what was sent so far.
func (s *script) requests() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sent(nil), s.sent...)
}

// scripted makes a client on a script of replies, which repeats nothing but what
// is answered by 429.
func scripted(t *testing.T, replies ...reply) (*Client, *script) {
	t.Helper()
	s := &script{replies: replies}
	return newTestClient(t, s), s
}

// patient is scripted with the tries that a client has by default. Its waits are
// for testing/synctest.
func patient(t *testing.T, replies ...reply) (*Client, *script) {
	t.Helper()
	s := &script{replies: replies}
	cfg := testConfig(s)
	cfg.Retry = Retry{}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func newTestClient(t *testing.T, transport http.RoundTripper) *Client {
	t.Helper()
	c, err := New(testConfig(transport))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func testConfig(transport http.RoundTripper) Config {
	return Config{
		Endpoint: testEndpoint, TenantID: testTenant, Transport: transport,
		TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: testToken}),
		Retry:       Retry{Tries: 1, First: time.Millisecond},
	}
}

// drain ranges over a listing to its end.
func drain[T any](seq func(func(T, error) bool)) (rows []T, err error) {
	seq(func(row T, e error) bool {
		if e != nil {
			err = e
			return true
		}
		rows = append(rows, row)
		return true
	})
	return rows, err
}

func TestNewRefusesWhatATokenMustNotReach(t *testing.T) {
	tests := []struct{ name, endpoint, tenant, want string }{
		{"plain http", "http://outlook.office365.com", testTenant, "https"},
		{"no scheme", "outlook.office365.com", testTenant, "no host"},
		{"other scheme", "ftp://outlook.office365.com", testTenant, "https"},
		{"path", "https://outlook.office365.com/adminapi", testTenant, "scheme and host only"},
		{"query", "https://outlook.office365.com?x=1", testTenant, "scheme and host only"},
		{"bare query", "https://outlook.office365.com?", testTenant, "scheme and host only"},
		{"fragment", "https://outlook.office365.com#x", testTenant, "scheme and host only"},
		{"user", "https://user:pass@outlook.office365.com", testTenant, "user name"},
		{"trick", "https://outlook.office365.com@evil.example", testTenant, "user name"},
		{"loopback look-alike", "http://127.0.0.1.evil.example", testTenant, "https"},
		{"not a URL", "https://%zz", testTenant, "not a URL"},
		{"compliance", "https://ps.compliance.protection.outlook.com", testTenant, "always reads false"},
		{"regional compliance", "https://EUR01B.ps.Compliance.protection.outlook.com.", testTenant, "always reads false"},
		{"government compliance", "https://compliance.dod.microsoft.com", testTenant, "always reads false"},
		{"the internal port", "https://outlook.office365.com:446", testTenant, "446"},
		{"an internal host", "https://eurprd01.admin.protection.outlook.com", testTenant, "internal"},
		{"an internal host of another case and cloud", "https://x.Admin.eu.Protection.office365.us.", testTenant, "internal"},
		{"domain as tenant", "https://outlook.office365.com", "contoso.com", "not a GUID"},
		{"empty tenant", "https://outlook.office365.com", "", "not a GUID"},
		{"path in the tenant", "https://outlook.office365.com", testTenant[:33] + "/..", "not a GUID"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := testConfig(nil)
			cfg.Endpoint, cfg.TenantID = tt.endpoint, tt.tenant
			_, err := New(cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("New() = %v, want an error with %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "pass") && strings.Contains(tt.endpoint, ":pass") {
				if !strings.Contains(err.Error(), "user name or password") {
					t.Errorf("the error repeats the password: %v", err)
				}
			}
		})
	}
}

func TestNewAccepts(t *testing.T) {
	for _, endpoint := range []string{
		"https://outlook.office365.com", "https://outlook.office365.com/", "https://eur01.outlook.office365.com", "https://admin.example", "HTTPS://Outlook.Office365.com:8443",
		"http://localhost:8080", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:8080",
	} {
		cfg := testConfig(nil)
		cfg.Endpoint = endpoint
		if _, err := New(cfg); err != nil {
			t.Errorf("New(%s): %v", endpoint, err)
		}
	}
	cfg := testConfig(nil)
	cfg.TokenSource = nil
	if _, err := New(cfg); err == nil {
		t.Error("New accepted a Config without a token source")
	}
}

func TestOwnTransportNeverDecompresses(t *testing.T) {
	given := &http.Transport{}
	own, ok := newTestClient(t, given).transport.(*http.Transport)
	if !ok || !own.DisableCompression {
		t.Errorf("transport = %#v, want a clone that does not decompress", own)
	}
	if given.DisableCompression {
		t.Error("the caller's transport was changed")
	}
	if own, ok := newTestClient(t, nil).transport.(*http.Transport); !ok || !own.DisableCompression {
		t.Error("the default transport decompresses")
	}
}

func TestRequestHeaders(t *testing.T) {
	c, s := scripted(t, ok(`{"value":[{}]}`))
	if _, err := c.Organization(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Organization(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := s.requests()[0]
	if want := testEndpoint + "/adminapi/beta/" + testTenant + "/InvokeCommand"; got.url != want || got.method != "POST" {
		t.Errorf("%s %s, want POST %s", got.method, got.url, want)
	}
	if want := `{"CmdletInput":{"CmdletName":"Get-OrganizationConfig","Parameters":{}}}`; got.body != want {
		t.Errorf("body = %s, want %s", got.body, want)
	}
	for key, want := range map[string]string{
		"Authorization": "Bearer " + testToken, "Accept": "application/json", "Accept-Language": "en-US",
		"Accept-Encoding": "gzip", "X-ResponseFormat": "json", "X-CmdletName": "Get-OrganizationConfig",
		"Prefer": "odata.maxpagesize=1000", "Content-Type": "application/json; charset=utf-8", "User-Agent": "exoaudit",
		"X-AnchorMailbox":         "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@" + testTenant,
		"Parameter-Based-Routing": "",
	} {
		if v := got.header.Get(key); v != want {
			t.Errorf("%s = %q, want %q", key, v, want)
		}
	}
	second := s.requests()[1]
	if a, b := got.header.Get("client-request-id"), second.header.Get("client-request-id"); !isGUID(a) || a == b {
		t.Errorf("client-request-id %q then %q, want two GUIDs", a, b)
	}
	if a, b := got.header.Get("connection-id"), second.header.Get("connection-id"); !isGUID(a) || a != b {
		t.Errorf("connection-id %q then %q, want one GUID", a, b)
	}
}

func TestStatsAndTraceCountWhatWasDone(t *testing.T) {
	var traces []Trace
	s := &script{replies: []reply{ok(`{"value":[{}]}`), {status: 403, body: strings.Repeat("\x00", 4096)}}}
	cfg := testConfig(s)
	cfg.Trace = func(tr Trace) { traces = append(traces, tr) }
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Organization(t.Context())
	_, refused := c.AdminAuditLog(t.Context())
	if !IsRefused(refused) {
		t.Fatalf("err = %v, want a refusal", refused)
	}
	if got, want := c.Stats(), (Stats{Requests: 2, BytesRead: 14 + 4096}); got != want {
		t.Errorf("Stats() = %+v, want %+v", got, want)
	}
	if len(traces) != 2 || traces[0].Err != nil || traces[0].Status != 200 || traces[0].Bytes != 14 ||
		traces[0].RequestID != "r-1" || traces[1].Status != 403 || !IsRefused(traces[1].Err) ||
		traces[1].Cmdlets[0] != "Get-AdminAuditLogConfig" || traces[1].Method != "POST" ||
		traces[1].Path != "/adminapi/beta/"+testTenant+"/InvokeCommand" || !isGUID(traces[1].ClientRequestID) {
		t.Errorf("traces = %+v", traces)
	}
}

func TestBodyIsSniffedNotBelieved(t *testing.T) {
	const body = `{"value":[{"Name":"contoso"}]}`
	tests := []struct {
		name  string
		reply reply
	}{
		{"gzip declared", reply{status: 200, header: map[string]string{"Content-Encoding": "gzip"}, body: packed(t, body)}},
		{"gzip undeclared", reply{status: 200, body: packed(t, body)}},
		{"plain declared as gzip", reply{status: 200, header: map[string]string{"Content-Encoding": "gzip"}, body: body}},
		{"byte order mark", ok("\ufeff" + body)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := scripted(t, tt.reply)
			got, err := c.Organization(t.Context())
			if name, _ := got.Name.Get(); err != nil || name != "contoso" {
				t.Errorf("Organization() = %+v, %v", got, err)
			}
			if n := c.Stats().BytesRead; n != int64(len(tt.reply.body)) {
				t.Errorf("BytesRead = %d, want %d as on the wire", n, len(tt.reply.body))
			}
		})
	}
}

func TestBodiesAreBounded(t *testing.T) {
	var buf bytes.Buffer
	s := &session{}
	if _, _, err := s.read(io.LimitReader(zeros{}, maxBody+1), true); err == nil {
		t.Error("an endless success was accepted")
	}
	if b, _, err := s.read(zeros{}, false); err != nil || len(b) != maxErrorBody {
		t.Errorf("an endless failure gave %d bytes and %v, want %d", len(b), err, maxErrorBody)
	}
	const member = 1 << 20 // a gzip stream may be several, one after the other
	buf.WriteString(strings.Repeat(packed(t, strings.Repeat("\x00", member)), maxBody/member+1))
	if _, _, err := s.read(&buf, true); err == nil {
		t.Error("a gzip bomb was accepted")
	}
}

// TestLongErrorBodyIsRead: an error that holds another, with its trace, is long.
func TestLongErrorBodyIsRead(t *testing.T) {
	body := failure("NotFound", strings.Repeat("x", 1000_000), "E|A.ManagementObjectNotFoundException|gone", "A.B", "x")
	c, _ := scripted(t, reply{status: 404, body: body})
	if _, err := c.Organization(t.Context()); !IsNotFound(err) || strings.Contains(err.Error(), "xxx") {
		t.Errorf("an error of %d bytes was not read: %.100v", len(body), err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
