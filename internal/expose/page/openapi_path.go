package page

import (
	"strconv"
	"strings"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
	"patchbay/internal/route"
)

// pathItem is a path with its operations. Paths that differ only in what their
// placeholders are called are one path, as they are for the router.
type pathItem struct {
	template string
	// names are the placeholders in their order, as the template calls them.
	names []string
	ops   []ownedOperation
}

// ownedOperation is an operation of a member.
type ownedOperation struct {
	*plan.RESTOperation
	member int
}

// paths describes the operations in the order of the files.
func (d *describer) paths() object {
	var items []*pathItem
	byShape := map[string]*pathItem{}
	for i := range d.members {
		for _, op := range d.members[i].Adapter.Operations {
			shape, item := newPathItem(d.members[i].Mount + op.Path)
			if known := byShape[shape]; known != nil {
				item = known
			} else {
				byShape[shape] = item
				items = append(items, item)
			}
			item.ops = append(item.ops, ownedOperation{op, i})
		}
	}
	out := object{}
	for _, item := range items {
		var methods object
		for _, op := range item.ops {
			d.describe(op.member)
			methods.object(strings.ToLower(op.Method), d.operation(item, op.RESTOperation))
		}
		out.object(item.template, methods)
	}
	return out
}

// newPathItem makes a path template of OpenAPI out of a route. The shape is
// the route without the names of its placeholders.
func newPathItem(path string) (shape string, item *pathItem) {
	item = &pathItem{}
	taken := map[string]bool{}
	var template, shapes strings.Builder
	for _, segment := range route.Split(path) {
		literals, names := route.Parts(segment)
		template.WriteByte('/')
		shapes.WriteByte('/')
		for i, literal := range literals {
			escaped := escapePath(literal)
			template.WriteString(escaped)
			shapes.WriteString(escaped)
			if i < len(names) {
				name := unique(placeholder(names[i]), taken)
				item.names = append(item.names, name)
				template.WriteString("{" + name + "}")
				shapes.WriteString("{}")
			}
		}
	}
	item.template = template.String()
	return shapes.String(), item
}

// placeholder is a name in the characters that tools recognize in a template.
func placeholder(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
			return r
		}
		return '_'
	}, name)
	if strings.Trim(name, "_") == "" {
		return "value"
	}
	return name
}

// unique returns the name, counted up where it is taken, and takes it.
func unique(name string, taken map[string]bool) string {
	candidate := name
	for n := 2; taken[candidate]; n++ {
		candidate = name + "_" + strconv.Itoa(n)
	}
	taken[candidate] = true
	return candidate
}

// escapePath percent-encodes what may not stand in a path segment (RFC 3986
// section 3.3). Escapes that are there already stay.
func escapePath(literal string) string {
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(literal))
	for i := range len(literal) {
		c := literal[i]
		switch {
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0,
			c == '%' && i+2 < len(literal) && isHex(literal[i+1]) && isHex(literal[i+2]):
			out = append(out, c)
		default:
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(out)
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' || 'a' <= c && c <= 'f' }

// parameters describes what a caller gives outside the body.
func (d *describer) parameters(item *pathItem, op *plan.RESTOperation) []jsonvalue.Value {
	var out []jsonvalue.Value
	for i, name := range item.names {
		in := &plan.Input{Location: plan.Path}
		if at := op.PathInputs[i]; at >= 0 {
			in = &op.Inputs[at]
		}
		out = append(out, d.parameter(name, "path", in))
	}
	for i := range op.Inputs {
		switch in := &op.Inputs[i]; in.Location {
		case plan.Query, plan.Header, plan.Cookie:
			out = append(out, d.parameter(in.Name, in.Location.String(), in))
		}
	}
	if d.keyed(op) {
		out = append(out, reference("parameters", keyPart))
	}
	return out
}

// lost explains an input that the exposed path does not carry.
const lost = "The path of the upstream needs this value and the route does not carry it, so it is given in the query."

func (d *describer) parameter(name, in string, input *plan.Input) jsonvalue.Value {
	schema := tidy(input.Schema)
	if isEmpty(&schema) {
		schema = jsonvalue.ObjectOf([]jsonvalue.Member{{Name: "type", Value: jsonvalue.StringOf("string")}})
	}
	text := inputText(input)
	if input.Lost {
		text = join(text, lost)
	}
	var out object
	out.text("name", name)
	out.text("in", in)
	out.text("description", markdown(text))
	if in == "path" || input.Required {
		out.put("required", jsonvalue.BoolOf(true))
	}
	out.put("schema", schema)
	if fits(&schema, input.Example) {
		out.put("example", *input.Example)
	}
	return out.value()
}

// inputText is the description of an input: its own, or its schema's.
func inputText(in *plan.Input) string {
	if in.Description != "" {
		return in.Description
	}
	if text := in.Schema.Get("description"); text != nil {
		return text.Text()
	}
	return ""
}
