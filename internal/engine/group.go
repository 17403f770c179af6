package engine

import (
	"fmt"
	"net"
	"path"
	"slices"
	"strings"

	"patchbay/internal/auth"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	mcpadapter "patchbay/internal/expose/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/ratelimit"
	"patchbay/internal/route"
)

// group is the adapters of one type that share an address, in the order of
// their files.
type group struct {
	kind       kind
	host, port string
	// alone reports a port that nobody else may share, because it is chosen when
	// it is opened.
	alone   bool
	members []member
	// tls and cors are what all members want of the listener.
	tls  deploy.ServerTLS
	cors deploy.CORS
}

// kind is a type of adapter that listens.
type kind string

const (
	kindREST kind = "rest"
	kindMCP  kind = "mcp"
)

// member is an adapter of a group.
type member struct {
	// file is the index of the document.
	file      int
	bound     *plan.Bound
	rest      *plan.RESTAdapter
	mcp       *plan.MCPAdapter
	namespace string
	mount     string
	span      diag.Span
	// guarded reports that the adapter checks its callers, with verifier; limiter
	// bounds how often one may call.
	guarded  bool
	verifier *auth.Verifier
	limiter  *ratelimit.Limiter
}

// name is how errors call the group.
func (g *group) name() string {
	if len(g.members) == 1 {
		return g.members[0].namespace
	}
	return fmt.Sprintf("%s and %d more", g.members[0].namespace, len(g.members)-1)
}

// offers names the tools of the group.
func (g *group) offers() mcpadapter.Offers {
	adapters := make([]*plan.MCPAdapter, len(g.members))
	for i := range g.members {
		adapters[i] = g.members[i].mcp
	}
	return mcpadapter.NewOffers(adapters)
}

// groups collects the adapters that listen by address, REST first. Adapters
// share an address where files or options name the same one; a port that is to
// be chosen is nobody else's.
func groups(plans []*plan.Plan, opts *deploy.Options) ([]group, error) {
	rest, mcp := grouping{at: map[address]int{}}, grouping{at: map[address]int{}}
	for i, p := range plans {
		for _, a := range p.REST {
			m := member{file: i, rest: a, namespace: a.Namespace, mount: opts.Adapter(a.Namespace).Mount, span: a.Span}
			if m.mount != "" && !deploy.IsMount(m.mount) {
				return nil, fmt.Errorf("%s: %q cannot be the path of %s; give it one with --mount NAMESPACE=/PATH", path.Base(p.Document.File), m.mount, a.Namespace)
			}
			if err := rest.join(kindREST, m, a.Address, a.Port, opts); err != nil {
				return nil, err
			}
		}
		for _, a := range p.MCP {
			if a.Stdio && opts.Adapter(a.Namespace).Listen == "" && opts.ListenMCP == "" {
				continue
			}
			m := member{file: i, mcp: a, namespace: a.Namespace, span: a.Span}
			if err := mcp.join(kindMCP, m, a.Address, a.Port, opts); err != nil {
				return nil, err
			}
		}
	}
	return append(rest.groups, mcp.groups...), nil
}

// bind gives the members their files' values.
func (g *group) bind(bound []*plan.Bound) {
	for i := range g.members {
		g.members[i].bound = bound[g.members[i].file]
	}
}

// Clashes reports what keeps documents from being served together: names,
// routes and addresses that several of them use.
func Clashes(l *Loaded, opts *deploy.Options) (diag.List, error) {
	all, err := groups(l.Plans, opts)
	if err != nil {
		return nil, err
	}
	return check(all).Sorted(), nil
}

// grouping collects the groups of one type.
type grouping struct {
	groups []group
	at     map[address]int
}

type address struct{ host, port string }

func (g *grouping) join(of kind, m member, host string, port int, opts *deploy.Options) error {
	var to address
	var alone bool
	var err error
	if to.host, to.port, alone, err = listenAddress(of, m.namespace, host, port, opts); err != nil {
		return err
	}
	if i, known := g.at[to]; known && !alone {
		g.groups[i].members = append(g.groups[i].members, m)
		return nil
	}
	if !alone {
		g.at[to] = len(g.groups)
	}
	g.groups = append(g.groups, group{kind: of, host: to.host, port: to.port, alone: alone, members: []member{m}})
	return nil
}

// check reports what keeps groups from being served: names, routes and
// addresses that are used twice.
func check(groups []group) diag.List {
	var out diag.List
	out = append(out, sameNamespace(groups)...)
	out = append(out, sameAddress(groups)...)
	for i := range groups {
		out = append(out, sameRoutes(&groups[i])...)
	}
	return out
}

// sameNamespace reports adapters of different files with one namespace: options
// and addresses could not tell them apart.
func sameNamespace(groups []group) diag.List {
	var out diag.List
	seen := map[string]diag.Span{}
	for i := range groups {
		for _, m := range groups[i].members {
			if before, twice := seen[m.namespace]; twice {
				out.Errorf(plan.CodeNamespaceTwice, m.span, "the namespace %q is also that of an adapter in %s", m.namespace, path.Base(before.File)).
					WithRelated(before, "the other one").WithHint("rename one of them; options and addresses go by the namespace")
				continue
			}
			seen[m.namespace] = m.span
		}
	}
	return out
}

// sameAddress reports groups of different types on one address.
func sameAddress(groups []group) diag.List {
	var out diag.List
	seen := map[address]*group{}
	for i := range groups {
		b := &groups[i]
		a, taken := seen[address{b.host, b.port}]
		switch {
		case b.port == "0":
		case !taken:
			seen[address{b.host, b.port}] = b
		default:
			m, other := &b.members[0], &a.members[0]
			out.Errorf(plan.CodePortClash, m.span, "%s and %s of %s want the same address, %s", m.namespace, other.namespace, path.Base(other.span.File), net.JoinHostPort(a.host, a.port)).
				WithRelated(other.span, "the other one").WithHint("move one of them: --listen %s=HOST:PORT", m.namespace)
		}
	}
	return out
}

// sameRoutes reports routes that files have in common, once for each pair of
// files.
func sameRoutes(g *group) diag.List {
	if g.kind != kindREST || len(g.members) == 1 {
		return nil
	}
	type owned struct {
		member int
		op     *plan.RESTOperation
	}
	type clash struct {
		op, with *plan.RESTOperation
		pattern  string
		a, b     int
		count    int
	}
	var table route.Table[owned]
	var found []*clash
	for i := range g.members {
		m := &g.members[i]
		for _, op := range m.rest.Operations {
			c := table.Add(m.mount+op.Path, op.Method, owned{i, op})
			if c == nil || c.Value.member == i {
				continue // within a file, the compiler has reported it
			}
			at := slices.IndexFunc(found, func(f *clash) bool { return f.a == c.Value.member && f.b == i })
			if at < 0 {
				found = append(found, &clash{op: op, with: c.Value.op, pattern: m.mount + op.Path, a: c.Value.member, b: i})
				at = len(found) - 1
			}
			found[at].count++
		}
	}
	var out diag.List
	for _, f := range found {
		a, b := &g.members[f.a], &g.members[f.b]
		more := ""
		switch {
		case f.count == 2:
			more = ", and so is one more"
		case f.count > 2:
			more = fmt.Sprintf(", and so are %d more", f.count-1)
		}
		out.Errorf(plan.CodeRouteClash, f.op.Span, "%s %s is a route of %s too%s", f.op.Method, f.pattern, path.Base(a.span.File), more).
			WithRelated(f.with.Span, "there").
			WithHint("put one of the files under a path of its own: --mount %s=/%s; --mount-all does so with every file", b.namespace, strings.TrimSuffix(b.namespace, "-rest"))
	}
	return out
}
