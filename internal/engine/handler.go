package engine

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	mcpadapter "patchbay/internal/expose/mcp"
	"patchbay/internal/expose/page"
	"patchbay/internal/expose/rest"
	"patchbay/internal/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/sandbox"
)

// Listening describes an address that is served.
type Listening struct {
	// URL is the address; of MCP, the endpoint of all tools.
	URL string
	// REST and MCP are its adapters; one of them is empty.
	REST []ServedREST
	MCP  []ServedMCP
}

// ServedREST is a REST adapter that is served.
type ServedREST struct {
	Adapter *plan.RESTAdapter
	// URL precedes the paths of its routes.
	URL string
	// Mount is what of it does not stand in the file.
	Mount string
}

// ServedMCP is an MCP adapter that is served.
type ServedMCP struct {
	Adapter *plan.MCPAdapter
	// URL is the adapter's own endpoint.
	URL string
	// Tools are those that the operator's selection offers, Names what they are
	// called at the endpoint of all.
	Tools []*plan.Tool
}

// listening describes the open listeners.
func (e *Engine) listening(d *Deployment) []Listening {
	var out []Listening
	selection := d.selection()
	for i, l := range e.listeners {
		g := &d.groups[i]
		at := Listening{URL: l.url()}
		var offers mcpadapter.Offers
		if g.kind == kindMCP {
			at.URL += "/mcp"
			offers = g.offers()
		}
		for j, m := range g.members {
			if g.kind == kindREST {
				at.REST = append(at.REST, ServedREST{Adapter: m.rest, URL: at.URL + m.mount, Mount: m.mount})
				continue
			}
			served := ServedMCP{Adapter: m.mcp, URL: at.URL, Tools: selection.Offered(offers[j])}
			if len(g.members) > 1 {
				served.URL += "/" + url.PathEscape(m.namespace)
			}
			at.MCP = append(at.MCP, served)
		}
		out = append(out, at)
	}
	return out
}

func (e *Engine) handler(d *Deployment, g *group, l *listener, served []Listening) (http.Handler, error) {
	var h http.Handler
	var err error
	switch g.kind {
	case kindREST:
		h, err = e.restHandler(d, g, l, served)
	case kindMCP:
		h, err = mcpadapter.NewEndpoint(e.mcpMembers(d, g), mcp.HTTPOptions{MaxBodyBytes: d.Options.Limits.MaxBody + 1<<16})
	}
	if err != nil {
		return nil, err
	}
	return e.guarded(metadata(h, g, e.ids), l.host, g, d.Options)
}

func (e *Engine) restHandler(d *Deployment, g *group, l *listener, served []Listening) (http.Handler, error) {
	options := rest.Options{MaxBody: d.Options.Limits.MaxBody, Log: e.access, IDs: e.ids}
	infos := make([]page.Info, len(g.members))
	tools := map[*plan.MCPAdapter]string{}
	for _, at := range served {
		for _, a := range at.MCP {
			tools[a.Adapter] = a.URL
		}
	}
	for i, m := range g.members {
		options.Members = append(options.Members, rest.Member{
			Bound: m.bound, Adapter: m.rest, Verifier: m.verifier, Limiter: m.limiter, MaxBody: d.Options.Adapter(m.namespace).MaxBody, Mount: m.mount,
		})
		infos[i] = d.pageInfo(&m, l.url(), e.version, tools)
	}
	if len(infos) == 1 && len(d.Loaded.Skipped) == 0 {
		pages, err := page.Build(infos[0])
		if err != nil {
			return nil, err
		}
		options.Pages = func(path string) (*rest.Page, int) {
			if p, ok := pages[path]; ok {
				return &p, 0
			}
			return nil, 0
		}
		return rest.New(options), nil
	}
	catalogue, err := page.NewCatalogue(d.catalogue(infos, l.url(), e.version, served))
	if err != nil {
		return nil, err
	}
	options.Pages = catalogue.Find
	return rest.New(options), nil
}

// pageInfo is what the pages of one adapter are made of; tools are the addresses
// of the MCP adapters.
func (d *Deployment) pageInfo(m *member, address, version string, tools map[*plan.MCPAdapter]string) page.Info {
	info := page.Info{
		Version: version, Bound: m.bound, Adapter: m.rest, Mount: m.mount, BaseURL: address,
		Verifier: m.verifier, Limited: m.limiter != nil,
		File: d.Loaded.Visible(m.bound.Plan.Document.File), Embedded: d.Loaded.Embedded, Sandbox: d.Options.Sandbox.Enabled,
	}
	if info.Sandbox {
		info.Examples = map[string]string{"InteractionSid": sandbox.SeedInteraction, "ChannelSid": sandbox.SeedChannel}
	}
	for _, own := range m.bound.Plan.MCP {
		if url, listens := tools[own]; listens {
			info.MCP = append(info.MCP, page.MCPEndpoint{URL: url, Adapter: own, Verifier: d.verifierOf(own)})
		}
	}
	return info
}

func (d *Deployment) catalogue(members []page.Info, address, version string, served []Listening) page.CatalogueInfo {
	out := page.CatalogueInfo{Version: version, BaseURL: address, Sandbox: d.Options.Sandbox.Enabled, Members: members}
	for _, at := range served {
		if len(at.MCP) > 0 && out.MCP == "" {
			out.MCP = at.URL
		}
	}
	for _, s := range d.Loaded.Skipped {
		out.Skipped = append(out.Skipped, page.Skipped{File: s.Name(), Reason: s.Reason()})
	}
	return out
}

func (e *Engine) mcpMembers(d *Deployment, g *group) []mcpadapter.Member {
	out := make([]mcpadapter.Member, len(g.members))
	for i, m := range g.members {
		out[i] = mcpadapter.Member{
			Options: e.mcpOptions(d, m.bound, m.mcp), Verifier: m.verifier, Limiter: m.limiter, MaxBody: d.Options.Adapter(m.namespace).MaxBody + 1<<16,
		}
	}
	return out
}

func (e *Engine) mcpOptions(d *Deployment, b *plan.Bound, a *plan.MCPAdapter) mcpadapter.Options {
	return mcpadapter.Options{
		Bound: b, Adapter: a, Version: e.version, Log: e.access, IDs: e.ids, MaxResult: d.Options.MaxResult, Selection: *d.selection(),
	}
}

// selection is the operator's choice of tools.
func (d *Deployment) selection() *mcpadapter.Selection {
	return &mcpadapter.Selection{ReadOnly: d.Options.ReadOnly, Tools: d.Options.Tools, Tags: d.Options.Tags}
}

// checkSelection returns an error for a name of the operator's choice that is
// none of the deployment's.
func (d *Deployment) checkSelection() error {
	selection := d.selection()
	if len(selection.Tools)+len(selection.Tags) == 0 {
		return nil
	}
	var all []mcpadapter.Offers
	for _, b := range d.Bound {
		all = append(all, mcpadapter.NewOffers(b.Plan.MCP))
	}
	for i := range d.groups {
		if g := &d.groups[i]; g.kind == kindMCP {
			all = append(all, g.offers())
		}
	}
	return selection.Check(all...)
}

// Check makes what serving a deployment would make of its MCP adapters, without
// listening, and returns what would keep it from being served: files of
// resources and prompts that cannot be read, tools that are selected and do not
// exist.
func (e *Engine) Check(d *Deployment) error {
	if err := d.checkSelection(); err != nil {
		return err
	}
	var errs []error
	for _, b := range d.Bound {
		for _, a := range b.Plan.MCP {
			if _, err := mcpadapter.New(e.mcpOptions(d, b, a)); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", b.Plan.Document.File, err))
			}
		}
	}
	return errors.Join(errs...)
}
