package engine

import (
	"slices"

	"patchbay/internal/bind"
	"patchbay/internal/deployfile"
	"patchbay/internal/diag"
)

// CheckNames reports namespaces of a deployment file that no document has: a
// mistyped one must not silently leave a default in force. Documents that could
// not be compiled may have any name, so that nothing is said about them.
func CheckNames(l *Loaded, names []deployfile.Name) diag.List {
	var out diag.List
	if len(l.Plans)+len(l.Skipped) < len(l.Files) || len(l.Skipped) > 0 {
		return nil
	}
	var upstreams, adapters, mounted []string
	for _, p := range l.Plans {
		for _, u := range p.Upstreams {
			upstreams = append(upstreams, u.Namespace)
		}
		for _, a := range p.REST {
			mounted = append(mounted, a.Namespace)
			adapters = append(adapters, a.Namespace)
		}
		for _, a := range p.MCP {
			adapters = append(adapters, a.Namespace)
		}
	}
	for _, n := range names {
		known, what := adapters, "no adapter has the namespace %q"
		match := func(name string) bool { return name == n.Name }
		switch n.Role {
		case deployfile.UpstreamName:
			known, what = upstreams, "nothing is consumed under the namespace %q"
		case deployfile.MountedName:
			known, what = mounted, "no REST adapter has the namespace %q, and only those are mounted"
		case deployfile.AnyNamespace:
			known, what = slices.Concat(upstreams, adapters), "no file has the namespace %q"
			match = func(name string) bool { return bind.Matches(n.Name, name) }
		case deployfile.AdapterName:
		}
		if !slices.ContainsFunc(known, match) {
			sorted := slices.Compact(slices.Sorted(slices.Values(known)))
			out.Errorf(deployfile.CodeUnknownNamespace, n.Span, what, n.Name).WithNearest(n.Name, sorted, "there is ")
		}
	}
	return out
}
