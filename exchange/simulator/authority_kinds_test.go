package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// authorityTestAsk sends a GET, or a POST of a form, and decodes the answer.
func authorityTestAsk(t *testing.T, a *Authority, path string, header http.Header, form url.Values) (int, map[string]any) {
	t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	req, err := http.NewRequestWithContext(t.Context(), method, authorityTestHost+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := a.RoundTripper().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

func TestAuthorityMachineAndGitHub(t *testing.T) {
	const query = "?api-version=2018-02-01&resource=" + AuthorityAudience
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	machine := &AuthorityMachine{System: "5a5a5a5a-0000-4000-8000-000000000001", User: []string{"5a5a5a5a-0000-4000-8000-000000000002"}}
	app := &AuthorityMachine{System: machine.System, Header: "h3ader"}
	github := &AuthorityGitHub{Issuer: NewAuthorityIssuer("https://issuer.example"), Subject: "repo:x", RequestToken: "j0b"}
	for _, tc := range []struct {
		name, path string
		cfg        AuthorityConfig
		header     http.Header
		status     int
	}{
		{"imds", AuthorityIMDSPath + query, AuthorityConfig{Machine: machine}, header("Metadata", "true"), 200},
		{"imds, named", AuthorityIMDSPath + query + "&client_id=" + machine.User[0], AuthorityConfig{Machine: machine}, header("Metadata", "true"), 200},
		{"imds, another", AuthorityIMDSPath + query + "&client_id=x", AuthorityConfig{Machine: machine}, header("Metadata", "true"), 400},
		{"imds, no system identity", AuthorityIMDSPath + query, AuthorityConfig{Machine: &AuthorityMachine{}}, header("Metadata", "true"), 400},
		{"imds, no header", AuthorityIMDSPath + query, AuthorityConfig{Machine: machine}, nil, 400},
		{"imds, another resource", AuthorityIMDSPath + query + "x", AuthorityConfig{Machine: machine}, header("Metadata", "true"), 400},
		{"imds, no machine", AuthorityIMDSPath + query, AuthorityConfig{}, header("Metadata", "true"), 501},
		{"imds at an app", AuthorityIMDSPath + query, AuthorityConfig{Machine: app}, header("Metadata", "true"), 501},
		{"app", AuthorityAppServicePath + "?api-version=2019-08-01&resource=" + AuthorityAudience, AuthorityConfig{Machine: app}, header("X-IDENTITY-HEADER", "h3ader"), 200},
		{"app, old version", AuthorityAppServicePath + query, AuthorityConfig{Machine: app}, header("X-IDENTITY-HEADER", "h3ader"), 400},
		{"app, wrong header", AuthorityAppServicePath + query, AuthorityConfig{Machine: app}, header("X-IDENTITY-HEADER", "x"), 401},
		{"app at a machine", AuthorityAppServicePath + query, AuthorityConfig{Machine: machine}, header("X-IDENTITY-HEADER", ""), 501},
		{"github", AuthorityGitHubPath + "?audience=a", AuthorityConfig{GitHub: github}, header("Authorization", "bearer j0b"), 200},
		{"github, wrong token", AuthorityGitHubPath, AuthorityConfig{GitHub: github}, header("Authorization", "bearer x"), 401},
		{"github, no token", AuthorityGitHubPath, AuthorityConfig{GitHub: github}, nil, 401},
		{"no github", AuthorityGitHubPath, AuthorityConfig{}, header("Authorization", "bearer j0b"), 501},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := NewAuthority(tc.cfg)
			status, answer := authorityTestAsk(t, a, tc.path, tc.header, nil)
			if status != tc.status {
				t.Fatalf("%d %v", status, answer)
			}
			if token, ok := answer["access_token"].(string); ok && a.Check(token) != nil {
				t.Errorf("the token does not verify: %v", a.Check(token))
			}
			if issued := a.TokensIssued() + a.AssertionsIssued(); issued != 1 && status == 200 || issued != 0 && status != 200 {
				t.Errorf("%d issued", issued)
			}
		})
	}
}

func TestAuthorityDeviceCode(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	p := &AuthorityPerson{UserName: "admin@contoso.onmicrosoft.com", Polls: 1}
	a := NewAuthority(AuthorityConfig{Person: p, Clock: func() time.Time { return now }})
	base := "/" + AuthorityDomain + "/oauth2/v2.0/"
	start := func() string {
		t.Helper()
		status, answer := authorityTestAsk(t, a, base+"devicecode", nil, url.Values{"client_id": {AuthorityPublicClientID}})
		code, _ := answer["device_code"].(string)
		if user, _ := answer["user_code"].(string); status != 200 || user == "" || strings.Contains(user, code) {
			t.Fatalf("%d %v", status, answer)
		}
		return code
	}
	want := func(word string, edits ...string) map[string]any {
		t.Helper()
		form := authorityTestForm(append([]string{"client_id", AuthorityPublicClientID, "client_secret", ""}, edits...)...)
		_, answer := authorityTestAsk(t, a, base+"token", nil, form)
		if got, _ := answer["error"].(string); got != word {
			t.Fatalf("error %q, want %q: %v", got, word, answer)
		}
		return answer
	}
	const grant = "urn:ietf:params:oauth:grant-type:device_code"
	code := start()
	want("bad_verification_code", "grant_type", grant, "device_code", "x")
	want("bad_verification_code", "grant_type", grant, "device_code", code, "client_id", AuthorityClientID)
	want("unauthorized_client", "grant_type", grant, "device_code", code, "client_id", "x")
	want("authorization_pending", "grant_type", grant, "device_code", code)
	answer := want("", "grant_type", grant, "device_code", code)
	if token, _ := answer["access_token"].(string); a.Check(token) != nil {
		t.Errorf("the person's token does not verify: %v", a.Check(token))
	}
	want("bad_verification_code", "grant_type", grant, "device_code", code)
	refresh, _ := answer["refresh_token"].(string)
	want("", "grant_type", "refresh_token", "refresh_token", refresh)
	a.SignOut()
	want("invalid_grant", "grant_type", "refresh_token", "refresh_token", refresh)
	p.Polls, p.Declines = 0, true
	code = start()
	want("authorization_declined", "grant_type", grant, "device_code", code)
	now = now.Add(15 * time.Minute)
	want("expired_token", "grant_type", grant, "device_code", code)
	if a.DeviceCodes() != 2 {
		t.Errorf("%d device codes", a.DeviceCodes())
	}
}

func TestAuthorityClaims(t *testing.T) {
	a := NewAuthority(AuthorityConfig{Claims: AuthorityClaims{Roles: []string{}}})
	without, _ := a.IssueToken(AuthorityAudience)
	if err := a.Check(without); err == nil || !strings.Contains(err.Error(), "Exchange.ManageAsApp") {
		t.Errorf("a token without the role: %v", err)
	}
	a.SetClaims(AuthorityClaims{TenantID: "11111111-2222-3333-4444-555555555555"})
	foreign, _ := a.IssueToken(AuthorityAudience)
	if err := a.Check(foreign); err == nil || !strings.Contains(err.Error(), "another tenant") {
		t.Errorf("a token of another tenant: %v", err)
	}
	a.SetClaims(AuthorityClaims{DirectoryRoles: []string{"w"}, AppID: "app"})
	token, _ := a.IssueToken(AuthorityAudience)
	claims, err := a.open(token)
	if err != nil || a.Check(token) != nil || claims.AppID != "app" || len(claims.DirectoryRoles) != 1 {
		t.Errorf("%+v, %v", claims, err)
	}
}

func TestAuthorityFailing(t *testing.T) {
	f := AuthorityFailing(2, AuthorityUnavailable())
	for token, want := range []int{0, 503, 503, 0} {
		if got := f(AuthorityCall{Request: 9, Token: token}).Status; got != want {
			t.Errorf("token request %d: %d, want %d", token, got, want)
		}
	}
}
