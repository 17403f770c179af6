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

// listening describes the listeners of a deployment's groups.
func listening(d *Deployment, listeners []*listener) []Listening {
	var out []Listening
	for i, l := range listeners {
		g := &d.groups[i]
		at := Listening{URL: l.url(g.tls.On())}
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
			served := ServedMCP{Adapter: m.mcp, URL: at.URL, Tools: d.selection(m.namespace).Offered(offers[j])}
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
		h, err = mcpadapter.NewEndpoint(e.mcpMembers(d, g), mcp.HTTPOptions{MaxBodyBytes: d.maxBody(g) + 1<<16})
	}
	if err != nil {
		return nil, err
	}
	return e.guarded(e.metadata(h, g), l.host, g, d.Options)
}

func (e *Engine) restHandler(d *Deployment, g *group, l *listener, served []Listening) (http.Handler, error) {
	options := rest.Options{MaxBody: d.maxBody(g), Secure: g.tls.On(), Log: e.access, IDs: e.ids, Keys: e.keys.keeper(d.Options)}
	address := l.url(g.tls.On())
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
		infos[i] = d.pageInfo(&m, address, e.version, tools)
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
	catalogue, err := page.NewCatalogue(d.catalogue(infos, address, e.version, served))
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
		Verifier: m.verifier, Limited: m.limiter != nil, Keys: !d.Options.Idempotency.Off,
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
		Bound: b, Adapter: a, Version: e.version, Log: e.access, IDs: e.ids, MaxResult: d.Options.Adapter(a.Namespace).MaxResult, Keys: e.keys.keeper(d.Options), Selection: *d.selection(a.Namespace),
	}
}

// maxBody bounds the requests to a group: an address takes what the most
// generous of its adapters takes.
func (d *Deployment) maxBody(g *group) int64 {
	var most int64
	for i := range g.members {
		most = max(most, d.Options.Adapter(g.members[i].namespace).MaxBody)
	}
	return most
}

// selection is the operator's choice among the tools of an adapter.
func (d *Deployment) selection(namespace string) *mcpadapter.Selection {
	a := d.Options.Adapter(namespace)
	return &mcpadapter.Selection{ReadOnly: a.ReadOnly, Tools: a.Tools, Tags: a.Tags}
}

// selects reports whether the operator has chosen tools by name or tag.
func (d *Deployment) selects() bool {
	n := len(d.Options.Tools) + len(d.Options.Tags)
	for _, a := range d.Options.AdapterSettings {
		n += len(a.Tools) + len(a.Tags)
	}
	return n > 0
}

// checkSelection returns an error for a name of the operator's choice that is
// none of those that it is about: all adapters, or one.
func (d *Deployment) checkSelection() error {
	if !d.selects() {
		return nil
	}
	var all []mcpadapter.Offers
	own := map[string][]mcpadapter.Offers{}
	add := func(offers mcpadapter.Offers, namespaces ...string) {
		all = append(all, offers)
		for _, ns := range namespaces {
			own[ns] = append(own[ns], offers)
		}
	}
	for _, b := range d.Bound {
		var namespaces []string
		for _, a := range b.Plan.MCP {
			namespaces = append(namespaces, a.Namespace)
		}
		add(mcpadapter.NewOffers(b.Plan.MCP), namespaces...)
	}
	for i := range d.groups {
		if g := &d.groups[i]; g.kind == kindMCP {
			add(g.offers())
		}
	}
	if err := d.selection("").Check(all...); err != nil {
		return err
	}
	for ns, a := range d.Options.AdapterSettings {
		if ns == "" || len(a.Tools)+len(a.Tags) == 0 {
			continue
		}
		if len(own[ns]) == 0 {
			return fmt.Errorf("%s has no tools to choose from", ns)
		}
		if err := d.selection(ns).Check(own[ns]...); err != nil {
			return fmt.Errorf("%s: %w", ns, err)
		}
	}
	return nil
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
