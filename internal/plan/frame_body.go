package plan

import (
	"strings"

	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/upstream"
	"patchbay/internal/wire"
)

// body makes and encodes the request body. A form whose fields were all left
// out is sent empty; an absent body of any other kind is not sent.
func (f *frame) body(out *upstream.Request) *fault.Fault {
	to := f.call.to
	b := &to.body
	key := f.member()
	if b.media == "" || b.implied && len(f.call.fields) == 0 && key.Name == "" {
		return nil
	}
	if b.parts != nil {
		return f.listedParts(out)
	}
	v, bad := f.bodyValue()
	if bad != nil {
		return bad
	}
	if key.Name != "" {
		if v, bad = f.withKey(v, key); bad != nil {
			return bad
		}
	}
	switch b.encoding {
	case encodeForm:
		return f.form(out, &v)
	case encodeMultipart:
		return f.multipart(out, &v)
	case encodeText:
		return f.text(out, &v)
	case encodeBinary:
		return f.binaryBody(out, &v)
	}
	if !v.IsAbsent() {
		out.ContentType = b.contentType
		out.Body = v.Append(make([]byte, 0, 512))
	}
	return nil
}

// unfitBody refuses a body that its encoding cannot carry.
func (f *frame) unfitBody(detail string) *fault.Fault {
	in := f.input(f.bodyArgument())
	if in == nil {
		detail = "the body " + detail
	}
	f.refuse(in, "", detail, "")
	return &fault.Fault{Kind: fault.InvalidInput, Message: summary(f.refused), Fields: f.refused}
}

// bodyArgument is the argument that alone makes the body, or -1.
func (f *frame) bodyArgument() int {
	b := &f.call.to.body
	if b.declared != nil && b.declared.kind == dataText {
		if slot, ok := b.declared.text.Single(); ok && slot < len(f.arguments) {
			return slot
		}
	}
	return b.whole
}

// bodyValue is the body that the file declares, the argument that is the body,
// or the object of those that are its fields.
func (f *frame) bodyValue() (jsonvalue.Value, *fault.Fault) {
	to := f.call.to
	switch {
	case to.body.declared != nil:
		return f.declaredValue()
	case to.body.whole >= 0:
		v := f.arguments[to.body.whole]
		if len(f.call.fields) > 0 && !v.IsAbsent() && v.Kind() != jsonvalue.Object {
			return v, f.unfitBody("must be an object, because fields are added to it")
		}
		return v, nil
	}
	return f.withFields(jsonvalue.ObjectOf(f.bodyMembers(nil))), nil
}

// bodyMembers appends the arguments that are fields of the body.
func (f *frame) bodyMembers(members []jsonvalue.Member) []jsonvalue.Member {
	params := f.call.to.params
	for i := range params {
		if params[i].in == inBody && !f.arguments[i].IsAbsent() {
			members = put(members, params[i].name, f.arguments[i])
		}
	}
	return members
}

// declaredValue fills the declared body in and holds it against the contract.
func (f *frame) declaredValue() (jsonvalue.Value, *fault.Fault) {
	to := f.call.to
	v := to.body.declared.value(f.slots())
	if v.Kind() == jsonvalue.Object {
		members := v.Elems()
		v = f.withFields(jsonvalue.ObjectOf(f.bodyMembers(members[:len(members):len(members)])))
	}
	if c := to.contract; c != nil && c.Body != nil && c.Body.MediaType == to.body.media {
		f.checkWhole(&v, nil)
		if refused := f.refusal(); refused != nil {
			return v, refused
		}
	}
	return v, nil
}

// slots are what the texts of a declared body are made of: the arguments, and
// behind them the variables.
func (f *frame) slots() []jsonvalue.Value {
	if len(f.bound.variables) == 0 {
		return f.arguments
	}
	return append(f.arguments[:len(f.arguments):len(f.arguments)], f.variables()...)
}

// withKey adds the API key to the fields of the body. No value of a caller
// takes its place.
func (f *frame) withKey(body jsonvalue.Value, key *jsonvalue.Member) (jsonvalue.Value, *fault.Fault) {
	if !body.IsAbsent() && body.Kind() != jsonvalue.Object {
		return body, f.unfitBody("must be an object, because the upstream's API key is a field of it")
	}
	members := body.Elems()
	return jsonvalue.ObjectOf(put(append([]jsonvalue.Member(nil), members...), key.Name, key.Value)), nil
}

func (f *frame) form(out *upstream.Request, v *jsonvalue.Value) *fault.Fault {
	b := &f.call.to.body
	switch {
	case v.Kind() == jsonvalue.String && b.declared != nil && b.declared.kind != dataObject:
		out.Body = []byte(v.Text()) // the file's own text is a form already
	case v.IsAbsent() || v.Kind() == jsonvalue.Object:
		fields := *v
		if c := f.call.to.contract; c != nil && c.Body != nil && !f.args.Textual {
			fields = c.Body.FormFields(fields)
		}
		out.Body = wire.AppendForm(make([]byte, 0, 512), &fields)
	default:
		return f.unfitBody("must be an object, because the upstream takes a form")
	}
	out.ContentType = b.contentType
	return nil
}

// text sends a text as it is; numbers and booleans are their text.
func (f *frame) text(out *upstream.Request, v *jsonvalue.Value) *fault.Fault {
	switch {
	case v.IsAbsent() || v.IsNull():
		return nil
	case !v.IsScalar():
		return f.unfitBody("must be a text, because the upstream takes " + mediaName(f.call.to.body.media))
	}
	out.ContentType, out.Body = f.call.to.body.contentType, []byte(v.Text())
	return nil
}

func mediaName(media string) string {
	name, _, _ := strings.Cut(media, ";")
	return name
}

// binaryBody sends the bytes that a caller's text stands for, or the text that
// the file itself has.
func (f *frame) binaryBody(out *upstream.Request, v *jsonvalue.Value) *fault.Fault {
	b := &f.call.to.body
	switch {
	case v.IsAbsent() || v.IsNull():
		return nil
	case v.Kind() != jsonvalue.String:
		return f.unfitBody("must be base64 text or a data: URL, because the upstream takes bytes")
	case f.bodyArgument() < 0 && !wire.IsDataURL(v.Text()):
		out.ContentType, out.Body = b.contentType, []byte(v.Text())
		return nil
	}
	bytes, err := wire.ParseBinary(v.Text())
	if err != nil {
		return f.unfitBody(err.Error() + ", and the upstream takes bytes")
	}
	out.ContentType, out.Body = b.contentType, bytes.Data
	if out.Body == nil {
		out.Body = []byte{}
	}
	if bytes.Media != "" && b.media == wire.MediaBinary {
		out.ContentType = []string{bytes.Media}
	}
	return nil
}

// multipart sends the members of an object as parts: scalars as text, arrays as
// several parts of one name, objects as JSON, data: URLs as files.
func (f *frame) multipart(out *upstream.Request, v *jsonvalue.Value) *fault.Fault {
	if !v.IsAbsent() && v.Kind() != jsonvalue.Object {
		return f.unfitBody("must be an object, because the upstream takes a form of parts")
	}
	var parts []wire.Part
	for i := range v.Elems() {
		m := &v.Elems()[i]
		if m.Value.Kind() != jsonvalue.Array {
			parts = appendPart(parts, wire.Part{Name: m.Name}, &m.Value)
			continue
		}
		for j := range m.Value.Elems() {
			parts = appendPart(parts, wire.Part{Name: m.Name}, &m.Value.Elems()[j].Value)
		}
	}
	return f.encodeParts(out, parts)
}

// appendPart adds the part of one value; null and absent have none.
func appendPart(parts []wire.Part, p wire.Part, v *jsonvalue.Value) []wire.Part {
	switch {
	case v.IsAbsent() || v.IsNull():
		return parts
	case !v.IsScalar():
		p.Data = v.Append(nil)
		if p.ContentType == "" {
			p.ContentType = wire.MediaJSON
		}
		return append(parts, p)
	}
	p.Data = []byte(v.Text())
	if v.Kind() != jsonvalue.String || !wire.IsDataURL(v.Text()) {
		return append(parts, p)
	}
	if file, err := wire.ParseBinary(v.Text()); err == nil {
		p.Data = file.Data
		if p.ContentType == "" {
			p.ContentType = file.Media
		}
		if p.Filename == "" {
			p.Filename = firstOf(file.Filename, p.Name)
		}
	}
	return append(parts, p)
}

// listedParts sends the parts that the file spells out.
func (f *frame) listedParts(out *upstream.Request) *fault.Fault {
	slots := f.slots()
	var parts []wire.Part
	for i := range f.call.to.body.parts {
		from := &f.call.to.body.parts[i]
		text := func(d *data) string {
			if d == nil {
				return ""
			}
			v := d.value(slots)
			return v.Text()
		}
		v := from.value.value(slots)
		parts = appendPart(parts, wire.Part{Name: text(from.name), Filename: text(from.filename), ContentType: text(from.contentType)}, &v)
	}
	if key := f.member(); key.Name != "" {
		parts = appendPart(parts, wire.Part{Name: key.Name}, &key.Value)
	}
	return f.encodeParts(out, parts)
}

func (f *frame) encodeParts(out *upstream.Request, parts []wire.Part) *fault.Fault {
	body, boundary, err := wire.AppendMultipart(make([]byte, 0, 1024), parts)
	if err != nil {
		return f.unfitBody("cannot be sent as a form of parts: " + err.Error())
	}
	out.Body, out.ContentType = body, []string{wire.MediaMultipart + "; boundary=" + boundary}
	return nil
}
