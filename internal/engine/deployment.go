package engine

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/plan"
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
	lease  lease
	// stage is what of the engine's state is the deployment's.
	stage *Stage
	// generation counts the deployments that the engine has served, from 1.
	generation int64
}

// Generation says the how manieth deployment of its engine it is; 0 is one that
// was never served.
func (d *Deployment) Generation() int64 { return d.generation }

// BindOptions are what binding needs besides the deployment's options.
type BindOptions struct {
	Environment *bind.Environment
	// SandboxURL is the simulator's address, where there is one.
	SandboxURL string
	// Lenient goes on without credentials; calls then say what is missing.
	Lenient bool
	Version string
	// Stage is where state is taken from that outlives deployments; nil makes
	// everything new.
	Stage *Stage
}

// Simulated reports whether the sandbox stands in for a host.
func Simulated(host string) bool { return host == "flex-api.twilio.com" }

// Bind gives loaded documents their values.
func Bind(l *Loaded, opts *deploy.Options, with BindOptions) (*Deployment, diag.List, error) {
	d := &Deployment{Options: opts, Loaded: l, stage: with.Stage}
	d.lease.users.Store(1)
	if err := known(l, opts); err != nil {
		return nil, nil, err
	}
	var diags diag.List
	environments := make([]*bind.Environment, len(l.Plans))
	for i, p := range l.Plans {
		environments[i] = with.Environment.For(Namespaces(p)...)
		bo, err := bindOptions(p, opts, with)
		if err != nil {
			return nil, nil, err
		}
		bo.Environment = environments[i]
		b, found := plan.Bind(p, bo)
		diags = append(diags, found...)
		d.Bound = append(d.Bound, b)
	}
	if !opts.Sandbox.Enabled {
		diags = append(diags, shared(l, environments, opts.ShareEnv)...)
	}
	var err error
	if d.groups, err = groups(l.Plans, opts); err != nil {
		return nil, nil, err
	}
	for i := range d.groups {
		d.groups[i].bind(d.Bound)
	}
	return d, append(diags, check(d.groups)...).Sorted(), nil
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
		return nil // it may be the name of a file that is left out
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
		ns, _, qualified := strings.Cut(variable, ".")
		means := func(name string) bool { return bind.Matches(ns, name) }
		if qualified && !slices.ContainsFunc(adapterNames, means) && !slices.ContainsFunc(upstreamNames, means) {
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

func bindOptions(p *plan.Plan, opts *deploy.Options, with BindOptions) (plan.BindOptions, error) {
	out := plan.BindOptions{
		Environment: with.Environment, Lenient: with.Lenient, AllowPlain: opts.AllowPlainHTTP,
		BaseURLs: map[string]string{}, Simulated: map[string]bool{}, Checks: map[string]plan.Checks{}, Upstreams: map[string]upstream.Options{},
	}
	for _, u := range p.Upstreams {
		settings := opts.Upstream(u.Namespace)
		out.Upstreams[u.Namespace] = upstream.Options{
			Connect: settings.Connect, Header: settings.Header, Total: settings.Total, MaxBody: settings.MaxResponse,
			MaxConcurrent: settings.MaxConcurrent, UserAgent: "patchbay/" + with.Version,
		}
		mode, err := plan.ParseChecks(cmp.Or(settings.Checks, "enforce"))
		if err != nil {
			return out, fmt.Errorf("--request-checks: %w", err)
		}
		out.Checks[u.Namespace] = mode
		if settings.BaseURL != "" {
			out.BaseURLs[u.Namespace] = settings.BaseURL
		}
		if !opts.Sandbox.Enabled {
			continue
		}
		if !Simulated(u.Host) {
			return out, fmt.Errorf("--sandbox: there is no simulator for %s (%s), and an offline run never calls the real API", u.Namespace, u.Host)
		}
		base, err := url.Parse(u.BaseURI)
		if err != nil {
			return out, err
		}
		out.BaseURLs[u.Namespace] = with.SandboxURL + base.Path
		out.Simulated[u.Namespace] = true
	}
	return out, nil
}

// Close gives up what the deployment holds open.
func (d *Deployment) Close() {
	for _, b := range d.Bound {
		b.Close()
	}
}
