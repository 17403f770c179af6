// Package openapi reads OpenAPI 3.0 and 3.1 documents as far as a gateway needs
// them, and writes 3.1. Reading is lazy: a document is decoded once into
// ordered JSON values, indexed by server, path and method, and only the
// operations that are asked for are looked into, because of a provider's
// hundreds of operations a capability joins a handful.
package openapi

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"patchbay/internal/jsonvalue"
)

// Document is one OpenAPI document. It is immutable and safe for concurrent use.
type Document struct {
	// Name is how messages call the document, usually its file name.
	Name string
	// Version is the value of its openapi field.
	Version string
	root    jsonvalue.Value
	refs    []Reference
}

// Reference points at one operation of a document without reading it.
type Reference struct {
	// Server is an absolute base address without trailing slash, with the
	// defaults of its variables filled in.
	Server string
	Path   string
	// Method is in upper case.
	Method string

	document *Document
	item     *jsonvalue.Value
	op       *jsonvalue.Value
}

// Bounds on a document: its bytes, and the characters in it that can begin a
// value, which bound the memory that its tree takes before it is built.
const (
	maxDocument = 64 << 20
	maxMarks    = 6_000_000
)

// Parse reads a document in JSON or YAML. Swagger 2.0 and anything without an
// openapi field are errors.
func Parse(name string, data []byte) (*Document, error) {
	if len(data) > maxDocument {
		return nil, fmt.Errorf("%s: larger than %d bytes", name, maxDocument)
	}
	if tooManyMarks(data) {
		return nil, fmt.Errorf("%s: may have more than %d values", name, maxMarks)
	}
	root, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d := &Document{Name: name, root: root}
	if v := root.Get("openapi"); v != nil {
		d.Version = v.Text()
	}
	if !strings.HasPrefix(d.Version, "3.") {
		if root.Get("swagger") != nil {
			return nil, fmt.Errorf("%s: Swagger 2.0 is not read; convert the document to OpenAPI 3", name)
		}
		return nil, fmt.Errorf("%s: not an OpenAPI 3 document: no openapi field with a version 3.x", name)
	}
	d.index()
	return d, nil
}

func tooManyMarks(data []byte) bool {
	if len(data) <= maxMarks {
		return false
	}
	marks := 0
	for _, c := range data {
		switch c {
		case '\n', ',', '[', '{', ':', '?':
			marks++
		}
	}
	return marks > maxMarks
}

func decode(data []byte) (jsonvalue.Value, error) {
	for _, c := range data {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '{':
			v, err := jsonvalue.Parse(data)
			if err == nil {
				return v, nil
			}
			// A YAML flow mapping starts with a brace too.
			if w, yamlErr := decodeYAML(data); yamlErr == nil {
				return w, nil
			}
			return v, err
		}
		break
	}
	return decodeYAML(data)
}

// OpenAPI30 reports whether schemas follow OpenAPI 3.0's dialect.
func (d *Document) OpenAPI30() bool { return strings.HasPrefix(d.Version, "3.0") }

// References lists the operations, in the document's order, once for each of
// their servers.
func (d *Document) References() []Reference { return d.refs }

// Resolve follows a local reference such as #/components/schemas/X. References
// into other documents are never fetched.
func (d *Document) Resolve(ref string) (*jsonvalue.Value, bool) {
	rest, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil, false
	}
	v := &d.root
	if rest == "" {
		return v, true
	}
	if !strings.HasPrefix(rest, "/") {
		return nil, false
	}
	if unescaped, err := url.PathUnescape(rest); err == nil {
		rest = unescaped
	}
	for part := range strings.SplitSeq(rest[1:], "/") {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		if v.Kind() == jsonvalue.Array {
			i, err := strconv.ParseUint(part, 10, 31)
			if err != nil {
				return nil, false
			}
			v = v.Index(int(i))
		} else {
			v = v.Get(part)
		}
		if v == nil {
			return nil, false
		}
	}
	return v, true
}

// maxRefs bounds the chain of references that [Document.deref] follows.
const maxRefs = 32

var errRef = errors.New("unresolvable reference")

// deref follows v while it is a reference object.
func (d *Document) deref(v *jsonvalue.Value) (*jsonvalue.Value, error) {
	for range maxRefs {
		if v == nil {
			return nil, errRef
		}
		ref := v.Get("$ref")
		if ref == nil {
			return v, nil
		}
		target, ok := d.Resolve(ref.Text())
		if !ok {
			return nil, fmt.Errorf("%w %q", errRef, ref.Text())
		}
		v = target
	}
	return nil, fmt.Errorf("%w: more than %d references in a chain", errRef, maxRefs)
}

func (d *Document) index() {
	paths := d.root.Get("paths")
	if paths == nil {
		return
	}
	rootServers := d.servers(d.root.Get("servers"))
	for i := range paths.Elems() {
		path := &paths.Elems()[i]
		item, err := d.deref(&path.Value)
		if err != nil {
			continue
		}
		itemServers := rootServers
		if s := item.Get("servers"); s != nil {
			itemServers = d.servers(s)
		}
		for j := range item.Elems() {
			m := &item.Elems()[j]
			method := strings.ToUpper(m.Name)
			switch method {
			case "GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE":
			default:
				continue
			}
			servers := itemServers
			if s := m.Value.Get("servers"); s != nil {
				servers = d.servers(s)
			}
			for _, server := range servers {
				d.refs = append(d.refs, Reference{Server: server, Path: path.Name, Method: method, document: d, item: item, op: &m.Value})
			}
		}
	}
}

func (d *Document) servers(list *jsonvalue.Value) []string {
	if list == nil {
		return []string{""}
	}
	var out []string
	for i := range list.Elems() {
		server := &list.Elems()[i].Value
		address := text(server, "url")
		if vars := server.Get("variables"); vars != nil {
			for j := range vars.Elems() {
				v := &vars.Elems()[j]
				address = strings.ReplaceAll(address, "{"+v.Name+"}", text(&v.Value, "default"))
			}
		}
		out = append(out, strings.TrimRight(address, "/"))
	}
	return out
}

func text(v *jsonvalue.Value, name string) string {
	if m := v.Get(name); m != nil {
		return m.Text()
	}
	return ""
}

// Document returns the document that the reference points into.
func (r *Reference) Document() *Document { return r.document }
