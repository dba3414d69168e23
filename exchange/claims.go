package exchange

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// maxClaims bounds the claims that a 401 may ask for.
const maxClaims = 16 << 10

// challenge returns the claims that a 401 asks the next token to have, as JSON;
// empty where there are none (wire 5.2). They stand in WWW-Authenticate as base64
// of any alphabet, with padding or without.
func challenge(header http.Header) string {
	for _, value := range header.Values("WWW-Authenticate") {
		_, rest, _ := strings.Cut(value, `claims="`)
		encoded, _, closed := strings.Cut(rest, `"`)
		if !closed || len(encoded) > maxClaims {
			continue
		}
		encoded = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(encoded, "="))
		claims, err := base64.RawStdEncoding.DecodeString(encoded)
		if claims = bytes.TrimSpace(claims); err == nil && bytes.HasPrefix(claims, []byte("{")) && json.Valid(claims) {
			return string(claims)
		}
	}
	return ""
}
