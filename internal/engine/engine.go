package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/internal/auth"
	"patchbay/internal/deploy"
	mcpadapter "patchbay/internal/expose/mcp"
	"patchbay/internal/fault"
	"patchbay/internal/guard"
	"patchbay/internal/mcp"
	"patchbay/internal/problem"
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
	issuers   *auth.Issuers
	// keys outlives deployments: a key holds across a reload.
	keys    keys
	failed  chan error
	serving sync.WaitGroup
	// base is the parent of every request's context; stop ends it when the
	// drain time is over.
	base context.Context
	stop context.CancelCauseFunc
	// observed is what operators see; see observe.go.
	observed observed
}

// listener is a group of adapters on its sockets.
type listener struct {
	// name is how errors call it.
	name    string
	host    string
	sockets []net.Listener
	server  *http.Server
	// certificates are those of a listener that speaks TLS.
	certificates *certificates
	handler      atomic.Pointer[http.Handler]
}

// URL returns the address a client on this machine uses.
func (l *listener) url() string {
	_, port, _ := net.SplitHostPort(l.sockets[0].Addr().String())
	host := l.host
	switch host {
	case "localhost", "0.0.0.0", "::", "":
		host = "127.0.0.1"
	}
	scheme := "http://"
	if l.certificates != nil {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port)
}

// Config is what an engine needs besides the deployment.
type Config struct {
	Log     *slog.Logger
	Version string
	// Observation is where requests are told of; nil counts and logs them only.
	Observation *Observation
}

// New returns an engine that serves nothing yet.
func New(c Config) *Engine {
	base, stop := context.WithCancelCause(context.Background())
	o := c.Observation
	if o == nil {
		o = plainObservation(c.Log, c.Version)
	}
	e := &Engine{
		base: base, stop: stop, observed: observed{Observation: o, started: time.Now()},
		log: c.Log, access: o.access, ids: telemetry.NewIDs(), version: c.Version, failed: make(chan error, 1),
	}
	e.issuers = newIssuers(e.reportIssuer)
	return e
}

// Start opens every adapter of the deployment. Nothing is served when one of
// them cannot open; [Engine.Shutdown] then closes those that did.
func (e *Engine) Start(d *Deployment) ([]Listening, error) {
	if err := d.checkSelection(); err != nil {
		return nil, err
	}
	if err := e.open(d); err != nil {
		return nil, err
	}
	e.observed.learn(d)
	served := e.listening(d)
	for i, l := range e.listeners {
		h, err := e.handler(d, &d.groups[i], l, served)
		if err != nil {
			return nil, err
		}
		l.handler.Store(&h)
	}
	e.current.Store(d)
	e.inService(served)
	for _, l := range e.listeners {
		e.serve(l, d.Options)
	}
	e.prepareKeys(d)
	return served, nil
}

// open binds the sockets of the deployment's groups, in their order.
func (e *Engine) open(d *Deployment) error {
	if len(d.groups) == 0 {
		return errors.New("the capability exposes no adapter that listens")
	}
	for i := range d.groups {
		g := &d.groups[i]
		if !upstream.IsLoopback(g.host) && !d.Options.AllowUnauthenticated {
			for _, m := range g.members {
				if !m.guarded {
					return fmt.Errorf("%s would be reachable from outside on %s without credentials, and would spend yours; declare authentication on the adapter, "+
						"or start with --allow-unauthenticated", m.namespace, net.JoinHostPort(g.host, g.port))
				}
			}
		}
		l := &listener{name: g.name(), host: g.host}
		if g.tls.On() {
			var err error
			if l.certificates, err = loadCertificates(g.tls, e.log); err != nil {
				return fmt.Errorf("%s cannot speak TLS: %w", l.name, err)
			}
		}
		var err error
		if l.sockets, err = listen(g.host, g.port); err != nil {
			return listenFault(g.members[0].namespace, g.host, g.port, err)
		}
		e.listeners = append(e.listeners, l)
	}
	return nil
}

// guarded puts the browser defence before a handler.
func (e *Engine) guarded(h http.Handler, host string, g *group, opts *deploy.Options) (http.Handler, error) {
	options := guard.Options{
		Loopback: upstream.IsLoopback(host), Hosts: opts.AllowHosts, Origins: append(slices.Clone(opts.AllowOrigins), g.cors.Origins...), MaxAge: g.cors.MaxAge,
		Landing: []string{"/", "/.patchbay"},
		Refuse: func(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
			id := e.ids.Next()
			status := problem.Write(w, f, id)
			e.access.Log(r.Context(), &telemetry.Access{Protocol: "guard", Method: r.Method, Status: status, RequestID: id, Fault: f})
		},
	}
	if g.takesTokens() {
		options.Public = []string{auth.WellKnown}
	}
	before, err := guard.New(options)
	if err != nil {
		return nil, err
	}
	return before.Wrap(h), nil
}

func (e *Engine) serve(l *listener, opts *deploy.Options) {
	bounds := opts.ListenerBounds()
	l.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			endDoubtful(w, r)
			(*l.handler.Load()).ServeHTTP(w, r)
		}),
		BaseContext: func(net.Listener) context.Context { return e.base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return telemetry.WithPeer(ctx, c.RemoteAddr().String())
		},
		ConnState:         e.connState(l.name),
		ReadHeaderTimeout: bounds.ReadHeader,
		ReadTimeout:       bounds.Read,
		WriteTimeout:      bounds.Write,
		IdleTimeout:       bounds.Idle,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(serverNoise{e.log.Handler()}, slog.LevelDebug),
	}
	if l.certificates != nil {
		l.server.TLSConfig = l.certificates.listening()
	}
	open := &connections{name: l.name, places: make(chan struct{}, bounds.MaxConnections), log: e.log}
	for _, s := range l.sockets {
		e.serving.Go(func() {
			if err := l.accept(open.bound(s)); err != nil && !errors.Is(err, http.ErrServerClosed) {
				select {
				case e.failed <- fmt.Errorf("%s stopped: %w", l.name, err):
				default:
				}
			}
		})
	}
}

// accept serves what connects to one of the sockets.
func (l *listener) accept(s net.Listener) error {
	if l.certificates != nil {
		return l.server.ServeTLS(s, "", "")
	}
	return l.server.Serve(s)
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
	e.observed.draining.Store(true)
	// The simulator ends last: draining requests still call it.
	err := e.end(ctx, e.listeners)
	if e.sandbox != nil {
		err = errors.Join(err, e.end(ctx, []*listener{e.sandbox}))
	}
	// Operators see the end from the control listener, which therefore ends after
	// all others; what was to be told of it is told last.
	if e.observed.control != nil {
		last, cancel := context.WithTimeout(context.Background(), farewell)
		err = errors.Join(err, e.end(last, []*listener{e.observed.control}))
		cancel()
	}
	e.stop(nil)
	e.issuers.Close()
	e.serving.Wait()
	told, cancelTold := context.WithTimeout(context.Background(), maxTelling)
	defer cancelTold()
	e.observed.close(told)
	if d := e.current.Load(); d != nil {
		d.Close()
	}
	return err
}

// maxTelling bounds sending the last traces and metrics.
const maxTelling = 5 * time.Second

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
			errs[i] = fmt.Errorf("%s: requests under way did not finish within the drain time", l.name)
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

// Stdio serves the MCP adapters of a deployment on a pair of streams.
func (e *Engine) Stdio(ctx context.Context, d *Deployment, in io.Reader, out io.Writer) error {
	if err := d.checkSelection(); err != nil {
		return err
	}
	var members []mcpadapter.Member
	var names []string
	for _, b := range d.Bound {
		names = append(names, b.Plan.Document.File)
		for _, a := range b.Plan.MCP[:min(1, len(b.Plan.MCP))] {
			members = append(members, mcpadapter.Member{Options: e.mcpOptions(d, b, a)})
		}
	}
	if len(members) == 0 {
		return fmt.Errorf("%s exposes no MCP adapter", strings.Join(names, ", "))
	}
	server, err := mcpadapter.Whole(members)
	if err != nil {
		return err
	}
	return server.Serve(ctx, in, out, mcp.StdioOptions{Drain: d.Options.Drain})
}
