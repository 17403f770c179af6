package mcp

import "context"

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
	if x.header["Traceparent"] == nil && x.header["Baggage"] == nil {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, TraceContext{x.header.Get("Traceparent"), x.header.Get("Tracestate"), x.header.Get("Baggage")})
}
