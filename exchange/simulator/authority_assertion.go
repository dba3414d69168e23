package simulator

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// authorityAssertion is a client assertion taken apart.
type authorityAssertion struct {
	header struct {
		Algorithm  string `json:"alg"`
		Type       string `json:"typ"`
		Thumbprint string `json:"x5t#S256"`
	}
	claims struct {
		Audience  string  `json:"aud"`
		Issuer    string  `json:"iss"`
		Subject   string  `json:"sub"`
		ID        string  `json:"jti"`
		NotBefore float64 `json:"nbf"`
		Expires   float64 `json:"exp"`
	}
	signed    string
	signature []byte
}

// verifyAssertion checks a client assertion against the registered certificate or the
// federated credentials, the clock and the assertions seen before. A refused one is not remembered, so that what is reused
// is reported as reused only where it was once good.
func (a *Authority) verifyAssertion(text, endpoint string) *authorityRefusal {
	as, ok := parseAuthorityAssertion(text)
	if !ok {
		return authorityBadAssertion("it is not a signed JWT.")
	}
	// An assertion that the application signed itself says so; any other must be one of an
	// identity provider that the application trusts.
	if as.header.Algorithm == "HS256" && len(a.cfg.Trusts) > 0 {
		return a.verifyFederated(as)
	}
	if why := a.verifySignature(as); why != nil {
		return why
	}
	c := as.claims
	switch {
	case !strings.EqualFold(c.Issuer, a.cfg.ClientID) || !strings.EqualFold(c.Subject, a.cfg.ClientID):
		return authorityBadAssertion("issuer and subject are not the application.")
	case c.Audience != endpoint:
		return authorityBadAssertion("its audience is not the token endpoint.")
	case c.ID == "":
		return authorityBadAssertion("it has no identifier.")
	}
	now := a.cfg.Clock()
	from, to := time.Unix(int64(c.NotBefore), 0), time.Unix(int64(c.Expires), 0)
	if now.Before(from) || !now.Before(to) {
		return authorityUntimelyAssertion(now, from, to)
	}
	if !a.firstUse(c.ID, now, to) {
		return authorityBadAssertion("its identifier has been used before.")
	}
	return nil
}

func (a *Authority) verifySignature(as authorityAssertion) *authorityRefusal {
	cert := a.cfg.Certificate
	if cert == nil {
		return authorityBadAssertion("the application has no certificate registered.")
	}
	// MSAL writes x5t#S256 in standard base64 with padding; the JOSE standard has base64url.
	sum := sha256.Sum256(cert.Raw)
	want := []string{base64.StdEncoding.EncodeToString(sum[:]), base64.RawURLEncoding.EncodeToString(sum[:])}
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	switch {
	case as.header.Algorithm != "PS256":
		return authorityBadAssertion("its algorithm is not PS256.")
	case as.header.Thumbprint != want[0] && as.header.Thumbprint != want[1]:
		return authorityBadAssertion("the key was not found by the thumbprint of the certificate.")
	case !ok:
		return authorityBadAssertion("the registered certificate has no RSA key.")
	case a.cfg.Clock().After(cert.NotAfter):
		return authorityBadAssertion("the certificate is expired.")
	}
	digest := sha256.Sum256([]byte(as.signed))
	options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}
	if err := rsa.VerifyPSS(public, crypto.SHA256, digest[:], as.signature, options); err != nil {
		return authorityBadAssertion("the signature does not verify.")
	}
	return nil
}

// firstUse remembers an identifier until its assertion has expired.
func (a *Authority) firstUse(id string, now, expires time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for old, until := range a.seen {
		if now.After(until) {
			delete(a.seen, old)
		}
	}
	if _, used := a.seen[id]; used {
		return false
	}
	a.seen[id] = expires
	return true
}

func parseAuthorityAssertion(text string) (authorityAssertion, bool) {
	var as authorityAssertion
	signed, signature, ok := authorityCutLast(text, ".")
	header, claims, two := strings.Cut(signed, ".")
	if !ok || !two {
		return as, false
	}
	var err error
	if as.signature, err = base64.RawURLEncoding.DecodeString(signature); err != nil {
		return as, false
	}
	as.signed = signed
	return as, authorityPart(header, &as.header) && authorityPart(claims, &as.claims)
}

func authorityPart(encoded string, into any) bool {
	data, err := base64.RawURLEncoding.DecodeString(encoded)
	return err == nil && json.NewDecoder(bytes.NewReader(data)).Decode(into) == nil
}
