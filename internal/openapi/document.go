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
	"sync"

	"patchbay/internal/jsonvalue"
)

// Document is one OpenAPI document. It does not change and is safe for concurrent use.
type Document struct {
	// Name is how messages call the document, usually its file name.
	Name string
	// Version is the value of its openapi field.
	Version string
	// Problems are what keeps operations from being found, such as a path item
	// that leads nowhere; each names its place.
	Problems []string

	root jsonvalue.Value
	refs []Reference

	mu sync.Mutex
	// tables hold the members of large objects by name, for those that were asked for.
	tables map[*jsonvalue.Value]map[string]*jsonvalue.Value
}

// Reference points at one operation of a document without reading it.
type Reference struct {
	// Server is a base address without trailing slash; see [Document.References].
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

// ErrNotOpenAPI is wrapped by the error for a text that claims to be something
// else, or nothing.
var ErrNotOpenAPI = errors.New("not an OpenAPI 3 document: no openapi field with a version 3.x")

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
		return nil, fmt.Errorf("%s: %w", name, ErrNotOpenAPI)
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

// References lists the operations, in the document's order, once for each
// address that their servers can have: each value of a variable that has an
// enum, and its default; of any other variable the default, and the variable
// itself in braces.
func (d *Document) References() []Reference { return d.refs }

// Operations counts the operations, whatever the number of their servers.
func (d *Document) Operations() int {
	n := 0
	for i := range d.refs {
		if r := &d.refs[i]; i == 0 || r.Path != d.refs[i-1].Path || r.Method != d.refs[i-1].Method {
			n++
		}
	}
	return n
}

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
			v = d.member(v, part)
		}
		if v == nil {
			return nil, false
		}
	}
	return v, true
}

// manyMembers is the size from which members of an object are found through a
// table. Documents of whole clouds have tens of thousands of schemas, and a
// reference to most of them in most operations.
const manyMembers = 64

func (d *Document) member(v *jsonvalue.Value, name string) *jsonvalue.Value {
	if v.Kind() != jsonvalue.Object || v.Len() < manyMembers {
		return v.Get(name)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	table := d.tables[v]
	if table == nil {
		table = make(map[string]*jsonvalue.Value, v.Len())
		elems := v.Elems()
		for i := range elems {
			table[elems[i].Name] = &elems[i].Value
		}
		if d.tables == nil {
			d.tables = map[*jsonvalue.Value]map[string]*jsonvalue.Value{}
		}
		d.tables[v] = table
	}
	return table[name]
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
	d.refs = make([]Reference, 0, 2*paths.Len())
	for i := range paths.Elems() {
		path := &paths.Elems()[i]
		item, err := d.item(&path.Value)
		if err != nil {
			d.Problems = append(d.Problems, fmt.Sprintf("paths %s: %v", path.Name, err))
			continue
		}
		itemServers := rootServers
		if s := item.Get("servers"); s != nil {
			itemServers = d.servers(s)
		}
		for j := range item.Elems() {
			m := &item.Elems()[j]
			method, ok := methodOf(m.Name)
			if !ok {
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

// methodOf returns the method that a member of a path item stands for.
func methodOf(name string) (string, bool) {
	for _, method := range [...]string{"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"} {
		if strings.EqualFold(name, method) {
			return method, true
		}
	}
	return "", false
}

// item returns a path item: what it refers to, under what it says itself.
func (d *Document) item(v *jsonvalue.Value) (*jsonvalue.Value, error) {
	behind, err := d.deref(v)
	if err != nil || behind == v || v.Len() == 1 {
		return behind, err
	}
	members := make([]jsonvalue.Member, 0, v.Len()+behind.Len())
	for _, m := range v.Elems() {
		if m.Name != "$ref" {
			members = append(members, m)
		}
	}
	for _, m := range behind.Elems() {
		if v.Get(m.Name) == nil {
			members = append(members, m)
		}
	}
	merged := jsonvalue.ObjectOf(members)
	return &merged, nil
}

func text(v *jsonvalue.Value, name string) string {
	if m := v.Get(name); m != nil {
		return m.Text()
	}
	return ""
}

// Document returns the document that the reference points into.
func (r *Reference) Document() *Document { return r.document }

// ID returns the operationId, or "".
func (r *Reference) ID() string { return text(r.op, "operationId") }
