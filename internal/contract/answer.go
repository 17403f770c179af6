package contract

import (
	"strings"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/openapi"
)

// Answer is an answer that the provider documents, for descriptions.
type Answer struct {
	// Status is a code, a range such as 4XX, or default.
	Status      string
	Description string
	// Schema is the published schema of the JSON body, nil where none is
	// described; Name is what the document calls it, or "".
	Schema  *jsonvalue.Value
	Name    string
	Example *jsonvalue.Value
}

// Success reports whether the status is one of success.
func (a *Answer) Success() bool { return strings.HasPrefix(a.Status, "2") }

// Answers lists the documented answers in the document's order.
func (op *Operation) Answers() []Answer {
	if op.source == nil {
		return nil
	}
	out := make([]Answer, 0, len(op.source.Responses))
	for i := range op.source.Responses {
		r := &op.source.Responses[i]
		a := Answer{Status: r.Status, Description: r.Description}
		for j := range r.Content {
			c := &r.Content[j]
			if !c.JSON() || c.Schema == nil {
				continue
			}
			published := op.publisher.schema(c.Schema, nil)
			a.Schema, a.Name, a.Example = &published, referenced(c.Schema), c.Example
			break
		}
		out = append(out, a)
	}
	return out
}

// BodyName is what the document calls the schema of the request body, or "".
func (op *Operation) BodyName() string {
	if op.Body == nil {
		return ""
	}
	return referenced(op.Body.raw)
}

// referenced is the last part of a schema's reference, or "".
func referenced(raw *jsonvalue.Value) string {
	if raw == nil {
		return ""
	}
	ref := raw.Get("$ref")
	if ref == nil {
		return ""
	}
	return ref.Text()[strings.LastIndexByte(ref.Text(), '/')+1:]
}

// Tags lists the groups that the operation belongs to.
func (op *Operation) Tags() []openapi.Tag {
	if op.source == nil {
		return nil
	}
	return op.source.Tags
}
