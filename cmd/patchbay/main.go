// Command patchbay runs capability files: it serves the APIs they consume as
// REST and as MCP tools.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"patchbay/internal/cli"
)

func main() {
	// net/http's client has no logger of its own: what upstreams send unasked it
	// repeats to the one of the process, which would write it to standard error in
	// another form than the log's, and with the secrets that are in it.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.LookupEnv))
}
