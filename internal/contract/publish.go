package contract

import (
	"slices"

	"patchbay/internal/jsonvalue"
)

// publisher turns a document's schemas into self-contained ones for callers:
// references are replaced by what they lead to, a recursion becomes an open
// schema, OpenAPI 3.0's nullable and boolean bounds become those of JSON Schema
// 2020-12, and our own extension keywords and what is no schema are left out.
// Rules that are only inferred are left out too: they never refuse a request
// here, and must not refuse it in a client.
type publisher struct {
	resolve   func(string) (*jsonvalue.Value, bool)
	openapi30 bool
}

// Bounds of one published schema: how deep references are followed into each
// other, how deep its subschemas lie in each other, and how many it has. What
// lies beyond is an open schema.
const (
	maxInline    = 24
	maxNested    = 40
	maxPublished = 5000
)

// inlining is where in the document a schema is being published.
type inlining struct {
	refs  []string
	depth int
	// condition reports that the schema is one of `if` or `not`, whose rules
	// refuse nothing by themselves: without them, others would refuse more.
	condition bool
	// left is what remains of maxPublished, shared by all parts.
	left *int
}

// follow is the place behind a reference, inside the one of a subschema.
func (i *inlining) follow(ref string) *inlining {
	return &inlining{refs: append(i.refs[:len(i.refs):len(i.refs)], ref), depth: i.depth, condition: i.condition, left: i.left}
}

func (i *inlining) inside(keyword string) *inlining {
	condition := i.condition || keyword == "if" || keyword == "not"
	return &inlining{refs: i.refs, depth: i.depth + 1, condition: condition, left: i.left}
}

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

func (p *publisher) schema(v *jsonvalue.Value, at *inlining) jsonvalue.Value {
	if at == nil {
		left := maxPublished
		at = &inlining{left: &left}
	}
	if v == nil || v.Kind() != jsonvalue.Object && v.Kind() != jsonvalue.Bool || *at.left <= 0 || at.depth > maxNested {
		return jsonvalue.ObjectOf(nil)
	}
	*at.left--
	if v.Kind() == jsonvalue.Bool {
		return *v
	}
	if ref := v.Get("$ref"); ref != nil {
		return p.reference(v, ref.Text(), at)
	}
	inferred := false
	if source := v.Get("x-patchbay-source"); source != nil && !at.condition {
		inferred = source.Text() != documented && source.Text() != observed
	}
	nullable := false
	members := make([]jsonvalue.Member, 0, v.Len())
	for i := range v.Elems() {
		m := &v.Elems()[i]
		name := m.Name
		if p.openapi30 {
			nullable = nullable || name == "nullable" && m.Value.Bool()
			name = bound(v, name)
		}
		if !admissible(name, &m.Value) || inferred && !annotates(name) {
			continue
		}
		if value := p.keyword(name, &m.Value, at); name != "allOf" || value.Len() > 0 {
			members = put(members, name, value)
		}
	}
	if nullable {
		admitNull(members)
	}
	return jsonvalue.ObjectOf(members)
}

func (p *publisher) reference(v *jsonvalue.Value, ref string, at *inlining) jsonvalue.Value {
	target, ok := p.resolve(ref)
	if !ok || len(at.refs) >= maxInline || slices.Contains(at.refs, ref) {
		return jsonvalue.ObjectOf(nil)
	}
	out := p.schema(target, at.follow(ref))
	if p.openapi30 || v.Len() == 1 || out.Kind() != jsonvalue.Object {
		return out
	}
	// In 3.1 keywords may stand beside a reference; those of the referrer win.
	members := append([]jsonvalue.Member(nil), out.Elems()...)
	for _, m := range v.Elems() {
		if admissible(m.Name, &m.Value) {
			members = put(members, m.Name, p.keyword(m.Name, &m.Value, at))
		}
	}
	return jsonvalue.ObjectOf(members)
}

// keyword converts the value of one keyword; only those that hold schemas are
// looked into.
func (p *publisher) keyword(name string, v *jsonvalue.Value, at *inlining) jsonvalue.Value {
	at = at.inside(name)
	switch kindOf(name) {
	case namedSchemas:
		members := make([]jsonvalue.Member, v.Len())
		for i, m := range v.Elems() {
			members[i] = jsonvalue.Member{Name: m.Name, Value: p.schema(&m.Value, at)}
		}
		return jsonvalue.ObjectOf(members)
	case listedSchemas:
		elems := make([]jsonvalue.Member, 0, v.Len())
		for _, m := range v.Elems() {
			part := p.schema(&m.Value, at)
			if name != "allOf" || part.Kind() != jsonvalue.Object || part.Len() > 0 {
				elems = append(elems, jsonvalue.Member{Value: part})
			}
		}
		return jsonvalue.ArrayOf(elems)
	case oneSchema:
		return p.schema(v, at)
	default:
		return *v
	}
}

// bound is the name that a bound has in JSON Schema 2020-12: in OpenAPI 3.0 a
// flag beside it says that it is exclusive.
func bound(schema *jsonvalue.Value, name string) string {
	exclusive := map[string]string{"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}[name]
	if flag := schema.Get(exclusive); flag != nil && flag.Bool() {
		return exclusive
	}
	return name
}

func admitNull(members []jsonvalue.Member) {
	for i := range members {
		m := &members[i]
		if m.Name == "type" && m.Value.Kind() == jsonvalue.String {
			m.Value = jsonvalue.ArrayOf([]jsonvalue.Member{{Value: m.Value}, {Value: jsonvalue.StringOf("null")}})
		}
		if m.Name == "enum" && !slices.ContainsFunc(m.Value.Elems(), func(e jsonvalue.Member) bool { return e.Value.IsNull() }) {
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

// loosen admits null beside the declared types, except at the root, and text
// where a number is declared: providers write decimals and long numbers as text
// and say number all the same.
func loosen(t *jsonvalue.Value, root bool) jsonvalue.Value {
	declared := []jsonvalue.Member{{Value: *t}}
	if t.Kind() == jsonvalue.Array {
		declared = t.Elems()
	}
	var names []jsonvalue.Member
	admit := func(name string) {
		if !slices.ContainsFunc(names, func(m jsonvalue.Member) bool { return m.Value.Text() == name }) {
			names = append(names, jsonvalue.Member{Value: jsonvalue.StringOf(name)})
		}
	}
	for i := range declared {
		switch name := declared[i].Value.Text(); {
		case root && name != "null":
			return declared[i].Value
		case name == "integer" || name == "number":
			admit("number")
			admit("string")
		default:
			admit(name)
		}
	}
	admit("null")
	return jsonvalue.ArrayOf(names)
}

// merge lays the properties of an allOf's parts over each other.
func merge(v, all *jsonvalue.Value) jsonvalue.Value {
	var members, props []jsonvalue.Member
	take := func(part *jsonvalue.Value) {
		for _, m := range part.Elems() {
			switch m.Name {
			case "allOf": // the caller's
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
		part := all.Elems()[i].Value
		if inner := part.Get("allOf"); inner != nil {
			part = merge(&part, inner)
		}
		take(&part)
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
