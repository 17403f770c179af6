package page

import (
	"patchbay/internal/jsonvalue"
	"patchbay/internal/schema"
)

// tidy brings a published schema into the form that readers of OpenAPI insist
// on, without changing what it admits: an array names its items, an
// enumeration repeats nothing and holds nothing that its type excludes, and a
// default that the schema itself refuses is left out.
func tidy(v jsonvalue.Value) jsonvalue.Value {
	if v.Kind() != jsonvalue.Object {
		return v
	}
	out := make(object, 0, v.Len()+1)
	for _, m := range v.Elems() {
		switch m.Name {
		case "properties", "patternProperties", "$defs", "dependentSchemas":
			out.put(m.Name, each(m.Value))
		case "allOf", "anyOf", "oneOf", "prefixItems":
			out.put(m.Name, each(m.Value))
		case "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems":
			out.put(m.Name, tidy(m.Value))
		case "enum":
			if values := enumeration(&v, &m.Value); len(values) > 0 {
				out.put(m.Name, list(values...))
			}
		case "default":
			if fits(&v, &m.Value) {
				out.put(m.Name, m.Value)
			}
		case "title", "description":
			out.put(m.Name, jsonvalue.StringOf(markdown(m.Value.Text())))
		case "nullable", "example":
			// Keywords of OpenAPI 3.0.
		default:
			out.put(m.Name, m.Value)
		}
	}
	if kind := v.Get("type"); kind != nil && (kind.Text() == "array" || holds(kind, "array")) && v.Get("items") == nil {
		out.object("items", object{})
	}
	return out.value()
}

// each tidies the schemas of an object or array.
func each(v jsonvalue.Value) jsonvalue.Value {
	members := make([]jsonvalue.Member, v.Len())
	for i, m := range v.Elems() {
		members[i] = jsonvalue.Member{Name: m.Name, Value: tidy(m.Value)}
	}
	if v.Kind() == jsonvalue.Array {
		return jsonvalue.ArrayOf(members)
	}
	return jsonvalue.ObjectOf(members)
}

// enumeration lists the different values that the schema's type admits.
func enumeration(v, enum *jsonvalue.Value) []jsonvalue.Value {
	var out []jsonvalue.Value
	kind := v.Get("type")
next:
	for i := range enum.Elems() {
		value := &enum.Elems()[i].Value
		if kind != nil && !ofType(value, kind) {
			continue
		}
		for j := range out {
			if jsonvalue.Equal(&out[j], value) {
				continue next
			}
		}
		out = append(out, *value)
	}
	return out
}

func ofType(value, kind *jsonvalue.Value) bool {
	name := value.Kind().String()
	is := func(want string) bool { return kind.Text() == want || holds(kind, want) }
	return is(name) || name == "number" && is("integer") && value.IsInteger()
}

// fits reports whether a value is there and is one that the schema admits. An
// example that breaks the rules beside it explains nothing.
func fits(s, v *jsonvalue.Value) bool {
	if v == nil || v.IsAbsent() {
		return false
	}
	compiled, problems := schema.Compile(s, schema.Options{DefaultSource: "D", AssertFormat: true})
	return len(problems) == 0 && compiled.Valid(v)
}
