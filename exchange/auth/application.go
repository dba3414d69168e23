package auth

import (
	"context"
	"sync"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

// application gets tokens by the client credentials grant: with a secret, a certificate, or
// an assertion that another identity provider signed. MSAL caches them and renews one that
// has five minutes left; there is no second cache here.
type application struct {
	provider *Provider
	scope    string

	mu         sync.Mutex
	client     *confidential.Client
	generation int // of the client
}

func (a *application) acquire(ctx context.Context, r request) (issued, error) {
	client, err := a.current(r.generation)
	if err != nil {
		return issued{}, err
	}
	var options []confidential.AcquireByCredentialOption
	if r.claims != "" {
		options = append(options, confidential.WithClaims(r.claims))
	}
	result, err := client.AcquireTokenByCredential(ctx, []string{a.scope}, options...)
	if err != nil {
		return issued{}, a.provider.failure(action(a.scope)).explain(err)
	}
	return issued{Secret(result.AccessToken), result.ExpiresOn}, nil
}

// current gives the client, a new one where tokens were dropped: MSAL forgets one token only
// for a claims challenge, and that is sent to the authority.
func (a *application) current(generation int) (*confidential.Client, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client == nil || a.generation < generation {
		client, err := a.provider.client()
		if err != nil {
			return nil, err
		}
		a.client, a.generation = client, generation
	}
	return a.client, nil
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
		confidential.WithHTTPClient(guardedClient(p.cfg.HTTPClient, &guard{host: p.host, ready: ready})),
		// The word that turns MSAL_FORCE_REGION off: a token endpoint that a variable chose
		// unseen is not where the credential was meant to go.
		confidential.WithAzureRegion("DisableMsalForceRegion"))
	if err != nil {
		return nil, p.failure("make a client").explain(err)
	}
	return &client, nil
}

func (p *Provider) credential() (confidential.Credential, error) {
	switch {
	case p.cert != nil:
		return confidential.NewCredFromCert(p.cert.chain, p.cert.key)
	case p.assertions != nil:
		return confidential.NewCredFromAssertionCallback(p.assert), nil
	}
	return confidential.NewCredFromSecret(p.cfg.Secret.Reveal())
}
