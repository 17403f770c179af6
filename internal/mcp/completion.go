package mcp

import (
	"context"
	"strconv"
)

// CompletionRequest asks for values of one argument. Either Prompt or Template
// is set, and names a prompt or template of the server.
type CompletionRequest struct {
	Prompt   string
	Template string // URI template, or the URI of a resource
	Argument string
	Value    string            // what the user has typed so far
	Context  map[string]string // arguments already filled in
}

// Completion is the answer to a [CompletionRequest]. At most 100 values are sent;
// the rest is cut off and HasMore set.
type Completion struct {
	Values  []string // best first
	Total   int      // of all matches, 0 when unknown
	HasMore bool
}

// maxCompletions is the protocol's bound on values (utilities, completion).
const maxCompletions = 100

// serveComplete answers completion/complete.
func (s *Server) serveComplete(ctx context.Context, x *exchange) *Error {
	req, err := s.completionRequest(&x.msg)
	if err != nil {
		return err
	}
	c, e := s.opts.Complete(ctx, req)
	if e != nil {
		return fromFunction(e)
	}
	if len(c.Values) > maxCompletions {
		c.Values, c.HasMore = c.Values[:maxCompletions], true
	}
	x.begin(s)
	x.out = append(x.out, `"completion":{"values":[`...)
	for i, v := range c.Values {
		if i > 0 {
			x.out = append(x.out, ',')
		}
		x.out = quoted(x.out, v)
	}
	x.out = append(x.out, ']')
	if c.Total > 0 {
		x.out = append(x.out, `,"total":`...)
		x.out = strconv.AppendInt(x.out, int64(c.Total), 10)
	}
	x.out = append(x.out, `,"hasMore":`...)
	x.out = strconv.AppendBool(x.out, c.HasMore)
	x.out = append(x.out, '}')
	x.end()
	return nil
}

func (s *Server) completionRequest(m *message) (CompletionRequest, *Error) {
	var req CompletionRequest
	ref, err := textMembers("ref", m.ref)
	if err != nil {
		return req, err
	}
	switch ref["type"] {
	case "ref/prompt":
		if req.Prompt = ref["name"]; s.promptIndex[req.Prompt] == nil {
			return req, invalidParams("Unknown prompt: %s", clip([]byte(req.Prompt)))
		}
	case "ref/resource":
		if req.Template = ref["uri"]; !s.knowsResource(req.Template) {
			return req, invalidParams("Unknown resource template: %s", clip([]byte(req.Template)))
		}
	default:
		return req, invalidParams("params.ref.type must be ref/prompt or ref/resource")
	}
	argument, err := textMembers("argument", m.argument)
	if err != nil {
		return req, err
	}
	if req.Argument = argument["name"]; req.Argument == "" {
		return req, invalidParams("params.argument.name is missing")
	}
	req.Value = argument["value"]
	if m.context != nil {
		req.Context, err = stringMap("context.arguments", lookup(m.context, []string{"arguments"}))
	}
	return req, err
}

func (s *Server) knowsResource(uri string) bool {
	for i := range s.opts.Templates {
		if s.opts.Templates[i].URITemplate == uri {
			return true
		}
	}
	return s.resourceIndex[uri] != nil
}

// textMembers decodes the string members of a required object member of params.
func textMembers(name string, raw []byte) (map[string]string, *Error) {
	if raw == nil || raw[0] != '{' {
		return nil, invalidParams("params.%s must be an object", name)
	}
	values := map[string]string{}
	_ = eachMember(raw, func(key string, v []byte) error {
		if t := text(v); t != nil {
			values[key] = string(t)
		}
		return nil
	})
	return values, nil
}
