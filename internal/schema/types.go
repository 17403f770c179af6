package schema

import (
	"strings"

	"patchbay/internal/jsonvalue"
)

// TypeSet is a set of JSON Schema's types. The empty set stands for a schema
// that states none, which admits all.
type TypeSet uint8

// The types of JSON Schema 2020-12 section 6.1.1 (validation). A number type
// includes the integers.
const (
	TypeNull TypeSet = 1 << iota
	TypeBoolean
	TypeInteger
	TypeNumber
	TypeString
	TypeArray
	TypeObject
)

var typeNames = [...]struct {
	set        TypeSet
	name, noun string
}{
	{TypeString, "string", "a string"},
	{TypeInteger, "integer", "an integer"},
	{TypeNumber, "number", "a number"},
	{TypeBoolean, "boolean", "a boolean"},
	{TypeObject, "object", "an object"},
	{TypeArray, "array", "an array"},
	{TypeNull, "null", "null"},
}

// typeNamed returns the set of one type, or the empty set.
func typeNamed(name string) TypeSet {
	for i := range typeNames {
		if typeNames[i].name == name {
			return typeNames[i].set
		}
	}
	return 0
}

// Has reports whether the set names one of these types itself.
func (t TypeSet) Has(types TypeSet) bool { return t&types != 0 }

// Names returns the types by their names in JSON Schema.
func (t TypeSet) Names() []string {
	var names []string
	for i := range typeNames {
		if t.Has(typeNames[i].set) {
			names = append(names, typeNames[i].name)
		}
	}
	return names
}

// String returns the types as they are named in a sentence, such as "a string
// or null", and "anything" for the empty set.
func (t TypeSet) String() string {
	var nouns []string
	for i := range typeNames {
		if t.Has(typeNames[i].set) && (typeNames[i].set != TypeInteger || !t.Has(TypeNumber)) {
			nouns = append(nouns, typeNames[i].noun)
		}
	}
	if len(nouns) == 0 {
		return "anything"
	}
	return joined(nouns, "or")
}

// joined lists words as a sentence does: "a, b or c".
func joined(words []string, conjunction string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}

// typesOf returns the types a value has: a number may have two.
func typesOf(v *jsonvalue.Value) TypeSet {
	switch v.Kind() {
	case jsonvalue.Null:
		return TypeNull
	case jsonvalue.Bool:
		return TypeBoolean
	case jsonvalue.String:
		return TypeString
	case jsonvalue.Array:
		return TypeArray
	case jsonvalue.Object:
		return TypeObject
	case jsonvalue.Number:
		if d := decimalOf(v.Text()); d.isInteger() {
			return TypeInteger | TypeNumber
		}
		return TypeNumber
	default:
		return 0
	}
}
