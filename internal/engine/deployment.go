package engine

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"patchbay/internal/auth"
	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/plan"
	"patchbay/internal/secret"
	"patchbay/internal/telemetry"
	"patchbay/internal/upstream"
)

// Deployment is documents with the operator's options: what is served. It is
// immutable; another one replaces it as a whole.
type Deployment struct {
	Options *deploy.Options
	Loaded  *Loaded
	Bound   []*plan.Bound
	// groups are the adapters by the address that they share.
	groups []group
	// pool holds the connections to all upstreams.
	pool *upstream.Pool
	// issuers are its own, nil where they are the engine's.
	issuers *auth.Issuers
	lease   lease
	// stage is what of the engine's state is the deployment's.
	stage *Stage
	// generation counts the deployments that the engine has served, from 1.
	generation int64
}

// Generation says which of its engine's deployments it is, counted from 1; 0 is one
// that was never served.
func (d *Deployment) Generation() int64 { return d.generation }

// BindOptions are what binding needs besides the deployment's options.
type BindOptions struct {
	Environment *bind.Environment
	// SandboxURL is the simulator's address, where there is one.
	SandboxURL string
	// Lenient goes on without credentials; calls then say what is missing.
	Lenient bool
	// Issuers are the engine's, see [Engine.Binding]; nil makes ones that end with
	// the deployment, and whose keys no other one knows.
	Issuers *auth.Issuers
	Version string
	// Metrics counts the calls of upstreams; nil counts none.
	Metrics *telemetry.Metrics
	// Mask learns the secrets of the deployment; nil is nobody.
	Mask *secret.Mask
	// States have what is known about upstreams, Stage the other state that outlives
	// deployments. Nil makes new ones.
	States *upstream.States
	Stage  *Stage
}

// Simulated reports whether the sandbox stands in for a host.
func Simulated(host string) bool { return host == "flex-api.twilio.com" }

// Bind gives loaded documents their values.
func Bind(l *Loaded, opts *deploy.Options, with BindOptions) (*Deployment, diag.List, error) {
	d := &Deployment{Options: opts, Loaded: l, stage: with.Stage}
	d.lease.users.Store(1)
	if with.States == nil {
		with.States = new(upstream.States)
	}
	if with.Issuers == nil {
		with.Issuers = newIssuers(nil)
		d.issuers = with.Issuers
	}
	bound := false
	defer func() {
		if !bound { // an error, or a panic
			d.Close()
		}
	}()
	found, err := d.bind(with)
	if err != nil {
		return nil, nil, err
	}
	bound = true
	return d, found, nil
}

func (d *Deployment) bind(with BindOptions) (diag.List, error) {
	l, opts := d.Loaded, d.Options
	with.Mask.Add(deploymentSecrets(opts)...)
	if opts.Sandbox.Enabled && with.SandboxURL == "" {
		return nil, errSandbox // only a start opens it
	}
	if err := known(l, opts); err != nil {
		return nil, err
	}
	var diags diag.List
	defaults := opts.Upstream("")
	bounds, err := upstreamOptions("", &defaults, with.Version)
	if err != nil {
		return nil, err
	}
	if d.pool, err = upstream.NewPool(bounds); err != nil {
		return nil, err
	}
	environments := make([]*bind.Environment, len(l.Plans))
	for i, p := range l.Plans {
		environments[i] = with.Environment.For(Namespaces(p)...)
		bo, err := bindOptions(p, opts, with, d.pool)
		if err != nil {
			return nil, err
		}
		bo.Environment = environments[i]
		if opts.Sandbox.Enabled {
			if err := simulate(&bo, p, with.SandboxURL); err != nil {
				return nil, err
			}
		}
		b, found := plan.Bind(p, bo)
		diags = append(diags, found...)
		d.Bound = append(d.Bound, b)
		with.Mask.Add(b.Secrets()...)
	}
	if !opts.Sandbox.Enabled {
		diags = append(diags, shared(d, environments)...)
	}
	if d.groups, err = groups(l.Plans, opts); err != nil {
		return nil, err
	}
	in := newInbound(with.Issuers, with.Stage, reservedNames(opts, d.groups))
	for i := range d.groups {
		d.groups[i].bind(d.Bound)
		if err := in.guard(&d.groups[i], opts); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(checkScopes(d.groups, opts), checkCallers(d.groups, l.Plans, opts)); err != nil {
		return nil, err
	}
	return append(diags, check(d.groups)...).Sorted(), nil
}

// Namespaces are the names by which options can mean a file: those of what it
// consumes and exposes.
func Namespaces(p *plan.Plan) []string {
	var out []string
	for _, u := range p.Upstreams {
		out = append(out, u.Namespace)
	}
	for _, a := range p.REST {
		out = append(out, a.Namespace)
	}
	for _, a := range p.MCP {
		out = append(out, a.Namespace)
	}
	return out
}

// known refuses options that name nothing: a mistyped namespace must not
// silently leave a default in force.
func known(l *Loaded, opts *deploy.Options) error {
	if len(l.Skipped) > 0 {
		return nil // it may be meant for a file that is left out
	}
	adapters, routed, upstreams := map[string]bool{}, map[string]bool{}, map[string]bool{"": true}
	var adapterNames, routedNames, upstreamNames []string
	for _, p := range l.Plans {
		for _, a := range p.REST {
			adapters[a.Namespace], routed[a.Namespace] = true, true
			routedNames = append(routedNames, a.Namespace)
			adapterNames = append(adapterNames, a.Namespace)
		}
		for _, a := range p.MCP {
			adapters[a.Namespace] = true
			adapterNames = append(adapterNames, a.Namespace)
		}
		for _, u := range p.Upstreams {
			upstreams[u.Namespace] = true
			upstreamNames = append(upstreamNames, u.Namespace)
		}
	}
	for ns := range opts.Listen {
		if !adapters[ns] {
			return fmt.Errorf("--listen %s=…: no adapter has that namespace%s", ns, orNear(ns, adapterNames))
		}
	}
	for ns := range opts.Mounts {
		if !routed[ns] {
			return fmt.Errorf("--mount %s=…: no REST adapter has that namespace%s", ns, orNear(ns, routedNames))
		}
	}
	for variable := range opts.Renames {
		ns, name := bind.Qualified(variable)
		means := func(name string) bool { return bind.Matches(ns, name) }
		if name != variable && !slices.ContainsFunc(adapterNames, means) && !slices.ContainsFunc(upstreamNames, means) {
			return fmt.Errorf("--map-env %s=…: no file has that namespace%s", variable, orNear(ns, append(adapterNames, upstreamNames...)))
		}
	}
	for ns := range opts.Upstreams {
		if !upstreams[ns] {
			return fmt.Errorf("--upstream %s=…: nothing is consumed under that namespace%s", ns, orNear(ns, upstreamNames))
		}
	}
	for ns := range opts.BodyTypes {
		if !upstreams[ns] {
			return fmt.Errorf("--body-type %s=…: nothing is consumed under that namespace%s", ns, orNear(ns, upstreamNames))
		}
	}
	for ns := range opts.Checks {
		if !upstreams[ns] {
			return fmt.Errorf("--request-checks %s=…: nothing is consumed under that namespace%s", ns, orNear(ns, upstreamNames))
		}
	}
	return nil
}

func orNear(name string, candidates []string) string {
	if near := diag.Nearest(name, candidates); near != "" {
		return "; did you mean " + near + "?"
	}
	if len(candidates) > 0 && len(candidates) <= 6 {
		return "; there is " + strings.Join(candidates, " and ")
	}
	return ""
}

// bindOptions are what binds a plan, apart from its environment. Clients share
// the connections of a pool as long as their settings admit it.
func bindOptions(p *plan.Plan, opts *deploy.Options, with BindOptions, pool *upstream.Pool) (plan.BindOptions, error) {
	out := plan.BindOptions{
		Lenient: with.Lenient, Metrics: with.Metrics, States: with.States, AllowPlain: opts.AllowPlainHTTP,
		BaseURLs: map[string]string{}, Checks: map[string]plan.Checks{}, Upstreams: map[string]upstream.Options{},
		Callers: map[string]map[string]plan.Credential{}, CallersOnly: map[string]bool{}, Replaced: replaced(p, opts),
	}
	defaults := opts.Upstream("")
	for _, u := range p.Upstreams {
		settings := opts.Upstream(u.Namespace)
		bounds, err := upstreamOptions(u.Namespace, &settings, with.Version)
		if err != nil {
			return out, err
		}
		if settings.Connect == defaults.Connect && settings.MaxConcurrent == defaults.MaxConcurrent && settings.Proxy == defaults.Proxy && settings.TLS == defaults.TLS {
			bounds.Pool = pool
		}
		out.Upstreams[u.Namespace] = bounds
		bindCallers(&out, u.Namespace, &settings)
		mode, err := plan.ParseChecks(cmp.Or(settings.Checks, "enforce"))
		if err != nil {
			return out, fmt.Errorf("--request-checks: %w", err)
		}
		out.Checks[u.Namespace] = mode
		if settings.BaseURL != "" {
			out.BaseURLs[u.Namespace] = settings.BaseURL
		}
	}
	return out, nil
}

// simulate sends the calls of a plan to the simulator.
func simulate(out *plan.BindOptions, p *plan.Plan, address string) error {
	out.BaseURLs, out.Simulated = map[string]string{}, map[string]bool{}
	for _, u := range p.Upstreams {
		if !Simulated(u.Host) {
			return fmt.Errorf("--sandbox: there is no simulator for %s (%s), and an offline run never calls the real API", u.Namespace, u.Host)
		}
		base, err := url.Parse(u.BaseURI)
		if err != nil {
			return err
		}
		out.BaseURLs[u.Namespace] = address + base.Path
		out.Simulated[u.Namespace] = true
	}
	return nil
}

// Close gives up what the deployment holds open.
func (d *Deployment) Close() {
	if d.pool != nil {
		d.pool.Close()
	}
	for _, b := range d.Bound {
		b.Close() // upstreams with settings of their own share no connections
	}
	if d.issuers != nil {
		d.issuers.Close()
	}
}
