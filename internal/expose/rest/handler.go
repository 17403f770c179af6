// Package rest turns HTTP requests into the inputs of operations and their
// outputs into HTTP answers. Routes, inputs and the own pages are compiled when
// a deployment is made; a request is matched, verified, read, run and written
// in a straight line, and every fault becomes a problem in one place.
package rest

import (
	"cmp"
	"context"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"patchbay/internal/auth"
	"patchbay/internal/diag"
	"patchbay/internal/fault"
	"patchbay/internal/idempotency"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
	"patchbay/internal/ratelimit"
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
	// Secure reports that the listener speaks TLS.
	Secure bool
	Log    *telemetry.Logger
	IDs    *telemetry.IDs
	// Keys keeps what becomes of requests with an idempotency key; nil takes none.
	Keys *idempotency.Keeper
	// Pages finds documents of our own, which are served where no route claims
	// their path, and at /.patchbay and below in any case; nil has none.
	Pages Pages
}

// Member is an adapter of a listener.
type Member struct {
	Bound   *plan.Bound
	Adapter *plan.RESTAdapter
	// Verifier checks callers; nil lets everybody in. Limiter bounds how often
	// one may call.
	Verifier *auth.Verifier
	Limiter  *ratelimit.Limiter
	// MaxBody bounds request bodies, in bytes; 0 is what [Options] says.
	MaxBody int64
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
	// passes are the response headers that pass on.
	passes map[string]bool
	// doors are the different verifiers of the members, each with a limiter of
	// its first.
	doors []door
}

// door is a verifier with what bounds those who knock.
type door struct {
	verifier *auth.Verifier
	limiter  *ratelimit.Limiter
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
	// passes are response headers that pass on beside those of all operations.
	passes []string
	bodies *bodyReader
	// counts is where requests to it are counted.
	counts *telemetry.Operation
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
	h := &Handler{opts: opts, routes: &route.Table[*endpoint]{}, passes: passing()}
	for i := range opts.Members {
		m := &opts.Members[i]
		if !slices.ContainsFunc(h.doors, func(d door) bool { return d.verifier.Equal(m.Verifier) }) {
			h.doors = append(h.doors, door{m.Verifier, m.Limiter})
		}
		bodies := &bodyReader{limit: cmp.Or(m.MaxBody, opts.MaxBody)}
		for _, op := range m.Adapter.Operations {
			// Clashes have been reported when the deployment was bound.
			e := newEndpoint(m, op, bodies)
			if opts.Log != nil {
				e.counts = opts.Log.Metrics().Operation(telemetry.OperationInfo{
					Protocol: "rest", Adapter: m.Adapter.Namespace, Name: op.Name, Method: op.Method, Route: m.Mount + op.Path, Secure: opts.Secure,
					Changes: !op.Safe(), Targets: m.Bound.Targets(op.Operation),
				})
			}
			h.routes.Add(m.Mount+op.Path, op.Method, e)
		}
	}
	return h
}

func newEndpoint(m *Member, op *plan.RESTOperation, bodies *bodyReader) *endpoint {
	e := &endpoint{op: op, member: m, body: -1, bodies: bodies}
	ways := m.Verifier.Ways()
	for i := range op.Inputs {
		in := &op.Inputs[i]
		if showsCredentials(ways, in) {
			continue
		}
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
	for _, c := range op.Calls() {
		if p := c.Upstream.Profile; p != nil && p.RequestID != "" {
			e.passes = append(e.passes, http.CanonicalHeaderKey(p.RequestID))
		}
	}
	return e
}

// showsCredentials reports whether an input stands where callers show their
// credentials: what is shown there is for the adapter, and goes no further.
func showsCredentials(ways []auth.Way, in *plan.Input) bool {
	return slices.ContainsFunc(ways, func(w auth.Way) bool {
		switch w.Scheme {
		case auth.SchemeBasic, auth.SchemeBearer, auth.SchemeJWT:
			return in.Location == plan.Header && strings.EqualFold(in.Name, "Authorization")
		case auth.SchemeAPIKey:
			switch in.Location {
			case plan.Header:
				return w.Place == auth.InHeader && strings.EqualFold(in.Name, w.Name)
			case plan.Query:
				return w.Place == auth.InQuery && diag.Fold(in.Name) == diag.Fold(w.Name)
			case plan.Cookie:
				return w.Place == auth.InCookie && in.Name == w.Name
			}
		case auth.SchemeCertificate:
		}
		return false
	})
}

// exchange is one request on its way through.
type exchange struct {
	h      *Handler
	w      http.ResponseWriter
	r      *http.Request
	e      *endpoint
	access telemetry.Access
	args   plan.Args
	// Room for what most operations have; more is allocated.
	room   [4]jsonvalue.Value
	params [4]string
	// The values of two response headers, which net/http only reads.
	requestID, length [1]string
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	x := &exchange{h: h, w: w, r: r}
	ctx := x.access.Begin(r.Context(), h.opts.Log, telemetry.HeaderCarrier(r.Header), start)
	defer x.access.Leave()
	x.access.Protocol, x.access.Method, x.access.Secure = "rest", r.Method, r.TLS != nil
	if len(h.opts.Members) == 1 {
		x.access.Adapter = h.opts.Members[0].Adapter.Namespace
	}
	x.access.RequestID = h.opts.IDs.Accept(r.Header.Get("X-Request-Id"))
	x.requestID[0] = x.access.RequestID
	w.Header()["X-Request-Id"] = x.requestID[:]
	cut := x.answer(ctx)
	x.access.Duration = time.Since(start)
	h.opts.Log.Log(ctx, &x.access)
	if cut {
		panic(http.ErrAbortHandler)
	}
}

// answer answers the request. A panic ends here: it is told, and answered as a
// fault, unless an answer had begun, which has to be cut then.
func (x *exchange) answer(ctx context.Context) (cut bool) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		f := x.h.opts.Log.Panicked(ctx, &x.access, v, debug.Stack())
		if cut = x.access.Status != 0; cut {
			x.access.Fault = f
			return
		}
		x.fail(f)
	}()
	if f := x.serve(ctx); f != nil {
		x.fail(f)
	}
	return false
}

func (x *exchange) serve(ctx context.Context) *fault.Fault {
	path := x.r.URL.EscapedPath()
	if strings.HasPrefix(path, ownPages) {
		// A route such as /{a}/{b} must not hide what problems refer to.
		if page, member := x.page(path); page != nil {
			return x.serveOwn(page, member)
		}
	}
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
	x.e = e
	x.access.Reach(e.counts)
	caller, f := x.verify(e.member.Verifier, e.member.Limiter)
	if f != nil {
		return f
	}
	if refused := e.member.Verifier.Permit(caller, e.op.Name); refused != nil {
		return x.refused(refused)
	}
	if f := x.inputs(params); f != nil {
		return f
	}
	out, err := x.run(auth.WithCaller(ctx, caller), e)
	if err != nil {
		return fault.Of(err)
	}
	x.access.Advice, x.access.Retries = len(out.Advice), out.Retries
	x.access.Answer(out.Outcome, out.Status, out.Effects)
	if !out.Mock && !x.access.Replayed {
		x.access.UpstreamStatus = out.Status
	}
	x.write(out)
	out.Release()
	return nil
}

// ownPages is the path at and below which own pages come before routes.
const ownPages = "/.patchbay"

func (x *exchange) page(path string) (page *Page, member int) {
	if x.h.opts.Pages == nil {
		return nil, -1
	}
	return x.h.opts.Pages(path)
}

// serveOwn answers with a page to those who may read it.
func (x *exchange) serveOwn(page *Page, member int) *fault.Fault {
	if member < 0 {
		if f := x.verifyAny(); f != nil {
			return f
		}
		return x.servePage(page)
	}
	m := &x.h.opts.Members[member]
	if _, f := x.verify(m.Verifier, m.Limiter); f != nil {
		return f
	}
	return x.servePage(page)
}

// serveUnrouted answers a path that no route has: with a page of our own, or
// not at all.
func (x *exchange) serveUnrouted(path string) *fault.Fault {
	if page, member := x.page(path); page != nil {
		return x.serveOwn(page, member)
	}
	if f := x.verifyAny(); f != nil {
		return f
	}
	return x.notFound(path)
}

// verify checks the caller of a member. Whoever is refused is counted too, by its
// address, so that nobody can try secrets without end.
func (x *exchange) verify(v *auth.Verifier, l *ratelimit.Limiter) (*auth.Caller, *fault.Fault) {
	caller, refused := v.Verify(x.r)
	x.access.Caller = caller.CallerName()
	if f := l.Admit(x.w.Header(), x.access.Caller, x.r.RemoteAddr); f != nil {
		return nil, f
	}
	if refused != nil {
		return nil, x.refused(refused)
	}
	return caller, nil
}

// verifyAny checks a caller of what belongs to no member: one whom any of them
// lets in may know it.
func (x *exchange) verifyAny() *fault.Fault {
	var first *auth.Refusal
	for _, d := range x.h.doors {
		caller, refused := d.verifier.Verify(x.r)
		if refused == nil {
			x.access.Caller = caller.CallerName()
			return d.limiter.Admit(x.w.Header(), x.access.Caller, x.r.RemoteAddr)
		}
		if first == nil {
			first = refused
		}
	}
	if f := x.h.doors[0].limiter.Admit(x.w.Header(), "", x.r.RemoteAddr); f != nil {
		return f
	}
	return x.refused(first)
}

func (x *exchange) refused(r *auth.Refusal) *fault.Fault {
	r.Write(x.w.Header())
	return r.Fault
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
