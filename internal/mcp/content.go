package mcp

import (
	"encoding/base64"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// ContentKind names the kinds of a content block. The protocol closes the set.
type ContentKind uint8

// The kinds of content blocks (2026-07-28, tools, "Tool Result").
const (
	Text             ContentKind = iota // Content.Text
	Image                               // Content.Data and MIMEType
	Audio                               // Content.Data and MIMEType
	EmbeddedResource                    // Content.Resource
	ResourceLink                        // Content.Link
)

// Content is one block of a tool's result or of a prompt's message. Which fields
// count is told by Kind. A kind that the client's revision does not know (audio
// before 2025-03-26, resource links before 2025-06-18) is sent as a text block
// that says what was left out.
type Content struct {
	Kind        ContentKind
	Text        string
	Data        []byte // raw bytes; base64 on the wire
	MIMEType    string
	Resource    *ResourceContents
	Link        *Link
	Annotations *ContentAnnotations
}

// TextContent returns a text block.
func TextContent(text string) Content { return Content{Text: text} }

// Link points to a resource that the client may read. URI and Name are required.
type Link struct {
	URI, Name, Title, Description, MIMEType string
	Size                                    *int64 // bytes, or nil
}

// ContentAnnotations tell a host whom content is for and how much it matters.
type ContentAnnotations struct {
	Audience     []string // "user", "assistant"
	Priority     *float64 // 0 to 1, or nil
	LastModified string   // ISO 8601, or ""
}

// ResourceContents is what a resource holds: Blob where it is not nil, else
// Text. An empty URI stands for the one that was asked for.
type ResourceContents struct {
	URI, MIMEType string
	Text          string
	Blob          []byte // raw bytes; base64 on the wire
}

// object writes the members of one JSON object: the comma between them and the
// rule that an empty optional member is left out.
type object struct {
	out   []byte
	begun bool
}

func newObject(dst []byte) object { return object{out: append(dst, '{')} }

func (o *object) key(name string) {
	if o.begun {
		o.out = append(o.out, ',')
	}
	o.begun = true
	o.out = append(quoted(o.out, name), ':')
}

func (o *object) text(name, value string) {
	o.key(name)
	o.out = quoted(o.out, value)
}

func (o *object) optional(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *object) raw(name string, value []byte) {
	if len(value) > 0 {
		o.key(name)
		o.out = append(o.out, value...)
	}
}

func (o *object) bool(name string, value *bool) {
	if value != nil {
		o.key(name)
		o.out = strconv.AppendBool(o.out, *value)
	}
}

func (o *object) bytes(name string, value []byte) {
	o.key(name)
	o.out = append(o.out, '"')
	o.out = base64.StdEncoding.AppendEncode(o.out, value)
	o.out = append(o.out, '"')
}

func (o *object) integer(name string, value *int64) {
	if value != nil {
		o.key(name)
		o.out = strconv.AppendInt(o.out, *value, 10)
	}
}

func (o *object) annotations(a *ContentAnnotations) {
	if a == nil {
		return
	}
	o.key("annotations")
	in := newObject(o.out)
	if len(a.Audience) > 0 {
		in.key("audience")
		in.out = append(in.out, '[')
		for i, who := range a.Audience {
			if i > 0 {
				in.out = append(in.out, ',')
			}
			in.out = quoted(in.out, who)
		}
		in.out = append(in.out, ']')
	}
	if a.Priority != nil {
		in.key("priority")
		in.out = jsontext.AppendFloat(in.out, *a.Priority, 64)
	}
	in.optional("lastModified", a.LastModified)
	o.out = in.close()
}

func (o *object) close() []byte { return append(o.out, '}') }

// appendContent writes a block as the revision knows it.
func appendContent(dst []byte, c *Content, rev *revision) []byte {
	o := newObject(dst)
	switch c.Kind {
	case Text:
		o.text("type", "text")
		o.text("text", c.Text)
	case Image:
		o.text("type", "image")
		o.bytes("data", c.Data)
		o.text("mimeType", c.MIMEType)
	case Audio:
		if !rev.audio {
			return appendContent(dst, &Content{Text: "[audio of type " + c.MIMEType + ", " +
				strconv.Itoa(len(c.Data)) + " bytes, left out: this protocol revision has no audio]"}, rev)
		}
		o.text("type", "audio")
		o.bytes("data", c.Data)
		o.text("mimeType", c.MIMEType)
	case EmbeddedResource:
		o.text("type", "resource")
		o.key("resource")
		o.out = appendResourceContents(o.out, c.Resource, "")
	case ResourceLink:
		if !rev.resourceLinks {
			return appendContent(dst, &Content{Text: c.Link.Name + ": " + c.Link.URI}, rev)
		}
		o.text("type", "resource_link")
		c.Link.members(&o)
	}
	o.annotations(c.Annotations)
	return o.close()
}

func (l *Link) members(o *object) {
	o.text("uri", l.URI)
	o.text("name", l.Name)
	o.optional("title", l.Title)
	o.optional("description", l.Description)
	o.optional("mimeType", l.MIMEType)
	o.integer("size", l.Size)
}

func appendResourceContents(dst []byte, r *ResourceContents, asked string) []byte {
	o := newObject(dst)
	if r.URI != "" {
		asked = r.URI
	}
	o.text("uri", asked)
	o.optional("mimeType", r.MIMEType)
	if r.Blob != nil {
		o.bytes("blob", r.Blob)
	} else {
		o.text("text", r.Text)
	}
	return o.close()
}

func appendContents(dst []byte, blocks []Content, rev *revision) []byte {
	dst = append(dst, '[')
	for i := range blocks {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendContent(dst, &blocks[i], rev)
	}
	return append(dst, ']')
}
