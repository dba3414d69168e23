package auth

import (
	"context"
	"fmt"
	"time"
)

// TokenFacts is what a token says about itself. Its claims are read and not verified:
// whoever the token is for does that. Times are zero, texts and lists empty, where the
// token does not say.
type TokenFacts struct {
	// Kind is the kind of credential that the token came from, as --auth names it; Audience
	// is the resource (claim aud).
	Kind, Audience string
	// Roles are the application's roles (claim roles), such as "Exchange.ManageAsApp";
	// DirectoryRoles are the template ids of Entra roles (claim wids, wire 6).
	Roles, DirectoryRoles []string
	// TenantID and AppID are the claims tid and appid (azp), UserName is that of a person
	// who signed in (claim upn), or empty.
	TenantID, AppID, UserName string
	// IssuedAt and Expires are the claims iat and exp; Expires is what the authority said
	// beside the token where the token does not.
	IssuedAt, Expires time.Time
	// Opaque tells that the token is not a JWT that can be read; all but Kind and Expires
	// is then empty.
	Opaque bool
}

// Facts gets a token for a scope, from what is held or from the authority, and tells what it
// says about itself. The errors are those of a TokenSource, and an *Error that wraps the
// context's error where ctx ends first.
func (p *Provider) Facts(ctx context.Context, scope string) (TokenFacts, error) {
	token, err := p.source(scope).token(ctx)
	if err != nil {
		return TokenFacts{}, err
	}
	facts := TokenFacts{Kind: string(p.cfg.Kind), Expires: token.Expiry}
	c, ok := decodeClaims(token.AccessToken)
	if !ok {
		facts.Opaque = true
		return facts, nil
	}
	facts.Audience, facts.Roles, facts.DirectoryRoles = c.audience, c.roles, c.directoryRoles
	facts.TenantID, facts.AppID, facts.UserName = c.tenant, c.application, c.user
	facts.IssuedAt = c.issued
	if !c.expiry.IsZero() {
		facts.Expires = c.expiry
	}
	return facts, nil
}

// CertificateExpiry returns the end of the client certificate, and whether one is in use.
func (p *Provider) CertificateExpiry() (time.Time, bool) {
	if p.cert == nil {
		return time.Time{}, false
	}
	return p.cert.leaf.NotAfter, true
}

// Account returns the user name of the person who signed in with a device code, and the
// empty string before the first token and for every other kind.
func (p *Provider) Account() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.account
}

// soon is how long before its end a certificate is warned of.
const soon = 30 * 24 * time.Hour

// Warnings lists what works today and will stop: a client certificate that ends within
// thirty days. Each is one line for people, without a secret.
func (p *Provider) Warnings() []string {
	expiry, ok := p.CertificateExpiry()
	left := time.Until(expiry)
	if !ok || left > soon {
		return nil
	}
	return []string{fmt.Sprintf("the client certificate %s expires in %s, on %s; make a new one, upload its public part to the application registration, and replace the file",
		p.cert.name(), days(left), expiry.UTC().Format(time.DateOnly))}
}

func days(d time.Duration) string {
	switch n := int(d / (24 * time.Hour)); {
	case d <= 0:
		return "no time at all"
	case n == 0:
		return "less than a day"
	case n == 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}
