package auth

import (
	"context"
	"errors"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// ModuleClientID is the application of Microsoft's own PowerShell module for Exchange Online
// (wire 6), with which a person signs in where no other application is named.
const ModuleClientID = "fb78d390-0c51-40cd-8e17-fdbfab77341b"

// signIn gets the tokens of a person, who is asked once for all scopes.
type signIn struct {
	provider *Provider
	scope    string
	code     *public.DeviceCode // shown, and not yet used; the flight of the source guards it
}

func (s *signIn) acquire(ctx context.Context, r request) (issued, error) {
	// One person is asked one thing at a time.
	select {
	case s.provider.asking <- struct{}{}:
		defer func() { <-s.provider.asking }()
	case <-ctx.Done():
		return issued{}, s.failure().explain(ctx.Err())
	}
	client, err := s.provider.person()
	if err != nil {
		return issued{}, err
	}
	if s.code == nil {
		got, held, err := s.silent(ctx, client, r)
		if held || err != nil {
			return got, err
		}
	}
	return s.ask(ctx, client, r)
}

// silent gets a token without asking, and reports whether there was one. A refresh token
// that is refused means that the person must be asked again; an authority that does not
// answer does not.
func (s *signIn) silent(ctx context.Context, client *public.Client, r request) (issued, bool, error) {
	accounts, err := client.Accounts(ctx)
	if err != nil {
		return issued{}, false, s.failure().explain(err)
	}
	if len(accounts) == 0 {
		return issued{}, false, nil
	}
	options := []public.AcquireSilentOption{public.WithSilentAccount(accounts[0])}
	switch {
	case r.claims != "":
		options = append(options, public.WithClaims(r.claims))
	case r.fresh && r.generation > 0:
		// A request for no claim in particular: MSAL looks past its cache for any.
		options = append(options, public.WithClaims(`{"access_token":{}}`))
	}
	result, err := client.AcquireTokenSilent(ctx, []string{s.scope}, options...)
	if err == nil {
		return issued{Secret(result.AccessToken), result.ExpiresOn}, true, nil
	}
	e := s.failure().explain(err)
	if e.temporary || ctx.Err() != nil {
		return issued{}, false, e
	}
	return issued{}, false, nil
}

// ask shows the code, once, and waits until the person has signed in. A code outlives a
// failed poll, so that the next attempt goes on with it.
func (s *signIn) ask(ctx context.Context, client *public.Client, r request) (issued, error) {
	if s.code == nil {
		var options []public.AcquireByDeviceCodeOption
		if r.claims != "" {
			options = append(options, public.WithClaims(r.claims))
		}
		code, err := client.AcquireTokenByDeviceCode(ctx, []string{s.scope}, options...)
		if err != nil {
			return issued{}, s.failure().explain(err)
		}
		s.provider.cfg.Prompt(printable(code.Result.Message))
		s.code = &code
	}
	result, err := s.code.AuthenticationResult(ctx)
	if err != nil {
		e := s.explain(ctx, err)
		if !e.temporary {
			s.code = nil
		}
		return issued{}, e
	}
	s.code = nil
	s.provider.mu.Lock()
	s.provider.account = printable(result.Account.PreferredUsername)
	s.provider.mu.Unlock()
	return issued{Secret(result.AccessToken), result.ExpiresOn}, nil
}

// explain tells a code that ran out from an answer that did not come: MSAL stops polling at
// the end of the code with the error of a deadline.
func (s *signIn) explain(ctx context.Context, err error) *Error {
	e := s.failure().explain(err)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && !time.Now().Before(s.code.Result.ExpiresOn) {
		e.Code, e.Message, e.cause, e.temporary = "expired_token", "the code ran out before anyone signed in", nil, false
		e.Hint = s.failure().advice.word(e.Code)
	}
	return e
}

// failure names the code itself among what must not show: who has it can finish the sign-in.
func (s *signIn) failure() failure {
	f := s.provider.failure(action(s.scope))
	if s.code != nil {
		f.known = append(f.known, Secret(s.code.Result.DeviceCode))
	}
	return f
}

// person makes the one MSAL client of a person, whose account serves every scope.
func (p *Provider) person() (*public.Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.public != nil {
		return p.public, nil
	}
	client, err := public.New(p.cfg.ClientID,
		public.WithAuthority(p.cfg.Authority+"/"+p.cfg.TenantID),
		public.WithInstanceDiscovery(false),
		public.WithHTTPClient(guardedClient(p.cfg.HTTPClient, &guard{host: p.host})))
	if err != nil {
		return nil, p.failure("make a client").explain(err)
	}
	p.public = &client
	return p.public, nil
}
