package plan

import (
	"patchbay/internal/auth"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/template"
)

// Guard says how callers of the adapter prove who they are: basic, bearer or
// apikey, and for the last the name and place of the key. The scheme is "" where
// everybody is let in. A name that only the operator's values complete is "".
func (a *RESTAdapter) Guard() (scheme, name string, place auth.Placement) { return a.auth.guard() }

// Guard says how callers over HTTP prove who they are; see [RESTAdapter.Guard].
func (a *MCPAdapter) Guard() (scheme, name string, place auth.Placement) { return a.auth.guard() }

func (a *authentication) guard() (scheme, name string, place auth.Placement) {
	if a == nil {
		return "", "", auth.InHeader
	}
	if a.name != nil {
		if text, complete := a.name.Append(nil, nil, template.None); complete {
			name = string(text)
		}
	}
	return a.scheme, name, a.place
}

// AnswerSchema describes what the operation's mapping makes of a success, as
// JSON Schema. It reports false where the upstream's answer passes unchanged.
func (op *Operation) AnswerSchema() (jsonvalue.Value, bool) {
	if op.output == nil {
		return jsonvalue.Value{}, false
	}
	schemas := make([]jsonvalue.Member, len(op.output.alternatives))
	for i, s := range op.output.alternatives {
		schemas[i].Value = s.describe()
		if schemas[i].Value.Len() == 0 {
			return schemas[i].Value, true // one of them may be anything
		}
	}
	if len(schemas) == 1 {
		return schemas[0].Value, true
	}
	return jsonvalue.ObjectOf([]jsonvalue.Member{{Name: "anyOf", Value: jsonvalue.ArrayOf(schemas)}}), true
}

// describe is the JSON Schema of the values that the shape makes. What a path
// selects may be anything.
func (s *shape) describe() jsonvalue.Value {
	of := func(members ...jsonvalue.Member) jsonvalue.Value { return jsonvalue.ObjectOf(members) }
	switch s.kind {
	case shapeNull:
		return of(jsonvalue.Member{Name: "type", Value: jsonvalue.StringOf("null")})
	case shapeFixed:
		return of(jsonvalue.Member{Name: "const", Value: s.fixed})
	case shapeText:
		return of(jsonvalue.Member{Name: "type", Value: jsonvalue.StringOf("string")})
	case shapeObject:
		properties := make([]jsonvalue.Member, len(s.properties))
		for i := range s.properties {
			properties[i] = jsonvalue.Member{Name: s.properties[i].name, Value: s.properties[i].shape.describe()}
		}
		return of(jsonvalue.Member{Name: "type", Value: jsonvalue.StringOf("object")}, jsonvalue.Member{Name: "properties", Value: jsonvalue.ObjectOf(properties)})
	case shapeArray:
		types := []jsonvalue.Member{{Value: jsonvalue.StringOf("array")}, {Value: jsonvalue.StringOf("null")}}
		return of(jsonvalue.Member{Name: "type", Value: jsonvalue.ArrayOf(types)}, jsonvalue.Member{Name: "items", Value: s.items.describe()})
	default:
		return of()
	}
}
