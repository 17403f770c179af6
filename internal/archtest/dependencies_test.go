package archtest

import (
	"fmt"
	"strings"
)

// refusedModules may not be required by the product, at no distance.
func refusedModules() map[string]string {
	const (
		core   = "the protocol core is our own; an SDK may be the peer in a test of a nested module"
		client = "we speak the provider's wire ourselves; its client may be the peer in a test of a nested module"
	)
	return map[string]string{
		"github.com/modelcontextprotocol/go-sdk": core,
		"github.com/mark3labs/mcp-go":            core,
		"github.com/metoro-io/mcp-golang":        core,
		"github.com/twilio/twilio-go":            client,
	}
}

func dependencyRule() rule {
	return rule{
		name:   "dependencies",
		reason: "each module is code that somebody else changes: its reason stands in DESIGN.md, under its full path",
		check:  checkDependencies,
	}
}

func checkDependencies(t *tree) []finding {
	design, hasDesign := "", false
	for _, text := range t.texts {
		if text.path == "DESIGN.md" {
			design, hasDesign = text.content, true
		}
	}
	refused := refusedModules()
	var out []finding
	for _, r := range t.requires {
		if reason, ok := refused[withoutMajor(r.module)]; ok {
			out = append(out, finding{"go.mod", r.line, r.module, fmt.Sprintf("requires %s: %s", r.module, reason)})
			continue
		}
		if hasDesign && !r.indirect && !strings.Contains(design, withoutMajor(r.module)) {
			out = append(out, finding{"go.mod", r.line, r.module, fmt.Sprintf("requires %s, which DESIGN.md does not mention", r.module)})
		}
	}
	return out
}

// withoutMajor cuts the major version off a module's path.
func withoutMajor(module string) string {
	i := strings.LastIndex(module, "/v")
	if i < 0 || strings.Trim(module[i+2:], "0123456789") != "" {
		return module
	}
	return module[:i]
}
