// Package telemetry tells what happened: one structured line for each request,
// an audit line for each call that changes something, metrics, traces, and the
// last requests. It stands below the adapters and the upstream client, which
// tell it of requests and of attempts. It sees names, statuses and durations;
// never bodies, values, queries or secrets, because it is never given any.
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
	"patchbay/internal/secret"
)

// Access is one request as the log tells it.
type Access struct {
	// Trace follows the request; see [Access.Begin].
	Trace Trace
	// Op counts the operation that was reached; see [Access.Reach].
	Op *Operation
	// Adapter is the namespace of the adapter, Protocol rest or mcp.
	Adapter  string
	Protocol string
	// Caller is who called, where that is known: a name, never a credential.
	Caller string
	// Operation is the declared name; "" where none was reached.
	Operation string
	// Method is HTTP's method, or MCP's method name. It is the caller's text, and
	// clipped before it is told.
	Method string
	// Route is the declared path; "" where none matched.
	Route string
	// Secure reports that the request came over TLS.
	Secure bool
	// Status is the answer's HTTP status, or 0 on stdio.
	Status    int
	RequestID string
	Duration  time.Duration
	// UpstreamStatus is the upstream's status, or 0 where it did not answer.
	UpstreamStatus int
	// Retries is how many upstream calls were made again; Replayed reports that
	// none was made, because the answer was that of an earlier request.
	Retries  int
	Replayed bool
	// Outcome says what the answer means for the effect of the call, and Effects
	// names steps that took effect before the one whose answer it is; see
	// [Access.Answer]. A fault has both of its own.
	Outcome fault.Outcome
	Effects []string
	// Fault is what went wrong here, or nil.
	Fault *fault.Fault
	// Failed reports that a tool reported failure.
	Failed bool
	// Advice counts rules of a contract that the request broke without being refused.
	Advice int
	// Era is the MCP revision or era, where known.
	Era string
	// IdempotencyKey is the [KeyHash] of the request's key, "" without one.
	IdempotencyKey string
	// Revision and Transport are those of an MCP request, where known: the
	// protocol's, and http or stdio.
	Revision, Transport string
	// denied reports that the answer is an error of the upstream.
	denied bool
	inside bool
}

// Config is where what happened is told. Log is required.
type Config struct {
	Log     *slog.Logger
	Metrics *Metrics
	// Audit gets the audit lines; nil is the log.
	Audit *slog.Logger
	// Recent keeps the last requests, where somebody can look at them.
	Recent *Recent
	// Exporter sends traces away, the share Sample of those that no caller
	// decides about; nil sends none.
	Exporter *Exporter
	Sample   float64
	// Mask takes known secrets out of what others have worded.
	Mask *secret.Mask
}

// Logger tells of requests: in the log, in metrics, traces and audit lines. It
// is safe for concurrent use.
type Logger struct {
	log, audit *slog.Logger
	lines      *lines // that log, and audit where it is the log, write to
	metrics    *Metrics
	recent     *Recent
	exporter   *Exporter
	sample     float64
	mask       *secret.Mask
}

// NewLogger returns a logger that writes to a structured log, and counts.
func NewLogger(log *slog.Logger) *Logger { return New(Config{Log: log}) }

// New returns a logger.
func New(c Config) *Logger {
	l := &Logger{log: c.Log, audit: c.Audit, metrics: c.Metrics, recent: c.Recent, exporter: c.Exporter, sample: c.Sample, mask: c.Mask}
	if gathering, ok := c.Log.Handler().(leveled); ok {
		l.log = slog.New(leveled{Handler: gathering.requests, least: gathering.least})
		l.lines = gathering.lines
	}
	if l.audit == nil {
		l.audit = everything(l.log)
	}
	if l.metrics == nil {
		l.metrics = NewMetrics("")
	}
	return l
}

// Metrics returns the counters, for who makes operations and upstreams known;
// nil of a nil Logger.
func (l *Logger) Metrics() *Metrics {
	if l == nil {
		return nil
	}
	return l.metrics
}

// Begin starts to follow a request, which may have come with a trace's context.
// The context that it returns is that of all that is done for the request; it
// is the trace itself.
func (a *Access) Begin(ctx context.Context, l *Logger, c Carrier, start time.Time) context.Context {
	a.Trace.begin(ctx, l, c, start)
	return &a.Trace
}

// Reach notes which operation answers the request. Leave has to follow.
func (a *Access) Reach(op *Operation) {
	a.Op, a.Adapter, a.Operation, a.inside = op, op.Adapter, op.Name, true
	op.inFlight.Inc()
}

// Leave ends what Reach began, also where something panicked. It may be called
// twice, and without Reach.
func (a *Access) Leave() {
	if a.inside {
		a.inside = false
		a.Op.inFlight.Dec()
	}
}

// Answer notes the answer of an upstream, also one that an earlier request got:
// what it means for the effect of the call, its status, and the steps that took
// effect before a step that failed.
func (a *Access) Answer(outcome fault.Outcome, status int, effects []string) {
	a.Outcome, a.Effects, a.denied = outcome, effects, status >= 400
}

// doubtful is the outcome of an answer that says less than it seems to, and of a
// fault; "" for any other answer.
func (a *Access) doubtful() string {
	switch {
	case a.Fault != nil:
		return a.Fault.Outcome.String()
	case a.Outcome == fault.Rejected || a.Outcome == fault.Unknown:
		return a.Outcome.String()
	default:
		return ""
	}
}

// effects are the steps that took effect before what went wrong.
func (a *Access) effects() []string {
	if a.Fault != nil {
		return a.Fault.Effects
	}
	return a.Effects
}

// Log ends a request and tells of it. Its line is at warning level when the
// upstream or this process failed, at info level otherwise, also for requests
// that were wrong.
func (l *Logger) Log(ctx context.Context, a *Access) {
	a.Leave()
	a.Method = plainMethod(a.Method)
	if a.Trace.Context == nil {
		a.Trace.begin(ctx, l, Carrier{}, time.Now().Add(-a.Duration))
	}
	if a.Op != nil {
		a.Op.done(a)
	} else if a.Result() != OK {
		l.metrics.rejected.WithLabelValues(a.Protocol, a.Adapter, a.errorKind()).Inc()
	}
	l.write(ctx, a)
	l.recent.add(a, l.mask)
	if a.Trace.exported {
		l.exporter.offer(a, l.mask)
	}
}

// plainMethod makes a method of what a caller has put in its place, which may be
// as long as a header and, in MCP, any text: no log is to be filled with it, and
// no terminal obey it.
func plainMethod(m string) string {
	const most = 64
	plain := func(c byte) bool { return c > ' ' && c <= '~' }
	odd := len(m) > most
	for i := 0; i < len(m) && !odd; i++ {
		odd = !plain(m[i])
	}
	if !odd {
		return m
	}
	out := []byte(m[:min(len(m), most)])
	for i := range out {
		if !plain(out[i]) {
			out[i] = '?'
		}
	}
	return string(out)
}

// write writes the line of the log, and the audit line where there is one.
func (l *Logger) write(ctx context.Context, a *Access) {
	level := slog.LevelInfo
	if a.Status >= 500 || a.UpstreamStatus >= 500 || a.Fault != nil && ours(a.Fault.Kind) {
		level = slog.LevelWarn
	}
	changes := a.Op != nil && a.Op.Changes
	if !changes && !l.log.Enabled(ctx, level) {
		return
	}
	defer l.lines.flush()
	trace, span := a.Trace.ids()
	if changes {
		l.writeAudit(ctx, a, trace)
	}
	if !l.log.Enabled(ctx, level) {
		return
	}
	var room [26]slog.Attr
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
	attrs = append(attrs, slog.String("trace_id", trace), slog.String("span_id", span))
	if n := len(a.Trace.calls) + a.Trace.missed; n > 1 {
		attrs = append(attrs, slog.Int("attempts", n))
	}
	if a.UpstreamStatus != 0 {
		attrs = append(attrs, slog.Int("upstream_status", a.UpstreamStatus))
	}
	if a.Retries > 0 {
		attrs = append(attrs, slog.Int("retries", a.Retries))
	}
	if a.Replayed {
		attrs = append(attrs, slog.Bool("replayed", true))
	}
	text("era", a.Era)
	if a.Failed {
		attrs = append(attrs, slog.Bool("failed", true))
	}
	if a.Advice > 0 {
		attrs = append(attrs, slog.Int("advice", a.Advice))
	}
	if f := a.Fault; f != nil {
		attrs = append(attrs, slog.String("fault", f.Kind.String()))
	}
	text("outcome", a.doubtful())
	if effects := a.effects(); len(effects) > 0 {
		attrs = append(attrs, slog.Any("effects", effects))
	}
	if f := a.Fault; f != nil && f.Cause != nil {
		attrs = append(attrs, slog.String("cause", causeOf(f.Cause, l.mask)))
	}
	l.log.LogAttrs(ctx, level, "request", attrs...)
}

// ours reports whether a fault is the gateway's or the upstream's, not the
// caller's.
func ours(k fault.Kind) bool {
	switch k {
	case fault.InvalidInput, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.MethodNotAllowed,
		fault.UnsupportedMedia, fault.TooLarge, fault.Canceled, fault.RateLimited, fault.Misdirected:
		return false
	default:
		return true
	}
}

// NewLog returns a structured log in the form text or json.
func NewLog(w io.Writer, format string, level slog.Level) (*slog.Logger, error) {
	// The level is judged in front of the handler: audit lines have none.
	opts := &slog.HandlerOptions{Level: slog.LevelDebug}
	gathered := newLines(w)
	switch format {
	case "text":
		return slog.New(leveled{slog.NewTextHandler(atOnce{gathered}, opts), level, slog.NewTextHandler(gathered, opts), gathered}), nil
	case "json":
		return slog.New(leveled{slog.NewJSONHandler(atOnce{gathered}, opts), level, slog.NewJSONHandler(gathered, opts), gathered}), nil
	default:
		return nil, fmt.Errorf("%q is not text or json", format)
	}
}

// leveled keeps back what is below a level.
type leveled struct {
	slog.Handler
	least slog.Level
	// requests writes to lines, which a [Logger] flushes; all others write at once.
	requests slog.Handler
	lines    *lines
}

// Enabled reports whether a level is written.
func (l leveled) Enabled(_ context.Context, level slog.Level) bool { return level >= l.least }

// WithAttrs keeps the level.
func (l leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	l.Handler = l.Handler.WithAttrs(attrs)
	if l.requests != nil {
		l.requests = l.requests.WithAttrs(attrs)
	}
	return l
}

// WithGroup keeps the level.
func (l leveled) WithGroup(name string) slog.Handler {
	l.Handler = l.Handler.WithGroup(name)
	if l.requests != nil {
		l.requests = l.requests.WithGroup(name)
	}
	return l
}

// everything returns a log to the same place without a least level.
func everything(log *slog.Logger) *slog.Logger {
	if l, ok := log.Handler().(leveled); ok {
		return slog.New(l.Handler)
	}
	return log
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
