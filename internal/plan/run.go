package plan

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/upstream"
)

// Args are the values with which an operation is called.
type Args struct {
	// Values holds a value for each of the operation's inputs; absent ones were
	// not given.
	Values []jsonvalue.Value
	// Textual reports that the body came as a form, whose scalars have no types.
	Textual bool
	// Refused is what the adapter found wrong with the request, so that it is
	// reported together with what is wrong with the values.
	Refused []fault.Field
	// Header holds end-to-end request headers that pass on. Run keeps it.
	Header http.Header
	// Progress, where set, is told after each step of several how many are
	// done, how many there are, and the step's name.
	Progress func(done, total int, step string)
}

// Output is an upstream's answer in the operation's shape. Release must be
// called once.
type Output struct {
	// Status is the upstream's, Header its header, unfiltered.
	Status int
	Header http.Header
	// Body is the answer; it is valid until Release. An error answer is never
	// mapped.
	Body []byte
	// Binary reports that a success is bytes of the media type Media, not JSON.
	Binary bool
	Media  string
	// Mock reports that the file gave the answer, and nothing was called.
	Mock bool
	// Advice lists rules that the request broke and that do not refuse.
	Advice []fault.Field
	// Step names the step whose answer this is, where it is the answer of a
	// step that failed; Effects the steps before it that changed something.
	Step     string
	Effects  []string
	response *upstream.Response
}

// Release gives the answer's memory back.
func (o *Output) Release() {
	if o.response != nil {
		o.response.Release()
		o.response = nil
	}
	o.Body = nil
}

// MediaType is the media type of the answer without parameters, "" where the
// upstream did not say.
func (o *Output) MediaType() string {
	media, _, _ := strings.Cut(o.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// OK reports whether the upstream answered with success.
func (o *Output) OK() bool { return o.Status >= 200 && o.Status < 300 }

// Run performs the operation. What the caller gave is checked first; nothing
// is sent while something is wrong with it. Errors are *fault.Fault; an
// upstream that answered, with any status, is not an error.
func (b *Bound) Run(ctx context.Context, op *Operation, args *Args) (*Output, error) {
	switch {
	case op.mock != nil:
		return b.runMock(op, args)
	case len(op.calls) != 1 || op.calls[0].step != "":
		return b.runSteps(ctx, op, args)
	}
	c := &op.calls[0]
	own, refused := b.credential(ctx, c.to.upstream)
	if refused != nil {
		return nil, refused
	}
	frame := &frame{bound: b, op: op, args: args, call: c, own: own, mode: b.checks[c.to.upstream.at]}
	if f := frame.prepare(); f != nil {
		return nil, f
	}
	request, f := frame.request()
	if f != nil {
		return nil, f
	}
	response, err := b.clients[c.to.upstream.at].Do(ctx, request)
	if err != nil {
		return nil, err
	}
	out := &frame.output
	*out = Output{Status: response.Status, Header: response.Header, Body: response.Body, Advice: frame.advice, response: response}
	if f := frame.answer(out); f != nil {
		out.Release()
		return nil, f
	}
	return out, nil
}

// answer brings a success into the operation's shape.
func (f *frame) answer(out *Output) *fault.Fault {
	if !out.OK() || len(out.Body) == 0 {
		return nil
	}
	if f.call.to.binary {
		out.Binary, out.Media = true, out.MediaType()
		if f.call.to.mediaType != "" {
			out.Media = f.call.to.mediaType
		}
		if out.Media == "" {
			out.Media = "application/octet-stream"
		}
		return nil
	}
	if f.op.output == nil {
		err := jsonvalue.Check(out.Body)
		if err == nil {
			return nil
		}
		bad := &fault.Fault{
			Kind: fault.Decode, Outcome: fault.Answered, UpstreamStatus: out.Status, Cause: err,
			Message: fmt.Sprintf("the upstream answered %d with something that is not JSON (%s)", out.Status, mediaType(out.Header)),
		}
		if !f.op.Safe() {
			bad.Hint = "the request was processed; do not repeat it because of this"
		}
		return bad
	}
	mapped, mapping := f.op.output.apply(nil, out.Body, f.readable())
	if mapping != nil {
		mapping.UpstreamStatus = out.Status
		return mapping
	}
	out.response.Release()
	out.response, out.Body = nil, mapped
	return nil
}

func mediaType(h http.Header) string {
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if media == "" {
		return "no content type"
	}
	return clip(media)
}

// Find returns the operation that a name on a command line means: the name of
// a tool or REST operation, or NAMESPACE.OPERATION of a consumed one, and the
// names that it could have been.
func (p *Plan) Find(name string) (op *Operation, near string) {
	var names []string
	var found *Operation
	consider := func(candidate string, o *Operation) {
		names = append(names, candidate)
		if candidate == name && found == nil {
			found = o
		}
	}
	for _, a := range p.MCP {
		for _, t := range a.Tools {
			consider(t.Name, t.Operation)
			for _, c := range t.Calls() {
				consider(c.Upstream.Namespace+"."+c.Operation, t.Operation)
			}
		}
	}
	for _, a := range p.REST {
		for _, o := range a.Operations {
			consider(a.Namespace+"."+o.Name, o.Operation)
			for _, c := range o.Calls() {
				consider(c.Upstream.Namespace+"."+c.Operation, o.Operation)
			}
			consider(o.Name, o.Operation)
		}
	}
	if found != nil {
		return found, ""
	}
	return nil, diag.Nearest(name, names)
}
