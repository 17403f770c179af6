package contract

import (
	"strings"

	"patchbay/internal/jsonvalue"
)

// publisher turns a document's schemas into self-contained ones for callers:
// references are replaced by what they lead to, a recursion becomes an open
// schema, OpenAPI 3.0's nullable becomes a type, and our own extension
// keywords are left out.
type publisher struct {
	resolve   func(string) (*jsonvalue.Value, bool)
	openapi30 bool
}

// maxInline bounds how deep references are followed into each other.
const maxInline = 24

// Input returns the published schema of the parameter.
func (op *Operation) Input(p *Param) jsonvalue.Value { return op.publisher.schema(p.raw, nil) }

// BodySchema returns the published schema of the request body.
func (op *Operation) BodySchema() jsonvalue.Value {
	if op.Body == nil || op.Body.raw == nil {
		return jsonvalue.ObjectOf(nil)
	}
	return op.publisher.schema(op.Body.raw, nil)
}

// SuccessSchema returns the published schema of the success answer and true,
// or false where the contract has none.
func (op *Operation) SuccessSchema() (jsonvalue.Value, bool) {
	if op.Success == nil {
		return jsonvalue.Value{}, false
	}
	return op.publisher.schema(op.Success, nil), true
}

// Shape returns what an answer looks like, as far as a client may rely on it
// when the provider changes its mind: types and descriptions, every field
// optional and nullable, no enums, patterns, bounds or closed objects.
func (op *Operation) Shape() (jsonvalue.Value, bool) {
	if op.Success == nil {
		return jsonvalue.Value{}, false
	}
	full := op.publisher.schema(op.Success, nil)
	return shape(&full, true), true
}

func (p *publisher) schema(v *jsonvalue.Value, trail []string) jsonvalue.Value {
	if v == nil || v.Kind() == jsonvalue.Absent {
		return jsonvalue.ObjectOf(nil)
	}
	if v.Kind() != jsonvalue.Object {
		return *v
	}
	if ref := v.Get("$ref"); ref != nil {
		return p.reference(v, ref.Text(), trail)
	}
	nullable := false
	members := make([]jsonvalue.Member, 0, v.Len())
	for _, m := range v.Elems() {
		switch {
		case strings.HasPrefix(m.Name, "x-"), m.Name == "example", m.Name == "xml", m.Name == "externalDocs":
			continue
		case p.openapi30 && m.Name == "nullable":
			nullable = m.Value.Bool()
			continue
		}
		members = append(members, jsonvalue.Member{Name: m.Name, Value: p.keyword(m.Name, &m.Value, trail)})
	}
	if nullable {
		admitNull(members)
	}
	return jsonvalue.ObjectOf(members)
}

func (p *publisher) reference(v *jsonvalue.Value, ref string, trail []string) jsonvalue.Value {
	target, ok := p.resolve(ref)
	if !ok || len(trail) >= maxInline || contains(trail, ref) {
		return jsonvalue.ObjectOf(nil)
	}
	out := p.schema(target, append(trail[:len(trail):len(trail)], ref))
	if p.openapi30 || v.Len() == 1 || out.Kind() != jsonvalue.Object {
		return out
	}
	// In 3.1 keywords may stand beside a reference; those of the referrer win.
	members := append([]jsonvalue.Member(nil), out.Elems()...)
	for _, m := range v.Elems() {
		if m.Name == "$ref" || strings.HasPrefix(m.Name, "x-") {
			continue
		}
		members = put(members, m.Name, p.keyword(m.Name, &m.Value, trail))
	}
	return jsonvalue.ObjectOf(members)
}

// keyword converts the value of one keyword; only those that hold schemas are
// looked into.
func (p *publisher) keyword(name string, v *jsonvalue.Value, trail []string) jsonvalue.Value {
	switch name {
	case "properties", "patternProperties", "$defs", "dependentSchemas":
		members := make([]jsonvalue.Member, v.Len())
		for i, m := range v.Elems() {
			members[i] = jsonvalue.Member{Name: m.Name, Value: p.schema(&m.Value, trail)}
		}
		return jsonvalue.ObjectOf(members)
	case "allOf", "anyOf", "oneOf", "prefixItems":
		elems := make([]jsonvalue.Member, v.Len())
		for i, m := range v.Elems() {
			elems[i].Value = p.schema(&m.Value, trail)
		}
		return jsonvalue.ArrayOf(elems)
	case "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems":
		return p.schema(v, trail)
	default:
		return *v
	}
}

func admitNull(members []jsonvalue.Member) {
	for i := range members {
		m := &members[i]
		if m.Name == "type" && m.Value.Kind() == jsonvalue.String {
			m.Value = jsonvalue.ArrayOf([]jsonvalue.Member{{Value: m.Value}, {Value: jsonvalue.StringOf("null")}})
		}
		if m.Name == "enum" {
			m.Value = jsonvalue.ArrayOf(append(m.Value.Elems()[:m.Value.Len():m.Value.Len()], jsonvalue.Member{Value: jsonvalue.NullOf()}))
		}
	}
}

// shape reduces a self-contained schema; see [Operation.Shape].
func shape(v *jsonvalue.Value, root bool) jsonvalue.Value {
	if v.Kind() != jsonvalue.Object {
		return jsonvalue.ObjectOf(nil)
	}
	if all := v.Get("allOf"); all != nil {
		merged := merge(v, all)
		return shape(&merged, root)
	}
	var out []jsonvalue.Member
	if t := v.Get("type"); t != nil {
		out = append(out, jsonvalue.Member{Name: "type", Value: loosen(t, root)})
	}
	if d := v.Get("description"); d != nil {
		out = append(out, jsonvalue.Member{Name: "description", Value: *d})
	}
	if props := v.Get("properties"); props != nil {
		members := make([]jsonvalue.Member, props.Len())
		for i, m := range props.Elems() {
			members[i] = jsonvalue.Member{Name: m.Name, Value: shape(&m.Value, false)}
		}
		out = append(out, jsonvalue.Member{Name: "properties", Value: jsonvalue.ObjectOf(members)})
	}
	if items := v.Get("items"); items != nil {
		out = append(out, jsonvalue.Member{Name: "items", Value: shape(items, false)})
	}
	return jsonvalue.ObjectOf(out)
}

// loosen admits null beside the declared types, except at the root; an
// integer may come as any number.
func loosen(t *jsonvalue.Value, root bool) jsonvalue.Value {
	names := []jsonvalue.Member{{Value: *t}}
	if t.Kind() == jsonvalue.Array {
		names = append([]jsonvalue.Member(nil), t.Elems()...)
	}
	if root {
		for i := range names {
			if names[i].Value.Text() != "null" {
				return names[i].Value
			}
		}
	}
	hasNull := false
	for i := range names {
		if names[i].Value.Text() == "integer" {
			names[i].Value = jsonvalue.StringOf("number")
		}
		hasNull = hasNull || names[i].Value.Text() == "null"
	}
	if !hasNull {
		names = append(names, jsonvalue.Member{Value: jsonvalue.StringOf("null")})
	}
	return jsonvalue.ArrayOf(names)
}

// merge lays the properties of an allOf's parts over each other.
func merge(v, all *jsonvalue.Value) jsonvalue.Value {
	var members, props []jsonvalue.Member
	take := func(part *jsonvalue.Value) {
		for _, m := range part.Elems() {
			switch m.Name {
			case "allOf":
			case "properties":
				for _, pm := range m.Value.Elems() {
					props = put(props, pm.Name, pm.Value)
				}
			default:
				members = put(members, m.Name, m.Value)
			}
		}
	}
	for i := range all.Elems() {
		take(&all.Elems()[i].Value)
	}
	take(v)
	if props != nil {
		members = put(members, "properties", jsonvalue.ObjectOf(props))
	}
	return jsonvalue.ObjectOf(members)
}

func put(members []jsonvalue.Member, name string, v jsonvalue.Value) []jsonvalue.Member {
	for i := range members {
		if members[i].Name == name {
			members[i].Value = v
			return members
		}
	}
	return append(members, jsonvalue.Member{Name: name, Value: v})
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

func escapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
