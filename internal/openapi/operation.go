package openapi

import (
	"fmt"
	"strings"

	"patchbay/internal/jsonvalue"
)

// Operation is what a document says about one operation. The values of one that
// [Reference.Read] returns belong to the document; those of one made by
// [Copies.Operation] are its own.
type Operation struct {
	// Document is the name of the document.
	Document string
	// OpenAPI30 reports that schemas follow OpenAPI 3.0's dialect.
	OpenAPI30 bool
	// Server and Path are where the document has the operation; see [Reference].
	Server, Path string
	ID           string
	Summary      string
	Description  string
	Tags         []Tag
	// Parameters are those of the path item and of the operation, which wins.
	Parameters []Parameter
	Body       *Body
	Responses  []Response

	// document is what references lead into, nil for a copy, which has refs.
	document *Document
	refs     *targets
}

// Tag is a group of operations.
type Tag struct{ Name, Description string }

// Resolve follows a local reference of the operation's schemas. It returns the
// same pointer for the same reference.
func (op *Operation) Resolve(ref string) (*jsonvalue.Value, bool) {
	if op.document != nil {
		return op.document.Resolve(ref)
	}
	return op.refs.find(ref)
}

// Parameter is a path, query, header or cookie parameter.
type Parameter struct {
	Name        string
	In          string
	Description string
	Required    bool
	Style       string
	// Explode is nil where the document leaves it to the style's default.
	Explode *bool
	// Content is the media type of a parameter that has content instead of a schema.
	Content string
	Schema  *jsonvalue.Value
	Example *jsonvalue.Value
}

// Body is a request body.
type Body struct {
	Description string
	Required    bool
	Content     []MediaType
}

// MediaType is one representation of a body.
type MediaType struct {
	Type    string
	Schema  *jsonvalue.Value
	Example *jsonvalue.Value
}

// Response is one answer.
type Response struct {
	// Status is a code, a range such as 4XX, or default.
	Status      string
	Description string
	Content     []MediaType
}

// Read reads the operation. Unresolvable references are errors; the caller
// reports them and goes on without the contract.
func (r *Reference) Read() (*Operation, error) {
	op := &Operation{
		Document: r.document.Name, OpenAPI30: r.document.OpenAPI30(), Server: r.Server, Path: r.Path, document: r.document,
		ID: text(r.op, "operationId"), Summary: text(r.op, "summary"), Description: text(r.op, "description"),
	}
	if tags := r.op.Get("tags"); tags != nil {
		for i := range tags.Elems() {
			op.Tags = append(op.Tags, r.document.tag(tags.Elems()[i].Value.Text()))
		}
	}
	for _, list := range []*jsonvalue.Value{r.item.Get("parameters"), r.op.Get("parameters")} {
		if err := op.addParameters(list); err != nil {
			return nil, err
		}
	}
	if err := op.readBody(r.op.Get("requestBody")); err != nil {
		return nil, err
	}
	responses := r.op.Get("responses")
	if responses == nil {
		return op, nil
	}
	for i := range responses.Elems() {
		m := &responses.Elems()[i]
		v, err := r.document.deref(&m.Value)
		if err != nil {
			return nil, fmt.Errorf("response %s: %w", m.Name, err)
		}
		op.Responses = append(op.Responses, Response{Status: m.Name, Description: text(v, "description"), Content: r.document.content(v)})
	}
	return op, nil
}

// tag returns the group of a name, with the document's description of it.
func (d *Document) tag(name string) Tag {
	if declared := d.root.Get("tags"); declared != nil {
		for i := range declared.Elems() {
			if v := &declared.Elems()[i].Value; text(v, "name") == name {
				return Tag{Name: name, Description: text(v, "description")}
			}
		}
	}
	return Tag{Name: name}
}

func (op *Operation) addParameters(list *jsonvalue.Value) error {
	if list == nil {
		return nil
	}
	for i := range list.Elems() {
		v, err := op.document.deref(&list.Elems()[i].Value)
		if err != nil {
			return fmt.Errorf("parameter %d: %w", i+1, err)
		}
		p := Parameter{Name: text(v, "name"), In: text(v, "in"), Description: text(v, "description"), Style: text(v, "style"), Schema: v.Get("schema"), Example: op.document.example(v)}
		if req := v.Get("required"); req != nil {
			p.Required = req.Bool()
		}
		if explode := v.Get("explode"); explode != nil {
			b := explode.Bool()
			p.Explode = &b
		}
		if c := op.document.content(v); len(c) > 0 {
			p.Content, p.Schema = c[0].Type, c[0].Schema
			if p.Example == nil {
				p.Example = c[0].Example
			}
		}
		op.putParameter(p)
	}
	return nil
}

func (op *Operation) putParameter(p Parameter) {
	for i := range op.Parameters {
		if op.Parameters[i].Name == p.Name && op.Parameters[i].In == p.In {
			op.Parameters[i] = p
			return
		}
	}
	op.Parameters = append(op.Parameters, p)
}

func (op *Operation) readBody(v *jsonvalue.Value) error {
	if v == nil {
		return nil
	}
	v, err := op.document.deref(v)
	if err != nil {
		return fmt.Errorf("request body: %w", err)
	}
	op.Body = &Body{Description: text(v, "description"), Content: op.document.content(v)}
	if req := v.Get("required"); req != nil {
		op.Body.Required = req.Bool()
	}
	return nil
}

func (d *Document) content(v *jsonvalue.Value) []MediaType {
	list := v.Get("content")
	if list == nil {
		return nil
	}
	out := make([]MediaType, 0, list.Len())
	for i := range list.Elems() {
		m := &list.Elems()[i]
		out = append(out, MediaType{Type: m.Name, Schema: m.Value.Get("schema"), Example: d.example(&m.Value)})
	}
	return out
}

// example returns the example of a parameter or media type, or the first of
// its examples, which may be a reference; nil where there is none.
func (d *Document) example(v *jsonvalue.Value) *jsonvalue.Value {
	if one := v.Get("example"); one != nil {
		return one
	}
	if several := v.Get("examples"); several != nil && several.Len() > 0 {
		if e, err := d.deref(&several.Elems()[0].Value); err == nil {
			return e.Get("value")
		}
	}
	return nil
}

// JSON reports whether a media type, or range of them, is that of JSON.
func (m *MediaType) JSON() bool {
	media, _, _ := strings.Cut(m.Type, ";")
	switch media = strings.ToLower(strings.TrimSpace(media)); media {
	case "application/json", "text/json", "application/*", "*/*":
		return true
	default:
		return strings.HasSuffix(media, "+json")
	}
}

// Success returns the media type of the first 2xx answer that has JSON content.
func (op *Operation) Success() (MediaType, bool) {
	for _, r := range op.Responses {
		if !strings.HasPrefix(r.Status, "2") {
			continue
		}
		for i := range r.Content {
			if c := &r.Content[i]; c.JSON() && c.Schema != nil {
				return *c, true
			}
		}
	}
	return MediaType{}, false
}
