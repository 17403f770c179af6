// Package deploy holds what an operator decides about a deployment, as typed
// options: they are filled from flags and from a deployment file, and the
// engine reads nothing else. Nothing in a capability file is an operator's
// decision; a file's ports and addresses are defaults that these options
// override.
package deploy

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Options are the operator's decisions. The zero value serves the embedded
// capability on its own ports, on loopback, with real upstreams.
type Options struct {
	// Files are capability files; none means the embedded one.
	Files []string
	// EnvFiles are read in order, after the process environment.
	EnvFiles []string
	// Renames maps a variable of a capability, NAME or NAMESPACE.NAME for the
	// files with that namespace, to the operator's name for it.
	Renames map[string]string
	// ShareEnv lists variables, by the operator's names, that may be sent to
	// several providers, or to one whose name is not theirs.
	ShareEnv []string
	// Contracts are OpenAPI documents, or folders of them, in order of precedence.
	Contracts []string
	// ContractsFirst lets Contracts win over the embedded ones.
	ContractsFirst bool
	// Listen maps an adapter's namespace to host:port.
	Listen map[string]string
	// ListenREST and ListenMCP are the host:port of all adapters of a type that
	// Listen does not name.
	ListenREST, ListenMCP string
	// Mounts maps the namespace of a REST adapter to the path under which its
	// routes stand; MountAll mounts each under its own namespace.
	Mounts   map[string]string
	MountAll bool
	// SkipInvalid serves the other files where one has errors.
	SkipInvalid bool
	// Upstreams maps a consumed namespace to the address that replaces its base.
	Upstreams map[string]string
	// BodyTypes maps a consumed namespace to form or json: how its bodies are
	// encoded where neither the file nor a contract says.
	BodyTypes map[string]string
	// AllowPlainHTTP admits credentials over http beyond loopback.
	AllowPlainHTTP bool
	// Sandbox answers every upstream with the simulator.
	Sandbox Sandbox
	// AllowHosts and AllowOrigins widen the browser defence.
	AllowHosts   []string
	AllowOrigins []string
	// TLS is how the listeners of adapters speak that have no settings of their own.
	TLS ServerTLS
	// AllowUnauthenticated lets adapters be reached from outside without
	// credentials.
	AllowUnauthenticated bool
	// Checks maps a consumed namespace, or "" for all, to enforce, warn or off.
	Checks map[string]string
	Limits Limits
	// Listener bounds the clients of each listener.
	Listener Listener
	// ReadOnly, Tools and Tags bound which tools the MCP adapters offer.
	ReadOnly    bool
	Tools, Tags []string
	// MaxResult bounds the text of a tool's result, in bytes; 0 is no bound.
	MaxResult int
	// LameDuck is how long a process that is told to stop goes on accepting, while
	// it is not ready any more: the time in which balancers notice. Without one it
	// would be time that everybody waits for nothing, so the default is none.
	LameDuck time.Duration
	// Drain bounds the end after that: how long requests under way may take.
	Drain time.Duration
	// Watch loads the deployment again when one of its files changes.
	Watch bool
	// UpstreamSettings and AdapterSettings are decisions about one namespace, or
	// "" for all; [Options.Upstream] and [Options.Adapter] say what holds.
	UpstreamSettings map[string]Upstream
	AdapterSettings  map[string]Adapter
	Control          Control
	Telemetry        Telemetry
	Idempotency      Idempotency
}

// Sandbox says whether and how the simulator stands in for the upstreams.
type Sandbox struct {
	Enabled bool
	// Listen is the simulator's host:port; "" is a free port on loopback.
	Listen string
	// SetupDelay is how long a new channel stays in set-up.
	SetupDelay time.Duration
	// SeedChannels is how many channels the seeded interaction has.
	SeedChannels int
	// Faults are injected from the start; see sandbox.ParseFaults.
	Faults string
}

// Limits bound requests and calls.
type Limits struct {
	// MaxBody and MaxResponse are in bytes.
	MaxBody, MaxResponse int64
	// MaxConcurrent bounds calls under way per upstream, MaxQueue those that wait
	// for their turn.
	MaxConcurrent, MaxQueue int
	// Connect, Header and Total bound a call's phases.
	Connect, Header, Total time.Duration
	// Retry and Breaker hold for the upstreams that have none of their own.
	Retry   Retry
	Breaker Breaker
}

// Defaults returns the options that hold where an operator says nothing.
func Defaults() Options {
	return Options{
		Listen: map[string]string{}, Mounts: map[string]string{}, Upstreams: map[string]string{}, Renames: map[string]string{}, Checks: map[string]string{}, BodyTypes: map[string]string{},
		Sandbox: Sandbox{SetupDelay: 400 * time.Millisecond, SeedChannels: 1},
		Limits: Limits{
			MaxBody: 1 << 20, MaxResponse: 10 << 20, MaxConcurrent: 256, MaxQueue: 1024, Connect: 5 * time.Second, Header: 30 * time.Second, Total: 60 * time.Second,
			Retry: Retry{Attempts: 3, Base: 200 * time.Millisecond, Max: 5 * time.Second}, Breaker: Breaker{Failures: 10, Window: 20, Pause: 5 * time.Second},
		},
		Telemetry:   Telemetry{LogFormat: "text", LogLevel: "info", Sample: 1},
		MaxResult:   64 << 10,
		Drain:       15 * time.Second,
		Idempotency: Idempotency{MaxEntries: 100_000, MaxBytes: 64 << 20, Seconds: 24 * 3600},
	}
}

// Check reports the first decision that cannot be.
func (o *Options) Check() error {
	for ns, address := range o.Listen {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return fmt.Errorf("--listen %s=%s: not HOST:PORT", ns, address)
		}
	}
	for flag, address := range map[string]string{"listen-rest": o.ListenREST, "listen-mcp": o.ListenMCP} {
		if _, _, err := net.SplitHostPort(address); address != "" && err != nil {
			return fmt.Errorf("--%s %s: not HOST:PORT", flag, address)
		}
	}
	for ns, address := range o.Upstreams {
		if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("--upstream %s: not an http or https address", ns)
		}
		if o.Sandbox.Enabled {
			return fmt.Errorf("--upstream %s and --sandbox exclude each other", ns)
		}
	}
	for ns, prefix := range o.Mounts {
		if !IsMount(prefix) {
			return fmt.Errorf("--mount %s=%s: want a path such as /twilio, of letters, digits and -._~, without a slash at its end", ns, prefix)
		}
	}
	if err := o.TLS.Check(); err != nil {
		return fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	for ns, kind := range o.BodyTypes {
		if kind != "form" && kind != "json" {
			return fmt.Errorf("--body-type %s: want form or json", ns)
		}
	}
	for from, to := range o.Renames {
		if strings.ContainsAny(to, "=:/ ") {
			return fmt.Errorf("--map-env %s: the right side is the NAME of a variable, never its value", from)
		}
	}
	if err := o.checkOperate(); err != nil {
		return err
	}
	l := &o.Limits
	if l.Retry.Attempts < 0 || l.MaxQueue < 0 {
		return fmt.Errorf("--retries and --max-queue must not be negative")
	}
	if l.MaxBody <= 0 || l.MaxResponse <= 0 || l.MaxConcurrent <= 0 || l.Connect <= 0 || l.Header <= 0 || l.Total <= 0 || o.Drain < 0 || o.LameDuck < 0 || o.MaxResult < 0 {
		return fmt.Errorf("limits and time-outs must be positive")
	}
	return nil
}

// IsMount reports whether a text is one or more segments of unreserved
// characters (RFC 3986 section 2.3), none of them a dot segment or ours.
func IsMount(prefix string) bool {
	rest, ok := strings.CutPrefix(prefix, "/")
	if !ok {
		return false
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "" || segment == "." || segment == ".." || segment == ".patchbay" || strings.ContainsFunc(segment, reserved) {
			return false
		}
	}
	return true
}

func reserved(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
}
