// Package contract joins what a capability consumes with what the provider's
// OpenAPI document says about it. A capability file names an operation; the
// contract gives back what the file lost: types, patterns, required fields,
// query parameters, the body's media type and the shape of the answer. Joining
// happens while compiling; a request only meets the compiled checks.
package contract

import (
	"fmt"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/openapi"
	"patchbay/internal/schema"
	"patchbay/internal/wire"
)

// Operation is the compiled contract of one consumed operation. It is
// immutable and safe for concurrent use.
type Operation struct {
	// Document is the name of the document that describes the operation, and
	// Address where it says that the operation is: server and path.
	Document    string
	Address     string
	ID          string
	Summary     string
	Description string
	// Path holds the parameters of the path's placeholders in their order, nil
	// where the document declares none.
	Path   []*Param
	Query  []*Param
	Header []*Param
	Cookie []*Param
	Body   *Body
	// Success is the schema of the first JSON success answer, or nil.
	Success *jsonvalue.Value
	// SuccessExample is an example of it, or nil.
	SuccessExample *jsonvalue.Value
	// Conflicts are what later documents say otherwise about the operation.
	Conflicts []Conflict
	publisher publisher
	source    *openapi.Operation
}

// Param is a parameter with its compiled schema.
type Param struct {
	Name        string
	Description string
	Required    bool
	Style       wire.QueryStyle
	// List reports that the value is an array and no text.
	List    bool
	Schema  *schema.Schema
	Example *jsonvalue.Value
	raw     *jsonvalue.Value
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
// its schemas that cannot be checked. The result holds on to no document: what
// it needs is copied.
func (s *Set) Join(method, server, path string) (*Operation, []string) {
	found, problems := s.find(method, server, path), []string(nil)
	for ; found != nil; found = found.next {
		read, err := found.ref.Read()
		if err == nil {
			return s.compile(found, read, problems)
		}
		problems = append(problems, fmt.Sprintf("%s cannot be used for %s %s: %v", found.ref.Document().Name, found.ref.Method, found.ref.Path, err))
	}
	return nil, problems
}

func (s *Set) compile(found *candidate, read *openapi.Operation, problems []string) (*Operation, []string) {
	conflicts := found.conflicts(read)
	read = s.copies.Operation(read)
	c := &compiler{source: read, patterns: &s.patterns, problems: problems}
	op := &Operation{
		Document: read.Document, Address: read.Server + read.Path, ID: read.ID, Summary: read.Summary, Description: read.Description,
		Conflicts: conflicts, publisher: publisher{resolve: read.Resolve, openapi30: read.OpenAPI30}, source: read,
	}
	for _, name := range placeholders(read.Path) {
		op.Path = append(op.Path, c.find("path", name))
	}
	for i := range read.Parameters {
		p := &read.Parameters[i]
		switch p.In {
		case "query":
			op.Query = append(op.Query, c.param(p))
		case "header":
			op.Header = append(op.Header, c.param(p))
		case "cookie":
			op.Cookie = append(op.Cookie, c.param(p))
		}
	}
	op.Body = c.body(read.Body)
	if mt, ok := read.Success(); ok {
		op.Success, op.SuccessExample = mt.Schema, mt.Example
	}
	return op, c.problems
}

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
	source   *openapi.Operation
	patterns *schema.Patterns
	problems []string
}

func (c *compiler) problem(format string, args ...any) {
	c.problems = append(c.problems, c.source.Document+": "+fmt.Sprintf(format, args...))
}

func (c *compiler) find(in, name string) *Param {
	for i := range c.source.Parameters {
		if p := &c.source.Parameters[i]; p.In == in && p.Name == name {
			return c.param(p)
		}
	}
	return nil
}

func (c *compiler) param(p *openapi.Parameter) *Param {
	if p.In == "path" && p.Style != "" && p.Style != "simple" {
		c.problem("the style %s of the path parameter %s is not written here; its value is sent as it is", p.Style, p.Name)
	}
	out := &Param{
		Name: p.Name, Description: p.Description, Required: p.Required || p.In == "path",
		Style: style(p), Schema: c.schema(p.Schema, p.Name), Example: p.Example, raw: p.Schema,
	}
	types := out.Schema.Types()
	out.List = types.Has(schema.TypeArray) && !types.Has(schema.TypeString)
	return out
}

// style reads style and explode, whose defaults depend on each other and on the
// place of the parameter (OpenAPI 3.1 section 4.8.12.2).
func style(p *openapi.Parameter) wire.QueryStyle {
	if p.Content != "" {
		return wire.JSONContent
	}
	form := p.Style == "form" || p.Style == "" && (p.In == "query" || p.In == "cookie")
	exploded := form || p.Style == "deepObject"
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
		Resolve: c.source.Resolve, OpenAPI30: c.source.OpenAPI30, Request: true, DefaultSource: documented,
		Patterns: c.patterns,
	})
	for _, p := range problems {
		c.problem("schema of %s: %s", place, p)
	}
	return s
}

func (c *compiler) body(b *openapi.Body) *Body {
	if b == nil {
		return nil
	}
	at, media := bodyMedia(b)
	if at < 0 {
		if len(b.Content) > 0 {
			c.problem("a request body in %s is not encoded here", b.Content[0].Type)
		}
		return nil
	}
	mt := &b.Content[at]
	out := &Body{
		MediaType: media, Description: b.Description, Required: b.Required,
		Schema: c.schema(mt.Schema, "the request body"), Example: mt.Example, raw: mt.Schema,
	}
	out.describe()
	return out
}

// bodyMedia returns which of a body's representations is sent, and as what: the
// first that is a form or JSON. It returns -1 where none is.
func bodyMedia(b *openapi.Body) (at int, media string) {
	for i := range b.Content {
		media, _, _ := strings.Cut(b.Content[i].Type, ";")
		switch {
		case strings.EqualFold(strings.TrimSpace(media), wire.MediaForm):
			return i, wire.MediaForm
		case b.Content[i].JSON():
			return i, wire.MediaJSON
		}
	}
	return -1, ""
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
