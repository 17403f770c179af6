// Package rest turns HTTP requests into the inputs of operations and their
// outputs into HTTP answers. Routes, inputs and the own pages are compiled when
// a deployment is made; a request is matched, verified, read, run and written
// in a straight line, and every fault becomes a problem in one place.
package rest

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"patchbay/internal/auth"
	"patchbay/internal/diag"
	"patchbay/internal/fault"
	"patchbay/internal/idempotency"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
	"patchbay/internal/route"
	"patchbay/internal/telemetry"
)

// Options are what a handler needs besides the plan.
type Options struct {
	// Members are the adapters that share the listener. No two of them have a
	// route in common.
	Members []Member
	// MaxBody bounds request bodies, in bytes.
	MaxBody int64
	Log     *telemetry.Logger
	IDs     *telemetry.IDs
	// Keys keeps what becomes of requests with an idempotency key; nil takes none.
	Keys *idempotency.Keeper
	// Pages finds documents of our own, which are served where no route claims
	// their path; nil has none.
	Pages Pages
}

// Member is an adapter of a listener.
type Member struct {
	Bound   *plan.Bound
	Adapter *plan.RESTAdapter
	// Verifier checks callers; nil lets everybody in.
	Verifier *auth.Verifier
	// Mount is a path, such as /twilio, under which all routes of the adapter
	// stand; "" for none.
	Mount string
}

// Pages finds the page at an escaped path, and the member whose callers may
// read it; -1 stands for the callers of any member. It is called concurrently.
type Pages func(path string) (page *Page, member int)

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
	// verifiers are the different ones of the members.
	verifiers []*auth.Verifier
}

// endpoint is a routed operation with what reading its inputs needs.
type endpoint struct {
	op     *plan.RESTOperation
	member *Member
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
	for i := range opts.Members {
		m := &opts.Members[i]
		if !slices.ContainsFunc(h.verifiers, m.Verifier.Equal) {
			h.verifiers = append(h.verifiers, m.Verifier)
		}
		for _, op := range m.Adapter.Operations {
			// Clashes have been reported when the deployment was bound.
			h.routes.Add(m.Mount+op.Path, op.Method, newEndpoint(m, op))
		}
	}
	return h
}

func newEndpoint(m *Member, op *plan.RESTOperation) *endpoint {
	e := &endpoint{op: op, member: m, body: -1}
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
	// caller names who asks, where callers have names.
	caller string
	room   [8]jsonvalue.Value
	params [route.MaxParams]string
	// The values of two response headers, which net/http only reads.
	requestID, length [1]string
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	x := &exchange{h: h, w: w, r: r}
	x.access.Protocol, x.access.Method = "rest", r.Method
	if len(h.opts.Members) == 1 {
		x.access.Adapter = h.opts.Members[0].Adapter.Namespace
	}
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
	if found == nil {
		return x.serveUnrouted(path)
	}
	x.access.Route = found.Pattern
	e, ok := found.Method(x.r.Method)
	if ok && x.r.Method == http.MethodHead && e.op.Method != http.MethodHead && !e.op.Safe() {
		ok = false // a HEAD that nobody declared must not change anything
	}
	if !ok {
		if f := x.verifyAny(); f != nil {
			return f
		}
		f := fault.New(fault.MethodNotAllowed, "%s answers no %s", found.Pattern, clip(x.r.Method))
		f.Allow = found.Allow()
		return f
	}
	x.e, x.access.Adapter, x.access.Operation = e, e.member.Adapter.Namespace, e.op.Name
	if f := x.verify(e.member); f != nil {
		return f
	}
	if f := x.inputs(params); f != nil {
		return f
	}
	out, err := x.run(ctx, e)
	if err != nil {
		return fault.Of(err)
	}
	x.access.Advice, x.access.Retries = len(out.Advice), out.Retries
	if !out.Mock && !x.access.Replayed {
		x.access.UpstreamStatus = out.Status
	}
	x.write(out)
	out.Release()
	return nil
}

// serveUnrouted answers a path that no route has: with a page of our own, or
// not at all.
func (x *exchange) serveUnrouted(path string) *fault.Fault {
	if x.h.opts.Pages != nil {
		if page, member := x.h.opts.Pages(path); page != nil {
			f := x.verifyAny()
			if member >= 0 {
				f = x.verify(&x.h.opts.Members[member])
			}
			if f != nil {
				return f
			}
			return x.servePage(page)
		}
	}
	if f := x.verifyAny(); f != nil {
		return f
	}
	return x.notFound(path)
}

// verify checks the caller of a member.
func (x *exchange) verify(m *Member) *fault.Fault {
	if ok, challenge := m.Verifier.Verify(x.r); !ok {
		return x.unauthenticated(challenge)
	}
	return nil
}

// verifyAny checks a caller of what belongs to no member: one whom any of them
// lets in may know it.
func (x *exchange) verifyAny() *fault.Fault {
	first := ""
	for _, v := range x.h.verifiers {
		ok, challenge := v.Verify(x.r)
		if ok {
			return nil
		}
		first = cmp.Or(first, challenge)
	}
	return x.unauthenticated(first)
}

func (x *exchange) unauthenticated(challenge string) *fault.Fault {
	x.w.Header().Set("WWW-Authenticate", challenge)
	return fault.New(fault.Unauthenticated, "this adapter wants credentials")
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
