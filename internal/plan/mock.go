package plan

import (
	"patchbay/internal/jsonvalue"
	"patchbay/internal/spec"
)

// mock is the answer of an operation that calls nothing: an object whose
// values the file gives, as text, as templates over the inputs, or typed where
// the output declares a number or a boolean.
type mock struct{ members []mockMember }

type mockMember struct {
	name  string
	kind  string
	shape *shape
	// members and items are set for objects and arrays.
	members []mockMember
	items   *mockMember
}

func (b *builder) mockOf(outputs []spec.Output) *mock {
	return &mock{members: b.mockMembers(outputs)}
}

func (b *builder) mockMembers(outputs []spec.Output) []mockMember {
	var out []mockMember
	for i := range outputs {
		out = append(out, b.mockMember(&outputs[i]))
	}
	return out
}

func (b *builder) mockMember(o *spec.Output) mockMember {
	m := mockMember{name: o.Name.Value, kind: o.Type.Value}
	if m.name == "" {
		m.name = "value"
	}
	switch {
	case o.Value.Set():
		m.shape = b.textShape(&shape{maxLength: o.MaxLength.Value}, o.Value)
	case o.Type.Value == "object":
		m.members = b.mockMembers(o.Properties)
	case o.Type.Value == "array" && o.Items != nil:
		item := b.mockMember(o.Items)
		m.items = &item
	}
	return m
}

// value gives the object; ok is false where it would have no member.
func (m *mock) value(frame []jsonvalue.Value) (jsonvalue.Value, bool) {
	v := mockObject(m.members, frame)
	return v, v.Len() > 0
}

func mockObject(list []mockMember, frame []jsonvalue.Value) jsonvalue.Value {
	var members []jsonvalue.Member
	for i := range list {
		if v := list[i].value(frame); !v.IsAbsent() {
			members = append(members, jsonvalue.Member{Name: list[i].name, Value: v})
		}
	}
	return jsonvalue.ObjectOf(members)
}

func (m *mockMember) value(frame []jsonvalue.Value) jsonvalue.Value {
	switch {
	case m.shape != nil:
		v := m.shape.value(&jsonvalue.Value{}, frame)
		return typedText(m.kind, v.Text())
	case m.items != nil:
		return jsonvalue.ArrayOf([]jsonvalue.Member{{Value: orNull(m.items.value(frame))}})
	case m.members != nil:
		return mockObject(m.members, frame)
	default:
		return jsonvalue.Value{}
	}
}
