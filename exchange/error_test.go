package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// failure makes the body of an error as the service writes it (wire 5.1).
func failure(code, message, detail, innerType, innerMessage string) string {
	text := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	details := ""
	if detail != "" {
		details = `"details":[{"code":"Context","target":"","message":` + text(detail) + `}],`
	}
	return fmt.Sprintf(`{"error":{"code":%s,"message":%s,%s"innererror":{"message":"x","type":"Outer","internalexception":{"message":%s,"type":%s}},`+
		`"adminapi.warnings@odata.type":"#Collection(String)","@adminapi.warnings":[]}}`, text(code), text(message), details, text(innerMessage), text(innerType))
}

func TestErrorBodies(t *testing.T) {
	const opaque = "Exception of type 'DirectInvokeCmdletExecutionException' was thrown."
	tests := []struct {
		name                string
		status              int
		header              http.Header
		body                string
		code, kind, message string
	}{
		{
			"spelling with an id", 404, nil,
			failure("NotFound", "Error executing cmdlet", "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation couldn't be performed because object 'x|y' couldn't be found.", "A.B", opaque),
			"NotFound", "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
			"The operation couldn't be performed because object 'x|y' couldn't be found.",
		},
		{
			"spelling without an id", 400, nil,
			failure("BadRequest", "Invalid Operation", "|Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException|Parameter set cannot be resolved", "A.B", opaque),
			"BadRequest", "Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException", "Parameter set cannot be resolved",
		},
		{
			"spelling as JSON", 400, nil,
			failure("BadRequest", "Error executing cmdlet", `{"Message":"The object already exists.","TypeName":"Microsoft.ADObjectAlreadyExistsException","StackTrace":null,"InnerError":null}`, "A.B", opaque),
			"BadRequest", "Microsoft.ADObjectAlreadyExistsException", "The object already exists.",
		},
		{
			"spelling as JSON with a class name", 400, nil,
			failure("BadRequest", "Error executing cmdlet", `{"ClassName":"A.CException","Message":null,"localizedString":{"stringId":"ExSome"}}`, "A.B", opaque),
			"BadRequest", "A.CException", "ExSome",
		},
		{
			"no details", 400, nil, failure("BadRequest", "Invalid Operation", "", "A.ParameterTransformationException", "Cannot process argument"),
			"BadRequest", "A.ParameterTransformationException", "Cannot process argument",
		},
		{
			"nothing but the generic message", 400, nil, failure("BadRequest", "Invalid Operation", "", "A.B", opaque),
			"BadRequest", "A.B", "Invalid Operation",
		},
		{
			"type from the header", 400,
			http.Header{"X-Exceptiontype": {"A.HeaderException"}},
			`{"error":{"code":"BadRequest","message":"m"}}`,
			"BadRequest", "A.HeaderException", "m",
		},
		{
			"proxied", 500, nil,
			failure("InternalServerError", "Error executing cmdlet", `|Microsoft.Exchange.Configuration.CmdletProxyException|Error on proxy command 'X' to server S: Proxy method PSWS: NotFound: Error executing cmdlet : `+
				`{"error":{"code":"NotFound","message":"m","details":[{"message":"E1|A.ManagementObjectNotFoundException|couldn't be found"}]}} trailing`, "A.B", opaque),
			"InternalServerError", "A.ManagementObjectNotFoundException", "couldn't be found",
		},
		{"bars in a text that is no spelling", 400, nil, failure("B", "m", "a b|c d|e", "A.B", opaque), "B", "A.B", "a b|c d|e"},
		{"NUL bytes", 403, nil, strings.Repeat("\x00", 4096), "", "", ""},
		{"NUL bytes with a reason", 403, http.Header{"X-Ms-Diagnostics": {`2000003;reason="no"`}}, "\x00", "", "", ""},
		{"nothing", 401, nil, "", "", "", ""},
		{"HTML", 502, nil, "<html><head><title>502\n Bad Gateway</title></head></html>", "", "", "502  Bad Gateway"},
		{"HTML without a title", 502, nil, "<html></html>", "", "", ""},
		{"text", 429, nil, "slow down", "", "", "slow down"},
		{"broken JSON", 400, nil, `{"error":{`, "", "", ""},
		{"error is a text", 400, nil, `{"error":"x","message":"m"}`, "", "", "m"},
		{"numeric code", 400, nil, `{"error":{"code":11,"message":"m"}}`, "11", "", "m"},
		{"details of other types", 400, nil, `{"error":{"code":"c","message":"m","details":["x"]}}`, "c", "", "m"},
		{"a token in the text", 400, nil, `{"error":{"code":"c","message":"bad Bearer abc.def"}}`, "c", "", "bad Bearer [redacted]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := tt.header.Clone()
			if h == nil {
				h = http.Header{}
			}
			h.Set("request-id", "r1")
			h.Set("X-FEServer", "fe")
			e := newError("Get-X", tt.status, h, []byte(tt.body))
			if e.Code != tt.code || e.Type != tt.kind || e.Message != tt.message {
				t.Errorf("code %q type %q message %q; want %q %q %q", e.Code, e.Type, e.Message, tt.code, tt.kind, tt.message)
			}
			if e.Status != tt.status || e.RequestID != "r1" || e.Backend != "fe" || e.Cmdlet != "Get-X" {
				t.Errorf("got %+v", e)
			}
			if s := e.Error(); !strings.HasPrefix(s, fmt.Sprintf("Get-X: HTTP %d", tt.status)) || strings.ContainsAny(s, "\x00\n") {
				t.Errorf("Error() = %q", s)
			}
		})
	}
}

func TestPredicates(t *testing.T) {
	typed := func(status int, kind, message string) error {
		return &Error{Status: status, Type: kind, Message: message}
	}
	predicates := []struct {
		name string
		is   func(error) bool
		yes  []error
		no   []error
	}{
		{"IsRefused", IsRefused, []error{typed(403, "", "")}, []error{typed(401, "", ""), &RedirectError{Status: 403}}},
		{"IsUnauthenticated", IsUnauthenticated, []error{typed(401, "", ""), &TokenError{Err: errors.New("x")}}, []error{typed(403, "", "")}},
		{"IsThrottled", IsThrottled, []error{typed(429, "", "")}, []error{typed(503, "", "")}},
		{
			"IsNotFound", IsNotFound,
			[]error{typed(404, "A.B.ManagementObjectNotFoundException", ""), typed(500, "ManagementObjectNotFoundException", ""), &Error{Status: 404, Code: "NotFound"}},
			[]error{typed(404, "", ""), typed(404, "A.NotManagementObjectNotFoundException", ""), typed(404, "A.Other", "")},
		},
		{
			"IsNotHydrated", IsNotHydrated,
			[]error{typed(400, "A.InvalidOperationInDehydratedContextException", ""), typed(400, "", "To run this command, you first need to run the command: Enable-OrganizationCustomization.")},
			[]error{typed(400, "", "Enable-OrganizationCustomization is not needed")},
		},
		{"IsNeedsProxy", IsNeedsProxy, []error{typed(400, "A.CmdletProxyNotAvailableException", ""), typed(400, "", "Cmdlet needs proxy. Current Server FQDN : X")}, []error{typed(400, "A.CmdletProxyException", ""), typed(500, "A.CmdletProxyNotAvailableException", ""), typed(400, "", "It failed: Cmdlet needs proxy")}},
		{"IsUnlicensed", IsUnlicensed, []error{typed(400, "", "Auditing of MailItemsAccessed event is only available for users with appropriate license. Please visit")}, []error{typed(400, "", "license")}},
		{
			"IsAlreadyAudited", IsAlreadyAudited,
			[]error{&Error{Cmdlet: cmdletSetMailbox, Status: 400, Message: "The input audit operation(s) is/are already being audited", details: 1}},
			[]error{&Error{Cmdlet: cmdletSetMailbox, Status: 400, Message: "x", details: 1}, typed(400, "", "already being audited")},
		},
		{"IsCursorLost", IsCursorLost, []error{&CursorLostError{Err: errors.New("x")}}, []error{typed(400, "", "Expired or Invalid pagination request")}},
		{"IsIncomplete", IsIncomplete, []error{&IncompleteError{}}, []error{typed(400, "", "")}},
	}
	for _, p := range predicates {
		t.Run(p.name, func(t *testing.T) {
			for _, err := range p.yes {
				if !p.is(err) || !p.is(fmt.Errorf("x: %w", err)) || !p.is(&IncompleteError{Err: err}) {
					t.Errorf("%v is not recognised, bare or wrapped", err)
				}
			}
			for _, err := range append(p.no, nil, errors.New("x")) {
				if p.is(err) {
					t.Errorf("%v is recognised", err)
				}
			}
		})
	}
}

func TestErrorsInsideSuccess(t *testing.T) {
	for body, want := range map[string]string{
		`["plain"]`:                    "plain",
		`["Ex1|A.BException|spelled"]`: "spelled (A.BException)",
		`[{"Message":"as an object","TypeName":"A.BException"}]`: "as an object (A.BException)",
		`[{"error":{"code":"c","message":"as an envelope"}}]`:    "as an envelope",
		`["first","second"]`: "first; second",
		`[17]`:               "17",
		`"bare"`:             "bare",
	} {
		c, _ := scripted(t, ok(`{"@adminapi.errors":`+body+`,"value":[{"Name":"x"}]}`))
		_, err := c.Organization(t.Context())
		inside, found := errors.AsType[*IncompleteError](err)
		if !found || inside.Reason != ReasonErrors {
			t.Errorf("%s: err = %v, want an incomplete read", body, err)
			continue
		}
		if e, found := asError(err); !found || !strings.Contains(e.Error(), "error inside a success: "+want) {
			t.Errorf("%s: err = %v, want %q", body, err, want)
		}
		if r := c.SetAuditDisabled(t.Context(), false); r.Err == nil {
			t.Errorf("%s: a write succeeded with errors inside", body)
		}
	}
}

func TestSingletonMustBeOne(t *testing.T) {
	tests := []struct {
		name   string
		reply  reply
		reason Reason
	}{
		{"none", ok(`{"value":[]}`), ReasonRowCount},
		{"two", ok(`{"value":[{},{}]}`), ReasonRowCount},
		{"a link to more", ok(`{"value":[{}],"@odata.nextLink":"x"}`), ReasonRowCount},
		{"a warning of more", page(`{}`, "", "There are more results available than are currently displayed."), ReasonMoreResults},
		{"null", ok(`{"value":null}`), ReasonNoValue},
		{"absent", ok(`{}`), ReasonNoValue},
		{"empty body", ok(``), ReasonNoValue},
		{"cut JSON", ok(`{"value":[{"Name":`), ReasonTruncated},
		{"broken connection", reply{status: 200, body: `{"value":[{}]}`, cut: true}, ReasonTruncated},
		{"HTML", ok(`<html></html>`), ReasonTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := scripted(t, tt.reply)
			got, err := c.Organization(t.Context())
			if e, found := errors.AsType[*IncompleteError](err); !found || e.Reason != tt.reason {
				t.Errorf("err = %v, want reason %q", err, tt.reason)
			}
			if tt.reason != ReasonMoreResults && got != (Organization{}) {
				t.Errorf("an organization came with the error: %+v", got)
			}
		})
	}
	t.Run("an error envelope", func(t *testing.T) {
		c, _ := scripted(t, ok(`{"error":{"code":"c","message":"m"}}`))
		if _, err := c.Organization(t.Context()); err == nil || IsIncomplete(err) {
			t.Errorf("err = %v, want the service's error", err)
		}
	})
}

// TestRedirectIsFollowedToTheRegionOnly: a redirect to an internal host of a region
// leads to the public host of that region, once; any other is an error.
func TestRedirectIsFollowedToTheRegionOnly(t *testing.T) {
	const (
		worldwide = "https://outlook.office365.com"
		admin     = "https://eur01.admin.protection.outlook.com:446/adminapi"
	)
	tests := []struct {
		name, endpoint, location, host, advice string
		second                                 string // the host of the second request
	}{
		{"the service's own", worldwide, admin, "eur01.admin.protection.outlook.com:446", "eur01.outlook.office365.com", "eur01.outlook.office365.com"},
		{"the other worldwide name", "https://outlook.office.com", admin, "eur01.admin.protection.outlook.com:446", "eur01.outlook.office365.com", "eur01.outlook.office365.com"},
		{"a regional host", worldwide, "https://NAM13B.outlook.office365.com/adminapi", "NAM13B.outlook.office365.com", "nam13b.outlook.office365.com", ""},
		{"another cloud", "https://outlook.office365.us", admin, "eur01.admin.protection.outlook.com:446", "", ""},
		{"another endpoint", testEndpoint, admin, "eur01.admin.protection.outlook.com:446", "", ""},
		{"a look-alike endpoint", "https://outlook.office365.com.example", admin, "eur01.admin.protection.outlook.com:446", "", ""},
		{"plain http", worldwide, "http://eur01.admin.protection.outlook.com:446/", "eur01.admin.protection.outlook.com:446", "eur01.outlook.office365.com", ""},
		{"a foreign host", worldwide, "https://evil.example/x", "evil.example", "", ""},
		{"a look-alike host", worldwide, "https://evil.example.protection.outlook.com.example/", "evil.example.protection.outlook.com.example", "", ""},
		{"the compliance host", worldwide, "https://nam13b.ps.compliance.protection.outlook.com/", "nam13b.ps.compliance.protection.outlook.com", "", ""},
		{"the endpoint itself", worldwide, worldwide + "/x", "outlook.office365.com", "", ""},
		{"an odd label", worldwide, "https://eur_01.admin.protection.outlook.com:446/", "eur_01.admin.protection.outlook.com:446", "", ""},
		{"no place", worldwide, "", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{replies: []reply{{status: 302, header: map[string]string{"Location": tt.location}}}}
			cfg := testConfig(s)
			cfg.Endpoint = tt.endpoint
			c, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Organization(t.Context())
			e, found := errors.AsType[*RedirectError](err)
			if !found || e.Host != tt.host || e.Status != 302 || e.Regional != tt.advice {
				t.Fatalf("err = %#v, want a redirect naming the host and %q", err, tt.advice)
			}
			if text := err.Error(); strings.Contains(text, "give https://") != (tt.advice != "") || !strings.Contains(text, "https://"+tt.advice) && tt.advice != "" {
				t.Errorf("the error says %q", text)
			}
			if e.RequestID == "" || e.ClientRequestID == "" || !strings.Contains(err.Error(), e.RequestID) {
				t.Errorf("the error does not name the request: %q", err)
			}
			sent := s.requests()
			if tt.second == "" && len(sent) != 1 || tt.second != "" && (len(sent) != 2 || sent[1].host != tt.second) {
				t.Errorf("%d requests, the last to %s; want a second to %q", len(sent), sent[len(sent)-1].host, tt.second)
			}
		})
	}
}

// FuzzErrorBody holds the parser of failures to its word. Of any body: no panic,
// bounded texts, nothing a terminal would act on. Of the service's own: the three
// spellings of a detail say the same (wire 5.1), also where a proxy wrapped them.
func FuzzErrorBody(f *testing.F) {
	f.Add([]byte(failure("NotFound", "m", "E|A.B|t", "A.B", "x")), "Microsoft.Exchange.AException", "The object 'x' couldn't be found.", uint8(0))
	f.Add([]byte(failure("NotFound", "m", `{"Message":"t","TypeName":"A.B"}`, "A.B", "x")), "A.B", `a "quoted" {text} | with bars`, uint8(1))
	f.Add([]byte(`{"error":{"message":"{\"error\":{\"message\":\"{\\\"error\\\":1}\"}}"}}`), "A.B`1+C", "t", uint8(3))
	f.Add([]byte("<title>x</title>"), "", "", uint8(2))
	f.Add([]byte("\x00\x00"), "A.B", "\x1b[31m", uint8(0))
	f.Add([]byte("\x1b[31mBearer abc"), "A.B", "Bearer abc", uint8(0))
	f.Fuzz(func(t *testing.T, body []byte, kind, message string, depth uint8) {
		e := newError("Get-X", 400, http.Header{}, body)
		for _, s := range []string{e.Message, e.Code, e.Type, e.Target} {
			if len(s) > 3*maxText {
				t.Fatalf("a text of %d bytes", len(s))
			}
		}
		if strings.ContainsAny(e.Error(), "\x00\x1b\n\r") {
			t.Fatalf("control characters in %q", e.Error())
		}
		message = strings.ToValidUTF8(message, "")
		if !isTypeName(kind) || clean(message) == "" || len(kind) > 500 || len(message) > 300 || strings.Contains(message, `{"error"`) {
			return
		}
		want := redact(clean(message))
		for i, detail := range spellings(t, kind, message) {
			got := newError("Get-X", 400, http.Header{}, []byte(proxied(detail, int(depth%(maxProxied+1)))))
			if got.Type != kind || got.Message != want || got.details != 1 {
				t.Fatalf("spelling %d behind %d proxies: %q %q of %d failures, want %q %q", i+1, depth%(maxProxied+1), got.Type, got.Message, got.details, kind, want)
			}
		}
	})
}

// spellings writes a detail in the three ways of wire 5.1.
func spellings(t *testing.T, kind, message string) []string {
	t.Helper()
	third, err := json.Marshal(map[string]any{"Message": message, "TypeName": kind, "StackTrace": nil, "InnerError": nil})
	if err != nil {
		t.Fatal(err)
	}
	return []string{"Ex6F9304|" + kind + "|" + message, "|" + kind + "|" + message, string(third)}
}

// proxied wraps a detail into a body, and that into the texts of so many proxies
// (wire 5.2).
func proxied(detail string, proxies int) string {
	body := failure("BadRequest", "Error executing cmdlet", detail, "A.DirectInvokeCmdletExecutionException", "Exception of type 'A' was thrown.")
	for range proxies {
		body = failure("BadRequest", "Error executing cmdlet",
			"|Microsoft.Exchange.Configuration.CmdletProxyException|Error on proxy command 'x' to server X: NotFound: Error executing cmdlet : "+body, "A.B", "x")
	}
	return body
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                               "plain",
		"authorization: Bearer abc.def-ghi x": "authorization: Bearer [redacted] x",
		"got eyJhbGciOiJSUzI1NiJ9.eyJhdWQi.sig here": "got [redacted] here",
		`{"access_token":"abc","expires_in":1}`:      `{"access_token":"[redacted]","expires_in":1}`,
		"client_secret=abc&grant_type=x":             "client_secret=[redacted]&grant_type=x",
		"The bearer of bad news":                     "The bearer [redacted] bad news",
		"eyJ is how they begin":                      "eyJ is how they begin",
	} {
		if got := redact(in); got != want {
			t.Errorf("redact(%q) = %q, want %q", in, got, want)
		}
	}
	if got := redactToken("the odd/token+12 came back", "odd/token+12"); got != "the [redacted] came back" {
		t.Errorf("redactToken = %q", got)
	}
}
