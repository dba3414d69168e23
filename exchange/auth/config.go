package auth

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
)

// DefaultAuthority is the sign-in address of Microsoft's worldwide cloud (wire 6).
const DefaultAuthority = "https://login.microsoftonline.com"

// Config says who asks for tokens, with what, and where.
type Config struct {
	// Kind chooses which of the credentials below is used.
	Kind Kind
	// TenantID is the tenant's GUID; ResolveTenant makes one of a domain. An access token
	// needs none.
	TenantID string
	// ClientID is the application's GUID. For KindManagedIdentity it names a user-assigned
	// identity, and empty is the system-assigned one; for KindDeviceCode empty is
	// ModuleClientID; an access token needs none.
	ClientID string
	// Authority is the sign-in service's address, https and without a path;
	// DefaultAuthority where empty.
	Authority string
	// Secret is the client secret of KindSecret.
	Secret Secret
	// CertificatePEM is the certificate and its RSA key of KindCertificate: PEM with an
	// unencrypted key, or, in spite of the name, PFX (PKCS#12), which CertificatePassword
	// opens.
	CertificatePEM      []byte
	CertificatePassword Secret
	// FederatedTokenFile is the path of KindFederated. The file is read again for each
	// request for a token.
	FederatedTokenFile string
	// GitHub is where KindGitHub gets its assertions.
	GitHub GitHubRequest
	// AssertionAudience is the audience that KindGitHub asks for; empty is the one of the
	// authority's cloud.
	AssertionAudience string
	// IdentityEndpoint is IDENTITY_ENDPOINT for a KindManagedIdentity of App Service; empty
	// is the one of a virtual machine. MSAL reads the variable itself from the process's
	// environment, so this must say the same. IdentityHeader is IDENTITY_HEADER, to keep it
	// out of every error.
	IdentityEndpoint string
	IdentityHeader   Secret
	// Interactive says that a person is there to sign in, and Prompt shows one line to
	// them; KindDeviceCode needs both. Prompt is called by the call that asks for a token.
	Interactive bool
	Prompt      func(message string)
	// AccessToken is the bearer token of KindToken.
	AccessToken Secret
	// HTTPClient sends the requests; nil is one with the default transport.
	HTTPClient *http.Client
	// CustomAuthority allows an authority that is not Microsoft's: the secret or assertion
	// is sent there.
	CustomAuthority bool

	// looked is what was looked for before a managed identity was guessed; nil where the
	// kind was named.
	looked []string
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
	if err := c.validateClient(); err != nil {
		return err
	}
	base, err := parseAuthority(c.Authority)
	if err != nil {
		return err
	}
	if err := c.checkMicrosoft(base.Host); err != nil {
		return err
	}
	c.Authority = base.String()
	c.TenantID = strings.ToLower(c.TenantID)
	return c.validateCredential()
}

// validateClient checks the application's id, and fills in the one of a device code.
func (c *Config) validateClient() error {
	if c.ClientID == "" {
		switch c.Kind {
		case KindManagedIdentity:
			return nil
		case KindDeviceCode:
			c.ClientID = ModuleClientID
		default:
			return &ConfigError{Setting: "AZURE_CLIENT_ID", Reason: "the application (client) id is missing"}
		}
	}
	if !isGUID(c.ClientID) {
		return &ConfigError{Setting: "AZURE_CLIENT_ID", Reason: fmt.Sprintf("%q is not a GUID; give the application (client) id", printable(c.ClientID))}
	}
	return nil
}

// validateCredential checks what can be checked of a credential without using it.
func (c *Config) validateCredential() error {
	switch c.Kind {
	case KindSecret:
		if strings.TrimSpace(c.Secret.Reveal()) == "" {
			return &ConfigError{Setting: "AZURE_CLIENT_SECRET", Reason: "the client secret is empty"}
		}
	case KindFederated:
		if c.FederatedTokenFile == "" {
			return &ConfigError{Setting: federatedSetting, Reason: "the path of the token's file is empty"}
		}
	case KindGitHub:
		_, err := c.GitHub.check()
		return err
	case KindManagedIdentity:
		_, err := identityHost(c.IdentityEndpoint)
		return err
	case KindDeviceCode:
		if !c.Interactive || c.Prompt == nil {
			return &ConfigError{Setting: "auth", Reason: "device-code needs a person at a terminal, and there is none here; use another kind of credential"}
		}
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
