package mcp

import (
	"fmt"
	"slices"
	"strings"

	"patchbay/internal/diag"
	"patchbay/internal/plan"
)

// Offer is a tool with the names under which clients find it: Own at the
// endpoint of its adapter, Whole at the endpoint of all adapters that share a
// listener.
type Offer struct {
	Tool       *plan.Tool
	Own, Whole string
}

// Offers are the tools of the adapters that share a listener, by adapter.
type Offers [][]Offer

// NewOffers names the tools of adapters. A tool keeps its name where hosts
// accept it. At the endpoint of all, tools of one name are told apart by the
// namespaces of their adapters, all of them, so that no name depends on the
// order of the files.
func NewOffers(adapters []*plan.MCPAdapter) Offers {
	out := make(Offers, len(adapters))
	var names []string
	count := map[string]int{}
	for i, a := range adapters {
		own := make([]string, len(a.Tools))
		for j, t := range a.Tools {
			own[j] = t.Name
		}
		own = hostNames(own, toolNames)
		out[i] = make([]Offer, len(own))
		for j, name := range own {
			out[i][j] = Offer{Tool: a.Tools[j], Own: name}
			count[name]++
		}
	}
	for i, a := range adapters {
		for j := range out[i] {
			names = append(names, qualified(a.Namespace, out[i][j].Own, count[out[i][j].Own] > 1))
		}
	}
	names = hostNames(names, toolNames)
	for i := range out {
		for j := range out[i] {
			out[i][j].Whole, names = names[0], names[1:]
		}
	}
	return out
}

// qualified is a name with the namespace of its adapter, where it needs one.
func qualified(namespace, name string, ambiguous bool) string {
	if !ambiguous {
		return name
	}
	return strings.TrimSuffix(namespace, "-mcp") + "_" + name
}

// called reports whether one of the names is the tool's, as it is offered or as
// the file has it.
func (o *Offer) called(names []string) bool {
	return slices.Contains(names, o.Own) || slices.Contains(names, o.Whole) || slices.Contains(names, o.Tool.Name)
}

// keeps reports whether a tool is selected.
func (s *Selection) keeps(o *Offer) bool {
	if s.ReadOnly && !o.Tool.Safe() {
		return false
	}
	if len(s.Tools)+len(s.Tags) == 0 || o.called(s.Tools) {
		return true
	}
	return slices.ContainsFunc(o.Tool.Tags, func(tag string) bool { return slices.Contains(s.Tags, tag) })
}

// Offered returns the tools of an adapter that the selection keeps, in order.
func (s *Selection) Offered(offers []Offer) []*plan.Tool {
	var out []*plan.Tool
	for i := range offers {
		if s.keeps(&offers[i]) {
			out = append(out, offers[i].Tool)
		}
	}
	return out
}

// Check returns an error for a name of the selection that no tool has. The
// error says what it could have been meant for.
func (s *Selection) Check(all ...Offers) error {
	if len(s.Tools)+len(s.Tags) == 0 {
		return nil
	}
	var names, tags []string
	for _, offers := range all {
		for _, adapter := range offers {
			for i := range adapter {
				o := &adapter[i]
				names = append(names, o.Own, o.Whole, o.Tool.Name)
				tags = append(tags, o.Tool.Tags...)
			}
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
