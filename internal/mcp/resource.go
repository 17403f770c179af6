package mcp

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Resource is one readable resource with a fixed URI.
type Resource struct {
	URI         string // absolute, unique
	Name        string // required
	Title       string
	Description string
	MIMEType    string
	Size        *int64 // bytes, or nil
	Annotations *ContentAnnotations
	Meta        []byte // raw JSON object for _meta, or nil
	// TTL is the caching hint of its contents; 0 means: ask again each time.
	TTL time.Duration
	// Read returns the contents, at least one. It is called concurrently. Errors
	// are treated as those of [Tool.Call]; [ErrResourceNotFound] has its own code.
	Read func(ctx context.Context, uri string) ([]ResourceContents, error)
}

// ResourceTemplate is a family of resources whose URIs follow RFC 6570.
type ResourceTemplate struct {
	URITemplate string
	Name        string // required
	Title       string
	Description string
	MIMEType    string
	Annotations *ContentAnnotations
	Meta        []byte
	TTL         time.Duration
	// Match reports whether a URI belongs to the family. Resources are asked
	// before templates, templates in their order.
	Match func(uri string) bool
	Read  func(ctx context.Context, uri string) ([]ResourceContents, error)
}

// setResources checks the resources and templates and encodes their lists.
func (s *Server) setResources() error {
	var errs []error
	s.resourceIndex = make(map[string]*Resource, len(s.opts.Resources))
	items := make([][]byte, 0, len(s.opts.Resources))
	for i := range s.opts.Resources {
		r := &s.opts.Resources[i]
		if s.resourceIndex[r.URI] != nil {
			errs = append(errs, fmt.Errorf("resource %q is declared twice", r.URI))
		}
		s.resourceIndex[r.URI] = r
		item, err := r.encode()
		if err != nil {
			errs = append(errs, fmt.Errorf("resource %q: %w", r.URI, err))
		}
		items = append(items, item)
	}
	s.resourceList = newListing("resources", items, s.opts.PageSize)

	items = make([][]byte, 0, len(s.opts.Templates))
	for i := range s.opts.Templates {
		t := &s.opts.Templates[i]
		item, err := t.encode()
		if err != nil {
			errs = append(errs, fmt.Errorf("resource template %q: %w", t.URITemplate, err))
		}
		items = append(items, item)
	}
	s.templateList = newListing("resourceTemplates", items, s.opts.PageSize)
	return errors.Join(errs...)
}

func (r *Resource) encode() ([]byte, error) {
	if r.URI == "" || r.Name == "" || r.Read == nil {
		return nil, errors.New("needs a URI, a name and a function")
	}
	meta, err := optionalObject(r.Meta)
	if err != nil {
		return nil, err
	}
	o := newObject(nil)
	link := Link{URI: r.URI, Name: r.Name, Title: r.Title, Description: r.Description, MIMEType: r.MIMEType, Size: r.Size}
	link.members(&o)
	o.annotations(r.Annotations)
	o.raw("_meta", meta)
	return o.close(), nil
}

func (t *ResourceTemplate) encode() ([]byte, error) {
	if t.URITemplate == "" || t.Name == "" || t.Match == nil || t.Read == nil {
		return nil, errors.New("needs a URI template, a name and both functions")
	}
	meta, err := optionalObject(t.Meta)
	if err != nil {
		return nil, err
	}
	o := newObject(nil)
	o.text("uriTemplate", t.URITemplate)
	o.text("name", t.Name)
	o.optional("title", t.Title)
	o.optional("description", t.Description)
	o.optional("mimeType", t.MIMEType)
	o.annotations(t.Annotations)
	o.raw("_meta", meta)
	return o.close(), nil
}

// optionalObject checks a configured raw object that may be nil.
func optionalObject(raw []byte) ([]byte, error) {
	if raw == nil {
		return nil, nil
	}
	object, err := compactObject(raw, schemaDepth)
	if err != nil {
		return nil, fmt.Errorf("_meta: %w", err)
	}
	return object, nil
}

// serveResourceRead answers resources/read.
func (s *Server) serveResourceRead(ctx context.Context, x *exchange) *Error {
	raw := text(x.msg.uri)
	if raw == nil {
		return invalidParams("params.uri must be a string")
	}
	uri := string(raw)
	read, ttl := s.findResource(uri)
	if read == nil {
		return resourceNotFound(x, uri)
	}
	x.info.Target = uri
	x.info.Called = true
	if id := requestID(x.header); id != "" {
		ctx = context.WithValue(ctx, requestIDKey{}, id)
	}
	contents, err := read(ctx, uri)
	switch {
	case errors.Is(err, ErrResourceNotFound), err == nil && len(contents) == 0:
		return resourceNotFound(x, uri) // an empty list would say that it exists
	case err != nil:
		return fromFunction(err)
	}
	x.begin(s)
	if x.rev.era == Modern {
		x.out = s.appendCacheHints(x.out, ttl)
	}
	x.out = append(x.out, `"contents":[`...)
	for i := range contents {
		if i > 0 {
			x.out = append(x.out, ',')
		}
		x.out = appendResourceContents(x.out, &contents[i], uri)
	}
	x.out = append(x.out, ']')
	x.end()
	return nil
}

func (s *Server) findResource(uri string) (func(context.Context, string) ([]ResourceContents, error), time.Duration) {
	if r := s.resourceIndex[uri]; r != nil {
		return r.Read, r.TTL
	}
	for i := range s.opts.Templates {
		if t := &s.opts.Templates[i]; t.Match(uri) {
			return t.Read, t.TTL
		}
	}
	return nil, 0
}

func resourceNotFound(x *exchange, uri string) *Error {
	data := newObject(nil)
	data.text("uri", uri)
	return &Error{Code: x.rev.resourceNotFound, Message: "Resource not found", Data: data.close()}
}
