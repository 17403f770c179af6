package cli

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"patchbay/internal/diag"
	"patchbay/internal/engine"
)

func (c *command) validate() *cobra.Command {
	var strict, bindToo bool
	var format string
	cmd := &cobra.Command{
		Use:   "validate [FILE...]",
		Short: "Say what is wrong with a capability, and where",
		Long: `Compiles capability files and prints every finding with its place. Nothing is
read from the environment and nothing is called. Without FILE it judges the
embedded capability. The exit code is 0 when the files can be served, 1 when
they cannot, 2 when the command line is wrong.`,
		Example: `  patchbay validate
  patchbay validate --strict my-capability.yaml
  patchbay validate --format json my-capability.yaml
  patchbay validate --bind --env-file twilio.env my-capability.yaml`,
	}
	f := c.newFlags(cmd)
	set := cmd.Flags()
	set.BoolVar(&strict, "strict", false, "take warnings for errors")
	set.BoolVar(&bindToo, "bind", false, "also look whether every variable has a value and every file that is named can be read")
	set.StringVar(&format, "format", "text", "form of the findings: `text|json`")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if format != "text" && format != "json" {
			return usageError{fmt.Errorf("--format %s: want text or json", format)}
		}
		opts, err := f.options(args)
		if err != nil {
			return err
		}
		loaded, found, err := engine.Load(opts)
		if err != nil {
			return err
		}
		if bindToo {
			env, err := f.environment()
			if err != nil {
				return err
			}
			d, more, err := engine.Bind(loaded, opts, engine.BindOptions{Environment: env, Version: Version()})
			if err != nil {
				return usageError{err}
			}
			defer d.Close()
			found = append(found, more...).Sorted()
			if !found.HasErrors() {
				if err := engine.New(engine.Config{Log: slog.New(slog.DiscardHandler), Version: Version()}).Check(d); err != nil {
					return err
				}
			}
		}
		if strict {
			found = found.Strict()
		}
		return c.printFindings(found, loaded, format, args)
	}
	return cmd
}

func (c *command) printFindings(found diag.List, loaded *engine.Loaded, format string, args []string) error {
	if format == "json" {
		if err := diag.PrintJSON(c.Out, found); err != nil {
			return err
		}
	} else {
		if err := c.printDiagnostics(c.Out, found, loaded.Source); err != nil {
			return err
		}
		what := fmt.Sprintf("%d files", len(args))
		switch len(args) {
		case 0:
			what = "the embedded capability"
		case 1:
			what = args[0]
		}
		verdict := "can be served"
		if found.HasErrors() {
			verdict = "cannot be served"
		}
		fmt.Fprintf(c.Err, "patchbay: %s %s: %s\n", what, verdict, diag.Summary(found))
	}
	if found.HasErrors() {
		return silentError{}
	}
	return nil
}
