package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"patchbay/internal/fault"
)

// UpstreamInfo says what calls of an upstream are counted and described as.
type UpstreamInfo struct {
	// Namespace is the consumed namespace, Host host[:port].
	Namespace, Scheme, Host string
	// Concurrency is the header in which the provider says how many calls are
	// under way, "" for none.
	Concurrency string
	// NoBaggage keeps the caller's baggage from the upstream, NoTrace the whole
	// context.
	NoBaggage, NoTrace bool
}

// Upstream counts what concerns an upstream as a whole. A nil Upstream counts
// nothing. It is safe for concurrent use.
type Upstream struct {
	UpstreamInfo
	metrics            *Metrics
	inFlight, queued   prometheus.Gauge
	breaker            prometheus.Gauge
	provider           series[string, prometheus.Gauge]
	rejected, changing series[string, prometheus.Counter]
}

// Upstream returns the counters of an upstream.
func (m *Metrics) Upstream(info UpstreamInfo) *Upstream {
	return &Upstream{
		UpstreamInfo: info, metrics: m, inFlight: m.upstreamInFlight.WithLabelValues(info.Namespace),
		queued: m.queued.WithLabelValues(info.Namespace), breaker: m.breaker.WithLabelValues(info.Namespace),
	}
}

// Queued counts calls that wait for their turn: 1 when one begins to, -1 when
// it has ended.
func (u *Upstream) Queued(change float64) {
	if u != nil {
		u.queued.Add(change)
	}
}

// Rejection is what kept a call from being sent.
type Rejection string

// The rejections.
const (
	ByConcurrency Rejection = "concurrency"
	ByRate        Rejection = "rate"
	ByBreaker     Rejection = "breaker"
	Unconfigured  Rejection = "unconfigured"
)

// Rejected counts a call that was not sent.
func (u *Upstream) Rejected(by Rejection) {
	if u == nil {
		return
	}
	u.rejected.of(string(by), func(reason string) prometheus.Counter {
		return u.metrics.upstreamRejected.WithLabelValues(u.Namespace, reason)
	}).Inc()
}

// BreakerState is the state of a circuit breaker.
type BreakerState uint8

// The states, with the values that the gauge has.
const (
	BreakerClosed BreakerState = iota
	BreakerHalfOpen
	BreakerOpen
)

// String returns the word that metrics and pages use.
func (s BreakerState) String() string {
	switch s {
	case BreakerOpen:
		return "open"
	case BreakerHalfOpen:
		return "half_open"
	default:
		return "closed"
	}
}

// Breaker notes that the circuit breaker has changed its state.
func (u *Upstream) Breaker(to BreakerState) {
	if u == nil {
		return
	}
	u.BreakerIs(to)
	u.changing.of(to.String(), func(state string) prometheus.Counter {
		return u.metrics.breakerTransitions.WithLabelValues(u.Namespace, state)
	}).Inc()
}

// BreakerIs notes the state of the circuit breaker where it has not changed, but
// another one is asked from now on.
func (u *Upstream) BreakerIs(now BreakerState) {
	if u != nil {
		u.breaker.Set(float64(now))
	}
}

// UpstreamOperation counts the calls of one consumed operation. It is made when
// a deployment is bound. A nil one counts nothing.
type UpstreamOperation struct {
	*Upstream
	// Name is the declared name, Method HTTP's, Template the path as the file
	// spells it, that of the base address included.
	Name, Method, Template string
	// duration has one series; a declared operation that is never called has none.
	duration series[string, prometheus.Observer]
	statuses series[int, prometheus.Counter]
	retries  series[string, prometheus.Counter]
}

// Operation returns the counters of a consumed operation.
func (u *Upstream) Operation(name, method, template string) *UpstreamOperation {
	if u == nil {
		return nil
	}
	o := &UpstreamOperation{Upstream: u, Name: name, Method: method, Template: template}
	u.metrics.mu.Lock()
	defer u.metrics.mu.Unlock()
	u.metrics.upstreams[upstreamKey{u.Namespace, name}] = o
	return o
}

// Retry counts an attempt that repeats one which failed for a reason: a word of
// the caller's closed set, such as the name of a fault's kind or a status.
func (o *UpstreamOperation) Retry(reason string) {
	if o == nil {
		return
	}
	o.retries.of(reason, func(reason string) prometheus.Counter {
		return o.metrics.retries.WithLabelValues(o.Namespace, o.Name, reason)
	}).Inc()
}

// Attempt is one attempt of a call under way. The zero Attempt is none.
type Attempt struct {
	operation *UpstreamOperation
	trace     *Trace
	at        int
	start     time.Time
}

// Begin notes that an attempt begins. number counts from 1.
func (o *UpstreamOperation) Begin(ctx context.Context, number int, now time.Time) Attempt {
	if o == nil {
		return Attempt{}
	}
	a := Attempt{operation: o, trace: traceOf(ctx), at: -1, start: now}
	o.inFlight.Inc()
	if a.trace != nil {
		a.at = a.trace.call(o, number, a.start)
	}
	return a
}

// Inject writes the trace's context into the request's header, in place of
// whatever a file put there.
func (a *Attempt) Inject(h http.Header) {
	if a.trace == nil || a.operation.NoTrace {
		return
	}
	var span SpanID
	if a.at >= 0 {
		span = a.trace.calls[a.at].Span
	}
	a.trace.inject(h, span, !a.operation.NoBaggage)
}

// End notes how the attempt went: with an answer, or with a fault, or with
// both where the answer could not be read.
func (a *Attempt) End(now time.Time, status int, header http.Header, f *fault.Fault) {
	o := a.operation
	if o == nil {
		return
	}
	took := now.Sub(a.start)
	o.inFlight.Dec()
	o.duration.of("", func(string) prometheus.Observer {
		return o.metrics.upstreamDuration.WithLabelValues(o.Namespace, o.Name)
	}).Observe(took.Seconds())
	key := status
	if status == 0 && f != nil {
		key = -int(f.Kind) - 1
	}
	o.statuses.of(key, func(key int) prometheus.Counter {
		text := strconv.Itoa(key)
		if key < 0 {
			text = fault.Kind(-key - 1).String()
		}
		return o.metrics.upstreamRequests.WithLabelValues(o.Namespace, o.Name, text)
	}).Inc()
	if o.Concurrency != "" {
		o.concurrency(header)
	}
	if a.at < 0 {
		return
	}
	c := &a.trace.calls[a.at]
	c.Duration, c.Status = took, status
	if f != nil {
		c.Failed, c.Kind, c.Outcome = true, f.Kind, f.Outcome
	}
}

// concurrency keeps what the provider says about calls under way.
func (o *UpstreamOperation) concurrency(header http.Header) {
	values := header[o.Concurrency]
	if len(values) != 1 {
		return
	}
	if n, err := strconv.Atoi(values[0]); err == nil && n >= 0 {
		o.provider.of("", func(string) prometheus.Gauge { return o.metrics.provider.WithLabelValues(o.Namespace) }).Set(float64(n))
	}
}
