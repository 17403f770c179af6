package page

import (
	"slices"
	"strconv"

	"patchbay/internal/auth"
	"patchbay/internal/jsonvalue"
	"patchbay/internal/plan"
)

// guard is one way in which a caller can be let in.
type guard struct {
	// Scheme is basic, bearer, apikey, jwt or certificate; "" lets everybody in.
	Scheme, Name, In string
	// Issuer belongs to tokens.
	Issuer string
}

func guardOf(w auth.Way) guard {
	g := guard{Scheme: string(w.Scheme), Issuer: w.Issuer}
	if w.Scheme == auth.SchemeAPIKey {
		g.Name, g.In = w.Name, placeName(w.Place)
	}
	if g.Scheme == "apikey" && g.Name == "" {
		g.Name = "NAME"
	}
	return g
}

// guardsOf are the ways into an adapter: those of who checks its callers, or,
// where nobody has been bound yet, the one that its file declares.
func guardsOf(v *auth.Verifier, declared func() (scheme, name string, place auth.Placement)) []guard {
	var out []guard
	for _, w := range v.Ways() {
		out = append(out, guardOf(w))
	}
	if v != nil {
		return out
	}
	if scheme, name, place := declared(); scheme != "" {
		out = append(out, guardOf(auth.Way{Scheme: auth.Scheme(scheme), Name: name, Place: place}))
	}
	return out
}

// shownGuard is the way that a form and a command line take: the first that is
// something to type.
func shownGuard(guards []guard) guard {
	for _, g := range guards {
		switch g.Scheme {
		case "certificate":
		case "jwt":
			return guard{Scheme: "bearer"}
		default:
			return g
		}
	}
	return guard{}
}

func (m *Described) guards() []guard { return guardsOf(m.Verifier, m.Adapter.Guard) }

func (i *Info) guards() []guard { return guardsOf(i.Verifier, i.Adapter.Guard) }

// securityName is how the document calls the adapters' first scheme.
const securityName = "caller"

// securityScheme is one way in which callers prove who they are.
type securityScheme struct {
	guard guard
	name  string
}

func (s *securityScheme) value() jsonvalue.Value {
	const ours = "Credentials of this gateway, given by its operator. They never reach the upstream."
	var out object
	switch s.guard.Scheme {
	case "basic", "bearer":
		out.text("type", "http")
		out.text("scheme", s.guard.Scheme)
		out.text("description", ours)
	case "jwt":
		out.text("type", "openIdConnect")
		out.text("openIdConnectUrl", s.guard.Issuer+"/.well-known/openid-configuration")
		out.text("description", "An access token (JWT) of the authorization server, with this gateway as its audience, as a bearer token. It never reaches the upstream.")
	case "certificate":
		out.text("type", "mutualTLS")
		out.text("description", "A certificate of an authority that the operator trusts.")
	default:
		out.text("type", "apiKey")
		out.text("name", s.guard.Name)
		out.text("in", s.guard.In)
		out.text("description", ours)
	}
	return out.value()
}

// collect names the different schemes of the members.
func (d *describer) collect(guards []guard) {
	for _, g := range guards {
		if !slices.ContainsFunc(d.schemes, func(s securityScheme) bool { return s.guard == g }) {
			name := securityName
			if n := len(d.schemes); n > 0 {
				name += strconv.Itoa(n + 1)
			}
			d.schemes = append(d.schemes, securityScheme{g, name})
		}
	}
}

// requirement is what a caller has to show, one scheme of several; scopes belong
// to tokens.
func (d *describer) requirement(guards []guard, scopes []string) jsonvalue.Value {
	alternatives := make([]jsonvalue.Value, 0, len(guards))
	for _, g := range guards {
		at := slices.IndexFunc(d.schemes, func(s securityScheme) bool { return s.guard == g })
		needed := list()
		if g.Scheme == "jwt" {
			needed = texts(scopes...)
		}
		alternatives = append(alternatives, jsonvalue.ObjectOf([]jsonvalue.Member{{Name: d.schemes[at].name, Value: needed}}))
	}
	return list(alternatives...)
}

// common is the requirement of all operations, where all adapters have the same.
func (d *describer) common() jsonvalue.Value {
	first := d.members[0].guards()
	for i := range d.members {
		m := &d.members[i]
		if !slices.Equal(m.guards(), first) || !slices.Equal(m.scopes(""), d.members[0].scopes("")) {
			return jsonvalue.Value{}
		}
	}
	if len(first) == 0 {
		return jsonvalue.Value{}
	}
	return d.requirement(first, d.members[0].scopes(""))
}

// security is the requirement of an operation, where the document as a whole does
// not say it.
func (d *describer) security(op *plan.RESTOperation) (jsonvalue.Value, bool) {
	guards := d.member.guards()
	if len(guards) == 0 {
		return jsonvalue.Value{}, false
	}
	own := d.requirement(guards, d.member.scopes(op.Name))
	if !d.whole.IsAbsent() && jsonvalue.Equal(&d.whole, &own) {
		return jsonvalue.Value{}, false
	}
	return own, true
}

// scopes are those that a token needs for an operation.
func (m *Described) scopes(operation string) []string {
	t := m.Verifier.Tokens()
	if t == nil {
		return nil
	}
	return t.Needed(operation)
}

func placeName(p auth.Placement) string {
	switch p {
	case auth.InQuery:
		return "query"
	case auth.InCookie:
		return "cookie"
	default:
		return "header"
	}
}
