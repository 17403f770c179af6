package telemetry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"

	"patchbay/internal/fault"
)

// AuditTo returns a log for audit lines that writes JSON to a file's writer.
// What cannot be written is counted.
func (m *Metrics) AuditTo(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(countingWriter{m, w}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// countingWriter counts what slog does not report.
type countingWriter struct {
	metrics *Metrics
	w       io.Writer
}

func (c countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil {
		c.metrics.auditFailures.Inc()
	}
	return n, err
}

// KeyHash is how an idempotency key is told in audit lines: whoever has the key
// can find its line, and the line does not give the key.
func KeyHash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:8])
}

// writeAudit writes the audit line of a call that may have changed something:
// who called, from where, what, towards which target, and what is known of the
// effect. Refused calls are told too.
func (l *Logger) writeAudit(ctx context.Context, a *Access, trace string) {
	var room [20]slog.Attr
	attrs := append(room[:0],
		slog.String("caller", a.Caller), slog.String("peer", peerOf(ctx)), slog.String("protocol", a.Protocol), slog.String("adapter", a.Adapter),
		slog.String("operation", a.Operation), slog.String("target", a.Op.target), slog.String("outcome", a.effect()),
		slog.String("result", a.Result().String()), slog.String("request_id", a.RequestID), slog.String("trace_id", trace),
	)
	if a.Status != 0 {
		attrs = append(attrs, slog.Int("status", a.Status))
	}
	if a.UpstreamStatus != 0 {
		attrs = append(attrs, slog.Int("upstream_status", a.UpstreamStatus))
	}
	if n := len(a.Trace.calls) + a.Trace.missed; n > 0 {
		attrs = append(attrs, slog.Int("attempts", n))
	}
	if a.Replayed {
		attrs = append(attrs, slog.Bool("replayed", true))
	}
	if a.Fault != nil {
		attrs = append(attrs, slog.String("fault", a.Fault.Kind.String()))
	}
	if effects := a.effects(); len(effects) > 0 {
		attrs = append(attrs, slog.Any("effects", effects))
	}
	if a.IdempotencyKey != "" {
		attrs = append(attrs, slog.String("idempotency_key_sha256", a.IdempotencyKey))
	}
	l.audit.LogAttrs(ctx, slog.LevelInfo, "audit", attrs...)
}

// effect is what is known of the effect of a call, in one word.
func (a *Access) effect() string {
	doubtful := a.doubtful()
	switch {
	case doubtful != "":
		return doubtful
	case a.Outcome == fault.NoCall:
		return fault.NoCall.String()
	case a.denied:
		return "refused_by_upstream"
	default:
		return "done"
	}
}
