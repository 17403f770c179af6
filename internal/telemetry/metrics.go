package telemetry

import (
	"maps"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// buckets are the bounds of durations, in seconds: an upstream is fast at some
// milliseconds, and given up at a minute.
func buckets() []float64 {
	return []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60}
}

// Family is one metric as documents describe it.
type Family struct {
	Name, Kind, Help string
	Labels           []string
}

// Metrics are the counters of a process. Labels are names that capability
// files and options declare, and words of closed sets; never paths, values or
// callers. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	families []Family

	duration, upstreamDuration                                       *prometheus.HistogramVec
	requests, requestErrors, rejected                                *prometheus.CounterVec
	upstreamRequests, retries, upstreamRejected, breakerTransitions  *prometheus.CounterVec
	inFlight, upstreamInFlight, queued, breaker, provider, connected *prometheus.GaugeVec
	connections, reloads, dropped, exports                           *prometheus.CounterVec
	reloaded, reloadedAt                                             prometheus.Gauge
	auditFailures                                                    prometheus.Counter

	mu sync.Mutex
	// operations and upstreams are those that series stand for, for what is sent
	// with the attributes of the semantic conventions.
	operations map[operationKey]*Operation
	upstreams  map[upstreamKey]*UpstreamOperation
}

type (
	operationKey struct{ protocol, adapter, name string }
	upstreamKey  struct{ upstream, name string }
)

// NewMetrics returns counters that stand at zero.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), operations: map[operationKey]*Operation{}, upstreams: map[upstreamKey]*UpstreamOperation{}}
	operation := []string{"protocol", "adapter", "operation"}
	upstream := []string{"upstream", "operation"}
	with := func(labels []string, more ...string) []string {
		return append(labels[:len(labels):len(labels)], more...)
	}

	m.duration = m.histogram("patchbay_request_duration_seconds", "Time to answer a request, by result: ok, refused (the caller's fault) or failed (ours or the upstream's).", with(operation, "result")...)
	m.requests = m.counter("patchbay_requests_total", "Requests that reached an operation, by HTTP status; of MCP ok or error.", with(operation, "status")...)
	m.requestErrors = m.counter("patchbay_request_errors_total", "Requests that did not succeed, by kind of fault; upstream-status is an error that the upstream answered.", with(operation, "kind")...)
	m.inFlight = m.gauge("patchbay_requests_in_flight", "Requests that an operation is working on.", "protocol", "adapter")
	m.rejected = m.counter("patchbay_requests_rejected_total", "Requests that reached no operation, by kind of fault; adapter is empty where none was reached.", "protocol", "adapter", "kind")

	m.upstreamDuration = m.histogram("patchbay_upstream_request_duration_seconds", "Time of one attempt of an upstream call, waiting for its turn left out.", upstream...)
	m.upstreamRequests = m.counter("patchbay_upstream_requests_total", "Attempts of upstream calls, by HTTP status, or by kind of fault where no answer came.", with(upstream, "status")...)
	m.retries = m.counter("patchbay_upstream_retries_total", "Attempts that repeat an earlier one, by why that one failed.", with(upstream, "reason")...)
	m.upstreamInFlight = m.gauge("patchbay_upstream_in_flight", "Attempts under way.", "upstream")
	m.queued = m.gauge("patchbay_upstream_queued", "Calls that wait for their turn.", "upstream")
	m.upstreamRejected = m.counter("patchbay_upstream_rejected_total", "Calls that were not sent, by what refused them: concurrency, rate, breaker or unconfigured.", "upstream", "reason")
	m.breaker = m.gauge("patchbay_upstream_breaker_state", "State of the circuit breaker: 0 closed, 1 half open, 2 open.", "upstream")
	m.breakerTransitions = m.counter("patchbay_upstream_breaker_transitions_total", "Changes of the circuit breaker, by the state that it changed to: closed, half_open or open.", "upstream", "state")
	m.provider = m.gauge("patchbay_upstream_provider_concurrent_requests", "Calls under way as the provider counts them, in its last answer (Twilio-Concurrent-Requests).", "upstream")

	m.connected = m.gauge("patchbay_connections", "Open connections of clients.", "listener")
	m.connections = m.counter("patchbay_connections_total", "Connections of clients that were accepted.", "listener")
	m.reloads = m.counter("patchbay_reloads_total", "Reloads of the deployment, by result: success or failure.", "result")
	m.reloaded = m.single("patchbay_last_reload_successful", "Whether the last reload succeeded; 1 before the first.")
	m.reloaded.Set(1)
	m.reloadedAt = m.single("patchbay_last_reload_success_timestamp_seconds", "When a deployment was last taken into service, in Unix time.")
	m.dropped = m.counter("patchbay_telemetry_dropped_total", "What did not reach the collector: traces or metrics; of a delivery that it took in part, the spans or data points that it rejected.", "signal")
	m.exports = m.counter("patchbay_telemetry_exports_total", "Deliveries to the collector, by result: success or failure.", "signal", "result")
	failures := prometheus.NewCounter(prometheus.CounterOpts{Name: "patchbay_audit_failures_total", Help: "Audit lines that could not be written."})
	m.auditFailures = failures
	m.register(failures, Family{Name: "patchbay_audit_failures_total", Kind: "counter", Help: "Audit lines that could not be written."})

	build := m.gauge("patchbay_build_info", "The version that runs; always 1.", "version", "goversion")
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Metrics) register(c prometheus.Collector, f Family) {
	m.registry.MustRegister(c)
	m.families = append(m.families, f)
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.register(v, Family{name, "counter", help, labels})
	return v
}

func (m *Metrics) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.register(v, Family{name, "gauge", help, labels})
	return v
}

func (m *Metrics) single(name, help string) prometheus.Gauge {
	v := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	m.register(v, Family{Name: name, Kind: "gauge", Help: help})
	return v
}

func (m *Metrics) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets()}, labels)
	m.register(v, Family{name, "histogram", help, labels})
	return v
}

// Families describes the metrics of our own, in their order.
func (m *Metrics) Families() []Family { return m.families }

// Handler serves the metrics as Prometheus reads them.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Reloaded counts a reload.
func (m *Metrics) Reloaded(ok bool, at float64) {
	if !ok {
		m.reloads.WithLabelValues("failure").Inc()
		m.reloaded.Set(0)
		return
	}
	m.reloads.WithLabelValues("success").Inc()
	m.reloaded.Set(1)
	m.reloadedAt.Set(at)
}

// Served notes when the first deployment was taken into service.
func (m *Metrics) Served(at float64) { m.reloadedAt.Set(at) }

// Connections returns what counts the connections of a listener: one function
// for each that opens, one for each that closes.
func (m *Metrics) Connections(listener string) (opened, closed func()) {
	open, total := m.connected.WithLabelValues(listener), m.connections.WithLabelValues(listener)
	return func() { open.Inc(); total.Inc() }, func() { open.Dec() }
}

// series are metrics of one vector that differ in one label only, bound when
// they are first needed: later uses allocate nothing.
type series[K comparable, V any] struct {
	bound atomic.Pointer[map[K]V]
	mu    sync.Mutex
}

func (s *series[K, V]) of(key K, bind func(K) V) V {
	if have := s.bound.Load(); have != nil {
		if v, ok := (*have)[key]; ok {
			return v
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[K]V{}
	if have := s.bound.Load(); have != nil {
		if v, ok := (*have)[key]; ok {
			return v
		}
		next = maps.Clone(*have)
	}
	v := bind(key)
	next[key] = v
	s.bound.Store(&next)
	return v
}
