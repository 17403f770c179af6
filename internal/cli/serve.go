package cli

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/engine"
	"patchbay/internal/telemetry"
)

func (c *command) serve() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve [FILE|DIR...]",
		Short: "Serve capabilities as REST and MCP",
		Long: `Serves the adapters of capability files, on loopback unless told otherwise.
Without FILE it serves the embedded capability, Twilio Flex Interactions. Of a
folder it serves all files. Adapters of one type and port share a listener.

With --config or --watch, SIGHUP loads everything again: another deployment is
made beside the one that serves and takes over, without failing a request. Where
anything is wrong, the one before goes on and the log says why.`,
		Example: `  patchbay serve --sandbox
  patchbay serve --map-env TWILIO_USER=TWILIO_ACCOUNT_SID --map-env TWILIO_PASS=TWILIO_AUTH_TOKEN
  patchbay serve my-capability.yaml --env-file secrets.env --listen my-rest=127.0.0.1:8000
  patchbay serve capabilities/ --mount-all --env-file secrets.env
  patchbay serve --config patchbay.yaml --watch`,
	}
	f := c.newFlags(cmd)
	f.sandboxFlags(cmd)
	f.listenFlags(cmd)
	f.toolFlags(cmd)
	f.limitFlags(cmd)
	f.controlFlags(cmd)
	f.observeFlags(cmd)
	f.logFlags(cmd)
	cmd.Flags().DurationVar(&f.opts.LameDuck, "lame-duck", f.opts.LameDuck, "time to go on accepting when told to stop, not ready any more, until balancers have noticed; --drain comes after it")
	cmd.Flags().BoolVar(&f.opts.Watch, "watch", false, "load everything again when one of the files changes")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return c.runServe(cmd.Context(), f, args) }
	return cmd
}

func (c *command) runServe(ctx context.Context, f *flags, files []string) error {
	s, err := c.prepare(f, files, false)
	defer s.end()
	if err != nil {
		return err
	}
	// It can say that nothing is served yet.
	if s.controlURL, err = s.engine.StartControl(s.deploy.Options); err != nil {
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
	stop, err := c.reloads(ctx, s)
	if err != nil {
		return err
	}
	defer stop()
	c.mention(s)
	c.announce(s, served)
	c.settle()
	select {
	case <-ctx.Done():
		return s.retire()
	case err := <-s.engine.Failed():
		return err
	}
}

// retire is what a process does from being told to stop until it stops listening. A
// second signal ends it at once, as it does later on.
func (s *session) retire() error {
	s.engine.Retire()
	opts := s.engine.Current().Options
	if opts.LameDuck > 0 {
		s.say(slog.LevelInfo, "not ready any more, about to stop", "in", opts.LameDuck)
		timer := time.NewTimer(opts.LameDuck)
		defer timer.Stop()
		select {
		case <-timer.C:
		case err := <-s.engine.Failed():
			return err
		}
	}
	s.say(slog.LevelInfo, "stopping", "at most", opts.Drain)
	return nil
}

// say writes to the log what is said at the end. Who has stopped reading it must
// not keep the process from ending.
func (s *session) say(level slog.Level, message string, values ...any) {
	within(lastWord, func() { s.log.Log(context.Background(), level, message, values...) })
}

// within waits for a function to return, but not for ever.
func within(limit time.Duration, do func()) {
	done := make(chan struct{})
	go func() {
		do()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(limit):
	}
}

// lastWord bounds writing a line at the end.
const lastWord = time.Second

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
		defer s.end()
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
	level, err := logLevel(&f.opts.Telemetry)
	if err != nil {
		return err
	}
	log, err := telemetry.NewLog(c.Err, f.opts.Telemetry.LogFormat, level)
	if err != nil {
		return usageError{err}
	}
	env, err := bind.New(bind.Options{Process: c.lookup, EnvFiles: f.opts.EnvFiles})
	if err != nil {
		return err
	}
	e := engine.New(engine.Config{Log: log, Version: Version()})
	defer (&session{flags: f, engine: e, log: log}).end()
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
