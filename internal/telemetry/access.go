// Package telemetry writes down what happened: one structured line for each
// request. It sees names, statuses and durations; never bodies, values,
// queries or secrets, because it is never given any.
package telemetry

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"patchbay/internal/fault"
)

// Access is one request as the log tells it.
type Access struct {
	// Adapter is the namespace of the adapter, Protocol rest or mcp.
	Adapter  string
	Protocol string
	// Caller is who called, where that is known: a name, never a credential.
	Caller string
	// Operation is the declared name; "" where none was reached.
	Operation string
	// Method is HTTP's method, or MCP's method name.
	Method string
	// Route is the declared path; "" where none matched.
	Route string
	// Status is the answer's HTTP status, or 0 on stdio.
	Status    int
	RequestID string
	Duration  time.Duration
	// UpstreamStatus is the upstream's status, or 0 where it did not answer.
	UpstreamStatus int
	// Fault is what went wrong here, or nil.
	Fault *fault.Fault
	// Failed reports that a tool reported failure.
	Failed bool
	// Advice counts rules of a contract that the request broke without being refused.
	Advice int
	// Era is the MCP revision or era, where known.
	Era string
}

// Logger writes access lines. It is safe for concurrent use.
type Logger struct{ log *slog.Logger }

// NewLogger returns a logger that writes to a structured log.
func NewLogger(log *slog.Logger) *Logger { return &Logger{log} }

// Log writes one line: at warning level when the upstream or this process
// failed, at info level otherwise, also for requests that were wrong.
func (l *Logger) Log(ctx context.Context, a *Access) {
	level := slog.LevelInfo
	if a.Status >= 500 || a.UpstreamStatus >= 500 || a.Fault != nil && ours(a.Fault.Kind) {
		level = slog.LevelWarn
	}
	if !l.log.Enabled(ctx, level) {
		return
	}
	var room [16]slog.Attr
	attrs := append(room[:0],
		slog.String("protocol", a.Protocol), slog.String("adapter", a.Adapter), slog.String("method", a.Method),
	)
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	text("caller", a.Caller)
	text("route", a.Route)
	text("operation", a.Operation)
	if a.Status != 0 {
		attrs = append(attrs, slog.Int("status", a.Status))
	}
	attrs = append(attrs, slog.Duration("duration", a.Duration))
	text("request_id", a.RequestID)
	if a.UpstreamStatus != 0 {
		attrs = append(attrs, slog.Int("upstream_status", a.UpstreamStatus))
	}
	text("era", a.Era)
	if a.Failed {
		attrs = append(attrs, slog.Bool("failed", true))
	}
	if a.Advice > 0 {
		attrs = append(attrs, slog.Int("advice", a.Advice))
	}
	if f := a.Fault; f != nil {
		attrs = append(attrs, slog.String("fault", f.Kind.String()), slog.String("outcome", f.Outcome.String()))
		if f.Cause != nil {
			attrs = append(attrs, slog.String("cause", f.Cause.Error()))
		}
	}
	l.log.LogAttrs(ctx, level, "request", attrs...)
}

// ours reports whether a fault is the gateway's or the upstream's, not the
// caller's.
func ours(k fault.Kind) bool {
	switch k {
	case fault.InvalidInput, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.MethodNotAllowed,
		fault.UnsupportedMedia, fault.TooLarge, fault.Canceled, fault.RateLimited:
		return false
	default:
		return true
	}
}

// NewLog returns a structured log in the form text or json.
func NewLog(w io.Writer, format string, level slog.Level) (*slog.Logger, error) {
	opts := &slog.HandlerOptions{Level: level}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	default:
		return nil, fmt.Errorf("%q is not text or json", format)
	}
}

// IDs names requests: a random prefix for the process and a running number.
// It is safe for concurrent use.
type IDs struct {
	prefix string
	next   atomic.Uint64
}

// NewIDs returns a source of request names.
func NewIDs() *IDs {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return &IDs{prefix: hex.EncodeToString(b[:]) + "-"}
}

// Next returns a name.
func (i *IDs) Next() string {
	var room [32]byte
	return string(strconv.AppendUint(append(room[:0], i.prefix...), i.next.Add(1), 36))
}

// Accept returns the caller's name for its request where that is a short
// token, and a new name otherwise.
func (i *IDs) Accept(given string) string {
	if len(given) == 0 || len(given) > 64 {
		return i.Next()
	}
	for j := range len(given) {
		c := given[j]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return i.Next()
		}
	}
	return given
}
