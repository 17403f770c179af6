package mcp

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// serveToolCall answers tools/call.
func (s *Server) serveToolCall(ctx context.Context, x *exchange) *Error {
	t := s.toolIndex[string(text(x.msg.name))]
	if t == nil {
		return unknownName("tool", x.msg.name, s.toolNames)
	}
	x.info.Target = t.Name
	args, err := objectParam("arguments", x.msg.arguments)
	if err != nil {
		return err
	}
	if x.mirrors() {
		for i := range t.mirrored {
			if err := t.mirrored[i].check(args, x.header); err != nil {
				return err
			}
		}
	}
	if len(t.RequiresClientCapabilities) > 0 {
		if missing := missingCapabilities(t.RequiresClientCapabilities, x.capabilities()); len(missing) > 0 {
			return s.refuseCapability(x, t, missing)
		}
	}
	call := &Call{
		Name:       t.Name,
		Arguments:  args,
		Era:        x.rev.era,
		Revision:   x.rev.name,
		Transport:  x.transport,
		Header:     x.header,
		clientInfo: x.clientInfo(),
		progress:   x.progress(),
	}
	defer call.progress.stop() // also when the function panics
	x.info.Called = true
	res, e := t.Call(ctx, call)
	call.progress.stop()
	if e != nil {
		return fromFunction(e)
	}
	return s.answerCall(x, t, &res)
}

// answerCall encodes a tool's result so that clients of both eras can live with
// it: a failure never carries a document and starts with text, a document is also
// sent as text, and a success of a tool with an output schema has a document.
func (s *Server) answerCall(x *exchange, t *BoundTool, res *Result) *Error {
	if res.Structured != nil && !startsObject(res.Structured) {
		return internalError(errors.New("tool " + t.Name + " returned structured content that is no JSON object"))
	}
	x.info.IsError = res.IsError
	x.begin(s)
	x.out = append(x.out, `"content":`...)
	switch {
	case len(res.Content) == 0 && res.Structured != nil:
		x.out = append(x.out, `[{"type":"text","text":`...)
		x.out = quoted(x.out, res.Structured)
		x.out = append(x.out, `}]`...)
	case res.IsError && (len(res.Content) == 0 || res.Content[0].Kind != Text):
		// The first block of a failure is what hosts show.
		said := TextContent("The tool " + t.Name + " failed and gave no reason.")
		x.out = appendContents(x.out, append([]Content{said}, res.Content...), x.rev)
	default:
		x.out = appendContents(x.out, res.Content, x.rev)
	}
	switch {
	case res.IsError:
		x.out = append(x.out, `,"isError":true`...)
	case res.Structured != nil:
		x.out = append(x.out, `,"structuredContent":`...)
		x.out = oneLine(x.out, res.Structured)
	case t.OutputSchema != nil:
		// Clients refuse a success without the document that the schema promises,
		// and a refused success hides a call that took effect.
		x.out = append(x.out, `,"structuredContent":{}`...)
	}
	x.end()
	return nil
}

func startsObject(raw []byte) bool {
	for _, c := range raw {
		switch c {
		case ' ', '\t', '\n', '\r':
		default:
			return c == '{'
		}
	}
	return false
}

// missingCapabilities returns the required names that a valid raw object lacks.
func missingCapabilities(required []string, declared []byte) []string {
	has := map[string]bool{}
	_ = eachMember(declared, func(name string, v []byte) error {
		has[name] = v[0] == '{'
		return nil
	})
	var missing []string
	for _, name := range required {
		if !has[name] {
			missing = append(missing, name)
		}
	}
	return missing
}

// refuseCapability answers a call that the client cannot take part in. Legacy
// revisions have no code for it, and over HTTP no place to declare it.
func (s *Server) refuseCapability(x *exchange, t *BoundTool, missing []string) *Error {
	names := strings.Join(missing, ", ")
	if x.rev.era == Legacy {
		res := ErrorResult("This tool needs a client with the capability " + names +
			", declared on each request as MCP 2026-07-28 does. It was not run.")
		return s.answerCall(x, t, &res)
	}
	data := newObject(append([]byte(nil), `{"requiredCapabilities":`...))
	for _, name := range missing {
		data.key(name)
		data.out = append(data.out, "{}"...)
	}
	return &Error{
		Code:    codeMissingCapability,
		Message: "The client lacks a capability that this request needs: " + names,
		Data:    append(data.close(), '}'),
		status:  http.StatusBadRequest,
	}
}

// unknownName words the error for a tool or prompt that does not exist.
func unknownName(kind string, raw []byte, known []string) *Error {
	name := text(raw)
	if name == nil {
		return invalidParams("params.name must be a string")
	}
	said := clip(name)
	if near := nearest(string(name), known); near != "" {
		return invalidParams("Unknown %s: %s (did you mean %s?)", kind, said, near)
	}
	return invalidParams("Unknown %s: %s", kind, said)
}

// objectParam returns a raw object member of params, {} when it is absent.
func objectParam(name string, raw []byte) ([]byte, *Error) {
	switch {
	case raw == nil:
		return []byte("{}"), nil
	case raw[0] != '{':
		return nil, invalidParams("params.%s must be an object", name)
	default:
		return raw, nil
	}
}
