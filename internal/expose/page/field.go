package page

import (
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
)

// field is an input outside the body: a row of the documentation and a control
// of the form.
type field struct {
	property
	ID, In string
	// Value is what the form starts with: a value that works here. Sample is
	// one that only shows what such a value looks like.
	Value, Sample string
	// Options are the only values there are, nil where there are others.
	Options []string
	Numeric bool
}

// example is the value that a command line shows.
func (f *field) example() string {
	if f.Value != "" {
		return f.Value
	}
	return f.Sample
}

// property is a value with what is known about it.
type property struct {
	Name, Type, Description string
	Required                bool
	Rules                   []ruled
	Properties              []property
}

// ruled is one rule about a value: a word and a text in the wire's own terms.
type ruled struct{ Word, Text string }

// fields describes the inputs outside the body. id tells them apart on the page.
func (v *viewer) fields(item *pathItem, op *plan.RESTOperation, id string) []*field {
	var out []*field
	for i, name := range item.names {
		in := &plan.Input{Location: plan.Path, Required: true}
		if at := op.PathInputs[i]; at >= 0 {
			in = &op.Inputs[at]
		}
		out = append(out, v.field(name, "path", id, in))
	}
	for i := range op.Inputs {
		switch in := &op.Inputs[i]; in.Location {
		case plan.Query, plan.Header, plan.Cookie:
			out = append(out, v.field(in.Name, in.Location.String(), id, in))
		}
	}
	return out
}

func (v *viewer) field(name, in, id string, input *plan.Input) *field {
	schema := tidy(input.Schema)
	f := &field{property: describeProperty(name, &schema, input.Required, 1), ID: unique(id+":"+in+":"+placeholder(name), v.ids), In: in}
	f.Description = inputText(input)
	if input.Lost {
		f.Description = join(f.Description, lost)
	}
	f.Value = v.examples[diag.Fold(name)]
	if f.Value == "" {
		f.Value = v.examples[diag.Fold(input.Name)]
	}
	if input.Example != nil && input.Example.IsScalar() {
		f.Sample = input.Example.Text()
	}
	if enum := schema.Get("enum"); enum != nil {
		for i := range enum.Elems() {
			f.Options = append(f.Options, enum.Elems()[i].Value.Text())
		}
	}
	if kind := schema.Get("type"); kind != nil {
		f.Numeric = kind.Text() == "integer"
		if kind.Text() == "boolean" {
			f.Options = []string{"true", "false"}
		}
	}
	return f
}

// maxNesting bounds how deep the members of a body are listed; the schema
// beside them has everything.
const maxNesting = 6

// describeProperty puts a schema into words. Depth counts from 1.
func describeProperty(name string, schema *jsonvalue.Value, required bool, depth int) property {
	p := property{Name: name, Type: typeName(schema), Required: required, Rules: rules(schema)}
	if text := schema.Get("description"); text != nil {
		p.Description = text.Text()
	}
	if depth < maxNesting {
		p.Properties = propertiesOf(schema, depth+1)
		if items := schema.Get("items"); items != nil && p.Properties == nil {
			p.Properties = propertiesOf(items, depth+1)
			if len(p.Rules) == 0 {
				p.Rules = rules(items)
			}
		}
	}
	return p
}

// propertiesOf lists the members of an object, those of an allOf included.
func propertiesOf(schema *jsonvalue.Value, depth int) []property {
	var out []property
	if properties := schema.Get("properties"); properties != nil {
		required := schema.Get("required")
		for _, m := range properties.Elems() {
			out = append(out, describeProperty(m.Name, &m.Value, required != nil && holds(required, m.Name), depth))
		}
	}
	if all := schema.Get("allOf"); all != nil {
		for i := range all.Elems() {
			out = append(out, propertiesOf(&all.Elems()[i].Value, depth)...)
		}
	}
	return out
}

// typeName is a schema's type in words: string, array of integer, object or null.
func typeName(schema *jsonvalue.Value) string {
	kind := schema.Get("type")
	var names []string
	switch {
	case kind == nil && schema.Get("properties") != nil:
		names = []string{"object"}
	case kind == nil:
		return "any"
	case kind.Kind() == jsonvalue.Array:
		for i := range kind.Elems() {
			names = append(names, kind.Elems()[i].Value.Text())
		}
	default:
		names = []string{kind.Text()}
	}
	for i, name := range names {
		if items := schema.Get("items"); name == "array" && items != nil && items.Get("type") != nil {
			names[i] = "array of " + typeName(items)
		}
	}
	text := strings.Join(names, " or ")
	if format := schema.Get("format"); format != nil {
		text += ", " + format.Text()
	}
	return text
}

// rules lists what a value has to obey, as far as a line can say it.
func rules(schema *jsonvalue.Value) []ruled {
	var out []ruled
	text := func(name string) string {
		v := schema.Get(name)
		switch {
		case v == nil:
			return ""
		case v.IsScalar():
			return v.Text()
		default:
			return string(v.Append(nil))
		}
	}
	add := func(word, text string) {
		if text != "" {
			out = append(out, ruled{word, text})
		}
	}
	add("matches", text("pattern"))
	if enum := schema.Get("enum"); enum != nil {
		var values []string
		for i := range enum.Elems() {
			if v := &enum.Elems()[i].Value; v.IsScalar() {
				values = append(values, v.Text())
			}
		}
		add("one of", strings.Join(values, ", "))
	}
	add("is", text("const"))
	add("from", text("minimum"))
	add("up to", text("maximum"))
	add("above", text("exclusiveMinimum"))
	add("below", text("exclusiveMaximum"))
	add("shortest", text("minLength"))
	add("longest", text("maxLength"))
	add("fewest", text("minItems"))
	add("most", text("maxItems"))
	add("default", text("default"))
	return out
}

// skeleton is a body to start from where nobody gives an example: the members
// that are required, or else all that are known.
func skeleton(schema *jsonvalue.Value, depth int) jsonvalue.Value {
	for _, name := range []string{"const", "default"} {
		if v := schema.Get(name); v != nil {
			return *v
		}
	}
	for _, name := range []string{"enum", "examples"} {
		if v := schema.Get(name); v != nil && v.Len() > 0 {
			return v.Elems()[0].Value
		}
	}
	kind := schema.Get("type")
	is := func(name string) bool { return kind != nil && (kind.Text() == name || holds(kind, name)) }
	properties := schema.Get("properties")
	switch {
	case is("object") || properties != nil:
		out := object{}
		required := schema.Get("required")
		for i := 0; properties != nil && depth < maxNesting && i < properties.Len(); i++ {
			m := &properties.Elems()[i]
			if required == nil && depth == 1 || required != nil && holds(required, m.Name) {
				out.put(m.Name, skeleton(&m.Value, depth+1))
			}
		}
		return out.value()
	case is("array"):
		return list()
	case is("integer"), is("number"):
		return jsonvalue.IntOf(0)
	case is("boolean"):
		return jsonvalue.BoolOf(false)
	case is("string"):
		return jsonvalue.StringOf("")
	default:
		return jsonvalue.ObjectOf(nil)
	}
}
