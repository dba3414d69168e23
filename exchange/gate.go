package exchange

import (
	"context"
	"fmt"
)

// gateKey is the key of a gate in a context.
type gateKey struct{}

// WithGate returns a context in which gate is asked right before each request that
// writes: after every wait for the rate, for a throttled call or for a token. Where it
// gives an error the request is not sent, nor is it tried again, and the call fails
// with an error that wraps it. Requests that read are not asked about. It is for a
// right to write that may end while a call waits.
func WithGate(ctx context.Context, gate func() error) context.Context {
	return context.WithValue(ctx, gateKey{}, gate) //nolint:forbidigo // The right belongs to one run; the client outlives it, and every write would pass it on through a dozen calls.
}

// mayWrite asks the gate of the context about a call that is about to be sent.
func mayWrite(ctx context.Context, q call) error {
	gate, ok := ctx.Value(gateKey{}).(func() error)
	if !ok || q.kind != write && q.kind != probe {
		return nil
	}
	if err := gate(); err != nil {
		return fmt.Errorf("%s: not sent: %w", q.cmdlet, err)
	}
	return nil
}
