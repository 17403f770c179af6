package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"patchbay/internal/auth"
	"patchbay/internal/deploy"
	"patchbay/internal/fault"
	"patchbay/internal/plan"
	"patchbay/internal/problem"
	"patchbay/internal/ratelimit"
	"patchbay/internal/telemetry"
	"patchbay/internal/upstream"
)

// inbound makes what checks the callers of a deployment's adapters.
type inbound struct {
	issuers *auth.Issuers
	// verifiers are shared by the adapters that have one decision in common.
	verifiers map[*deploy.Auth]*auth.Verifier
	// stage has what callers have left of their rate.
	stage *Stage
	// reserved are the names of callers that the operator or a file has given. What
	// belongs to such a name, as credentials do, is not for whoever is named alike by
	// a token or a certificate, at whichever adapter.
	reserved []string
}

func newInbound(issuers *auth.Issuers, stage *Stage, reserved []string) *inbound {
	return &inbound{issuers: issuers, stage: stage, reserved: reserved, verifiers: map[*deploy.Auth]*auth.Verifier{}}
}

// verifier makes a verifier of an operator's decision.
func (in *inbound) verifier(a *deploy.Auth) (*auth.Verifier, error) {
	if v := in.verifiers[a]; v != nil {
		return v, nil
	}
	var o auth.Options
	for i := range a.Keys {
		k := &a.Keys[i]
		key := auth.Key{Caller: k.Name, Scheme: auth.Scheme(k.Scheme), Username: k.Username, Name: k.Header, Secret: k.Secret}
		if k.Header != "" && k.Query != "" {
			return nil, fmt.Errorf("the key of %s is in a header and in the query", k.Name)
		}
		if k.Query != "" {
			key.Name, key.Place = k.Query, auth.InQuery
		}
		o.Keys = append(o.Keys, key)
	}
	if j := a.JWT; j != nil {
		tokens, err := in.issuers.Tokens(auth.TokenOptions{
			Issuer: j.Issuer, Audience: j.Audience, JWKS: j.JWKS, Resource: j.Resource, Algorithms: j.Algorithms, Scopes: j.Scopes,
			OperationScopes: j.OperationScopes, Includes: j.ScopeIncludes, Caller: j.Caller, Reserved: in.reserved, Leeway: j.Leeway,
		})
		if err != nil {
			return nil, err
		}
		o.Tokens = tokens
	}
	v, err := auth.NewVerifier(o)
	if err != nil {
		return nil, err
	}
	in.verifiers[a] = v
	return v, nil
}

// reservedNames are the names of all keys of a deployment. A secret of a file names
// its caller as the adapter.
func reservedNames(opts *deploy.Options, groups []group) []string {
	var out []string
	add := func(a *deploy.Auth) {
		if a == nil {
			return
		}
		for i := range a.Keys {
			out = append(out, a.Keys[i].Name)
		}
	}
	add(opts.Control.Auth)
	for _, a := range opts.AdapterSettings {
		add(a.Auth)
	}
	for i := range groups {
		for _, m := range groups[i].members {
			out = append(out, m.namespace)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// guard gives the members of a group what checks their callers and how often they
// may call.
func (in *inbound) guard(g *group, opts *deploy.Options) error {
	limiters := map[deploy.Rate]*ratelimit.Limiter{}
	for i := range g.members {
		m := &g.members[i]
		settings := opts.Adapter(m.namespace)
		switch {
		case settings.Auth != nil:
			v, err := in.verifier(settings.Auth)
			if err != nil {
				return fmt.Errorf("the authentication of %s: %w", m.namespace, err)
			}
			m.verifier = v
		case m.rest != nil:
			m.verifier = m.bound.RESTVerifier(m.rest)
		default:
			m.verifier = m.bound.MCPVerifier(m.mcp)
		}
		if m.verifier == nil && settings.TLS.ClientCA != "" {
			v, err := auth.NewVerifier(auth.Options{Certificates: true, Reserved: in.reserved})
			if err != nil {
				return err
			}
			m.verifier = v
		}
		m.guarded = m.verifier != nil
		// Adapters of one address that are bounded alike share what a caller has.
		if _, made := limiters[settings.Rate]; !made {
			limiters[settings.Rate] = Carry(in.stage, "caller rate", fmt.Sprint(g.key(), settings.Rate), settings.Rate, func() *ratelimit.Limiter {
				return ratelimit.New(settings.Rate.PerSecond, settings.Rate.Burst)
			})
		}
		m.limiter = limiters[settings.Rate]
	}
	return sameListener(g, opts)
}

// sameListener refuses adapters at one address of which each would need the
// listener to be another one.
func sameListener(g *group, opts *deploy.Options) error {
	first := opts.Adapter(g.members[0].namespace)
	g.tls, g.cors = first.TLS, first.CORS
	if err := g.tls.Check(); err != nil {
		return fmt.Errorf("%s: %w", g.members[0].namespace, err)
	}
	for i := range g.members[1:] {
		m := &g.members[i+1]
		other := opts.Adapter(m.namespace)
		what := ""
		switch {
		case other.TLS != first.TLS:
			what = "TLS"
		case g.kind == kindMCP && other.Rate != first.Rate: // of all tools together there is one
			what = "rates"
		case !slices.Equal(other.CORS.Origins, first.CORS.Origins) || other.CORS.MaxAge != first.CORS.MaxAge:
			what = "CORS"
		default:
			continue
		}
		return fmt.Errorf("%s and %s share an address and want different %s; give one of them another address, or set it for all", g.members[0].namespace, m.namespace, what)
	}
	return nil
}

// checkScopes refuses scopes for operations that do not exist: a mistyped name
// must not leave one open.
func checkScopes(groups []group, opts *deploy.Options) error {
	names := map[*deploy.JWT][]string{}
	for i := range groups {
		for j := range groups[i].members {
			m := &groups[i].members[j]
			a := opts.Adapter(m.namespace).Auth
			if a == nil || a.JWT == nil {
				continue
			}
			names[a.JWT] = append(names[a.JWT], m.operations()...)
		}
	}
	for j, known := range names {
		for _, name := range slices.Sorted(maps.Keys(j.OperationScopes)) {
			if !slices.Contains(known, name) {
				return fmt.Errorf("scopes are set for %s, which is no operation, tool or resource%s", name, orNear(name, known))
			}
		}
	}
	return nil
}

// operations are the names by which scopes can mean something of the adapter.
func (m *member) operations() []string {
	var out []string
	if m.rest != nil {
		for _, op := range m.rest.Operations {
			out = append(out, op.Name)
		}
		return out
	}
	for _, t := range m.mcp.Tools {
		out = append(out, t.Name)
	}
	for _, r := range m.mcp.Resources {
		out = append(out, r.Name)
	}
	return out
}

// checkCallers refuses credentials of callers who cannot exist. Tokens and
// certificates name theirs when they come.
func checkCallers(groups []group, plans []*plan.Plan, opts *deploy.Options) error {
	var known []string
	for i := range groups {
		for _, m := range groups[i].members {
			names, open := m.verifier.Names()
			if open {
				return nil
			}
			known = append(known, names...)
		}
	}
	for _, p := range plans {
		for _, u := range p.Upstreams {
			for _, name := range slices.Sorted(maps.Keys(opts.Upstream(u.Namespace).Credentials)) {
				if !slices.Contains(known, name) {
					return fmt.Errorf("%s has credentials for the caller %s, whom no adapter knows%s", u.Namespace, name, orNear(name, known))
				}
			}
		}
	}
	return nil
}

// bindCallers hands the operator's credentials of callers to the plan.
func bindCallers(out *plan.BindOptions, namespace string, settings *deploy.Upstream) {
	if len(settings.Credentials) > 0 {
		own := make(map[string]plan.Credential, len(settings.Credentials))
		for name, c := range settings.Credentials {
			own[name] = plan.Credential{Username: c.Username, Password: c.Password, Token: c.Token, Value: c.Value, Variables: c.Variables}
		}
		out.Callers[namespace] = own
	}
	out.CallersOnly[namespace] = settings.CredentialsOnly
}

// verifierOf is what checks the callers of an MCP adapter over HTTP.
func (d *Deployment) verifierOf(a *plan.MCPAdapter) *auth.Verifier {
	for i := range d.groups {
		for _, m := range d.groups[i].members {
			if m.mcp == a {
				return m.verifier
			}
		}
	}
	return nil
}

// replaced lists the adapters whose authentication the operator has replaced.
func replaced(p *plan.Plan, opts *deploy.Options) map[string]bool {
	out := map[string]bool{}
	for _, a := range p.REST {
		out[a.Namespace] = opts.Adapter(a.Namespace).Auth != nil
	}
	for _, a := range p.MCP {
		out[a.Namespace] = opts.Adapter(a.Namespace).Auth != nil
	}
	return out
}

// prepareKeys fetches the keys of issuers ahead of the first token, without
// waiting for them: a gateway starts whether or not its issuer is there.
func (e *Engine) prepareKeys(d *Deployment) {
	var judges []*auth.Tokens
	for i := range d.groups {
		for _, m := range d.groups[i].members {
			if t := m.verifier.Tokens(); t != nil && !slices.Contains(judges, t) {
				judges = append(judges, t)
			}
		}
	}
	for _, t := range judges {
		e.serving.Go(func() { _ = t.Prepare(e.base) }) // who reports is told
	}
}

// metadata serves what a protected resource says about itself (RFC 9728) before
// anybody is asked for credentials, where an adapter of the group takes tokens.
func (e *Engine) metadata(next http.Handler, g *group) http.Handler {
	if !g.takesTokens() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, ok := strings.CutPrefix(r.URL.Path, auth.WellKnown)
		if !ok || at != "" && at[0] != '/' {
			next.ServeHTTP(w, r)
			return
		}
		tokens := g.tokensAt(at)
		told := &telemetry.Access{Protocol: string(g.kind), Route: auth.WellKnown, Status: http.StatusOK, RequestID: e.ids.Accept(r.Header.Get("X-Request-Id"))}
		if len(g.members) == 1 {
			told.Adapter = g.members[0].namespace
		}
		switch {
		case tokens == nil:
			told.Fault = fault.New(fault.NotFound, "no adapter here takes tokens")
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			told.Fault = fault.New(fault.MethodNotAllowed, "the metadata answers GET only")
			told.Fault.Allow = []string{http.MethodGet, http.MethodHead}
		}
		if told.Fault != nil {
			told.Status = problem.Write(w, told.Fault, told.RequestID)
		} else {
			h := w.Header()
			h.Set("Content-Type", "application/json")
			h.Set("Cache-Control", "public, max-age=300")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("X-Request-Id", told.RequestID)
			_, _ = w.Write(tokens.Metadata(r))
		}
		e.answered(r, told)
	})
}

func (g *group) takesTokens() bool {
	return slices.ContainsFunc(g.members, func(m member) bool { return m.verifier.Tokens() != nil })
}

// tokensAt returns the judge of the adapter at a path, as a path of its own says;
// otherwise the first of the listener.
func (g *group) tokensAt(at string) *auth.Tokens {
	var first *auth.Tokens
	for i := range g.members {
		m := &g.members[i]
		t := m.verifier.Tokens()
		if t == nil {
			continue
		}
		own := m.mount
		if m.mcp != nil {
			own = "/mcp/" + m.namespace
		}
		if own != "" && (at == own || strings.HasPrefix(at, own+"/")) {
			return t
		}
		if first == nil {
			first = t
		}
	}
	return first
}

func newIssuers(report func(string, error)) *auth.Issuers {
	return auth.NewIssuers(auth.IssuerOptions{Plain: upstream.IsLoopback, Report: report})
}

// reportIssuer logs that the keys of an issuer cannot be had.
func (e *Engine) reportIssuer(issuer string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	e.log.Warn("the keys of an issuer cannot be had; tokens signed with others than those at hand are refused", "issuer", issuer, "cause", err)
}

// guardedByOperator reports adapters whose callers the operator has checked, which
// compiling has to know: what they show is then no input.
func guardedByOperator(opts *deploy.Options) func(namespace string) bool {
	return func(namespace string) bool { return opts.Adapter(namespace).Auth != nil }
}
