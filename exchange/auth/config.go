package auth

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

// Kind names a way to authenticate, as the flag --auth does.
type Kind string

// The kinds that this package implements.
const (
	KindSecret      Kind = "secret"
	KindCertificate Kind = "certificate"
	KindToken       Kind = "token"
)

// The kinds that are known by name and refused as not implemented.
const (
	kindFederated       Kind = "federated"
	kindGitHub          Kind = "github"
	kindManagedIdentity Kind = "managed-identity"
	kindDeviceCode      Kind = "device-code"
)

// check returns a ConfigError where a kind is not one that this package implements.
func (k Kind) check() error {
	const implemented = "use secret, certificate or token"
	switch k {
	case KindSecret, KindCertificate, KindToken:
		return nil
	case kindFederated, kindGitHub, kindManagedIdentity, kindDeviceCode:
		return &ConfigError{Setting: "auth", Reason: fmt.Sprintf("the kind %q is not supported yet; %s", string(k), implemented)}
	}
	return &ConfigError{Setting: "auth", Reason: fmt.Sprintf("the kind %q is not known; %s", printable(string(k)), implemented)}
}

// DefaultAuthority is the sign-in address of Microsoft's worldwide cloud (wire 6).
const DefaultAuthority = "https://login.microsoftonline.com"

// Config says who asks for tokens, with what, and where.
type Config struct {
	// Kind chooses which of the credentials below is used.
	Kind Kind
	// TenantID is the tenant's GUID; ResolveTenant makes one of a domain. ClientID is the
	// application's. An access token needs neither.
	TenantID, ClientID string
	// Authority is the sign-in service's address, https and without a path;
	// DefaultAuthority where empty.
	Authority string
	// Secret is the client secret of KindSecret.
	Secret Secret
	// CertificatePEM is the certificate and its unencrypted RSA key of KindCertificate.
	CertificatePEM []byte
	// AccessToken is the bearer token of KindToken.
	AccessToken Secret
	// HTTPClient sends the requests; nil is one with the default transport.
	HTTPClient *http.Client
	// CustomAuthority allows an authority that is not Microsoft's: the secret or assertion
	// is sent there.
	CustomAuthority bool
}

// publicConfig is what of a Config may be shown.
type publicConfig struct {
	Kind            Kind   `json:"kind"`
	TenantID        string `json:"tenantId"`
	ClientID        string `json:"clientId"`
	Authority       string `json:"authority"`
	CustomAuthority bool   `json:"customAuthority"`
}

func (c Config) public() publicConfig {
	return publicConfig{c.Kind, c.TenantID, c.ClientID, c.Authority, c.CustomAuthority}
}

// String returns what may be shown: never a secret, a key or a token.
func (c Config) String() string {
	return fmt.Sprintf("auth.Config{kind: %s, tenant: %s, client: %s, authority: %s}", c.Kind, c.TenantID, c.ClientID, c.Authority)
}

// Format writes String for every verb: the PEM bytes hold the private key.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue gives slog what may be shown.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON encodes what may be shown.
func (c Config) MarshalJSON() ([]byte, error) { return json.Marshal(c.public()) }

// validate checks everything but the credential itself, and puts the authority in its
// canonical form.
func (c *Config) validate() error {
	if err := c.Kind.check(); err != nil {
		return err
	}
	if c.Kind == KindToken {
		return validToken(c.AccessToken)
	}
	if !isGUID(c.TenantID) {
		return &ConfigError{Setting: "tenant", Reason: fmt.Sprintf("%q is not a GUID; give the tenant's GUID, or resolve its onmicrosoft.com domain first", printable(c.TenantID))}
	}
	if c.ClientID == "" {
		return &ConfigError{Setting: "AZURE_CLIENT_ID", Reason: "the application (client) id is missing"}
	}
	if !isGUID(c.ClientID) {
		return &ConfigError{Setting: "AZURE_CLIENT_ID", Reason: fmt.Sprintf("%q is not a GUID; give the application (client) id", printable(c.ClientID))}
	}
	base, err := parseAuthority(c.Authority)
	if err != nil {
		return err
	}
	if !c.CustomAuthority && !isMicrosoft(base.Host) {
		return &ConfigError{Setting: "authority", Reason: fmt.Sprintf("%q is not a sign-in host of Microsoft, and the credential would be sent there; declare a custom cloud (--cloud custom) if that is meant", base.Host)}
	}
	c.Authority = base.String()
	c.TenantID = strings.ToLower(c.TenantID)
	if c.Kind == KindSecret && strings.TrimSpace(c.Secret.Reveal()) == "" {
		return &ConfigError{Setting: "AZURE_CLIENT_SECRET", Reason: "the client secret is empty"}
	}
	return nil
}

// validToken refuses what cannot stand in an Authorization header, before it gets there:
// net/http would name the value in its error.
func validToken(token Secret) error {
	text := token.Reveal()
	switch {
	case text == "":
		return &ConfigError{Setting: "EXOAUDIT_ACCESS_TOKEN", Reason: "the access token is empty"}
	case len(text) > 7 && strings.EqualFold(text[:7], "bearer "):
		return &ConfigError{Setting: "EXOAUDIT_ACCESS_TOKEN", Reason: `give the token alone, without the word "Bearer"`}
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return &ConfigError{Setting: "EXOAUDIT_ACCESS_TOKEN", Reason: "the access token contains white space or characters that no token has"}
	}
	return nil
}

// parseAuthority reads an authority's address. A trailing slash is the Azure convention for
// AZURE_AUTHORITY_HOST and is dropped.
func parseAuthority(address string) (*url.URL, error) {
	if address == "" {
		address = DefaultAuthority
	}
	fail := func(reason string) (*url.URL, error) {
		return nil, &ConfigError{Setting: "AZURE_AUTHORITY_HOST", Reason: reason + "; write it as " + DefaultAuthority}
	}
	u, err := url.Parse(strings.TrimSuffix(address, "/"))
	switch {
	case err != nil:
		return fail("the authority is not an address") // the parse error would repeat a password in it
	case u.User != nil:
		return fail("the authority must not hold a user name or password")
	case u.Scheme != "https":
		return fail("the authority must be an https address")
	case u.Host == "" || u.Hostname() == "":
		return fail("the authority has no host")
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return fail("the authority must be a host alone, without a path or query")
	}
	return &url.URL{Scheme: "https", Host: strings.TrimSuffix(strings.ToLower(u.Host), ":443")}, nil
}

// isMicrosoft reports whether a host is one of Microsoft's sign-in services (wire 6,
// libraries section 1 "Clouds"). A port makes it another host.
func isMicrosoft(host string) bool {
	switch host {
	case "login.microsoftonline.com",
		"login.microsoftonline.us", "login.usgovcloudapi.net",
		"login.partner.microsoftonline.cn", "login.chinacloudapi.cn",
		"login.microsoftonline.de",
		"login.sovcloud-identity.fr", "login.sovcloud-identity.de", "login.sovcloud-identity.sg":
		return true
	}
	return false
}

// isGUID reports whether text is a GUID in the form with hyphens and nothing around it.
func isGUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, r := range []byte(text) {
		switch i {
		case 8, 13, 18, 23:
			if r != '-' {
				return false
			}
		default:
			if !strings.ContainsRune("0123456789abcdefABCDEF", rune(r)) {
				return false
			}
		}
	}
	return true
}
