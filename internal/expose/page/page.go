// Package page builds the documents that a REST adapter serves about itself:
// the OpenAPI description of exactly what is routed, a page for people, and
// the explanation of its problems. They are built once per deployment.
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
	// Sandbox reports that the simulator answers.
	Sandbox bool
}

// MCPEndpoint is where an MCP adapter is reached.
type MCPEndpoint struct {
	URL     string
	Adapter *plan.MCPAdapter
}

// Build returns the pages by path.
func Build(info Info) (map[string]rest.Page, error) {
	return map[string]rest.Page{}, nil
}

// OpenAPI describes a REST adapter.
func OpenAPI(p *plan.Plan, a *plan.RESTAdapter, server, version string) ([]byte, error) {
	return []byte("{}\n"), nil
}
