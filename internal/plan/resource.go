package plan

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/route"
	"patchbay/internal/spec"
	"patchbay/internal/template"
)

// Resource is something that an MCP client reads by URI: the files of a
// folder, or the answer of an operation.
type Resource struct {
	Name, Title, Description string
	// URI is the address, or its template where Params is not empty, or what
	// precedes the files' relative paths.
	URI      string
	MimeType string
	Span     diag.Span
	// Folder holds the files of a static resource; "" for a dynamic one.
	Folder string
	// Operation gives a dynamic resource. Its inputs are the template's
	// parameters, by ParamInputs.
	Operation *Operation
	// Literals are the parts of the template between its parameters.
	Literals    []string
	Params      []string
	ParamInputs []int
}

func (c *compiler) mcpResources(a *MCPAdapter, from *spec.Exposes, uses map[string]int) {
	seen := map[string]diag.Span{}
	for i := range from.MCPResources {
		r := &from.MCPResources[i]
		if before, twice := seen[r.URI.Value]; twice {
			c.diags.Errorf(CodeResourceTwice, r.URI.Span, "a resource %q exists already", clip(r.URI.Value)).WithRelated(before, "declared first here")
			continue
		}
		seen[r.URI.Value] = r.URI.Span
		if compiled := c.mcpResource(from, r, uses); compiled != nil {
			a.Resources = append(a.Resources, compiled)
		}
	}
}

func (c *compiler) mcpResource(from *spec.Exposes, r *spec.MCPResource, uses map[string]int) *Resource {
	out := &Resource{
		Name: r.Name.Value, Title: r.Label.Value, Description: r.Description.Value, URI: r.URI.Value, MimeType: r.MimeType.Value, Span: r.Span,
	}
	if u, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(r.URI.Value)); err != nil || u.Scheme == "" {
		c.diags.Errorf(CodeResourceURI, r.URI.Span, "%q is not an absolute URI", clip(r.URI.Value))
		return nil
	}
	if r.Location.Set() {
		folder, ok := c.localPath(r.Location)
		out.Folder = folder
		if !ok {
			return nil
		}
		return out
	}
	out.Literals, out.Params = route.Parts(r.URI.Value)
	if reason := unmatchable(out); reason != "" {
		c.diags.Errorf(CodeResourceURI, r.URI.Span, "%s", reason).WithHint("a placeholder is {name}, and stands for one part between slashes")
		return nil
	}
	if twice, is := repeated(out.Params); is {
		c.diags.Errorf(CodeResourceURI, r.URI.Span, "the URI has the placeholder {%s} twice", clip(twice))
		return nil
	}
	b := &builder{
		compiler: c, kind: "MCP resource", name: r.Name.Value, namespace: from.Namespace.Value, pathNames: out.Params,
		description: r.Description.Value, label: r.Label.Value, span: r.Span, uses: uses,
	}
	out.Operation = b.build(&r.Run)
	if out.Operation == nil {
		return nil
	}
	if !out.Operation.Safe() {
		c.disable(CodeUnsupported, "MCP resource", r.Name.Value, r.Span, "reading it would change something, and hosts read resources unasked", "make it a tool")
		return nil
	}
	out.ParamInputs = b.pathInputs
	for i := range out.Operation.Inputs {
		if in := &out.Operation.Inputs[i]; in.Required && in.Location != Path {
			c.diags.Errorf(CodeResourceURI, r.URI.Span, "the resource needs %s, which its URI does not carry", in.Name).
				WithHint("put {%s} into the URI, or give it a value in with", in.Name)
			return nil
		}
	}
	return out
}

// unmatchable says why no URI could be told to belong to the template, or "".
// Of RFC 6570 only its first level is understood.
func unmatchable(r *Resource) string {
	for i, name := range r.Params {
		if strings.IndexFunc(name, func(c rune) bool { return strings.ContainsRune("+#./;?&=,!@|*:", c) }) >= 0 {
			return fmt.Sprintf("{%s} is an expression of RFC 6570 that is not understood here", clip(name))
		}
		if i > 0 && r.Literals[i] == "" {
			return fmt.Sprintf("nothing tells where {%s} ends and {%s} begins", clip(r.Params[i-1]), clip(name))
		}
	}
	return ""
}

// localPath resolves a file URI; a path that is not absolute is taken from the
// capability's folder.
func (c *compiler) localPath(at spec.Text) (string, bool) {
	u, err := url.Parse(at.Value)
	if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "." && u.Host != "localhost" {
		c.diags.Errorf(CodeResourceURI, at.Span, "%q is not a file URI such as file:///./folder", clip(at.Value))
		return "", false
	}
	path := u.Path
	if relative, ok := strings.CutPrefix(path, "/./"); ok || u.Host == "." {
		path = filepath.Join(filepath.Dir(c.doc.File), strings.TrimPrefix(relative, "/"))
	}
	return filepath.Clean(path), true
}

// Match reports the escaped values of the template's parameters for a URI. A
// parameter stands for one or more characters without slash.
func (r *Resource) Match(uri string) ([]string, bool) {
	rest, ok := strings.CutPrefix(uri, r.Literals[0])
	if !ok {
		return nil, false
	}
	var values []string
	for i := 1; i < len(r.Literals); i++ {
		literal := r.Literals[i]
		var value string
		if i == len(r.Literals)-1 {
			value, ok = strings.CutSuffix(rest, literal)
			rest = ""
		} else {
			value, rest, ok = strings.Cut(rest, literal)
		}
		if !ok || value == "" || strings.Contains(value, "/") {
			return nil, false
		}
		values = append(values, value)
	}
	return values, rest == ""
}

// Prompt is a text that an MCP client fills in and gives to its model.
type Prompt struct {
	Name, Title, Description string
	Arguments                []PromptArgument
	Messages                 []PromptMessage
	// File holds the only message; "" where Messages do.
	File string
	Span diag.Span
}

// PromptArgument is a value that a prompt takes.
type PromptArgument struct {
	Name, Title, Description string
	Required                 bool
	// Values are what completion suggests.
	Values []string
}

// PromptMessage is one message: text with placeholders, or another block.
type PromptMessage struct {
	Role  string
	Block Block
}

// Block is a content block that a file spells out.
type Block struct {
	// Type is text, image, audio or resource.
	Type     string
	MimeType string
	// URI belongs to resources, Data is base64.
	URI, Data string
	Text      *Text
	// URIText is the URI where it has placeholders.
	URIText *Text
}

// Text is text whose placeholders are names of values; what is no known name
// stays as it was written.
type Text struct{ segments []template.Segment }

// Render fills in the values. Values are not looked into again.
func (t *Text) Render(lookup func(name string) (string, bool)) string {
	var out strings.Builder
	for _, s := range t.segments {
		if s.Placeholder == nil {
			out.WriteString(s.Literal)
			continue
		}
		if v, ok := lookup(s.Placeholder.Name); ok {
			out.WriteString(v)
			continue
		}
		out.WriteString("{{" + s.Placeholder.Name + "}}")
	}
	return out.String()
}

// ParseText compiles text with {{name}} placeholders; text that does not
// compile is plain.
func ParseText(source string) *Text {
	compiled, err := template.Compile(source, template.Value)
	if err != nil {
		return &Text{segments: []template.Segment{{Literal: source}}}
	}
	return &Text{segments: compiled.Segments()}
}

func (c *compiler) prompts(a *MCPAdapter, from *spec.Exposes) {
	seen := map[string]diag.Span{}
	for i := range from.Prompts {
		p := &from.Prompts[i]
		if before, twice := seen[p.Name.Value]; twice {
			c.diags.Errorf(CodePromptTwice, p.Name.Span, "a prompt %q exists already", clip(p.Name.Value)).WithRelated(before, "declared first here")
			continue
		}
		seen[p.Name.Value] = p.Name.Span
		out := &Prompt{Name: p.Name.Value, Title: p.Label.Value, Description: p.Description.Value, Span: p.Span}
		for j := range p.Arguments {
			arg := &p.Arguments[j]
			out.Arguments = append(out.Arguments, PromptArgument{
				Name: arg.Name.Value, Title: arg.Label.Value, Description: arg.Description.Value,
				Required: arg.Required.Value || !arg.Required.Set(), Values: texts(arg.Enum),
			})
		}
		ok := true
		if p.Location.Set() {
			out.File, ok = c.localPath(p.Location)
		}
		for j := range p.Template {
			m := &p.Template[j]
			block, good := c.block(&m.Content)
			ok = ok && good
			c.unknownArguments(out, &m.Content)
			out.Messages = append(out.Messages, PromptMessage{Role: m.Role.Value, Block: block})
		}
		if ok {
			a.Prompts = append(a.Prompts, out)
		}
	}
}

// unknownArguments warns about placeholders that no argument fills.
func (c *compiler) unknownArguments(p *Prompt, n *spec.Node) {
	if n.Kind != spec.Scalar {
		return
	}
	text, err := template.Compile(n.Text.Value, template.Value)
	if err != nil {
		return
	}
	for _, ph := range text.Placeholders() {
		known := false
		var names []string
		for i := range p.Arguments {
			known = known || p.Arguments[i].Name == ph.Name
			names = append(names, p.Arguments[i].Name)
		}
		if !known {
			d := c.diags.Warnf(CodePromptArgument, nameSpan(n.Text, &ph), "the prompt has no argument %q; the placeholder stays as it is", clip(ph.Name))
			if near := diag.Nearest(ph.Name, names); near != "" {
				d.WithHint("did you mean %s?", near)
			}
		}
	}
}

// block compiles a content block: a text, or a mapping with a type.
func (c *compiler) block(n *spec.Node) (Block, bool) {
	if n.Kind == spec.Scalar {
		return Block{Type: "text", Text: ParseText(n.Text.Value)}, true
	}
	out := Block{}
	text := ""
	for i := range n.Members {
		m := &n.Members[i]
		switch m.Name.Value {
		case "type":
			out.Type = m.Value.Text.Value
		case "mimeType":
			out.MimeType = m.Value.Text.Value
		case "uri":
			out.URI = m.Value.Text.Value
		case "data", "blob":
			out.Data = strings.Join(strings.Fields(m.Value.Text.Value), "")
		case "text":
			text = m.Value.Text.Value
		default:
			c.diags.Warnf(CodeContentBlock, m.Name.Span, "%q means nothing in a content block", clip(m.Name.Value)).
				WithNearest(m.Name.Value, []string{"type", "text", "mimeType", "data", "uri"}, "expected ")
		}
	}
	out.Text, out.URIText = ParseText(text), ParseText(out.URI)
	if _, err := base64.StdEncoding.DecodeString(out.Data); err != nil {
		c.diags.Errorf(CodeContentBlock, n.Span, "the data of the block is not base64: %v", err)
		return out, false
	}
	switch out.Type {
	case "text", "resource":
	case "image", "audio":
		if out.MimeType == "" || out.Data == "" {
			c.diags.Errorf(CodeContentBlock, n.Span, "a block of type %s needs mimeType and data (base64)", out.Type)
			return out, false
		}
	default:
		c.diags.Errorf(CodeContentBlock, n.Span, "%q is not a type of content block", clip(out.Type)).
			WithNearest(out.Type, []string{"text", "image", "audio", "resource"}, "expected ")
		return out, false
	}
	return out, true
}
