package auth

import (
	"context"
	"time"
)

// issuer gets tokens for one scope from wherever a kind of credential gets them, and keeps
// what it got. It makes one attempt; its errors are explained already.
type issuer interface {
	acquire(ctx context.Context, r request) (issued, error)
}

// request is one attempt to get a token.
type request struct {
	// generation counts how often tokens were dropped; fresh tells that nothing of this
	// generation has been handed out, so that what is held is what was dropped.
	generation int
	fresh      bool
	// claims is the JSON of a claims challenge to pass on, or empty.
	claims string
}

// issued is a token with its end.
type issued struct {
	access Secret
	expiry time.Time
}

// issuer makes the issuer of one scope.
func (p *Provider) issuer(scope string) issuer {
	switch p.cfg.Kind {
	case KindManagedIdentity:
		return &identity{provider: p, scope: scope}
	case KindDeviceCode:
		return &signIn{provider: p, scope: scope}
	default:
		return &application{provider: p, scope: scope}
	}
}
