package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// AuthorityMachine is a virtual machine or app whose managed identities the authority gives
// tokens for: at the paths of IMDS and of App Service, whatever the host (libraries section
// 1). Such requests count as requests for a token.
type AuthorityMachine struct {
	// System is the client id of the system-assigned identity, empty where there is none.
	System string
	// User are the client ids of the user-assigned identities.
	User []string
	// Header is what IDENTITY_HEADER holds at an App Service; empty is a virtual machine.
	Header string
}

// The paths at which a machine's identities are asked for.
const (
	AuthorityIMDSPath       = "/metadata/identity/oauth2/token"
	AuthorityAppServicePath = "/msi/token"
)

// serveIMDS answers as a virtual machine's metadata service.
func (a *Authority) serveIMDS(w http.ResponseWriter, r *http.Request) {
	switch {
	case a.cfg.Machine == nil || a.cfg.Machine.Header != "":
		a.serveUnmodelled(w, r)
	case r.Header.Get("Metadata") != "true" || r.URL.Query().Get("api-version") != "2018-02-01":
		authorityIdentityRefusal(w, "invalid_request", "Required metadata header or api-version not specified")
	default:
		a.serveIdentity(w, r.URL.Query())
	}
}

// serveAppService answers as an App Service. What the real one says to a wrong header is not
// known; the status and the words here stand in.
func (a *Authority) serveAppService(w http.ResponseWriter, r *http.Request) {
	switch {
	case a.cfg.Machine == nil || a.cfg.Machine.Header == "":
		a.serveUnmodelled(w, r)
	case r.Header.Get("X-IDENTITY-HEADER") != a.cfg.Machine.Header:
		authorityJSON(w, http.StatusUnauthorized, map[string]any{"statusCode": 401, "message": "The identity header is not that of this app."})
	case r.URL.Query().Get("api-version") != "2019-08-01":
		authorityIdentityRefusal(w, "invalid_request", "The api-version is not supported")
	default:
		a.serveIdentity(w, r.URL.Query())
	}
}

func (a *Authority) serveIdentity(w http.ResponseWriter, query url.Values) {
	id := a.cfg.Machine.System
	if named := query.Get("client_id"); named != "" {
		if id = ""; slices.ContainsFunc(a.cfg.Machine.User, func(u string) bool { return strings.EqualFold(u, named) }) {
			id = strings.ToLower(named)
		}
	}
	if id == "" {
		authorityIdentityRefusal(w, "invalid_request", "Identity not found")
		return
	}
	resource := query.Get("resource")
	if !slices.Contains(a.cfg.Audiences, resource) {
		authorityIdentityRefusal(w, "invalid_resource", "The resource is not known to this authority")
		return
	}
	seconds := int64(a.cfg.TokenLifetime.Seconds())
	authorityJSON(w, http.StatusOK, map[string]any{
		"access_token": a.issue(resource, id, ""),
		"client_id":    id,
		"expires_in":   strconv.FormatInt(seconds, 10),
		"expires_on":   strconv.FormatInt(a.cfg.Clock().Unix()+seconds, 10),
		"resource":     resource,
		"token_type":   "Bearer",
	})
}

func authorityIdentityRefusal(w http.ResponseWriter, word, text string) {
	authorityJSON(w, http.StatusBadRequest, map[string]string{"error": word, "error_description": text})
}
