package simulator

import (
	"crypto/subtle"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
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

// serveToken answers the grants: client credentials, device code and refresh token.
func (a *Authority) serveToken(w http.ResponseWriter, r *http.Request) {
	if why := a.readForm(w, r); why != nil {
		a.refuse(w, r, why)
		return
	}
	switch grant := r.PostForm.Get("grant_type"); grant {
	case "client_credentials":
		a.serveApplication(w, r)
	case "device_code", "urn:ietf:params:oauth:grant-type:device_code", "refresh_token":
		a.servePerson(w, r)
	default:
		a.refuse(w, r, &authorityRefusal{
			http.StatusNotImplemented, "not_modelled", 0,
			fmt.Sprintf("The simulated authority does not model the grant %q.", grant),
		})
	}
}

// readForm reads the form of a request, and remembers a claims parameter.
func (a *Authority) readForm(w http.ResponseWriter, r *http.Request) *authorityRefusal {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		return authorityBadRequest("invalid_request", "The form could not be read.")
	}
	if claims := r.PostForm.Get("claims"); claims != "" {
		a.mu.Lock()
		a.challenges = append(a.challenges, claims)
		a.mu.Unlock()
	}
	return nil
}

// serveApplication answers the client credentials grant.
func (a *Authority) serveApplication(w http.ResponseWriter, r *http.Request) {
	if why := a.authenticate(r); why != nil {
		a.refuse(w, r, why)
		return
	}
	audience, why := a.wanted(r)
	if why != nil {
		a.refuse(w, r, why)
		return
	}
	a.grant(w, a.issue(audience, a.cfg.ClientID, ""), nil)
}

// wanted is the audience that a request's scope names.
func (a *Authority) wanted(r *http.Request) (string, *authorityRefusal) {
	audience, ok := a.audience(r.PostForm.Get("scope"))
	if !ok {
		return "", authorityBadRequest("invalid_scope",
			fmt.Sprintf("The scope %q names no resource of this authority as 'https://host/.default'.", r.PostForm.Get("scope")))
	}
	return audience, nil
}

// grant writes a token response with whatever else belongs to it.
func (a *Authority) grant(w http.ResponseWriter, token string, more map[string]any) {
	answer := map[string]any{
		"token_type":     "Bearer",
		"expires_in":     int(a.cfg.TokenLifetime.Seconds()),
		"ext_expires_in": int(a.cfg.TokenLifetime.Seconds()),
		"access_token":   token,
	}
	maps.Copy(answer, more)
	authorityJSON(w, http.StatusOK, answer)
}

// knowsClient checks the tenant and the application of a person's sign-in.
func (a *Authority) knowsClient(tenant, client string) *authorityRefusal {
	switch {
	case !a.knows(tenant):
		return authorityUnknownTenant(tenant)
	case client != a.cfg.ClientID && client != AuthorityPublicClientID:
		return authorityUnknownApplication(client, tenant)
	}
	return nil
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
		if a.cfg.SecretExpired {
			return authorityExpiredSecret(client)
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
