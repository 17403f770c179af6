package template

import "patchbay/internal/jsonvalue"

// Mode says what is done to the text of a value where it is inserted.
type Mode uint8

const (
	// None inserts the text as it is.
	None Mode = iota
	// JSONString escapes it for the inside of a JSON string (RFC 8259 section 7).
	JSONString
	// URLSegment percent-encodes it as one path segment, or a part of one: all
	// but the unreserved characters of RFC 3986 section 2.3.
	URLSegment
	// URLQuery percent-encodes it as part of a query, with the same characters
	// kept; a space becomes %20.
	URLQuery
	// FormValue encodes it as application/x-www-form-urlencoded; a space
	// becomes a plus sign.
	FormValue
	// XMLText escapes it for the content of an XML element and for a quoted
	// attribute (XML 1.0 section 2.4). Characters that XML has no room for are
	// replaced by U+FFFD.
	XMLText
	// SPARQLString escapes it for the inside of a quoted SPARQL literal (SPARQL
	// 1.1 section 19.7).
	SPARQLString
)

// The slots of parts that have none.
const (
	isLiteral  = -2
	unresolved = -1
)

// part is a segment whose name has been replaced by a slot.
type part struct {
	literal string
	// encoded is the literal as it stands in a URL; only in paths.
	encoded string
	slot    int
}

// Bound is a template whose placeholders are tied to slots of a slice of
// values. It is immutable and safe for concurrent use.
type Bound struct {
	parts []part
	slots []int
	path  bool
}

// Bind ties each placeholder to a slot. It calls resolve once for every
// placeholder, in their order, with its name and its place (see
// [Placeholder]); where resolve reports false, the placeholder never has
// a value. Reporting the name as unknown is resolve's own matter.
func (t *Template) Bind(resolve func(name string, offset int) (slot int, ok bool)) *Bound {
	b := &Bound{parts: make([]part, 0, len(t.segments)), path: t.syntax == Path}
	for _, s := range t.segments {
		if s.Placeholder == nil {
			p := part{literal: s.Literal, slot: isLiteral}
			if b.path {
				p.encoded = string(AppendLiteral(nil, s.Literal))
			}
			b.parts = append(b.parts, p)
			continue
		}
		slot, ok := resolve(s.Placeholder.Name, s.Placeholder.Offset)
		if !ok || slot < 0 {
			slot = unresolved
		}
		b.parts = append(b.parts, part{slot: slot})
		b.slots = append(b.slots, slot)
	}
	return b
}

// Slots returns the slots of the placeholders in their order, -1 for one that
// was not resolved. The slice must not be changed.
func (b *Bound) Slots() []int { return b.slots }

// Single returns the slot of the placeholder that is the whole text, whose
// value is to be passed on with its type.
func (b *Bound) Single() (slot int, ok bool) {
	if len(b.parts) != 1 || b.parts[0].slot < 0 {
		return 0, false
	}
	return b.parts[0].slot, true
}

// Append renders the template to the end of dst. Booleans, numbers and strings
// are inserted as text, arrays and objects as compact JSON, all of them encoded
// by mode; in a path segment an array is the list of its elements, joined by
// commas. A value that is null or absent, or whose slot is beyond values,
// inserts nothing and is reported by complete being false; an empty string is a
// value.
//
// Literals are never encoded by mode, with one exception: in a template of
// [Path] syntax, modes other than None and JSONString render them by
// [AppendLiteral].
//
// It allocates only what dst lacks in capacity.
func (b *Bound) Append(dst []byte, values []jsonvalue.Value, mode Mode) (out []byte, complete bool) {
	encoded := b.path && mode != None && mode != JSONString
	complete = true
	for i := range b.parts {
		p := &b.parts[i]
		switch {
		case p.slot == isLiteral && encoded:
			dst = append(dst, p.encoded...)
		case p.slot == isLiteral:
			dst = append(dst, p.literal...)
		case p.slot < 0 || p.slot >= len(values) || values[p.slot].IsAbsent() || values[p.slot].IsNull():
			complete = false
		default:
			dst = mode.AppendValue(dst, &values[p.slot])
		}
	}
	return dst, complete
}

// AppendValue appends a value as [Bound.Append] inserts it; null and absent
// append nothing.
func (m Mode) AppendValue(dst []byte, v *jsonvalue.Value) []byte {
	if k := v.Kind(); k != jsonvalue.Array && k != jsonvalue.Object {
		return m.AppendText(dst, v.Text())
	} else if k == jsonvalue.Array && m == URLSegment {
		return m.appendList(dst, v)
	}
	// The JSON text is written behind dst, encoded behind that, and then moved
	// to its place: in a buffer that is large enough this allocates nothing.
	start := len(dst)
	dst = v.Append(dst)
	if m == None {
		return dst
	}
	end := len(dst)
	dst = appendText(dst, dst[start:end], m)
	n := copy(dst[start:], dst[end:])
	return dst[:start+n]
}

// appendList appends the elements of an array (OpenAPI 3.1, style simple): the
// commas between them are none of a value's, which are encoded.
func (m Mode) appendList(dst []byte, v *jsonvalue.Value) []byte {
	for i := range v.Elems() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = m.AppendValue(dst, &v.Elems()[i].Value)
	}
	return dst
}

// AppendText appends a text, encoded by the mode.
func (m Mode) AppendText(dst []byte, s string) []byte { return appendText(dst, s, m) }

func appendText[T ~string | ~[]byte](dst []byte, s T, m Mode) []byte {
	switch m {
	case JSONString:
		start := len(dst)
		dst = jsonvalue.AppendString(dst, s)
		n := copy(dst[start:], dst[start+1:len(dst)-1])
		return dst[:start+n]
	case URLSegment, URLQuery:
		return AppendSegment(dst, s)
	case FormValue:
		return AppendForm(dst, s)
	case XMLText:
		return AppendXML(dst, s)
	case SPARQLString:
		return appendSPARQL(dst, s)
	default:
		return append(dst, s...)
	}
}
