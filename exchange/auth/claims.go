package auth

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// maxJWT bounds a token that is taken apart; real ones have two or three kilobytes.
const maxJWT = 64 << 10

// claims are what this package reads of a JWT. Nothing of it is verified: that is for the
// service or the authority that the token is sent to. It is shown to people, and tells when
// a token ends.
type claims struct {
	issuer, subject           string
	audience                  string
	roles, directoryRoles     []string
	tenant, application       string
	user                      string
	issued, notBefore, expiry time.Time
}

// wireClaims has each claim as loose as the tokens that are met: the audience of a token
// may be a list, and a claim of an unexpected type must not hide the others.
type wireClaims struct {
	Issuer            any `json:"iss"`
	Subject           any `json:"sub"`
	Audience          any `json:"aud"`
	Roles             any `json:"roles"`
	DirectoryRoles    any `json:"wids"`
	TenantID          any `json:"tid"`
	AppID             any `json:"appid"`
	AuthorizedParty   any `json:"azp"`
	UPN               any `json:"upn"`
	PreferredUsername any `json:"preferred_username"`
	UniqueName        any `json:"unique_name"`
	IssuedAt          any `json:"iat"`
	NotBefore         any `json:"nbf"`
	Expires           any `json:"exp"`
}

// decodeClaims takes a JWT apart; false where it is not one.
func decodeClaims(token string) (claims, bool) {
	if len(token) > maxJWT {
		return claims{}, false
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}, false
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return claims{}, false
	}
	var w *wireClaims
	if json.Unmarshal(data, &w) != nil || w == nil {
		return claims{}, false
	}
	return claims{
		issuer:         claimText(w.Issuer),
		subject:        claimText(w.Subject),
		audience:       strings.Join(claimList(w.Audience), " "),
		roles:          claimList(w.Roles),
		directoryRoles: claimList(w.DirectoryRoles),
		tenant:         claimText(w.TenantID),
		application:    firstText(claimText(w.AppID), claimText(w.AuthorizedParty)),
		user:           firstText(claimText(w.UPN), claimText(w.PreferredUsername), claimText(w.UniqueName)),
		issued:         claimTime(w.IssuedAt),
		notBefore:      claimTime(w.NotBefore),
		expiry:         claimTime(w.Expires),
	}, true
}

func claimText(value any) string {
	text, _ := value.(string)
	return printable(text)
}

// claimList gives one string as a list of one.
func claimList(value any) []string {
	many, ok := value.([]any)
	if !ok {
		many = []any{value}
	}
	var list []string
	for _, v := range many {
		if text := claimText(v); text != "" {
			list = append(list, text)
		}
	}
	return list
}

func claimTime(value any) time.Time {
	const year9999 = 253402300799 // the last second that RFC 3339 can write
	seconds, ok := value.(float64)
	if !ok || seconds <= 0 || seconds > year9999 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

func firstText(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
