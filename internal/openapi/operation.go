package openapi

import (
	"fmt"
	"strings"

	"patchbay/internal/jsonvalue"
)

// Operation is what a document says about one operation. Its values belong to
// the document.
type Operation struct {
	Document    *Document
	ID          string
	Summary     string
	Description string
	Tags        []string
	// Parameters are those of the path item and of the operation, which wins.
	Parameters []Parameter
	Body       *Body
	Responses  []Response
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
		Document: r.document, ID: text(r.op, "operationId"), Summary: text(r.op, "summary"), Description: text(r.op, "description"),
	}
	if tags := r.op.Get("tags"); tags != nil {
		for i := range tags.Elems() {
			op.Tags = append(op.Tags, tags.Elems()[i].Value.Text())
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
		op.Responses = append(op.Responses, Response{Status: m.Name, Description: text(v, "description"), Content: content(v)})
	}
	return op, nil
}

func (op *Operation) addParameters(list *jsonvalue.Value) error {
	if list == nil {
		return nil
	}
	for i := range list.Elems() {
		v, err := op.Document.deref(&list.Elems()[i].Value)
		if err != nil {
			return fmt.Errorf("parameter %d: %w", i+1, err)
		}
		p := Parameter{Name: text(v, "name"), In: text(v, "in"), Description: text(v, "description"), Style: text(v, "style"), Schema: v.Get("schema"), Example: v.Get("example")}
		if req := v.Get("required"); req != nil {
			p.Required = req.Bool()
		}
		if explode := v.Get("explode"); explode != nil {
			b := explode.Bool()
			p.Explode = &b
		}
		if c := content(v); len(c) > 0 {
			p.Content, p.Schema = c[0].Type, c[0].Schema
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
	v, err := op.Document.deref(v)
	if err != nil {
		return fmt.Errorf("request body: %w", err)
	}
	op.Body = &Body{Description: text(v, "description"), Content: content(v)}
	if req := v.Get("required"); req != nil {
		op.Body.Required = req.Bool()
	}
	return nil
}

func content(v *jsonvalue.Value) []MediaType {
	list := v.Get("content")
	if list == nil {
		return nil
	}
	var out []MediaType
	for i := range list.Elems() {
		m := &list.Elems()[i]
		mt := MediaType{Type: m.Name, Schema: m.Value.Get("schema"), Example: m.Value.Get("example")}
		if mt.Example == nil {
			if examples := m.Value.Get("examples"); examples != nil && examples.Len() > 0 {
				mt.Example = examples.Elems()[0].Value.Get("value")
			}
		}
		out = append(out, mt)
	}
	return out
}

// Success returns the media type of the first 2xx answer that has JSON content.
func (op *Operation) Success() (MediaType, bool) {
	for _, r := range op.Responses {
		if !strings.HasPrefix(r.Status, "2") {
			continue
		}
		for _, c := range r.Content {
			if strings.Contains(c.Type, "json") && c.Schema != nil {
				return c, true
			}
		}
	}
	return MediaType{}, false
}
