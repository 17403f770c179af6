package mcp

import (
	"context"
	"net/http"
)

// TraceContext is the context of a trace that came with a request, as it came
// and unchecked: W3C Trace Context and W3C Baggage. "" is what did not come.
type TraceContext struct{ Traceparent, Tracestate, Baggage string }

type traceKey struct{}

// TraceOf returns the context of the trace that a request belongs to; false
// where the client gave none. It may be asked in every function that a server
// calls for a request.
func TraceOf(ctx context.Context) (TraceContext, bool) {
	t, ok := ctx.Value(traceKey{}).(TraceContext)
	return t, ok
}

// traced adds what the message's _meta says of a trace to the context, or else
// what the HTTP headers say (SEP-414: the message is the closer witness).
func (x *exchange) traced(ctx context.Context) context.Context {
	if m := &x.msg; m.traceparent != nil || m.baggage != nil {
		return context.WithValue(ctx, traceKey{}, TraceContext{string(text(m.traceparent)), string(text(m.tracestate)), string(text(m.baggage))})
	}
	return tracedBy(ctx, x.header)
}

// tracedBy adds what the HTTP headers say of a trace to the context.
func tracedBy(ctx context.Context, h http.Header) context.Context {
	if h["Traceparent"] == nil && h["Baggage"] == nil {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, TraceContext{h.Get("Traceparent"), h.Get("Tracestate"), h.Get("Baggage")})
}

type requestIDKey struct{}

// RequestID returns the name that a request has in HTTP (X-Request-Id), for Read
// functions, which see nothing else of it; "" for none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
