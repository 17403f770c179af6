package mcp

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"patchbay/internal/auth"
	"patchbay/internal/fault"
	core "patchbay/internal/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/problem"
	"patchbay/internal/ratelimit"
	"patchbay/internal/telemetry"
)

// Member is an adapter with what checks its callers; a nil Verifier lets everybody in.
type Member struct {
	Options
	Verifier *auth.Verifier
	// Limiter bounds how often one caller may ask; that of the first adapter
	// holds where all are asked at once.
	Limiter *ratelimit.Limiter
	// MaxBody bounds request bodies, in bytes; 0 is what the endpoint's options say.
	MaxBody int64
}

// Endpoint serves the adapters of a listener over HTTP: all of them at /mcp and
// /, each at /mcp/NAMESPACE, and selections of either below /-/. It is safe for
// concurrent use.
type Endpoint struct {
	whole   *served
	members map[string]*served
	log     *telemetry.Logger
	ids     *telemetry.IDs
	name    string
}

// NewEndpoint returns the endpoint of adapters whose namespaces differ. Nothing
// is listed at /mcp that its caller may not use: callers of adapters that want
// different credentials see different lists.
func NewEndpoint(members []Member, options core.HTTPOptions) (*Endpoint, error) {
	adapters := make([]*plan.MCPAdapter, len(members))
	for i := range members {
		adapters[i] = members[i].Adapter
	}
	offers := NewOffers(adapters)
	e := &Endpoint{members: map[string]*served{}, log: members[0].Log, ids: members[0].IDs, name: adapters[0].Namespace}
	servers := make([]*built, len(members))
	largest := options // all tools are reached at one address
	for i := range members {
		b, err := build(&members[i], offers[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", adapters[i].Namespace, err)
		}
		servers[i] = b
		server, err := core.New(b.options)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", adapters[i].Namespace, err)
		}
		b.server, b.options.Tools = server, nil // which are now the server's
		own := options
		own.MaxBodyBytes = cmp.Or(members[i].MaxBody, options.MaxBodyBytes)
		largest.MaxBodyBytes = max(largest.MaxBodyBytes, own.MaxBodyBytes)
		one := &served{server: server, options: own, offers: offers[i : i+1], http: server.HTTPHandler(own), limiter: members[i].Limiter, guards: guardsOf(members[i : i+1]), views: map[string]http.Handler{}}
		e.members[adapters[i].Namespace], e.whole = one, one
	}
	if len(members) == 1 {
		return e, nil
	}
	e.name = wholeName
	server, owners, err := whole(members, servers)
	if err != nil {
		return nil, err
	}
	e.whole = &served{server: server, options: largest, offers: offers, http: server.HTTPHandler(largest), limiter: members[0].Limiter, guards: guardsOf(members), whole: true, members: members, owners: owners, views: map[string]http.Handler{}}
	return e, nil
}

// ServeHTTP answers a request to the endpoint or to one of its selections.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.identify(w, r)
	at, selection := e.find(r.URL.EscapedPath())
	asked := at
	if asked == nil {
		asked = e.whole
	}
	p := asked.guards.admit(r)
	if f := asked.limiter.Admit(w.Header(), p.name, r.RemoteAddr); f != nil {
		e.refuse(w, r, f, p.name)
		return
	}
	r = allow(p.identify(r), asked.limiter, p.name)
	switch {
	case p.refusal != nil:
		p.refusal.Write(w.Header())
		e.refuse(w, r, p.refusal.Fault, "")
		return
	case at == nil:
		f := fault.New(fault.NotFound, "the MCP endpoint is /mcp")
		if len(e.members) > 1 {
			f.Hint = "each adapter has one of its own, /mcp/NAMESPACE"
		}
		e.refuse(w, r, f, p.name)
		return
	case p.admitted == "" && selection == "":
		at.http.ServeHTTP(w, r)
		return
	}
	view, err := at.view(p.admitted, selection)
	if err != nil {
		f := fault.New(fault.NotFound, "%v", err)
		f.Hint = "selections are /mcp/-/readonly, /mcp/-/tools/NAME,NAME and /mcp/-/tags/TAG,TAG"
		e.refuse(w, r, f, p.name)
		return
	}
	view.ServeHTTP(w, r)
}

// identify gives the request the name that it has in the answer and in whatever is
// told of it: the caller's, or one of ours, which takes its place.
func (e *Endpoint) identify(w http.ResponseWriter, r *http.Request) {
	given := r.Header["X-Request-Id"]
	id := e.ids.Accept(r.Header.Get("X-Request-Id"))
	if len(given) != 1 || given[0] != id {
		given = []string{id}
		r.Header["X-Request-Id"] = given
	}
	w.Header()["X-Request-Id"] = given
}

// find returns what an escaped path means, and the selection in it: nil for
// nothing, "" for no selection.
func (e *Endpoint) find(path string) (at *served, selection string) {
	if path == "/mcp" || path == "/" {
		return e.whole, ""
	}
	rest, ok := strings.CutPrefix(path, "/mcp/")
	if !ok {
		return nil, ""
	}
	if selection, ok := strings.CutPrefix(rest, "-/"); ok {
		return e.whole, cmp.Or(selection, "/")
	}
	namespace, rest, deeper := strings.Cut(rest, "/")
	if decoded, err := url.PathUnescape(namespace); err == nil {
		at = e.members[decoded]
	}
	if !deeper {
		return at, ""
	}
	selection, ok = strings.CutPrefix(rest, "-/")
	if !ok {
		return nil, ""
	}
	return at, cmp.Or(selection, "/")
}

// refuse answers what never reaches the protocol, and logs it.
func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, f *fault.Fault, caller string) {
	id := r.Header.Get("X-Request-Id")
	status := problem.Write(w, f, id)
	access := &telemetry.Access{Protocol: "mcp", Adapter: e.name, Caller: caller, Method: r.Method, Secure: r.TLS != nil, Status: status, RequestID: id, Fault: f}
	e.log.Log(access.Begin(r.Context(), e.log, telemetry.HeaderCarrier(r.Header), time.Now()), access)
}

// served is a server with its views.
type served struct {
	server  *core.Server
	http    http.Handler
	options core.HTTPOptions
	offers  Offers
	guards  guards
	// whole reports that tools have their names among all.
	whole   bool
	limiter *ratelimit.Limiter
	// members and owners, which says which adapter gives a prompt, resource or
	// template, are those of all adapters; nil where there is only one.
	members []Member
	owners  *owners

	mu    sync.Mutex
	views map[string]http.Handler
}

// shown is a tool as one server offers it.
type shown struct {
	offer  *Offer
	member int
}

// maxViews bounds the selections that are kept prepared.
const maxViews = 64

// shown returns the tools by the names under which they are offered here. Only
// views need it, and most servers never have one.
func (s *served) shown() map[string]shown {
	out := map[string]shown{}
	for i := range s.offers {
		for j := range s.offers[i] {
			o := &s.offers[i][j]
			name := o.Own
			if s.whole {
				name = o.Whole
			}
			out[name] = shown{o, i}
		}
	}
	return out
}

// view returns the handler of what a caller may use of a selection.
func (s *served) view(admitted, selection string) (http.Handler, error) {
	var chosen Selection
	if selection != "" {
		var err error
		if chosen, err = ParseSelection(selection); err != nil {
			return nil, err
		}
	}
	key := admitted + " " + chosen.canonical()
	s.mu.Lock()
	h := s.views[key]
	s.mu.Unlock()
	if h != nil {
		return h, nil
	}
	if err := chosen.Check(s.offers); err != nil {
		return nil, err
	}
	// Made without the lock: other selections must not wait for it.
	h = s.server.View(s.filter(admitted, &chosen)).HTTPHandler(s.options)
	s.mu.Lock()
	defer s.mu.Unlock()
	for old := range s.views {
		if len(s.views) < maxViews {
			break
		}
		delete(s.views, old)
	}
	s.views[key] = h
	return h, nil
}

func (s *served) filter(admitted string, chosen *Selection) core.Filter {
	may := func(member int) bool { return admitted == "" || admitted[s.guards.of[member]] == '1' }
	tools := s.shown()
	f := core.Filter{Tool: func(t *core.Tool) bool {
		tool := tools[t.Name]
		return may(tool.member) && chosen.keeps(tool.offer)
	}}
	if admitted != "" {
		var open []Member
		for i := range s.members {
			if may(i) {
				open = append(open, s.members[i])
			}
		}
		f.Title, f.Instructions = wholeTitle(open), wholeInstructions(open)
		f.Resource = func(uri string) bool { return may(s.owners.resources[uri]) }
		f.Prompt = func(name string) bool { return may(s.owners.prompts[name].member) }
	}
	return f
}
