package auth

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"golang.org/x/oauth2"
)

// Provider gives token sources for one application in one tenant. It is safe for concurrent
// use, and prints as Describe says, whatever the verb.
type Provider struct {
	ctx  context.Context // of New: oauth2.TokenSource has no other way to be interrupted
	cfg  *Config         // behind a pointer, where formatting another struct does not look
	host string
	cert *certificate // of KindCertificate

	mu      sync.Mutex
	sources map[string]*source
}

// New checks a configuration and makes a Provider. It sends nothing. The context bounds the
// token calls to come. The error is a *ConfigError, or an *Error for a certificate that is
// not valid now.
func New(ctx context.Context, cfg Config) (*Provider, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	p := &Provider{ctx: ctx, cfg: &cfg, sources: map[string]*source{}}
	if cfg.Kind == KindToken {
		return p, nil
	}
	base, err := url.Parse(cfg.Authority)
	if err != nil {
		return nil, &ConfigError{Setting: "AZURE_AUTHORITY_HOST", Reason: "the authority is not an address"}
	}
	p.host = base.Host
	if cfg.Kind == KindCertificate {
		if p.cert, err = parseCertificate(cfg.CertificatePEM); err != nil {
			return nil, err
		}
		if err := p.cert.current(time.Now()); err != nil {
			return nil, err
		}
	}
	if _, err := p.client(); err != nil {
		return nil, err
	}
	return p, nil
}

// client makes an MSAL client with an empty cache.
func (p *Provider) client() (*confidential.Client, error) {
	credential, err := p.credential()
	if err != nil {
		return nil, p.failure("make a client").explain(err)
	}
	var ready func() error
	if p.cert != nil {
		ready = func() error { return p.cert.current(time.Now()) }
	}
	client, err := confidential.New(p.cfg.Authority+"/"+p.cfg.TenantID, p.cfg.ClientID, credential,
		// The hosts have been checked against Microsoft's already; discovery would ask
		// login.microsoftonline.com about every other cloud's.
		confidential.WithInstanceDiscovery(false),
		confidential.WithHTTPClient(guardedClient(p.cfg.HTTPClient, p.host, ready)),
		// The word that turns MSAL_FORCE_REGION off: a token endpoint that a variable chose
		// unseen is not where the credential was meant to go.
		confidential.WithAzureRegion("DisableMsalForceRegion"))
	if err != nil {
		return nil, p.failure("make a client").explain(err)
	}
	return &client, nil
}

func (p *Provider) credential() (confidential.Credential, error) {
	if p.cert != nil {
		return confidential.NewCredFromCert(p.cert.chain, p.cert.key)
	}
	return confidential.NewCredFromSecret(p.cfg.Secret.Reveal())
}

func (p *Provider) failure(action string) failure {
	return failure{action: action, host: p.host, now: time.Now(), known: []Secret{p.cfg.Secret, p.cfg.AccessToken}}
}

// TokenSource returns the source of tokens for a scope such as
// "https://outlook.office365.com/.default" (wire 6), always the same one for the same scope.
// Its errors are of type *Error. It also has a method Invalidate(), as Provider has.
func (p *Provider) TokenSource(scope string) oauth2.TokenSource {
	return p.source(scope)
}

func (p *Provider) source(scope string) *source {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.sources[scope]
	if !ok {
		s = &source{provider: p, scope: scope}
		p.sources[scope] = s
	}
	return s
}

// Invalidate makes the next Token of a scope's source go to the network, although a token is
// held: the service has refused it (401). While no token has been handed out since the last
// Invalidate it does nothing, so that many callers with the same refused token cause one
// request. An access token of the caller's own is the only one there is, and stays.
func (p *Provider) Invalidate(scope string) { p.source(scope).Invalidate() }

// Kind returns the kind of credential in use.
func (p *Provider) Kind() Kind { return p.cfg.Kind }

// Describe says in one line which credential is used, for people; it holds no secret.
func (p *Provider) Describe() string {
	switch p.cfg.Kind {
	case KindCertificate:
		return fmt.Sprintf("client certificate %s (expires %s) of application %s, authority %s",
			p.cert.name(), p.cert.leaf.NotAfter.UTC().Format(time.DateOnly), p.cfg.ClientID, p.host)
	case KindSecret:
		return fmt.Sprintf("client secret of application %s, authority %s", p.cfg.ClientID, p.host)
	default:
		if expiry := jwtExpiry(p.cfg.AccessToken); !expiry.IsZero() {
			return fmt.Sprintf("access token given by the caller (expires %s)", expiry.UTC().Format(time.RFC3339))
		}
		return "access token given by the caller"
	}
}

// Format writes Describe for every verb.
func (p *Provider) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.Describe()) }

// LogValue gives slog Describe.
func (p *Provider) LogValue() slog.Value { return slog.StringValue(p.Describe()) }

// action names what a source does, for errors.
func action(scope string) string {
	return "get a token for " + strings.TrimSpace(printable(scope))
}
