package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	mcpadapter "patchbay/internal/expose/mcp"
	"patchbay/internal/expose/page"
	"patchbay/internal/expose/rest"
	"patchbay/internal/fault"
	"patchbay/internal/guard"
	"patchbay/internal/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/problem"
	"patchbay/internal/sandbox"
	"patchbay/internal/telemetry"
	"patchbay/internal/upstream"
)

// Engine serves a deployment until it is shut down.
type Engine struct {
	log     *slog.Logger
	access  *telemetry.Logger
	ids     *telemetry.IDs
	version string
	// current is what requests are served by; swapping it is how a deployment
	// replaces another.
	current   atomic.Pointer[Deployment]
	listeners []*listener
	sandbox   *listener
	failed    chan error
	serving   sync.WaitGroup
	// base is the parent of every request's context; stop ends it when the
	// drain time is over.
	base context.Context
	stop context.CancelCauseFunc
}

// listener is one adapter on its sockets.
type listener struct {
	namespace string
	kind      string
	host      string
	sockets   []net.Listener
	server    *http.Server
	handler   atomic.Pointer[http.Handler]
}

// URL returns the address a client on this machine uses.
func (l *listener) url() string {
	_, port, _ := net.SplitHostPort(l.sockets[0].Addr().String())
	host := l.host
	switch host {
	case "localhost", "0.0.0.0", "::", "":
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Config is what an engine needs besides the deployment.
type Config struct {
	Log     *slog.Logger
	Version string
}

// New returns an engine that serves nothing yet.
func New(c Config) *Engine {
	base, stop := context.WithCancelCause(context.Background())
	return &Engine{
		base: base, stop: stop,
		log: c.Log, access: telemetry.NewLogger(c.Log), ids: telemetry.NewIDs(), version: c.Version, failed: make(chan error, 1),
	}
}

// Served describes a listening adapter.
type Served struct {
	Namespace, Kind, URL string
	REST                 *plan.RESTAdapter
	MCP                  *plan.MCPAdapter
	// Tools are those of MCP that the operator's selection offers.
	Tools []*plan.Tool
}

// StartSandbox opens the simulator on its address, and returns its URL.
func (e *Engine) StartSandbox(opts *deploy.Options, env *bind.Environment) (string, error) {
	log := e.log
	if opts.Sandbox.Enabled && !log.Enabled(context.Background(), slog.LevelDebug) {
		log = nil // the adapter's own line says it all
	}
	box, err := NewSandbox(opts.Sandbox, env, log)
	if err != nil {
		return "", err
	}
	address := opts.Sandbox.Listen
	if address == "" {
		address = "localhost:0"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("%s %s: not HOST:PORT", sandboxFlag(&opts.Sandbox, "listen"), address)
	}
	if !upstream.IsLoopback(host) && !opts.AllowUnauthenticated {
		return "", fmt.Errorf("the sandbox would be reachable from outside on %s; start with --allow-unauthenticated if that is meant", address)
	}
	sockets, err := listen(host, port)
	if err != nil {
		return "", fmt.Errorf("the sandbox cannot listen on %s: %w; choose another address with %s HOST:PORT", address, err, sandboxFlag(&opts.Sandbox, "listen"))
	}
	l := &listener{namespace: "sandbox", kind: "sandbox", host: host, sockets: sockets}
	handler, err := e.guarded(box, host, opts)
	if err != nil {
		return "", err
	}
	l.handler.Store(&handler)
	e.sandbox = l
	e.serve(l, opts)
	return l.url(), nil
}

// sandboxFlag is how the command line calls an option of the simulator, which
// runs beside a deployment or alone.
func sandboxFlag(opts *deploy.Sandbox, name string) string {
	if opts.Enabled {
		return "--sandbox-" + name
	}
	return "--" + name
}

// NewSandbox returns the simulator as the options want it. It accepts exactly
// the credentials of TWILIO_USER and TWILIO_PASS where both are set.
func NewSandbox(opts deploy.Sandbox, env *bind.Environment, log *slog.Logger) (*sandbox.Sandbox, error) {
	faults, err := sandbox.ParseFaults(opts.Faults)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sandboxFlag(&opts, "faults"), err)
	}
	out := sandbox.Options{SetupDelay: opts.SetupDelay, SeedChannels: opts.SeedChannels, Faults: faults, Log: log}
	user, _, hasUser := env.Lookup("TWILIO_USER")
	password, _, hasPassword := env.Lookup("TWILIO_PASS")
	if hasUser && hasPassword {
		out.Username, out.Password = user.Reveal(), password.Reveal()
	}
	return sandbox.New(out), nil
}

// Start opens every adapter of the deployment. Nothing is served when one of
// them cannot open; [Engine.Shutdown] then closes those that did.
func (e *Engine) Start(d *Deployment) ([]Served, error) {
	endpoints := d.endpoints()
	selection, err := selectionOf(d)
	if err != nil {
		return nil, err
	}
	if err := e.open(d, endpoints); err != nil {
		return nil, err
	}
	var served []Served
	for i, l := range e.listeners {
		s := Served{Namespace: l.namespace, Kind: l.kind, URL: l.url(), REST: endpoints[i].rest, MCP: endpoints[i].mcp}
		if l.kind == "mcp" {
			s.URL += "/mcp"
			s.Tools = selection.Offered(s.MCP)
		}
		served = append(served, s)
	}
	for i, l := range e.listeners {
		h, err := e.handler(d, &endpoints[i], l, served)
		if err != nil {
			return nil, err
		}
		l.handler.Store(&h)
	}
	e.current.Store(d)
	for _, l := range e.listeners {
		e.serve(l, d.Options)
	}
	return served, nil
}

func (e *Engine) open(d *Deployment, endpoints []endpointOf) error {
	for i := range endpoints {
		at := &endpoints[i]
		host, port, err := listenAddress(at, d.Options)
		if err != nil {
			return err
		}
		if !upstream.IsLoopback(host) && !at.guarded && !d.Options.AllowUnauthenticated {
			return fmt.Errorf("%s would be reachable from outside on %s without credentials, and would spend yours; declare authentication on the adapter, "+
				"or start with --allow-unauthenticated", at.namespace, net.JoinHostPort(host, port))
		}
		sockets, err := listen(host, port)
		if err != nil {
			return listenFault(at.namespace, host, port, err)
		}
		kind := "rest"
		if at.mcp != nil {
			kind = "mcp"
		}
		e.listeners = append(e.listeners, &listener{namespace: at.namespace, kind: kind, host: host, sockets: sockets})
	}
	if len(endpoints) == 0 {
		return errors.New("the capability exposes no adapter that listens")
	}
	return nil
}

func (e *Engine) handler(d *Deployment, at *endpointOf, l *listener, served []Served) (http.Handler, error) {
	var h http.Handler
	if at.rest != nil {
		pages, err := e.pages(d, at, l, served)
		if err != nil {
			return nil, err
		}
		h = rest.New(rest.Options{
			Bound: at.bound, Adapter: at.rest, Verifier: at.bound.RESTVerifier(at.rest), MaxBody: d.Options.Limits.MaxBody,
			Log: e.access, IDs: e.ids, Pages: pages,
		})
	} else {
		options := e.mcpOptions(d, at.bound, at.mcp)
		server, err := mcpadapter.New(options)
		if err != nil {
			return nil, err
		}
		h = mcpadapter.NewEndpoint(server, options, mcp.HTTPOptions{MaxBodyBytes: d.Options.Limits.MaxBody + 1<<16}).Guard(at.bound.MCPVerifier(at.mcp))
	}
	return e.guarded(h, l.host, d.Options)
}

// Check makes everything that serving a deployment would make, without
// listening, and returns what would keep it from being served: files of
// resources and prompts that cannot be read, selections of tools that do not
// exist.
func (e *Engine) Check(d *Deployment) error {
	if _, err := selectionOf(d); err != nil {
		return err
	}
	var errs []error
	for _, b := range d.Bound {
		for _, a := range b.Plan.MCP {
			if _, err := mcpadapter.New(e.mcpOptions(d, b, a)); err != nil {
				errs = append(errs, fmt.Errorf("%s: %s: %w", b.Plan.Document.File, a.Namespace, err))
			}
		}
	}
	return errors.Join(errs...)
}

// selectionOf is the operator's choice of tools, in which every name is one of
// the deployment's.
func selectionOf(d *Deployment) (*mcpadapter.Selection, error) {
	s := &mcpadapter.Selection{ReadOnly: d.Options.ReadOnly, Tools: d.Options.Tools, Tags: d.Options.Tags}
	var adapters []*plan.MCPAdapter
	for _, b := range d.Bound {
		adapters = append(adapters, b.Plan.MCP...)
	}
	return s, s.Check(adapters...)
}

func (e *Engine) mcpOptions(d *Deployment, b *plan.Bound, a *plan.MCPAdapter) mcpadapter.Options {
	o := d.Options
	return mcpadapter.Options{
		Bound: b, Adapter: a, Version: e.version, Log: e.access, IDs: e.ids, MaxResult: o.MaxResult,
		Selection: mcpadapter.Selection{ReadOnly: o.ReadOnly, Tools: o.Tools, Tags: o.Tags},
	}
}

func (e *Engine) pages(d *Deployment, at *endpointOf, l *listener, served []Served) (map[string]rest.Page, error) {
	info := page.Info{Version: e.version, Bound: at.bound, Adapter: at.rest, BaseURL: l.url(), Source: d.Loaded.Source(at.bound.Plan.Document.File), Sandbox: d.Options.Sandbox.Enabled}
	info.Embedded = d.Loaded.Embedded
	if info.Sandbox {
		info.Examples = map[string]string{"InteractionSid": sandbox.SeedInteraction, "ChannelSid": sandbox.SeedChannel}
	}
	for _, s := range served {
		if s.MCP != nil {
			info.MCP = append(info.MCP, page.MCPEndpoint{URL: s.URL, Adapter: s.MCP})
		}
	}
	return page.Build(info)
}

// guarded puts the browser defence before a handler.
func (e *Engine) guarded(h http.Handler, host string, opts *deploy.Options) (http.Handler, error) {
	g, err := guard.New(guard.Options{
		Loopback: upstream.IsLoopback(host), Hosts: opts.AllowHosts, Origins: opts.AllowOrigins, Landing: []string{"/", "/.patchbay"},
		Refuse: func(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
			id := e.ids.Next()
			status := problem.Write(w, f, id)
			e.access.Log(r.Context(), &telemetry.Access{Protocol: "guard", Method: r.Method, Status: status, RequestID: id, Fault: f})
		},
	})
	if err != nil {
		return nil, err
	}
	return g.Wrap(h), nil
}

func (e *Engine) serve(l *listener, opts *deploy.Options) {
	l.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			(*l.handler.Load()).ServeHTTP(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return e.base },
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      opts.Limits.Total + 60*time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(serverNoise{e.log.Handler()}, slog.LevelDebug),
	}
	for _, s := range l.sockets {
		e.serving.Go(func() {
			if err := l.server.Serve(s); err != nil && !errors.Is(err, http.ErrServerClosed) {
				select {
				case e.failed <- fmt.Errorf("%s stopped: %w", l.namespace, err):
				default:
				}
			}
		})
	}
}

// serverNoise passes net/http's own messages on at debug level: broken
// connections are the client's affair.
type serverNoise struct{ slog.Handler }

// Failed delivers an error when a listener breaks.
func (e *Engine) Failed() <-chan error { return e.failed }

// Shutdown stops accepting and lets requests under way finish within the drain
// time. Those that do not are told that the gateway is stopping, and then cut
// off, which is the error. Calling it before Start is allowed.
func (e *Engine) Shutdown(drain time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	// The simulator ends last: draining requests still call it.
	err := e.end(ctx, e.listeners)
	if e.sandbox != nil {
		err = errors.Join(err, e.end(ctx, []*listener{e.sandbox}))
	}
	e.stop(nil)
	e.serving.Wait()
	if d := e.current.Load(); d != nil {
		d.Close()
	}
	return err
}

// farewell is how long a request that is told to stop may take to say so.
const farewell = time.Second

func (e *Engine) end(ctx context.Context, listeners []*listener) error {
	var group sync.WaitGroup
	errs := make([]error, len(listeners))
	for i, l := range listeners {
		if l.server == nil {
			for _, s := range l.sockets {
				_ = s.Close()
			}
			continue
		}
		group.Go(func() {
			if l.server.Shutdown(ctx) == nil {
				return
			}
			errs[i] = fmt.Errorf("%s: requests under way did not finish within the drain time", l.namespace)
			e.stop(fault.New(fault.Busy, "the gateway is stopping"))
			last, cancel := context.WithTimeout(context.Background(), farewell)
			defer cancel()
			if l.server.Shutdown(last) != nil {
				_ = l.server.Close()
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// Stdio serves the first MCP adapter of a deployment on a pair of streams.
func (e *Engine) Stdio(ctx context.Context, d *Deployment, in io.Reader, out io.Writer) error {
	if _, err := selectionOf(d); err != nil {
		return err
	}
	for _, b := range d.Bound {
		if len(b.Plan.MCP) == 0 {
			continue
		}
		server, err := mcpadapter.New(e.mcpOptions(d, b, b.Plan.MCP[0]))
		if err != nil {
			return err
		}
		return server.Serve(ctx, in, out, mcp.StdioOptions{Drain: d.Options.Drain})
	}
	var names []string
	for _, b := range d.Bound {
		names = append(names, b.Plan.Document.File)
	}
	return fmt.Errorf("%s exposes no MCP adapter", strings.Join(names, ", "))
}
