package telemetry

import (
	"context"
	"fmt"
	"log/slog"

	"patchbay/internal/fault"
)

// Panicked tells of a panic that was recovered while a request was answered, with
// its stack, which holds no values, and returns the fault that the request ends
// with. What may have been sent by then decides the outcome.
func (l *Logger) Panicked(ctx context.Context, a *Access, value any, stack []byte) *fault.Fault {
	f := &fault.Fault{
		Kind: fault.Internal, Outcome: a.Outcome, Effects: a.Effects, UpstreamStatus: a.UpstreamStatus,
		Message: "an internal error occurred", Cause: fmt.Errorf("panic: %v", value),
	}
	if f.Outcome == fault.NoCall && len(a.Trace.calls)+a.Trace.missed > 0 {
		f.Outcome = fault.Unknown
	}
	trace, _ := a.Trace.ids()
	l.log.LogAttrs(ctx, slog.LevelError, "panic",
		slog.String("protocol", a.Protocol), slog.String("adapter", a.Adapter), slog.String("operation", a.Operation),
		slog.String("request_id", a.RequestID), slog.String("trace_id", trace),
		slog.String("cause", causeOf(f.Cause, l.mask)), slog.String("stack", l.mask.String(string(stack))),
	)
	return f
}
