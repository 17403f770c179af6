package openapi

import (
	"sync"

	"patchbay/internal/jsonvalue"
)

// Copies makes operations that hold on to no document: what they say is copied,
// and so is what their schemas refer to, once for all operations that refer to
// it. A Copies is safe for concurrent use. It belongs to the time of compiling;
// operations do not refer to it.
type Copies struct {
	mu     sync.Mutex
	copier jsonvalue.Copier
	// targets are by what they are copies of.
	targets map[*jsonvalue.Value]*jsonvalue.Value
	// found is what the references of each document lead to.
	found map[*Document]*targets
}

// targets are copies of what references in one document lead to, by reference.
// All operations of the document have them in common: each may refer to most of
// a large document.
type targets struct {
	mu   sync.RWMutex
	refs map[string]*jsonvalue.Value
	// left is how many values may still be copied: references into each other's
	// insides could multiply the document. It belongs to the [Copies].
	left int
}

func (t *targets) find(ref string) (*jsonvalue.Value, bool) {
	if t == nil {
		return nil, false
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	v, ok := t.refs[ref]
	return v, ok
}

func (t *targets) add(ref string, v *jsonvalue.Value) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refs[ref] = v
}

// maxCopies is how often all values of a document may be copied as targets; what
// lies beyond is not found.
const maxCopies = 4

// NewCopies returns an empty store.
func NewCopies() *Copies {
	return &Copies{targets: map[*jsonvalue.Value]*jsonvalue.Value{}, found: map[*Document]*targets{}}
}

// Operation returns a copy of an operation that [Reference.Read] returned.
func (c *Copies) Operation(op *Operation) *Operation {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.found[op.document]
	if found == nil {
		found = &targets{refs: map[string]*jsonvalue.Value{}, left: maxCopies * op.document.root.Size()}
		c.found[op.document] = found
	}
	k := keeper{Copies: c, document: op.document, found: found}
	text := c.copier.Text
	out := &Operation{
		Document: text(op.Document), OpenAPI30: op.OpenAPI30, ID: text(op.ID), Summary: text(op.Summary), Description: text(op.Description),
		Server: text(op.Server), Path: text(op.Path),
	}
	for _, tag := range op.Tags {
		out.Tags = append(out.Tags, Tag{Name: text(tag.Name), Description: text(tag.Description)})
	}
	out.Parameters = make([]Parameter, len(op.Parameters))
	for i := range op.Parameters {
		p := op.Parameters[i]
		p.Name, p.In, p.Description, p.Style, p.Content = text(p.Name), text(p.In), text(p.Description), text(p.Style), text(p.Content)
		p.Schema, p.Example = k.schema(p.Schema), k.plain(p.Example)
		out.Parameters[i] = p
	}
	if op.Body != nil {
		out.Body = &Body{Description: text(op.Body.Description), Required: op.Body.Required, Content: k.content(op.Body.Content)}
	}
	out.Responses = make([]Response, len(op.Responses))
	for i := range op.Responses {
		r := &op.Responses[i]
		out.Responses[i] = Response{Status: text(r.Status), Description: text(r.Description), Content: k.content(r.Content)}
	}
	out.refs = found
	return out
}

// keeper copies one operation.
type keeper struct {
	*Copies
	document *Document
	found    *targets
}

func (k *keeper) content(list []MediaType) []MediaType {
	if list == nil {
		return nil
	}
	out := make([]MediaType, len(list))
	for i, mt := range list {
		out[i] = MediaType{Type: k.copier.Text(mt.Type), Schema: k.schema(mt.Schema), Example: k.plain(mt.Example)}
	}
	return out
}

func (k *keeper) plain(v *jsonvalue.Value) *jsonvalue.Value {
	if v == nil {
		return nil
	}
	out := k.copier.Value(v)
	return &out
}

// schema copies a schema and everything that it refers to. What is referred to
// is found with an explicit list, because references may be chained at will.
func (k *keeper) schema(v *jsonvalue.Value) *jsonvalue.Value {
	if v == nil {
		return nil
	}
	open := references(v, nil)
	for len(open) > 0 {
		ref := open[len(open)-1]
		open = open[:len(open)-1]
		if _, known := k.found.find(ref); known {
			continue
		}
		t := k.target(ref)
		if t == nil {
			continue
		}
		k.found.add(k.copier.Text(ref), t)
		open = references(t, open)
	}
	return k.plain(v)
}

// target returns the copy of what a reference leads to, or nil.
func (k *keeper) target(ref string) *jsonvalue.Value {
	v, ok := k.document.Resolve(ref)
	if !ok {
		return nil
	}
	if known := k.targets[v]; known != nil {
		return known
	}
	size := v.Size()
	if size > k.found.left {
		return nil
	}
	k.found.left -= size
	t := k.plain(v)
	k.targets[v] = t
	return t
}

// references appends the references in a value, at any depth. Those that stand
// in an example or an enum are none; following them does no harm.
func references(v *jsonvalue.Value, found []string) []string {
	elems := v.Elems()
	for i := range elems {
		m := &elems[i]
		switch {
		case m.Value.Len() > 0:
			found = references(&m.Value, found)
		case m.Name == "$ref" && m.Value.Kind() == jsonvalue.String:
			found = append(found, m.Value.Text())
		}
	}
	return found
}
