package simulator

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// challenged is the 401 of a token that must be replaced by one with certain claims. That
// the claims are in WWW-Authenticate is known (wire 5.2); that they are base64 of a JSON
// object is how Microsoft's identity platform writes them elsewhere.
func challenged(claims string, now time.Time) *apiError {
	if claims == "" {
		claims = `{"access_token":{"nbf":{"essential":true,"value":"` + strconv.FormatInt(now.Unix(), 10) + `"}}}`
	}
	return &apiError{status: http.StatusUnauthorized, spelling: spellEmptyBody, header: http.Header{
		"Www-Authenticate": {`Bearer client_id="00000002-0000-0ff1-ce00-000000000000", error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(claims)) + `"`},
	}}
}
