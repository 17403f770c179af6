package plan

import (
	"slices"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/spec"
)

// mirrored reports annotations x-mcp-header for which clients of MCP 2026-07-28
// would drop the tool: the name of a header, once, on a property that is a
// string, integer or boolean and to which properties alone lead. at is the place
// of a header's name. It returns whether the schema has none of these faults.
func (c *compiler) mirrored(schema *jsonvalue.Value, at func(header string) diag.Span) bool {
	seen := map[string]bool{}
	sound := true
	var walk func(v *jsonvalue.Value, isSchema, reachable bool, depth int)
	walk = func(v *jsonvalue.Value, isSchema, reachable bool, depth int) {
		if note := v.Get("x-mcp-header"); isSchema && note != nil {
			if reason := badMirror(v, note, seen, reachable && depth > 0); reason != "" {
				c.diags.Errorf(CodeInputSchema, at(note.Text()), "the x-mcp-header %q %s", clip(note.Text()), reason)
				sound = false
			}
		}
		for i := range v.Elems() {
			m := &v.Elems()[i]
			switch {
			case !isSchema: // a map or list of schemas
				walk(&m.Value, true, reachable, depth+1)
			case m.Name == "properties":
				walk(&m.Value, false, reachable, depth)
			case m.Name == "patternProperties" || m.Name == "$defs" || m.Name == "definitions" || m.Name == "dependentSchemas" || m.Value.Kind() == jsonvalue.Array:
				walk(&m.Value, false, false, depth)
			case m.Name != "const" && m.Name != "default" && m.Value.Kind() == jsonvalue.Object:
				walk(&m.Value, true, false, depth+1)
			}
		}
	}
	walk(schema, true, true, 0)
	return sound
}

// badMirror says what is wrong with one annotation, or "".
func badMirror(property, note *jsonvalue.Value, seen map[string]bool, reachable bool) string {
	name := strings.ToLower(note.Text())
	kind := property.Get("type")
	switch {
	case note.Kind() != jsonvalue.String || !headerName(name):
		return "is no name of a header"
	case !reachable:
		return "is not on a property that properties alone lead to"
	case kind == nil || kind.Text() != "string" && kind.Text() != "integer" && kind.Text() != "boolean":
		return "is on a property that is no string, integer or boolean"
	case seen[name]:
		return "occurs twice"
	}
	seen[name] = true
	return ""
}

// mirroredInputs does the same for the inputs of a tool that parameters declare.
func (b *builder) mirroredInputs(op *Operation, declared []spec.Parameter) bool {
	if !slices.ContainsFunc(declared, func(p spec.Parameter) bool { return !headerSpan(&p, "").IsZero() }) {
		return true
	}
	properties := make([]jsonvalue.Member, len(op.Inputs))
	for i := range op.Inputs {
		properties[i] = jsonvalue.Member{Name: op.Inputs[i].Name, Value: op.Inputs[i].Schema}
	}
	root := jsonvalue.ObjectOf([]jsonvalue.Member{{Name: "properties", Value: jsonvalue.ObjectOf(properties)}})
	return b.mirrored(&root, func(header string) diag.Span {
		for i := len(declared) - 1; i >= 0; i-- { // of two equal ones, the second is to blame
			if span := headerSpan(&declared[i], header); !span.IsZero() {
				return span
			}
		}
		return op.Span
	})
}

// headerSpan is the place where a parameter, or a part of it, names a header;
// "" means any.
func headerSpan(p *spec.Parameter, header string) diag.Span {
	if p.Header.Set() && (header == "" || p.Header.Value == header) {
		return p.Header.Span
	}
	for i := range p.Properties {
		if span := headerSpan(&p.Properties[i], header); !span.IsZero() {
			return span
		}
	}
	if p.Items != nil {
		return headerSpan(p.Items, header)
	}
	return diag.Span{}
}
