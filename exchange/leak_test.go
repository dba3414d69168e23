package exchange

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func leaks(t *testing.T, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %q", secret, text)
		}
	}
}

// TestTokenGoesToOneHostAndNowhereElse runs every method against a service that
// tries to draw the token away, and looks for it in all that comes out.
func TestTokenGoesToOneHostAndNowhereElse(t *testing.T) {
	const evil = "https://evil.example"
	echo := `{"error":{"code":"` + testToken + `","message":"you sent Bearer ` + testToken + `","details":[{"message":"E|A.B|Bearer ` + testToken + `"}]}}`
	hostile := []reply{
		{status: 302, header: map[string]string{"Location": evil + "/?" + testToken}},
		{status: 307, header: map[string]string{"Location": evil}},
		page(`{}`, evil+invokePath),
		page(`{}`, "https://outlook.example@evil.example"+invokePath),
		page(`{}`, "//evil.example"+invokePath),
		page(`{}`, "", "you sent Bearer "+testToken),
		{status: 400, body: echo},
		{status: 403, header: map[string]string{"x-ms-diagnostics": "Bearer " + testToken}},
		ok(`{"@adminapi.errors":["you sent Bearer ` + testToken + `"]}`),
		ok(`{"responses":[{"id":"0","status":400,"body":` + echo + `}]}`),
		ok(`{"responses":[{"id":"0","status":302,"headers":{"Location":"` + evil + `"},"body":null}]}`),
		{err: &url.Error{Op: "Post", URL: evil, Err: fmt.Errorf("could not send %q", testToken)}},
	}
	for i, r := range hostile {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			var mu sync.Mutex
			hosts := map[string]bool{}
			s := &script{replies: []reply{r}}
			cfg := testConfig(roundTripper(func(req *http.Request) (*http.Response, error) {
				mu.Lock()
				hosts[req.URL.Host] = true
				mu.Unlock()
				return s.RoundTrip(req)
			}))
			cfg.Retry.Tries = 1
			var out strings.Builder
			cfg.Trace = func(tr Trace) { fmt.Fprintf(&out, "%+v %v\n", tr, tr.Err) }
			c, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			everyCall(t, c, func(v any) { fmt.Fprintf(&out, "%v %+v\n", v, v) })
			compliance, err := NewCompliance(cfg)
			if err != nil {
				t.Fatal(err)
			}
			complianceCalls(t, compliance, func(v any) { fmt.Fprintf(&out, "%v %+v\n", v, v) })
			for host := range hosts {
				if host != "outlook.example" {
					t.Errorf("a request went to %s", host)
				}
			}
			if !hosts["outlook.example"] {
				t.Fatal("no request was made")
			}
			leaks(t, out.String(), testToken, "skiptoken")
			for _, sent := range s.requests() {
				if got := sent.header.Get("Authorization"); got != "Bearer "+testToken {
					t.Errorf("Authorization = %q", got)
				}
				for key, values := range sent.header {
					if key != "Authorization" {
						leaks(t, strings.Join(values, " "), testToken)
					}
				}
				leaks(t, sent.url, testToken)
			}
		})
	}
}

// everyCall makes one call of each method and hands on all that comes back.
func everyCall(t *testing.T, c *Client, see func(any)) {
	t.Helper()
	ctx := t.Context()
	for row, err := range c.Mailboxes(ctx, MailboxQuery{}) {
		see(row)
		see(err)
	}
	for row, err := range c.BypassAssociations(ctx) {
		see(row)
		see(err)
	}
	organization, err := c.Organization(ctx)
	see(organization)
	see(err)
	log, err := c.AdminAuditLog(ctx)
	see(log)
	see(err)
	see(c.MailboxesByID(ctx, refs(1), nil)[0].Err)
	see(c.BypassByID(ctx, []string{guid(0)})[0].Err)
	see(c.Users(ctx, []string{guid(0)})[0].Err)
	see(c.SetMailboxes(ctx, []MailboxEdit{{Ref: refs(1)[0], AuditEnabled: new(true)}})[0])
	see(c.SetBypass(ctx, []BypassEdit{{Guid: guid(0)}})[0])
	see(c.SetAuditDisabled(ctx, false))
	see(c.SetUnifiedAuditLog(ctx, true))
	see(c.EnableOrganizationCustomization(ctx))
	directoryCalls(t, c, see)
}
