// Package page builds the documents that a REST adapter serves about itself:
// the OpenAPI description of exactly what is routed, a page for people with a
// form to try each operation, the explanation of its problems, and the
// capability file. They are built once per deployment; package rest hands them
// out as they are. Whatever a file or a contract says is data here: it is
// escaped, and scripts and styles run by their hash only.
package page

import (
	"patchbay/internal/expose/rest"
	"patchbay/internal/plan"
)

// Info is what the pages are made of.
type Info struct {
	Version string
	Bound   *plan.Bound
	Adapter *plan.RESTAdapter
	// BaseURL is the adapter's address, MCP those of the capability's MCP adapters.
	BaseURL string
	MCP     []MCPEndpoint
	// Source is the capability file as it was given.
	Source []byte
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
	URL     string
	Adapter *plan.MCPAdapter
}

// The addresses of the pages. The first is the page for people, which is also
// served at / and at Root without its slash; the description is also served at
// /openapi.json, unless a route claims these.
const (
	Root        = "/.patchbay/"
	description = Root + "openapi.json"
	problems    = Root + "problems"
	capability  = Root + "capability.yaml"
)

// Build returns the pages by path.
func Build(info Info) (map[string]rest.Page, error) {
	document, err := OpenAPI(info.Bound.Plan, info.Adapter, info.BaseURL, info.Version)
	if err != nil {
		return nil, err
	}
	openapi := rest.Page{ContentType: "application/json", Data: document}
	file := visible(info.Bound.Plan.Document, info.Source)
	people, err := overview(&info, file)
	if err != nil {
		return nil, err
	}
	explained, err := explanation(&info)
	if err != nil {
		return nil, err
	}
	return map[string]rest.Page{
		description:     openapi,
		"/openapi.json": openapi,
		Root:            people,
		"/.patchbay":    people,
		"/":             people,
		problems:        explained,
		capability:      {ContentType: "text/yaml; charset=utf-8", Data: file},
	}, nil
}
