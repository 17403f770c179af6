package corpustest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// inputs are what a caller gives to an operation.
type inputs struct {
	// path holds the values of the placeholders in their order.
	path    []value
	params  []given
	body    object
	hasBody bool
}

// given is a value for a parameter.
type given struct {
	parameter
	value value
}

// draw makes inputs for an operation. The values of path placeholders are
// always there; of everything else how decides.
func draw(g *generator, op *consumed, how amount) *inputs {
	c := op.contract
	in := &inputs{}
	_, names := split(c.path)
	for _, name := range names {
		at := slices.IndexFunc(c.params, func(p parameter) bool { return p.in == "path" && p.name == name })
		schema := map[string]any{"type": "string"} // an undeclared placeholder can only be text
		if at >= 0 {
			schema = c.params[at].schema
		}
		in.path = append(in.path, g.value(schema, inPath, how))
	}
	for _, p := range op.params() {
		at := inQuery
		if p.in == "header" {
			at = inHeader
		}
		if p.required || how == everything || how == someThings && g.IntN(2) == 0 {
			in.params = append(in.params, given{p, g.value(p.schema, at, how)})
		}
	}
	if c.media == "" {
		return in
	}
	body, isObject := g.value(c.schema, inBody, how).(object)
	if !isObject {
		g.t.Fatalf("%s: the body of %s is no object", c.doc.name, c.path)
	}
	if c.media == formMedia {
		body = g.withNulls(c, body)
	}
	demanded := c.required || slices.ContainsFunc(op.Inputs, func(i declared) bool { return i.In == "body" && i.Required })
	in.body, in.hasBody = body, demanded || len(body) > 0 || g.IntN(2) == 0
	return in
}

// withNulls adds optional fields that a caller mentions and leaves empty.
func (g *generator) withNulls(c *contract, body object) object {
	out := object{}
	for _, name := range shuffled(g, c.doc.object(c.schema["properties"])) {
		v, given := body.get(name)
		switch {
		case given:
			out = append(out, member{name, v})
		case g.IntN(4) == 0:
			out = append(out, member{name, nil})
		}
	}
	return out
}

// params are the parameters in query and header that a caller can give: those
// of the document, and those that only the file has.
func (op *consumed) params() []parameter {
	var out []parameter
	for _, p := range op.contract.params {
		if p.in == "query" || p.in == "header" && !reserved(p.name) {
			out = append(out, p)
		}
	}
	for _, i := range op.Inputs {
		known := slices.ContainsFunc(op.contract.params, func(p parameter) bool { return i.In == p.in && same(i.Name, p.name) })
		if !known && (i.In == "query" || i.In == "header") && !reserved(i.Name) {
			out = append(out, parameter{name: i.Name, in: i.In, required: i.Required, explode: true, schema: map[string]any{"type": i.Type}})
		}
	}
	return out
}

// reserved headers are the gateway's own (OpenAPI 3.1, "Parameter Object": a
// header parameter of these names is ignored).
func reserved(name string) bool {
	return slices.Contains([]string{"Authorization", "Accept", "Content-Type"}, http.CanonicalHeaderKey(name))
}

// expected is the request that the document demands for the inputs.
func expected(x *target, in *inputs) request {
	c := x.op.contract
	server, err := url.Parse(c.server)
	if err != nil {
		panic(err)
	}
	out := request{
		Method: x.op.Method, Path: "/" + x.api.Namespace + strings.TrimRight(server.EscapedPath(), "/"),
		Query: map[string][]string{}, Form: map[string][]string{},
		Header: map[string][]string{"Accept": {jsonMedia}, "Accept-Encoding": {"gzip"}, "User-Agent": {"patchbay/" + version}},
	}
	literals, _ := split(c.path)
	for i, literal := range literals {
		out.Path += literal
		if i < len(in.path) {
			out.Path += segment(plain(in.path[i]))
		}
	}
	for _, p := range in.params {
		switch p.in {
		case "query":
			if values := queryValues(p); values != nil {
				out.Query[segment(p.name)] = values
			}
		case "header":
			out.Header[http.CanonicalHeaderKey(p.name)] = []string{plain(p.value)}
		}
	}
	switch x.api.Authentication.Type {
	case "basic":
		out.Header["Authorization"] = []string{basic(variable(x, x.api.Authentication.Username), variable(x, x.api.Authentication.Password))}
	case "bearer":
		out.Header["Authorization"] = []string{"Bearer " + variable(x, x.api.Authentication.Token)}
	}
	switch {
	case c.media == formMedia:
		out.Header["Content-Type"] = []string{formMedia}
		out.Form = formFields(in.body, c.isList)
	case c.media == jsonMedia && in.hasBody:
		out.Header["Content-Type"] = []string{jsonMedia}
		out.JSON = canonical(compact(in.body))
	}
	return out
}

// queryValues are the values of a parameter of style form, encoded: one for
// each element of an exploded list, else all in one with commas between them.
func queryValues(p given) []string {
	elements, isList := p.value.(array)
	if !isList {
		return []string{segment(plain(p.value))}
	}
	var values []string
	for _, e := range elements {
		values = append(values, segment(plain(e)))
	}
	if !p.explode && len(values) > 0 {
		return []string{strings.Join(values, ",")}
	}
	return values
}

// isList tells whether a field of the body is declared as a list.
func (c *contract) isList(field string) bool {
	property := c.doc.object(c.doc.object(c.schema["properties"])[field])
	return property["type"] == "array"
}

// variable is the value of a text that is one placeholder of a variable, as the
// operator has it for this file.
func variable(x *target, text string) string {
	name, found := strings.CutPrefix(strings.TrimSuffix(text, "}}"), "{{env.")
	value, known := environment(mapped(x.api.Namespace, name))
	if !found || !known {
		return "no variable: " + text
	}
	return value
}
