package telemetry

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"time"

	"patchbay/internal/fault"
)

// Trace is what one request did, while it does it: who it belongs to and which
// upstream calls it made. It is part of the request's memory and also its
// context, so that following a request costs no allocation. One goroutine at a
// time uses it; [Logger.Log] ends it.
type Trace struct {
	context.Context
	id           TraceID
	span, parent SpanID
	// exported reports that the trace was chosen to be sent to a collector.
	exported bool
	start    time.Time
	carried  Carrier
	calls    []Call
	// missed counts calls that found no room.
	missed int
	room   [2]Call
}

// maxCalls bounds the calls of a request that are told one by one.
const maxCalls = 32

// Call is one attempt of an upstream call.
type Call struct {
	Operation *UpstreamOperation
	Span      SpanID
	// Start is measured from the request's start.
	Start, Duration time.Duration
	// Attempt counts from 1.
	Attempt int
	// Status is the answer's, 0 where none came; Fault is set if the attempt
	// failed, with its kind and outcome.
	Status  int
	Failed  bool
	Kind    fault.Kind
	Outcome fault.Outcome
}

type traceKey struct{}

// Value makes the trace findable from contexts below.
func (t *Trace) Value(key any) any {
	if key == (traceKey{}) {
		return t
	}
	return t.Context.Value(key)
}

// traceOf returns the trace that a context belongs to, or nil.
func traceOf(ctx context.Context) *Trace {
	t, _ := ctx.Value(traceKey{}).(*Trace)
	return t
}

// begin gives the trace its names: those of the caller's context, or new ones.
func (t *Trace) begin(ctx context.Context, l *Logger, c Carrier, start time.Time) {
	t.Context, t.start = ctx, start
	binary.BigEndian.PutUint64(t.span[:], rand.Uint64()|1) // never zero
	carried, parent, ok := c.checked()
	t.carried = carried
	if ok {
		t.id, t.parent = parent.trace, parent.span
		t.exported = l.exporter != nil && parent.sampled
		return
	}
	low := rand.Uint64()
	binary.BigEndian.PutUint64(t.id[:8], rand.Uint64()|1)
	binary.BigEndian.PutUint64(t.id[8:], low)
	// Like TraceIDRatioBased: the same share of all names, wherever they are judged.
	t.exported = l.exporter != nil && float64(low>>1) < l.sample*(1<<63)
}

// call notes an attempt that begins, and returns its index, or -1.
func (t *Trace) call(op *UpstreamOperation, attempt int, now time.Time) int {
	if t.calls == nil {
		t.calls = t.room[:0]
	}
	if len(t.calls) == maxCalls {
		t.missed++
		return -1
	}
	c := Call{Operation: op, Attempt: attempt, Start: now.Sub(t.start)}
	if t.exported {
		binary.BigEndian.PutUint64(c.Span[:], rand.Uint64()|1)
	}
	t.calls = append(t.calls, c)
	return len(t.calls) - 1
}

// inject writes the context of a call into its header. A trace that nobody
// collects here is passed on as it came: this process is no part of it then.
func (t *Trace) inject(h http.Header, span SpanID, baggage bool) {
	switch {
	case t.exported && span != SpanID{}:
		h["Traceparent"] = []string{traceparent{t.id, span, true}.format()}
	case t.carried.Traceparent != nil:
		h["Traceparent"] = t.carried.Traceparent
	}
	if t.carried.Tracestate != nil {
		h["Tracestate"] = t.carried.Tracestate
	}
	if baggage && t.carried.Baggage != nil {
		h["Baggage"] = t.carried.Baggage
	}
}

// ids returns the names of trace and span as text, in one piece of memory.
func (t *Trace) ids() (trace, span string) {
	const digits = "0123456789abcdef"
	var room [48]byte
	out := room[:0]
	for _, b := range t.id {
		out = append(out, digits[b>>4], digits[b&15])
	}
	for _, b := range t.span {
		out = append(out, digits[b>>4], digits[b&15])
	}
	text := string(out)
	return text[:32], text[32:]
}

type peerKey struct{}

// WithPeer notes the network address at the other end of a connection, for
// audit lines.
func WithPeer(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, peerKey{}, address)
}

func peerOf(ctx context.Context) string {
	peer, _ := ctx.Value(peerKey{}).(string)
	return peer
}
