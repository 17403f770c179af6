package mcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Options describe a server. A nil list means that the server lacks the
// capability: it is not advertised and its methods do not exist. An empty
// non-nil list is a capability with nothing in it.
type Options struct {
	Name         string // required; serverInfo.name
	Title        string
	Version      string // required; serverInfo.version
	Instructions string // how a model uses the server; sent on opening

	Tools []Tool
	// Bound are tools of other servers, which follow Tools in the list. They are
	// shared, not encoded again; see [Server.Bound].
	Bound     []*BoundTool
	Resources []Resource
	Templates []ResourceTemplate
	Prompts   []Prompt
	// Complete suggests values for arguments of prompts and templates; nil means
	// that the server offers no completion.
	Complete func(context.Context, CompletionRequest) (Completion, error)

	Limits Limits

	// TTL and CacheScope are the caching hints of the lists and of
	// server/discover. The scope is "private" (default) or "public"; "public"
	// allows a cache to serve one caller's list to another.
	TTL        time.Duration
	CacheScope string

	// PageSize is how many items a list page holds, 250 by default: many
	// clients never ask for the second page.
	PageSize int

	// OnRequest is called for each request, when its answer is ready and before
	// that is written, from the goroutine that served it; for what the transport
	// refuses before there is a message; and for each notification or response of a
	// client, to which nothing is answered. Nil is allowed.
	OnRequest func(context.Context, RequestInfo)
}

// Limits bound what a client may send beyond the size of a message. Zero values
// take the defaults.
type Limits struct {
	Depth int // nesting of a message's JSON, default 128
	Batch int // messages in a batch, default 32
}

// RequestInfo is what an access log wants to know of one request. It holds no
// arguments and no results.
type RequestInfo struct {
	Method    string // as sent, at most 128 bytes; "" if it could not be read, "response" of one
	Target    string // the tool, prompt or resource, if the server has it
	Era       Era    // Legacy where Revision is ""
	Revision  string // "" if the request was refused before it was known
	Transport Transport
	ID        string // as JSON text
	ErrorCode int    // JSON-RPC error code, 0 for a result
	IsError   bool   // a tool's result says that it failed
	Called    bool   // a function of the adapter was called: a tool's, a prompt's or a resource's
	Err       error  // what a function returned or panicked with; for logs only
	Duration  time.Duration
	// Status is that of what the HTTP transport refused before there was a message,
	// whose Method is HTTP's; 0 of all others.
	Status    int
	RequestID string // X-Request-Id of the HTTP request
}

// Server answers MCP requests. It is immutable and safe for concurrent use.
type Server struct {
	opts         Options
	revisions    []revision
	methods      map[string]*method
	capabilities []byte // JSON object
	info         []byte // serverInfo as JSON object
	discover     [2][]byte
	// open is what follows the id up to the first member of a result, cacheable
	// the caching hints; both by era.
	open      [2][]byte
	cacheable [2][]byte

	tools     []*BoundTool
	toolNames []string
	toolIndex map[string]*BoundTool

	resourceIndex map[string]*Resource
	promptNames   []string
	promptIndex   map[string]*Prompt

	toolList, resourceList, templateList, promptList listing

	exchanges *sync.Pool
}

// New checks the options, encodes everything that does not depend on a request,
// and returns the server. All faults are reported, joined.
func New(opts Options) (*Server, error) {
	opts.setDefaults()
	s := &Server{opts: opts, revisions: revisions()}
	s.exchanges = &sync.Pool{New: func() any { return new(exchange) }}
	errs := []error{opts.check()}

	tools, err := bindTools(s.opts.Tools, s.opts.Bound)
	s.setTools(tools)
	errs = append(errs, err, s.setResources(), s.setPrompts())
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("mcp server: %w", err)
	}
	s.encodeFixed()
	s.methods = s.methodTable()
	return s, nil
}

// Bound returns the tools in their order, for a server that has them too.
func (s *Server) Bound() []*BoundTool { return s.tools }

// Filter says what a view has. A nil function keeps everything.
type Filter struct {
	// Title and Instructions replace the server's where they are not "".
	Title, Instructions string

	Tool func(*Tool) bool
	// Resource gets the URI of a resource, or the URI template of a template.
	Resource func(uri string) bool
	Prompt   func(name string) bool
}

// View returns a server like s that has only what the filter keeps. Tools are
// shared. It is how read-only endpoints and selections by URL are made, at load
// or once for many requests.
func (s *Server) View(f Filter) *Server {
	view := *s
	if f.Tool != nil {
		var kept []*BoundTool
		for _, t := range s.tools {
			if f.Tool(t.Tool) {
				kept = append(kept, t)
			}
		}
		view.setTools(kept)
	}
	// What [New] has accepted is accepted again.
	if f.Resource != nil {
		view.opts.Resources = kept(s.opts.Resources, func(r *Resource) bool { return f.Resource(r.URI) })
		view.opts.Templates = kept(s.opts.Templates, func(t *ResourceTemplate) bool { return f.Resource(t.URITemplate) })
		_ = view.setResources()
	}
	if f.Prompt != nil {
		view.opts.Prompts = kept(s.opts.Prompts, func(p *Prompt) bool { return f.Prompt(p.Name) })
		view.promptNames = nil
		_ = view.setPrompts()
	}
	if f.Title != "" || f.Instructions != "" {
		view.opts.Title, view.opts.Instructions = cmp.Or(f.Title, s.opts.Title), cmp.Or(f.Instructions, s.opts.Instructions)
		view.encodeFixed()
	}
	view.methods = view.methodTable()
	return &view
}

// kept is a list without what keep is false for; nil stays nil, because it says
// that the server lacks the capability.
func kept[T any](list []T, keep func(*T) bool) []T {
	if list == nil {
		return nil
	}
	out := make([]T, 0, len(list))
	for i := range list {
		if keep(&list[i]) {
			out = append(out, list[i])
		}
	}
	return out
}

func (o *Options) setDefaults() {
	// Indexes point into the lists, so they must not be the caller's.
	o.Tools, o.Resources = slices.Clone(o.Tools), slices.Clone(o.Resources)
	o.Templates, o.Prompts = slices.Clone(o.Templates), slices.Clone(o.Prompts)
	if o.Limits.Depth <= 0 {
		o.Limits.Depth = 128
	}
	if o.Limits.Batch <= 0 {
		o.Limits.Batch = 32
	}
	if o.PageSize <= 0 {
		o.PageSize = 250
	}
	if o.CacheScope == "" {
		o.CacheScope = "private"
	}
}

func (o *Options) check() error {
	var errs []error
	if o.Name == "" || o.Version == "" {
		errs = append(errs, errors.New("a server needs a name and a version"))
	}
	if o.CacheScope != "private" && o.CacheScope != "public" {
		errs = append(errs, fmt.Errorf("cache scope %q is neither private nor public", o.CacheScope))
	}
	if o.TTL < 0 {
		errs = append(errs, errors.New("the TTL is negative"))
	}
	return errors.Join(errs...)
}

// setTools installs the tools and their list.
func (s *Server) setTools(tools []*BoundTool) {
	s.tools = tools
	s.toolIndex = make(map[string]*BoundTool, len(tools))
	s.toolNames = make([]string, 0, len(tools))
	items := make([][]byte, 0, len(tools))
	for _, t := range tools {
		s.toolIndex[t.Name] = t
		s.toolNames = append(s.toolNames, t.Name)
		items = append(items, t.item)
	}
	s.toolList = newListing("tools", items, s.opts.PageSize)
}

// encodeFixed encodes what every answer of an era starts with, and the answers
// that are the same for everybody.
func (s *Server) encodeFixed() {
	info := newObject(nil)
	info.text("name", s.opts.Name)
	info.optional("title", s.opts.Title)
	info.text("version", s.opts.Version)
	s.info = info.close()

	s.open[Legacy] = []byte(`,"result":{`)
	s.open[Modern] = fmt.Appendf(nil, `,"result":{"resultType":"complete","_meta":{"%sserverInfo":%s},`, metaPrefix, s.info)
	s.cacheable[Modern] = s.appendCacheHints(nil, s.opts.TTL)
	s.capabilities = s.encodeCapabilities()

	for _, t := range []Transport{HTTP, Stdio} {
		out := append([]byte(nil), s.cacheable[Modern]...)
		out = append(out, `"supportedVersions":`...)
		out = append(out, s.supported(t)...)
		out = append(out, `,"capabilities":`...)
		out = append(out, s.capabilities...)
		if s.opts.Instructions != "" {
			out = append(out, `,"instructions":`...)
			out = quoted(out, s.opts.Instructions)
		}
		s.discover[t] = out
	}
}

// appendCacheHints writes the hints of a cacheable result, with a comma after.
func (s *Server) appendCacheHints(dst []byte, ttl time.Duration) []byte {
	dst = append(dst, `"ttlMs":`...)
	dst = strconv.AppendInt(dst, ttl.Milliseconds(), 10)
	dst = append(dst, `,"cacheScope":`...)
	dst = quoted(dst, s.opts.CacheScope)
	return append(dst, ',')
}

func (s *Server) encodeCapabilities() []byte {
	o := newObject(nil)
	for _, c := range []struct {
		name  string
		there bool
	}{
		{"completions", s.opts.Complete != nil},
		{"prompts", s.opts.Prompts != nil},
		{"resources", s.hasResources()},
		{"tools", s.hasTools()},
	} {
		if c.there {
			o.key(c.name)
			o.out = append(o.out, "{}"...)
		}
	}
	return o.close()
}

func (s *Server) hasTools() bool { return s.opts.Tools != nil || s.opts.Bound != nil }

func (s *Server) hasResources() bool { return s.opts.Resources != nil || s.opts.Templates != nil }

// supported encodes the revisions offered on a transport, newest first. The
// legacy ones are in it too: a client of a later revision that shares none of the
// modern ones learns that initialize would work.
func (s *Server) supported(t Transport) []byte {
	out := []byte{'['}
	for i := range s.revisions {
		if r := &s.revisions[i]; r.offeredOn(t) {
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = quoted(out, r.name)
		}
	}
	return append(out, ']')
}
