package mcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Tool is one tool as the adapter declares it. A server keeps the value; it must
// not be changed afterwards.
type Tool struct {
	Name        string // 1 to 128 of A-Z a-z 0-9 _ . -
	Title       string
	Description string
	// InputSchema and OutputSchema are JSON Schemas 2020-12 as raw JSON. Their
	// root says "type": "object"; older clients drop the whole list for another
	// root. InputSchema is required, OutputSchema may be nil. Properties of the
	// input may carry x-mcp-header.
	InputSchema  []byte
	OutputSchema []byte
	Annotations  *Annotations
	// RequiresClientCapabilities names capabilities (sampling, elicitation, …)
	// without which the tool is not called.
	RequiresClientCapabilities []string
	Meta                       []byte // raw JSON object for _meta, or nil
	// Call runs the tool. It is called concurrently. An error becomes a
	// protocol error, see [Error]; a failure that a model should see is a Result
	// with IsError.
	Call func(context.Context, *Call) (Result, error)
}

// Annotations are hints for a host. A nil pointer is not sent, which is not the
// same as sending the specification's default.
type Annotations struct {
	Title       string
	ReadOnly    *bool // default false
	Destructive *bool // default true
	Idempotent  *bool // default false
	OpenWorld   *bool // default true
}

// Call is one call of a tool. It and everything it refers to is valid until the
// function returns; Arguments and Header must not be changed.
type Call struct {
	Name      string
	Arguments []byte // raw JSON object, {} when the client sent none
	Era       Era
	Revision  string
	Transport Transport
	Header    http.Header // of the HTTP request; nil on stdio

	clientInfo []byte
	progress   *progress
}

// Client is what a client says of itself. Nothing verifies it: it is for logs.
type Client struct{ Name, Version string }

// Client returns the caller's self-description, zero where unknown: legacy
// clients over HTTP give it only when they open.
func (c *Call) Client() Client {
	var who Client
	_ = eachMember(c.clientInfo, func(name string, v []byte) error {
		switch name {
		case "name":
			who.Name = clip(text(v))
		case "version":
			who.Version = clip(text(v))
		}
		return nil
	})
	return who
}

// Progress reports how far the call has come: done of total, and a word about
// it. A total of 0 is unknown. It does nothing when the client did not ask for
// progress or cannot receive it, and when done is not above the last report. It
// may be called from several goroutines.
func (c *Call) Progress(done, total float64, message string) {
	if c.progress != nil {
		c.progress.report(done, total, message)
	}
}

// Result is what a tool returns.
type Result struct {
	// Content are the blocks, in order. Nil together with Structured means: the
	// structured document, as text, is the only block.
	Content []Content
	// Structured is a valid raw JSON object, or nil. It is sent as it is; only
	// line breaks between tokens become spaces. That it is valid is not checked.
	Structured []byte
	// IsError says that the tool failed. Structured is then not sent, because
	// clients check it against the output schema and would hide the error.
	IsError bool
}

// ErrorResult returns a failure with one text block: what went wrong and what to
// do about it, for the model to read.
func ErrorResult(text string) Result {
	return Result{Content: []Content{TextContent(text)}, IsError: true}
}

// JSONResult returns a JSON object as structured content and as a text block.
// The document is not copied before it is written to the answer.
func JSONResult(object []byte) Result { return Result{Structured: object} }

// schemaDepth bounds the nesting of configured schemas.
const schemaDepth = 100

// BoundTool is a tool as it is served: checked and encoded. It is immutable, and
// several servers may have it.
type BoundTool struct {
	*Tool
	item     []byte // the tool in tools/list
	mirrored []mirroredParam
}

// Named returns the tool under another name, or itself where it has that name.
func (t *BoundTool) Named(name string) (*BoundTool, error) {
	if t.Name == name {
		return t, nil
	}
	other := *t.Tool
	other.Name = name
	return bindTool(&other)
}

// bindTools checks and encodes tools, and puts those behind them that are bound
// already.
func bindTools(tools []Tool, shared []*BoundTool) ([]*BoundTool, error) {
	var errs []error
	seen := make(map[string]bool, len(tools)+len(shared))
	bound := make([]*BoundTool, 0, len(tools)+len(shared))
	add := func(t *BoundTool) error {
		if seen[t.Name] {
			return errors.New("is declared twice")
		}
		seen[t.Name] = true
		bound = append(bound, t)
		return nil
	}
	for i := range tools {
		t, err := bindTool(&tools[i])
		if err == nil {
			err = add(t)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("tool %q: %w", tools[i].Name, err))
		}
	}
	for _, t := range shared {
		if err := add(t); err != nil {
			errs = append(errs, fmt.Errorf("tool %q: %w", t.Name, err))
		}
	}
	return bound, errors.Join(errs...)
}

func bindTool(t *Tool) (*BoundTool, error) {
	if !validToolName(t.Name) {
		return nil, errors.New("a name is 1 to 128 of A-Z a-z 0-9 _ . -")
	}
	if t.Call == nil {
		return nil, errors.New("has no function")
	}
	if slices.Contains(t.RequiresClientCapabilities, "") {
		return nil, errors.New("requires a client capability without a name")
	}
	input, err := objectSchema(t.InputSchema)
	if err != nil {
		return nil, fmt.Errorf("input schema: %w", err)
	}
	mirrored, err := mirroredParams(input)
	if err != nil {
		return nil, fmt.Errorf("input schema: %w", err)
	}
	var output []byte
	if t.OutputSchema != nil {
		if output, err = objectSchema(t.OutputSchema); err != nil {
			return nil, fmt.Errorf("output schema: %w", err)
		}
	}
	meta, err := optionalObject(t.Meta)
	if err != nil {
		return nil, err
	}
	o := newObject(nil)
	o.text("name", t.Name)
	o.optional("title", t.Title)
	o.optional("description", t.Description)
	o.raw("inputSchema", input)
	inputEnd := len(o.out)
	o.raw("outputSchema", output)
	outputEnd := len(o.out)
	t.Annotations.member(&o)
	o.raw("_meta", meta)
	item := bytes.Clone(o.close())
	// The schemas are kept once, as part of the encoded tool.
	t.InputSchema = item[inputEnd-len(input) : inputEnd : inputEnd]
	if output != nil {
		t.OutputSchema = item[outputEnd-len(output) : outputEnd : outputEnd]
	}
	return &BoundTool{Tool: t, item: item, mirrored: mirrored}, nil
}

func validToolName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return 1 <= len(name) && len(name) <= 128
}

// objectSchema checks a schema's text and its root.
func objectSchema(raw []byte) ([]byte, error) {
	schema, err := compactObject(raw, schemaDepth)
	if err != nil {
		return nil, err
	}
	kind := ""
	err = eachMember(schema, func(name string, v []byte) error {
		if name == "type" {
			kind = string(text(v))
		}
		return nil
	})
	if err == nil && kind != "object" {
		err = errors.New(`the root does not say "type": "object"`)
	}
	return schema, err
}

func (a *Annotations) member(o *object) {
	if a == nil || *a == (Annotations{}) {
		return
	}
	o.key("annotations")
	in := newObject(o.out)
	in.optional("title", a.Title)
	in.bool("readOnlyHint", a.ReadOnly)
	in.bool("destructiveHint", a.Destructive)
	in.bool("idempotentHint", a.Idempotent)
	in.bool("openWorldHint", a.OpenWorld)
	o.out = in.close()
}
