package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

func TestFactsOfAGivenToken(t *testing.T) {
	a := authority(t)
	jwt, _ := a.IssueToken(simulator.AuthorityAudience)
	for _, tc := range []struct {
		name, token string
		want        auth.TokenFacts
	}{
		{"jwt", jwt, auth.TokenFacts{
			Kind: "token", Audience: simulator.AuthorityAudience, Roles: []string{"Exchange.ManageAsApp"},
			TenantID: simulator.AuthorityTenantID, AppID: simulator.AuthorityClientID,
		}},
		{"opaque", "opaque-token", auth.TokenFacts{Kind: "token", Opaque: true}},
		{"parts without claims", "a.b.c", auth.TokenFacts{Kind: "token", Opaque: true}},
		{"claims of other types", "x.eyJhdWQiOlsiYSIsImIiXSwicm9sZXMiOiJvbmUiLCJ0aWQiOjcsImV4cCI6IngiLCJhenAiOiJhcHAiLCJ1cG4iOiJ1XHUwMDFiIn0.x", auth.TokenFacts{
			Kind: "token", Audience: "a b", Roles: []string{"one"}, AppID: "app", UserName: "u",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := provider(t, auth.Config{Kind: auth.KindToken, AccessToken: auth.Secret(tc.token)})
			got, err := p.Facts(t.Context(), scope)
			if err != nil {
				t.Fatal(err)
			}
			if tc.name == "jwt" && got.Expires.Sub(got.IssuedAt) != time.Hour {
				t.Errorf("issued %v, expires %v", got.IssuedAt, got.Expires)
			}
			got.IssuedAt, got.Expires = time.Time{}, time.Time{}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFactsWhereThereIsNoToken(t *testing.T) {
	cfg := config(t, authority(t), auth.KindSecret)
	cfg.Secret = "wr0ng"
	_, err := provider(t, cfg).Facts(t.Context(), scope)
	if e := wantError(t, err); e.Code != "AADSTS7000215" {
		t.Errorf("got %v", err)
	}
}

func TestCertificateThatEndsSoonIsWarnedOf(t *testing.T) {
	k, err := simulator.NewAuthorityCredentials(simulator.AuthorityCredentialsConfig{
		Now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Lifetime: 100 * 24 * time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		days time.Duration
		want string // empty: no warning
	}{{0, ""}, {69, ""}, {71, "29 days"}, {88, "12 days"}, {98, "2 days"}} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(tc.days*24*time.Hour - time.Minute)
			p := provider(t, auth.Config{Kind: auth.KindCertificate, TenantID: tenant, ClientID: client, CertificatePEM: k.ClientPEM(), HTTPClient: &http.Client{}})
			got := p.Warnings()
			if tc.want == "" {
				if got != nil {
					t.Errorf("after %d days: %q", tc.days, got)
				}
				return
			}
			if len(got) != 1 || !strings.Contains(got[0], "expires in "+tc.want+", on 2000-04-10") {
				t.Errorf("after %d days: %q, want …%s…", tc.days, got, tc.want)
			}
		})
	}
	if got := provider(t, config(t, authority(t), auth.KindSecret)).Warnings(); got != nil {
		t.Errorf("a secret is warned of: %q", got)
	}
}
