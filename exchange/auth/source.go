package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

// source gives the tokens of one scope: one attempt at a time for all callers, tried again
// where that may help.
type source struct {
	provider *Provider
	scope    string
	flight   singleflight.Group
	issuer   issuer // nil for a token of the caller's own

	mu         sync.Mutex
	generation int    // how often tokens were dropped
	claims     string // of the challenge that dropped the last one
	served     bool   // a token of this generation has been handed out
}

// Format writes the scope for every verb: what a source holds is not for printing.
func (s *source) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "auth: source of tokens for "+printable(s.scope))
}

// Token returns a token with its expiry, from what is held or the authority.
func (s *source) Token() (*oauth2.Token, error) { return s.token(s.provider.ctx) }

func (s *source) token(ctx context.Context) (*oauth2.Token, error) {
	if s.issuer == nil {
		return s.given(), nil
	}
	for _, ctx := range []context.Context{s.provider.ctx, ctx} {
		if err := ctx.Err(); err != nil {
			return nil, s.provider.failure(action(s.scope)).explain(err)
		}
	}
	flight := s.flight.DoChan("", func() (any, error) { return s.acquire() })
	var got singleflight.Result
	select {
	case got = <-flight:
	case <-ctx.Done():
		if s.provider.ctx.Err() == nil {
			return nil, s.provider.failure(action(s.scope)).explain(ctx.Err())
		}
		got = <-flight // it ends by the same context, and leaves nothing behind
	}
	if got.Err != nil {
		return nil, got.Err
	}
	token := *got.Val.(*oauth2.Token) // callers of one flight must not share what they may change
	return &token, nil
}

// given returns the caller's own token as it is. Its expiry is told where it can be read,
// and never acted on here: the service decides.
func (s *source) given() *oauth2.Token {
	access := s.provider.cfg.AccessToken
	return &oauth2.Token{AccessToken: access.Reveal(), TokenType: "Bearer", Expiry: jwtExpiry(access)}
}

func (s *source) acquire() (*oauth2.Token, error) {
	s.mu.Lock()
	r := request{generation: s.generation, fresh: !s.served, claims: s.claims}
	s.mu.Unlock()
	got, err := again(s.provider.ctx, func() (issued, error) { return s.issuer.acquire(s.provider.ctx, r) })
	if err != nil {
		return nil, err
	}
	if invalid := validToken(got.access); invalid != nil {
		return nil, &Error{Action: action(s.scope), Host: s.provider.host, Message: "the authority sent a token that cannot be used in a header"}
	}
	s.mu.Lock()
	if s.generation == r.generation {
		s.served, s.claims = true, ""
	}
	s.mu.Unlock()
	return &oauth2.Token{AccessToken: got.access.Reveal(), TokenType: "Bearer", Expiry: got.expiry}, nil
}

// Invalidate drops the token that was handed out last; see Provider.Invalidate.
func (s *source) Invalidate() { s.drop("") }

// Challenge drops the token that was handed out last, as Invalidate does, and passes the
// claims that the service asked for in its 401 on to the authority with the next request.
// What is not a JSON object of a reasonable size is not passed on. A managed identity has no
// way to pass claims on, and a token of the caller's own stays.
func (s *source) Challenge(claims string) {
	const most = 8 << 10
	var object map[string]any
	if len(claims) > most || json.Unmarshal([]byte(claims), &object) != nil || object == nil {
		claims = ""
	}
	s.drop(claims)
}

func (s *source) drop(claims string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.served {
		return
	}
	s.generation++
	s.served, s.claims = false, claims
	s.flight.Forget("") // a call under way may hold the old token
}

// jwtExpiry reads the expiry of a token that looks like a JWT, the zero time where it does
// not. Nothing is verified: this is for people and for renewing early.
func jwtExpiry(token Secret) time.Time {
	c, _ := decodeClaims(token.Reveal())
	return c.expiry
}
