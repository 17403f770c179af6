package mcp

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"patchbay/internal/auth"
	"patchbay/internal/fault"
	core "patchbay/internal/mcp"
)

// guards check the callers of adapters: the different verifiers, and for each
// adapter which of them is its own.
type guards struct {
	verifiers []*auth.Verifier
	of        []int
}

func guardsOf(members []Member) guards {
	var g guards
	for i := range members {
		v := members[i].Verifier
		at := slices.IndexFunc(g.verifiers, v.Equal)
		if at < 0 {
			at = len(g.verifiers)
			g.verifiers = append(g.verifiers, v)
		}
		g.of = append(g.of, at)
	}
	return g
}

// pass is what the guards say of a request.
type pass struct {
	// admitted is "" for a caller whom all adapters admit; otherwise which
	// verifiers do, as text of 0 and 1.
	admitted string
	// refusal is why no adapter does.
	refusal *auth.Refusal
	// name is the caller's, for what counts and logs.
	name string
	// caller is who the only verifier says it is, admission whom several say.
	caller    *auth.Caller
	admission *admission
}

// admission is who called in the eyes of different verifiers: one request can
// show credentials of several adapters.
type admission struct {
	verifiers []*auth.Verifier
	callers   []*auth.Caller
}

// admit judges the caller of a request.
func (g *guards) admit(r *http.Request) pass {
	if len(g.verifiers) == 1 {
		caller, refusal := g.verifiers[0].Verify(r)
		return pass{refusal: refusal, caller: caller, name: caller.CallerName()}
	}
	var p pass
	text := make([]byte, len(g.verifiers))
	callers := make([]*auth.Caller, len(g.verifiers))
	admitted := 0
	for i, v := range g.verifiers {
		caller, refusal := v.Verify(r)
		text[i] = '0'
		if refusal == nil {
			text[i] = '1'
			admitted++
			callers[i], p.name = caller, cmp.Or(p.name, caller.CallerName())
		} else if p.refusal == nil || p.refusal.Fault.Kind == fault.Unauthenticated {
			// What says more than that the credentials are wrong is said.
			p.refusal = refusal
		}
	}
	if admitted == 0 {
		return p
	}
	p.refusal, p.admission = nil, &admission{g.verifiers, callers}
	if admitted < len(g.verifiers) {
		p.admitted = string(text)
	}
	return p
}

// admissionKey finds the admission in a context.
type admissionKey struct{}

// identify returns the request with who made it.
func (p *pass) identify(r *http.Request) *http.Request {
	switch {
	case p.admission != nil && p.name != "":
		return r.WithContext(context.WithValue(r.Context(), admissionKey{}, p.admission))
	case p.caller != nil:
		return r.WithContext(auth.WithCaller(r.Context(), p.caller))
	default:
		return r
	}
}

// as returns the context of a call of this adapter: with the caller whom its own
// verifier has found.
func (a *adapter) as(ctx context.Context) context.Context {
	m, ok := ctx.Value(admissionKey{}).(*admission)
	if !ok {
		return ctx
	}
	if at := slices.IndexFunc(m.verifiers, a.verifier.Equal); at >= 0 {
		return auth.WithCaller(ctx, m.callers[at])
	}
	return ctx
}

// permit returns why the caller may not use an operation, or nil. What its token
// does not allow is listed all the same: the refusal says which scopes to ask
// for, and clients do so (MCP 2026-07-28, Authorization, "Scope Challenge").
func (a *adapter) permit(ctx context.Context, operation string) *auth.Refusal {
	return a.verifier.Permit(auth.CallerOf(ctx), operation)
}

func denied(r *auth.Refusal) error {
	return &core.Denied{Message: r.Fault.Message, Challenges: r.Challenges}
}
