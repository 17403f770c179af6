// Command patchbay runs capability files: it serves the APIs they consume as
// REST and as MCP tools.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"patchbay/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	cli.Pace(os.LookupEnv)
	os.Exit(cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.LookupEnv))
}
