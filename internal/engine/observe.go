package engine

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"patchbay/internal/auth"
	"patchbay/internal/control"
	"patchbay/internal/deploy"
	"patchbay/internal/expose/page"
	"patchbay/internal/fault"
	"patchbay/internal/secret"
	"patchbay/internal/telemetry"
	"patchbay/internal/upstream"
)

// Observation is where a process tells what happens in it. It outlives
// deployments. The engine that it is given to closes it.
type Observation struct {
	access   *telemetry.Logger
	metrics  *telemetry.Metrics
	recent   *telemetry.Recent
	exporter *telemetry.Exporter
	audit    *auditFile
	mask     *secret.Mask
	log      *slog.Logger
}

// NewObservation opens what the options ask for: the audit file and the sender
// of traces and metrics. mask knows the secrets that the log must not show; it
// learns those of the deployments that are served.
func NewObservation(opts *deploy.Options, log *slog.Logger, mask *secret.Mask, version string) (*Observation, error) {
	t := &opts.Telemetry
	o := &Observation{metrics: telemetry.NewMetrics(version), mask: mask, log: log}
	mask.Add(deploymentSecrets(opts)...)
	config := telemetry.Config{Log: log, Metrics: o.metrics, Sample: t.Sample, Mask: mask}
	if opts.Control.Listen != "" {
		o.recent = telemetry.NewRecent()
		config.Recent = o.recent
	}
	if t.Audit != "" {
		file, err := openAudit(t.Audit)
		if err != nil {
			return nil, fmt.Errorf("the audit file cannot be opened: %w", err)
		}
		o.audit, config.Audit = file, o.metrics.AuditTo(mask.Writer(file))
	}
	if t.OTLP != "" {
		if err := readable(t, opts.AllowPlainHTTP); err != nil {
			o.close(context.Background())
			return nil, err
		}
		service := t.ServiceName
		if service == "" {
			service = "patchbay"
		}
		exporter, err := telemetry.NewExporter(telemetry.ExporterOptions{
			Endpoint: t.OTLP, Headers: t.Headers, Service: service, Version: version, Instance: telemetry.NewIDs().Next(), Log: log, Metrics: o.metrics, Mask: mask,
		})
		if err != nil {
			o.close(context.Background())
			return nil, fmt.Errorf("--otlp: %w", err)
		}
		o.exporter, config.Exporter = exporter, exporter
	}
	o.access = telemetry.New(config)
	return o, nil
}

// plainObservation counts, and logs.
func plainObservation(log *slog.Logger, version string) *Observation {
	o := &Observation{metrics: telemetry.NewMetrics(version), log: log}
	o.access = telemetry.New(telemetry.Config{Log: log, Metrics: o.metrics})
	return o
}

// readable refuses to send the collector's credentials readable over a network.
func readable(t *deploy.Telemetry, allowed bool) error {
	if len(t.Headers) == 0 || allowed {
		return nil
	}
	base, err := upstream.ParseBase(t.OTLP)
	if err != nil {
		return fmt.Errorf("--otlp: %w", err)
	}
	if base.Scheme == "http" && !upstream.IsLoopback(base.Hostname()) {
		return fmt.Errorf("--otlp: the collector's credentials would travel over plain http to %s; use https, or start with --allow-plain-http", base.Host)
	}
	return nil
}

// deploymentSecrets are the secrets that options hold.
func deploymentSecrets(opts *deploy.Options) []secret.Value {
	var out []secret.Value
	for _, v := range opts.Telemetry.Headers {
		out = append(out, v)
	}
	guards := []*deploy.Auth{opts.Control.Auth}
	for _, a := range opts.AdapterSettings {
		guards = append(guards, a.Auth)
	}
	for _, a := range guards {
		if a == nil {
			continue
		}
		for _, k := range a.Keys {
			out = append(out, k.Secret)
			if k.Username != "" {
				out = append(out, secret.New(k.Username+":"+k.Secret.Reveal()))
			}
		}
	}
	for _, u := range opts.UpstreamSettings {
		for _, c := range u.Credentials {
			for _, v := range c.Variables {
				out = append(out, v)
			}
			out = append(out, c.Password, c.Token, c.Value, secret.New(c.Username.Reveal()+":"+c.Password.Reveal()))
		}
	}
	return out
}

// close sends what waits, within the context's time.
func (o *Observation) close(ctx context.Context) {
	o.exporter.Close(ctx)
	if o.audit != nil {
		_ = o.audit.Close()
	}
}

// observed is the engine's part in what operators see.
type observed struct {
	*Observation
	started  time.Time
	control  *listener
	draining atomic.Bool
	// served are the listeners of the current deployment.
	served atomic.Pointer[[]Listening]
}

// Metrics returns the process's counters, with which deployments are bound.
func (e *Engine) Metrics() *telemetry.Metrics { return e.observed.metrics }

// ReopenAudit opens the audit file by its name again, after it was moved away.
func (e *Engine) ReopenAudit() error {
	if e.observed.audit == nil {
		return nil
	}
	return e.observed.audit.Reopen()
}

// inService notes the deployment that is served now.
func (e *Engine) inService(served []Listening) {
	e.observed.served.Store(&served)
	e.observed.metrics.Served(float64(time.Now().UnixMilli()) / 1000)
}

// StartControl opens the control listener, where the options name one, and
// returns its URL. It may be opened before anything is served: it is not ready
// then.
func (e *Engine) StartControl(opts *deploy.Options) (string, error) {
	address := opts.Control.Listen
	if address == "" {
		return "", nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("--control %s: not HOST:PORT", address)
	}
	var verifier *auth.Verifier
	if opts.Control.Auth != nil {
		if verifier, err = newInbound(e.issuers, nil, reservedNames(opts, nil)).verifier(opts.Control.Auth); err != nil {
			return "", fmt.Errorf("the control listener: %w", err)
		}
	}
	if verifier == nil && !upstream.IsLoopback(host) {
		return "", fmt.Errorf("the control listener would be reachable from outside on %s without credentials; listen on loopback, or configure authentication for it", address)
	}
	problems, err := page.Problems(e.version)
	if err != nil {
		return "", err
	}
	l, err := e.newListener("control", "", host, port)
	if err != nil {
		return "", fmt.Errorf("the control listener cannot listen on %s: %w; choose another address with --control HOST:PORT", address, err)
	}
	o := &e.observed
	pages := control.New(control.Options{
		Verifier: verifier, Status: e.status, Metrics: o.metrics.Handler(), Recent: o.recent, Reload: e.reloadOnRequest(), IDs: e.ids,
		Problems: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"], w.Header()["Content-Security-Policy"] = []string{problems.ContentType}, []string{problems.Policy}
			_, _ = w.Write(problems.Data)
		}),
		Refused: func(r *http.Request, status int, id string, f *fault.Fault) {
			e.answered(r, &telemetry.Access{Protocol: "control", Status: status, RequestID: id, Fault: f})
		},
	})
	// Pages of other origins may be let in to adapters, never here.
	alone := *opts
	alone.AllowOrigins = nil
	handler, err := e.guarded(pages, host, &group{}, &alone)
	if err != nil {
		l.close()
		return "", err
	}
	l.face.Store(&face{handler: handler, bounds: opts.ListenerBounds()})
	o.control = l
	e.serve(l)
	return l.url(false), nil
}

// answered logs and counts a request that was answered before it reached an adapter.
func (e *Engine) answered(r *http.Request, a *telemetry.Access) {
	a.Method, a.Secure = r.Method, r.TLS != nil
	ctx := a.Begin(r.Context(), e.access, telemetry.HeaderCarrier(r.Header), time.Now())
	e.access.Log(ctx, a)
}

// connState counts the connections of a listener. It runs on the connection's
// goroutine.
func (e *Engine) connState(l *listener) func(net.Conn, http.ConnState) {
	opened, closed := e.observed.metrics.Connections(l.name)
	return func(c net.Conn, s http.ConnState) {
		l.conns.enter(c, s)
		switch s {
		case http.StateNew:
			opened()
		case http.StateClosed, http.StateHijacked:
			closed()
		case http.StateActive, http.StateIdle:
		}
	}
}

// status is what /status says now.
func (e *Engine) status() control.Status {
	o := &e.observed
	s := control.Status{
		Version: e.version, Go: runtime.Version(), State: control.Ready, Started: o.started.UTC(), Uptime: time.Since(o.started).Seconds(),
		Files: []control.File{}, Adapters: []control.Adapter{}, Upstreams: []control.Upstream{},
	}
	s.Reload, s.Generation = e.lastReload(), e.generation.Load()
	d, served := e.current.Load(), o.served.Load()
	if d == nil || served == nil {
		s.State, s.Reasons = control.Starting, []string{"no deployment is in service yet"}
	} else {
		d.describe(&s, *served)
	}
	if o.draining.Load() {
		s.State, s.Reasons = control.Draining, []string{"the process is stopping"}
	}
	return s
}

// describe tells of a deployment. Whatever it says comes from names and
// addresses, never from values.
func (d *Deployment) describe(s *control.Status, served []Listening) {
	for _, b := range d.Bound {
		s.Files = append(s.Files, control.File{File: b.Plan.Document.File, Label: b.Plan.Document.Info.Label.Value, Embedded: d.Loaded.Embedded})
		for _, u := range b.Plan.Upstreams {
			c := b.Client(u)
			state := control.Upstream{Namespace: u.Namespace, Host: c.Host(), State: "configured", Breaker: c.State().Stats().Breaker.String()}
			if d.Options.Sandbox.Enabled {
				state.State = "simulated"
			}
			if f := c.Missing(); f != nil {
				state.State, state.Missing = "unconfigured", f.Message
				s.State = control.NotReady
				s.Reasons = append(s.Reasons, u.Namespace+": "+f.Message)
			}
			s.Upstreams = append(s.Upstreams, state)
		}
	}
	for i := range d.Loaded.Skipped {
		s.Skipped = append(s.Skipped, control.Skipped{File: d.Loaded.Skipped[i].Name(), Reason: d.Loaded.Skipped[i].Reason()})
	}
	for i := range served {
		for _, a := range served[i].REST {
			s.Adapters = append(s.Adapters, control.Adapter{Namespace: a.Adapter.Namespace, Type: "rest", URL: a.URL, Operations: len(a.Adapter.Operations), Guarded: d.guarded(a.Adapter.Namespace)})
		}
		for _, a := range served[i].MCP {
			s.Adapters = append(s.Adapters, control.Adapter{Namespace: a.Adapter.Namespace, Type: "mcp", URL: a.URL, Operations: len(a.Tools), Guarded: d.guarded(a.Adapter.Namespace)})
		}
	}
}

// guarded reports whether an adapter checks its callers.
func (d *Deployment) guarded(namespace string) bool {
	return slices.ContainsFunc(d.groups, func(g group) bool {
		return slices.ContainsFunc(g.members, func(m member) bool { return m.namespace == namespace && m.guarded })
	})
}
