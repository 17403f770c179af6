package schema

import (
	"net/url"
	"strconv"
	"strings"

	"patchbay/internal/jsonvalue"
)

// target is what a reference leads to.
type target struct {
	value *jsonvalue.Value // nil when nothing is there
	at    string           // see Problem.Pointer
}

// reference compiles a $ref: the target is queued, so that it is compiled once
// and recursion is a cycle in the graph.
func (k *keywords) reference(a *applicators, v *jsonvalue.Value) {
	at := k.place("$ref")
	if v.Kind() != jsonvalue.String {
		k.problem(at, "must be a string; is %s", kindNoun(v))
		return
	}
	t := k.resolve(v.Text())
	if t.value == nil {
		if ref := v.Text(); ref != "" && ref[0] != '#' {
			k.unchecked(at, "%s leads to another document, which is not followed", clip(ref, 80))
		} else {
			k.problem(at, "%s leads nowhere", clip(ref, 80))
		}
		a.ref = &Schema{raw: v, literal: literalUnknown}
		return
	}
	k.pending = append(k.pending, pendingRef{k.schema, &a.ref, t})
	k.leadTo("$ref", &a.ref)
}

// resolve finds the target of a reference, once.
func (c *compiler) resolve(ref string) *target {
	t, ok := c.targets[ref]
	if !ok {
		t = c.lookup(ref)
		c.targets[ref] = t
	}
	return t
}

func (c *compiler) lookup(ref string) *target {
	if c.opts.Resolve != nil {
		if v, ok := c.opts.Resolve(ref); ok && v != nil {
			return &target{v, ref}
		}
	}
	if id := c.root.Get("$id"); id != nil {
		if local, ok := strings.CutPrefix(ref, strings.TrimSuffix(id.Text(), "#")); ok && id.Text() != "" {
			ref = local
		}
	}
	fragment, local := strings.CutPrefix(ref, "#")
	if !local && ref != "" {
		return &target{}
	}
	fragment, err := url.PathUnescape(fragment)
	if err != nil {
		return &target{}
	}
	if fragment != "" && fragment[0] != '/' {
		return c.anchor(fragment)
	}
	return &target{pointed(c.root, fragment), fragment}
}

// pointed follows a JSON pointer (RFC 6901); it returns nil where it leads nowhere.
func pointed(v *jsonvalue.Value, pointer string) *jsonvalue.Value {
	for pointer != "" && v != nil {
		token, rest, more := strings.Cut(pointer[1:], "/")
		if pointer = ""; more {
			pointer = "/" + rest
		}
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch v.Kind() {
		case jsonvalue.Object:
			v = v.Get(token)
		case jsonvalue.Array:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || token != strconv.Itoa(i) {
				return nil
			}
			v = v.Index(i)
		default:
			return nil
		}
	}
	return v
}

// anchor finds the schema that carries the name as its $anchor or
// $dynamicAnchor (JSON Schema 2020-12 core section 8.2.2).
func (c *compiler) anchor(name string) *target {
	if c.anchors == nil {
		c.anchors = map[string]*target{}
		c.collectAnchors(c.root, "", 0)
	}
	if t, ok := c.anchors[name]; ok {
		return t
	}
	return &target{}
}

func (c *compiler) collectAnchors(v *jsonvalue.Value, at string, depth int) {
	if depth > maxSchemaDepth {
		return
	}
	for _, keyword := range []string{"$anchor", "$dynamicAnchor"} {
		if a := v.Get(keyword); a != nil && a.Kind() == jsonvalue.String && c.anchors[a.Text()] == nil {
			c.anchors[a.Text()] = &target{v, at}
		}
	}
	for i := range v.Elems() {
		m := &v.Elems()[i]
		switch {
		case v.Kind() == jsonvalue.Array:
			c.collectAnchors(&m.Value, string(appendIndex([]byte(at), i)), depth+1)
		case m.Name == "enum" || m.Name == "const" || m.Name == "default" || m.Name == "examples":
			// instances, not schemas
		default:
			c.collectAnchors(&m.Value, string(jsonvalue.AppendToken([]byte(at), m.Name)), depth+1)
		}
	}
}

// lastPart returns what follows the last slash of a reference.
func lastPart(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// appendIndex appends the token of an array element to a JSON pointer.
func appendIndex(dst []byte, i int) []byte {
	return strconv.AppendInt(append(dst, '/'), int64(i), 10)
}
