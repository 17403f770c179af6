package plan

import (
	"strings"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/schema"
	"patchbay/internal/spec"
)

func (b *builder) compileDeclared(in *Input, p *spec.Parameter) *schema.Schema {
	if in.Schema.IsAbsent() || in.Schema.Len() == 0 {
		return nil
	}
	s, problems := schema.Compile(&in.Schema, schema.Options{DefaultSource: "D"})
	valid, wrong := in.Schema, false
	for _, problem := range problems {
		b.diags.Warnf(CodeTemplate, p.Span, "input %s: %s", in.Name, problem)
		if !problem.Allowed {
			wrong = true
			valid = without(&valid, problem.Pointer)
		}
	}
	if !wrong {
		return s
	}
	// What is no schema is not checked, and must not be published either.
	in.Schema = valid
	s, _ = schema.Compile(&in.Schema, schema.Options{DefaultSource: "D"})
	return s
}

// without is a schema without the keyword at a pointer.
func without(v *jsonvalue.Value, pointer string) jsonvalue.Value {
	if v.Kind() != jsonvalue.Object {
		return *v
	}
	var members []jsonvalue.Member
	for _, m := range v.Elems() {
		rest, on := strings.CutPrefix(pointer, jsonvalue.Token(m.Name))
		switch {
		case on && rest == "":
			continue
		case on && rest[0] == '/':
			m.Value = without(&m.Value, rest)
		}
		members = append(members, m)
	}
	return jsonvalue.ObjectOf(members)
}

func stringSchema() jsonvalue.Value {
	return jsonvalue.ObjectOf([]jsonvalue.Member{{Name: "type", Value: jsonvalue.StringOf("string")}})
}

// declaredSchema is the JSON Schema of what a file says about a parameter.
func declaredSchema(p *spec.Parameter) jsonvalue.Value {
	var out []jsonvalue.Member
	put := func(name string, v jsonvalue.Value) { out = append(out, jsonvalue.Member{Name: name, Value: v}) }
	switch p.Type.Value {
	case "string", "number", "integer", "boolean", "array", "object":
		put("type", jsonvalue.StringOf(p.Type.Value))
	}
	if p.Pattern.Value != "" {
		put("pattern", jsonvalue.StringOf(p.Pattern.Value))
	}
	if len(p.Enum) > 0 {
		elems := make([]jsonvalue.Member, len(p.Enum))
		for i, e := range p.Enum {
			elems[i].Value = typedText(p.Type.Value, e.Value)
		}
		put("enum", jsonvalue.ArrayOf(elems))
	}
	if p.Default.Set() {
		put("default", typedText(p.Type.Value, p.Default.Value))
	}
	if p.Header.Value != "" {
		put("x-mcp-header", jsonvalue.StringOf(p.Header.Value))
	}
	if p.Items != nil {
		put("items", declaredSchema(p.Items))
	}
	if len(p.Properties) > 0 {
		members := make([]jsonvalue.Member, len(p.Properties))
		var required []jsonvalue.Member
		for i := range p.Properties {
			q := &p.Properties[i]
			members[i] = jsonvalue.Member{Name: q.Name.Value, Value: declaredSchema(q)}
			if q.Required.Value {
				required = append(required, jsonvalue.Member{Value: jsonvalue.StringOf(q.Name.Value)})
			}
		}
		put("properties", jsonvalue.ObjectOf(members))
		if required != nil {
			put("required", jsonvalue.ArrayOf(required))
		}
	}
	return jsonvalue.ObjectOf(out)
}

// typedText gives a scalar of the file the type that its parameter declares.
func typedText(kind, text string) jsonvalue.Value {
	switch kind {
	case "integer", "number":
		if n, ok := jsonvalue.NumberOf(text); ok {
			return n
		}
	case "boolean":
		if text == "true" || text == "false" {
			return jsonvalue.BoolOf(text == "true")
		}
	}
	return jsonvalue.StringOf(text)
}
