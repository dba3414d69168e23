package exchange

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

const (
	invokePath  = "/adminapi/beta/" + testTenant + "/InvokeCommand"
	moreResults = "There are more results available than are currently displayed. To view them, increase the value for the ResultSize parameter."
)

func linkTo(token string) string { return testEndpoint + invokePath + "?%24skiptoken=" + token }

func TestListingFollowsItsPages(t *testing.T) {
	c, s := scripted(t,
		page(`{"Guid":"1"},{"Guid":"2"}`, linkTo("AD1"), moreResults),
		page(``, linkTo("AD2"), moreResults),
		page(`{"Guid":"3"}`, ""),
	)
	rows, err := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{
		Listing: Groups, Filter: "AuditEnabled -ne 'True'", Select: []string{"AuditEnabled", "AuditOwner"},
	}))
	if err != nil || len(rows) != 3 || rows[2].Guid != Of("3") {
		t.Fatalf("rows = %+v, %v", rows, err)
	}
	sent := s.requests()
	if want := testEndpoint + invokePath + "?$select=Guid,AuditEnabled,AuditOwner"; sent[0].url != want {
		t.Errorf("first URL %s, want %s", sent[0].url, want)
	}
	if want := `{"CmdletInput":{"CmdletName":"Get-Mailbox","Parameters":{"Filter":"AuditEnabled -ne 'True'","GroupMailbox":true,"ResultSize":"Unlimited"}}}`; sent[0].body != want {
		t.Errorf("body %s, want %s", sent[0].body, want)
	}
	for i, want := range []string{"AD1", "AD2"} {
		got := sent[i+1]
		if got.url != linkTo(want) || got.method != "POST" || got.body != sent[0].body {
			t.Errorf("page %d: %s %s with %s", i+2, got.method, got.url, got.body)
		}
		for _, key := range []string{"X-AnchorMailbox", "client-request-id", "Prefer", "X-CmdletName"} {
			if a, b := sent[0].header.Get(key), got.header.Get(key); a != b || a == "" {
				t.Errorf("page %d: %s = %q, was %q", i+2, key, b, a)
			}
		}
	}
	if got, want := c.Stats(), (Stats{Requests: 3, Pages: 3, BytesRead: c.Stats().BytesRead}); got != want {
		t.Errorf("Stats() = %+v, want %+v", got, want)
	}
}

func TestListingKeepsItsCookies(t *testing.T) {
	first := page(`{}`, linkTo("AD1"))
	first.header = map[string]string{"Set-Cookie": "X-Affinity=be1; path=/; secure"}
	c, s := scripted(t, first, page(`{}`, ""), page(`{}`, ""))
	if _, err := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{})); err != nil {
		t.Fatal(err)
	}
	if _, err := drain[BypassAssociation](c.BypassAssociations(t.Context())); err != nil {
		t.Fatal(err)
	}
	sent := s.requests()
	if got := sent[1].header.Get("Cookie"); got != "X-Affinity=be1" {
		t.Errorf("page 2 has cookie %q", got)
	}
	if got := sent[2].header.Get("Cookie"); got != "" {
		t.Errorf("another listing has cookie %q", got)
	}
	if want := `{"CmdletInput":{"CmdletName":"Get-MailboxAuditBypassAssociation","Parameters":{"ResultSize":"Unlimited"}}}`; sent[2].body != want {
		t.Errorf("bypass body = %s", sent[2].body)
	}
}

// The link that was captured holds a session and a server and no position, so
// the service may repeat it while its cursor moves on.
func TestListingWithARepeatedLinkThatMovesOn(t *testing.T) {
	c, _ := scripted(t, page(`{"Guid":"a"}`, linkTo("S")), page(`{"Guid":"b"}`, linkTo("S")), page(`{"Guid":"c"}`, linkTo("S")), page(`{"Guid":"d"}`, ""))
	var guids []string
	for m, err := range c.Mailboxes(t.Context(), MailboxQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		guids = append(guids, m.Guid.Value)
	}
	if got := strings.Join(guids, ""); got != "abcd" {
		t.Errorf("read %q", got)
	}
}

func TestListingThatIsNotWholeSaysSoOnce(t *testing.T) {
	cursorGone := reply{status: 400, body: failure("BadRequest", "Invalid Operation", "", "System.Exception", "Expired or Invalid pagination request. Default Expiry time is 00:30:00")}
	tests := []struct {
		name        string
		replies     []reply
		reason      Reason
		rows, pages int
	}{
		{"more results without a link", []reply{page(`{}`, "", moreResults)}, ReasonMoreResults, 1, 1},
		{"the same link for ever", []reply{page(`{}`, linkTo("AD1"))}, ReasonSamePage, 2, 2},
		{"an earlier link", []reply{page(`{}`, linkTo("A")), page(`{}`, linkTo("B")), page(`{}`, linkTo("A"))}, ReasonSamePage, 3, 3},
		{"a link to the start", []reply{page(`{}`, testEndpoint+invokePath)}, ReasonSamePage, 2, 2},
		{"a link to another host", []reply{page(`{}`, "https://evil.example"+invokePath+"?x=1")}, ReasonForeignLink, 1, 1},
		{"an unknown warning", []reply{page(`{},{}`, "", "Something is odd.")}, ReasonWarning, 2, 1},
		{"an unknown warning on a page with a link", []reply{page(`{}`, linkTo("AD1"), "Something is odd.")}, ReasonWarning, 1, 1},
		{"a warning in the header", []reply{{status: 200, header: map[string]string{"X-Warnings": `["odd"]`}, body: `{"value":[{}]}`}}, ReasonWarning, 1, 1},
		{"errors inside", []reply{ok(`{"@adminapi.errors":["bad"],"value":[{},{}]}`)}, ReasonErrors, 2, 1},
		{"errors instead of a value", []reply{ok(`{"@adminapi.errors":["bad"],"value":null}`)}, ReasonErrors, 0, 1},
		{"null value", []reply{ok(`{"value":null}`)}, ReasonNoValue, 0, 0},
		{"no value", []reply{ok(`{}`)}, ReasonNoValue, 0, 0},
		{"empty body", []reply{ok(``)}, ReasonNoValue, 0, 0},
		{"null value on page 2", []reply{page(`{}`, linkTo("AD1")), ok(`{"value":null}`)}, ReasonCursorLost, 1, 1},
		{"cut JSON", []reply{ok(`{"value":[{},{`)}, ReasonTruncated, 0, 0},
		{"broken connection on page 2", []reply{page(`{}`, linkTo("AD1")), {status: 200, body: `{"value":[`, cut: true}}, ReasonCursorLost, 1, 1},
		{"whole JSON on a broken connection", []reply{{status: 200, body: `{"value":[{}]}`, cut: true}}, ReasonTruncated, 0, 0},
		{"the cursor is lost", []reply{page(`{}`, linkTo("AD1")), cursorGone}, ReasonCursorLost, 1, 1},
		{"a failure on page 2", []reply{page(`{}`, linkTo("AD1")), {status: 500, body: "{}"}}, ReasonRequest, 1, 1},
		{"refused", []reply{{status: 403}}, ReasonRequest, 0, 0},
		{"neither verb", []reply{page(`{}`, linkTo("AD1")), {status: 405}}, ReasonRequest, 1, 1},
		{"redirected", []reply{{status: 302, header: map[string]string{"Location": "https://evil.example/"}}}, ReasonRequest, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := scripted(t, tt.replies...)
			count, errs := 0, []error(nil)
			for _, err := range c.Mailboxes(t.Context(), MailboxQuery{}) {
				if err != nil {
					errs = append(errs, err)
					continue // an iterator that goes on after its error is a defect
				}
				count++
			}
			if len(errs) != 1 {
				t.Fatalf("%d errors, want one: %v", len(errs), errs)
			}
			e, found := errors.AsType[*IncompleteError](errs[0])
			if !found || e.Reason != tt.reason || e.Rows != tt.rows || e.Pages != tt.pages || count != tt.rows || e.Cmdlet != "Get-Mailbox" {
				t.Errorf("%d rows and %v; want %d rows, %d pages, reason %q", count, errs[0], tt.rows, tt.pages, tt.reason)
			}
			if got, want := IsCursorLost(errs[0]), tt.reason == ReasonCursorLost; got != want {
				t.Errorf("IsCursorLost = %v, want %v", got, want)
			}
		})
	}
}

func TestListingEndsWhereTheCallerStops(t *testing.T) {
	c, s := scripted(t, page(`{},{}`, linkTo("AD1")))
	for _, err := range c.Mailboxes(t.Context(), MailboxQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if n := len(s.requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestListingEndsWithTheContext(t *testing.T) {
	c, _ := scripted(t, page(`{}`, linkTo("AD1")))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range c.Mailboxes(ctx, MailboxQuery{}) {
		last = err
		cancel()
	}
	if !errors.Is(last, context.Canceled) || !IsIncomplete(last) {
		t.Errorf("err = %v, want an incomplete listing for the context's sake", last)
	}
}

func TestBadQueriesAreRefusedBeforeAnyCall(t *testing.T) {
	c, s := scripted(t, page(``, ""))
	for _, q := range []MailboxQuery{
		{Listing: 7}, {Select: []string{"Guid&x=1"}}, {Select: []string{""}}, {Select: []string{"Guid,Name"}}, {Select: []string{"Größe"}},
	} {
		rows, err := drain[Mailbox](c.Mailboxes(t.Context(), q))
		if !errors.Is(err, ErrInvalidCall) || len(rows) != 0 {
			t.Errorf("%+v: %v, want a refusal", q, err)
		}
	}
	if n := len(s.requests()); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}

func TestNextLinkVerbIsLearned(t *testing.T) {
	c, s := scripted(t,
		page(`{}`, linkTo("A")), reply{status: 405}, page(`{}`, linkTo("B")), page(`{}`, ""), // learns GET
		page(`{}`, linkTo("A")), page(`{}`, ""), // uses it
		page(`{}`, linkTo("A")), reply{status: 405}, page(`{}`, ""), // learns POST again
	)
	for range 3 {
		if _, err := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{})); err != nil {
			t.Fatal(err)
		}
	}
	var verbs []string
	for _, r := range s.requests() {
		verbs = append(verbs, r.method)
		if r.method == "GET" && (r.body != "" || r.header.Get("Content-Type") != "" || r.header.Get("X-AnchorMailbox") == "") {
			t.Errorf("GET with body %q and headers %v", r.body, r.header)
		}
	}
	if got, want := strings.Join(verbs, " "), "POST POST GET GET POST GET POST GET POST"; got != want {
		t.Errorf("verbs %s, want %s", got, want)
	}
}

func TestNextLinkStaysAtHome(t *testing.T) {
	e, err := newEndpoint("https://outlook.office365.com", testTenant)
	if err != nil {
		t.Fatal(err)
	}
	from := e.invokeURL("$select=Guid")
	base := "https://outlook.office365.com" + invokePath
	good := map[string]string{
		base + "?%24skiptoken=AD1":                                             base + "?%24skiptoken=AD1",
		base + "?x=1#fragment":                                                 base + "?x=1",
		strings.Replace(base, "outlook", "OUTLOOK", 1) + "?x=1":                base + "?x=1",
		"https://outlook.office365.com:443" + invokePath + "?x=1":              base + "?x=1",
		"https://outlook.office365.com" + strings.ToUpper(invokePath) + "?x=1": base + "?x=1",
		"InvokeCommand?x=1":                                                    base + "?x=1",
		"?x=1":                                                                 base + "?x=1",
		invokePath + "?x=1":                                                    base + "?x=1",
		"HTTPS:" + base[6:] + "?x=1":                                           base + "?x=1",
	}
	for link, want := range good {
		if got, err := e.next(from, link); err != nil || got.String() != want {
			t.Errorf("next(%s) = %v, %v; want %s", link, got, err, want)
		}
	}
	for _, link := range []string{
		"https://evil.example" + invokePath + "?x=1",
		"https://outlook.office365.com.evil.example" + invokePath,
		"https://outlook.office365.com@evil.example" + invokePath,
		"https://outlook.office365.com:@evil.example" + invokePath,
		"https://user@outlook.office365.com" + invokePath,
		"https://outlook.office365.com:444" + invokePath,
		"http://outlook.office365.com" + invokePath,
		"//evil.example" + invokePath,
		`https://outlook.office365.com\@evil.example` + invokePath,
		"https:outlook.office365.com",
		"javascript:alert(1)",
		"mailto:x@y",
		"https://outlook.office365.com/adminapi/v1.0/" + testTenant + "/InvokeCommand",
		"https://outlook.office365.com/adminapi/beta/other/InvokeCommand",
		base + "/../../../x",
		base + "%2f..%2f..",
		strings.Replace(base, "Invoke", "%49nvoke", 1),
		base + "/",
		base + "X",
		base + ";x",
		"/",
		"https://[::1" + invokePath,
		"https://outlook.office365.com.\x00" + invokePath,
	} {
		if got, err := e.next(from, link); !errors.Is(err, errForeignLink) {
			t.Errorf("next(%s) = %v, %v; want a refusal", link, got, err)
		}
	}
}

// TestForeignLinkCannotDisturbATerminal: what the error says of the link is clean.
func TestForeignLinkCannotDisturbATerminal(t *testing.T) {
	for _, link := range []string{"https://outlook.ex\u202eample/x", "https://evil\u2066.example/x"} {
		c, _ := scripted(t, page(`{}`, link))
		_, err := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{}))
		if e, found := errors.AsType[*IncompleteError](err); !found || e.Reason != ReasonForeignLink || strings.ContainsAny(err.Error(), "\u202e\u2066") {
			t.Errorf("err = %q", err)
		}
	}
}

// FuzzNextLink holds the check to its one promise: whatever the link, what comes
// next is on the scheme, host and path where the listing was born, be it the front
// door or a region, and a listing that goes on asks for nothing else.
func FuzzNextLink(f *testing.F) {
	const front = "https://outlook.office365.com"
	for _, seed := range []string{
		"AD1", "//evil.example/x", "https://outlook.office365.com@evil.example/", "?x", "", `\\evil`, front + invokePath + "?%24skiptoken=AD1",
		"https://outlook.office365.com:443" + invokePath + "?y", "https://eur01b.outlook.office365.com" + invokePath + "?y",
		"https://nam01.outlook.office365.com" + invokePath, "https://eur01b.admin.protection.outlook.com:446" + invokePath, "?a=%zz;b#c",
		"https://outlook.office365.com" + invokePath + "/../../x", "http://outlook.office365.com" + invokePath,
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	home, err := newEndpoint(front, testTenant)
	if err != nil {
		f.Fatal(err)
	}
	c, err := New(Config{Endpoint: front, TenantID: testTenant, TokenSource: oauth2.StaticTokenSource(nil)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, link string, inRegion bool) {
		at := home
		if inRegion {
			at = home.on("eur01b.outlook.office365.com")
		}
		l, err := c.list(invocation{kind: read, cmdlet: cmdletGetMailbox})
		if err != nil {
			t.Fatal(err)
		}
		l.pages, l.home, l.at = 1, at, at.invokeURL("")
		err = l.advance(answer{nextLink: link, valueState: Set})
		switch {
		case err != nil && (!IsIncomplete(err) || l.at.String() != at.invokeURL("").String()):
			t.Fatalf("%q was refused by %v and moved the listing to %s", link, err, l.at)
		case err != nil:
			return
		case l.at == nil:
			if link != "" {
				t.Fatalf("the listing ended at %q", link)
			}
			return
		}
		u, err := url.Parse(l.at.String())
		if err != nil || u.Scheme != "https" || u.Host != at.base.Host || u.Path != invokePath || u.RawPath != "" || u.User != nil || u.Fragment != "" {
			t.Fatalf("%q leads to %s, %v", link, l.at, err)
		}
		// What is asked for is that link, and nothing of it but its query.
		q := call{kind: readOn, at: l.home, path: l.call.path, query: l.at.RawQuery}
		if got := q.url(); got.Host != at.base.Host || got.Path != invokePath || got.Scheme != "https" {
			t.Fatalf("%q is asked for at %s", link, got)
		}
		if ref, err := url.Parse(link); err == nil && ref.RawQuery != l.at.RawQuery {
			t.Fatalf("%q is asked for with the query %q", link, l.at.RawQuery)
		}
	})
}

func TestWarningsAreClassified(t *testing.T) {
	tests := []struct {
		cmdlet, text string
		want         warningKind
	}{
		{cmdletGetMailbox, moreResults, warningMoreResults},
		{cmdletSetMailbox, "The command completed successfully but no settings of 'x' have been modified.", warningNothingModified},
		{cmdletSetAdminAuditLog, "The admin audit log configuration change you specified could take up to 60 minutes to take effect.", warningSlowToApply},
		{cmdletGetMailbox, "The admin audit log configuration change you specified could take up to 60 minutes to take effect.", warningUnknown},
		{cmdletGetBypass, "The object tenant/Asc-2X1-0001 has been corrupted.", warningSystemObject},
		{cmdletGetBypass, `The object "Asc-2X1" is odd.`, warningSystemObject},
		{cmdletGetBypass, "Listing stopped at 'Asc-2X1abc'.", warningUnknown},
		{cmdletGetBypass, "The object tenant/Asc-2X1-0001 could not be read; results are Incomplete.", warningUnknown},
		{cmdletGetBypass, "'Asc-2X1' was TRUNCATED", warningUnknown},
		{cmdletGetBypass, "The search timed out at 'Asc-2X1'.", warningUnknown},
		{cmdletGetBypass, "'Asc-2X1': the list is not complete", warningUnknown},
		{cmdletGetBypass, "'Asc-2X1': there are more results", warningUnknown},
		{cmdletGetBypass, "The object NotAsc-2X1 has been corrupted.", warningUnknown},
		{cmdletGetMailbox, "The object tenant/Asc-2X1-0001 has been corrupted.", warningUnknown},
		{cmdletGetMailbox, "", warningUnknown},
		{cmdletGetMailbox, "anything", warningUnknown},
	}
	for _, tt := range tests {
		if got := classify(tt.cmdlet, tt.text); got != tt.want {
			t.Errorf("classify(%s, %q) = %d, want %d", tt.cmdlet, tt.text, got, tt.want)
		}
	}
}

// TestRenewedTokenKeepsTheCookies: the cursor stays on its backend; another anchor
// leaves the cookies of the wrong backend behind.
func TestRenewedTokenKeepsTheCookies(t *testing.T) {
	cookie := func(r reply, value string) reply {
		r.header = map[string]string{"Set-Cookie": "X-BackEndCookie=" + value + "; path=/"}
		return r
	}
	s := &script{replies: []reply{
		cookie(reply{status: 400, body: wrongBackend()}, "wrong"), cookie(page(`{}`, linkTo("A")), "right"), {status: 401}, page(`{}`, ""),
	}}
	cfg := testConfig(s)
	cfg.TokenSource = &renewable{}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{})); err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	var got []string
	for _, sent := range s.requests() {
		got = append(got, sent.header.Get("Cookie"))
	}
	if want := []string{"", "", "X-BackEndCookie=right", "X-BackEndCookie=right"}; !slices.Equal(got, want) {
		t.Errorf("cookies %q, want %q", got, want)
	}
}

// TestLinkOfARegionStaysThere: it may name the front door, as nobody knows how the
// region writes it, and is followed in the region; another region is elsewhere.
func TestLinkOfARegionStaysThere(t *testing.T) {
	front, err := newEndpoint("https://outlook.office365.com", testTenant)
	if err != nil {
		t.Fatal(err)
	}
	region := front.on("eur01b.outlook.office365.com")
	want := "https://eur01b.outlook.office365.com" + invokePath + "?x=1"
	for link, good := range map[string]bool{
		"https://outlook.office365.com" + invokePath + "?x=1": true,
		want:   true,
		"?x=1": true,
		"https://nam13b.outlook.office365.com" + invokePath + "?x=1":            false,
		"https://eur01b.admin.protection.outlook.com:446" + invokePath + "?x=1": false,
	} {
		got, err := region.next(region.invokeURL(""), link)
		if (err == nil) != good || good && got.String() != want {
			t.Errorf("next(%s) = %v, %v", link, got, err)
		}
	}
	if _, err := front.next(front.invokeURL(""), want); !errors.Is(err, errForeignLink) {
		t.Errorf("the front door's listing was led to a region: %v", err)
	}
}

// TestReplayedPageIsNoOtherPage: rows that came already cannot be another page,
// whatever its link says, nor the last one.
func TestReplayedPageIsNoOtherPage(t *testing.T) {
	one, two := `{"Guid":"1"},{"Guid":"2"}`, `{"Guid":"3"}`
	for name, replies := range map[string][]reply{
		"with another link": {page(one, linkTo("A")), page(one, linkTo("B")), page(two, "")},
		"as the last one":   {page(one, linkTo("A")), page(one, "")},
		"after another":     {page(one, linkTo("A")), page(two, linkTo("B")), page(one, "")},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := scripted(t, replies...)
			_, err := drain[Mailbox](c.Mailboxes(t.Context(), MailboxQuery{}))
			if e, found := errors.AsType[*IncompleteError](err); !found || e.Reason != ReasonSamePage {
				t.Errorf("err = %v, want %q", err, ReasonSamePage)
			}
		})
	}
}
