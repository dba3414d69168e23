package simulator

import (
	"crypto/hmac"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// AuthorityTrust is a federated credential of the application: the authority takes what this
// issuer signs about this subject for this audience in place of a secret.
type AuthorityTrust struct {
	// Issuer signs the assertions.
	Issuer *AuthorityIssuer
	// Subject and Audience must be those of the assertion, letter for letter.
	Subject, Audience string
}

// AuthorityIssuer is a fake identity provider beside the authority, such as the one of a
// Kubernetes cluster or GitHub's.
type AuthorityIssuer struct {
	url string
	key []byte
}

// NewAuthorityIssuer makes an issuer with a key of its own; url is the claim iss.
func NewAuthorityIssuer(url string) *AuthorityIssuer {
	issuer := &AuthorityIssuer{url: url, key: make([]byte, 32)}
	_, _ = rand.Read(issuer.key)
	return issuer
}

// Assertion signs an assertion that is good from now until now plus lifetime.
func (i *AuthorityIssuer) Assertion(subject, audience string, now time.Time, lifetime time.Duration) string {
	return authorityJWT(i.key, map[string]any{
		"iss": i.url, "sub": subject, "aud": audience, "jti": authorityID(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(lifetime).Unix(),
	})
}

// verifyFederated checks an assertion that is not the application's own against the trusts.
// Nothing says that one may be used once only: a file of a cluster is used many times.
func (a *Authority) verifyFederated(as authorityAssertion) *authorityRefusal {
	c := as.claims
	mismatch := authorityNoTrust("issuer", c.Issuer, 70021)
	for _, trust := range a.cfg.Trusts {
		switch {
		case trust.Issuer.url != c.Issuer:
			continue
		case !hmac.Equal(as.signature, authorityMAC(trust.Issuer.key, as.signed)):
			return authorityBadAssertion("the signature does not verify.")
		case trust.Subject != c.Subject:
			mismatch = authorityNoTrust("subject", c.Subject, 700213)
			continue
		case trust.Audience != c.Audience:
			mismatch = authorityNoTrust("audience", c.Audience, 70021)
			continue
		}
		now := a.cfg.Clock()
		from, to := time.Unix(int64(c.NotBefore), 0), time.Unix(int64(c.Expires), 0)
		if now.Before(from) || !now.Before(to) {
			return authorityUntimelyAssertion(now, from, to)
		}
		return nil
	}
	return mismatch
}

func authorityNoTrust(what, value string, code int) *authorityRefusal {
	return &authorityRefusal{
		http.StatusUnauthorized, "invalid_client", code,
		fmt.Sprintf("No matching federated identity record found for presented assertion %s '%s'.", what, value),
	}
}

// AuthorityGitHub is GitHub's identity provider for one job.
type AuthorityGitHub struct {
	// Issuer signs, and Subject is the job that is asked about, such as
	// "repo:contoso/audit:ref:refs/heads/main".
	Issuer  *AuthorityIssuer
	Subject string
	// RequestToken is what ACTIONS_ID_TOKEN_REQUEST_TOKEN holds.
	RequestToken string
}

// AuthorityGitHubPath is where the authority answers in GitHub's place; its address with
// this path is what ACTIONS_ID_TOKEN_REQUEST_URL holds.
const AuthorityGitHubPath = "/github/idtoken"

// serveGitHub answers a job's request for a token about itself.
func (a *Authority) serveGitHub(w http.ResponseWriter, r *http.Request) {
	github := a.cfg.GitHub
	if github == nil {
		a.serveUnmodelled(w, r)
		return
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || github.RequestToken == "" || token != github.RequestToken {
		authorityJSON(w, http.StatusUnauthorized, map[string]string{"message": "The token of the request is not that of a running job."})
		return
	}
	assertion := github.Issuer.Assertion(github.Subject, r.URL.Query().Get("audience"), a.cfg.Clock(), 5*time.Minute)
	a.mu.Lock()
	a.assertions++
	a.mu.Unlock()
	authorityJSON(w, http.StatusOK, map[string]any{"count": len(assertion), "value": assertion})
}

// AssertionsIssued returns how many assertions were handed out in GitHub's place.
func (a *Authority) AssertionsIssued() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.assertions
}
