package plan

import (
	"net/url"
	"slices"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/route"
	"patchbay/internal/spec"
	"patchbay/internal/template"
	"patchbay/internal/upstream"
	"patchbay/internal/wire"
)

// consumes compiles every consumed API.
func (c *compiler) consumes() {
	for i := range c.doc().Consumes {
		from := &c.doc().Consumes[i]
		if from.Import != nil {
			c.disable(CodeUnsupported, "import", from.Namespace.Value, from.Span, "imports are not read yet", "copy the consumed API into this file")
			c.absent[from.Namespace.Value] = true
			continue
		}
		if from.Type.Set() && from.Type.Value != "http" {
			c.disable(CodeUnsupported, "consumed API", from.Namespace.Value, from.Type.Span, "the type "+quote(from.Type.Value)+" is not one that is called here", "only http is")
			c.absent[from.Namespace.Value] = true
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
		if c.upstreams[u.Namespace] == nil {
			c.upstreams[u.Namespace] = u
		}
		for j := range from.Resources {
			r := &from.Resources[j]
			for k := range r.Operations {
				u.operations = append(u.operations, c.consumedOperation(u, from, r, &r.Operations[k]))
			}
		}
		c.contradictions(u, from.BaseURI)
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
		if _, err := upstream.ParseBase(u.BaseURI); err != nil {
			c.diags.Errorf(CodeBaseURI, address.Span, "%v", err).Secret = strings.Contains(address.Value, "@")
			return
		}
	}
	u.base = c.variableText(address, text, u.Host, textUse{})
}

// methods are the methods that an operation may have.
var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// consumedOperation compiles one upstream operation. One that is broken has an
// error of its own, so that what calls it is not blamed as well.
func (c *compiler) consumedOperation(u *Upstream, api *spec.Consumes, r *spec.ConsumedResource, from *spec.ConsumedOperation) *consumed {
	op := &consumed{
		upstream: u, name: from.Name.Value, method: strings.ToUpper(from.Method.Value), whole: -1,
		description: from.Description.Value, label: from.Label.Value, span: from.Span, declared: from,
	}
	if op.method == "" {
		op.method = "GET"
	}
	if !slices.Contains(methods, op.method) {
		c.method(from.Method)
		op.broken = true
		return op
	}
	place := r.Path
	op.path = joinPath(r.Path.Value, from.Path.Value)
	if from.Path.Set() {
		place = from.Path
	}
	switch format := strings.ToLower(from.OutputRawFormat.Value); {
	case from.Body != nil:
		op.disabled = "a declared request body (body:) is not sent yet"
	case format == "binary":
		op.binary, op.mediaType = true, from.OutputMediaType.Value
	case format != "" && format != "json":
		op.disabled = "answers in " + format + " are not read yet"
	}
	path, query, _ := strings.Cut(op.path, "?")

	c.join(op, path)

	for _, inputs := range [][]spec.Parameter{headerParameters(api.Headers), api.Inputs, r.Inputs, from.Inputs} {
		for i := range inputs {
			c.consumedParameter(op, &inputs[i])
		}
	}
	c.fixedQuery(op, query, place)
	c.target(op, path, place)
	c.contractParameters(op)
	c.consumedBody(op)
	return op
}

// method reports one that is none of HTTP's.
func (c *compiler) method(m spec.Text) {
	d := c.diags.Errorf(CodeMethod, m.Span, "%q is not a method", clip(m.Value))
	if near := diag.Nearest(strings.ToUpper(m.Value), methods); near != "" {
		d.WithHint("did you mean %s?", near)
	}
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

// fixedQuery keeps the query string that a path carries. A pair with a
// placeholder becomes a parameter of that value.
func (c *compiler) fixedQuery(op *consumed, query string, place spec.Text) {
	var fixed []string
	for name, value := range wire.Query(query) {
		switch text, err := template.Compile(value, template.Path); {
		case err != nil:
			c.templateError(place, err)
			op.broken = true
		case text.IsPlain():
			fixed = append(fixed, url.QueryEscape(plainQuery(name))+"="+url.QueryEscape(plainQuery(value)))
		default:
			from := &spec.Parameter{Span: place.Span, Name: spec.Text{Value: plainQuery(name), Span: place.Span}, Value: place}
			op.params = append(op.params, param{name: from.Name.Value, in: inQuery, declared: from, fixed: text, span: place.Span})
		}
	}
	op.query = strings.Join(fixed, "&")
}

// plainQuery decodes a part of a query string, or leaves it as it is.
func plainQuery(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil {
		return decoded
	}
	return text
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

func reservedHeader(name string) bool {
	return slices.Contains(reservedHeaders, strings.ToLower(name))
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
		if reservedHeader(p.name) {
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
		c.diags.Warnf(CodeInputLocation, from.In.Span, "the parameter %s is sent nowhere: values of the environment come through binds", clip(p.name))
		p.in, p.required = inNowhere, false
	default:
		p.in = inQuery
		c.diags.Warnf(CodeInputLocation, from.In.Span, "%q is not a place for a parameter; it is sent in the query", clip(from.In.Value)).
			WithNearest(from.In.Value, inputPlaces(), "use one of ")
	}
	if from.Value.Set() {
		text, err := template.Compile(from.Value.Value, template.Value)
		if err != nil {
			c.templateError(from.Value, err)
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
		op.broken = true
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
	for i := range op.params {
		if p := &op.params[i]; p.in == inPath && !slices.Contains(op.target.Slots(), i) {
			c.diags.Warnf(CodeInputUnused, p.span, "the path has no {%s}; the parameter is sent nowhere", clip(p.name)).Hint = op.nearPlaceholder(p.name, text)
			p.in, p.required = inNowhere, false
		}
	}
}

// pathArgument finds the argument for a placeholder: the path parameter of
// that name, exactly or else ignoring case and punctuation, or a new one.
func (c *compiler) pathArgument(op *consumed, name string) int {
	at, rival := meant(name, len(op.params), func(i int) string {
		if op.params[i].in != inPath {
			return ""
		}
		return op.params[i].name
	})
	switch {
	case rival >= 0:
		c.diags.Errorf(CodeInputAmbiguous, op.span, "{%s} can mean the parameter %q or %q", name, op.params[at].name, op.params[rival].name)
		return at
	case at >= 0:
		return at
	}
	op.params = append(op.params, param{name: name, in: inPath, required: true, span: op.span})
	return len(op.params) - 1
}

// meant finds the one of n names that a name means: the equal one, or else the
// only one that is equal ignoring case, '-' and '_'. It returns -1 for none, and
// as rival the second of several that would do. Empty names are none.
func meant(name string, n int, names func(int) string) (at, rival int) {
	at, rival = -1, -1
	folded := diag.Fold(name)
	for i := range n {
		candidate := names(i)
		switch {
		case candidate == "":
		case candidate == name:
			return i, -1
		case diag.Fold(candidate) != folded:
		case at < 0:
			at = i
		case rival < 0:
			rival = i
		}
	}
	return at, rival
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
	for _, i := range members {
		if p := &op.params[i]; op.whole >= 0 && op.whole != i {
			c.diags.Warnf(CodeInputUnused, p.span, "the parameter body is the whole body; %s is sent nowhere", clip(p.name))
			p.in, p.required = inNowhere, false
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
