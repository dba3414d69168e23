// Command exoaudit keeps the audit configuration of Exchange Online tenants as
// a policy file says it must be.
package main

import (
	"context"
	"os"

	"github.com/exoaudit/exoaudit/cmd/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	var signals cli.Signals
	ctx, stop := signals.NotifyContext(context.Background(), os.Exit)
	defer stop()
	env := cli.ProcessEnvironment()
	env.Signals = &signals
	return cli.Main(ctx, os.Args[1:], cli.StandardStreams(), env)
}
