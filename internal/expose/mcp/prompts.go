package mcp

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	core "patchbay/internal/mcp"
	"patchbay/internal/plan"
)

// maxPromptFile bounds a prompt's file, in bytes.
const maxPromptFile = 1 << 20

// prompts makes the adapter's prompts. Files are read now: a prompt that
// cannot be read must not wait for its first user to say so.
func (a *adapter) prompts() ([]core.Prompt, error) {
	var out []core.Prompt
	for _, p := range a.Adapter.Prompts {
		messages := p.Messages
		if p.File != "" {
			text, err := promptFile(p.File)
			if err != nil {
				return nil, fmt.Errorf("prompt %s: %w", p.Name, err)
			}
			messages = []plan.PromptMessage{{Role: "user", Block: plan.Block{Type: "text", Text: plan.ParseText(text)}}}
		}
		prompt := core.Prompt{Name: p.Name, Title: p.Title, Description: p.Description}
		for _, arg := range p.Arguments {
			prompt.Arguments = append(prompt.Arguments, core.PromptArgument{Name: arg.Name, Title: arg.Title, Description: arg.Description, Required: arg.Required})
		}
		prompt.Get = func(_ context.Context, args map[string]string) (core.PromptResult, error) {
			result := core.PromptResult{Description: p.Description}
			lookup := func(name string) (string, bool) { return argument(p, args, name) }
			for _, m := range messages {
				result.Messages = append(result.Messages, core.PromptMessage{Role: m.Role, Content: blockContent(&m.Block, lookup)})
			}
			return result, nil
		}
		out = append(out, prompt)
	}
	return out, nil
}

// argument is the value of a declared argument; one that was left out is empty.
func argument(p *plan.Prompt, args map[string]string, name string) (string, bool) {
	for i := range p.Arguments {
		if p.Arguments[i].Name == name {
			return args[name], true
		}
	}
	return "", false
}

func promptFile(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("there is no file %s", name)
		}
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", name)
	}
	if info.Size() > maxPromptFile {
		return "", fmt.Errorf("%s is larger than %d bytes", name, maxPromptFile)
	}
	data, err := os.ReadFile(name)
	return strings.ToValidUTF8(string(data), "\uFFFD"), err
}

// blockContent is a block of the file as a content block.
func blockContent(b *plan.Block, lookup func(string) (string, bool)) core.Content {
	switch b.Type {
	case "image", "audio":
		kind := core.Image
		if b.Type == "audio" {
			kind = core.Audio
		}
		return core.Content{Kind: kind, Data: decoded(b.Data), MIMEType: b.MimeType}
	case "resource":
		r := &core.ResourceContents{URI: b.URIText.Render(lookup), MIMEType: b.MimeType}
		if b.Data != "" {
			r.Blob = decoded(b.Data)
		} else {
			r.Text = b.Text.Render(lookup)
		}
		return core.Content{Kind: core.EmbeddedResource, Resource: r}
	default:
		return core.TextContent(b.Text.Render(lookup))
	}
}

// decoded is base64 data, which compiling has checked.
func decoded(data string) []byte {
	out, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return []byte{}
	}
	return out
}

// complete suggests the values that a prompt's argument or a template's
// parameter declares.
func (a *adapter) complete(_ context.Context, r core.CompletionRequest) (core.Completion, error) {
	declared := a.promptValues(r.Prompt, r.Argument)
	if r.Template != "" {
		declared = a.templateValues(r.Template, r.Argument)
	}
	var values []string
	for _, v := range declared {
		if strings.HasPrefix(strings.ToLower(v), strings.ToLower(r.Value)) {
			values = append(values, v)
		}
	}
	return core.Completion{Values: values}, nil
}

// promptValues are what the file declares for a prompt's argument.
func (a *adapter) promptValues(prompt, argument string) []string {
	for _, p := range a.Adapter.Prompts {
		for i := range p.Arguments {
			if p.Name == prompt && p.Arguments[i].Name == argument {
				return p.Arguments[i].Values
			}
		}
	}
	return nil
}

// templateValues are what the contract or the file declares for a parameter of
// a resource's address.
func (a *adapter) templateValues(uri, parameter string) []string {
	for _, r := range a.Adapter.Resources {
		at := slices.Index(r.Params, parameter)
		if r.URI != uri || at < 0 || r.ParamInputs[at] < 0 {
			continue
		}
		enum := r.Operation.Inputs[r.ParamInputs[at]].Schema.Get("enum")
		if enum == nil {
			return nil
		}
		var values []string
		for _, m := range enum.Elems() {
			if m.Value.IsScalar() {
				values = append(values, m.Value.Text())
			}
		}
		return values
	}
	return nil
}
