package plan

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"patchbay/internal/diag"
	"patchbay/internal/route"
	"patchbay/internal/spec"
	"patchbay/internal/template"
	"patchbay/internal/upstream"
	"patchbay/internal/wire"
)

// consumes compiles every consumed API.
func (c *compiler) consumes() {
	for i := range c.doc.Consumes {
		from := &c.doc.Consumes[i]
		if from.Import != nil {
			c.disable(CodeUnsupported, "import", from.Namespace.Value, from.Span, "imports are not read yet", "copy the consumed API into this file")
			c.absent[from.Namespace.Value] = true
			continue
		}
		if code, span, reason, hint := refusal(from); reason != "" {
			c.disable(code, "consumed API", from.Namespace.Value, span, reason, hint)
			c.absent[from.Namespace.Value] = true
			continue
		}
		u := &Upstream{
			Namespace: from.Namespace.Value, Description: from.Description.Value,
			BaseURI: strings.TrimRight(from.BaseURI.Value, "/"), Span: from.Span, signed: from.Authentication != nil && schemeOf(from.Authentication) != "none",
		}
		if from.Authentication != nil {
			u.BaseURI, u.prefix = splitBase(u.BaseURI, from.Authentication)
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
	address.Value = u.BaseURI
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
	for _, ph := range text.Placeholders() {
		if !c.isBound(ph.Name) {
			c.diags.Warnf(CodeBaseURIMissing, nameSpan(address, &ph), "%s in the base address is not declared in binds", ph.Name).
				WithHint("give the whole address when serving: --upstream %s=https://host/path", u.Namespace)
			return
		}
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
		upstream: u, name: from.Name.Value, method: strings.ToUpper(from.Method.Value),
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
	op.path = u.prefix + joinPath(r.Path.Value, from.Path.Value)
	if from.Path.Set() {
		place = from.Path
	}
	switch format := strings.ToLower(from.OutputRawFormat.Value); {
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
	c.keyInPath(op, api.Authentication)
	c.fixedQuery(op, query, place)
	c.target(op, path, place)
	c.contractParameters(op)
	c.consumedBody(op)
	c.keyInBody(op)
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
	if !strings.HasPrefix(resource, "/") && !strings.HasPrefix(resource, "?") {
		resource = "/" + resource
	}
	if own == "" {
		return resource
	}
	if own[0] == ':' || own[0] == '?' {
		return strings.TrimRight(resource, "/") + own // as in /documents:search
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
			fixed = append(fixed, queryText(plainQuery(name))+"="+queryText(plainQuery(value)))
		default:
			from := &spec.Parameter{Span: place.Span, Name: spec.Text{Value: plainQuery(name), Span: place.Span}, Value: place}
			op.params = append(op.params, param{name: from.Name.Value, in: inQuery, declared: from, fixed: text, span: place.Span})
		}
	}
	op.query = strings.Join(fixed, "&")
}

// queryText encodes a part of a query string; a space is %20, as in the values
// of parameters.
func queryText(text string) string { return string(template.AppendSegment(nil, text)) }

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
		if c.gatewayHeader(op, from) {
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
		p.in, p.required = inNowhere, false // it declares a variable; see environmentInputs
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

// gatewayHeader deals with a header that the gateway sets itself: its fixed
// value in the file counts, a caller's does not. It reports whether the
// parameter is dealt with. Where no authentication is configured, nothing is
// there to protect and callers give Authorization themselves.
func (c *compiler) gatewayHeader(op *consumed, from *spec.Parameter) bool {
	name := strings.ToLower(from.Name.Value)
	switch plain := from.Value.Set() && !strings.Contains(from.Value.Value, "{{"); {
	case !reservedHeader(name), name == "authorization" && !op.upstream.signed:
		return false
	case name == "accept" && plain:
		op.accept = []string{from.Value.Value}
		return true
	case name == "content-type" && plain:
		if media, ok := bodyMedia(from.Value.Value); ok {
			op.fixedMedia = media
			return true
		}
	}
	op.ignored = append(op.ignored, from.Name.Value)
	c.diags.Notef(CodeInputReserved, from.Span, "the header %s is set by the gateway and taken from no caller", from.Name.Value)
	return true
}

// environmentInputs finds the inputs with `in: environment`, which declare
// variables of the process as binds does.
func (c *compiler) environmentInputs() {
	note := func(inputs []spec.Parameter) {
		for i := range inputs {
			if strings.EqualFold(inputs[i].In.Value, "environment") {
				c.environment[inputs[i].Name.Value] = true
			}
		}
	}
	for i := range c.doc.Consumes {
		from := &c.doc.Consumes[i]
		note(from.Inputs)
		for j := range from.Resources {
			note(from.Resources[j].Inputs)
			for k := range from.Resources[j].Operations {
				note(from.Resources[j].Operations[k].Inputs)
			}
		}
	}
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
		at := c.pathArgument(op, &ph, place)
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
// that name, exactly or else ignoring case and punctuation, or a new one: a
// variable, or what a caller has to give.
func (c *compiler) pathArgument(op *consumed, ph *template.Placeholder, place spec.Text) int {
	name := ph.Name
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
	added := param{name: name, in: inPath, required: true, span: op.span}
	if ph.Length >= utf8.RuneCountInString(name)+len("{{}}") && c.isBound(name) {
		// {{NAME}} of binds is a variable, as everywhere on the consumed side.
		value := spec.Text{Value: "{{" + name + "}}", Span: nameSpan(place, ph)}
		added.declared = &spec.Parameter{Span: value.Span, Name: spec.Text{Value: name, Span: value.Span}, Value: value}
		added.fixed, _ = template.Compile(value.Value, template.Value)
	}
	op.params = append(op.params, added)
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
