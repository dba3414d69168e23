package auth

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode"
)

func FuzzClaims(f *testing.F) {
	for _, payload := range []string{
		`{"iss":"https://i","sub":"s","aud":"a","exp":1800000000}`,
		`{"aud":["a","b",3,null],"roles":{"x":1},"wids":[[]],"exp":1e308,"iat":-1,"nbf":"x"}`,
		`{"iss":"\u001b[31m","sub":"` + strings.Repeat("x", 700) + `"}`,
		`null`, `[]`, `{`, `{"exp":253402300800}`,
	} {
		f.Add("h." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".s")
	}
	f.Add("a.b.c")
	f.Add("..")
	f.Add("a.e30=.c")
	f.Fuzz(func(t *testing.T, token string) {
		c, ok := decodeClaims(token)
		if !ok && (c.issuer != "" || c.subject != "" || c.audience != "" || !c.expiry.IsZero()) {
			t.Errorf("what is no token has claims: %+v", c)
		}
		texts := append([]string{c.issuer, c.subject, c.audience, c.tenant, c.application, c.user}, append(c.roles, c.directoryRoles...)...)
		for _, text := range texts {
			if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q is not printable", text)
			}
		}
		if c.expiry.Year() > 9999 || c.issued.Year() > 9999 || c.notBefore.Year() > 9999 {
			t.Errorf("times %v %v %v", c.expiry, c.issued, c.notBefore)
		}
		// No advice shows more of an assertion than who signed it, about whom and for whom.
		for _, kind := range Kinds() {
			for _, code := range []string{"AADSTS700213", "AADSTS700024", "AADSTS700027", ""} {
				if text := (advice{kind: kind, assertion: c}).on(code, "invalid_client", 0); ok && len(token) > 40 && strings.Contains(text, token) {
					t.Errorf("the advice holds the token: %q", text)
				}
			}
		}
	})
}
