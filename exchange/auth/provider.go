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

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"golang.org/x/oauth2"
)

// Provider gives token sources for one application in one tenant. It is safe for concurrent
// use, and prints as Describe says, whatever the verb.
type Provider struct {
	ctx  context.Context // of New: oauth2.TokenSource has no other way to be interrupted
	cfg  *Config         // behind a pointer, where formatting another struct does not look
	host string
	cert *certificate // of KindCertificate

	assertions assertions    // of KindFederated and KindGitHub
	asking     chan struct{} // of KindDeviceCode: held by the one who asks the person

	mu       sync.Mutex
	sources  map[string]*source
	sent     claims         // of the last assertion
	sentText Secret         // that assertion
	public   *public.Client // of KindDeviceCode
	account  string         // of the person who signed in
}

// New checks a configuration and makes a Provider. It sends nothing. The context bounds the
// token calls to come. The error is a *ConfigError, or an *Error for a certificate that is
// not valid now or the file of a federated token that cannot be read.
func New(ctx context.Context, cfg Config) (*Provider, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	p := &Provider{ctx: ctx, cfg: &cfg, sources: map[string]*source{}, asking: make(chan struct{}, 1)}
	if cfg.Kind == KindToken {
		return p, nil
	}
	if err := p.prepare(); err != nil {
		return nil, err
	}
	return p, nil
}

// prepare makes what the kind needs, so that New tells what is wrong with it.
func (p *Provider) prepare() (err error) {
	base, err := url.Parse(p.cfg.Authority)
	if err != nil {
		return &ConfigError{Setting: "AZURE_AUTHORITY_HOST", Reason: "the authority is not an address"}
	}
	p.host = base.Host
	switch p.cfg.Kind {
	case KindManagedIdentity:
		if p.host, err = identityHost(p.cfg.IdentityEndpoint); err == nil {
			_, err = p.identityClient()
		}
		return err
	case KindDeviceCode:
		_, err = p.person()
		return err
	case KindCertificate:
		if p.cert, err = parseCertificate(p.cfg.CertificatePEM, p.cfg.CertificatePassword); err != nil {
			return err
		}
		if err := p.cert.current(time.Now()); err != nil {
			return err
		}
	case KindFederated:
		// Looked at now, so that a wrong path is told before anything else can fail.
		if _, err := p.federatedFile(p.ctx); err != nil {
			return err
		}
		p.assertions = p.federatedFile
	case KindGitHub:
		p.assertions = p.githubAssertion
	}
	_, err = p.client()
	return err
}

func (p *Provider) failure(action string) failure {
	p.mu.Lock()
	sent, text := p.sent, p.sentText
	p.mu.Unlock()
	return failure{
		action: action, host: p.host, now: time.Now(),
		known: []Secret{
			p.cfg.Secret, p.cfg.AccessToken, p.cfg.CertificatePassword, p.cfg.GitHub.Token, p.cfg.IdentityHeader, text,
		},
		advice: advice{kind: p.cfg.Kind, assertion: sent, chosen: p.cfg.ClientID != ""},
	}
}

// TokenSource returns the source of tokens for a scope such as
// "https://outlook.office365.com/.default" (wire 6), always the same one for the same scope.
// Its errors are of type *Error, or, where a managed identity was only a guess, a
// *NoCredentialError. It also has the methods Invalidate(), as Provider has, and
// Challenge(claims string), which passes a claims challenge on to the authority.
func (p *Provider) TokenSource(scope string) oauth2.TokenSource {
	return p.source(scope)
}

func (p *Provider) source(scope string) *source {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.sources[scope]
	if !ok {
		s = &source{provider: p, scope: scope}
		if p.cfg.Kind != KindToken {
			s.issuer = p.issuer(scope)
		}
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
	case KindFederated:
		return fmt.Sprintf("federated token %s of application %s, authority %s", printable(p.cfg.FederatedTokenFile), p.cfg.ClientID, p.host)
	case KindGitHub:
		return fmt.Sprintf("GitHub's token about this job, for application %s, authority %s", p.cfg.ClientID, p.host)
	case KindManagedIdentity:
		return p.describeIdentity()
	case KindDeviceCode:
		return fmt.Sprintf("device code of application %s, authority %s", p.cfg.ClientID, p.host)
	default:
		if expiry := jwtExpiry(p.cfg.AccessToken); !expiry.IsZero() {
			return fmt.Sprintf("access token given by the caller (expires %s)", expiry.UTC().Format(time.RFC3339))
		}
		return "access token given by the caller"
	}
}

func (p *Provider) describeIdentity() string {
	name := "the system-assigned managed identity"
	if p.cfg.ClientID != "" {
		name = "the managed identity " + p.cfg.ClientID
	}
	if p.cfg.looked != nil {
		name += ", if there is one"
	}
	return name + ", from " + p.host
}

// Format writes Describe for every verb.
func (p *Provider) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.Describe()) }

// LogValue gives slog Describe.
func (p *Provider) LogValue() slog.Value { return slog.StringValue(p.Describe()) }

// action names what a source does, for errors.
func action(scope string) string {
	return "get a token for " + strings.TrimSpace(printable(scope))
}
