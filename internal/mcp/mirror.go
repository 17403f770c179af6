package mcp

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// mirroredParam is a tool parameter whose value an HTTP client repeats in a
// header, because its schema says x-mcp-header.
type mirroredParam struct {
	header string   // canonical, "Mcp-Param-Region"
	path   []string // property names from the root of the arguments
}

// mirroredParams collects the annotations of a valid object schema and checks
// them: a client drops a tool whose annotations break the rules (2026-07-28,
// tools, "x-mcp-header").
func mirroredParams(schema []byte) ([]mirroredParam, error) {
	c := mirrorCollector{seen: map[string]bool{}}
	if err := c.walk(schema, nil, true); err != nil {
		return nil, err
	}
	return c.found, nil
}

type mirrorCollector struct {
	found []mirroredParam
	seen  map[string]bool
}

// walk visits a schema. Reachable means that only properties keys lead to it.
func (c *mirrorCollector) walk(schema []byte, path []string, reachable bool) error {
	var kind string
	var annotation []byte
	err := eachMember(schema, func(name string, v []byte) error {
		switch name {
		case "type":
			kind = string(text(v))
		case "x-mcp-header":
			annotation = v
		case "properties":
			return eachMember(v, func(property string, sub []byte) error {
				return c.walk(sub, append(path[:len(path):len(path)], property), reachable)
			})
		case "patternProperties", "$defs", "definitions", "dependentSchemas":
			return eachMember(v, func(_ string, sub []byte) error { return c.walk(sub, nil, false) })
		case "allOf", "anyOf", "oneOf", "prefixItems":
			return eachElement(v, func(sub []byte) error { return c.walk(sub, nil, false) })
		case "items":
			if v[0] == '[' {
				return eachElement(v, func(sub []byte) error { return c.walk(sub, nil, false) })
			}
			return c.walk(v, nil, false)
		case "not", "if", "then", "else", "contains", "additionalProperties", "additionalItems",
			"propertyNames", "unevaluatedProperties", "unevaluatedItems", "contentSchema":
			return c.walk(v, nil, false)
		}
		return nil
	})
	if err != nil || annotation == nil {
		return err
	}
	return c.add(string(text(annotation)), kind, path, reachable)
}

func (c *mirrorCollector) add(name, kind string, path []string, reachable bool) error {
	header := http.CanonicalHeaderKey("Mcp-Param-" + name)
	switch {
	case !reachable || len(path) == 0:
		return fmt.Errorf("x-mcp-header %q is not on a property that properties alone lead to", name)
	case !isToken(name):
		return fmt.Errorf("x-mcp-header %q is no header name", name)
	case kind != "string" && kind != "integer" && kind != "boolean":
		return fmt.Errorf("x-mcp-header %q is on a property that is no string, integer or boolean", name)
	case c.seen[header]:
		return fmt.Errorf("x-mcp-header %q occurs twice", name)
	}
	c.seen[header] = true
	c.found = append(c.found, mirroredParam{header: header, path: path})
	return nil
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alnum && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// check compares the header with the value in valid raw arguments. Neither there
// nor here, or null, is agreement.
func (p *mirroredParam) check(args []byte, h http.Header) *Error {
	body := lookup(args, p.path)
	if body == nil || body[0] == 'n' {
		if len(h[p.header]) > 0 {
			return headerMismatch("%s header is sent, but the arguments have no value for it", p.header)
		}
		return nil
	}
	value, err := single(h, p.header)
	if err != nil {
		return err
	}
	plain, err := decodeHeader(p.header, value)
	if err != nil {
		return err
	}
	if !sameValue(body, plain) {
		return headerMismatch("%s header does not match the arguments", p.header)
	}
	return nil
}

var errFound = errors.New("found")

// lookup returns the raw value at a path of property names, or nil.
func lookup(args []byte, path []string) []byte {
	for _, step := range path {
		var found []byte
		_ = eachMember(args, func(name string, v []byte) error {
			if name != step {
				return nil
			}
			found = v
			return errFound
		})
		if found == nil {
			return nil
		}
		args = found
	}
	return args
}

// sameValue compares a raw primitive with its header form. Numbers are compared
// by value: 42.0 is 42.
func sameValue(raw []byte, header string) bool {
	switch raw[0] {
	case '"':
		return string(text(raw)) == header
	case 't', 'f':
		return string(raw) == header
	case '{', '[':
		return false
	}
	number := jsontext.Value(header)
	if number.Kind() != '0' || !number.IsValid() {
		return false
	}
	if string(raw) == header {
		return true
	}
	const safe = 1<<53 - 1 // beyond it, different integers are one float64
	a, errA := strconv.ParseFloat(string(raw), 64)
	b, errB := strconv.ParseFloat(header, 64)
	return errA == nil && errB == nil && a == b && -safe <= a && a <= safe
}
