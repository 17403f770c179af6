package mcp

import (
	"context"
	"net/http"
	"sync/atomic"

	"patchbay/internal/fault"
	"patchbay/internal/ratelimit"
)

// allowance is what the caller of an HTTP request still has to be asked for: the
// request itself is paid for with one call, and a batch may hold more.
type allowance struct {
	limiter       *ratelimit.Limiter
	name, address string
	paid          atomic.Bool
}

// allowanceKey finds the allowance in a context.
type allowanceKey struct{}

// allow returns the request with the caller's allowance, where its rate is bounded.
func allow(r *http.Request, l *ratelimit.Limiter, name string) *http.Request {
	if l == nil {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), allowanceKey{}, &allowance{limiter: l, name: name, address: r.RemoteAddr}))
}

// pay takes a call off what the caller has, or says that nothing is left. The
// first one of a request is paid for already.
func pay(ctx context.Context) *fault.Fault {
	a, ok := ctx.Value(allowanceKey{}).(*allowance)
	if !ok || !a.paid.Swap(true) {
		return nil
	}
	return a.limiter.Admit(http.Header{}, a.name, a.address) // the answer's header is that of the whole batch
}
