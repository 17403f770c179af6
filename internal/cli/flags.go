package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
)

// flags are the common flags, which fill the operator's options.
type flags struct {
	// opts are what the flags fill. What holds is what options returns.
	opts deploy.Options
	// set are the flags themselves, config the deployment file's name.
	set       *pflag.FlagSet
	config    string
	renames   []string
	listen    []string
	mounts    []string
	upstreams []string
	checks    []string
	bodyTypes []string
	// quiet keeps the log out of a single call's output unless it is asked for.
	quiet      bool
	lookupEnv  func(string) (string, bool)
	listenable bool
	// observed reports that the command tells of requests to others.
	observed  bool
	retries   int
	noBreaker bool
	// reads is called before the files are read that the decisions name, the
	// deployment file itself aside; nil is nobody.
	reads func(*decisions)
}

// newFlags registers the flags that say what is run and with which values.
func (c *command) newFlags(cmd *cobra.Command) *flags {
	f := &flags{opts: deploy.Defaults(), lookupEnv: c.lookup, set: cmd.Flags()}
	f.retries = f.opts.Limits.Retry.Attempts - 1
	set := cmd.Flags()
	set.SortFlags = false
	f.configFlag(cmd)
	set.StringArrayVar(&f.opts.EnvFiles, "env-file", nil, "read variables from `FILE` (NAME=value lines), after the environment; repeatable")
	set.StringArrayVar(&f.renames, "map-env", nil, "take the variable NAME, of all files or of those with a NAMESPACE (in which * is anything), from the variable OTHER: `[NAMESPACE.]NAME=OTHER`; names only, never values; repeatable")
	set.StringArrayVar(&f.opts.ShareEnv, "share-env", nil, "confirm that the variable `NAME` may be sent to several providers, or to one that its name does not belong to; repeatable")
	set.StringArrayVar(&f.opts.Contracts, "contract", nil, "OpenAPI document, or folder of them, about the consumed APIs: `FILE|DIR`; repeatable")
	set.BoolVar(&f.opts.ContractsFirst, "contracts-first", false, "let --contract win over the contracts that Patchbay carries")
	set.StringArrayVar(&f.upstreams, "upstream", nil, "send the calls of a consumed namespace to another base address: `NAMESPACE=URL`; repeatable")
	set.StringArrayVar(&f.bodyTypes, "body-type", nil, "how bodies are encoded where neither the file nor a contract says: `NAMESPACE=form|json`; repeatable")
	set.BoolVar(&f.opts.AllowPlainHTTP, "allow-plain-http", false, "allow credentials over plain http to other machines")
	set.StringArrayVar(&f.checks, "request-checks", nil, "what a broken rule of a contract does: `[NAMESPACE=]enforce|warn|off` (default enforce); repeatable")
	return f
}

// sandboxFlags registers the simulator's flags.
func (f *flags) sandboxFlags(cmd *cobra.Command) {
	set := cmd.Flags()
	set.BoolVar(&f.opts.Sandbox.Enabled, "sandbox", false, "answer with the built-in simulator: no network, no credentials")
	set.StringVar(&f.opts.Sandbox.Listen, "sandbox-listen", "", "the simulator's `HOST:PORT` (default a free port on loopback)")
	set.DurationVar(&f.opts.Sandbox.SetupDelay, "sandbox-setup-delay", f.opts.Sandbox.SetupDelay, "how long a new channel stays in set-up")
	set.IntVar(&f.opts.Sandbox.SeedChannels, "sandbox-seed-channels", 1, "how many channels the simulator's seeded interaction has, to try paging with")
	set.StringVar(&f.opts.Sandbox.Faults, "sandbox-faults", "", "`FAULTS` to inject, such as 429:2,slow=300ms:* (twice a 429, then slow for ever)")
}

// limitFlags registers the bounds of requests and calls.
func (f *flags) limitFlags(cmd *cobra.Command) {
	set, l := cmd.Flags(), &f.opts.Limits
	set.Int64Var(&l.MaxBody, "max-body", l.MaxBody, "largest request body, in `BYTES`")
	set.Int64Var(&l.MaxResponse, "max-response", l.MaxResponse, "largest upstream answer after decompression, in `BYTES`")
	set.IntVar(&l.MaxConcurrent, "max-concurrent", l.MaxConcurrent, "most calls to one upstream at a time, as `N`")
	set.IntVar(&l.MaxQueue, "max-queue", l.MaxQueue, "most calls that wait for their turn at one upstream, as `N`; more are refused")
	set.IntVar(&f.retries, "retries", f.retries, "how often a call is made again at most, as `N`, where that cannot double an effect; 0 never")
	set.BoolVar(&f.noBreaker, "no-breaker", false, "go on calling an upstream that fails again and again")
	set.DurationVar(&l.Connect, "connect-timeout", l.Connect, "time to connect to an upstream")
	set.DurationVar(&l.Header, "header-timeout", l.Header, "time until an upstream's answer begins")
	set.DurationVar(&l.Total, "timeout", l.Total, "time for a whole upstream call, and for all the steps of an operation together")
	set.DurationVar(&f.opts.Drain, "drain", f.opts.Drain, "time for requests under way when stopping")
}

// toolFlags registers which tools are offered and how much they return.
func (f *flags) toolFlags(cmd *cobra.Command) {
	set := cmd.Flags()
	set.BoolVar(&f.opts.ReadOnly, "read-only", false, "offer only tools whose upstream methods change nothing")
	set.StringArrayVar(&f.opts.Tools, "tool", nil, "offer only tools of this `NAME`; repeatable")
	set.StringArrayVar(&f.opts.Tags, "tag", nil, "offer only tools with this `TAG`; repeatable")
	set.IntVar(&f.opts.MaxResult, "max-result", f.opts.MaxResult, "largest result of a tool, in `BYTES`; longer lists are cut; 0 cuts nothing")
}

// listenFlags registers where adapters listen and who may call.
func (f *flags) listenFlags(cmd *cobra.Command) {
	set := cmd.Flags()
	f.listenable = true
	set.StringArrayVar(&f.listen, "listen", nil, "where an adapter listens: `NAMESPACE=HOST:PORT`; repeatable")
	set.StringVar(&f.opts.ListenREST, "listen-rest", "", "where all REST adapters listen that --listen does not name: `HOST:PORT`")
	set.StringVar(&f.opts.ListenMCP, "listen-mcp", "", "the same for MCP adapters: `HOST:PORT`")
	f.mountFlags(cmd)
	set.BoolVar(&f.opts.SkipInvalid, "skip-invalid", false, "where some of several files have errors, serve the others")
	set.StringArrayVar(&f.opts.AllowHosts, "allow-host", nil, "another `NAME` under which the listeners are known; repeatable")
	set.StringArrayVar(&f.opts.AllowOrigins, "allow-origin", nil, "a web page's `ORIGIN` that may call, such as https://app.example; repeatable")
	set.StringVar(&f.opts.TLS.Certificate, "tls-cert", "", "speak TLS, with the certificates of `FILE` (PEM), which is read again when it changes")
	set.StringVar(&f.opts.TLS.Key, "tls-key", "", "the key of --tls-cert, as `FILE` (PEM)")
	set.StringVar(&f.opts.TLS.ClientCA, "client-ca", "", "let in only clients that show a certificate of an authority in `FILE` (PEM); needs --tls-cert")
	set.BoolVar(&f.opts.AllowUnauthenticated, "allow-unauthenticated", false, "let adapters without credentials be reached from outside")
}

// mountFlags registers where the routes of several files stand.
func (f *flags) mountFlags(cmd *cobra.Command) {
	set := cmd.Flags()
	set.StringArrayVar(&f.mounts, "mount", nil, "put the routes of a REST adapter under a path: `NAMESPACE=/PATH`; repeatable")
	set.BoolVar(&f.opts.MountAll, "mount-all", false, "put the routes of each REST adapter under its namespace")
}

// logFlags registers how the log is written.
func (f *flags) logFlags(cmd *cobra.Command) {
	t := &f.opts.Telemetry
	cmd.Flags().StringVar(&t.LogFormat, "log-format", t.LogFormat, "form of the log: `text|json`")
	cmd.Flags().StringVar(&t.LogLevel, "log-level", t.LogLevel, "least level that is logged: `debug|info|warn|error`")
}

// options puts the flags over a base, which is the defaults or what a deployment
// file says, and checks them. Files that are named replace those of the base. With
// an error about what does not go together, the options are there all the same.
func (f *flags) options(files []string, base deploy.Options) (*deploy.Options, error) {
	f.overlay(base)
	out := f.opts
	o := &out
	if len(files) > 0 {
		o.Files = files
	}
	if f.quiet && !f.set.Changed("log-level") {
		o.Telemetry.LogLevel = "error"
	}
	if err := f.namespaced(o); err != nil {
		return nil, err
	}
	if err := f.resilience(o); err != nil {
		return nil, err
	}
	if err := f.collector(o); err != nil {
		return nil, err
	}
	if err := o.Check(); err != nil {
		return o, usageError{err}
	}
	return o, nil
}

// resilience adds the flags that say an option in other terms.
func (f *flags) resilience(o *deploy.Options) error {
	if f.retries < 0 {
		return usageError{fmt.Errorf("--retries %d: want 0 or more", f.retries)}
	}
	if f.set.Changed("retries") {
		o.Limits.Retry.Attempts = f.retries + 1
	}
	if f.noBreaker {
		o.Limits.Breaker.Failures = -1
	}
	return nil
}

// namespaced adds the flags that are about a namespace or a variable.
func (f *flags) namespaced(o *deploy.Options) error {
	for _, target := range []struct {
		flag, form string
		given      []string
		into       map[string]string
	}{
		{"map-env", "[NAMESPACE.]NAME=OTHER", f.renames, o.Renames},
		{"listen", "NAMESPACE=HOST:PORT", f.listen, o.Listen},
		{"mount", "NAMESPACE=/PATH", f.mounts, o.Mounts},
		{"upstream", "NAMESPACE=URL", f.upstreams, o.Upstreams},
		{"body-type", "NAMESPACE=form|json", f.bodyTypes, o.BodyTypes},
	} {
		for _, pair := range target.given {
			name, value, ok := strings.Cut(pair, "=")
			if !ok || name == "" || value == "" {
				return usageError{fmt.Errorf("--%s %s: want %s", target.flag, clipArg(pair), target.form)}
			}
			target.into[name] = value
		}
	}
	for _, given := range f.checks {
		ns, mode, ok := strings.Cut(given, "=")
		if !ok {
			ns, mode = "", given
		}
		switch mode {
		case "enforce", "warn", "off":
			o.Checks[ns] = mode
		default:
			return wantOneOf("--request-checks", mode, "enforce", "warn", "off")
		}
	}
	return nil
}

// wantOneOf says that a flag's word is none of those that it takes, and which
// one is meant where that can be told.
func wantOneOf(flag, given string, words ...string) error {
	last := len(words) - 1
	text := fmt.Sprintf("%s %s: want %s or %s", flag, clipArg(given), strings.Join(words[:last], ", "), words[last])
	if near := diag.Nearest(given, words); near != "" {
		text += "; did you mean " + near + "?"
	}
	return usageError{errors.New(text)}
}

// clipArg keeps a mistyped argument, which may be a secret, out of messages.
func clipArg(s string) string {
	if i := strings.IndexByte(s, '='); i >= 0 {
		return s[:i] + "=…"
	}
	if len(s) > 20 {
		return s[:20] + "…"
	}
	return s
}

// environment reads the env files.
func (f *flags) environment(o *deploy.Options) (*bind.Environment, error) {
	return bind.New(bind.Options{Process: f.lookupEnv, EnvFiles: o.EnvFiles, Renames: o.Renames})
}

// logLevel reads the least level of the log, and judges its form with it.
func logLevel(t *deploy.Telemetry) (slog.Level, error) {
	var l slog.Level
	if t.LogFormat != "text" && t.LogFormat != "json" {
		return l, wantOneOf("--log-format", t.LogFormat, "text", "json")
	}
	if err := l.UnmarshalText([]byte(t.LogLevel)); err != nil {
		return l, wantOneOf("--log-level", t.LogLevel, "debug", "info", "warn", "error")
	}
	return l, nil
}
