package page

import (
	"strings"
	"unicode/utf8"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
	"patchbay/internal/wire"
)

// operation describes one operation.
func (d *describer) operation(item *pathItem, op *plan.RESTOperation) object {
	name := op.Name
	if d.many() && d.twice[name] {
		name = strings.TrimSuffix(d.adapter.Namespace, "-rest") + "_" + name
	}
	id := unique(operationID(name), d.ids)
	var out object
	out.put("tags", texts(d.tagsOf(op)...))
	out.text("summary", markdown(summary(op.Operation)))
	out.text("description", markdown(describe(op.Operation)))
	out.text("operationId", id)
	if parameters := d.parameters(item, op); parameters != nil {
		out.put("parameters", list(parameters...))
	}
	if body := d.requestBody(op, id); body != nil {
		out.object("requestBody", body)
	}
	out.object("responses", d.responses(op, id))
	if security, own := d.security(op); own {
		out.put("security", security)
	}
	return out
}

// operationID is a name in characters that need no escape anywhere.
func operationID(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
			return r
		}
		return '_'
	}, name)
}

// maxSummary keeps a summary within a line.
const maxSummary = 100

// summary is an operation in a few words: the file's label, what the contract
// says, or the first sentence of the file's description.
func summary(op *plan.Operation) string {
	if op.Label != "" {
		return op.Label
	}
	if c := op.Contract(); c != nil && c.Summary != "" && utf8.RuneCountInString(c.Summary) <= maxSummary {
		return strings.TrimSuffix(strings.TrimSpace(c.Summary), ".")
	}
	first, _, _ := strings.Cut(unlinked(strings.TrimSpace(op.Description)), "\n")
	if sentence, _, more := strings.Cut(first, ". "); more {
		first = sentence
	}
	first = strings.TrimSuffix(first, ".")
	if first == "" {
		return op.Name
	}
	if utf8.RuneCountInString(first) > maxSummary {
		return string([]rune(first)[:maxSummary-1]) + "…"
	}
	return first
}

// describe completes the file's description from the contract.
func describe(op *plan.Operation) string {
	text := strings.TrimSpace(op.Description)
	if c := op.Contract(); c != nil {
		for _, more := range []string{c.Description, c.Summary} {
			more = strings.TrimSpace(more)
			if more == "" || strings.Contains(text, more) || more == strings.TrimSpace(c.Summary) && c.Description != "" {
				continue
			}
			text = join(text, more)
		}
	}
	if text == "" {
		return summary(op)
	}
	return text
}

// requestBody describes the body, or returns nil. The adapter reads JSON and
// forms alike, whatever the upstream wants.
func (d *describer) requestBody(op *plan.RESTOperation, id string) object {
	b := bodyOf(op.Operation)
	if b == nil {
		return nil
	}
	name := id + "Request"
	if c := op.Contract(); c != nil && b.whole && c.BodyName() != "" {
		name = c.BodyName()
	}
	schema := d.components.shared("schemas", name, b.schema)
	var content object
	var media object
	media.put("schema", schema)
	if b.example != nil {
		media.put("example", *b.example)
	}
	content.object(wire.MediaJSON, media)
	if formable(&b.schema) {
		var form object
		form.put("schema", schema)
		if encoding := encoding(&b.schema); encoding != nil {
			form.object("encoding", encoding)
		}
		if b.example != nil {
			form.put("example", *b.example)
		}
		content.object(wire.MediaForm, form)
	}
	var out object
	out.text("description", markdown(b.description))
	out.object("content", content)
	if b.required {
		out.put("required", jsonvalue.BoolOf(true))
	}
	return out
}

// body is what a caller sends as the request's body.
type body struct {
	schema      jsonvalue.Value
	description string
	required    bool
	example     *jsonvalue.Value
	// whole reports that one input is the body, rather than its members.
	whole bool
}

// bodyOf describes an operation's body, or returns nil where it has none.
func bodyOf(op *plan.Operation) *body {
	out := &body{}
	var properties object
	var required []string
	for i := range op.Inputs {
		in := &op.Inputs[i]
		switch in.Location {
		case plan.WholeBody:
			out.whole, out.schema, out.description = true, tidy(in.Schema), in.Description
			out.required, out.example = out.required || in.Required, in.Example
		case plan.BodyField:
			properties.put(in.Name, fieldSchema(in))
			if in.Required {
				required = append(required, in.Name)
			}
		}
	}
	if !out.whole && properties == nil {
		return nil
	}
	if properties != nil {
		fields := object{{Name: "type", Value: jsonvalue.StringOf("object")}, {Name: "properties", Value: properties.value()}}
		if required != nil {
			fields.put("required", texts(required...))
		}
		switch {
		case !out.whole || isEmpty(&out.schema):
			out.schema = fields.value()
		default:
			out.schema = jsonvalue.ObjectOf([]jsonvalue.Member{{Name: "allOf", Value: list(out.schema, fields.value())}})
		}
		out.required = out.required || required != nil
	}
	if isEmpty(&out.schema) {
		out.schema = jsonvalue.ObjectOf([]jsonvalue.Member{{Name: "type", Value: jsonvalue.StringOf("object")}})
	}
	if !fits(&out.schema, out.example) {
		out.example = nil
	}
	return out
}

// fieldSchema is the schema of a member of the body, with its description.
func fieldSchema(in *plan.Input) jsonvalue.Value {
	members := object(append([]jsonvalue.Member(nil), elems(tidy(in.Schema))...))
	if in.Description != "" {
		members.set("description", jsonvalue.StringOf(in.Description))
	}
	return members.value()
}

func elems(v jsonvalue.Value) []jsonvalue.Member { return v.Elems() }

// formable reports whether a body can be sent as a form: only objects can.
func formable(schema *jsonvalue.Value) bool {
	kind := schema.Get("type")
	return kind == nil || kind.Text() == "object" || holds(kind, "object")
}

// encoding tells which fields of a form hold JSON text (OpenAPI 3.1, "Encoding
// Object"): objects, and the elements of arrays of objects.
func encoding(schema *jsonvalue.Value) object {
	properties := schema.Get("properties")
	if properties == nil {
		return nil
	}
	var out object
	for _, m := range properties.Elems() {
		of := m.Value.Get("type")
		if items := m.Value.Get("items"); of != nil && items != nil && (of.Text() == "array" || holds(of, "array")) {
			of = items.Get("type")
		}
		if of != nil && (of.Text() == "object" || holds(of, "object")) {
			out.object(m.Name, object{{Name: "contentType", Value: jsonvalue.StringOf(wire.MediaJSON)}})
		}
	}
	return out
}

// holds reports whether an array has a string among its elements.
func holds(array *jsonvalue.Value, s string) bool {
	for i := range array.Elems() {
		if e := &array.Elems()[i].Value; e.Kind() == jsonvalue.String && e.Text() == s {
			return true
		}
	}
	return false
}
