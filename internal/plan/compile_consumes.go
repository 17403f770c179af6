package plan

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"patchbay/internal/auth"
	"patchbay/internal/contract"
	"patchbay/internal/diag"
	"patchbay/internal/route"
	"patchbay/internal/spec"
	"patchbay/internal/template"
	"patchbay/internal/wire"
)

// consumes compiles every consumed API.
func (c *compiler) consumes() {
	for i := range c.doc().Consumes {
		from := &c.doc().Consumes[i]
		if from.Import != nil {
			c.disable(CodeUnsupported, "import", from.Namespace.Value, from.Span, "imports are not read yet", "copy the consumed API into this file")
			continue
		}
		if from.Type.Set() && from.Type.Value != "http" {
			c.disable(CodeUnsupported, "consumed API", from.Namespace.Value, from.Type.Span, "the type "+quote(from.Type.Value)+" is not one that is called here", "only http is")
			continue
		}
		u := &Upstream{
			Namespace: from.Namespace.Value, Description: from.Description.Value,
			BaseURI: strings.TrimRight(from.BaseURI.Value, "/"), Span: from.Span,
		}
		u.Host = hostOf(u.BaseURI)
		u.Profile = c.opts.Profiles.For(u.BaseURI)
		c.baseURI(u, from)
		u.auth = c.authentication(from.Authentication, u.Host, false)
		u.at = len(c.plan.Upstreams)
		c.plan.Upstreams = append(c.plan.Upstreams, u)
		c.upstreams[u.Namespace] = u
		for j := range from.Resources {
			r := &from.Resources[j]
			for k := range r.Operations {
				if op := c.consumedOperation(u, from, r, &r.Operations[k]); op != nil {
					u.operations = append(u.operations, op)
				}
			}
		}
	}
}

func quote(s string) string { return `"` + s + `"` }

// baseURI compiles the address. What only an operator can fill in is left
// missing; serving then wants --upstream.
func (c *compiler) baseURI(u *Upstream, from *spec.Consumes) {
	address := from.BaseURI
	switch {
	case address.Value == "":
		c.diags.Warnf(CodeBaseURIMissing, from.Span, "%s has no base address", u.Namespace).
			WithHint("give one when serving: --upstream %s=https://host/path", u.Namespace)
		return
	case strings.Contains(strings.ReplaceAll(strings.ReplaceAll(address.Value, "{{", ""), "}}", ""), "{"):
		c.diags.Warnf(CodeBaseURIMissing, address.Span, "the base address has placeholders that callers must not fill").
			WithHint("give the whole address when serving: --upstream %s=https://host/path", u.Namespace)
		return
	}
	text, err := template.Compile(u.BaseURI, template.Value)
	if err != nil {
		c.templateError(address, err)
		return
	}
	if text.IsPlain() {
		if parsed, err := url.Parse(u.BaseURI); err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
			c.diags.Errorf(CodeBaseURI, address.Span, "%q is not an absolute http or https address", clip(address.Value))
			return
		}
	}
	u.base = c.variableText(address, text, u.Host, textUse{})
}

// methods are the methods that an operation may have.
var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// consumedOperation compiles one upstream operation. It returns nil only where
// nothing of it can be addressed.
func (c *compiler) consumedOperation(u *Upstream, api *spec.Consumes, r *spec.ConsumedResource, from *spec.ConsumedOperation) *consumed {
	op := &consumed{
		upstream: u, name: from.Name.Value, method: strings.ToUpper(from.Method.Value), whole: -1,
		description: from.Description.Value, label: from.Label.Value, span: from.Span, declared: from,
	}
	if op.method == "" {
		op.method = "GET"
	}
	if !slices.Contains(methods, op.method) {
		d := c.diags.Errorf(CodeMethod, from.Method.Span, "%q is not a method", clip(from.Method.Value))
		if near := diag.Nearest(op.method, methods); near != "" {
			d.WithHint("did you mean %s?", near)
		}
		return nil
	}
	place := r.Path
	op.path = joinPath(r.Path.Value, from.Path.Value)
	if from.Path.Set() {
		place = from.Path
	}
	switch format := strings.ToLower(from.OutputRawFormat.Value); {
	case from.Body != nil:
		op.disabled = "a declared request body (body:) is not sent yet"
	case format != "" && format != "json":
		op.disabled = "answers in " + format + " are not read yet"
	}
	path, query, _ := strings.Cut(op.path, "?")
	op.query = fixedQuery(query)

	contracted, problems := c.opts.Contracts.Join(op.method, u.BaseURI, path)
	for _, p := range problems {
		if !c.contractNotes[p] {
			c.contractNotes[p] = true
			c.diags.Notef(CodeContract, from.Span, "%s", p)
		}
	}
	op.contract = contracted

	for _, inputs := range [][]spec.Parameter{headerParameters(api.Headers), api.Inputs, r.Inputs, from.Inputs} {
		for i := range inputs {
			c.consumedParameter(op, &inputs[i])
		}
	}
	c.target(op, path, place)
	c.contractParameters(op)
	c.consumedBody(op)
	return op
}

// joinPath adds an operation's own path to its resource's: with the same first
// segment it is the whole path, otherwise it is appended.
func joinPath(resource, own string) string {
	if !strings.HasPrefix(resource, "/") {
		resource = "/" + resource
	}
	if own == "" {
		return resource
	}
	if !strings.HasPrefix(own, "/") {
		own = "/" + own
	}
	first := route.Split(resource)[0]
	if resource == "/" || first != "" && route.Split(own)[0] == first {
		return own
	}
	return strings.TrimRight(resource, "/") + own
}

func fixedQuery(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	return values.Encode()
}

func headerParameters(headers []spec.Entry) []spec.Parameter {
	out := make([]spec.Parameter, len(headers))
	for i, h := range headers {
		out[i] = spec.Parameter{Span: h.Name.Span, Name: h.Name, In: spec.Text{Value: "header", Span: h.Name.Span}, Value: h.Value}
	}
	return out
}

// reservedHeaders are set by the signer, the encoder or net/http, never by a caller.
var reservedHeaders = []string{
	"authorization", "proxy-authorization", "accept", "accept-encoding", "content-type", "content-length", "host", "cookie",
	"connection", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "expect", "user-agent", "idempotency-key", "x-idempotency-key",
}

func (c *compiler) consumedParameter(op *consumed, from *spec.Parameter) {
	p := param{name: from.Name.Value, required: from.Required.Value, declared: from, span: from.Span}
	switch strings.ToLower(from.In.Value) {
	case "path":
		p.in, p.required = inPath, true
	case "query", "":
		p.in = inQuery
	case "header":
		p.in = inHeader
		if slices.Contains(reservedHeaders, strings.ToLower(p.name)) {
			c.diags.Notef(CodeInputReserved, from.Span, "the header %s is set by the gateway and taken from no caller", p.name)
			return
		}
		if !headerName(p.name) {
			c.diags.Warnf(CodeInputReserved, from.Name.Span, "%q cannot be a header's name; the input is left out", clip(p.name))
			return
		}
	case "cookie":
		p.in = inCookie
	case "body":
		p.in = inBody
	case "environment":
		p.in = inNowhere
	default:
		c.diags.Warnf(CodeInputLocation, from.In.Span, "%q is not a place for a parameter; it is sent in the query", clip(from.In.Value)).
			WithHint("use path, query, header, cookie or body")
	}
	if from.Value.Set() {
		text, err := template.Compile(from.Value.Value, template.Value)
		if err != nil {
			c.templateError(from.Value, err)
			return
		}
		p.fixed = text
	}
	if at := slices.IndexFunc(op.params, func(have param) bool { return have.name == p.name && have.in == p.in }); at >= 0 {
		op.params[at] = p // the innermost declaration wins
		return
	}
	op.params = append(op.params, p)
}

// target compiles the path over the arguments. Placeholders that nothing
// declares become arguments.
func (c *compiler) target(op *consumed, path string, place spec.Text) {
	text, err := template.Compile(path, template.Path)
	if err != nil {
		c.templateError(place, err)
		op.disabled = "its path cannot be compiled"
		return
	}
	slots := map[string]int{}
	for _, ph := range text.Placeholders() {
		if _, known := slots[ph.Name]; known {
			continue
		}
		at := c.pathArgument(op, ph.Name)
		slots[ph.Name] = at
	}
	if op.contract != nil {
		for i, ph := range text.Placeholders() {
			if i < len(op.contract.Path) {
				op.params[slots[ph.Name]].contract = op.contract.Path[i]
			}
		}
	}
	op.target = text.Bind(slotsOf(slots))
}

// pathArgument finds the argument for a placeholder: the path parameter of
// that name, exactly or else ignoring case and punctuation, or a new one.
func (c *compiler) pathArgument(op *consumed, name string) int {
	loose := -1
	for i := range op.params {
		if op.params[i].in != inPath {
			continue
		}
		if op.params[i].name == name {
			return i
		}
		if diag.Fold(op.params[i].name) == diag.Fold(name) {
			loose = i
		}
	}
	if loose >= 0 {
		return loose
	}
	op.params = append(op.params, param{name: name, in: inPath, required: true, span: op.span})
	return len(op.params) - 1
}

// contractParameters attaches what the contract says about declared
// parameters, and adds the query parameters that the file lost.
func (c *compiler) contractParameters(op *consumed) {
	if op.contract == nil {
		return
	}
	for i := range op.params {
		p := &op.params[i]
		switch p.in {
		case inQuery:
			p.contract = contract.Named(op.contract.Query, p.name)
		case inHeader:
			p.contract = contract.Named(op.contract.Header, p.name)
		}
		if p.contract != nil {
			p.style = p.contract.Style
			if p.in == inQuery {
				p.name = p.contract.Name
			}
		}
	}
	for _, q := range op.contract.Query {
		if slices.ContainsFunc(op.params, func(p param) bool { return p.contract == q }) {
			continue
		}
		op.params = append(op.params, param{name: q.Name, in: inQuery, required: q.Required, style: q.Style, contract: q, span: op.span})
	}
}

// consumedBody decides how the body is made and encoded: the contract says,
// else the provider's profile, else it is JSON.
func (c *compiler) consumedBody(op *consumed) {
	var members []int
	for i := range op.params {
		if op.params[i].in == inBody {
			members = append(members, i)
		}
	}
	if len(members) == 0 {
		if op.contract == nil || op.contract.Body == nil {
			return
		}
		op.params = append(op.params, param{name: "body", in: inBody, required: op.contract.Body.Required, span: op.span})
		members = []int{len(op.params) - 1}
	}
	for _, i := range members {
		if len(members) == 1 || op.params[i].name == "body" {
			op.whole = i
		}
	}
	switch {
	case op.contract != nil && op.contract.Body != nil:
		op.body = op.contract.Body.MediaType
	default:
		op.body = op.upstream.Profile.BodyMedia(op.upstream.BaseURI, op.path)
	}
	if op.body == "" {
		op.body = wire.MediaJSON
	}
}

// textUse says what a text over variables is for.
type textUse struct {
	// authentication admits undeclared names, which are read from the environment.
	authentication bool
	inbound        bool
}

// variableText compiles a text that may hold variables and nothing else.
func (c *compiler) variableText(at spec.Text, text *template.Template, host string, use textUse) *template.Bound {
	slots := map[string]int{}
	for _, ph := range text.Placeholders() {
		slots[ph.Name] = c.variable(ph.Name, nameSpan(at, &ph), host, use)
	}
	return text.Bind(slotsOf(slots))
}

// variable registers a use of {{namespace.NAME}} or {{NAME}} and returns the
// variable's index, or -1 when the name cannot be one.
func (c *compiler) variable(ref string, span diag.Span, host string, use textUse) int {
	namespace, name, qualified := strings.Cut(ref, ".")
	if !qualified {
		namespace, name = "", ref
	}
	v := &Variable{Namespace: namespace, Name: name, Key: name, Span: span, Host: host, Inbound: use.inbound}
	bound := c.declaration(v, qualified)
	if !v.Declared {
		if !use.authentication {
			d := c.diags.Errorf(CodeBindUnknownNamespace, span, "%s is not declared in binds", ref)
			if near := diag.Nearest(ref, c.declaredNames()); near != "" {
				d.WithHint("did you mean %s?", near)
			}
			return -1
		}
		d := c.diags.Warnf(CodeBindUndeclaredKey, span, "%s is not declared in binds", ref)
		switch {
		case bound != nil && len(bound.Keys) > 0:
			d.WithHint("binds %q declares %s (line %d); the environment variable %s is read all the same", bound.Namespace.Value, keyNames(bound), bound.Keys[0].Name.Span.Line, name)
		default:
			d.WithHint("the environment variable %s is read all the same", name)
		}
	}
	for i, have := range c.plan.Variables {
		if have.Namespace == v.Namespace && have.Name == v.Name {
			return i
		}
	}
	c.plan.Variables = append(c.plan.Variables, v)
	return len(c.plan.Variables) - 1
}

// declaration looks the variable up in binds. It returns the binding of its
// namespace even where that does not declare it.
func (c *compiler) declaration(v *Variable, qualified bool) *spec.Bind {
	var inNamespace *spec.Bind
	for i := range c.doc().Binds {
		b := &c.doc().Binds[i]
		if qualified && b.Namespace.Value != v.Namespace {
			continue
		}
		if qualified {
			inNamespace = b
		}
		for _, k := range b.Keys {
			if k.Name.Value == v.Name {
				v.Namespace, v.Key, v.Location, v.Declared = b.Namespace.Value, k.Value.Value, b.Location.Value, true
				if v.Key == "" {
					v.Key = v.Name
				}
				return b
			}
		}
	}
	return inNamespace
}

func (c *compiler) declaredNames() []string {
	var out []string
	for i := range c.doc().Binds {
		for _, k := range c.doc().Binds[i].Keys {
			out = append(out, c.doc().Binds[i].Namespace.Value+"."+k.Name.Value)
		}
	}
	return out
}

func keyNames(b *spec.Bind) string {
	names := make([]string, len(b.Keys))
	for i, k := range b.Keys {
		names[i] = k.Name.Value
	}
	return strings.Join(names, ", ")
}

// authentication compiles a scheme; nil means none or one that cannot run.
func (c *compiler) authentication(from *spec.Authentication, host string, inbound bool) *authentication {
	if from == nil || from.Type.Value == "" {
		return nil
	}
	a := &authentication{scheme: strings.ToLower(from.Type.Value), span: from.Span}
	field := func(name string, t spec.Text) *template.Bound {
		if !t.Set() {
			c.diags.Errorf(CodeAuthIncomplete, from.Span, "%s authentication needs %s", a.scheme, name)
			return nil
		}
		text, err := template.Compile(t.Value, template.Value)
		if err != nil {
			c.templateError(t, err)
			return nil
		}
		return c.variableText(t, text, host, textUse{authentication: true, inbound: inbound})
	}
	switch a.scheme {
	case "basic":
		a.username, a.password = field("username", from.Username), field("password", from.Password)
	case "bearer":
		a.token = field("token", from.Token)
	case "apikey":
		a.name, a.value = field("key", from.Key), field("value", from.Value)
		switch strings.ToLower(from.Placement.Value) {
		case "", "header":
		case "query":
			a.place = auth.InQuery
		case "cookie":
			a.place = auth.InCookie
		default:
			c.unsupportedAuth(from, inbound, "an API key placed in "+quote(from.Placement.Value), from.Placement.Span)
			return nil
		}
	default:
		c.unsupportedAuth(from, inbound, "the scheme "+quote(from.Type.Value), from.Type.Span)
		return nil
	}
	return a
}

// unsupportedAuth is an error on both sides: an adapter must not open without
// the lock its file asks for, and a call must not leave without credentials.
func (c *compiler) unsupportedAuth(from *spec.Authentication, inbound bool, what string, span diag.Span) {
	if span.IsZero() {
		span = from.Span
	}
	side := "sign calls"
	if inbound {
		side = "check callers"
	}
	c.diags.Errorf(CodeAuthUnsupported, span, "%s cannot %s here", what, side).WithHint("basic, bearer and apikey can")
}

func (c *compiler) templateError(at spec.Text, err error) {
	span := at.Span
	if te, ok := err.(*template.Error); ok {
		span = at.Span.Sub(te.Col-1, 1)
		c.diags.Errorf(CodeTemplate, span, "%s", te.Message)
		return
	}
	c.diags.Errorf(CodeTemplate, span, "%v", err)
}

// headerName reports whether s is a token (RFC 9110 section 5.6.2).
func headerName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

func clip(s string) string {
	const most = 60
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// slotsOf resolves the names of a text by a finished table.
func slotsOf(slots map[string]int) func(string, int) (int, bool) {
	return func(name string, _ int) (int, bool) {
		slot, ok := slots[name]
		return slot, ok && slot >= 0
	}
}

// nameSpan is the place of a placeholder's name, without its braces.
func nameSpan(at spec.Text, ph *template.Placeholder) diag.Span {
	n := utf8.RuneCountInString(ph.Name)
	return at.Span.Sub(ph.Offset+(ph.Length-n)/2, n)
}
