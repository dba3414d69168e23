package exchange

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
)

const (
	homeAnchor = "APP:" + organizationMailbox + "@" + testTenant
	logAnchor  = "APP:" + auditLogMailbox + "@" + testTenant
)

func wrongBackend() string {
	return failure("BadRequest", "m", "|A.CmdletProxyNotAvailableException|Cmdlet needs proxy. Current Server FQDN : X", "A.B", "x")
}

func anchorsOf(s *script) (anchors []string) {
	for _, sent := range s.requests() {
		anchors = append(anchors, sent.header.Get("X-AnchorMailbox"))
	}
	return anchors
}

// TestOtherAnchorIsTriedOnce: the backend that says it is the wrong one did nothing.
func TestOtherAnchorIsTriedOnce(t *testing.T) {
	wrong := reply{status: 400, body: wrongBackend()}
	t.Run("a read", func(t *testing.T) {
		c, s := scripted(t, wrong, ok(`{"value":[{}]}`))
		if _, err := c.Organization(t.Context()); err != nil || !slices.Equal(anchorsOf(s), []string{homeAnchor, logAnchor}) {
			t.Errorf("%v by %v", err, anchorsOf(s))
		}
	})
	t.Run("a write", func(t *testing.T) {
		c, s := scripted(t, wrong, ok(`{}`))
		if r := c.SetAuditDisabled(t.Context(), false); r.Err != nil || len(s.requests()) != 2 {
			t.Errorf("%v by %v", r.Err, anchorsOf(s))
		}
	})
	t.Run("neither", func(t *testing.T) {
		c, s := scripted(t, wrong)
		if r := c.SetAuditDisabled(t.Context(), false); !IsNeedsProxy(r.Err) || len(s.requests()) != 2 {
			t.Errorf("%v by %v", r.Err, anchorsOf(s))
		}
	})
	t.Run("a listing, which keeps it", func(t *testing.T) {
		c, s := scripted(t, wrong, page(`{}`, linkTo("A")), page(`{}`, ""))
		_, err := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{}))
		if want := []string{homeAnchor, logAnchor, logAnchor}; err != nil || !slices.Equal(anchorsOf(s), want) {
			t.Errorf("%v by %v, want %v", err, anchorsOf(s), want)
		}
	})
	t.Run("items of a batch", func(t *testing.T) {
		c, s := scripted(t,
			answers(item("0", 400, "", wrongBackend()), item("1", 200, "", `{"value":[]}`), item("2", 400, "", wrongBackend())),
			answers(item("0", 200, "", `{"value":[]}`), item("2", 400, "", wrongBackend())))
		edits := make([]MailboxEdit, 3)
		for i, ref := range refs(3) {
			edits[i] = MailboxEdit{Ref: ref, AuditEnabled: new(true)}
		}
		results := c.SetMailboxes(t.Context(), edits)
		if results[0].Err != nil || results[1].Err != nil || !IsNeedsProxy(results[2].Err) || len(s.requests()) != 2 {
			t.Errorf("%v after %d requests", results, len(s.requests()))
		}
		var second []string
		for _, r := range readBatch(t, s.requests()[1].body).Requests {
			second = append(second, r.ID+" "+r.Headers["X-AnchorMailbox"]+r.Headers["parameter-based-routing"])
		}
		if want := []string{"0 " + homeAnchor, "2 " + homeAnchor}; !slices.Equal(second, want) {
			t.Errorf("sent again %v, want %v", second, want)
		}
	})
}

// TestReadItemsAreRepeatedAlone: a read item whose answer is damaged or missing is
// asked for again, a write item is not.
func TestReadItemsAreRepeatedAlone(t *testing.T) {
	good := `{"value":[{"Guid":"x"}]}`
	first := answers(item("0", 200, "", good), item("2", 200, "", `{"value":null}`), item("3", 200, "", `{"@adminapi.errors":["busy"],"value":[{}]}`),
		item("4", 503, "", `{}`), item("5", 404, "", `{"error":{"code":"NotFound"}}`), `{"id":"6","body":{}}`)
	rest := answers(item("1", 200, "", good), item("2", 200, "", good), item("3", 200, "", good), item("4", 200, "", good), item("6", 200, "", good))
	synctest.Test(t, func(t *testing.T) {
		c, s := patient(t, first, rest)
		for i, r := range c.MailboxesByID(t.Context(), refs(7), nil) {
			if (i == 5) != IsNotFound(r.Err) || (i != 5) != (r.Err == nil) {
				t.Errorf("item %d: %v", i, r.Err)
			}
		}
		if n := len(s.requests()); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c, s := patient(t, first, rest)
		edits := make([]MailboxEdit, 7)
		for i, ref := range refs(7) {
			edits[i] = MailboxEdit{Ref: ref, AuditEnabled: new(true)}
		}
		for i, r := range c.SetMailboxes(t.Context(), edits) {
			if sound := i == 0 || i == 2; sound != (r.Err == nil) {
				t.Errorf("item %d: %v", i, r.Err)
			}
			if e, found := errors.AsType[*IncompleteError](r.Err); found && (e.RequestID != "r-1" || !isGUID(e.ClientRequestID) || !strings.Contains(e.Error(), "r-1")) {
				t.Errorf("item %d does not name its request: %+v", i, e)
			}
		}
		if n := len(s.requests()); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
	synctest.Test(t, func(t *testing.T) { // the batch as a whole
		c, s := patient(t, ok(`{"responses":`), reply{status: 200, cut: true}, ok(`{}`), answers(item("0", 200, "", good)))
		if r := c.MailboxesByID(t.Context(), refs(1), nil)[0]; r.Err != nil || len(s.requests()) != 4 {
			t.Errorf("%v after %d requests", r.Err, len(s.requests()))
		}
		c, s = patient(t, ok(`{"responses":`), answers(item("0", 200, "", good)))
		if r := c.SetBypass(t.Context(), []BypassEdit{{Guid: guid(0)}})[0]; !IsIncomplete(r.Err) || len(s.requests()) != 1 {
			t.Errorf("%v after %d requests", r.Err, len(s.requests()))
		}
	})
}

// challenged is a source that can be asked for claims; it can forget, too.
type challenged struct {
	renewable
	claims []string
}

func (c *challenged) Challenge(claims string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	c.claims = append(c.claims, claims)
}

func TestClaimsReachTheSource(t *testing.T) {
	const claims = `{"access_token":{"nbf":{"essential":true,"value":"1700000000"},"x":"??>>"}}`
	for name, tt := range map[string]struct {
		header string
		want   []string
	}{
		"base64":         {`Bearer error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(claims)) + `"`, []string{claims}},
		"no padding":     {`Bearer claims="` + base64.RawStdEncoding.EncodeToString([]byte(claims)) + `", error="x"`, []string{claims}},
		"of addresses":   {`Bearer claims="` + base64.URLEncoding.EncodeToString([]byte(claims)) + `"`, []string{claims}},
		"none":           {`Bearer error="invalid_token"`, nil},
		"no base64":      {`Bearer claims="{}"`, nil},
		"no object":      {`Bearer claims="` + base64.StdEncoding.EncodeToString([]byte(`"x"`)) + `"`, nil},
		"no JSON":        {`Bearer claims="` + base64.StdEncoding.EncodeToString([]byte(`{x`)) + `"`, nil},
		"without an end": {`Bearer claims="` + base64.StdEncoding.EncodeToString([]byte(claims)), nil},
		"too long":       {`Bearer claims="` + base64.StdEncoding.EncodeToString([]byte(`{"x":"`+strings.Repeat("x", maxClaims)+`"}`)) + `"`, nil},
	} {
		for kind, replies := range map[string][]reply{
			"a call":  {{status: 401, header: map[string]string{"WWW-Authenticate": tt.header}}, answers(item("0", 200, "", `{"value":[{}]}`))},
			"an item": {answers(item("0", 401, `"WWW-Authenticate":`+quoted(tt.header), `{}`)), answers(item("0", 200, "", `{"value":[{}]}`))},
		} {
			t.Run(kind+", "+name, func(t *testing.T) {
				source := &challenged{}
				s := &script{replies: replies}
				cfg := testConfig(s)
				cfg.TokenSource = source
				c, err := New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				r := c.BypassByID(t.Context(), []string{guid(0)})[0]
				if r.Err != nil || !slices.Equal(source.claims, tt.want) || source.invalidated != 1-len(tt.want) || len(s.requests()) != 2 {
					t.Errorf("%v; asked for %q, forgot %d times", r.Err, source.claims, source.invalidated)
				}
			})
		}
	}
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

// TestPersonRoutesTheirOwnCalls: the name is known after the first token only.
func TestPersonRoutesTheirOwnCalls(t *testing.T) {
	for account, want := range map[string][]string{
		"ann@contoso.com":    {"UPN:ann@contoso.com", "UPN:ann@contoso.com", "UPN:" + auditLogMailbox + "@" + testTenant, "MBX:" + guid(0) + "@" + testTenant},
		"":                   {homeAnchor, homeAnchor, logAnchor, "MBX:" + guid(0) + "@" + testTenant},
		"ann@contoso\r\nX:1": {homeAnchor, homeAnchor, logAnchor, "MBX:" + guid(0) + "@" + testTenant},
	} {
		s := &script{replies: []reply{ok(`{"value":[{}]}`), answers(item("0", 200, "", `{"value":[{}]}`)), ok(`{"value":[{}]}`)}}
		cfg := testConfig(s)
		known := ""
		cfg.TokenSource = tokenFunc(func() (*oauth2.Token, error) {
			known = account
			return &oauth2.Token{AccessToken: testToken}, nil
		})
		cfg.Account = func() string { return known }
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Organization(t.Context())
		c.MailboxesByID(t.Context(), refs(1), nil)
		_, _ = c.AdminAuditLog(t.Context())
		got := append(anchorsOf(s), readBatch(t, s.requests()[1].body).Requests[0].Headers["X-AnchorMailbox"])
		if !slices.Equal(got, want) {
			t.Errorf("%q: anchors %v, want %v", account, got, want)
		}
	}
}

type tokenFunc func() (*oauth2.Token, error)

func (f tokenFunc) Token() (*oauth2.Token, error) { return f() }

func TestTraceTellsTheServicesTime(t *testing.T) {
	at := time.Date(2026, 11, 23, 6, 0, 1, 0, time.UTC)
	var mu sync.Mutex
	var got []time.Time
	cfg := testConfig(&script{replies: []reply{
		{status: 200, header: map[string]string{"Date": at.Format(http.TimeFormat)}, body: `{"value":[{}]}`},
		{status: 200, header: map[string]string{"Date": "yesterday"}, body: `{"value":[{}]}`},
		{err: errors.New("reset")},
	}})
	cfg.Trace = func(tr Trace) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, tr.ServiceTime)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, _ = c.Organization(t.Context())
	}
	if want := []time.Time{at, {}, {}}; !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("service times %v, want %v", got, want)
	}
}

// TestEveryErrorNamesItsRequest: by the service's id, or by ours where it gave none.
func TestEveryErrorNamesItsRequest(t *testing.T) {
	for name, r := range map[string]reply{
		"refused": {status: 403}, "cut": ok(`{"value":[`), "two rows": ok(`{"value":[{},{}]}`), "no value": ok(`{}`),
		"errors inside": ok(`{"@adminapi.errors":["x"]}`), "204": {status: 204}, "redirect": {status: 302}, "no answer": {err: errors.New("reset")},
	} {
		c, s := scripted(t, r)
		_, single := c.Organization(t.Context())
		_, listed := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{}))
		for i, err := range []error{single, listed} {
			if err == nil { // two rows are a listing
				continue
			}
			want := "[request r-" + string(rune('1'+i)) + "]"
			if r.err != nil {
				want = "[client request " + s.requests()[i].header.Get("client-request-id") + "]"
			}
			if text := err.Error(); strings.Count(text, want) != 1 || strings.Count(text, "request ") > 2 {
				t.Errorf("%s: %q does not name %s once", name, text, want)
			}
		}
	}
}
