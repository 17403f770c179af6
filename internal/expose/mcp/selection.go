package mcp

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"patchbay/internal/auth"
	"patchbay/internal/diag"
	"patchbay/internal/fault"
	core "patchbay/internal/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/problem"
	"patchbay/internal/telemetry"
)

// Selection says which tools are offered. The zero Selection offers all. An
// operator's selection is an upper bound: a URL can only narrow it.
type Selection struct {
	// ReadOnly keeps the tools whose upstream methods are all safe (RFC 9110
	// section 9.2.1). It is what the server enforces; a tool's readOnly hint is
	// only what its file claims.
	ReadOnly bool
	// Tools and Tags keep what is named by either; both empty keep everything.
	Tools, Tags []string
}

// keeps reports whether a tool is selected. name is the name it is offered by.
func (s *Selection) keeps(t *plan.Tool, name string) bool {
	if s.ReadOnly && !t.Safe() {
		return false
	}
	if len(s.Tools)+len(s.Tags) == 0 {
		return true
	}
	if slices.Contains(s.Tools, name) || slices.Contains(s.Tools, t.Name) {
		return true
	}
	return slices.ContainsFunc(t.Tags, func(tag string) bool { return slices.Contains(s.Tags, tag) })
}

// Offered returns the tools of an adapter that the selection keeps, in order.
func (s *Selection) Offered(a *plan.MCPAdapter) []*plan.Tool {
	var out []*plan.Tool
	for i, name := range offeredNames(a) {
		if s.keeps(a.Tools[i], name) {
			out = append(out, a.Tools[i])
		}
	}
	return out
}

// selectionRoot precedes a selection in the endpoint's URL. No tool and no
// namespace can be called "-".
const selectionRoot = "/mcp/-/"

// ParseSelection reads the selection of a URL path: /mcp/-/ and then any of
// readonly, tools/NAME,NAME and tags/TAG,TAG.
func ParseSelection(path string) (Selection, error) {
	var s Selection
	parts := strings.Split(strings.TrimPrefix(path, selectionRoot), "/")
	for i := 0; i < len(parts); i++ {
		switch parts[i] {
		case "readonly":
			s.ReadOnly = true
			continue
		case "tools", "tags":
		default:
			err := fmt.Errorf("%q is not readonly, tools or tags", clip(parts[i]))
			if near := diag.Nearest(parts[i], []string{"readonly", "tools", "tags"}); near != "" {
				err = fmt.Errorf("%w; did you mean %s?", err, near)
			}
			return s, err
		}
		if i+1 == len(parts) || parts[i+1] == "" {
			return s, fmt.Errorf("%s wants names, separated by commas", parts[i])
		}
		for name := range strings.SplitSeq(parts[i+1], ",") {
			if len(s.Tools)+len(s.Tags) == maxSelected {
				return s, fmt.Errorf("a selection names at most %d tools and tags", maxSelected)
			}
			decoded, err := url.PathUnescape(name)
			if err != nil || decoded == "" {
				return s, fmt.Errorf("%q is not a name", clip(name))
			}
			if parts[i] == "tools" {
				s.Tools = append(s.Tools, decoded)
			} else {
				s.Tags = append(s.Tags, decoded)
			}
		}
		i++
	}
	return s, nil
}

// Check returns an error for a name of the selection that no tool of the
// adapters has. The error says what it could have been meant for.
func (s *Selection) Check(adapters ...*plan.MCPAdapter) error {
	var names, tags []string
	for _, a := range adapters {
		names = append(names, offeredNames(a)...)
		for _, t := range a.Tools {
			names = append(names, t.Name)
			tags = append(tags, t.Tags...)
		}
	}
	for _, check := range []struct {
		kind          string
		given, having []string
	}{{"tool", s.Tools, names}, {"tag", s.Tags, tags}} {
		for _, name := range check.given {
			if slices.Contains(check.having, name) {
				continue
			}
			if near := diag.Nearest(name, check.having); near != "" {
				return fmt.Errorf("there is no %s %q; did you mean %s?", check.kind, clip(name), near)
			}
			return fmt.Errorf("there is no %s %q", check.kind, clip(name))
		}
	}
	return nil
}

// maxSelected bounds the names of a selection.
const maxSelected = 500

// maxViews bounds the selections that are kept prepared.
const maxViews = 64

// Endpoint serves an adapter over HTTP at /mcp and /, and its selections below
// /mcp/-/. It is safe for concurrent use.
type Endpoint struct {
	server  *core.Server
	opts    Options
	adapter *plan.MCPAdapter
	tools   map[string]*plan.Tool
	options core.HTTPOptions
	whole   http.Handler

	mu    sync.Mutex
	views map[string]http.Handler
}

// NewEndpoint returns the endpoint of a server that [New] made from the same
// options.
func NewEndpoint(server *core.Server, opts Options, options core.HTTPOptions) *Endpoint {
	e := &Endpoint{server: server, opts: opts, adapter: opts.Adapter, tools: map[string]*plan.Tool{}, options: options, views: map[string]http.Handler{}}
	for i, name := range offeredNames(opts.Adapter) {
		e.tools[name] = opts.Adapter.Tools[i]
	}
	e.whole = server.HTTPHandler(options)
	return e
}

// ServeHTTP answers a request to the endpoint or to one of its selections.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.EscapedPath(); {
	case path == "/mcp" || path == "/":
		e.whole.ServeHTTP(w, r)
	case strings.HasPrefix(path, selectionRoot):
		view, err := e.view(path)
		if err != nil {
			f := fault.New(fault.NotFound, "%v", err)
			f.Hint = "selections are /mcp/-/readonly, /mcp/-/tools/NAME,NAME and /mcp/-/tags/TAG,TAG"
			e.refuse(w, r, f)
			return
		}
		view.ServeHTTP(w, r)
	default:
		e.refuse(w, r, fault.New(fault.NotFound, "the MCP endpoint is /mcp"))
	}
}

// refuse answers what never reaches the protocol, and logs it.
func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	id := e.opts.IDs.Accept(r.Header.Get("X-Request-Id"))
	status := problem.Write(w, f, id)
	e.opts.Log.Log(r.Context(), &telemetry.Access{Protocol: "mcp", Adapter: e.adapter.Namespace, Method: r.Method, Status: status, RequestID: id, Fault: f})
}

// Guard puts a verifier of callers before the endpoint; nil lets everybody in.
func (e *Endpoint) Guard(v *auth.Verifier) http.Handler {
	if v == nil {
		return e
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ok, challenge := v.Verify(r); !ok {
			w.Header().Set("WWW-Authenticate", challenge)
			e.refuse(w, r, fault.New(fault.Unauthenticated, "this adapter wants credentials"))
			return
		}
		e.ServeHTTP(w, r)
	})
}

func (e *Endpoint) view(path string) (http.Handler, error) {
	s, err := ParseSelection(path)
	if err != nil {
		return nil, err
	}
	key := s.canonical()
	e.mu.Lock()
	h := e.views[key]
	e.mu.Unlock()
	if h != nil {
		return h, nil
	}
	if err := s.Check(e.adapter); err != nil {
		return nil, err
	}
	// Made without the lock: other selections must not wait for it.
	h = e.server.View(func(t *core.Tool) bool { return s.keeps(e.tools[t.Name], t.Name) }).HTTPHandler(e.options)
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.views) < maxViews {
		e.views[key] = h
	}
	return h, nil
}

// canonical sorts the selection's names, drops repeated ones, and returns the
// one text that stands for all spellings of it.
func (s *Selection) canonical() string {
	slices.Sort(s.Tools)
	s.Tools = slices.Compact(s.Tools)
	slices.Sort(s.Tags)
	s.Tags = slices.Compact(s.Tags)
	return fmt.Sprintf("%v %q %q", s.ReadOnly, s.Tools, s.Tags)
}
