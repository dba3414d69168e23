package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ResolveTenant returns the GUID of a tenant, in lower case. A GUID passes without a
// request. A *.onmicrosoft.com domain is looked up in the authority's OpenID configuration,
// to which no credential is sent. Any other domain is a *ConfigError: a tenant may have
// many, they move between tenants, and the GUID is the key under which everything is kept.
// An authority that is not Microsoft's is a *ConfigError as well: Config.ResolveTenant asks
// one where that is meant. A lookup that fails is an *Error. The client may be nil, the
// authority empty.
func ResolveTenant(ctx context.Context, client *http.Client, authority, tenant string) (string, error) {
	return Config{HTTPClient: client, Authority: authority}.ResolveTenant(ctx, tenant)
}

// ResolveTenant is the function ResolveTenant with the configuration's HTTPClient and
// Authority; CustomAuthority allows an authority that is not Microsoft's. Nothing else of
// the configuration counts.
func (c Config) ResolveTenant(ctx context.Context, tenant string) (string, error) {
	tenant = strings.ToLower(strings.TrimSpace(tenant))
	if isGUID(tenant) {
		return tenant, nil
	}
	if err := checkDomain(tenant); err != nil {
		return "", err
	}
	base, err := parseAuthority(c.Authority)
	if err != nil {
		return "", err
	}
	if err := c.checkMicrosoft(base.Host); err != nil {
		return "", err
	}
	return c.askTenant(ctx, base, tenant)
}

// askTenant asks the authority, again where that may help.
func (c Config) askTenant(ctx context.Context, base *url.URL, tenant string) (string, error) {
	f := failure{action: fmt.Sprintf("find the tenant %q", tenant), host: base.Host}
	address := base.JoinPath(tenant, "v2.0", ".well-known", "openid-configuration").String()
	return again(ctx, func() (string, error) { return f.tenant(ctx, c.HTTPClient, address) })
}

// tenant makes one attempt.
func (f failure) tenant(ctx context.Context, client *http.Client, address string) (string, error) {
	f.now = time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", f.explain(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := guardedClient(client, &guard{host: f.host}).Do(req)
	if err != nil {
		return "", f.explain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", f.explain(err)
	}
	if resp.StatusCode != http.StatusOK {
		e := &Error{Action: f.action, Host: f.host}
		f.answered(e, resp, body)
		return "", e
	}
	return f.tenantOf(body)
}

// checkDomain accepts one label and the suffix, so that nothing else gets into a path.
func checkDomain(tenant string) error {
	label, ok := strings.CutSuffix(tenant, ".onmicrosoft.com")
	bad := strings.ContainsFunc(label, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
	switch {
	case tenant == "":
		return &ConfigError{Setting: "tenant", Reason: "it is missing; give --tenant or AZURE_TENANT_ID: the tenant's GUID or its onmicrosoft.com domain"}
	case !ok:
		return &ConfigError{Setting: "tenant", Reason: fmt.Sprintf("%q is neither a GUID nor an onmicrosoft.com domain; other domains can move between tenants, give the tenant's GUID", printable(tenant))}
	case label == "" || bad:
		return &ConfigError{Setting: "tenant", Reason: fmt.Sprintf("%q is not the name of a tenant; write it as name.onmicrosoft.com", printable(tenant))}
	}
	return nil
}

// tenantOf reads the GUID out of an OpenID configuration: issuer and token endpoint both
// carry it and must agree.
func (f failure) tenantOf(body []byte) (string, error) {
	var doc struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"token_endpoint"`
	}
	e := &Error{Action: f.action, Host: f.host, Status: http.StatusOK, Hint: "give the tenant's GUID"}
	if err := json.Unmarshal(body, &doc); err != nil {
		e.Message = "its OpenID configuration cannot be read"
		return "", e
	}
	issuer, endpoint := tenantInPath(doc.Issuer), tenantInPath(doc.TokenEndpoint)
	switch {
	case issuer == "" || endpoint == "":
		e.Message = "its OpenID configuration does not name the tenant by a GUID"
		return "", e
	case issuer != endpoint:
		e.Message = "its OpenID configuration names two tenants"
		return "", e
	}
	return issuer, nil
}

func tenantInPath(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if !isGUID(first) {
		return ""
	}
	return strings.ToLower(first)
}
