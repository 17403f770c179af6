package plan

import (
	"slices"
	"strings"
	"unicode/utf8"

	"patchbay/internal/fault"
	"patchbay/internal/jsonpath"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/spec"
	"patchbay/internal/template"
)

// mapping shapes an answer. By the format's rule the first alternative that is
// not null is the whole answer. A nil mapping passes the answer on unchanged.
type mapping struct{ alternatives []*shape }

// shape makes one value out of the upstream's answer.
type shape struct {
	kind shapeKind
	path *jsonpath.Path
	text *template.Bound
	// fixed is a constant text.
	fixed      jsonvalue.Value
	properties []property
	items      *shape
	maxLength  int
}

type property struct {
	name  string
	shape *shape
}

type shapeKind uint8

const (
	shapeNull shapeKind = iota
	// shapeWhole is the answer itself, shapePath what a path selects in it.
	shapeWhole
	shapePath
	shapeFixed
	shapeText
	// shapeObject builds an object from properties, each taken from the root.
	shapeObject
	// shapeArray takes an array and gives each element its items' shape.
	shapeArray
)

// mapping compiles the outputs of an operation; nil is the identity.
func (b *builder) mapping(outputs []spec.Output) *mapping {
	if len(outputs) == 0 {
		return nil
	}
	m := &mapping{}
	for i := range outputs {
		m.alternatives = append(m.alternatives, b.shape(&outputs[i]))
	}
	if m.alternatives[0].kind == shapeWhole || !slices.ContainsFunc(m.alternatives, func(s *shape) bool { return s.kind != shapeNull }) {
		return nil
	}
	return m
}

func (b *builder) shape(o *spec.Output) *shape {
	s := &shape{maxLength: o.MaxLength.Value}
	path := o.Mapping
	if !path.Set() && strings.HasPrefix(strings.TrimSpace(o.Value.Value), "$") {
		path = o.Value
	}
	if !path.Set() && o.Value.Set() {
		return b.textShape(s, o.Value)
	}
	if path.Set() && strings.Contains(path.Value, "{{") {
		return b.textShape(s, path)
	}
	if path.Set() {
		compiled, err := jsonpath.CompileLenient(path.Value)
		if err != nil {
			b.diags.Errorf(CodeMapping, path.Span, "%v", err)
			return s
		}
		s.kind, s.path = shapePath, compiled
		if compiled.Identity() {
			s.kind = shapeWhole
		}
	}
	switch {
	case o.Type.Value == "object" && len(o.Properties) > 0:
		s.kind = shapeObject
		for i := range o.Properties {
			s.properties = append(s.properties, property{o.Properties[i].Name.Value, b.shape(&o.Properties[i])})
		}
	case o.Type.Value == "array" && o.Items != nil && path.Set():
		if items := b.shape(o.Items); items.kind != shapeWhole && items.kind != shapeNull {
			s.kind, s.items = shapeArray, items
		}
	}
	return s
}

func (b *builder) textShape(s *shape, at spec.Text) *shape {
	text, err := template.Compile(at.Value, template.Value)
	if err != nil {
		b.templateError(at, err)
		return s
	}
	if text.IsPlain() {
		s.kind, s.fixed = shapeFixed, jsonvalue.StringOf(text.Text())
		return s
	}
	s.kind = shapeText
	b.outputText(&s.text, at, text)
	return s
}

// apply appends the shaped answer as JSON. inputs are the caller's values.
func (m *mapping) apply(dst, body []byte, inputs []jsonvalue.Value) ([]byte, *fault.Fault) {
	root, err := jsonvalue.Parse(body)
	if err != nil {
		return nil, &fault.Fault{Kind: fault.Mapping, Outcome: fault.Answered, Message: "the upstream's answer cannot be mapped because it is not valid JSON", Cause: err}
	}
	for _, s := range m.alternatives {
		if v := s.value(&root, inputs); !v.IsNull() && !v.IsAbsent() {
			return v.Append(dst), nil
		}
	}
	// Nothing matched: the format lets the answer through as it is.
	return append(dst, body...), nil
}

func (s *shape) value(root *jsonvalue.Value, inputs []jsonvalue.Value) jsonvalue.Value {
	switch s.kind {
	case shapeWhole:
		return *root
	case shapePath:
		return s.truncate(s.selected(root))
	case shapeFixed:
		return s.fixed
	case shapeText:
		text, _ := s.text.Append(nil, inputs, template.None)
		return jsonvalue.StringOf(string(text))
	case shapeObject:
		members := make([]jsonvalue.Member, len(s.properties))
		for i := range s.properties {
			members[i] = jsonvalue.Member{Name: s.properties[i].name, Value: orNull(s.properties[i].shape.value(root, inputs))}
		}
		return jsonvalue.ObjectOf(members)
	case shapeArray:
		from := s.selected(root)
		if from.Kind() != jsonvalue.Array {
			return jsonvalue.NullOf()
		}
		elems := make([]jsonvalue.Member, from.Len())
		for i := range elems {
			elems[i].Value = orNull(s.items.value(&from.Elems()[i].Value, inputs))
		}
		return jsonvalue.ArrayOf(elems)
	default:
		return jsonvalue.NullOf()
	}
}

// selected is the value of the shape's path: the match of a singular path, the
// array of all matches otherwise, null for none.
func (s *shape) selected(root *jsonvalue.Value) jsonvalue.Value {
	if s.path.Singular() {
		if v, ok := s.path.One(root); ok {
			return *v
		}
		return jsonvalue.NullOf()
	}
	found, err := s.path.Query(root)
	if err != nil {
		return jsonvalue.NullOf()
	}
	elems := make([]jsonvalue.Member, len(found))
	for i, v := range found {
		elems[i].Value = *v
	}
	return jsonvalue.ArrayOf(elems)
}

func (s *shape) truncate(v jsonvalue.Value) jsonvalue.Value {
	if s.maxLength <= 0 || v.Kind() != jsonvalue.String || utf8.RuneCountInString(v.Text()) <= s.maxLength {
		return v
	}
	return jsonvalue.StringOf(string([]rune(v.Text())[:s.maxLength]))
}

func orNull(v jsonvalue.Value) jsonvalue.Value {
	if v.IsAbsent() {
		return jsonvalue.NullOf()
	}
	return v
}
