package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const authorityAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// serveDiscovery answers the OpenID configuration. The MSAL library requires these three
// fields, and an issuer on the authority's own scheme, host and port.
func (a *Authority) serveDiscovery(w http.ResponseWriter, r *http.Request) {
	if tenant := r.PathValue("tenant"); !a.knows(tenant) {
		a.refuse(w, r, authorityUnknownTenant(tenant))
		return
	}
	base := authorityBase(r) + "/" + a.cfg.TenantID
	authorityJSON(w, http.StatusOK, map[string]string{
		"authorization_endpoint": base + "/oauth2/v2.0/authorize",
		"token_endpoint":         base + "/oauth2/v2.0/token",
		"issuer":                 base + "/v2.0",
	})
}

// serveToken answers the client credentials grant.
func (a *Authority) serveToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		a.refuse(w, r, authorityBadRequest("invalid_request", "The form could not be read."))
		return
	}
	if grant := r.PostForm.Get("grant_type"); grant != "client_credentials" {
		a.refuse(w, r, &authorityRefusal{
			http.StatusNotImplemented, "not_modelled", 0,
			fmt.Sprintf("The simulated authority does not model the grant %q.", grant),
		})
		return
	}
	if why := a.authenticate(r); why != nil {
		a.refuse(w, r, why)
		return
	}
	audience, ok := a.audience(r.PostForm.Get("scope"))
	if !ok {
		a.refuse(w, r, authorityBadRequest("invalid_scope",
			fmt.Sprintf("The scope %q names no resource of this authority as 'https://host/.default'.", r.PostForm.Get("scope"))))
		return
	}
	authorityJSON(w, http.StatusOK, map[string]any{
		"token_type":     "Bearer",
		"expires_in":     int(a.cfg.TokenLifetime.Seconds()),
		"ext_expires_in": int(a.cfg.TokenLifetime.Seconds()),
		"access_token":   a.issue(audience),
	})
}

// authenticate checks tenant, application and credential, in that order.
func (a *Authority) authenticate(r *http.Request) *authorityRefusal {
	form, tenant := r.PostForm, r.PathValue("tenant")
	if !a.knows(tenant) {
		return authorityUnknownTenant(tenant)
	}
	client := form.Get("client_id")
	if !strings.EqualFold(client, a.cfg.ClientID) {
		return authorityUnknownApplication(client, tenant)
	}
	switch {
	case form.Get("client_assertion") != "":
		if form.Get("client_assertion_type") != authorityAssertionType {
			return authorityBadRequest("invalid_request", "The client_assertion_type is not that of a JWT bearer assertion.")
		}
		return a.verifyAssertion(form.Get("client_assertion"), authorityBase(r)+r.URL.Path)
	case form.Get("client_secret") != "":
		if a.cfg.Secret == "" || subtle.ConstantTimeCompare([]byte(form.Get("client_secret")), []byte(a.cfg.Secret)) != 1 {
			return authorityWrongSecret(client)
		}
		return nil
	}
	return authorityBadRequest("invalid_request", "The request carries neither client_secret nor client_assertion.")
}

// audience finds the resource in a scope list: MSAL adds openid, offline_access and profile
// to what was asked for, so only the element that ends in /.default counts.
func (a *Authority) audience(scope string) (string, bool) {
	for s := range strings.FieldsSeq(scope) {
		resource, ok := strings.CutSuffix(s, "/.default")
		if !ok {
			continue
		}
		u, err := url.Parse(resource)
		if err != nil || u.Host == "" {
			return "", false
		}
		// A trailing slash of the resource belongs to the audience's spelling, not its identity.
		resource = strings.TrimSuffix(resource, "/")
		return resource, slices.Contains(a.cfg.Audiences, resource)
	}
	return "", false
}

// authorityClaims are the claims of an access token that the simulated service looks at.
type authorityClaims struct {
	Audience  string   `json:"aud"`
	Issuer    string   `json:"iss"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	Expires   int64    `json:"exp"`
	AppID     string   `json:"appid"`
	Roles     []string `json:"roles"`
	TenantID  string   `json:"tid"`
	UniqueID  string   `json:"uti"`
	Version   string   `json:"ver"`
}

// IssueToken returns a token for one of the authority's audiences without a request, for
// whoever wants to hand one out, and whether the audience is known.
func (a *Authority) IssueToken(audience string) (string, bool) {
	if !slices.Contains(a.cfg.Audiences, audience) {
		return "", false
	}
	return a.issue(audience), true
}

func (a *Authority) issue(audience string) string {
	now := a.cfg.Clock()
	claims, _ := json.Marshal(authorityClaims{ // strings and numbers only: cannot fail
		Audience:  audience,
		Issuer:    "https://sts.windows.net/" + a.cfg.TenantID + "/",
		IssuedAt:  now.Unix(),
		NotBefore: now.Unix(),
		Expires:   now.Add(a.cfg.TokenLifetime).Unix(),
		AppID:     a.cfg.ClientID,
		Roles:     []string{"Exchange.ManageAsApp"}, // wire 6
		TenantID:  a.cfg.TenantID,
		UniqueID:  authorityID(),
		Version:   "1.0",
	})
	b64 := base64.RawURLEncoding
	signed := b64.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + b64.EncodeToString(claims)
	a.mu.Lock()
	a.issued++
	a.mu.Unlock()
	return signed + "." + b64.EncodeToString(a.sign(signed))
}

// sign makes the signature. HMAC, unlike the real authority's RSA: nobody but this process
// verifies a token of the fake, and a service under test verifies one for every request.
func (a *Authority) sign(text string) []byte {
	mac := hmac.New(sha256.New, a.key)
	_, _ = mac.Write([]byte(text))
	return mac.Sum(nil)
}

// Check verifies a token as the service does: issued by this authority, for its tenant and
// one of its audiences, with the role Exchange.ManageAsApp, and in its time. The error never
// holds the token.
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
	case !slices.Contains(claims.Roles, "Exchange.ManageAsApp"):
		return errors.New("the token has no role Exchange.ManageAsApp")
	case now < claims.NotBefore:
		return fmt.Errorf("the token is not valid before %s", time.Unix(claims.NotBefore, 0).UTC().Format(time.RFC3339))
	case now >= claims.Expires:
		return fmt.Errorf("the token expired at %s", time.Unix(claims.Expires, 0).UTC().Format(time.RFC3339))
	}
	return nil
}

// open verifies the signature and gives back the claims.
func (a *Authority) open(token string) (authorityClaims, error) {
	var claims authorityClaims
	signed, signature, ok := authorityCutLast(token, ".")
	if !ok {
		return claims, errors.New("the token is not of this authority")
	}
	got, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(got, a.sign(signed)) {
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
