package page

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"patchbay/internal/auth"
	"patchbay/internal/expose/rest"
)

// CatalogueInfo is what the pages of several adapters on one listener are made of.
type CatalogueInfo struct {
	Version string
	// BaseURL is the listener's address, MCP that of all tools, or "".
	BaseURL, MCP string
	Sandbox      bool
	// Members are the adapters. Their Directory is set here.
	Members []Info
	// Skipped are files that have errors and are not served.
	Skipped []Skipped
}

// Skipped is a file that is not served, and the first reason.
type Skipped struct{ File, Reason string }

// Catalogue is the pages of several adapters: a page with all of them and a
// search, the description of all, and for each adapter the pages that it has
// alone. The pages of an adapter are made when they are first asked for: they
// are large, and most are never read. It is safe for concurrent use.
type Catalogue struct {
	info   CatalogueInfo
	fixed  map[string]*rest.Page
	whole  func() *rest.Page
	member map[string]int

	mu    sync.Mutex
	built map[int]map[string]rest.Page
}

// maxBuilt bounds the adapters whose pages are kept.
const maxBuilt = 32

// NewCatalogue makes the page of all adapters.
func NewCatalogue(info CatalogueInfo) (*Catalogue, error) {
	c := &Catalogue{info: info, fixed: map[string]*rest.Page{}, member: map[string]int{}, built: map[int]map[string]rest.Page{}}
	for i := range info.Members {
		m := &info.Members[i]
		m.Directory = Root + url.PathEscape(m.Adapter.Namespace) + "/"
		c.member[url.PathEscape(m.Adapter.Namespace)] = i
	}
	people, err := c.overview()
	if err != nil {
		return nil, err
	}
	explained, err := explanation(titleOf(len(info.Members)), info.Version)
	if err != nil {
		return nil, err
	}
	c.fixed["/"], c.fixed[Root], c.fixed["/.patchbay"], c.fixed[problemsPath] = &people, &people, &people, &explained
	c.whole = sync.OnceValue(c.describeWhole)
	return c, nil
}

// Find returns the page at a path and the member whose callers may read it, or
// -1 for those of any.
func (c *Catalogue) Find(path string) (*rest.Page, int) {
	if p := c.fixed[path]; p != nil {
		return p, -1
	}
	if path == descriptionPath || path == "/openapi.json" {
		return c.whole(), -1
	}
	rest, ok := strings.CutPrefix(path, Root)
	if !ok {
		return nil, -1
	}
	namespace, _, _ := strings.Cut(rest, "/")
	at, ok := c.member[namespace]
	if !ok {
		return nil, -1
	}
	if p, ok := c.pages(at)[path]; ok {
		return &p, at
	}
	return nil, -1
}

// pages are those of one adapter. What cannot be rendered has none; tests
// render every template.
func (c *Catalogue) pages(at int) map[string]rest.Page {
	c.mu.Lock()
	pages, known := c.built[at]
	c.mu.Unlock()
	if known {
		return pages
	}
	pages, err := Build(c.info.Members[at])
	if err != nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for old := range c.built {
		if len(c.built) < maxBuilt {
			break
		}
		delete(c.built, old)
	}
	c.built[at] = pages
	return pages
}

// public reports which adapters the pages of all tell about: all where they let
// in the same callers, and otherwise those that let everybody in. Whoever any
// adapter lets in reads these pages.
func (c *Catalogue) public() func(m *Info) bool {
	verifier := func(m *Info) *auth.Verifier { return cmp.Or(m.Verifier, m.Bound.RESTVerifier(m.Adapter)) }
	if len(c.info.Members) == 0 {
		return func(*Info) bool { return true }
	}
	first := verifier(&c.info.Members[0])
	for i := range c.info.Members {
		if !first.Equal(verifier(&c.info.Members[i])) {
			return func(m *Info) bool { return verifier(m) == nil }
		}
	}
	return func(*Info) bool { return true }
}

func (c *Catalogue) describeWhole() *rest.Page {
	var members []Described
	public := c.public()
	for i := range c.info.Members {
		if m := &c.info.Members[i]; public(m) {
			members = append(members, Described{Plan: m.Bound.Plan, Adapter: m.Adapter, Mount: m.Mount, Verifier: m.Verifier, Limited: m.Limited, Keys: m.Keys})
		}
	}
	if members == nil {
		return nil // each adapter's own description is for its own callers
	}
	document, err := OpenAPI(members, c.info.BaseURL, c.info.Version)
	if err != nil {
		return nil
	}
	return &rest.Page{ContentType: "application/json", Data: document}
}

// catalogueView is the page of all adapters.
type catalogueView struct {
	Title, Version, BaseURL, MCP string
	Sandbox                      bool
	APIs                         []apiView
	Operations                   int
	Skipped                      []Skipped
	// OpenAPI is "" where nothing is open to all readers.
	OpenAPI, Problems string
}

// apiView is one adapter in the list.
type apiView struct {
	Label, Namespace, Description, Page, MCP string
	// Guarded reports that its operations are not listed here, because it wants
	// credentials and the page does not.
	Guarded    bool
	Count      int
	Operations []rowView
}

type rowView struct{ Method, Path, Summary, Link string }

// maxRowsListed bounds the operations that the page lists, of all adapters.
const maxRowsListed = 5000

func titleOf(n int) string { return fmt.Sprintf("%d APIs", n) }

func (c *Catalogue) overview() (rest.Page, error) {
	view := catalogueView{
		Title: titleOf(len(c.info.Members)), Version: c.info.Version, BaseURL: strings.TrimRight(c.info.BaseURL, "/"), MCP: c.info.MCP,
		Sandbox: c.info.Sandbox, Skipped: c.info.Skipped, Problems: problemsPath,
	}
	public := c.public()
	for i := range c.info.Members {
		m := &c.info.Members[i]
		api := apiView{
			Label: labelOf(m), Namespace: m.Adapter.Namespace, Page: m.Directory, Guarded: !public(m),
			Description: cmp.Or(m.Bound.Plan.Document.Info.Description.Value, m.Adapter.Description),
		}
		if len(m.MCP) > 0 {
			api.MCP = m.MCP[0].URL
		}
		if !api.Guarded {
			view.OpenAPI = descriptionPath
			api.Count = len(m.Adapter.Operations)
			api.Operations = rowsOf(m, maxRowsListed-view.Operations)
			view.Operations += api.Count
		}
		view.APIs = append(view.APIs, api)
	}
	return render("catalogue", catalogueTemplate, &view, true)
}

// rowsOf lists operations with links to where the adapter's own page has them.
func rowsOf(m *Info, most int) []rowView {
	var out []rowView
	ids := map[string]bool{}
	listed := m.Adapter.Operations
	for i, op := range listed[:min(len(listed), max(0, most))] {
		_, item := newPathItem(m.Mount + op.Path)
		link := m.Directory
		if i < maxListed {
			link += "#" + unique("op-"+operationID(op.Name), ids)
		}
		out = append(out, rowView{op.Method, item.template, summary(op.Operation), link})
	}
	return out
}
