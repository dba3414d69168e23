package exchange

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/oauth2"
)

// token asks the source for a token that can be sent. The source knows nothing
// of contexts, so it is left behind where the context ends first.
func (c *Client) token(ctx context.Context) (string, error) {
	type result struct {
		token *oauth2.Token
		err   error
	}
	ready := make(chan result, 1)
	go func() {
		token, err := c.tokens.Token()
		ready <- result{token, err}
	}()
	var r result
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r = <-ready:
	}
	if r.err != nil {
		return "", &TokenError{Err: r.err}
	}
	if r.token == nil || r.token.AccessToken == "" || strings.ContainsAny(r.token.AccessToken, " \t\r\n") {
		return "", &TokenError{Err: errors.New("the token source gave an empty or unusable token")}
	}
	return r.token.AccessToken, nil
}

// renew makes the source forget a token that was refused, unless another call
// has done so since, and tells whether it gives another one now. Claims that the
// refusal asks for are handed to a source that can ask for them.
func (c *Client) renew(ctx context.Context, refused, claims string) (bool, error) {
	source, forgets := c.tokens.(interface{ Invalidate() })
	asker, asks := c.tokens.(interface{ Challenge(claims string) })
	asks = asks && claims != ""
	if !forgets && !asks {
		return false, nil
	}
	if err := c.renewing.Acquire(ctx, 1); err != nil {
		return false, err
	}
	defer c.renewing.Release(1)
	current, err := c.token(ctx)
	if err != nil || current != refused {
		return err == nil, err
	}
	if asks {
		asker.Challenge(claims)
	} else {
		source.Invalidate()
	}
	current, err = c.token(ctx)
	return current != refused, err
}

// tokenError is why there is no token. The context's error wins.
func tokenError(ctx context.Context, cmdlet string, err error) error {
	if ctx.Err() != nil {
		return callError(cmdlet, ctx.Err())
	}
	return err
}
