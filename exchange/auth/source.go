package auth

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

// source gives the tokens of one scope. MSAL caches them and renews one that has five
// minutes left; there is no second cache here.
type source struct {
	provider *Provider
	scope    string
	flight   singleflight.Group

	mu     sync.Mutex
	client *confidential.Client // nil until the first token, and after Invalidate
	served bool                 // a token of this client has been handed out
}

// Format writes the scope for every verb: what a source holds is not for printing.
func (s *source) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "auth: source of tokens for "+printable(s.scope))
}

// Token returns a token with its expiry, from the cache or the authority.
func (s *source) Token() (*oauth2.Token, error) {
	if s.provider.cfg.Kind == KindToken {
		return s.given(), nil
	}
	if err := s.provider.ctx.Err(); err != nil {
		return nil, s.provider.failure(action(s.scope)).explain(err)
	}
	got, err, _ := s.flight.Do("", func() (any, error) { return s.acquire() })
	if err != nil {
		return nil, err
	}
	token := *got.(*oauth2.Token) // callers of one flight must not share what they may change
	return &token, nil
}

// given returns the caller's own token as it is. Its expiry is told where it can be read,
// and never acted on here: the service decides.
func (s *source) given() *oauth2.Token {
	access := s.provider.cfg.AccessToken
	return &oauth2.Token{AccessToken: access.Reveal(), TokenType: "Bearer", Expiry: jwtExpiry(access)}
}

func (s *source) acquire() (*oauth2.Token, error) {
	client, err := s.current()
	if err != nil {
		return nil, err
	}
	result, err := client.AcquireTokenByCredential(s.provider.ctx, []string{s.scope})
	if err != nil {
		return nil, s.provider.failure(action(s.scope)).explain(err)
	}
	if invalid := validToken(Secret(result.AccessToken)); invalid != nil {
		return nil, &Error{Action: action(s.scope), Host: s.provider.host, Message: "the authority sent a token that cannot be used in a header"}
	}
	s.mu.Lock()
	if s.client == client {
		s.served = true
	}
	s.mu.Unlock()
	return &oauth2.Token{AccessToken: result.AccessToken, TokenType: "Bearer", Expiry: result.ExpiresOn}, nil
}

func (s *source) current() (*confidential.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		client, err := s.provider.client()
		if err != nil {
			return nil, err
		}
		s.client = client
	}
	return s.client, nil
}

// Invalidate drops the token that was handed out last; see Provider.Invalidate. The whole
// client goes, since MSAL forgets one token only for a claims challenge, which would be
// sent to the authority.
func (s *source) Invalidate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.served {
		return
	}
	s.client, s.served = nil, false
	s.flight.Forget("") // a call under way may hold the old token
}

// jwtExpiry reads the expiry of a token that looks like a JWT, the zero time where it does
// not. Nothing is verified: this is for people and for renewing early.
func jwtExpiry(token Secret) time.Time {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Expires float64 `json:"exp"`
	}
	const year9999 = 253402300799 // the last second that RFC 3339 can write
	if json.Unmarshal(data, &claims) != nil || claims.Expires <= 0 || claims.Expires > year9999 {
		return time.Time{}
	}
	return time.Unix(int64(claims.Expires), 0)
}
