package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// guid makes the nth test identity.
func guid(n int) string { return fmt.Sprintf("aaaaaaaa-bbbb-cccc-dddd-%012d", n) }

func refs(n int) []MailboxRef {
	var out []MailboxRef
	for i := range n {
		out = append(out, MailboxRef{Guid: guid(i)})
	}
	return out
}

// batchBody is a $batch as the service would read it.
type batchBody struct {
	Requests []struct {
		ID, Method, URL string
		Headers         map[string]string
		Body            struct {
			CmdletInput struct {
				CmdletName string
				Parameters map[string]any
			}
		}
	}
}

func readBatch(t *testing.T, body string) batchBody {
	t.Helper()
	var b batchBody
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// item is one answer; a status below 0 leaves it out.
func item(id string, status int, header, body string) string {
	return fmt.Sprintf(`{"id":%q,"status":%d,"headers":{%s},"body":%s}`, id, status, header, body)
}

func answers(items ...string) reply {
	return ok(`{"responses":[` + strings.Join(items, ",") + `]}`)
}

func TestBatchOfReads(t *testing.T) {
	row := func(n int) string { return fmt.Sprintf(`{"value":[{"Guid":%q,"AuditEnabled":true}]}`, guid(n)) }
	c, s := scripted(t, answers(
		item("2", 404, "", failure("NotFound", "m", "E|A.ManagementObjectNotFoundException|gone", "A.B", "x")),
		item("1", 200, `"request-id":"own"`, row(1)),
		item("3", 403, "", `null`),
		item("0", 200, "", row(0)),
		item("4", 200, "", `{"value":[]}`),
	))
	in := append(refs(4), MailboxRef{Guid: "ann@contoso.com", Listing: PublicFolders})
	in = append(in, MailboxRef{Guid: "  "})
	got := c.MailboxesByID(t.Context(), in, []string{"AuditEnabled"})
	if len(got) != 6 {
		t.Fatalf("%d results, want 6", len(got))
	}
	for i := range 2 {
		if got[i].Err != nil || got[i].Value.Guid != Of(guid(i)) || got[i].Value.AuditEnabled != Of(true) {
			t.Errorf("result %d = %+v", i, got[i])
		}
	}
	if !IsNotFound(got[2].Err) || !IsRefused(got[3].Err) || !IsIncomplete(got[4].Err) || !errors.Is(got[5].Err, ErrInvalidCall) {
		t.Errorf("errors = %v, %v, %v, %v", got[2].Err, got[3].Err, got[4].Err, got[5].Err)
	}
	if got := c.Stats(); got.Requests != 1 || got.Batches != 1 || got.Pages != 0 {
		t.Errorf("Stats() = %+v", got)
	}
	sent := s.requests()[0]
	if sent.url != testEndpoint+"/adminapi/beta/"+testTenant+"/$batch" || sent.header.Get("Accept") != "application/json" ||
		sent.header.Get("Prefer") != "odata.continue-on-error" || sent.header.Get("X-CmdletName") != "" {
		t.Errorf("outer call: %s %v", sent.url, sent.header)
	}
	b := readBatch(t, sent.body)
	if len(b.Requests) != 5 {
		t.Fatalf("%d items, want 5", len(b.Requests))
	}
	for i, r := range b.Requests {
		anchor := "MBX:" + in[i].Guid + "@" + testTenant
		if i == 4 {
			anchor = "SMTP:ann@contoso.com"
		}
		if r.URL != testEndpoint+invokePath+"?$select=Guid,AuditEnabled" || r.Method != "POST" || r.Headers["X-AnchorMailbox"] != anchor ||
			r.Headers["parameter-based-routing"] != "true" || r.Headers["X-CmdletName"] != "Get-Mailbox" ||
			r.Body.CmdletInput.Parameters["Identity"] != in[i].Guid {
			t.Errorf("item %d = %+v", i, r)
		}
		if _, has := r.Body.CmdletInput.Parameters["PublicFolder"]; has != (i == 4) {
			t.Errorf("item %d has the PublicFolder switch: %v", i, has)
		}
	}
}

func TestBatchAnswersThatCannotBeTrusted(t *testing.T) {
	good := `{"value":[{}]}`
	tests := []struct {
		name   string
		reply  reply
		second error // nil means that item 1 is well
		check  func(error) bool
	}{
		{"an answer is missing", answers(item("1", 200, "", good)), nil, IsIncomplete},
		{"an answer came twice", answers(item("0", 200, "", good), item("1", 200, "", good), item("0", 200, "", good)), nil, IsIncomplete},
		{"an answer without status", answers(`{"id":"0","body":`+good+`}`, item("1", 200, "", good)), nil, IsIncomplete},
		{"an answer of another form", answers(`{"id":"0","status":[]}`, item("1", 200, "", good)), nil, IsIncomplete},
		{"an unknown id", answers(item("9", 200, "", good), item("1", 200, "", good)), nil, IsIncomplete},
		{"errors inside", answers(item("0", 200, "", `{"@adminapi.errors":["bad"],"value":[{}]}`), item("1", 200, "", good)), nil, IsIncomplete},
		{"a body that is text", answers(item("0", 500, "", `"<html><title>Bad</title></html>"`), item("1", 200, "", good)), nil, func(err error) bool {
			e, found := asError(err)
			return found && e.Message == "Bad" && e.Status == 500
		}},
		{"status as text", answers(`{"id":"0","status":"403","body":null}`, item("1", 200, "", good)), nil, IsRefused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := scripted(t, tt.reply)
			got := c.BypassByID(t.Context(), []string{guid(0), guid(1)})
			if !tt.check(got[0].Err) {
				t.Errorf("err = %v", got[0].Err)
			}
			if got[1].Err != nil {
				t.Errorf("the other item failed too: %v", got[1].Err)
			}
		})
	}
	whole := map[string]reply{
		"no responses": ok(`{}`), "null": ok(`{"responses":null}`), "cut": ok(`{"responses":[`), "empty": ok(``),
		"multipart": ok("--batch\r\nContent-Type: application/http"), "broken": {status: 200, body: `{"responses":[]}`, cut: true},
		"refused": {status: 403}, "failed": {status: 500}, "no answer": {err: errors.New("reset")},
	}
	for name, r := range whole {
		t.Run(name, func(t *testing.T) {
			c, s := scripted(t, r)
			for _, got := range c.SetBypass(t.Context(), []BypassEdit{{Guid: guid(0)}, {Guid: guid(1)}}) {
				if got.Err == nil {
					t.Error("an item without an answer succeeded")
				}
			}
			if n := len(s.requests()); n != 1 {
				t.Errorf("the batch of writes was sent %d times", n)
			}
		})
	}
}

func TestBatchLimits(t *testing.T) {
	c, s := scripted(t, answers())
	for i, r := range c.MailboxesByID(t.Context(), refs(BatchSize+1), nil) {
		if !errors.Is(r.Err, ErrInvalidCall) {
			t.Errorf("result %d: %v, want a refusal", i, r.Err)
		}
	}
	if got := c.MailboxesByID(t.Context(), nil, nil); len(got) != 0 {
		t.Errorf("an empty list gave %v", got)
	}
	for _, r := range c.Users(t.Context(), []string{"", " "}) {
		if !errors.Is(r.Err, ErrInvalidCall) {
			t.Errorf("an empty identity gave %v", r.Err)
		}
	}
	if n := len(s.requests()); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}

func TestThrottledItemsAreSentAgainAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := `{"value":[]}`
		c, s := patient(t,
			answers(item("0", 200, "", good), item("1", 429, `"Retry-After":"9"`, `{}`), item("2", 503, "", `{}`), item("3", 429, `"Retry-After":4`, `{}`)),
			answers(item("1", 200, "", good), item("3", 429, `"retry-after":["1"]`, `{}`)),
			answers(item("3", 200, "", good)),
		)
		start := time.Now()
		var edits []BypassEdit
		for i := range 4 {
			edits = append(edits, BypassEdit{Guid: guid(i)})
		}
		got := c.SetBypass(t.Context(), edits)
		if got[0].Err != nil || got[1].Err != nil || got[3].Err != nil {
			t.Errorf("results = %+v", got)
		}
		if e, found := asError(got[2].Err); !found || e.Status != http.StatusServiceUnavailable {
			t.Errorf("a write was repeated after 503: %v", got[2].Err)
		}
		var ids []string
		for _, r := range s.requests() {
			for _, item := range readBatch(t, r.body).Requests {
				ids = append(ids, item.ID)
			}
			ids = append(ids, "|")
		}
		if want := "0 1 2 3 | 1 3 | 3 |"; strings.Join(ids, " ") != want {
			t.Errorf("items %v, want %s", ids, want)
		}
		if waited := time.Since(start); waited < 11*time.Second || waited > 12*time.Second {
			t.Errorf("waited %v, want 9 s and, as 1 s is less than the least wait, 2 s", waited)
		}
		if got := c.Stats(); got.Throttled != 3 || got.Batches != 3 {
			t.Errorf("Stats() = %+v", got)
		}
	})
}

// TestItemThrottledOftenCostsTimeOnly: a 429 does not count as a try, in a batch
// neither.
func TestItemThrottledOftenCostsTimeOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		replies := slices.Repeat([]reply{answers(item("0", 429, `"Retry-After":"3"`, `{}`), item("1", 503, "", `{}`))}, 3)
		replies = append(replies, slices.Repeat([]reply{answers(item("0", 429, "", `{}`), item("1", 200, "", `{"value":[{}]}`))}, 9)...)
		c, s := patient(t, append(replies, answers(item("0", 200, "", `{"value":[{}]}`)))...)
		got := c.BypassByID(t.Context(), []string{guid(0), guid(1)})
		if got[0].Err != nil || got[1].Err != nil || len(s.requests()) != 13 {
			t.Errorf("results %v, %v after %d requests, want 13", got[0].Err, got[1].Err, len(s.requests()))
		}
		last := readBatch(t, s.requests()[12].body).Requests
		if len(last) != 1 || last[0].ID != "0" {
			t.Errorf("the last batch is %+v", last)
		}
	})
}

// TestItemsHaveTriesOfTheirOwn: one that fails five times ends, and the other
// goes on.
func TestItemsHaveTriesOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		replies := slices.Repeat([]reply{answers(item("0", 503, "", `{}`), item("1", 429, `"Retry-After":"3"`, `{}`))}, 5)
		c, s := patient(t, append(replies, answers(item("1", 503, "", `{}`)), answers(item("1", 200, "", `{"value":[{}]}`)))...)
		got := c.BypassByID(t.Context(), []string{guid(0), guid(1)})
		if e, found := asError(got[0].Err); !found || e.Status != 503 || got[1].Err != nil || len(s.requests()) != 7 {
			t.Errorf("results %v, %v after %d requests, want 7", got[0].Err, got[1].Err, len(s.requests()))
		}
	})
}

func TestItemThrottledForEverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := patient(t, answers(item("0", 429, "", `{}`)))
		start := time.Now()
		got := c.BypassByID(t.Context(), []string{guid(0)})
		if waited := time.Since(start); !IsThrottled(got[0].Err) || len(s.requests()) < 12 || waited < 13*time.Minute || waited > 15*time.Minute {
			t.Errorf("err = %v after %d requests and %v, want 429 after the budget", got[0].Err, len(s.requests()), waited)
		}
	})
}

func TestSetMailboxParameters(t *testing.T) {
	tests := []struct {
		name string
		edit MailboxEdit
		want string
	}{
		{"enabled", MailboxEdit{AuditEnabled: new(true)}, `{"AuditEnabled":true,"Identity":"` + testGUID + `"}`},
		{"disabled", MailboxEdit{AuditEnabled: new(false)}, `{"AuditEnabled":false,"Identity":"` + testGUID + `"}`},
		{"age limit", MailboxEdit{AuditLogAgeLimit: "180.00:00:00"}, `{"AuditLogAgeLimit":"180.00:00:00","Identity":"` + testGUID + `"}`},
		{"add", MailboxEdit{Owner: &ListEdit{Add: []string{"Update", "Move"}}}, `{"AuditOwner":{"@odata.type":"#Exchange.GenericHashTable","Add":["Update","Move"]},"Identity":"` + testGUID + `"}`},
		{"add and remove", MailboxEdit{
			Admin: &ListEdit{Add: []string{"Copy"}, Remove: []string{"Move"}}, Delegate: &ListEdit{Remove: []string{"Create"}},
		}, `{"AuditAdmin":{"@odata.type":"#Exchange.GenericHashTable","Add":["Copy"],"Remove":["Move"]},"AuditDelegate":{"@odata.type":"#Exchange.GenericHashTable","Remove":["Create"]},"Identity":"` + testGUID + `"}`},
		{"restore", MailboxEdit{DefaultAuditSet: []string{"Admin", "Owner"}}, `{"DefaultAuditSet":["Admin","Owner"],"Identity":"` + testGUID + `"}`},
		{"group", MailboxEdit{Ref: MailboxRef{Listing: Groups}, AuditLogAgeLimit: "1.00:00:00"}, `{"AuditLogAgeLimit":"1.00:00:00","GroupMailbox":true,"Identity":"` + testGUID + `"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.edit.Ref.Guid = testGUID
			p, err := tt.edit.params()
			got, jsonErr := json.Marshal(p)
			if err != nil || jsonErr != nil || string(got) != tt.want {
				t.Errorf("params = %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func TestEditsThatAreRefused(t *testing.T) {
	ref := MailboxRef{Guid: testGUID}
	add := &ListEdit{Add: []string{"Update"}}
	edits := map[string]MailboxEdit{
		"no identity":                 {AuditEnabled: new(true)},
		"blank identity":              {Ref: MailboxRef{Guid: " "}, AuditEnabled: new(true)},
		"a name as identity":          {Ref: MailboxRef{Guid: "ann@contoso.com"}, AuditEnabled: new(true)},
		"no such listing":             {Ref: MailboxRef{Guid: testGUID, Listing: 9}, AuditEnabled: new(true)},
		"nothing":                     {Ref: ref},
		"nothing for a group":         {Ref: MailboxRef{Guid: testGUID, Listing: Groups}},
		"an empty list edit":          {Ref: ref, Owner: &ListEdit{}},
		"an empty action":             {Ref: ref, Owner: &ListEdit{Add: []string{"Update", ""}}},
		"an empty default set":        {Ref: ref, DefaultAuditSet: []string{}},
		"an empty logon type":         {Ref: ref, DefaultAuditSet: []string{" "}},
		"a logon type of other case":  {Ref: ref, DefaultAuditSet: []string{"Admin", "owner"}},
		"an unknown logon type":       {Ref: ref, DefaultAuditSet: []string{"None"}},
		"part of a logon type":        {Ref: ref, DefaultAuditSet: []string{"Own"}},
		"the action None":             {Ref: ref, Owner: &ListEdit{Add: []string{"None"}}},
		"the action none":             {Ref: ref, Owner: &ListEdit{Replace: []string{" none "}}},
		"the action Default":          {Ref: ref, Admin: &ListEdit{Remove: []string{"Default"}}},
		"an action added and removed": {Ref: ref, Admin: &ListEdit{Add: []string{"Move", "Copy"}, Remove: []string{"Copy"}}},
		"the same in another case":    {Ref: ref, Admin: &ListEdit{Add: []string{"Copy"}, Remove: []string{"copy"}}},
		"the same with a space":       {Ref: ref, Admin: &ListEdit{Add: []string{"Copy"}, Remove: []string{"Copy "}}},
		"default set with a list":     {Ref: ref, Owner: add, DefaultAuditSet: []string{"Owner"}},
		"age limit zero":              {Ref: ref, AuditLogAgeLimit: "00:00:00"},
		"age limit zero days":         {Ref: ref, AuditLogAgeLimit: "0.00:00:00"},
		"age limit as a number":       {Ref: ref, AuditLogAgeLimit: "180"},
		"age limit as ISO 8601":       {Ref: ref, AuditLogAgeLimit: "P180D"},
		"negative age limit":          {Ref: ref, AuditLogAgeLimit: "-1.00:00:00"},
		"hour 24":                     {Ref: ref, AuditLogAgeLimit: "1.24:00:00"},
	}
	c, s := scripted(t, answers())
	for name, edit := range edits {
		if got := c.SetMailboxes(t.Context(), []MailboxEdit{edit}); !errors.Is(got[0].Err, ErrInvalidCall) {
			t.Errorf("%s: %v, want a refusal", name, got[0].Err)
		}
	}
	if got := c.SetBypass(t.Context(), []BypassEdit{{Guid: testGUID, Enabled: true}}); !errors.Is(got[0].Err, ErrInvalidCall) ||
		!strings.Contains(got[0].Err.Error(), "never sets a bypass") {
		t.Errorf("SetBypass to true: %v, want a refusal", got[0].Err)
	}
	for _, id := range []string{"", "\t", "Ann", "ann@contoso.com"} {
		if got := c.SetBypass(t.Context(), []BypassEdit{{Guid: id}}); !errors.Is(got[0].Err, ErrInvalidCall) {
			t.Errorf("SetBypass(%q): %v, want a refusal", id, got[0].Err)
		}
		if got := c.BypassByID(t.Context(), []string{id}); !errors.Is(got[0].Err, ErrInvalidCall) {
			t.Errorf("BypassByID(%q): %v, want a refusal", id, got[0].Err)
		}
	}
	if n := len(s.requests()); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
	for span, want := range map[string]bool{"90.00:00:00": true, "06:00:00": true, "00:00:01": true, "1.23:59:59": true, "1.1:00:00": false, "a.00:00:00": false, "": false} {
		if got := isPositiveSpan(span); got != want {
			t.Errorf("isPositiveSpan(%q) = %v", span, got)
		}
	}
}

func TestSuccessOfAWriteHasFourForms(t *testing.T) {
	const noop = "The command completed successfully but no settings of 'x' have been modified."
	tests := []struct {
		name      string
		reply     reply
		unchanged bool
		warnings  int
	}{
		{"empty list", ok(`{"value":[]}`), false, 0},
		{"null", ok(`{"value":null}`), false, 0},
		{"absent", ok(`{"@adminapi.warnings":[]}`), false, 0},
		{"empty body", ok(``), false, 0},
		{"nothing to do", page("", "", noop), true, 1},
		{"nothing to do in the header", reply{status: 200, header: map[string]string{"X-Warnings": noop}}, true, 1},
		{"another warning", page("", "", "odd"), false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := scripted(t, tt.reply)
			got := c.SetAuditDisabled(t.Context(), false)
			if got.Err != nil || got.Unchanged != tt.unchanged || len(got.Warnings) != tt.warnings {
				t.Errorf("got %+v", got)
			}
		})
	}
	c, _ := scripted(t, ok(`{"@adminapi.errors":["another"],"@adminapi.warnings":["`+noop+`"]}`))
	if got := c.SetAuditDisabled(t.Context(), false); got.Err == nil || got.Unchanged {
		t.Errorf("an error was passed over: %+v", got)
	}
}

// TestAlreadyAuditedIsAnErrorOfItsOwn: the service was seen to refuse an action
// that is there (semantics 1.3 E6). Whether it did the rest of the edit is not
// known, so it is an error, and one only where it is all that was said.
func TestAlreadyAuditedIsAnErrorOfItsOwn(t *testing.T) {
	const already = "|A.RecipientTaskException|The input audit operation(s) is/are already being audited"
	details := func(messages ...string) string {
		list := ""
		for _, m := range messages {
			list += fmt.Sprintf(`,{"code":"Context","target":"","message":%q}`, m)
		}
		return `{"error":{"code":"BadRequest","message":"Error executing cmdlet","details":[` + strings.TrimPrefix(list, ",") + `]}}`
	}
	proxied := `|A.CmdletProxyException|Error on proxy command: `
	tests := []struct {
		name   string
		status int
		body   string
		want   bool
	}{
		{"one detail", 400, details(already), true},
		{"one error inside", 200, `{"@adminapi.errors":["already being audited"]}`, true},
		{"one envelope inside", 200, details(already), true},
		{"one detail, proxied", 400, details(proxied + details(already)), true},
		{"another detail behind it", 400, details(already, "|A.B|nothing was saved: access denied"), false},
		{"another detail before it", 400, details("|A.B|access denied", already), false},
		{"two alike", 400, details(already, already), false},
		{"two details, proxied", 400, details(proxied + details(already, "|A.B|access denied")), false},
		{"no detail", 400, `{"error":{"code":"BadRequest","message":"already being audited"}}`, false},
		{"two errors inside", 200, `{"@adminapi.errors":["already being audited","another"]}`, false},
		{"two inside one", 200, `{"@adminapi.errors":[` + details(already, "|A.B|access denied") + `]}`, false},
		{"another status", 500, details(already), false},
		{"throttled", 409, details(already), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := scripted(t, answers(item("0", tt.status, "", tt.body)))
			edit := MailboxEdit{Ref: refs(1)[0], Owner: &ListEdit{Add: []string{"Move"}}}
			r := c.SetMailboxes(t.Context(), []MailboxEdit{edit})[0]
			if r.Err == nil || r.Unchanged || IsAlreadyAudited(r.Err) != tt.want {
				t.Errorf("got %+v, want IsAlreadyAudited %v", r, tt.want)
			}
			if r := c.SetBypass(t.Context(), []BypassEdit{{Guid: guid(0)}})[0]; r.Err == nil || IsAlreadyAudited(r.Err) {
				t.Errorf("another cmdlet gave %+v", r)
			}
		})
	}
}

func TestAuditLogAnchorIsTriedBothWays(t *testing.T) {
	wrong := reply{status: 400, body: failure("BadRequest", "m", "|A.CmdletProxyNotAvailableException|Cmdlet needs proxy. Current Server FQDN : X", "A.B", "x")}
	other := func(status int, detail string) reply {
		return reply{status: status, body: failure("BadRequest", "m", detail, "A.B", "x")}
	}
	inside := ok(`{"@adminapi.errors":["no"],"value":[{}]}`)
	good := ok(`{"value":[{}]}`)
	own := "APP:SystemMailbox{8cc370d3-822a-4ab8-a926-bb94bd0641a9}@" + testTenant
	home := "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@" + testTenant
	tests := []struct {
		name    string
		replies []reply
		want    []string
		fails   bool
	}{
		{"right at once", []reply{good, good}, []string{own, own}, false},
		{"the other is right, and kept for the read-back", []reply{wrong, good, good}, []string{own, home, home}, false},
		{"neither", []reply{wrong}, []string{own, home, own, home}, true},
		{"known by its text", []reply{other(400, "|A.B|Cmdlet needs proxy. Current Server FQDN : X"), good, good}, []string{own, home, home}, false},
		{"the other has errors inside, and is not kept", []reply{wrong, inside, wrong, inside}, []string{own, home, own, home}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s := scripted(t, tt.replies...)
			r := c.SetUnifiedAuditLog(t.Context(), true)
			_, err := c.AdminAuditLog(t.Context())
			if (r.Err != nil) != tt.fails || (err != nil) != tt.fails || tt.fails && tt.name == "neither" && !IsNeedsProxy(r.Err) {
				t.Errorf("errors %v, %v", r.Err, err)
			}
			var anchors []string
			for _, sent := range s.requests() {
				anchors = append(anchors, sent.header.Get("X-AnchorMailbox"))
			}
			if !slices.Equal(anchors, tt.want) {
				t.Errorf("anchors %v, want %v", anchors, tt.want)
			}
		})
	}
}

// TestAuditLogAnchorIsKeptWhereAWriteMayHaveRun: only a 400 says that the first
// backend did nothing.
func TestAuditLogAnchorIsKeptWhereAWriteMayHaveRun(t *testing.T) {
	const detail = "|A.CmdletProxyNotAvailableException|Cmdlet needs proxy. Current Server FQDN : X"
	for name, r := range map[string]reply{
		"500":              {status: 500, body: failure("InternalServerError", "m", detail, "A.B", "x")},
		"504":              {status: 504, body: failure("InternalServerError", "m", detail, "A.B", "x")},
		"inside a success": ok(`{"@adminapi.errors":["` + detail + `"]}`),
		"a failure inside": ok(failure("BadRequest", "m", detail, "A.B", "x")),
		"another text":     {status: 400, body: failure("BadRequest", "m", "|A.TimeoutException|timed out; Cmdlet needs proxy", "A.B", "x")},
		"no answer":        {err: errors.New("Cmdlet needs proxy")},
	} {
		c, s := scripted(t, r, ok(`{}`))
		if r := c.SetUnifiedAuditLog(t.Context(), true); r.Err == nil || IsNeedsProxy(r.Err) || len(s.requests()) != 1 {
			t.Errorf("%s: %v after %d requests, want a failure after 1", name, r.Err, len(s.requests()))
		}
	}
}

func TestAnchors(t *testing.T) {
	c := newTestClient(t, &script{})
	const home = "APP:" + organizationMailbox + "@" + testTenant
	for identity, want := range map[string]string{
		testGUID:                "MBX:" + testGUID + "@" + testTenant,
		"ann@contoso.com":       "SMTP:ann@contoso.com",
		"Ann":                   home,
		"a@b@c":                 home,
		"@contoso.com":          home,
		"ann@":                  home,
		"ann@contoso.com\r\n":   home,
		"ann smith@contoso.com": home,
		"jürgen@contoso.com":    home,
	} {
		a := mailboxAnchor(identity)
		if got := c.anchorValue(a); got != want || a.targeted() != (want != home) {
			t.Errorf("mailboxAnchor(%q) = %s, want %s", identity, got, want)
		}
	}
}

func TestClouds(t *testing.T) {
	for _, row := range Clouds() {
		cfg := testConfig(nil)
		cfg.Endpoint = row.Endpoint
		if _, err := New(cfg); err != nil {
			t.Errorf("%s: %v", row.Name, err)
		}
		if row.Scope != row.Endpoint+"/.default" || !strings.HasPrefix(row.Authority, "https://login.") || row.Source == "" {
			t.Errorf("%s: %+v", row.Name, row)
		}
		if got, found := CloudNamed(strings.ToUpper(row.Name)); !found || got != row {
			t.Errorf("CloudNamed(%s) = %+v", row.Name, got)
		}
	}
	if _, found := CloudNamed("moon"); found {
		t.Error("there is a cloud called moon")
	}
}

// TestWaitThatIsTooLongHoldsNobody: an item gives up where the service asks for
// more than the budget; the item beside it, which is set right, does not wait.
func TestWaitThatIsTooLongHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		proxy := failure("BadRequest", "Invalid Operation", "|Microsoft.Exchange.Configuration.CmdletProxyNotAvailableException|Cmdlet needs proxy.", "System.Exception", "x")
		c, _ := patient(t,
			answers(item("0", 429, `"Retry-After":"86400"`, `{}`), item("1", 400, "", proxy)),
			answers(item("1", 200, "", `{"value":[{}]}`)),
		)
		start := time.Now()
		got := c.BypassByID(t.Context(), []string{guid(0), guid(1)})
		if waited := time.Since(start); !IsThrottled(got[0].Err) || got[1].Err != nil || waited > time.Minute {
			t.Errorf("results %v, %v after %v", got[0].Err, got[1].Err, waited)
		}
	})
}

// TestNotFoundOfABatchIsAboutNoObject: an allowed account is not taken for gone
// because the address of the batch was not found.
func TestNotFoundOfABatchIsAboutNoObject(t *testing.T) {
	c, _ := scripted(t, reply{status: http.StatusNotFound, body: `{"error":{"code":"NotFound","message":"no such resource"}}`})
	if got := c.Users(t.Context(), []string{"someone@contoso.com"}); got[0].Err == nil || IsNotFound(got[0].Err) {
		t.Errorf("%v is taken for an account that does not exist", got[0].Err)
	}
}
