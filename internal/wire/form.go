// Package wire encodes values for the upstream's wire and decodes the forms
// that callers send: application/x-www-form-urlencoded (WHATWG URL standard,
// section 5), multipart/form-data, query strings, and bytes as text. It knows
// bytes and values only; which
// encoding an operation needs is decided by package plan from the capability,
// the contract and the provider's profile.
package wire

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"patchbay/internal/jsonvalue"
)

// Media types that bodies are read and written in.
const (
	MediaForm      = "application/x-www-form-urlencoded"
	MediaJSON      = "application/json"
	MediaMultipart = "multipart/form-data"
	MediaText      = "text/plain; charset=utf-8"
	MediaXML       = "application/xml"
	MediaSPARQL    = "application/sparql-query"
	MediaBinary    = "application/octet-stream"
)

// AppendForm appends the members of an object as form fields, in their order:
// scalars as text, arrays of scalars as repeated keys, arrays that hold
// objects as repeated keys with compact JSON, objects as one field of compact
// JSON. Null and absent members are left out; an object without members gives
// an empty form. Dots and brackets in a name are part of the name.
func AppendForm(dst []byte, object *jsonvalue.Value) []byte {
	start := len(dst)
	for i := range object.Elems() {
		m := &object.Elems()[i]
		if m.Value.Kind() == jsonvalue.Array {
			for j := range m.Value.Elems() {
				dst = appendField(dst, start, m.Name, &m.Value.Elems()[j].Value)
			}
			continue
		}
		dst = appendField(dst, start, m.Name, &m.Value)
	}
	return dst
}

func appendField(dst []byte, start int, name string, v *jsonvalue.Value) []byte {
	if v.IsNull() || v.IsAbsent() {
		return dst
	}
	if len(dst) > start {
		dst = append(dst, '&')
	}
	dst = AppendFormText(dst, name)
	dst = append(dst, '=')
	return appendFormValue(dst, v)
}

// appendFormValue writes a value's text in form encoding. Containers are
// encoded in place: their JSON is produced behind the text already written and
// then escaped from there, so that no second buffer is needed.
func appendFormValue(dst []byte, v *jsonvalue.Value) []byte {
	if v.Kind() != jsonvalue.Array && v.Kind() != jsonvalue.Object {
		return AppendFormText(dst, v.Text())
	}
	mark := len(dst)
	dst = v.Append(dst)
	grown := 0
	for _, c := range dst[mark:] {
		if !formSafe(c) && c != ' ' {
			grown += 2
		}
	}
	if grown == 0 {
		return dst
	}
	plain := len(dst)
	for range grown {
		dst = append(dst, 0)
	}
	// Escape from the end, so that no byte is overwritten before it is read.
	out := len(dst)
	for in := plain - 1; in >= mark; in-- {
		switch c := dst[in]; {
		case c == ' ':
			out--
			dst[out] = '+'
		case formSafe(c):
			out--
			dst[out] = c
		default:
			out -= 3
			dst[out], dst[out+1], dst[out+2] = '%', upperHex[c>>4], upperHex[c&15]
		}
	}
	return dst
}

const upperHex = "0123456789ABCDEF"

// formSafe reports whether the byte stands for itself in a form.
func formSafe(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '*'
}

// AppendFormText appends text in form encoding: a space is '+', everything
// that is not a letter, digit, '-', '_', '.' or '*' is percent-encoded UTF-8.
func AppendFormText(dst []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case formSafe(c):
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// MaxFields bounds the fields that [ParseForm] accepts, those that repeat a key
// included: each of them is compared with the keys before it.
const MaxFields = 1000

// ParseForm decodes a form body into an object of strings. A repeated key
// becomes an array, in the place of its first occurrence. Malformed escapes and
// text that is not UTF-8 are errors that name the field.
func ParseForm(body []byte) (jsonvalue.Value, error) {
	var members []jsonvalue.Member
	text := string(body)
	fields := 0
	for field := range strings.SplitSeq(text, "&") {
		if field == "" {
			continue
		}
		if fields++; fields > MaxFields {
			return jsonvalue.Value{}, fmt.Errorf("more than %d fields", MaxFields)
		}
		rawName, rawValue, _ := strings.Cut(field, "=")
		name, err := FormText(rawName)
		if err != nil {
			return jsonvalue.Value{}, fmt.Errorf("field name: %w", err)
		}
		value, err := FormText(rawValue)
		if err != nil {
			return jsonvalue.Value{}, fmt.Errorf("field %q: %w", clip(name), err)
		}
		members = addField(members, name, jsonvalue.StringOf(value))
	}
	return jsonvalue.ObjectOf(members), nil
}

func addField(members []jsonvalue.Member, name string, value jsonvalue.Value) []jsonvalue.Member {
	for i := range members {
		m := &members[i]
		if m.Name != name {
			continue
		}
		var elems []jsonvalue.Member
		if m.Value.Kind() == jsonvalue.Array {
			elems = m.Value.Elems()
		} else {
			elems = []jsonvalue.Member{{Value: m.Value}}
		}
		m.Value = jsonvalue.ArrayOf(append(elems, jsonvalue.Member{Value: value}))
		return members
	}
	return append(members, jsonvalue.Member{Name: name, Value: value})
}

// FormText decodes form or query text: '+' is a space, percent escapes are
// bytes. The result is valid UTF-8.
func FormText(s string) (string, error) {
	if !strings.ContainsAny(s, "+%") {
		if !utf8.ValidString(s) {
			return "", errText
		}
		return s, nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			out = append(out, ' ')
		case '%':
			if i+2 >= len(s) {
				return "", errEscape
			}
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi < 0 || lo < 0 {
				return "", errEscape
			}
			out = append(out, byte(hi<<4|lo))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	if !utf8.Valid(out) {
		return "", errText
	}
	return string(out), nil
}

// wireError is a constant error text.
type wireError string

func (e wireError) Error() string { return string(e) }

const (
	errEscape wireError = "malformed percent escape"
	errText   wireError = "not valid UTF-8"
)

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	default:
		return -1
	}
}

func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}
