package mcp

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Helpers for raw JSON text. Where a comment says "valid", the text has been
// checked before: it is a slice of a decoded message or was checked by New.

// tooDeep reports whether brackets nest deeper than limit. It does not judge the
// text, so it can run before a parser whose own limit is too generous.
func tooDeep(src []byte, limit int) bool {
	depth := 0
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '{', '[':
			if depth++; depth > limit {
				return true
			}
		case '}', ']':
			depth--
		case '"':
			for i++; i < len(src) && src[i] != '"'; i++ {
				if src[i] == '\\' {
					i++
				}
			}
		}
	}
	return false
}

// idLike reports whether a valid raw value is a string or a number.
func idLike(v []byte) bool {
	return v[0] == '"' || v[0] == '-' || '0' <= v[0] && v[0] <= '9'
}

// text returns the content of a valid raw string, or nil for another kind. An
// empty string is an empty slice.
func text(v []byte) []byte {
	if len(v) == 0 || v[0] != '"' {
		return nil
	}
	return unquote(v)
}

// unquote returns the content of a valid raw string. Without escapes that is a
// part of v.
func unquote(v []byte) []byte {
	inner := v[1 : len(v)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	out, _ := jsontext.AppendUnquote(make([]byte, 0, len(inner)), v)
	return out
}

// quoted appends s as a JSON string; invalid UTF-8 becomes U+FFFD.
func quoted[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// eachMember calls fn for the members of a valid raw object in their order, and
// stops at the first error. Another kind of value has no members.
func eachMember(object []byte, fn func(name string, value []byte) error) error {
	var d decoder
	d.reset(object)
	if entered, err := d.open('{'); !entered {
		return err
	}
	for {
		name, err := d.next()
		if name == nil || err != nil {
			return err
		}
		v, err := d.value()
		if err != nil {
			return err
		}
		if err := fn(string(name), v); err != nil {
			return err
		}
	}
}

// eachElement is eachMember for arrays.
func eachElement(array []byte, fn func(value []byte) error) error {
	var d decoder
	d.reset(array)
	if entered, err := d.open('['); !entered {
		return err
	}
	for d.dec.PeekKind() != ']' {
		v, err := d.value()
		if err != nil {
			return err
		}
		if err := fn(v); err != nil {
			return err
		}
	}
	return nil
}

// compactObject checks raw JSON that the adapter configured and returns it on
// one line, otherwise as given: order, numbers and escapes stay.
func compactObject(raw []byte, depth int) ([]byte, error) {
	if tooDeep(raw, depth) {
		return nil, fmt.Errorf("nested deeper than %d levels", depth)
	}
	v := jsontext.Value(bytes.Clone(raw))
	if !v.IsValid() {
		return nil, errors.New("not valid JSON, or with duplicate names")
	}
	if v.Kind() != '{' {
		return nil, errors.New("not a JSON object")
	}
	if err := v.Compact(); err != nil {
		return nil, err
	}
	return v, nil
}

// oneLine appends valid JSON with its line breaks turned into spaces. In JSON a
// raw line break can only stand between tokens, and stdio and event streams
// frame by line.
func oneLine(dst, json []byte) []byte {
	start := len(dst)
	dst = append(dst, json...)
	for rest := dst[start:]; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		rest[i] = ' '
		rest = rest[i+1:]
	}
	for rest := dst[start:]; ; {
		i := bytes.IndexByte(rest, '\r')
		if i < 0 {
			return dst
		}
		rest[i] = ' '
		rest = rest[i+1:]
	}
}
