package auth

import (
	"context"
	"slices"
)

// Caller is who made a request, as a [Verifier] found out. It is immutable. A
// nil Caller is nobody in particular: the adapter lets everybody in, or the
// caller is whoever started the process.
type Caller struct {
	// Name is what the operator calls a key, what the certificate's subject
	// says, or the token's claim; for an adapter's own authentication it is the
	// adapter's namespace.
	Name string
	// scopes are what a token allows; a key or certificate is not limited.
	scopes []string
	scoped bool
	// metadata is where the token's owner finds out about others.
	metadata string
}

// CallerName returns the caller's name, "" for nobody.
func (c *Caller) CallerName() string {
	if c == nil {
		return ""
	}
	return c.Name
}

// holds reports whether the caller may do what needs these scopes.
func (c *Caller) holds(needed []string) bool {
	if c == nil || !c.scoped {
		return true
	}
	for _, scope := range needed {
		if !slices.Contains(c.scopes, scope) {
			return false
		}
	}
	return true
}

// callerKey finds the caller in a context.
type callerKey struct{}

// callerContext is a context with a caller, in one piece of memory.
type callerContext struct {
	context.Context
	caller *Caller
}

// Value returns the caller, or what the context below holds.
func (c *callerContext) Value(key any) any {
	if key == (callerKey{}) {
		return c.caller
	}
	return c.Context.Value(key)
}

// WithCaller returns a context that tells what runs in it who called; ctx itself
// for nobody.
func WithCaller(ctx context.Context, c *Caller) context.Context {
	if c == nil {
		return ctx
	}
	return &callerContext{ctx, c}
}

// CallerOf returns who called, or nil.
func CallerOf(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}
