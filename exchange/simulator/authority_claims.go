package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AuthorityClaims are the claims of a token that an administrator decides about, as far as
// the service looks at them. An empty field has the authority's ordinary value.
type AuthorityClaims struct {
	// Roles are the application's roles; nil is Exchange.ManageAsApp (wire 6), and an empty
	// list is an application that has been granted none. A person's token has no roles.
	Roles []string
	// DirectoryRoles are the template ids of Entra roles (claim wids): a new assignment
	// needs a new token (wire 6).
	DirectoryRoles []string
	// TenantID and AppID replace the authority's own tenant and the application that asked.
	TenantID, AppID string
}

// SetClaims changes the claims of the tokens to come.
func (a *Authority) SetClaims(claims AuthorityClaims) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cfg.Claims = claims
}

// ChallengesAnswered returns the claims parameters of the token requests so far, in order:
// what a client passed on of the challenges that it met.
func (a *Authority) ChallengesAnswered() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.challenges)
}

// authorityTokenClaims are the claims of an access token.
type authorityTokenClaims struct {
	Audience       string   `json:"aud"`
	Issuer         string   `json:"iss"`
	IssuedAt       int64    `json:"iat"`
	NotBefore      int64    `json:"nbf"`
	Expires        int64    `json:"exp"`
	AppID          string   `json:"appid"`
	Roles          []string `json:"roles,omitempty"`
	DirectoryRoles []string `json:"wids,omitempty"`
	TenantID       string   `json:"tid"`
	UPN            string   `json:"upn,omitempty"`
	UniqueID       string   `json:"uti"`
	Version        string   `json:"ver"`
}

// IssueToken returns a token for one of the authority's audiences without a request, for
// whoever wants to hand one out, and whether the audience is known.
func (a *Authority) IssueToken(audience string) (string, bool) {
	if !slices.Contains(a.cfg.Audiences, audience) {
		return "", false
	}
	return a.issue(audience, a.cfg.ClientID, ""), true
}

// issue makes a token for an application, or for a person who uses it.
func (a *Authority) issue(audience, application, person string) string {
	now := a.cfg.Clock()
	a.mu.Lock()
	a.issued++
	set := a.cfg.Claims
	a.mu.Unlock()
	claims := authorityTokenClaims{
		Audience:       audience,
		Issuer:         "https://sts.windows.net/" + a.cfg.TenantID + "/",
		IssuedAt:       now.Unix(),
		NotBefore:      now.Unix(),
		Expires:        now.Add(a.cfg.TokenLifetime).Unix(),
		AppID:          authorityDefault(set.AppID, application),
		Roles:          set.Roles,
		DirectoryRoles: set.DirectoryRoles,
		TenantID:       authorityDefault(set.TenantID, a.cfg.TenantID),
		UPN:            person,
		UniqueID:       authorityID(),
		Version:        "1.0",
	}
	if claims.Roles == nil {
		claims.Roles = []string{"Exchange.ManageAsApp"} // wire 6
	}
	if person != "" {
		claims.Roles = nil
	}
	return a.signed(claims)
}

// signed makes a JWT. HMAC, unlike the real authority's RSA: nobody but this process
// verifies a token of the fake, and a service under test verifies one for every request.
func (a *Authority) signed(claims any) string {
	return authorityJWT(a.key, claims)
}

func authorityJWT(key []byte, claims any) string {
	data, _ := json.Marshal(claims) // strings and numbers only: cannot fail
	b64 := base64.RawURLEncoding
	signed := b64.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + b64.EncodeToString(data)
	return signed + "." + b64.EncodeToString(authorityMAC(key, signed))
}

func authorityMAC(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(text))
	return mac.Sum(nil)
}

// Check verifies a token as the service does: issued by this authority, for its tenant and
// one of its audiences, for a person or with the role Exchange.ManageAsApp, and in its time.
// The error never holds the token.
func (a *Authority) Check(token string) error {
	claims, err := a.open(token)
	if err != nil {
		return err
	}
	now := a.cfg.Clock().Unix()
	switch {
	case claims.TenantID != a.cfg.TenantID:
		return errors.New("the token is of another tenant")
	case !slices.Contains(a.cfg.Audiences, claims.Audience):
		return fmt.Errorf("the token is for %q, not for this service", claims.Audience)
	case claims.UPN == "" && !slices.Contains(claims.Roles, "Exchange.ManageAsApp"):
		return errors.New("the token has no role Exchange.ManageAsApp")
	case now < claims.NotBefore:
		return fmt.Errorf("the token is not valid before %s", time.Unix(claims.NotBefore, 0).UTC().Format(time.RFC3339))
	case now >= claims.Expires:
		return fmt.Errorf("the token expired at %s", time.Unix(claims.Expires, 0).UTC().Format(time.RFC3339))
	}
	return nil
}

// open verifies the signature and gives back the claims.
func (a *Authority) open(token string) (authorityTokenClaims, error) {
	var claims authorityTokenClaims
	signed, signature, ok := authorityCutLast(token, ".")
	if !ok {
		return claims, errors.New("the token is not of this authority")
	}
	got, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(got, authorityMAC(a.key, signed)) {
		return claims, errors.New("the token's signature does not verify")
	}
	_, payload, _ := strings.Cut(signed, ".")
	data, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return claims, errors.New("the token's claims cannot be read")
	}
	if err := json.Unmarshal(data, &claims); err != nil {
		return claims, errors.New("the token's claims cannot be read")
	}
	return claims, nil
}

func authorityCutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
