package simulator

import (
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"strings"
	"sync"
	"time"
)

// AuthorityConfig says which tenant, application and credentials an Authority knows.
// Every field may be left empty; NewAuthority names the defaults.
type AuthorityConfig struct {
	// TenantID is the tenant's GUID, Domain its *.onmicrosoft.com domain. Requests may name
	// the tenant by either; every endpoint that is handed out carries the GUID.
	TenantID, Domain string
	// ClientID is the one application that is registered in the tenant.
	ClientID string
	// Audiences are the resources for which tokens are issued, as "https://host" without a
	// path; a token request names one by the scope "https://host/.default" (wire 6).
	Audiences []string
	// Secret is the client secret; empty means that the application has none.
	Secret string
	// SecretExpired refuses the right secret as expired.
	SecretExpired bool
	// Certificate is the certificate registered for the application; nil means none.
	Certificate *x509.Certificate
	// Trusts are the federated credentials of the application.
	Trusts []AuthorityTrust
	// GitHub, Machine and Person are modelled where they are not nil: GitHub's identity
	// provider, managed identities, and a person who signs in with a device code.
	GitHub  *AuthorityGitHub
	Machine *AuthorityMachine
	Person  *AuthorityPerson
	// Claims are the claims of the tokens; SetClaims changes them.
	Claims AuthorityClaims
	// Clock tells the time for token lifetimes and the time range of assertions.
	Clock func() time.Time
	// TokenLifetime is how long a token is good for, one hour where zero. A token with five
	// minutes left counts as expired for the MSAL library, so a useful value is longer.
	TokenLifetime time.Duration
}

// AuthorityTenantID, AuthorityDomain and AuthorityClientID are the identities that an
// Authority uses where its AuthorityConfig names none.
const (
	AuthorityTenantID = "5fa2c1de-7d6b-4a34-9e0c-3b1d8f2a6c01"
	AuthorityDomain   = "contoso.onmicrosoft.com"
	AuthorityClientID = "c0ffee00-2b5e-4c52-8a7e-9d1f3e5b7a02"
	AuthorityAudience = "https://outlook.office365.com"
)

// Authority is a fake of the identity provider that issues tokens for the service: OpenID
// discovery, the client credentials grant by secret, certificate or federated assertion,
// the device code grant, and, beside it, the givers of managed identities and of GitHub's
// assertions. It is an http.Handler, safe for concurrent use, and takes its own base
// address from the Host of each request. What it does not model is answered 501 by name.
type Authority struct {
	cfg AuthorityConfig
	key []byte // signs tokens; never leaves the process
	mux *http.ServeMux

	mu         sync.Mutex
	fault      AuthorityFault
	seen       map[string]time.Time // jti of each assertion accepted, with its expiry
	devices    map[string]*authorityDevice
	refresh    map[string]bool // refresh tokens that are good
	challenges []string
	requests   int
	posts      int
	issued     int
	assertions int
	codes      int
}

// NewAuthority makes an authority. Where the configuration is empty: the Authority
// constants of this package, no secret and no certificate, time.Now, and one hour.
func NewAuthority(cfg AuthorityConfig) *Authority {
	cfg.TenantID = strings.ToLower(authorityDefault(cfg.TenantID, AuthorityTenantID))
	cfg.Domain = strings.ToLower(authorityDefault(cfg.Domain, AuthorityDomain))
	cfg.ClientID = strings.ToLower(authorityDefault(cfg.ClientID, AuthorityClientID))
	if len(cfg.Audiences) == 0 {
		cfg.Audiences = []string{AuthorityAudience}
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.TokenLifetime == 0 {
		cfg.TokenLifetime = time.Hour
	}
	a := &Authority{
		cfg: cfg, key: make([]byte, 32), mux: http.NewServeMux(),
		seen: map[string]time.Time{}, devices: map[string]*authorityDevice{}, refresh: map[string]bool{},
	}
	_, _ = rand.Read(a.key) // crypto/rand.Read never fails: it ends the program instead
	a.mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", a.serveDiscovery)
	a.mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", a.serveToken)
	a.mux.HandleFunc("POST /{tenant}/oauth2/v2.0/devicecode", a.serveDeviceCode)
	a.mux.HandleFunc("GET "+AuthorityIMDSPath, a.serveIMDS)
	a.mux.HandleFunc("GET "+AuthorityAppServicePath, a.serveAppService)
	a.mux.HandleFunc("GET "+AuthorityGitHubPath, a.serveGitHub)
	a.mux.HandleFunc("/", a.serveUnmodelled)
	return a
}

func authorityDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// TenantID returns the GUID of the one tenant that the authority knows.
func (a *Authority) TenantID() string { return a.cfg.TenantID }

// ClientID returns the identifier of the one application that the authority knows.
func (a *Authority) ClientID() string { return a.cfg.ClientID }

// Requests returns how many HTTP requests of any kind have arrived.
func (a *Authority) Requests() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests
}

// TokenRequests returns how many requests for a token have arrived, refused ones included.
func (a *Authority) TokenRequests() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.posts
}

// TokensIssued returns how many tokens have been issued, those that a fault cut off on
// their way to the client included.
func (a *Authority) TokensIssued() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.issued
}

// ServeHTTP answers one request, as the fault that SetFault installed says.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := a.count(r)
	a.mu.Lock()
	fault := a.fault
	a.mu.Unlock()
	if fault == nil {
		a.mux.ServeHTTP(w, r)
		return
	}
	fault(call).serve(w, r, a.mux)
}

func (a *Authority) count(r *http.Request) AuthorityCall {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests++
	call := AuthorityCall{Request: a.requests}
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token") ||
		r.URL.Path == AuthorityIMDSPath || r.URL.Path == AuthorityAppServicePath {
		a.posts++
		call.Token = a.posts
	}
	return call
}

// knows reports whether a path's tenant segment names the authority's tenant.
func (a *Authority) knows(tenant string) bool {
	return strings.EqualFold(tenant, a.cfg.TenantID) || strings.EqualFold(tenant, a.cfg.Domain)
}

// authorityBase is the address at which the client sees this server, without a slash.
func authorityBase(r *http.Request) string {
	if r.TLS != nil || r.URL.Scheme == "https" {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
