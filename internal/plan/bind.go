package plan

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"patchbay/internal/secret"

	"patchbay/internal/auth"
	"patchbay/internal/bind"
	"patchbay/internal/diag"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/telemetry"
	"patchbay/internal/template"
	"patchbay/internal/upstream"
)

// Checks says what happens to a request that breaks a contract's rule.
type Checks uint8

// The modes. Rules that are inferred never refuse.
const (
	// Enforce refuses what breaks a documented or observed rule.
	Enforce Checks = iota
	// Warn sends it all the same and says so.
	Warn
	// Off does not look.
	Off
)

// ParseChecks reads enforce, warn or off.
func ParseChecks(s string) (Checks, error) {
	switch s {
	case "enforce":
		return Enforce, nil
	case "warn":
		return Warn, nil
	case "off":
		return Off, nil
	default:
		return Enforce, fmt.Errorf("%q is not enforce, warn or off", s)
	}
}

// BindOptions are what an operator decides about a plan.
type BindOptions struct {
	Environment *bind.Environment
	// BaseURLs replaces the whole base address of an upstream, by namespace.
	BaseURLs map[string]string
	// Unsigned lists upstreams, by namespace, that want no credentials of ours
	// because they are the simulator: variables need no value there, and what
	// is missing is made up.
	Simulated map[string]bool
	// Lenient keeps going without values that are missing: calls then fail and
	// name them. Inbound secrets are never optional.
	Lenient bool
	// Checks by namespace, DefaultChecks for the others.
	Checks        map[string]Checks
	DefaultChecks Checks
	// Upstreams bounds the calls by namespace, Upstream those of the others.
	Upstreams map[string]upstream.Options
	Upstream  upstream.Options
	// Metrics counts calls; nil does not.
	Metrics *telemetry.Metrics
	// States, if set, have what is known about the upstreams already.
	States *upstream.States
	// AllowPlain admits sending credentials over http beyond loopback.
	AllowPlain bool
	// Callers are credentials of single callers, by namespace and name;
	// CallersOnly lists the upstreams that are called with such only, and never
	// with the file's.
	Callers     map[string]map[string]Credential
	CallersOnly map[string]bool
	// Replaced lists adapters, by namespace, whose authentication is not the
	// file's: its secrets are not needed.
	Replaced map[string]bool
}

// Bound is a plan with the operator's values: it runs. It is immutable and
// safe for concurrent use.
type Bound struct {
	Plan    *Plan
	clients []*upstream.Client
	// paths precede those of operations where calls are told; see [binder.basePath].
	paths []string
	// members are the fields of request bodies that carry the credentials of an
	// upstream; nameless ones are none.
	members   []jsonvalue.Member
	checks    []Checks
	variables []jsonvalue.Value
	verifiers map[*authentication]*auth.Verifier
	// totals bound a call, by upstream; see [Bound.deadline].
	totals []time.Duration
	// callers have credentials of their own, by upstream; nil for none.
	callers []*callers
	// counts is where calls of consumed operations are counted; nil counts none.
	counts map[*consumed]*telemetry.UpstreamOperation
	// secrets are the credentials in use, of both sides.
	secrets []secret.Value
}

// Bind gives the plan's variables their values and opens a client for each
// upstream. Faults name the place of the variable; values never appear in them.
func Bind(p *Plan, opts BindOptions) (*Bound, diag.List) {
	b := &binder{plan: p, opts: opts, files: map[string]map[string]secret.Value{}, counts: map[*consumed]*telemetry.UpstreamOperation{}}
	out := &Bound{Plan: p, verifiers: map[*authentication]*auth.Verifier{}}
	b.values = make([]jsonvalue.Value, len(p.Variables))
	b.missing = make([]bool, len(p.Variables))
	for i, v := range p.Variables {
		b.value(i, v)
	}
	out.variables = b.values
	b.secrets = b.private()
	for _, u := range p.Upstreams {
		bounds, ok := opts.Upstreams[u.Namespace]
		if !ok {
			bounds = opts.Upstream
		}
		out.totals = append(out.totals, bounds.Total)
		own := b.callers(u)
		out.callers = append(out.callers, own)
		client, signer := b.client(u, bounds, own)
		out.clients = append(out.clients, client)
		out.paths = append(out.paths, b.basePath(u))
		name, value := signer.Member()
		out.members = append(out.members, jsonvalue.Member{Name: name, Value: jsonvalue.StringOf(value)})
		mode, ok := opts.Checks[u.Namespace]
		if !ok {
			mode = opts.DefaultChecks
		}
		out.checks = append(out.checks, mode)
	}
	for _, a := range p.REST {
		b.verifier(out, a.Namespace, a.auth)
	}
	for _, a := range p.MCP {
		b.verifier(out, a.Namespace, a.auth)
	}
	b.unset()
	out.counts, out.secrets = b.counts, b.secrets
	return out, b.diags
}

type binder struct {
	plan    *Plan
	opts    BindOptions
	diags   diag.List
	values  []jsonvalue.Value
	missing []bool
	files   map[string]map[string]secret.Value
	counts  map[*consumed]*telemetry.UpstreamOperation
	secrets []secret.Value
}

// value finds the value of one variable.
func (b *binder) value(at int, v *Variable) {
	if v.Location != "" {
		values, read := b.files[v.Location]
		if !read {
			var err error
			values, err = bind.File(v.Location, filepath.Dir(b.plan.Document.File))
			if err != nil {
				b.diags.Errorf(CodeBindLocation, v.Span, "%s: %v", v.Location, err)
			}
			b.files[v.Location] = values
		}
		if s, ok := values[v.Key]; ok {
			b.values[at] = jsonvalue.StringOf(s.Reveal())
			return
		}
		b.missing[at] = true
		return
	}
	s, _, ok := b.opts.Environment.Lookup(v.Key)
	if ok && s.Reveal() != "" {
		b.values[at] = jsonvalue.StringOf(s.Reveal())
		return
	}
	b.missing[at] = true
}

// unset warns about declared variables that nothing uses and that have no value.
func (b *binder) unset() {
	for i := range b.plan.Document.Binds {
		from := &b.plan.Document.Binds[i]
		if from.Location.Value != "" {
			continue
		}
		for _, k := range from.Keys {
			if b.used(from.Namespace.Value, k.Name.Value) {
				continue
			}
			if _, _, ok := b.opts.Environment.Lookup(k.Value.Value); !ok {
				b.diags.Notef(CodeVariableUnset, k.Name.Span, "%s.%s has no value; nothing uses it", from.Namespace.Value, k.Name.Value)
			}
		}
	}
}

func (b *binder) used(namespace, name string) bool {
	for _, v := range b.plan.Variables {
		if v.Namespace == namespace && v.Name == name {
			return true
		}
	}
	return false
}

// text renders a text over the variables. It reports the variables that have
// no value, and false, where there are any.
func (b *binder) text(t *template.Bound) (secret.Value, []*Variable) {
	if t == nil {
		return secret.Value{}, nil
	}
	var missing []*Variable
	for _, slot := range t.Slots() {
		if slot >= 0 && b.missing[slot] {
			missing = append(missing, b.plan.Variables[slot])
		}
	}
	out, _ := t.Append(nil, b.values, template.None)
	return secret.New(string(out)), missing
}

func (b *binder) client(u *Upstream, bounds upstream.Options, own *callers) (*upstream.Client, auth.Signer) {
	end := upstream.Endpoint{Namespace: u.Namespace, Secrets: b.private(), States: b.opts.States}
	if u.Profile != nil {
		end.Unprocessed = u.Profile.NotProcessed
	}
	if replaced, ok := b.opts.BaseURLs[u.Namespace]; ok {
		end.BaseURL = replaced
	} else {
		address, missing := b.text(u.base)
		if u.base == nil {
			end.Missing = &fault.Fault{
				Kind: fault.Unconfigured, Message: fmt.Sprintf("%s has no base address", u.Namespace),
				Hint: fmt.Sprintf("start with --upstream %s=https://host/path", u.Namespace),
			}
		}
		b.require(&end, missing)
		end.BaseURL = address.Reveal()
	}
	switch {
	case own != nil && own.only: // the file's secrets stay unused, and may be missing
	case !b.opts.Simulated[u.Namespace]:
		b.sign(u, &end)
	default:
		end.Signer = b.simulated(u)
	}
	bounds.Counts = b.count(u, &end, &bounds)
	c, err := upstream.NewClient(end, bounds)
	if err != nil {
		b.diags.Errorf(CodeBaseURI, u.Span, "%v", err)
		end.BaseURL, end.Missing = "", fault.New(fault.Unconfigured, "%s has no usable base address", u.Namespace)
		c, _ = upstream.NewClient(end, bounds)
	}
	b.plainCredentials(u, end, own, bounds.Proxy)
	return c, end.Signer
}

// require turns variables without value into diagnostics and, for calls made
// all the same, into the fault that names them.
func (b *binder) require(end *upstream.Endpoint, missing []*Variable) {
	if len(missing) == 0 {
		return
	}
	var names []string
	for _, v := range missing {
		names = append(names, v.Key)
		if b.opts.Lenient {
			continue
		}
		d := b.diags.Errorf(CodeVariableMissing, v.Span, "%s has no value", variableName(v))
		if other := b.opts.Environment.Renamed(v.Key); v.Location == "" && other != v.Key {
			d.Message = fmt.Sprintf("%s is taken from %s, which has no value", v.Key, other)
		}
	}
	if end.Missing == nil {
		end.Missing = &fault.Fault{
			Kind:    fault.Unconfigured,
			Message: fmt.Sprintf("no credentials: %s not set", isAre(names)),
			Hint:    "set them in the environment of patchbay, or start it with --env-file FILE or --map-env NAME=OTHER",
		}
	}
}

func isAre(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names, " and ") + " are"
}

func variableName(v *Variable) string {
	if v.Location != "" {
		return fmt.Sprintf("%s (key %s of %s)", v.Name, v.Key, v.Location)
	}
	return v.Key
}

func (b *binder) sign(u *Upstream, end *upstream.Endpoint) {
	if u.auth == nil {
		return
	}
	user, missing := b.text(u.auth.username)
	password, more := b.text(u.auth.password)
	missing = append(missing, more...)
	token, more := b.text(u.auth.token)
	missing = append(missing, more...)
	name, more := b.text(u.auth.name)
	missing = append(missing, more...)
	value, more := b.text(u.auth.value)
	missing = append(missing, more...)
	for i := range u.auth.more {
		_, more := b.text(u.auth.more[i].name)
		missing = append(missing, more...)
		_, more = b.text(u.auth.more[i].value)
		missing = append(missing, more...)
	}
	if len(missing) > 0 {
		b.require(end, missing)
		return
	}
	end.Secrets = append(end.Secrets, password, token, value)
	var err error
	switch u.auth.scheme {
	case "basic":
		end.Signer, err = auth.Basic(user, password)
	case "bearer":
		end.Signer, err = auth.Bearer(token)
	case "apikey":
		end.Signer, err = auth.APIKey(name.Reveal(), value, u.auth.place, url.QueryEscape)
		for i := 0; err == nil && i < len(u.auth.more); i++ {
			name, _ := b.text(u.auth.more[i].name)
			value, _ := b.text(u.auth.more[i].value)
			end.Secrets = append(end.Secrets, value)
			var more auth.Signer
			more, err = auth.APIKey(name.Reveal(), value, auth.InHeader, url.QueryEscape)
			end.Signer = end.Signer.And(more)
		}
	}
	if err != nil {
		b.diags.Errorf(CodeCredential, u.auth.span, "%v", err)
	}
	b.secrets = append(append(b.secrets, end.Secrets...), end.Signer.Secrets()...)
}

// simulated signs for the simulator: with the configured credentials where
// there are some, otherwise with made-up ones of the right form.
func (b *binder) simulated(u *Upstream) auth.Signer {
	if u.auth == nil {
		return auth.Signer{}
	}
	user, missingUser := b.text(u.auth.username)
	password, missingPassword := b.text(u.auth.password)
	if len(missingUser)+len(missingPassword) > 0 {
		user, password = secret.New("ACsandbox"), secret.New("sandbox")
	}
	signer, err := auth.Basic(user, password)
	if u.auth.scheme != "basic" || err != nil {
		return auth.Signer{}
	}
	return signer
}

// plainCredentials refuses to send credentials readable over a network: that to
// the upstream, or that to the operator's proxy, which gets all of a plain request.
func (b *binder) plainCredentials(u *Upstream, end upstream.Endpoint, own *callers, proxy string) {
	inPath := u.auth != nil && u.auth.place == auth.InPath && end.Missing == nil
	if end.Signer.IsZero() && !inPath && own == nil || b.opts.AllowPlain {
		return
	}
	parsed, err := url.Parse(end.BaseURL)
	if err != nil || parsed.Scheme != "http" {
		return
	}
	if through, err := url.Parse(proxy); err == nil && through.Host != "" && !upstream.IsLoopback(through.Hostname()) {
		b.diags.Errorf(CodeBaseURI, u.Span, "credentials for %s would travel over plain http to the proxy %s", u.Namespace, through.Host).
			WithHint("use an https address of the upstream, or start with --allow-plain-http")
		return
	}
	if upstream.IsLoopback(parsed.Hostname()) {
		return
	}
	b.diags.Errorf(CodeBaseURI, u.Span, "credentials for %s would travel over plain http to %s", u.Namespace, parsed.Host).
		WithHint("use https, or start with --allow-plain-http")
}

// verifier makes what checks the callers of an adapter by the file's own
// authentication. Who knows its secret is called by the adapter's namespace.
func (b *binder) verifier(out *Bound, namespace string, a *authentication) {
	if a == nil || b.opts.Replaced[namespace] {
		return
	}
	secrets := map[*template.Bound]secret.Value{}
	complete := true
	for _, t := range []*template.Bound{a.username, a.password, a.token, a.name, a.value} {
		if t == nil {
			continue
		}
		s, missing := b.text(t)
		secrets[t] = s
		for _, v := range missing {
			complete = false
			b.diags.Errorf(CodeVariableMissing, v.Span, "%s has no value, and it guards an adapter", variableName(v)).
				WithHint("an adapter whose secret is missing does not open")
		}
	}
	if !complete {
		return
	}
	key := auth.Key{Caller: namespace, Scheme: auth.Scheme(a.scheme)}
	switch key.Scheme {
	case auth.SchemeBasic:
		key.Username, key.Secret = secrets[a.username].Reveal(), secrets[a.password]
	case auth.SchemeBearer:
		key.Secret = secrets[a.token]
	case auth.SchemeAPIKey:
		key.Name, key.Secret, key.Place = secrets[a.name].Reveal(), secrets[a.value], a.place
	case auth.SchemeJWT, auth.SchemeCertificate: // not in files
	}
	v, err := auth.NewVerifier(auth.Options{Keys: []auth.Key{key}})
	if err != nil {
		b.diags.Errorf(CodeCredential, a.span, "the secret that guards this adapter does not do: %v", err)
		return
	}
	out.verifiers[a] = v
	b.secrets = append(b.secrets, secrets[a.password], secrets[a.token], secrets[a.value])
	if a.username != nil {
		b.secrets = append(b.secrets, secret.New(secrets[a.username].Reveal()+":"+secrets[a.password].Reveal()))
	}
}

// RESTVerifier returns what checks the callers of a REST adapter; nil lets
// everybody in.
func (b *Bound) RESTVerifier(a *RESTAdapter) *auth.Verifier { return b.verifiers[a.auth] }

// MCPVerifier returns what checks the callers of an MCP adapter over HTTP.
func (b *Bound) MCPVerifier(a *MCPAdapter) *auth.Verifier { return b.verifiers[a.auth] }

// Client returns the client of an upstream.
func (b *Bound) Client(u *Upstream) *upstream.Client { return b.clients[u.at] }

// Close gives up idle upstream connections.
func (b *Bound) Close() {
	for _, c := range b.clients {
		c.Close()
	}
}

// Ready returns why operations cannot be called yet, or nil.
func (b *Bound) Ready(_ context.Context) []*fault.Fault {
	var out []*fault.Fault
	for _, c := range b.clients {
		if f := c.Missing(); f != nil {
			out = append(out, f)
		}
	}
	return out
}
