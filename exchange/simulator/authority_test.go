package simulator

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	authorityTestHost  = "https://login.example"
	authorityTestScope = AuthorityAudience + "/.default openid offline_access profile"
)

var authorityTestCredentials = sync.OnceValues(func() (*AuthorityCredentials, error) {
	return NewAuthorityCredentials(AuthorityCredentialsConfig{})
})

func authorityTestKeys(t testing.TB) *AuthorityCredentials {
	t.Helper()
	c, err := authorityTestCredentials()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// authorityTestReply is the union of a token response and an error document.
type authorityTestReply struct {
	status      int
	Token       string `json:"access_token"`
	Type        string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
}

func authorityTestPost(t *testing.T, a *Authority, tenant string, form url.Values) authorityTestReply {
	t.Helper()
	c := &http.Client{Transport: a.RoundTripper()}
	resp, err := c.PostForm(authorityTestHost+"/"+tenant+"/oauth2/v2.0/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	reply := authorityTestReply{status: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		t.Fatal(err)
	}
	return reply
}

func authorityTestForm(edits ...string) url.Values {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {AuthorityClientID},
		"scope": {authorityTestScope}, "client_secret": {"s3cret"},
	}
	for i := 0; i < len(edits); i += 2 {
		if edits[i+1] == "" {
			form.Del(edits[i])
			continue
		}
		form.Set(edits[i], edits[i+1])
	}
	return form
}

func TestAuthoritySecretGrant(t *testing.T) {
	for _, tc := range []struct {
		name, tenant string
		form         url.Values
		status, code int
		oauth        string
	}{
		{"good", AuthorityTenantID, authorityTestForm(), 200, 0, ""},
		{"tenant by domain", "Contoso.onmicrosoft.com", authorityTestForm(), 200, 0, ""},
		{"default scope alone", AuthorityTenantID, authorityTestForm("scope", AuthorityAudience+"/.default"), 200, 0, ""},
		{"double slash", AuthorityTenantID, authorityTestForm("scope", AuthorityAudience+"//.default"), 200, 0, ""},
		{"wrong secret", AuthorityTenantID, authorityTestForm("client_secret", "s3cre"), 401, 7000215, "invalid_client"},
		{"unknown application", AuthorityTenantID, authorityTestForm("client_id", "x"), 400, 700016, "unauthorized_client"},
		{"unknown tenant", "fabrikam.onmicrosoft.com", authorityTestForm(), 400, 90002, "invalid_tenant"},
		{"no credential", AuthorityTenantID, authorityTestForm("client_secret", ""), 400, 0, "invalid_request"},
		{"unknown resource", AuthorityTenantID, authorityTestForm("scope", "https://graph.example/.default"), 400, 0, "invalid_scope"},
		{"no default scope", AuthorityTenantID, authorityTestForm("scope", "openid"), 400, 0, "invalid_scope"},
		{"no scope", AuthorityTenantID, authorityTestForm("scope", ""), 400, 0, "invalid_scope"},
		{"another grant", AuthorityTenantID, authorityTestForm("grant_type", "password"), 501, 0, "not_modelled"},
		{"assertion without a certificate", AuthorityTenantID, authorityTestForm("client_assertion", "a.b.c", "client_assertion_type", authorityAssertionType), 401, 700027, "invalid_client"},
		{"assertion of another type", AuthorityTenantID, authorityTestForm("client_assertion", "a.b.c", "client_assertion_type", "saml"), 400, 0, "invalid_request"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := NewAuthority(AuthorityConfig{Secret: "s3cret"})
			got := authorityTestPost(t, a, tc.tenant, tc.form)
			if got.status != tc.status || got.Error != tc.oauth {
				t.Fatalf("got %+v", got)
			}
			if tc.status == 200 {
				if err := a.Check(got.Token); err != nil || got.Type != "Bearer" || got.ExpiresIn != 3600 || a.TokensIssued() != 1 {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			if a.TokensIssued() != 0 || got.Token != "" || strings.Contains(got.Description, "s3cre") {
				t.Errorf("a refusal issues or shows something: %+v", got)
			}
			if tc.code != 0 && (len(got.Codes) != 1 || got.Codes[0] != tc.code) {
				t.Errorf("codes %v, want %d", got.Codes, tc.code)
			}
		})
	}
}

func TestAuthorityWithoutSecretRefusesEverySecret(t *testing.T) {
	a := NewAuthority(AuthorityConfig{})
	if got := authorityTestPost(t, a, AuthorityTenantID, authorityTestForm()); got.status != 401 {
		t.Errorf("got %+v", got)
	}
}

func TestAuthorityCheck(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	a := NewAuthority(AuthorityConfig{Secret: "s3cret", Clock: func() time.Time { return now }})
	token := authorityTestPost(t, a, AuthorityTenantID, authorityTestForm()).Token
	if strings.Count(token, ".") != 2 {
		t.Fatalf("%q is not shaped as a JWT", token)
	}
	if err := a.Check(token); err != nil {
		t.Fatal(err)
	}
	foreign := NewAuthority(AuthorityConfig{Secret: "s3cret"})
	body := strings.SplitAfter(token, ".")
	for name, bad := range map[string]string{
		"empty": "", "text": "token", "dots": "..", "of another authority": authorityTestPost(t, foreign, AuthorityTenantID, authorityTestForm()).Token,
		"changed": body[0] + "e30." + body[2], "cut": token[:len(token)-2], "more": token + "A",
	} {
		err := a.Check(bad)
		if err == nil {
			t.Errorf("a token that is %s passes", name)
		} else if bad != "" && len(bad) > 5 && strings.Contains(err.Error(), bad) {
			t.Errorf("the error holds the token: %v", err)
		}
	}
	now = now.Add(time.Hour)
	if err := a.Check(token); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("after its time: %v", err)
	}
	now = now.Add(-2 * time.Hour)
	if err := a.Check(token); err == nil || !strings.Contains(err.Error(), "not valid before") {
		t.Errorf("before its time: %v", err)
	}
}

func TestAuthorityIssueToken(t *testing.T) {
	a := NewAuthority(AuthorityConfig{})
	token, ok := a.IssueToken(AuthorityAudience)
	if err := a.Check(token); !ok || err != nil || a.TokensIssued() != 1 {
		t.Errorf("%v, %v, %d issued", ok, err, a.TokensIssued())
	}
	if token, ok := a.IssueToken("https://graph.example"); ok || token != "" {
		t.Error("a token for an unknown audience")
	}
}

func TestAuthorityDiscovery(t *testing.T) {
	a := NewAuthority(AuthorityConfig{})
	c := &http.Client{Transport: a.RoundTripper()}
	for path, want := range map[string]int{
		"/" + AuthorityTenantID + "/v2.0/.well-known/openid-configuration":    200,
		"/" + AuthorityDomain + "/v2.0/.well-known/openid-configuration?":     200,
		"/fabrikam.onmicrosoft.com/v2.0/.well-known/openid-configuration":     400,
		"/" + AuthorityTenantID + "/discovery/v2.0/keys":                      501,
		"/" + AuthorityTenantID + "/oauth2/v2.0/devicecode":                   501,
		"/common/discovery/instance?authorization_endpoint=https://x.example": 501,
	} {
		resp, err := c.Get(authorityTestHost + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s answers %d %s, want %d", path, resp.StatusCode, body, want)
		}
		if want == 200 && !strings.Contains(string(body), `"token_endpoint":"`+authorityTestHost+"/"+AuthorityTenantID+`/oauth2/v2.0/token"`) {
			t.Errorf("%s names another endpoint: %s", path, body)
		}
	}
	if a.Requests() != 6 || a.TokenRequests() != 0 {
		t.Errorf("%d requests, %d for a token", a.Requests(), a.TokenRequests())
	}
}

func TestAuthorityFaults(t *testing.T) {
	a := NewAuthority(AuthorityConfig{Secret: "s3cret"})
	a.SetFault(func(c AuthorityCall) AuthorityAnswer {
		switch c.Token {
		case 1:
			return AuthorityThrottled(7 * time.Second)
		case 2:
			return AuthorityUnavailable()
		case 3:
			return AuthorityAnswer{Truncate: true}
		}
		return AuthorityAnswer{}
	})
	c := &http.Client{Transport: a.RoundTripper()}
	for n, want := range []int{429, 503, 200, 200} {
		resp, err := c.PostForm(authorityTestHost+"/"+AuthorityTenantID+"/oauth2/v2.0/token", authorityTestForm())
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want || (n == 0) != (resp.Header.Get("Retry-After") == "7") {
			t.Errorf("call %d: %d %v", n+1, resp.StatusCode, resp.Header)
		}
		if cut := !json.Valid(body); cut != (n == 1 || n == 2) {
			t.Errorf("call %d: %s", n+1, body)
		}
	}
	a.SetFault(nil)
	if got := authorityTestPost(t, a, AuthorityTenantID, authorityTestForm()); got.status != 200 {
		t.Errorf("without the fault: %+v", got)
	}
}

func TestAuthorityRoundTripperHonoursTheContext(t *testing.T) {
	a := NewAuthority(AuthorityConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, authorityTestHost+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := a.RoundTripper().RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if !errors.Is(err, context.Canceled) || a.Requests() != 0 {
		t.Errorf("%v after %d requests", err, a.Requests())
	}
}

func TestAuthorityOverTLS(t *testing.T) {
	a := NewAuthority(AuthorityConfig{})
	srv := httptest.NewUnstartedServer(a)
	srv.TLS = authorityTestKeys(t).TLSConfig()
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authorityTestKeys(t).CAPEM()) {
		t.Fatal("the CA file holds no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport}
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []string{srv.URL, "https://localhost:" + port} {
		resp, err := c.Get(base + "/" + AuthorityDomain + "/v2.0/.well-known/openid-configuration")
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Issuer string `json:"issuer"`
		}
		err = json.NewDecoder(resp.Body).Decode(&doc)
		_ = resp.Body.Close()
		if want := base + "/" + AuthorityTenantID + "/v2.0"; err != nil || doc.Issuer != want {
			t.Errorf("issuer %q, %v; want %q", doc.Issuer, err, want)
		}
	}
}
