// Package contract joins what a capability consumes with what the provider's
// OpenAPI document says about it. A capability file names an operation; the
// contract gives back what the file lost: types, patterns, required fields,
// query parameters, the body's media type and the shape of the answer. Joining
// happens while compiling; a request only meets the compiled checks.
package contract

import (
	"fmt"
	"net/url"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/openapi"
	"patchbay/internal/schema"
	"patchbay/internal/wire"
)

// Set is an ordered collection of documents. The first document that describes
// an operation wins. A Set is immutable after [NewSet].
type Set struct {
	index map[string]*openapi.Reference
}

// NewSet indexes documents in their order of precedence.
func NewSet(docs ...*openapi.Document) *Set {
	s := &Set{index: map[string]*openapi.Reference{}}
	for _, d := range docs {
		refs := d.References()
		for i := range refs {
			r := &refs[i]
			k, ok := key(r.Method, r.Server, r.Path)
			if !ok {
				continue
			}
			if _, taken := s.index[k]; !taken {
				s.index[k] = r
			}
		}
	}
	return s
}

// key is the identity of an operation: method, server and path, in which
// placeholder names do not count.
func key(method, server, path string) (string, bool) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return "", false
	}
	return method + " " + strings.ToLower(u.Scheme+"://"+u.Host) + Erase(strings.TrimRight(u.Path, "/")+"/"+strings.TrimLeft(path, "/")), true
}

// Erase replaces the placeholders of a path, {x} or {{x}}, by {}.
func Erase(path string) string {
	var out strings.Builder
	for {
		open := strings.IndexByte(path, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(path[open:], '}')
		if end < 0 {
			break
		}
		out.WriteString(path[:open])
		out.WriteString("{}")
		path = strings.TrimPrefix(path[open+end+1:], "}")
	}
	out.WriteString(path)
	return out.String()
}

// Operation is the compiled contract of one consumed operation. It is
// immutable and safe for concurrent use.
type Operation struct {
	// Document is the name of the document that describes the operation.
	Document    string
	ID          string
	Summary     string
	Description string
	// Path holds the parameters of the path's placeholders in their order, nil
	// where the document declares none.
	Path   []*Param
	Query  []*Param
	Header []*Param
	Body   *Body
	// Success is the schema of the first JSON success answer, or nil.
	Success *jsonvalue.Value
	// SuccessExample is an example of it, or nil.
	SuccessExample *jsonvalue.Value
	publisher      publisher
	source         *openapi.Operation
}

// Param is a parameter with its compiled schema.
type Param struct {
	Name        string
	Description string
	Required    bool
	Style       wire.QueryStyle
	Schema      *schema.Schema
	Example     *jsonvalue.Value
	raw         *jsonvalue.Value
	types       types
}

// Body is the request body with its compiled schema.
type Body struct {
	// MediaType is wire.MediaForm or wire.MediaJSON.
	MediaType   string
	Description string
	Required    bool
	Schema      *schema.Schema
	Example     *jsonvalue.Value
	raw         *jsonvalue.Value
	// fields and closed are read off the schema; see [Body.Normalize].
	fields []field
	closed bool
}

// Join finds and compiles the contract of an operation. It returns nil where
// no document describes it. Problems are findings about the document: parts of
// its schemas that cannot be checked.
func (s *Set) Join(method, server, path string) (*Operation, []string) {
	if s == nil {
		return nil, nil
	}
	k, ok := key(method, server, path)
	if !ok {
		return nil, nil
	}
	ref := s.index[k]
	if ref == nil {
		return nil, nil
	}
	read, err := ref.Read()
	if err != nil {
		return nil, []string{fmt.Sprintf("%s cannot be used for %s %s: %v", refName(ref), ref.Method, ref.Path, err)}
	}
	c := &compiler{doc: read.Document}
	op := &Operation{
		Document: read.Document.Name, ID: read.ID, Summary: read.Summary, Description: read.Description,
		publisher: publisher{resolve: read.Document.Resolve, openapi30: read.Document.OpenAPI30()}, source: read,
	}
	for _, name := range placeholders(ref.Path) {
		op.Path = append(op.Path, c.find(read, "path", name))
	}
	for i := range read.Parameters {
		p := &read.Parameters[i]
		switch p.In {
		case "query":
			op.Query = append(op.Query, c.param(p))
		case "header":
			op.Header = append(op.Header, c.param(p))
		}
	}
	op.Body = c.body(read.Body)
	if mt, ok := read.Success(); ok {
		op.Success, op.SuccessExample = mt.Schema, mt.Example
	}
	return op, c.problems
}

func refName(r *openapi.Reference) string { return r.Document().Name }

// placeholders lists the names in a path's braces.
func placeholders(path string) []string {
	var names []string
	for {
		open := strings.IndexByte(path, '{')
		if open < 0 {
			return names
		}
		end := strings.IndexByte(path[open:], '}')
		if end < 0 {
			return names
		}
		names = append(names, path[open+1:open+end])
		path = path[open+end+1:]
	}
}

type compiler struct {
	doc      *openapi.Document
	problems []string
}

func (c *compiler) find(op *openapi.Operation, in, name string) *Param {
	for i := range op.Parameters {
		if p := &op.Parameters[i]; p.In == in && p.Name == name {
			return c.param(p)
		}
	}
	return nil
}

func (c *compiler) param(p *openapi.Parameter) *Param {
	out := &Param{
		Name: p.Name, Description: p.Description, Required: p.Required || p.In == "path",
		Style: style(p), Schema: c.schema(p.Schema, p.Name), Example: p.Example, raw: p.Schema,
	}
	out.types = typesOf(out.Schema, 0)
	return out
}

func style(p *openapi.Parameter) wire.QueryStyle {
	if p.Content != "" {
		return wire.JSONContent
	}
	exploded := p.Style == "" || p.Style == "form" || p.Style == "deepObject"
	if p.Explode != nil {
		exploded = *p.Explode
	}
	switch {
	case p.Style == "deepObject":
		return wire.DeepObject
	case exploded:
		return wire.FormExploded
	case p.Style == "spaceDelimited":
		return wire.SpaceDelimited
	case p.Style == "pipeDelimited":
		return wire.PipeDelimited
	default:
		return wire.FormJoined
	}
}

// The sources of rules that refuse a request; every other one is inferred. A
// rule that names none is documented: a provider's own document states it.
const (
	documented = "D"
	observed   = "O"
)

func (c *compiler) schema(raw *jsonvalue.Value, place string) *schema.Schema {
	if raw == nil {
		return nil
	}
	s, problems := schema.Compile(raw, schema.Options{
		Resolve: c.doc.Resolve, OpenAPI30: c.doc.OpenAPI30(), Request: true, DefaultSource: documented,
	})
	for _, p := range problems {
		c.problems = append(c.problems, fmt.Sprintf("%s: schema of %s: %s", c.doc.Name, place, p))
	}
	return s
}

func (c *compiler) body(b *openapi.Body) *Body {
	if b == nil {
		return nil
	}
	for i := range b.Content {
		mt := &b.Content[i]
		media, _, _ := strings.Cut(mt.Type, ";")
		media = strings.ToLower(strings.TrimSpace(media))
		switch {
		case media == wire.MediaForm:
		case media == wire.MediaJSON || strings.HasSuffix(media, "+json"):
			media = wire.MediaJSON
		default:
			continue
		}
		out := &Body{
			MediaType: media, Description: b.Description, Required: b.Required,
			Schema: c.schema(mt.Schema, "the request body"), Example: mt.Example, raw: mt.Schema,
		}
		out.describe()
		return out
	}
	if len(b.Content) > 0 {
		c.problems = append(c.problems, fmt.Sprintf("%s: a request body in %s is not encoded here", c.doc.Name, b.Content[0].Type))
	}
	return nil
}

// Named returns the parameter of a name: exactly, or else the only one that is
// equal ignoring case, '-' and '_'. It returns nil where there is none.
func Named(params []*Param, name string) *Param {
	var loose *Param
	folded := diag.Fold(name)
	for _, p := range params {
		if p.Name == name {
			return p
		}
		if diag.Fold(p.Name) == folded {
			if loose != nil {
				return nil
			}
			loose = p
		}
	}
	return loose
}
