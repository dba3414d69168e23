package auth

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/managedidentity"
)

// imdsHost is where every virtual machine of the cloud finds the giver of its tokens
// (libraries section 1): a link-local address, over plain http.
const imdsHost = "169.254.169.254"

// detectTimeout bounds the one question whether this machine has such an address.
const detectTimeout = 2 * time.Second

// identity gets tokens of the identity that the machine or app itself has. MSAL keeps them
// for the whole process under the identity's name.
type identity struct {
	provider *Provider
	scope    string

	mu     sync.Mutex
	client *managedidentity.Client
	found  bool // a token has been got: there is a giver
}

func (m *identity) acquire(ctx context.Context, r request) (issued, error) {
	client, found, err := m.current()
	if err != nil {
		return issued{}, err
	}
	detecting := m.provider.cfg.looked != nil && !found
	if detecting {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, detectTimeout)
		defer cancel()
	}
	var options []managedidentity.AcquireTokenOption
	if r.fresh {
		// Claims make MSAL look past its cache, and are sent nowhere: no token of another
		// Provider, and none that the service refused.
		options = append(options, managedidentity.WithClaims("{}"))
	}
	result, err := client.AcquireToken(ctx, m.scope, options...)
	if err != nil {
		return issued{}, m.explain(err, detecting)
	}
	if err := m.belongs(Secret(result.AccessToken)); err != nil {
		return issued{}, err
	}
	m.mu.Lock()
	m.found = true
	m.mu.Unlock()
	return issued{Secret(result.AccessToken), result.ExpiresOn}, nil
}

func (m *identity) current() (*managedidentity.Client, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.client == nil {
		client, err := m.provider.identityClient()
		if err != nil {
			return nil, false, err
		}
		m.client = client
	}
	return m.client, m.found, nil
}

// explain tells why there is no token. Where the identity is only a guess, an address that
// gives no answer of a giver of tokens means that there is no credential at all.
func (m *identity) explain(err error, detecting bool) error {
	e := m.provider.failure(action(m.scope)).explain(err)
	interrupted := m.provider.ctx.Err() != nil
	switch {
	case interrupted:
		return e
	case detecting && (e.Status == 0 || e.Code == "" && !passing(e.Status)):
		return &NoCredentialError{Looked: m.provider.cfg.looked}
	case detecting && e.Hint != "" && !e.temporary:
		e.Hint += "; it was asked since no other credential is set: " + strings.Join(m.provider.cfg.looked[:len(m.provider.cfg.looked)-1], "; ")
	case e.Status == http.StatusNotFound || e.Status == http.StatusGone:
		e.temporary = true // it is being updated (MSAL's own policy has both)
	case m.provider.cfg.IdentityEndpoint != "" && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden):
		e.Hint = "IDENTITY_HEADER was refused; it changes when the app restarts, so take both variables from the app's own environment"
	case e.Status == 0:
		e.Hint = "managed identities exist on machines and apps of the cloud only; name another credential with --auth"
	}
	return e
}

// belongs refuses an identity of another tenant than the one that is asked for, before the
// service does with less to say.
func (m *identity) belongs(token Secret) error {
	c, ok := decodeClaims(token.Reveal())
	if want := m.provider.cfg.TenantID; ok && isGUID(c.tenant) && !equalGUID(c.tenant, want) {
		return &Error{
			Action: action(m.scope), Host: m.provider.host,
			Message: fmt.Sprintf("this managed identity belongs to the tenant %s, not to %s", c.tenant, want),
			Hint:    "a managed identity works in its own tenant only; check the tenant, or use another credential",
		}
	}
	return nil
}

// identityClient makes an MSAL client. Its own retries are off, for ours honour Retry-After.
func (p *Provider) identityClient() (*managedidentity.Client, error) {
	source, err := managedidentity.GetSource()
	if err != nil {
		return nil, p.failure("find the managed identity").explain(err)
	}
	want := managedidentity.DefaultToIMDS
	if p.cfg.IdentityEndpoint != "" {
		want = managedidentity.AppService
	}
	if source != want {
		return nil, &ConfigError{Setting: "auth", Reason: fmt.Sprintf("this machine gives managed identities in the way of %s; "+
			"only those of virtual machines (IMDS) and of App Service (IDENTITY_ENDPOINT with IDENTITY_HEADER) are supported", source)}
	}
	id := managedidentity.SystemAssigned()
	if p.cfg.ClientID != "" {
		id = managedidentity.UserAssignedClientID(p.cfg.ClientID)
	}
	client, err := managedidentity.New(id, managedidentity.WithRetryPolicyDisabled(),
		managedidentity.WithHTTPClient(guardedClient(direct(p.cfg.HTTPClient), &guard{host: p.host, plain: true})))
	if err != nil {
		return nil, p.failure("make a client").explain(err)
	}
	return &client, nil
}

// dialTimeout bounds the way to an address on this machine, where what answers at all
// answers at once. Elsewhere nothing may refuse the call, and each of five attempts would
// take half a minute.
const dialTimeout = 2 * time.Second

// direct is the caller's client past any proxy: the address means this machine, and to a
// proxy another one. The connection is not kept, since nobody could close it.
func direct(client *http.Client) *http.Client {
	if client == nil {
		client = &http.Client{}
	}
	alone := *client
	base := alone.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	if transport, ok := base.(*http.Transport); ok {
		transport = transport.Clone()
		transport.Proxy, transport.DisableKeepAlives = nil, true
		transport.DialContext = hurried(transport.DialContext)
		base = transport
	}
	alone.Transport = base
	return &alone
}

// hurried bounds a dial.
func hurried(dial dialer) dialer {
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		return dial(ctx, network, address)
	}
}

type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// identityHost is the host of the giver of tokens.
func identityHost(endpoint string) (string, error) {
	if endpoint == "" {
		return imdsHost, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return "", &ConfigError{Setting: "IDENTITY_ENDPOINT", Reason: "it is not an http address; take it from the app's own environment as it is"}
	}
	return guardHost(u), nil
}
