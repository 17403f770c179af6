// Package cli is the command line: subcommands, flags, printing and exit
// codes. Data goes to standard output, talk to standard error. Everything it
// does with a capability is the engine's work.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"patchbay/internal/diag"
)

// Streams are the standard streams of a run.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a mistake in the command line itself.
type usageError struct{ error }

// silentError is a failure about which everything has been said.
type silentError struct{}

func (silentError) Error() string { return "failed" }

// Main runs a command line and returns the exit code. lookup reads the process
// environment.
func Main(ctx context.Context, args []string, streams Streams, lookup func(string) (string, bool)) int {
	c := &command{Streams: streams, lookup: lookup}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	ran, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if _, said := errors.AsType[silentError](err); said {
		return exitFailed
	}
	fmt.Fprintf(streams.Err, "patchbay: %v\n", err)
	if _, usage := errors.AsType[usageError](err); usage || strings.HasPrefix(err.Error(), "unknown command") {
		fmt.Fprintf(streams.Err, "see %s --help\n", ran.CommandPath())
		return exitUsage
	}
	return exitFailed
}

// command carries the streams through the subcommands.
type command struct {
	Streams
	lookup func(string) (string, bool)
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "patchbay",
		Short: "Run capability files: HTTP APIs, served as REST and as MCP tools",
		Long: `Patchbay runs capability files. A capability file is a YAML document that
consumes HTTP APIs and exposes them as a REST API and as MCP tools for agents.
Without a file, Patchbay runs the one it carries: Twilio Flex Interactions.`,
		Example: `  patchbay serve --sandbox              try everything, offline, without credentials
  patchbay serve --env-file twilio.env  serve the real API
  patchbay mcp --sandbox                MCP on standard input and output
  patchbay validate my-capability.yaml  what is wrong with a file, and where`,
		SilenceErrors: true, SilenceUsage: true, Version: release,
		Args:              noArgs,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(c.serve(), c.mcp(), c.call(), c.validate(), c.inspect(), c.export(), c.schema(), c.sandbox(), c.version())
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return root
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasParent() {
		return usageError{fmt.Errorf("%s takes no arguments, got %q", cmd.Name(), args[0])}
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	err := fmt.Errorf("there is no command %q", args[0])
	if near := diag.Nearest(args[0], names); near != "" {
		err = fmt.Errorf("there is no command %q; did you mean %s?", args[0], near)
	}
	return usageError{err}
}

// printDiagnostics writes findings for people to standard error.
func (c *command) printDiagnostics(w io.Writer, list diag.List, source func(string) []byte) error {
	return diag.PrintText(w, list, source, diag.TextOptions{Color: isTerminal(w), Max: mostShown})
}

// isTerminal reports whether a stream is shown to a person; only then is there
// colour.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// printable passes text on line by line as it may be shown on a terminal. It
// is for output that repeats what a file says; tabwriters stand before it.
type printable struct{ w io.Writer }

func (p printable) Write(text []byte) (int, error) {
	lines := strings.Split(string(text), "\n")
	for i := range lines {
		lines[i] = diag.Printable(lines[i])
	}
	if _, err := io.WriteString(p.w, strings.Join(lines, "\n")); err != nil {
		return 0, err
	}
	return len(text), nil
}

// without returns the findings that are not of a severity.
func without(list diag.List, sev diag.Severity) diag.List {
	var out diag.List
	for _, d := range list {
		if d.Severity != sev {
			out = append(out, d)
		}
	}
	return out
}
