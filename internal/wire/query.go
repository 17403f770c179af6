package wire

import (
	"strings"

	"patchbay/internal/jsonvalue"
)

// QueryStyle says how an array or object stands in a query string
// (OpenAPI 3.1, "Parameter Object", style and explode).
type QueryStyle uint8

// The styles. The zero style repeats the key for each element.
const (
	FormExploded QueryStyle = iota
	FormJoined
	SpaceDelimited
	PipeDelimited
	DeepObject
	// JSONContent writes the value as compact JSON (a parameter with content).
	JSONContent
)

// AppendQuery appends one parameter to a query string that started at start in
// dst, with '&' where something precedes. Null and absent values append nothing.
// A space is %20, so that upstreams which do not read '+' are right too.
func AppendQuery(dst []byte, start int, name string, v *jsonvalue.Value, style QueryStyle) []byte {
	switch {
	case v.IsNull() || v.IsAbsent():
		return dst
	case v.IsScalar():
		return appendQueryText(appendQueryName(dst, start, name), v.Text())
	case style == JSONContent:
		return appendQueryText(appendQueryName(dst, start, name), string(v.Append(nil)))
	case v.Kind() == jsonvalue.Object:
		return appendQueryObject(dst, start, name, v, style)
	default:
		return appendQueryArray(dst, start, name, v, style)
	}
}

func appendQueryArray(dst []byte, start int, name string, v *jsonvalue.Value, style QueryStyle) []byte {
	if !style.joins() {
		for i := range v.Elems() {
			if e := &v.Elems()[i].Value; !e.IsNull() {
				dst = appendQueryText(appendQueryName(dst, start, name), plain(e))
			}
		}
		return dst
	}
	j := joined{start: len(dst), separator: style.separator()}
	for i := range v.Elems() {
		if e := &v.Elems()[i].Value; !e.IsNull() {
			dst = j.append(dst, start, name, plain(e))
		}
	}
	return dst
}

// appendQueryObject writes the members of an object: as parameters of their
// own, in brackets behind the name, or as names and values by turns.
func appendQueryObject(dst []byte, start int, name string, v *jsonvalue.Value, style QueryStyle) []byte {
	j := joined{start: len(dst), separator: style.separator()}
	for i := range v.Elems() {
		m := &v.Elems()[i]
		switch {
		case m.Value.IsNull():
		case style == DeepObject:
			dst = appendDeep(dst, start, name+"["+m.Name+"]", &m.Value)
		case style.joins():
			dst = j.append(j.append(dst, start, name, m.Name), start, name, plain(&m.Value))
		default:
			dst = appendQueryText(appendQueryName(dst, start, m.Name), plain(&m.Value))
		}
	}
	return dst
}

// appendDeep writes what lies in an object in brackets. OpenAPI leaves open what
// becomes of objects and arrays in there; this is what most servers read.
func appendDeep(dst []byte, start int, name string, v *jsonvalue.Value) []byte {
	switch v.Kind() {
	case jsonvalue.Null:
		return dst
	case jsonvalue.Object:
		return appendQueryObject(dst, start, name, v, DeepObject)
	case jsonvalue.Array:
		for i := range v.Elems() {
			dst = appendDeep(dst, start, name, &v.Elems()[i].Value)
		}
		return dst
	default:
		return appendQueryText(appendQueryName(dst, start, name), v.Text())
	}
}

// joined writes several texts as one value. Without any, nothing is written.
type joined struct {
	start     int
	separator string
}

func (j *joined) append(dst []byte, start int, name, text string) []byte {
	if len(dst) == j.start {
		dst = appendQueryName(dst, start, name)
	} else {
		dst = append(dst, j.separator...)
	}
	return appendQueryText(dst, text)
}

// joins reports whether the elements of an array make one value.
func (s QueryStyle) joins() bool {
	return s == FormJoined || s == SpaceDelimited || s == PipeDelimited
}

func (s QueryStyle) separator() string {
	switch s {
	case SpaceDelimited:
		return "%20"
	case PipeDelimited:
		return "%7C"
	default:
		return ","
	}
}

// Simple is the text of a value in a path or header: arrays and objects are
// joined by commas (OpenAPI 3.1, style simple). An exploded object has its
// values behind an equals sign.
func Simple(v *jsonvalue.Value, explode bool) string {
	if v.Kind() != jsonvalue.Array && v.Kind() != jsonvalue.Object {
		return v.Text()
	}
	var out strings.Builder
	part := func(separator, text string) {
		if out.Len() > 0 {
			out.WriteString(separator)
		}
		out.WriteString(text)
	}
	for i := range v.Elems() {
		m := &v.Elems()[i]
		between := ","
		if m.Value.IsNull() {
			continue
		}
		if v.Kind() == jsonvalue.Object {
			part(",", m.Name)
			if explode {
				between = "="
			}
		}
		part(between, plain(&m.Value))
	}
	return out.String()
}

func appendQueryName(dst []byte, start int, name string) []byte {
	if len(dst) > start {
		dst = append(dst, '&')
	}
	return append(appendQueryText(dst, name), '=')
}

// appendQueryText percent-encodes everything but RFC 3986's unreserved characters.
func appendQueryText(dst []byte, text string) []byte {
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
	}
	return dst
}

// plain is a value's text where only text can stand.
func plain(v *jsonvalue.Value) string {
	if v.IsScalar() {
		return v.Text()
	}
	return string(v.Append(nil))
}

// Query iterates over the pairs of a raw query string, undecoded. Empty pairs
// are skipped.
func Query(raw string) func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		for raw != "" {
			var pair string
			pair, raw, _ = strings.Cut(raw, "&")
			if pair == "" {
				continue
			}
			name, value, _ := strings.Cut(pair, "=")
			if !yield(name, value) {
				return
			}
		}
	}
}
