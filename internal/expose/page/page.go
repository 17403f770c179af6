// Package page builds the documents that a REST adapter serves about itself:
// the OpenAPI description of exactly what is routed, a page for people with a
// form to try each operation, the explanation of its problems, and the
// capability file. They are built once per deployment; package rest hands them
// out as they are. Whatever a file or a contract says is data here: it is
// escaped, and scripts and styles run by their hash only.
package page

import (
	"cmp"
	"path"
	"strings"

	"patchbay/internal/auth"
	"patchbay/internal/expose/rest"
	"patchbay/internal/plan"
)

// Info is what the pages are made of.
type Info struct {
	Version string
	Bound   *plan.Bound
	Adapter *plan.RESTAdapter
	// Mount is the path under which the adapter's routes stand, or "".
	Mount string
	// Verifier checks the adapter's callers; nil is what the file declares. Limited
	// reports that the number of their requests is bounded, Keys that requests may
	// carry an Idempotency-Key.
	Verifier *auth.Verifier
	Limited  bool
	Keys     bool
	// Directory is the path of the pages, with a slash at its end; [Root] where
	// it is "". An adapter that shares its listener has one of its own.
	Directory string
	// BaseURL is the listener's address, MCP those of the capability's MCP adapters.
	BaseURL string
	MCP     []MCPEndpoint
	// File is the capability file as everybody may see it: [Visible].
	File []byte
	// Embedded reports that the file is the one the binary carries, so that no
	// file has to be named on a command line.
	Embedded bool
	// Sandbox reports that the simulator answers.
	Sandbox bool
	// Examples are values that work here, by the name of an input; case, '-'
	// and '_' of the name do not count. They replace the contract's examples in
	// the forms and commands of the page.
	Examples map[string]string
}

// MCPEndpoint is where an MCP adapter is reached.
type MCPEndpoint struct {
	URL      string
	Adapter  *plan.MCPAdapter
	Verifier *auth.Verifier
}

// The addresses of the pages. The first is the page for people, which is also
// served at / and at Root without its slash; the description is also served at
// /openapi.json, unless a route claims these.
const (
	Root            = "/.patchbay/"
	descriptionPath = Root + "openapi.json"
	problemsPath    = Root + "problems"
	capabilityPath  = Root + "capability.yaml"
)

// Build returns the pages of an adapter by path.
func Build(info Info) (map[string]rest.Page, error) {
	info.Directory = cmp.Or(info.Directory, Root)
	document, err := OpenAPI([]Described{{Plan: info.Bound.Plan, Adapter: info.Adapter, Verifier: info.Verifier, Limited: info.Limited, Keys: info.Keys}}, info.BaseURL+info.Mount, info.Version)
	if err != nil {
		return nil, err
	}
	openapi := rest.Page{ContentType: "application/json", Data: document}
	people, err := overview(&info, info.File)
	if err != nil {
		return nil, err
	}
	pages := map[string]rest.Page{
		info.Directory + "openapi.json":            openapi,
		info.Directory:                             people,
		strings.TrimSuffix(info.Directory, "/"):    people,
		info.Directory + path.Base(capabilityPath): {ContentType: "text/yaml; charset=utf-8", Data: info.File},
	}
	if info.Directory != Root {
		return pages, nil
	}
	pages["/openapi.json"], pages["/"] = openapi, people
	pages[problemsPath], err = explanation(labelOf(&info), info.Version)
	return pages, err
}
