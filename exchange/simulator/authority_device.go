package simulator

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// AuthorityPerson is whoever is asked to sign in with a device code, and what they do.
type AuthorityPerson struct {
	// UserName is the person's user principal name.
	UserName string
	// Polls is how many times the client is told to wait before the person acts; negative
	// is a person who never does.
	Polls int
	// Declines tells that the person refuses.
	Declines bool
	// Lifetime is how long a code is good for, fifteen minutes where zero.
	Lifetime time.Duration
}

// AuthorityPublicClientID is the application of Microsoft's own PowerShell module (wire 6),
// which a person may use beside the registered one.
const AuthorityPublicClientID = "fb78d390-0c51-40cd-8e17-fdbfab77341b"

// authorityDevice is a device code that has been handed out.
type authorityDevice struct {
	client  string
	expires time.Time
	polls   int
	used    bool
}

// serveDeviceCode hands a device code out.
func (a *Authority) serveDeviceCode(w http.ResponseWriter, r *http.Request) {
	if a.cfg.Person == nil {
		a.serveUnmodelled(w, r)
		return
	}
	if why := a.readForm(w, r); why != nil {
		a.refuse(w, r, why)
		return
	}
	client := strings.ToLower(r.PostForm.Get("client_id"))
	if why := a.knowsClient(r.PathValue("tenant"), client); why != nil {
		a.refuse(w, r, why)
		return
	}
	lifetime := a.cfg.Person.Lifetime
	if lifetime == 0 {
		lifetime = 15 * time.Minute
	}
	code, base := authorityID(), authorityBase(r)
	user := strings.ToUpper(code[:8])
	a.mu.Lock()
	a.devices[code] = &authorityDevice{client: client, expires: a.cfg.Clock().Add(lifetime)}
	a.codes++
	a.mu.Unlock()
	authorityJSON(w, http.StatusOK, map[string]any{
		"user_code":        user,
		"device_code":      code,
		"verification_uri": base + "/device",
		"expires_in":       int(lifetime.Seconds()),
		"interval":         5,
		"message":          "To sign in, open " + base + "/device and enter the code " + user + ".",
	})
}

// DeviceCodes returns how many device codes were handed out: how often a person was asked.
func (a *Authority) DeviceCodes() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.codes
}

// pollDevice says what became of a device code; nil is a person who signed in. The words are
// those of RFC 8628 section 3.5; which numbers go with them is not known.
func (a *Authority) pollDevice(code, client string) *authorityRefusal {
	a.mu.Lock()
	defer a.mu.Unlock()
	device, ok := a.devices[code]
	switch {
	case !ok || device.client != client || device.used:
		return authorityBadRequest("bad_verification_code", "The device code is not one of this authority.")
	case !a.cfg.Clock().Before(device.expires):
		return authorityBadRequest("expired_token", "The device code has expired.")
	case a.cfg.Person.Polls < 0 || device.polls < a.cfg.Person.Polls:
		device.polls++
		return authorityBadRequest("authorization_pending", "The person has not signed in yet.")
	case a.cfg.Person.Declines:
		return authorityBadRequest("authorization_declined", "The person declined the sign-in.")
	}
	device.used = true
	return nil
}

// servePerson answers the grants of a device code and of a refresh token.
func (a *Authority) servePerson(w http.ResponseWriter, r *http.Request) {
	client := strings.ToLower(r.PostForm.Get("client_id"))
	why := a.knowsClient(r.PathValue("tenant"), client)
	if why == nil && a.cfg.Person == nil {
		a.serveUnmodelled(w, r)
		return
	}
	if why == nil && r.PostForm.Get("grant_type") == "refresh_token" {
		why = a.redeem(r.PostForm.Get("refresh_token"))
	} else if why == nil {
		why = a.pollDevice(r.PostForm.Get("device_code"), client)
	}
	if why != nil {
		a.refuse(w, r, why)
		return
	}
	audience, why := a.wanted(r)
	if why != nil {
		a.refuse(w, r, why)
		return
	}
	name := a.cfg.Person.UserName
	a.grant(w, a.issue(audience, client, name), map[string]any{
		"refresh_token": a.newRefreshToken(),
		"id_token": a.signed(map[string]any{
			"aud": client, "iss": authorityBase(r) + "/" + a.cfg.TenantID + "/v2.0", "tid": a.cfg.TenantID,
			"sub": "person", "oid": "person", "preferred_username": name,
		}),
		"client_info": authorityClientInfo(a.cfg.TenantID),
	})
}

func authorityClientInfo(tenant string) string {
	data, _ := json.Marshal(map[string]string{"uid": "person", "utid": tenant})
	return base64.RawURLEncoding.EncodeToString(data)
}

func (a *Authority) newRefreshToken() string {
	token := authorityID()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refresh[token] = true
	return token
}

// redeem accepts a refresh token that this authority gave and that has not been revoked.
func (a *Authority) redeem(token string) *authorityRefusal {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.refresh[token] {
		return authorityBadRequest("invalid_grant", "The refresh token is not good any more.")
	}
	return nil
}

// SignOut revokes the refresh tokens, so that the person must be asked again.
func (a *Authority) SignOut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.refresh)
}
