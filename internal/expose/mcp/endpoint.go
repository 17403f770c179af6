package mcp

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"patchbay/internal/auth"
	"patchbay/internal/fault"
	core "patchbay/internal/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/problem"
	"patchbay/internal/telemetry"
)

// Member is an adapter with what checks its callers; nil lets everybody in.
type Member struct {
	Options
	Verifier *auth.Verifier
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
	for i := range members {
		b, err := build(members[i].Options, offers[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", adapters[i].Namespace, err)
		}
		servers[i] = b
		server, err := core.New(b.options)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", adapters[i].Namespace, err)
		}
		b.server, b.options.Tools = server, nil // which are now the server's
		one := &served{server: server, options: options, offers: offers[i : i+1], http: server.HTTPHandler(options), guards: guardsOf(members[i : i+1]), views: map[string]http.Handler{}}
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
	e.whole = &served{server: server, options: options, offers: offers, http: server.HTTPHandler(options), guards: guardsOf(members), whole: true, members: members, owners: owners, views: map[string]http.Handler{}}
	return e, nil
}

// ServeHTTP answers a request to the endpoint or to one of its selections.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at, selection := e.find(r.URL.EscapedPath())
	guards := &e.whole.guards
	if at != nil {
		guards = &at.guards
	}
	admitted, challenge := guards.admit(r)
	switch {
	case challenge != "":
		w.Header().Set("WWW-Authenticate", challenge)
		e.refuse(w, r, fault.New(fault.Unauthenticated, "this adapter wants credentials"))
		return
	case at == nil:
		f := fault.New(fault.NotFound, "the MCP endpoint is /mcp")
		if len(e.members) > 1 {
			f.Hint = "each adapter has one of its own, /mcp/NAMESPACE"
		}
		e.refuse(w, r, f)
		return
	case admitted == "" && selection == "":
		at.http.ServeHTTP(w, r)
		return
	}
	view, err := at.view(admitted, selection)
	if err != nil {
		f := fault.New(fault.NotFound, "%v", err)
		f.Hint = "selections are /mcp/-/readonly, /mcp/-/tools/NAME,NAME and /mcp/-/tags/TAG,TAG"
		e.refuse(w, r, f)
		return
	}
	view.ServeHTTP(w, r)
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
func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	id := e.ids.Accept(r.Header.Get("X-Request-Id"))
	status := problem.Write(w, f, id)
	e.log.Log(r.Context(), &telemetry.Access{Protocol: "mcp", Adapter: e.name, Method: r.Method, Status: status, RequestID: id, Fault: f})
}

// guards check the callers of adapters: the different verifiers, and for each
// adapter which of them is its own.
type guards struct {
	verifiers []*auth.Verifier
	of        []int
}

func guardsOf(members []Member) guards {
	var g guards
	for i := range members {
		v := members[i].Verifier
		at := slices.IndexFunc(g.verifiers, v.Equal)
		if at < 0 {
			at = len(g.verifiers)
			g.verifiers = append(g.verifiers, v)
		}
		g.of = append(g.of, at)
	}
	return g
}

// admit returns "" for a caller whom all adapters admit; otherwise which
// verifiers do, as text of 0 and 1, or a challenge where none does.
func (g *guards) admit(r *http.Request) (admitted, challenge string) {
	if len(g.verifiers) == 1 {
		_, challenge = g.verifiers[0].Verify(r)
		return "", challenge
	}
	text := make([]byte, len(g.verifiers))
	none := true
	for i, v := range g.verifiers {
		ok, c := v.Verify(r)
		text[i] = '0'
		if ok {
			text[i], none = '1', false
		} else if challenge == "" {
			challenge = c
		}
	}
	switch {
	case none:
		return "", challenge
	case challenge == "":
		return "", ""
	}
	return string(text), ""
}

// served is a server with its views.
type served struct {
	server  *core.Server
	http    http.Handler
	options core.HTTPOptions
	offers  Offers
	guards  guards
	// whole reports that tools have their names among all.
	whole bool
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
