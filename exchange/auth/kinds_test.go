package auth_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exoaudit/exoaudit/exchange/auth"
	"github.com/exoaudit/exoaudit/exchange/simulator"
)

const (
	person        = "admin@contoso.onmicrosoft.com"
	systemID      = "5a5a5a5a-0000-4000-8000-000000000001"
	userID        = "5a5a5a5a-0000-4000-8000-000000000002"
	clusterURL    = "https://cluster.example"
	clusterUser   = "system:serviceaccount:audit:exoaudit"
	githubIssuer  = "https://token.actions.githubusercontent.com"
	githubSubject = "repo:contoso/audit:ref:refs/heads/main"
	jobToken      = "J0b-Request-Token"
	exchangeToken = "api://AzureADTokenExchange"
	otherAudience = "https://ps.compliance.protection.outlook.com"
)

// world is a fake authority that knows every kind of credential, and a configuration for
// each of them.
type world struct {
	authority simulator.AuthorityConfig
	cluster   *simulator.AuthorityIssuer
	file      string // of the federated token
	prompts   []string
}

// credentialKind is one way to sign in, with the environment that MSAL itself looks at.
type credentialKind struct {
	name  string
	kind  auth.Kind
	env   map[string]string
	setup func(w *world, cfg *auth.Config)
}

func credentialKinds() []credentialKind {
	appService := map[string]string{"IDENTITY_ENDPOINT": "http://127.0.0.1:41234/msi/token", "IDENTITY_HEADER": "h3ader"}
	none := func(*world, *auth.Config) {}
	return []credentialKind{
		{"secret", auth.KindSecret, nil, none},
		{"certificate", auth.KindCertificate, nil, none},
		{"federated", auth.KindFederated, nil, none},
		{"github", auth.KindGitHub, nil, none},
		{"imds, system-assigned", auth.KindManagedIdentity, nil, func(_ *world, cfg *auth.Config) { cfg.ClientID = "" }},
		{"imds, user-assigned", auth.KindManagedIdentity, nil, func(_ *world, cfg *auth.Config) { cfg.ClientID = userID }},
		{"app service, system-assigned", auth.KindManagedIdentity, appService, func(_ *world, cfg *auth.Config) { cfg.ClientID = "" }},
		{"app service, user-assigned", auth.KindManagedIdentity, appService, func(_ *world, cfg *auth.Config) { cfg.ClientID = userID }},
		{"device code", auth.KindDeviceCode, nil, none},
		{"device code of the module", auth.KindDeviceCode, nil, func(_ *world, cfg *auth.Config) { cfg.ClientID = "" }},
	}
}

// open makes the world of a kind. It may be called in a bubble.
func (k credentialKind) open(t *testing.T) (*world, *simulator.Authority, auth.Config) {
	t.Helper()
	keys := keys(t)
	w := &world{cluster: simulator.NewAuthorityIssuer(clusterURL), file: filepath.Join(t.TempDir(), "token")}
	github := simulator.NewAuthorityIssuer(githubIssuer)
	w.authority = simulator.AuthorityConfig{
		Audiences: []string{simulator.AuthorityAudience, otherAudience},
		Secret:    keys.ClientSecret, Certificate: keys.ClientCertificate,
		Trusts: []simulator.AuthorityTrust{
			{Issuer: w.cluster, Subject: clusterUser, Audience: exchangeToken},
			{Issuer: github, Subject: githubSubject, Audience: exchangeToken},
		},
		GitHub:  &simulator.AuthorityGitHub{Issuer: github, Subject: githubSubject, RequestToken: jobToken},
		Machine: &simulator.AuthorityMachine{System: systemID, User: []string{userID}, Header: k.env["IDENTITY_HEADER"]},
		Person:  &simulator.AuthorityPerson{UserName: person, Polls: 2},
	}
	w.write(t, w.cluster.Assertion(clusterUser, exchangeToken, time.Now(), time.Hour))
	cfg := auth.Config{
		Kind: k.kind, TenantID: simulator.AuthorityTenantID, ClientID: simulator.AuthorityClientID,
		Secret: auth.Secret(keys.ClientSecret), CertificatePEM: keys.ClientPEM(), FederatedTokenFile: w.file,
		GitHub:           auth.GitHubRequest{URL: "https://pipelines.example" + simulator.AuthorityGitHubPath + "?api-version=2", Token: jobToken},
		IdentityEndpoint: k.env["IDENTITY_ENDPOINT"], IdentityHeader: auth.Secret(k.env["IDENTITY_HEADER"]),
		Interactive: true, Prompt: func(message string) { w.prompts = append(w.prompts, message) },
	}
	k.setup(w, &cfg)
	a := simulator.NewAuthority(w.authority)
	cfg.HTTPClient = &http.Client{Transport: a.RoundTripper()}
	return w, a, cfg
}

// reopen makes another authority after an edit of the world.
func (w *world) reopen(cfg *auth.Config) *simulator.Authority {
	a := simulator.NewAuthority(w.authority)
	cfg.HTTPClient = &http.Client{Transport: a.RoundTripper()}
	return a
}

func (w *world) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(w.file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// eachKind runs a test for each kind, in a bubble.
func eachKind(t *testing.T, test func(t *testing.T, k credentialKind)) {
	for _, k := range credentialKinds() {
		t.Run(k.name, func(t *testing.T) {
			for name, value := range k.env {
				t.Setenv(name, value)
			}
			synctest.Test(t, func(t *testing.T) { test(t, k) })
		})
	}
}

// kindNamed is one of credentialKinds, with its environment set.
func kindNamed(t *testing.T, name string) credentialKind {
	t.Helper()
	kinds := credentialKinds()
	i := slices.IndexFunc(kinds, func(k credentialKind) bool { return k.name == name })
	if i < 0 {
		t.Fatalf("no kind %q", name)
	}
	for name, value := range kinds[i].env {
		t.Setenv(name, value)
	}
	return kinds[i]
}

func TestEachKindWorks(t *testing.T) {
	eachKind(t, func(t *testing.T, k credentialKind) {
		_, a, cfg := k.open(t)
		p := provider(t, cfg)
		s := p.TokenSource(scope)
		first := token(t, a, s)
		requests := a.Requests()
		if again := token(t, a, s); again.AccessToken != first.AccessToken || a.Requests() != requests {
			t.Errorf("a token that is held was asked for again")
		}
		if left := time.Until(first.Expiry); left < 59*time.Minute || left > time.Hour {
			t.Errorf("the token expires in %v, want about an hour", left)
		}
		p.Invalidate(scope)
		second := token(t, a, s)
		if second.AccessToken == first.AccessToken {
			t.Error("Invalidate did not drop the token")
		}
		time.Sleep(56 * time.Minute) // four minutes are left
		if third := token(t, a, s); third.AccessToken == second.AccessToken {
			t.Error("a token with four minutes left was not replaced")
		}
		if other := token(t, a, p.TokenSource(otherAudience+"/.default")); other.AccessToken == second.AccessToken {
			t.Error("two scopes share a token")
		}
		if p.Kind() != k.kind || p.Describe() == "" {
			t.Errorf("%s is described as %q", p.Kind(), p.Describe())
		}
	})
}

func TestColdCallsOfEachKindCollapse(t *testing.T) {
	eachKind(t, func(t *testing.T, k credentialKind) {
		_, a, cfg := k.open(t)
		a.SetFault(func(simulator.AuthorityCall) simulator.AuthorityAnswer {
			return simulator.AuthorityAnswer{Delay: time.Second}
		})
		s := provider(t, cfg).TokenSource(scope)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { token(t, a, s) })
		}
		wg.Wait()
		want := 1
		if k.kind == auth.KindDeviceCode {
			want += 2 // polls that the person made wait
		}
		if a.TokenRequests() != want || a.TokensIssued() != 1 {
			t.Errorf("%d token requests and %d tokens for 20 cold callers, want %d and 1", a.TokenRequests(), a.TokensIssued(), want)
		}
	})
}

func TestEachKindIsAskedAgain(t *testing.T) {
	eachKind(t, func(t *testing.T, k credentialKind) {
		w, a, cfg := k.open(t)
		for _, answer := range []simulator.AuthorityAnswer{simulator.AuthorityThrottled(10 * time.Second), simulator.AuthorityUnavailable()} {
			before := a.TokenRequests()
			a.SetFault(func(c simulator.AuthorityCall) simulator.AuthorityAnswer {
				if c.Token > before && c.Token <= before+2 {
					return answer
				}
				return simulator.AuthorityAnswer{}
			})
			s := provider(t, cfg).TokenSource(scope)
			token(t, a, s)
			if n := a.TokenRequests() - before; n < 3 || n > 5 {
				t.Errorf("%d token requests after two failures", n)
			}
		}
		if k.kind == auth.KindDeviceCode && len(w.prompts) != 2 {
			t.Errorf("two sign-ins showed %d codes: a failed poll must go on with its code", len(w.prompts))
		}
	})
}

func TestChallengeIsPassedOn(t *testing.T) {
	const claims = `{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}`
	eachKind(t, func(t *testing.T, k credentialKind) {
		_, a, cfg := k.open(t)
		p := provider(t, cfg)
		s := p.TokenSource(scope)
		challenge := s.(interface{ Challenge(string) }).Challenge
		challenge(claims) // nothing was handed out: nothing can have been refused
		first := token(t, a, s)
		challenge(claims)
		challenge(claims)
		second := token(t, a, s)
		if second.AccessToken == first.AccessToken || a.TokensIssued() != 2 {
			t.Errorf("%d tokens, want a second one", a.TokensIssued())
		}
		want := []string{claims}
		if k.kind == auth.KindManagedIdentity {
			want = nil // there is no way to
		}
		if diff := cmp.Diff(want, a.ChallengesAnswered()); diff != "" {
			t.Error(diff)
		}
		if token(t, a, s); a.TokensIssued() != 2 {
			t.Error("the token for the challenge is not kept")
		}
		for _, bad := range []string{"", "{", "[1]", `"x"`, "null", `{"a":"` + strings.Repeat("x", 9000) + `"}`} {
			before, issued := len(a.ChallengesAnswered()), a.TokensIssued()
			challenge(bad)
			if token(t, a, s); a.TokensIssued() != issued+1 {
				t.Errorf("%.20q did not drop the token", bad)
			}
			if got := a.ChallengesAnswered()[before:]; k.kind != auth.KindDeviceCode && len(got) > 0 {
				t.Errorf("%.20q was passed on as %q", bad, got)
			}
		}
	})
}

func TestFacts(t *testing.T) {
	eachKind(t, func(t *testing.T, k credentialKind) {
		_, a, cfg := k.open(t)
		a.SetClaims(simulator.AuthorityClaims{DirectoryRoles: []string{"5d6b6bb7-de71-4623-b4af-96380a352509"}})
		p := provider(t, cfg)
		if p.Account() != "" {
			t.Errorf("account %q before anyone signed in", p.Account())
		}
		asked := time.Now()
		got, err := p.Facts(t.Context(), scope)
		if err != nil {
			t.Fatal(err)
		}
		want := auth.TokenFacts{
			Kind: string(k.kind), Audience: simulator.AuthorityAudience, TenantID: simulator.AuthorityTenantID,
			AppID: cfg.ClientID, Roles: []string{"Exchange.ManageAsApp"}, DirectoryRoles: []string{"5d6b6bb7-de71-4623-b4af-96380a352509"},
		}
		account := ""
		switch {
		case k.kind == auth.KindDeviceCode:
			account = person
			want.Roles, want.UserName = nil, person
			if want.AppID == "" {
				want.AppID = auth.ModuleClientID
			}
		case k.kind == auth.KindManagedIdentity && want.AppID == "":
			want.AppID = systemID
		}
		if d := got.IssuedAt.Sub(asked); d < 0 || d > time.Minute || got.Expires.Sub(got.IssuedAt) != time.Hour {
			t.Errorf("issued %v, expires %v", got.IssuedAt, got.Expires)
		}
		got.IssuedAt, got.Expires = time.Time{}, time.Time{}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if p.Account() != account {
			t.Errorf("account %q, want %q", p.Account(), account)
		}
		if expiry, ok := p.CertificateExpiry(); ok != (k.kind == auth.KindCertificate) || ok && !expiry.Equal(keys(t).ClientCertificate.NotAfter) {
			t.Errorf("certificate until %v, %v", expiry, ok)
		}
	})
}
