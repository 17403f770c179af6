package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"patchbay/internal/auth"
	mcpadapter "patchbay/internal/expose/mcp"
	"patchbay/internal/fault"
	"patchbay/internal/mcp"
	"patchbay/internal/telemetry"
	"patchbay/internal/upstream"
)

// Engine serves a deployment until it is shut down, and replaces it by another
// one when it is told to. It is safe for concurrent use.
type Engine struct {
	log     *slog.Logger
	access  *telemetry.Logger
	ids     *telemetry.IDs
	version string
	source  Source
	// What outlives deployments: the keys of issuers, stored answers, what is known
	// about upstreams, and the rest. See state.go.
	issuers *auth.Issuers
	keys    keys
	states  upstream.States
	state   State
	// current is what is served; generation counts what has been.
	current    atomic.Pointer[Deployment]
	generation atomic.Int64
	// reloading is held while another deployment is made and takes over, mu while
	// the lists of listeners change.
	reloading sync.Mutex
	last      atomic.Pointer[ReloadResult]
	mu        sync.Mutex
	stopping  bool
	listeners []*listener
	// leaving are listeners that a reload has given up and that still answer.
	leaving []*listener
	sandbox *listener
	failed  chan error
	serving sync.WaitGroup
	// base is the parent of every listener's context.
	base context.Context
	stop context.CancelCauseFunc
	// abandon ends what goes on without a caller.
	abandon context.CancelCauseFunc
	// observed is what operators see; see observe.go.
	observed observed
}

// Config is what an engine needs besides the deployment.
type Config struct {
	Log     *slog.Logger
	Version string
	// Observation is where requests are told of; nil counts and logs them only.
	Observation *Observation
	// Source makes the deployments of [Engine.Reload]; without one there are none.
	Source Source
}

// New returns an engine that serves nothing yet.
func New(c Config) *Engine {
	base, stop := context.WithCancelCause(context.Background())
	o := c.Observation
	if o == nil {
		o = plainObservation(c.Log, c.Version)
	}
	e := &Engine{
		base: base, stop: stop, source: c.Source, observed: observed{Observation: o, started: time.Now()},
		log: c.Log, access: o.access, ids: telemetry.NewIDs(), version: c.Version, failed: make(chan error, 1),
	}
	e.issuers = newIssuers(e.reportIssuer)
	e.keys.ends, e.abandon = context.WithCancelCause(context.Background())
	return e
}

// Binding returns what a deployment of this engine is bound with, so that it goes
// on where the one before it ends. Environment and addresses are the caller's.
func (e *Engine) Binding() BindOptions {
	return BindOptions{
		Version: e.version, Issuers: e.issuers, Metrics: e.observed.metrics, Mask: e.observed.mask, States: &e.states, Stage: e.state.Stage(),
	}
}

// Current returns the deployment that is served, or nil.
func (e *Engine) Current() *Deployment { return e.current.Load() }

// Start opens every adapter of the first deployment. Nothing is served when one
// of them cannot open.
func (e *Engine) Start(d *Deployment) ([]Listening, error) {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	c, err := e.change(d)
	if err != nil {
		d.release()
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.apply(c)
	return c.served, nil
}

// Failed delivers an error when a listener breaks.
func (e *Engine) Failed() <-chan error { return e.failed }

// Shutdown stops accepting and lets requests under way finish within the drain
// time. Those that do not are told that the gateway is stopping, and then cut
// off, which is the error. Calling it before Start is allowed.
func (e *Engine) Shutdown(drain time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	defer context.AfterFunc(ctx, e.late)()
	e.Retire()
	e.mu.Lock()
	listeners := slices.Concat(e.listeners, e.leaving)
	e.mu.Unlock()
	// The simulator ends last: draining requests still call it.
	err := end(ctx, listeners)
	if e.sandbox != nil {
		err = errors.Join(err, end(ctx, []*listener{e.sandbox}))
	}
	// Operators see the end from the control listener, which therefore ends after
	// all others; what was to be told of it is told last.
	if e.observed.control != nil {
		last, cancel := context.WithTimeout(context.Background(), farewell)
		err = errors.Join(err, end(last, []*listener{e.observed.control}))
		cancel()
	}
	e.stop(nil)
	e.abandon(nil)
	e.issuers.Close()
	e.serving.Wait()
	told, cancelTold := context.WithTimeout(context.Background(), maxTelling)
	defer cancelTold()
	e.observed.close(told)
	if d := e.current.Swap(nil); d != nil {
		d.release()
	}
	return err
}

// late ends what goes on without a caller when the drain time is over.
func (e *Engine) late() { e.abandon(fault.New(fault.Busy, "the gateway is stopping")) }

// maxTelling bounds sending the last traces and metrics.
const maxTelling = 5 * time.Second

// farewell is how long a request that is told to stop may take to say so.
const farewell = time.Second

// end drains listeners, side by side. No request is lost on the way: those that were
// accepted are answered, and then their connections closed, before net/http is
// told to end, which drops what it reads from then on.
func end(ctx context.Context, listeners []*listener) error {
	var group sync.WaitGroup
	errs := make([]error, len(listeners))
	for i, l := range listeners {
		if l.server == nil {
			l.close()
			continue
		}
		group.Go(func() {
			defer l.stop(nil)
			l.retiring.Store(true)
			var doors sync.WaitGroup
			for _, d := range l.doors {
				doors.Go(func() { d.shut(ctx) })
			}
			doors.Wait()
			l.conns.settle(ctx)
			if l.server.Shutdown(ctx) == nil {
				return
			}
			errs[i] = fmt.Errorf("%s: requests under way did not finish within the drain time", l.name)
			l.stop(fault.New(fault.Busy, "the gateway is stopping"))
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
	return server.Serve(ctx, in, out, mcp.StdioOptions{Drain: d.Options.Drain, Late: e.late})
}
