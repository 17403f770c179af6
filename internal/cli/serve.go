package cli

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
	"patchbay/internal/telemetry"
)

func (c *command) serve() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve [FILE|DIR...]",
		Short: "Serve capabilities as REST and MCP",
		Long: `Serves the adapters of capability files, on loopback unless told otherwise.
Without FILE it serves the embedded capability, Twilio Flex Interactions. Of a
folder it serves all files. Adapters of one type and port share a listener.`,
		Example: `  patchbay serve --sandbox
  patchbay serve --map-env TWILIO_USER=TWILIO_ACCOUNT_SID --map-env TWILIO_PASS=TWILIO_AUTH_TOKEN
  patchbay serve my-capability.yaml --env-file secrets.env --listen my-rest=127.0.0.1:8000
  patchbay serve capabilities/ --mount-all --env-file secrets.env`,
	}
	f := c.newFlags(cmd)
	f.sandboxFlags(cmd)
	f.listenFlags(cmd)
	f.toolFlags(cmd)
	f.limitFlags(cmd)
	f.controlFlags(cmd)
	f.observeFlags(cmd)
	f.logFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return c.runServe(cmd.Context(), f, args) }
	return cmd
}

// session is a deployment on its way to being served.
type session struct {
	engine *engine.Engine
	deploy *engine.Deployment
	log    *slog.Logger
	// sandboxURL is the simulator's address, or "".
	sandboxURL string
	// controlURL is the control listener's address, or "".
	controlURL string
	// found are the findings that do not keep the documents from being served.
	found diag.List
}

// end drains and closes. What had to be cut off is in the log; stopping was
// asked for, and so it succeeds.
func (s *session) end(drain time.Duration) {
	if err := s.engine.Shutdown(drain); err != nil {
		s.log.Warn("stopped", "cause", err)
	}
}

// prepare loads, compiles and binds what the flags say, and starts the
// simulator where it is asked for. With lenient, missing credentials are left
// to the calls. The caller shuts the engine down, also after an error.
func (c *command) prepare(f *flags, files []string, lenient bool) (*session, error) {
	opts, err := f.options(files)
	if err != nil {
		return nil, err
	}
	if _, err := f.level(); err != nil {
		return nil, err
	}
	env, err := f.environment()
	if err != nil {
		return nil, err
	}
	loaded, found, err := engine.Load(opts)
	if err != nil {
		return nil, err
	}
	if found.HasErrors() {
		return nil, c.refuse(found, loaded)
	}
	log, observation, err := c.observe(f)
	if err != nil {
		return nil, err
	}
	s := &session{engine: engine.New(engine.Config{Log: log, Version: Version(), Observation: observation}), log: log}
	if opts.Sandbox.Enabled {
		if s.sandboxURL, err = s.engine.StartSandbox(opts, env); err != nil {
			return s, err
		}
	}
	bound, problems, err := engine.Bind(loaded, opts, engine.BindOptions{Environment: env, SandboxURL: s.sandboxURL, Lenient: lenient, Version: Version(), Issuers: s.engine.Issuers(), Metrics: s.engine.Metrics()})
	if err != nil {
		return s, usageError{err}
	}
	if problems.HasErrors() {
		return s, c.refuseBound(problems, loaded, env, opts.Sandbox.Enabled)
	}
	s.deploy, s.found = bound, append(found, problems...)
	return s, nil
}

// refuse prints why nothing is served.
func (c *command) refuse(list diag.List, loaded *engine.Loaded) error {
	list = ofBroken(without(list, diag.Note))
	if err := c.printDiagnostics(c.Err, list, loaded.Source); err != nil {
		return err
	}
	fmt.Fprintf(c.Err, "\npatchbay: nothing runs: %s\n", diag.Summary(list))
	return silentError{}
}

// ofBroken are the findings about files that have errors: what could be better in
// a hundred others would bury them.
func ofBroken(list diag.List) diag.List {
	broken := map[string]bool{}
	for _, d := range list {
		if d.Severity == diag.Error {
			broken[d.Span.File] = true
		}
	}
	var out diag.List
	for _, d := range list {
		if broken[d.Span.File] {
			out = append(out, d)
		}
	}
	return out
}

// mention prints, in one line, what validate would say at length.
func (c *command) mention(list diag.List, loaded *engine.Loaded, files []string) {
	if n := list.Count(diag.Warning); n > 0 {
		name, command := "the embedded file", "patchbay validate"
		if !loaded.Embedded {
			name = loaded.Plans[0].Document.File
			if len(loaded.Plans) > 1 {
				name = "the files"
			}
			for _, file := range files {
				command += " " + diag.Printable(file)
			}
		}
		fmt.Fprintf(c.Err, "patchbay: %s about %s; %s shows them\n", diag.Summary(without(without(list, diag.Note), diag.Error)), diag.Printable(name), command)
	}
}

func (c *command) runServe(ctx context.Context, f *flags, files []string) error {
	s, err := c.prepare(f, files, false)
	if s != nil {
		defer s.end(f.opts.Drain)
	}
	if err != nil {
		return err
	}
	// It can say that nothing is served yet.
	if s.controlURL, err = s.engine.StartControl(&f.opts); err != nil {
		return err
	}
	served, err := s.engine.Start(s.deploy)
	if err != nil {
		return err
	}
	for i := range s.deploy.Loaded.Skipped {
		skipped := &s.deploy.Loaded.Skipped[i]
		s.log.Warn("a file has errors and is not served", "file", skipped.File, "cause", skipped.Reason())
	}
	c.mention(s.found, s.deploy.Loaded, files)
	c.announce(s, served)
	c.settle()
	select {
	case <-ctx.Done():
		s.log.Info("stopping", "at most", f.opts.Drain)
		return nil
	case err := <-s.engine.Failed():
		return err
	}
}

func (c *command) mcp() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mcp [FILE|DIR...]",
		Short: "Serve the MCP adapters on standard input and output",
		Long: `Serves the tools of capabilities to the process that started it, as desktop
hosts do. Standard output carries nothing but the protocol. Without credentials
it starts all the same; each call then says what is missing.`,
		Example: `  patchbay mcp --sandbox
  patchbay mcp --env-file twilio.env`,
	}
	f := c.newFlags(cmd)
	f.sandboxFlags(cmd)
	f.toolFlags(cmd)
	f.limitFlags(cmd)
	f.observeFlags(cmd)
	f.logFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := c.prepare(f, args, true)
		if s != nil {
			defer s.end(f.opts.Drain)
		}
		if err != nil {
			return err
		}
		c.settle()
		return s.engine.Stdio(cmd.Context(), s.deploy, c.In, c.Out)
	}
	return cmd
}

func (c *command) sandbox() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run the simulator alone",
		Long: `Runs the simulator of the Twilio Flex Interactions API as a server of its own,
for clients and tests that speak to Twilio directly. It accepts any well-formed
credentials, or exactly those of TWILIO_USER and TWILIO_PASS where both are set.`,
		Example: `  patchbay sandbox --listen 127.0.0.1:8081
  curl -u ACme:secret http://127.0.0.1:8081/v1/Interactions/` + seedInteraction(),
		Args: noArgs,
	}
	f := &flags{opts: deploy.Defaults(), lookupEnv: c.lookup}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&f.opts.Sandbox.Listen, "listen", "localhost:8081", "the simulator's `HOST:PORT`")
	set.DurationVar(&f.opts.Sandbox.SetupDelay, "setup-delay", f.opts.Sandbox.SetupDelay, "how long a new channel stays in set-up")
	set.IntVar(&f.opts.Sandbox.SeedChannels, "seed-channels", 1, "how many channels the seeded interaction has, to try paging with")
	set.StringVar(&f.opts.Sandbox.Faults, "faults", "", "`FAULTS` to inject, such as 429:2,slow=300ms:* (twice a 429, then slow for ever)")
	set.StringArrayVar(&f.opts.EnvFiles, "env-file", nil, "read variables from `FILE`; repeatable")
	set.StringArrayVar(&f.opts.AllowHosts, "allow-host", nil, "another `NAME` under which the simulator is known; repeatable")
	set.BoolVar(&f.opts.AllowUnauthenticated, "allow-unauthenticated", false, "let the simulator be reached from outside")
	f.logFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return c.runSandbox(cmd.Context(), f) }
	return cmd
}

func (c *command) runSandbox(ctx context.Context, f *flags) error {
	level, err := f.level()
	if err != nil {
		return err
	}
	log, err := telemetry.NewLog(c.Err, f.logFormat, level)
	if err != nil {
		return usageError{err}
	}
	env, err := bind.New(bind.Options{Process: c.lookup, EnvFiles: f.opts.EnvFiles})
	if err != nil {
		return err
	}
	e := engine.New(engine.Config{Log: log, Version: Version()})
	defer (&session{engine: e, log: log}).end(f.opts.Drain)
	url, err := e.StartSandbox(&f.opts, env)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "The simulator of the Twilio Flex Interactions API listens on %s\n\n  curl -u ACme:secret %s/v1/Interactions/%s\n\nStop with Ctrl-C.\n", url, url, seedInteraction())
	select {
	case <-ctx.Done():
		return nil
	case err := <-e.Failed():
		return err
	}
}
