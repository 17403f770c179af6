package jsonvalue

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is the nesting that [Parse] accepts.
const MaxDepth = 128

// SyntaxError tells what is wrong with a text that is not one JSON value.
type SyntaxError struct {
	// Offset counts bytes from 0; Line and Col count from 1.
	Offset, Line, Col int
	// Pointer is the JSON pointer of the value in which the fault lies.
	Pointer string
	// Message is a lower-case clause without place; it quotes at most one
	// member name of the text.
	Message string
}

// Error returns place and message.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Col, e.Message)
}

// Check verifies that data is exactly one JSON value, without decoding it.
// Duplicate names are let through: it is meant for bytes that pass on as they
// are. It does not allocate for valid data.
func Check(data []byte) error {
	if jsontext.Value(data).IsValid(jsontext.AllowDuplicateNames(true)) {
		return nil
	}
	return explain(data, jsontext.AllowDuplicateNames(true))
}

// Parse decodes exactly one JSON value. Duplicate member names, invalid UTF-8,
// trailing data and nesting deeper than [MaxDepth] are a *[SyntaxError]. The
// value does not refer to data.
func Parse(data []byte) (Value, error) {
	if !jsontext.Value(data).IsValid() {
		return Value{}, explain(data)
	}
	return build(string(data))
}

// ParseString is [Parse] of a text that the value may refer to.
func ParseString(text string) (Value, error) {
	if !jsontext.Value(text).IsValid() {
		return Value{}, explain([]byte(text))
	}
	return build(text)
}

func build(text string) (Value, error) {
	n, deepest := measure(text)
	if deepest > MaxDepth {
		return Value{}, &SyntaxError{Line: 1, Col: 1, Message: fmt.Sprintf("nested deeper than %d levels", MaxDepth)}
	}
	b := builder{text: text, arena: make([]Member, n)}
	b.low, b.high = 0, n
	return b.value(), nil
}

// explain finds the first fault of a text that is known to be invalid.
func explain(data []byte, opts ...jsontext.Options) error {
	dec := jsontext.NewDecoder(bytes.NewReader(data), opts...)
	var err error
	for err == nil {
		_, err = dec.ReadToken()
		if err == nil && dec.StackDepth() == 0 {
			if _, err = dec.ReadToken(); err == nil || !errors.Is(err, io.EOF) {
				return syntaxError(data, int(dec.InputOffset()), "", "more data after the end of the value")
			}
			return syntaxError(data, len(data), "", "not a JSON value")
		}
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		pointer := string(dec.StackPointer())
		name := ""
		if syn, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
			pointer = string(syn.JSONPointer)
		}
		if i := strings.LastIndexByte(pointer, '/'); i >= 0 {
			name = pointer[i+1:]
		}
		return syntaxError(data, int(dec.InputOffset()), pointer, fmt.Sprintf("the name %q occurs twice in one object", clip(name)))
	}
	if syn, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		message := "not valid JSON"
		if syn.Err != nil {
			message = syn.Err.Error()
		}
		return syntaxError(data, int(syn.ByteOffset), string(syn.JSONPointer), strings.TrimPrefix(message, "jsontext: "))
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		if len(bytes.TrimSpace(data)) == 0 {
			return syntaxError(data, len(data), "", "empty")
		}
		return syntaxError(data, len(data), "", "the text ends before the value does")
	}
	return syntaxError(data, 0, "", "not valid JSON")
}

func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}

func syntaxError(data []byte, offset int, pointer, message string) *SyntaxError {
	offset = min(max(offset, 0), len(data))
	before := data[:offset]
	line := 1 + bytes.Count(before, []byte{'\n'})
	col := 1 + len(bytes.Runes(before[bytes.LastIndexByte(before, '\n')+1:]))
	return &SyntaxError{Offset: offset, Line: line, Col: col, Pointer: pointer, Message: message}
}

// measure counts the members and elements of a valid text, and its nesting.
func measure(text string) (n, deepest int) {
	depth, empty := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			empty = false
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
			n++
			empty = true
		case '}', ']':
			depth--
			if empty {
				n--
			}
			empty = false
		case ',':
			n++
		case ' ', '\t', '\r', '\n':
		default:
			empty = false
		}
	}
	return n, deepest
}

// builder turns text that is known to be valid JSON into values. All elements
// of the tree live in one arena: finished containers grow from its low end,
// the elements of containers still open are stacked at its high end, and both
// together never exceed the count that measure found.
type builder struct {
	text      string
	pos       int
	arena     []Member
	low, high int
}

func (b *builder) space() {
	for b.pos < len(b.text) {
		switch b.text[b.pos] {
		case ' ', '\t', '\r', '\n':
			b.pos++
		default:
			return
		}
	}
}

func (b *builder) value() Value {
	b.space()
	switch c := b.text[b.pos]; c {
	case '{':
		return b.container(Object, '}')
	case '[':
		return b.container(Array, ']')
	case '"':
		return Value{kind: String, text: b.str()}
	case 't':
		b.pos += len("true")
		return Value{kind: Bool, text: "true"}
	case 'f':
		b.pos += len("false")
		return Value{kind: Bool, text: "false"}
	case 'n':
		b.pos += len("null")
		return Value{kind: Null}
	default:
		start := b.pos
		for b.pos < len(b.text) && numberByte(b.text[b.pos]) {
			b.pos++
		}
		return Value{kind: Number, text: b.text[start:b.pos]}
	}
}

func numberByte(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

func (b *builder) container(kind Kind, end byte) Value {
	b.pos++
	count := 0
	for {
		b.space()
		if b.text[b.pos] == end {
			b.pos++
			break
		}
		if b.text[b.pos] == ',' {
			b.pos++
			b.space()
		}
		var m Member
		if kind == Object {
			m.Name = b.str()
			b.space()
			b.pos++ // the colon
		}
		m.Value = b.value()
		b.high--
		b.arena[b.high] = m
		count++
	}
	elems := b.arena[b.low : b.low+count : b.low+count]
	copy(elems, b.arena[b.high:b.high+count])
	slices.Reverse(elems)
	b.low += count
	b.high += count
	return Value{kind: kind, elems: elems}
}

func (b *builder) str() string {
	start := b.pos + 1
	i := start
	escaped := false
	for b.text[i] != '"' {
		if b.text[i] == '\\' {
			escaped = true
			i++
		}
		i++
	}
	b.pos = i + 1
	if !escaped {
		return b.text[start:i]
	}
	out, err := jsontext.AppendUnquote(nil, b.text[start-1:i+1])
	if err != nil {
		return ""
	}
	return string(out)
}
