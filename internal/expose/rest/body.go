package rest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/wire"
)

// bodyReader reads request bodies whole, up to a limit, in memory that is used
// again. It is safe for concurrent use.
type bodyReader struct {
	limit int64
	pool  sync.Pool
}

// read calls use with the body's bytes, which are valid during the call.
func (b *bodyReader) read(r *http.Request, use func([]byte) *fault.Fault) *fault.Fault {
	if r.ContentLength > b.limit {
		return b.tooLarge()
	}
	buffer, _ := b.pool.Get().(*bytes.Buffer)
	if buffer == nil {
		buffer = new(bytes.Buffer)
	}
	buffer.Reset()
	defer b.pool.Put(buffer)
	if r.ContentLength > 0 {
		buffer.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	limited := io.LimitedReader{R: r.Body, N: b.limit + 1}
	n, err := buffer.ReadFrom(&limited)
	switch {
	case n > b.limit:
		return b.tooLarge()
	case err != nil && r.Context().Err() != nil:
		return &fault.Fault{Kind: fault.Canceled, Message: "the caller went away while sending its body", Cause: err}
	case err != nil:
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return fault.New(fault.InvalidInput, "the body ended before its announced length")
		}
		return &fault.Fault{Kind: fault.InvalidInput, Message: "the body cannot be read", Cause: err}
	}
	return use(buffer.Bytes())
}

func (b *bodyReader) tooLarge() *fault.Fault {
	f := fault.New(fault.TooLarge, "the body is larger than %d bytes", b.limit)
	f.Hint = "the operator can raise the bound with --max-body"
	return f
}

// bodyInputs reads the inputs that come from the request's body.
func (x *exchange) bodyInputs() *fault.Fault {
	media, known := bodyMedia(x.r.Header["Content-Type"])
	if x.r.Body == nil || x.r.Body == http.NoBody {
		return x.emptyBody(media)
	}
	if !known && x.r.ContentLength != 0 {
		f := fault.New(fault.UnsupportedMedia, "a body in %s is not read here", clip(media))
		f.Hint = "send application/json, or application/x-www-form-urlencoded"
		return f
	}
	if coding := x.r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		f := fault.New(fault.UnsupportedMedia, "a body with the content coding %s is not read here", clip(coding))
		f.Hint = "send it uncompressed"
		return f
	}
	return x.e.bodies.read(x.r, func(data []byte) *fault.Fault {
		if len(data) == 0 {
			return x.emptyBody(media)
		}
		if media == wire.MediaForm && data[0] == '{' {
			f := fault.New(fault.InvalidInput, "the body looks like JSON and is announced as a form")
			f.Hint = "send it with -H 'Content-Type: application/json'"
			return f
		}
		var value jsonvalue.Value
		var err error
		if media == wire.MediaForm {
			value, err = wire.ParseForm(data)
			x.args.Textual = true
		} else {
			value, err = jsonvalue.Parse(data)
		}
		if err != nil {
			return malformed(media, err)
		}
		return x.takeBody(value)
	})
}

// emptyBody reads a body of no bytes: announced as a form it is one without
// fields, and otherwise it is none.
func (x *exchange) emptyBody(media string) *fault.Fault {
	if media != wire.MediaForm {
		return nil
	}
	x.args.Textual = true
	return x.takeBody(jsonvalue.ObjectOf(nil))
}

// bodyMedia returns the media type of a body, and whether it is read here. A
// body without a type is taken for JSON.
func bodyMedia(header []string) (media string, known bool) {
	if len(header) == 0 || len(header) == 1 && (header[0] == "" || header[0] == wire.MediaJSON) {
		return wire.MediaJSON, true
	}
	media, _, _ = strings.Cut(header[0], ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json") {
		return wire.MediaJSON, true
	}
	return media, len(header) == 1 && (media == wire.MediaJSON || media == wire.MediaForm)
}

func malformed(media string, err error) *fault.Fault {
	due := "valid JSON"
	if media == wire.MediaForm {
		due = "a valid form"
	}
	f := fault.New(fault.InvalidInput, "the body is not %s: %v", due, err)
	field := fault.Field{Detail: "is not " + due + ": " + err.Error()}
	if syntax, ok := errors.AsType[*jsonvalue.SyntaxError](err); ok {
		field.Pointer = syntax.Pointer
	}
	f.Fields = []fault.Field{field}
	return f
}

// takeBody gives the body, or its members, to the inputs.
func (x *exchange) takeBody(value jsonvalue.Value) *fault.Fault {
	if x.e.body >= 0 {
		x.args.Values[x.e.body] = value
	}
	if len(x.e.fields) == 0 {
		return nil
	}
	if value.Kind() != jsonvalue.Object {
		return fault.New(fault.InvalidInput, "the body must be an object, not %s", article(value.Kind()))
	}
	var wrong []fault.Field
	for _, m := range value.Elems() {
		at := find(x.e.fields, m.Name)
		switch {
		case at < 0:
		case !x.args.Values[at].IsAbsent():
			wrong = append(wrong, fault.Field{Pointer: "/" + m.Name, Detail: "is given more than once"})
		default:
			x.args.Values[at] = m.Value
		}
	}
	if wrong != nil {
		return invalid(wrong)
	}
	return nil
}

func article(k jsonvalue.Kind) string {
	switch k {
	case jsonvalue.Array, jsonvalue.Object:
		return "an " + k.String()
	case jsonvalue.Null:
		return "null"
	default:
		return "a " + k.String()
	}
}
