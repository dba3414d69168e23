package auth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"
)

func TestScrub(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"AADSTS7000215: Invalid client secret.", "AADSTS7000215: Invalid client secret."},
		{"sent s3cret~/+= there", "sent [redacted] there"},
		{"form a=s3cret~%2F%2B%3D&b", "form a=[redacted]&b"},
		{"s3c\x00ret~/\x1b+=", "[redacted]"},
		{`{"access_token":"abc","x":1}`, `{"access_token":[redacted],"x":1}`},
		{`{"access_token": "abc`, `{"access_token": [redacted]`},
		{"client_assertion=abc&client_id=x", "client_assertion=[redacted]&client_id=x"},
		{`{\"access_token\":\"abc\",\"x\":1}`, `{\"access_token\":[redacted],\"x\":1}`},
		{`{"accessToken":"a\"bc","x":1}`, `{"accessToken":[redacted],"x":1}`},
		{"access_token%22%3A%22abc&x", "access_token%22%3A[redacted]&x"},
		{"Authorization: Bearer 0123456789abcdef and more", "Authorization: Bearer [redacted] and more"},
		{"the Bearer token is not valid", "the Bearer token is not valid"},
		{"dial https://user:abc@proxy:3128 failed", "dial https://[redacted]@proxy:3128 failed"},
		{"see eyJhbGciOiJ9.eyJhdWQi.sig_-1 here", "see [redacted] here"},
		{"line\nfeed\x1b[31m\tand tab", "line feed[31m and tab"},
		{strings.Repeat("é", maxMessage+1), strings.Repeat("é", maxMessage) + "…"},
	} {
		if got := scrub(tc.text, "s3cret~/+=", ""); got != tc.want {
			t.Errorf("scrub(%q) = %q, want %q", tc.text, got, tc.want)
		}
	}
}

// TestScrubKnowsEncodings: a secret is found in the forms that encoders give it.
func TestScrubKnowsEncodings(t *testing.T) {
	const secret = `p"a<s>s\w&rd`
	data, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{secret, string(data), fmt.Sprintf("%q", secret), url.QueryEscape(secret)} {
		if got := scrub("it was "+form, Secret(secret)); strings.Contains(got, "w&rd") || strings.Contains(got, "rd") {
			t.Errorf("%s is left in %q", form, got)
		}
	}
}

// TestScrubbedTextHoldsNoSecret hides a known secret in any text, and looks for it.
func TestScrubbedTextHoldsNoSecret(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[A-Za-z0-9~._/+=-]{8,40}`).Draw(t, "secret")
		before, after := rapid.String().Draw(t, "before"), rapid.String().Draw(t, "after")
		got := scrub(before+secret+after, Secret(secret))
		if strings.Contains(got, secret) {
			t.Fatalf("%q is left in %q", secret, got)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q is not printable", got)
		}
	})
}

func FuzzRefusal(f *testing.F) {
	f.Add(401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret. Trace ID: x","error_codes":[7000215]}`, "30")
	f.Add(429, `{"error":{"code":"x"}}`, "Wed, 21 Oct 2026 07:28:00 GMT")
	f.Add(503, "<html>", "-1")
	f.Add(302, "", "99999999999999999999")
	f.Fuzz(func(t *testing.T, status int, body, wait string) {
		const secret = "Kn0wn-Secret-Value"
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		header := http.Header{"Retry-After": {wait}, "Date": {wait}}
		e := &Error{Action: "get a token"}
		failure{now: now, known: []Secret{secret}}.answered(e, &http.Response{
			StatusCode: status, Header: header,
		}, []byte(body))
		text := e.Error()
		if strings.Contains(text, secret) || e.Message == "" {
			t.Errorf("message %q", text)
		}
		if e.RetryAfter < 0 || e.RetryAfter > 24*time.Hour {
			t.Errorf("retry after %v", e.RetryAfter)
		}
		if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is not printable", text)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"30":                            30 * time.Second,
		"-5":                            0,
		"9999999":                       24 * time.Hour,
		"soon":                          0,
		"Mon, 23 Nov 2026 12:00:10 GMT": 10 * time.Second,
		"Mon, 23 Nov 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", value, got, want)
		}
	}
}

func TestClockHintTellsTheDifference(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	certificateAdvice := advice{kind: KindCertificate}
	for date, want := range map[string]string{
		"Mon, 23 Nov 2026 11:00:00 GMT": "1h0m0s ahead of",
		"Mon, 23 Nov 2026 12:30:00 GMT": "30m0s behind",
		"Mon, 23 Nov 2026 12:00:30 GMT": "check the clock",
		"":                              "check the clock",
	} {
		if got := certificateAdvice.on("AADSTS700024", "invalid_client", skew(date, now)); !strings.Contains(got, want) {
			t.Errorf("Date %q gives %q, want …%s…", date, got, want)
		}
	}
}
