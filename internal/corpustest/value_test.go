package corpustest

import (
	"fmt"
	"strings"
)

// A value is a JSON value that keeps what Go's own forms of it lose: nil, bool,
// string, number, array or object.
type value any

// A number is the text of a JSON number, every digit of it.
type number string

// An array is a list of values.
type array []value

// An object is a list of members in their order.
type object []member

type member struct {
	name  string
	value value
}

// get returns the member of a name.
func (o object) get(name string) (value, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// compact writes JSON without white space, with only those escapes that RFC
// 8259 section 7 demands.
func compact(v value) string { return style{}.text(v) }

// lavish writes the same value as a person or another program might: with white
// space between tokens and everything beyond ASCII escaped.
func lavish(v value) string { return style{lavish: true}.text(v) }

type style struct{ lavish bool }

func (s style) text(v value) string {
	comma, colon := ",", ":"
	if s.lavish {
		comma, colon = " ,\n\t", " : "
	}
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(v)
	case number:
		return string(v)
	case string:
		return s.quoted(v)
	case array:
		var parts []string
		for _, e := range v {
			parts = append(parts, s.text(e))
		}
		return "[" + strings.Join(parts, comma) + "]"
	case object:
		var parts []string
		for _, m := range v {
			parts = append(parts, s.quoted(m.name)+colon+s.text(m.value))
		}
		return "{" + strings.Join(parts, comma) + "}"
	default:
		panic(fmt.Sprintf("%T is no value", v))
	}
}

func (s style) quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		short := strings.IndexRune("\"\\\n\r\t\b\f", r)
		switch {
		case short >= 0:
			b.WriteByte('\\')
			b.WriteByte(`"\nrtbf`[short])
		case r < ' ' || s.lavish && r > '~' && r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		case s.lavish && r >= 0x10000: // a surrogate pair, RFC 8259 section 7
			fmt.Fprintf(&b, `\u%04X\u%04X`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// plain is the text of a scalar where only text can stand: in a path, a query,
// a header or a form.
func plain(v value) string {
	switch v := v.(type) {
	case string:
		return v
	case number:
		return string(v)
	case bool:
		return fmt.Sprint(v)
	default:
		panic(fmt.Sprintf("%T has no plain text", v))
	}
}

func scalar(v value) bool {
	switch v.(type) {
	case string, number, bool:
		return true
	default:
		return false
	}
}
