package plan

import (
	"fmt"
	"slices"
	"strings"

	"patchbay/internal/jsonvalue"
	"patchbay/internal/spec"
	"patchbay/internal/template"
	"patchbay/internal/wire"
)

// requestBody is how a consumed operation makes and encodes its body.
type requestBody struct {
	// media is the media type, "" where there is no body; contentType is its
	// header, prepared.
	media       string
	encoding    encoding
	contentType []string
	// whole is the argument that is the body, -1 where fields or declared make
	// it up.
	whole int
	// declared is the body that the file spells out over the arguments and the
	// variables behind them; parts are those of a multipart body in a list.
	declared *data
	parts    []bodyPart
	// implied reports that the operation has a body only where a call adds
	// fields to it.
	implied bool
}

// bodyPart is a part of a multipart body that the file spells out.
type bodyPart struct{ name, value, filename, contentType *data }

// isDeclared reports whether the file spells the body out.
func (b *requestBody) isDeclared() bool { return b.declared != nil || b.parts != nil }

// consumedBody decides how the body is made and encoded: the operation's own
// body: says, else a fixed Content-Type, else the contract, else the operator,
// else the provider's profile, else it is JSON.
func (c *compiler) consumedBody(op *consumed) {
	op.body.whole = -1
	if from := op.declared.Body; from != nil {
		c.declaredBody(op, from)
		if op.disabled != "" || op.broken {
			return
		}
	}
	if !op.body.isDeclared() && !c.argumentBody(op) {
		return
	}
	if op.body.media == "" {
		op.body.media = c.defaultMedia(op)
	}
	op.body.encoding = encodingOf(op.body.media)
	op.body.contentType = []string{op.body.media}
	c.bindBody(op)
}

func (c *compiler) defaultMedia(op *consumed) string {
	switch {
	case op.fixedMedia != "":
		return op.fixedMedia
	case op.contract != nil && op.contract.Body != nil:
		return op.contract.Body.MediaType
	}
	if media, ok := bodyMedia(c.opts.BodyTypes[op.upstream.Namespace]); ok {
		return media
	}
	return firstOf(op.upstream.Profile.BodyMedia(op.upstream.BaseURI, op.path), wire.MediaJSON)
}

// argumentBody makes the body of arguments: one that is the body, or several
// that are its fields. It reports whether there is a body.
func (c *compiler) argumentBody(op *consumed) bool {
	var members []int
	for i := range op.params {
		if op.params[i].in == inBody {
			members = append(members, i)
		}
	}
	if len(members) == 0 {
		contracted := op.contract != nil && op.contract.Body != nil
		if !contracted && op.declared.Body == nil {
			// Fields that a call names beyond the declared parameters can only go
			// into a body.
			op.body.implied = op.contract == nil && (op.method == "POST" || op.method == "PUT" || op.method == "PATCH")
			return op.body.implied
		}
		op.params = append(op.params, param{name: "body", in: inBody, required: contracted && op.contract.Body.Required, span: op.span})
		members = []int{len(op.params) - 1}
	}
	for _, i := range members {
		if len(members) == 1 || op.params[i].name == "body" {
			op.body.whole = i
		}
	}
	for _, i := range members {
		if p := &op.params[i]; op.body.whole >= 0 && op.body.whole != i {
			c.diags.Warnf(CodeInputUnused, p.span, "the parameter body is the whole body; %s is sent nowhere", clip(p.name))
			p.in, p.required = inNowhere, false
		}
	}
	return true
}

// declaredBody compiles `body:`. What it cannot be disables the operation.
func (c *compiler) declaredBody(op *consumed, from *spec.Body) {
	media := ""
	if from.Type.Set() {
		var known bool
		if media, known = bodyMedia(from.Type.Value); !known {
			op.disabled = fmt.Sprintf("a body of type %s is not one that is sent", quote(clip(from.Type.Value)))
			return
		}
	}
	op.body.media = media
	if from.Data.Kind == spec.NoNode || from.Data.Tag == "!!null" {
		return // the type alone: arguments make the body
	}
	if media == "" {
		media = c.defaultMedia(op)
		if from.Data.Kind == spec.Scalar {
			media = c.plainMedia(op, from.Data.Text)
			op.body.media = media
		}
	}
	var problem string
	switch encodingOf(media) {
	case encodeJSON:
		op.body.declared, problem = c.jsonBody(&from.Data)
	case encodeForm:
		op.body.declared, problem = c.formBody(&from.Data)
	case encodeMultipart:
		problem = c.multipartBody(op, &from.Data)
	case encodeText:
		op.body.declared, problem = c.textBody(&from.Data, media)
	case encodeBinary:
		op.body.declared, problem = c.binaryBody(&from.Data)
	}
	switch {
	case problem != "":
		op.disabled = "its declared body cannot be sent: " + problem
	case !op.body.isDeclared():
		op.broken = true // the reason has been reported
	default:
		c.bodyArguments(op)
	}
}

// plainMedia is the media type of a body that is text without a type: what
// the operation's fixed Content-Type says, JSON where it is that, else text.
func (c *compiler) plainMedia(op *consumed, text spec.Text) string {
	if op.fixedMedia != "" {
		return op.fixedMedia
	}
	if start := strings.TrimSpace(text.Value); strings.HasPrefix(start, "{") && !strings.HasPrefix(start, "{{") || strings.HasPrefix(start, "[") {
		return wire.MediaJSON
	}
	if t, err := template.Compile(text.Value, template.Value); err == nil {
		if _, single := t.Single(); single {
			return c.defaultMedia(op) // the caller's value is the body
		}
	}
	return wire.MediaText
}

func (c *compiler) jsonBody(n *spec.Node) (*data, string) {
	if n.Kind != spec.Scalar || n.Tag != "!!str" {
		return c.data(n), ""
	}
	if t, err := template.Compile(n.Text.Value, template.Value); err == nil {
		if _, single := t.Single(); single {
			return c.dataText(n.Text, template.None), ""
		}
	}
	return c.jsonText(n.Text)
}

func (c *compiler) formBody(n *spec.Node) (*data, string) {
	switch n.Kind {
	case spec.Mapping:
		return c.data(n), ""
	case spec.Scalar:
		return c.dataText(n.Text, template.FormValue), ""
	default:
		return nil, "a form is a mapping or text, not a list"
	}
}

func (c *compiler) textBody(n *spec.Node, media string) (*data, string) {
	if n.Kind != spec.Scalar {
		return nil, "text is due, not parts"
	}
	mode := template.None
	switch {
	case media == wire.MediaSPARQL:
		mode = template.SPARQLString
	case strings.Contains(media, "xml"):
		mode = template.XMLText
	}
	return c.dataText(n.Text, mode), ""
}

func (c *compiler) binaryBody(n *spec.Node) (*data, string) {
	if n.Kind == spec.Mapping && len(n.Members) == 1 {
		n = &n.Members[0].Value // as in data: {file: '{{file}}'}
	}
	if n.Kind != spec.Scalar {
		return nil, "bytes are one value, not several"
	}
	return c.dataText(n.Text, template.None), ""
}

// multipartBody compiles a mapping from name to value, or a list of parts.
func (c *compiler) multipartBody(op *consumed, n *spec.Node) (problem string) {
	switch n.Kind {
	case spec.Mapping:
		op.body.declared = c.data(n)
		return ""
	case spec.Sequence:
	default:
		if n.Kind == spec.Scalar {
			if t, err := template.Compile(n.Text.Value, template.Value); err == nil {
				if _, single := t.Single(); single {
					op.body.declared = c.dataText(n.Text, template.None)
					return ""
				}
			}
		}
		return "a form of parts is a mapping or a list of parts"
	}
	parts := make([]bodyPart, len(n.Elements))
	for i := range n.Elements {
		e := &n.Elements[i]
		for j := range e.Members {
			m := &e.Members[j]
			into := map[string]**data{"name": &parts[i].name, "value": &parts[i].value, "filename": &parts[i].filename, "contentType": &parts[i].contentType}[m.Name.Value]
			if into == nil {
				return fmt.Sprintf("a part has no %s", quote(clip(m.Name.Value)))
			}
			if *into = c.data(&m.Value); *into == nil {
				return ""
			}
		}
		if parts[i].name == nil || parts[i].value == nil {
			return "a part needs name and value"
		}
	}
	op.body.parts = parts
	return ""
}

// templates calls f with each text of the declared body.
func (b *requestBody) templates(f func(*data)) {
	b.declared.texts(f)
	for i := range b.parts {
		p := &b.parts[i]
		for _, d := range []*data{p.name, p.value, p.filename, p.contentType} {
			d.texts(f)
		}
	}
}

// bodyArguments makes the placeholders of the declared body arguments. One
// that the operation declares is that parameter; a declared parameter in the
// body that no placeholder names is a field beside the others.
func (c *compiler) bodyArguments(op *consumed) {
	op.body.templates(func(d *data) {
		for _, ph := range d.source.Placeholders() {
			name, ok := c.argumentName(op, ph.Name)
			if !ok {
				continue
			}
			at := c.bodyArgument(op, name)
			if _, single := d.source.Single(); single {
				op.params[at].note = noteOf(op.body.media)
				op.params[at].bytes = encodingOf(op.body.media) == encodeBinary
			}
		}
	})
	object := op.body.declared != nil && (op.body.declared.kind == dataObject || op.body.declared.literal.Kind() == jsonvalue.Object)
	for i := range op.params {
		p := &op.params[i]
		switch {
		case p.in != inBody:
		case !object || p.name == "body":
			c.diags.Warnf(CodeInputUnused, p.span, "the declared body has no {{%s}}; the parameter is sent nowhere", clip(p.name))
			p.in, p.required = inNowhere, false
		}
	}
}

// noteOf says how a value that is a part of a body of this media type is given,
// "" where nothing needs to be said.
func noteOf(media string) string {
	switch encodingOf(media) {
	case encodeBinary:
		return "Bytes, as base64 text or as a data: URL."
	case encodeMultipart:
		return "A data: URL is sent as a file."
	default:
		return ""
	}
}

// argumentName is the argument that a placeholder on the consumed side means,
// without the scope that some files put before it; false for a variable.
func (c *compiler) argumentName(op *consumed, name string) (string, bool) {
	if scope, rest, ok := strings.Cut(name, "."); ok && rest != "" && c.isScope(scope) {
		return rest, true
	}
	isParameter := slices.ContainsFunc(op.params, func(p param) bool { return p.name == name && p.fixed == nil && p.in != inNowhere })
	return name, isParameter || !c.isBound(name)
}

// isScope reports whether a word means "the caller's input" in some adapter.
func (c *compiler) isScope(word string) bool {
	return slices.Contains(inputScopes[:], word) ||
		slices.ContainsFunc(c.doc.Exposes, func(e spec.Exposes) bool { return e.Namespace.Value == word && word != "" })
}

// bodyArgument finds the argument that a placeholder of the body stands for, or
// adds it.
func (c *compiler) bodyArgument(op *consumed, name string) int {
	at := slices.IndexFunc(op.params, func(p param) bool { return p.name == name && (p.in == inBody || p.in == inTemplate) })
	if at < 0 {
		var rival int
		at, rival = meant(name, len(op.params), func(i int) string {
			if op.params[i].in == inNowhere || op.params[i].fixed != nil {
				return ""
			}
			return op.params[i].name
		})
		if rival >= 0 {
			at = -1
		}
	}
	if at < 0 {
		op.params = append(op.params, param{name: name, in: inTemplate, span: op.declared.Body.Span})
		return len(op.params) - 1
	}
	if op.params[at].in == inBody {
		op.params[at].in = inTemplate
	}
	return at
}

// bindBody ties the placeholders of the declared body to the arguments, whose
// number is known by now, and to the variables behind them.
func (c *compiler) bindBody(op *consumed) {
	op.body.templates(func(d *data) {
		d.text = d.source.Bind(func(name string, offset int) (int, bool) {
			if argument, ok := c.argumentName(op, name); ok {
				return c.bodyArgument(op, argument), true
			}
			span := d.at.Span
			for _, ph := range d.source.Placeholders() {
				if ph.Offset == offset && ph.Name == name && !d.bare {
					span = nameSpan(d.at, &ph)
				}
			}
			v := c.variable(name, span, op.upstream.Host, textUse{})
			return len(op.params) + v, v >= 0
		})
	})
}

// takesFields reports whether a call may add fields to the body.
func (op *consumed) takesFields() bool {
	b := &op.body
	switch {
	case b.media == "" || b.encoding == encodeText || b.encoding == encodeBinary || b.parts != nil:
		return false
	case b.declared != nil:
		return b.declared.kind == dataObject || b.declared.literal.Kind() == jsonvalue.Object
	default:
		return true
	}
}
