// Package rest turns HTTP requests into the inputs of operations and their
// outputs into HTTP answers. Routes, inputs and the own pages are compiled when
// a deployment is made; a request is matched, verified, read, run and written
// in a straight line, and every fault becomes a problem in one place.
package rest

import (
	"context"
	"net/http"
	"time"

	"patchbay/internal/auth"
	"patchbay/internal/diag"
	"patchbay/internal/fault"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
	"patchbay/internal/route"
	"patchbay/internal/telemetry"
)

// Options are what a handler needs besides the plan.
type Options struct {
	Bound   *plan.Bound
	Adapter *plan.RESTAdapter
	// Verifier checks callers; nil lets everybody in.
	Verifier *auth.Verifier
	// MaxBody bounds request bodies, in bytes.
	MaxBody int64
	Log     *telemetry.Logger
	IDs     *telemetry.IDs
	// Pages are served below /.patchbay/, and at / and /openapi.json where no
	// route claims those.
	Pages map[string]Page
}

// Page is a document of our own.
type Page struct {
	ContentType string
	Data        []byte
	// Policy is the Content-Security-Policy; "" forbids everything.
	Policy string
}

// Handler serves a REST adapter. It is immutable and safe for concurrent use.
type Handler struct {
	opts   Options
	routes *route.Table[*endpoint]
	bodies bodyReader
}

// endpoint is a routed operation with what reading its inputs needs.
type endpoint struct {
	op *plan.RESTOperation
	// query, header and cookie inputs by index.
	query   []named
	headers []named
	cookies []named
	fields  []named
	body    int
	// wantsBody reports that some input comes from the request's body.
	wantsBody bool
	passes    []string
}

// named is an input with the forms of its name that requests are matched by.
type named struct {
	at     int
	name   string
	folded string
	header string
}

// New compiles a handler.
func New(opts Options) *Handler {
	h := &Handler{opts: opts, routes: &route.Table[*endpoint]{}}
	h.bodies.limit = opts.MaxBody
	for _, op := range opts.Adapter.Operations {
		e := newEndpoint(op)
		// The plan has already reported clashes.
		h.routes.Add(op.Path, op.Method, e)
	}
	return h
}

func newEndpoint(op *plan.RESTOperation) *endpoint {
	e := &endpoint{op: op, body: -1}
	for i := range op.Inputs {
		in := &op.Inputs[i]
		n := named{at: i, name: in.Name, folded: diag.Fold(in.Name), header: http.CanonicalHeaderKey(in.Name)}
		switch in.Location {
		case plan.Query:
			e.query = append(e.query, n)
		case plan.Header:
			e.headers = append(e.headers, n)
		case plan.Cookie:
			e.cookies = append(e.cookies, n)
		case plan.WholeBody:
			e.body, e.wantsBody = i, true
		case plan.BodyField:
			e.fields, e.wantsBody = append(e.fields, n), true
		}
	}
	e.passes = responseHeaders
	for _, c := range op.Calls() {
		if p := c.Upstream.Profile; p != nil && p.RequestID != "" {
			e.passes = append(e.passes[:len(e.passes):len(e.passes)], http.CanonicalHeaderKey(p.RequestID))
		}
	}
	return e
}

// exchange is one request on its way through.
type exchange struct {
	h      *Handler
	w      http.ResponseWriter
	r      *http.Request
	e      *endpoint
	access telemetry.Access
	args   plan.Args
	room   [8]jsonvalue.Value
	params [route.MaxParams]string
	// The values of two response headers, which net/http only reads.
	requestID, length [1]string
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	x := &exchange{h: h, w: w, r: r}
	x.access.Protocol, x.access.Adapter, x.access.Method = "rest", h.opts.Adapter.Namespace, r.Method
	x.access.RequestID = h.opts.IDs.Accept(r.Header.Get("X-Request-Id"))
	x.requestID[0] = x.access.RequestID
	w.Header()["X-Request-Id"] = x.requestID[:]
	if f := x.serve(r.Context()); f != nil {
		x.fail(f)
	}
	x.access.Duration = time.Since(start)
	h.opts.Log.Log(r.Context(), &x.access)
}

func (x *exchange) serve(ctx context.Context) *fault.Fault {
	path := x.r.URL.EscapedPath()
	found, params := x.h.routes.Match(path, x.params[:0])
	if ok, challenge := x.h.opts.Verifier.Verify(x.r); !ok {
		x.w.Header().Set("WWW-Authenticate", challenge)
		return fault.New(fault.Unauthenticated, "this adapter wants credentials")
	}
	if found == nil {
		if page, ok := x.h.page(path); ok {
			return x.servePage(page)
		}
	}
	if found == nil {
		return x.notFound(path)
	}
	x.access.Route = found.Pattern
	e, ok := found.Method(x.r.Method)
	if ok && x.r.Method == http.MethodHead && e.op.Method != http.MethodHead && !e.op.Safe() {
		ok = false // a HEAD that nobody declared must not change anything
	}
	if !ok {
		f := fault.New(fault.MethodNotAllowed, "%s answers no %s", found.Pattern, clip(x.r.Method))
		f.Allow = found.Allow()
		return f
	}
	x.e, x.access.Operation = e, e.op.Name
	if f := x.inputs(params); f != nil {
		return f
	}
	out, err := x.h.opts.Bound.Run(ctx, e.op.Operation, &x.args)
	if err != nil {
		return fault.Of(err)
	}
	x.access.Advice = len(out.Advice)
	if !out.Mock {
		x.access.UpstreamStatus = out.Status
	}
	x.write(out)
	out.Release()
	return nil
}

func (x *exchange) notFound(path string) *fault.Fault {
	f := fault.New(fault.NotFound, "no route matches %s", clip(path))
	if near := x.h.routes.Suggest(path); near != "" {
		f.Hint = "did you mean " + near + "? Case and trailing slashes count"
	} else {
		f.Hint = "see /.patchbay/ for what is served here"
	}
	return f
}

func clip(s string) string {
	const most = 120
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
