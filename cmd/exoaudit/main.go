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
	ctx, stop := cli.NotifyContext(context.Background(), os.Exit)
	defer stop()
	return cli.Main(ctx, os.Args[1:], cli.StandardStreams(), cli.ProcessEnvironment())
}
