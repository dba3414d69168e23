package simulator

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"
)

func authorityTestKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	_, rest := pem.Decode(authorityTestKeys(t).ClientPEM())
	block, _ := pem.Decode(rest)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

// authorityTestJWT signs an assertion, after edits to its header and claims.
func authorityTestJWT(t *testing.T, edit func(header, claims map[string]any)) string {
	t.Helper()
	sum := sha256.Sum256(authorityTestKeys(t).ClientCertificate.Raw)
	header := map[string]any{"alg": "PS256", "typ": "JWT", "x5t#S256": base64.StdEncoding.EncodeToString(sum[:])}
	claims := map[string]any{
		"aud": authorityTestHost + "/" + AuthorityTenantID + "/oauth2/v2.0/token", "iss": AuthorityClientID, "sub": AuthorityClientID,
		"jti": authorityID(), "nbf": time.Now().Unix(), "exp": time.Now().Add(10 * time.Minute).Unix(),
	}
	if edit != nil {
		edit(header, claims)
	}
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	signed := part(header) + "." + part(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPSS(rand.Reader, authorityTestKey(t), crypto.SHA256, digest[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestAuthorityAssertion(t *testing.T) {
	claim := func(key string, value any) func(h, c map[string]any) {
		return func(_, c map[string]any) { c[key] = value }
	}
	head := func(key string, value any) func(h, c map[string]any) {
		return func(h, _ map[string]any) { h[key] = value }
	}
	sum := sha256.Sum256(authorityTestKeys(t).ClientCertificate.Raw)
	now := time.Now()
	for _, tc := range []struct {
		name, reason string // an empty reason: accepted
		code         int
		edit         func(header, claims map[string]any)
	}{
		{"good", "", 0, nil},
		{"thumbprint as base64url", "", 0, head("x5t#S256", base64.RawURLEncoding.EncodeToString(sum[:]))},
		{"unknown thumbprint", "thumbprint", 700027, head("x5t#S256", "AAAA")},
		{"no algorithm", "PS256", 700027, head("alg", "none")},
		{"another algorithm", "PS256", 700027, head("alg", "RS256")},
		{"another issuer", "not the application", 700027, claim("iss", "x")},
		{"another subject", "not the application", 700027, claim("sub", "x")},
		{"another audience", "audience", 700027, claim("aud", authorityTestHost)},
		{"no identifier", "no identifier", 700027, claim("jti", "")},
		{"expired", "time range", 700024, claim("exp", now.Add(-time.Minute).Unix())},
		{"not yet", "time range", 700024, claim("nbf", now.Add(time.Minute).Unix())},
		{"no expiry", "time range", 700024, claim("exp", 0)},
		{"expiry is text", "not a signed JWT", 700027, claim("exp", "soon")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := NewAuthority(AuthorityConfig{Certificate: authorityTestKeys(t).ClientCertificate})
			jwt := authorityTestJWT(t, tc.edit)
			form := authorityTestForm("client_secret", "", "client_assertion", jwt, "client_assertion_type", authorityAssertionType)
			got := authorityTestPost(t, a, AuthorityTenantID, form)
			if tc.reason == "" {
				if got.status != 200 || a.Check(got.Token) != nil {
					t.Fatalf("got %+v", got)
				}
				again := authorityTestPost(t, a, AuthorityTenantID, form)
				if again.status != 401 || !strings.Contains(again.Description, "used before") {
					t.Errorf("the same assertion again: %+v", again)
				}
				return
			}
			if got.status != 401 || !strings.Contains(got.Description, tc.reason) || got.Codes[0] != tc.code {
				t.Errorf("got %+v, want %d …%s…", got, tc.code, tc.reason)
			}
		})
	}
}

func TestAuthorityAssertionSignature(t *testing.T) {
	jwt := authorityTestJWT(t, nil)
	other, err := NewAuthorityCredentials(AuthorityCredentialsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	expired := func() time.Time { return authorityTestKeys(t).ClientCertificate.NotAfter.Add(time.Hour) }
	endpoint := authorityTestHost + "/" + AuthorityTenantID + "/oauth2/v2.0/token"
	parts := strings.Split(jwt, ".")
	for _, tc := range []struct {
		name, jwt, reason string
		cfg               AuthorityConfig
	}{
		{"good", jwt, "", AuthorityConfig{Certificate: authorityTestKeys(t).ClientCertificate}},
		{"another certificate", jwt, "thumbprint", AuthorityConfig{Certificate: other.ClientCertificate}},
		{"expired certificate", jwt, "certificate is expired", AuthorityConfig{Certificate: authorityTestKeys(t).ClientCertificate, Clock: expired}},
		{"changed claims", parts[0] + "." + parts[1][:len(parts[1])-8] + "AAAAfQ." + parts[2], "", AuthorityConfig{Certificate: authorityTestKeys(t).ClientCertificate}},
		{"no signature", parts[0] + "." + parts[1] + ".", "signature does not verify", AuthorityConfig{Certificate: authorityTestKeys(t).ClientCertificate}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			why := NewAuthority(tc.cfg).verifyAssertion(tc.jwt, endpoint)
			if tc.name == "good" {
				if why != nil {
					t.Error(why.text)
				}
				return
			}
			if why == nil || why.code != 700027 || !strings.Contains(why.text, tc.reason) {
				t.Errorf("got %+v, want …%s…", why, tc.reason)
			}
		})
	}
}

func TestAuthorityForgetsExpiredAssertions(t *testing.T) {
	now := time.Now()
	a := NewAuthority(AuthorityConfig{})
	for range 100 {
		a.firstUse(authorityID(), now, now.Add(time.Minute))
	}
	a.firstUse("x", now.Add(2*time.Minute), now.Add(3*time.Minute))
	if len(a.seen) != 1 {
		t.Errorf("%d identifiers are held, want 1", len(a.seen))
	}
}

func FuzzAuthorityAssertion(f *testing.F) {
	f.Add("a.b.c")
	f.Add("e30.e30.AAAA")
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + ".e30.")
	a := NewAuthority(AuthorityConfig{Certificate: authorityTestKeys(f).ClientCertificate})
	f.Fuzz(func(t *testing.T, text string) {
		if a.verifyAssertion(text, "https://x") == nil {
			t.Error("an unsigned assertion passes")
		}
		if a.Check(text) == nil {
			t.Error("an unsigned token passes")
		}
	})
}
