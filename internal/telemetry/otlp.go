package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"patchbay/internal/secret"
)

// ExporterOptions say where traces and metrics are sent. Zero times take the
// defaults.
type ExporterOptions struct {
	// Endpoint is the collector's base address; /v1/traces and /v1/metrics are
	// added, as the OTLP/HTTP specification says of a common endpoint.
	Endpoint string
	Headers  map[string]secret.Value
	// Service and Version are what the process calls itself.
	Service, Version, Instance string
	Log                        *slog.Logger
	Metrics                    *Metrics
	Mask                       *secret.Mask
	// Batch is how long a trace waits for others, Interval how often metrics are
	// sent, Timeout how long a delivery may take, Backoff the first pause before
	// another attempt.
	Batch, Interval, Timeout, Backoff time.Duration
}

// Bounds of the exporter.
const (
	queueLength = 2048 // requests that wait to be sent
	batchLength = 256  // requests in one delivery
	maxAttempts = 5    // of a delivery
	maxPause    = 30 * time.Second
)

// Exporter sends traces and metrics to a collector with OTLP over HTTP, in
// JSON. It never holds a request up: what finds the queue full is dropped and
// counted. It is safe for concurrent use.
type Exporter struct {
	opts     ExporterOptions
	client   *http.Client
	queue    chan *record
	resource resource
	started  time.Time

	// stop ends waiting, base whatever is being sent.
	stop    chan struct{}
	once    sync.Once
	working sync.WaitGroup
	base    context.Context
	cancel  context.CancelFunc
}

// NewExporter starts an exporter, which [Exporter.Close] ends.
func NewExporter(opts ExporterOptions) (*Exporter, error) {
	u, err := url.Parse(opts.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("the collector's address is not an http or https address without credentials and query")
	}
	opts.Endpoint = strings.TrimRight(opts.Endpoint, "/")
	fallback := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	fallback(&opts.Batch, 5*time.Second)
	fallback(&opts.Interval, time.Minute)
	fallback(&opts.Timeout, 10*time.Second)
	fallback(&opts.Backoff, time.Second)
	e := &Exporter{
		opts: opts, queue: make(chan *record, queueLength), stop: make(chan struct{}), started: time.Now(),
		client: &http.Client{
			Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 2, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10},
			// A collector that sends its clients elsewhere would be told our headers there.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		resource: resourceOf(&opts),
	}
	e.base, e.cancel = context.WithCancel(context.Background())
	e.working.Go(e.sendTraces)
	e.working.Go(e.sendMetrics)
	return e, nil
}

// offer takes a trace, or drops it where too many wait.
func (e *Exporter) offer(a *Access, mask *secret.Mask) {
	r := new(record)
	r.fill(a, mask)
	select {
	case e.queue <- r:
	default:
		e.opts.Metrics.dropped.WithLabelValues("traces").Inc()
	}
}

// Close sends what waits, and the metrics a last time, within the context's
// time. Nothing may be offered afterwards.
func (e *Exporter) Close(ctx context.Context) {
	if e == nil {
		return
	}
	e.once.Do(func() { close(e.stop) })
	ended := make(chan struct{})
	go func() { e.working.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
		e.cancel()
		<-ended
	}
	e.cancel()
	e.client.CloseIdleConnections()
}

// sendTraces collects traces into deliveries.
func (e *Exporter) sendTraces() {
	batch := make([]*record, 0, batchLength)
	tick := time.NewTicker(e.opts.Batch)
	defer tick.Stop()
	flush := func() {
		if len(batch) == 0 {
			return
		}
		if !e.deliver("traces", encodeTraces(&e.resource, batch)) {
			e.opts.Metrics.dropped.WithLabelValues("traces").Add(float64(len(batch)))
		}
		clear(batch)
		batch = batch[:0]
	}
	for {
		select {
		case r := <-e.queue:
			if batch = append(batch, r); len(batch) == batchLength {
				flush()
			}
		case <-tick.C:
			flush()
		case <-e.stop:
			for {
				select {
				case r := <-e.queue:
					if batch = append(batch, r); len(batch) == batchLength {
						flush()
					}
				default:
					flush()
					return
				}
			}
		}
	}
}

func (e *Exporter) sendMetrics() {
	tick := time.NewTicker(e.opts.Interval)
	defer tick.Stop()
	send := func() {
		body, err := e.opts.Metrics.encode(&e.resource, e.started, time.Now())
		if err != nil || !e.deliver("metrics", body) {
			e.opts.Metrics.dropped.WithLabelValues("metrics").Inc()
		}
	}
	for {
		select {
		case <-tick.C:
			send()
		case <-e.stop:
			send()
			return
		}
	}
}

// deliver sends a document, again where the collector says that this may help
// (OTLP specification, "Failures"), and reports whether it was taken.
func (e *Exporter) deliver(signal string, body []byte) bool {
	pause := e.opts.Backoff
	var last string
	for attempt := 1; ; attempt++ {
		wait, reason := e.post(signal, body)
		if reason == "" {
			e.opts.Metrics.exports.WithLabelValues(signal, "success").Inc()
			return true
		}
		last = reason
		if wait < 0 || attempt == maxAttempts || !e.sleep(max(wait, pause/2+rand.N(pause))) {
			break
		}
		pause = min(2*pause, maxPause)
	}
	e.opts.Metrics.exports.WithLabelValues(signal, "failure").Inc()
	e.opts.Log.Warn("the collector did not take telemetry", "signal", signal, "cause", last)
	return false
}

// sleep waits, and reports false when there is no more time: at the end, a
// delivery is tried once.
func (e *Exporter) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-e.stop:
		return false
	}
}

// post sends a document once. reason is "" for success; wait is how long to
// pause, 0 for no wish, negative where another attempt is no use.
func (e *Exporter) post(signal string, body []byte) (wait time.Duration, reason string) {
	ctx, cancel := context.WithTimeout(e.base, e.opts.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.opts.Endpoint+"/v1/"+signal, bytes.NewReader(body))
	if err != nil {
		return -1, "the request cannot be made"
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "patchbay/"+e.opts.Version)
	for name, v := range e.opts.Headers {
		r.Header.Set(name, v.Reveal())
	}
	answer, err := e.client.Do(r)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the address may hold a token in its path
		}
		return 0, causeOf(err, e.opts.Mask)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	switch answer.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		e.partial(signal, text)
		return 0, ""
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return min(time.Duration(max(seconds, 0))*time.Second, maxPause), "HTTP " + strconv.Itoa(answer.StatusCode)
	default:
		return -1, "HTTP " + strconv.Itoa(answer.StatusCode)
	}
}

// partial counts what a collector has taken a delivery without (OTLP
// specification, "Partial Success"): spans or data points. An answer that says
// nothing of it took everything.
func (e *Exporter) partial(signal string, body []byte) {
	var answer struct {
		Partial struct {
			Spans   json.RawMessage `json:"rejectedSpans"`
			Points  json.RawMessage `json:"rejectedDataPoints"`
			Message string          `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return
	}
	said := answer.Partial.Spans
	if signal == "metrics" {
		said = answer.Partial.Points
	}
	// Protobuf writes 64-bit integers as text; some write numbers.
	n, err := strconv.ParseInt(string(bytes.Trim(said, `"`)), 10, 64)
	if err != nil || n <= 0 {
		return
	}
	e.opts.Metrics.dropped.WithLabelValues(signal).Add(float64(n))
	e.opts.Log.Warn("the collector took only a part of telemetry", "signal", signal, "rejected", n, "cause", causeOf(errors.New(answer.Partial.Message), e.opts.Mask))
}

// resource says whose telemetry it is.
type resource struct {
	Attributes []attribute `json:"attributes"`
}

func resourceOf(o *ExporterOptions) resource {
	var of attributes
	of.text("service.name", o.Service)
	of.text("service.version", o.Version)
	of.text("service.instance.id", o.Instance)
	of.text("telemetry.sdk.language", "go")
	of.text("telemetry.sdk.name", "patchbay")
	of.text("telemetry.sdk.version", o.Version)
	return resource{of}
}

type scope struct {
	Name string `json:"name"`
}

func encodeTraces(of *resource, batch []*record) []byte {
	type scopeSpans struct {
		Scope scope  `json:"scope"`
		Spans []span `json:"spans"`
	}
	type resourceSpans struct {
		Resource   *resource    `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	var spans []span
	for _, r := range batch {
		spans = append(spans, r.spans()...)
	}
	body, _ := json.Marshal(struct { // what is marshalled has no types that can fail
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}{[]resourceSpans{{of, []scopeSpans{{scope{"patchbay"}, spans}}}}})
	return body
}
