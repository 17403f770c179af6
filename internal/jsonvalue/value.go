// Package jsonvalue holds decoded JSON the way a gateway needs it: numbers
// keep the digits they were written with, objects keep the order of their
// members, and strings without escapes are slices of one copy of the text.
//
// A value is decoded where a check, a mapping or an encoder has to look inside
// a body; everything else passes on as bytes (see [Check]). The grammar is
// verified by jsontext (RFC 8259, with the stricter rules of RFC 7493: no
// duplicate names, no invalid UTF-8); this package only builds the tree.
package jsonvalue

import (
	"strconv"
	"strings"
)

// Kind is the JSON type of a value.
type Kind uint8

// The kinds. The zero Value is Absent: no value was given, which is not null.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String returns JSON Schema's word for the type.
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "boolean"
	case Number:
		return "number"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	default:
		return "absent"
	}
}

// Value is one JSON value. Values are immutable once built and safe for
// concurrent reading; copying one is cheap and shares its elements.
type Value struct {
	kind  Kind
	text  string
	elems []Member
}

// Member is a member of an object, or an element of an array (without name).
type Member struct {
	Name  string
	Value Value
}

// Kind returns the type.
func (v *Value) Kind() Kind { return v.kind }

// IsAbsent reports whether no value was given.
func (v *Value) IsAbsent() bool { return v.kind == Absent }

// IsNull reports whether the value is null.
func (v *Value) IsNull() bool { return v.kind == Null }

// IsScalar reports whether the value is a boolean, a number or a string.
func (v *Value) IsScalar() bool { return v.kind == Bool || v.kind == Number || v.kind == String }

// Text returns a string's content, a number's literal, "true" or "false", and
// "" for every other kind.
func (v *Value) Text() string { return v.text }

// Bool returns a boolean's value, and false for every other kind.
func (v *Value) Bool() bool { return v.kind == Bool && v.text == "true" }

// Len returns the number of members or elements.
func (v *Value) Len() int { return len(v.elems) }

// Elems returns the members of an object in their order, or the elements of an
// array (with empty names). The slice must not be changed.
func (v *Value) Elems() []Member { return v.elems }

// Get returns the member of that name, or nil.
func (v *Value) Get(name string) *Value {
	if v.kind != Object {
		return nil
	}
	for i := range v.elems {
		if v.elems[i].Name == name {
			return &v.elems[i].Value
		}
	}
	return nil
}

// Index returns the element at i, counted from the end when negative, or nil.
func (v *Value) Index(i int) *Value {
	if v.kind != Array {
		return nil
	}
	if i < 0 {
		i += len(v.elems)
	}
	if i < 0 || i >= len(v.elems) {
		return nil
	}
	return &v.elems[i].Value
}

// Int returns a number that is an integer within 64 bits. 3.0 and 1e3 are integers.
func (v *Value) Int() (int64, bool) {
	if v.kind != Number {
		return 0, false
	}
	if n, err := strconv.ParseInt(v.text, 10, 64); err == nil {
		return n, true
	}
	const most = 19 // digits of the largest int64
	d := decimalOf(v.text)
	if d.exponent < 0 || len(d.digits)+d.exponent > most {
		return 0, false
	}
	if d.digits == "" {
		return 0, true
	}
	sign := ""
	if d.negative {
		sign = "-"
	}
	n, err := strconv.ParseInt(sign+d.digits+strings.Repeat("0", d.exponent), 10, 64)
	if err != nil {
		return 0, false
	}
	return n, true
}

// Float returns a number as the nearest double.
func (v *Value) Float() (float64, bool) {
	if v.kind != Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.text, 64)
	return f, err == nil || f != 0
}

// IsInteger reports whether the value is a number without fractional part, of any size.
func (v *Value) IsInteger() bool {
	if v.kind != Number {
		return false
	}
	return decimalOf(v.text).exponent >= 0
}

// NullOf returns null.
func NullOf() Value { return Value{kind: Null} }

// StringOf returns a string.
func StringOf(s string) Value { return Value{kind: String, text: s} }

// BoolOf returns a boolean.
func BoolOf(b bool) Value { return Value{kind: Bool, text: strconv.FormatBool(b)} }

// IntOf returns a number.
func IntOf(n int64) Value { return Value{kind: Number, text: strconv.FormatInt(n, 10)} }

// NumberOf returns a number with exactly these digits. It reports false when
// the literal is not a JSON number.
func NumberOf(literal string) (Value, bool) {
	if !isNumber(literal) {
		return Value{}, false
	}
	return Value{kind: Number, text: literal}, true
}

// ObjectOf returns an object with the members in that order; it keeps the slice.
func ObjectOf(members []Member) Value { return Value{kind: Object, elems: members} }

// ArrayOf returns an array of the elements, whose names are ignored; it keeps the slice.
func ArrayOf(elems []Member) Value { return Value{kind: Array, elems: elems} }

// isNumber reports whether s is a number by the grammar of RFC 8259 section 6.
func isNumber(s string) bool {
	i := 0
	digits := func() bool {
		start := i
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if !digits() {
		return false
	}
	if i < len(s) && s[i] == '.' {
		i++
		if !digits() {
			return false
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(s)
}

// Equal reports whether two values are the same JSON value: objects without
// regard to order, numbers by value (JSON Schema 2020-12 section 4.2.2).
func Equal(a, b *Value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case Number:
		return equalNumbers(a, b)
	case Array:
		if len(a.elems) != len(b.elems) {
			return false
		}
		for i := range a.elems {
			if !Equal(&a.elems[i].Value, &b.elems[i].Value) {
				return false
			}
		}
		return true
	case Object:
		if len(a.elems) != len(b.elems) {
			return false
		}
		for i := range a.elems {
			m := b.Get(a.elems[i].Name)
			if m == nil || !Equal(&a.elems[i].Value, m) {
				return false
			}
		}
		return true
	default:
		return a.text == b.text
	}
}

func equalNumbers(a, b *Value) bool {
	return a.text == b.text || decimalOf(a.text) == decimalOf(b.text)
}
