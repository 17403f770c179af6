package mcp

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Prompt is one prompt template.
type Prompt struct {
	Name        string // required, unique
	Title       string
	Description string
	Arguments   []PromptArgument
	Meta        []byte // raw JSON object for _meta, or nil
	// Get fills the prompt. Required arguments are there. It is called
	// concurrently. Errors are treated as those of [Tool.Call].
	Get func(ctx context.Context, arguments map[string]string) (PromptResult, error)
}

// PromptArgument is one argument of a prompt. Values are always text.
type PromptArgument struct {
	Name        string // required, unique in its prompt
	Title       string
	Description string
	Required    bool
}

// PromptResult is a filled prompt.
type PromptResult struct {
	Description string
	Messages    []PromptMessage
}

// PromptMessage is one message of a filled prompt.
type PromptMessage struct {
	Role    string // "user" or "assistant"
	Content Content
}

// setPrompts checks the prompts and encodes their list.
func (s *Server) setPrompts() error {
	var errs []error
	s.promptIndex = make(map[string]*Prompt, len(s.opts.Prompts))
	items := make([][]byte, 0, len(s.opts.Prompts))
	for i := range s.opts.Prompts {
		p := &s.opts.Prompts[i]
		if s.promptIndex[p.Name] != nil {
			errs = append(errs, fmt.Errorf("prompt %q is declared twice", p.Name))
		}
		s.promptIndex[p.Name] = p
		s.promptNames = append(s.promptNames, p.Name)
		item, err := p.encode()
		if err != nil {
			errs = append(errs, fmt.Errorf("prompt %q: %w", p.Name, err))
		}
		items = append(items, item)
	}
	s.promptList = newListing("prompts", items, s.opts.PageSize)
	return errors.Join(errs...)
}

func (p *Prompt) encode() ([]byte, error) {
	if p.Name == "" || p.Get == nil {
		return nil, errors.New("needs a name and a function")
	}
	meta, err := optionalObject(p.Meta)
	if err != nil {
		return nil, err
	}
	o := newObject(nil)
	o.text("name", p.Name)
	o.optional("title", p.Title)
	o.optional("description", p.Description)
	if len(p.Arguments) > 0 {
		o.key("arguments")
		o.out = append(o.out, '[')
		seen := map[string]bool{}
		for i, a := range p.Arguments {
			if a.Name == "" || seen[a.Name] {
				return nil, fmt.Errorf("argument %q has no name, or one that is taken", a.Name)
			}
			seen[a.Name] = true
			if i > 0 {
				o.out = append(o.out, ',')
			}
			o.out = a.append(o.out)
		}
		o.out = append(o.out, ']')
	}
	o.raw("_meta", meta)
	return o.close(), nil
}

func (a *PromptArgument) append(dst []byte) []byte {
	o := newObject(dst)
	o.text("name", a.Name)
	o.optional("title", a.Title)
	o.optional("description", a.Description)
	if a.Required {
		o.bool("required", &a.Required)
	}
	return o.close()
}

// servePromptGet answers prompts/get.
func (s *Server) servePromptGet(ctx context.Context, x *exchange) *Error {
	p := s.promptIndex[string(text(x.msg.name))]
	if p == nil {
		return unknownName("prompt", x.msg.name, s.promptNames)
	}
	x.info.Target = p.Name
	args, err := stringMap("arguments", x.msg.arguments)
	if err != nil {
		return err
	}
	if err := p.checkRequired(args); err != nil {
		return err
	}
	x.info.Called = true
	res, e := p.Get(ctx, args)
	if e != nil {
		return fromFunction(e)
	}
	x.begin(s)
	if res.Description != "" {
		x.out = append(x.out, `"description":`...)
		x.out = append(quoted(x.out, res.Description), ',')
	}
	x.out = append(x.out, `"messages":[`...)
	for i := range res.Messages {
		if i > 0 {
			x.out = append(x.out, ',')
		}
		m := newObject(x.out)
		m.text("role", res.Messages[i].Role)
		m.key("content")
		m.out = appendContent(m.out, &res.Messages[i].Content, x.rev)
		x.out = m.close()
	}
	x.out = append(x.out, ']')
	x.end()
	return nil
}

func (p *Prompt) checkRequired(args map[string]string) *Error {
	var missing []string
	for _, a := range p.Arguments {
		if _, given := args[a.Name]; a.Required && !given {
			missing = append(missing, a.Name)
		}
	}
	if len(missing) > 0 {
		return invalidParams("Prompt %s needs the arguments: %s", p.Name, strings.Join(missing, ", "))
	}
	return nil
}

var errNotText = errors.New("not text")

// stringMap decodes an object member of params whose values are all strings.
func stringMap(name string, raw []byte) (map[string]string, *Error) {
	object, err := objectParam(name, raw)
	if err != nil {
		return nil, err
	}
	values, bad := map[string]string{}, ""
	if eachMember(object, func(key string, v []byte) error {
		if v[0] != '"' {
			bad = key
			return errNotText
		}
		values[key] = string(text(v))
		return nil
	}) != nil {
		return nil, invalidParams("params.%s.%s must be a string", name, clip([]byte(bad)))
	}
	return values, nil
}
