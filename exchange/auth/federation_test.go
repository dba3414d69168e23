package auth_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

// TestFederatedFileIsReadAgain: the platform writes a new token before the old one ends.
func TestFederatedFileIsReadAgain(t *testing.T) {
	k := kindNamed(t, "federated")
	synctest.Test(t, func(t *testing.T) {
		w, a, cfg := k.open(t)
		p := provider(t, cfg)
		token(t, a, p.TokenSource(scope))
		time.Sleep(2 * time.Hour)
		_, err := p.TokenSource(scope).Token()
		if e := wantError(t, err); e.Code != "AADSTS700024" {
			t.Errorf("with the old assertion: %v", err)
		}
		w.write(t, w.cluster.Assertion(clusterUser, exchangeToken, time.Now(), time.Hour))
		token(t, a, p.TokenSource(scope))
	})
}

func TestFederatedFileThatCannotBeUsed(t *testing.T) {
	k := kindNamed(t, "federated")
	for _, tc := range []struct {
		name, reason string
		edit         func(t *testing.T, w *world)
	}{
		{"missing", "no such file", func(t *testing.T, w *world) { remove(t, w.file) }},
		{"empty", "empty", func(t *testing.T, w *world) { w.write(t, " ") }},
		{"too large", "too large", func(t *testing.T, w *world) { w.write(t, strings.Repeat("x", 65<<10)) }},
		{"a folder", "not a regular file", func(t *testing.T, w *world) {
			remove(t, w.file)
			if err := os.Mkdir(w.file, 0o700); err != nil {
				t.Fatal(err)
			}
		}},
		{"no token", "not a signed token", func(t *testing.T, w *world) { w.write(t, "S3cret-text") }},
		{"no claims", "not a signed token", func(t *testing.T, w *world) { w.write(t, "S3cret-text.bnVsbA.x") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, a, cfg := k.open(t)
			running := provider(t, cfg)
			tc.edit(t, w)
			_, later := running.TokenSource(scope).Token()
			if e := wantError(t, later); !strings.Contains(e.Message, tc.reason) {
				t.Errorf("while it runs: %v", later)
			}
			_, err := auth.New(t.Context(), cfg)
			e := wantError(t, err)
			if !strings.Contains(e.Message, tc.reason) || !strings.Contains(e.Action, "AZURE_FEDERATED_TOKEN_FILE") || !strings.Contains(e.Hint, w.file) {
				t.Errorf("got %v", err)
			}
			if a.TokenRequests() != 0 || strings.Contains(err.Error(), "S3cret") {
				t.Errorf("after %d token requests: %v", a.TokenRequests(), err)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TestGitHubIsAskedForEachAssertion: GitHub's tokens live for minutes.
func TestGitHubIsAskedForEachAssertion(t *testing.T) {
	k := kindNamed(t, "github")
	synctest.Test(t, func(t *testing.T) {
		_, a, cfg := k.open(t)
		a.SetFault(simulator.AuthorityFailing(2, simulator.AuthorityUnavailable()))
		p := provider(t, cfg)
		token(t, a, p.TokenSource(scope))
		p.Invalidate(scope)
		token(t, a, p.TokenSource(scope))
		if a.AssertionsIssued() != 4 || a.TokenRequests() != 4 {
			t.Errorf("%d assertions for %d token requests, want 4 and 4", a.AssertionsIssued(), a.TokenRequests())
		}
	})
}

func TestGitHubAnswers(t *testing.T) {
	k := kindNamed(t, "github")
	for _, tc := range []struct {
		name     string
		status   int
		body     string
		message  string // empty: a token in the end
		requests int
	}{
		{"once unavailable", 503, "<html>", "", 2},
		{"no token", 200, `{"count":0}`, "holds no token", 5},
		{"not JSON", 200, "<html>", "holds no token", 5},
		{"not a JWT", 200, `{"value":"S3cret-value"}`, "not a signed token", 1},
		{"redirect", 302, "", "redirect", 1},
		{"refused", 403, `{"message":"no"}`, "403", 1},
		{"endless", 200, strings.Repeat(" ", 2<<20), "longer than", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, a, cfg := k.open(t)
				requests := 0
				cfg.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
					if r.URL.Path != simulator.AuthorityGitHubPath {
						if r.Header.Get("Authorization") != "" {
							t.Errorf("the job's token went to %s", r.URL.Host)
						}
						return a.RoundTripper().RoundTrip(r)
					}
					requests++
					if r.URL.Query().Get("audience") != exchangeToken || r.URL.Query().Get("api-version") != "2" {
						t.Errorf("asked for %s", r.URL.RawQuery)
					}
					if tc.message == "" && requests == 2 {
						return a.RoundTripper().RoundTrip(r)
					}
					rec := httptest.NewRecorder()
					rec.Header().Set("Location", "https://elsewhere.example/")
					rec.WriteHeader(tc.status)
					_, _ = rec.WriteString(tc.body)
					return rec.Result(), nil
				})}
				_, err := provider(t, cfg).TokenSource(scope).Token()
				if requests != tc.requests {
					t.Errorf("%d requests, want %d", requests, tc.requests)
				}
				if tc.message == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				e := wantError(t, err)
				if !strings.Contains(e.Error(), tc.message) || strings.Contains(e.Error(), "S3cret") || strings.Contains(e.Error(), jobToken) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestAudienceOfEachCloud(t *testing.T) {
	k := kindNamed(t, "github")
	for _, tc := range []struct{ authority, audience, want string }{
		{"", "", "api://AzureADTokenExchange"},
		{"https://login.microsoftonline.com/", "", "api://AzureADTokenExchange"},
		{"https://login.microsoftonline.us", "", "api://AzureADTokenExchangeUSGov"},
		{"https://login.usgovcloudapi.net", "", "api://AzureADTokenExchangeUSGov"},
		{"https://login.partner.microsoftonline.cn", "", "api://AzureADTokenExchangeChina"},
		{"https://login.chinacloudapi.cn", "", "api://AzureADTokenExchangeChina"},
		{"https://login.sovcloud-identity.fr", "api://other", "api://other"},
	} {
		_, a, cfg := k.open(t)
		var asked string
		cfg.Authority, cfg.AssertionAudience = tc.authority, tc.audience
		cfg.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == simulator.AuthorityGitHubPath {
				asked = r.URL.Query().Get("audience")
			}
			return a.RoundTripper().RoundTrip(r)
		})}
		_, err := provider(t, cfg).TokenSource(scope).Token()
		if asked != tc.want {
			t.Errorf("%s asks for %q, want %q", tc.authority, asked, tc.want)
		}
		// The fake trusts the worldwide audience alone: what the hint names is what was sent.
		if err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("the error does not name the audience: %v", err)
		}
	}
}

func TestGitHubOverLoopback(t *testing.T) {
	_, a, cfg := kindNamed(t, "github").open(t)
	srv := httptest.NewServer(a)
	defer srv.Close()
	sockets := &http.Transport{}
	defer sockets.CloseIdleConnections()
	cfg.GitHub = auth.GitHubRequest{URL: srv.URL + simulator.AuthorityGitHubPath, Token: jobToken, PlainLoopback: true}
	cfg.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		if r.URL.Scheme == "http" {
			return sockets.RoundTrip(r)
		}
		return a.RoundTripper().RoundTrip(r)
	})}
	token(t, a, provider(t, cfg).TokenSource(scope))
}
