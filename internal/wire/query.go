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
	if v.Len() == 0 {
		return dst
	}
	if style == FormExploded || style == DeepObject {
		for i := range v.Elems() {
			dst = appendQueryText(appendQueryName(dst, start, name), plain(&v.Elems()[i].Value))
		}
		return dst
	}
	separator := ","
	switch style {
	case SpaceDelimited:
		separator = "%20"
	case PipeDelimited:
		separator = "%7C"
	}
	dst = appendQueryName(dst, start, name)
	for i := range v.Elems() {
		if i > 0 {
			dst = append(dst, separator...)
		}
		dst = appendQueryText(dst, plain(&v.Elems()[i].Value))
	}
	return dst
}

func appendQueryObject(dst []byte, start int, name string, v *jsonvalue.Value, style QueryStyle) []byte {
	for i := range v.Elems() {
		m := &v.Elems()[i]
		key := m.Name
		if style == DeepObject {
			key = name + "[" + m.Name + "]"
		}
		dst = appendQueryText(appendQueryName(dst, start, key), plain(&m.Value))
	}
	return dst
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
