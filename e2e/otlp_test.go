package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// collected is what a collector's own decoder has read.
type collected struct {
	mu      sync.Mutex
	spans   []ptrace.Span
	metrics map[string]pmetric.Metric
	service string
}

// serveCollector receives OTLP over HTTP with the decoder of OpenTelemetry's
// collector.
func serveCollector(t *testing.T) (*httptest.Server, *collected) {
	c := &collected{metrics: map[string]pmetric.Metric{}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		body, err := io.ReadAll(r.Body)
		if err == nil && r.URL.Path == "/v1/traces" {
			err = c.traces(body)
		} else if err == nil {
			err = c.measured(body)
		}
		if err != nil {
			t.Errorf("%s: %v in %s", r.URL.Path, err, body)
		}
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(s.Close)
	return s, c
}

func (c *collected) traces(body []byte) error {
	all, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(body)
	if err != nil {
		return err
	}
	for _, r := range all.ResourceSpans().All() {
		name, _ := r.Resource().Attributes().Get("service.name")
		c.service = name.Str()
		for _, s := range r.ScopeSpans().All() {
			for _, span := range s.Spans().All() {
				c.spans = append(c.spans, span)
			}
		}
	}
	return nil
}

func (c *collected) measured(body []byte) error {
	all, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(body)
	if err != nil {
		return err
	}
	for _, r := range all.ResourceMetrics().All() {
		for _, s := range r.ScopeMetrics().All() {
			for _, m := range s.Metrics().All() {
				c.metrics[m.Name()] = m
			}
		}
	}
	return nil
}

// TestOTLP sends the traces and metrics of a process to a collector, which is
// told of by OpenTelemetry's own variables.
func TestOTLP(t *testing.T) {
	at, got := serveCollector(t)
	p := serve(t, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + at.URL, "OTEL_SERVICE_NAME=flex"}, "--sandbox", "--sandbox-setup-delay", "0s")
	const trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	request, err := http.NewRequest(http.MethodGet, p.rest+"/v1/interactions/"+seedInteraction, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Traceparent", "00-"+trace+"-"+parent+"-01")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	p.terminate()
	p.stopped()

	got.mu.Lock()
	defer got.mu.Unlock()
	if got.service != "flex" || len(got.spans) != 2 {
		t.Fatalf("%d spans of %q", len(got.spans), got.service)
	}
	server, client := got.spans[0], got.spans[1]
	if server.TraceID().String() != trace || server.ParentSpanID().String() != parent || server.Kind() != ptrace.SpanKindServer || server.Name() != "GET /v1/interactions/{interactionsid}" {
		t.Errorf("the server's span is %s %s %s %s", server.TraceID(), server.ParentSpanID(), server.Kind(), server.Name())
	}
	if client.TraceID().String() != trace || client.ParentSpanID() != server.SpanID() || client.Kind() != ptrace.SpanKindClient || client.EndTimestamp() < client.StartTimestamp() {
		t.Errorf("the client's span is %s %s %s", client.TraceID(), client.ParentSpanID(), client.Kind())
	}
	if status, ok := client.Attributes().Get("http.response.status_code"); !ok || status.Int() != 200 {
		t.Errorf("the client's span has %v", client.Attributes().AsRaw())
	}
	for _, name := range []string{"http.server.request.duration", "http.client.request.duration"} {
		m, ok := got.metrics[name]
		if !ok || m.Type() != pmetric.MetricTypeHistogram || m.Unit() != "s" {
			t.Errorf("there is no histogram %s", name)
			continue
		}
		point := m.Histogram().DataPoints().At(0)
		if point.Count() != 1 || point.BucketCounts().Len() != point.ExplicitBounds().Len()+1 {
			t.Errorf("%s counts %d in %d buckets", name, point.Count(), point.BucketCounts().Len())
		}
	}
	for name := range got.metrics {
		if strings.Contains(name, "_seconds") || strings.HasSuffix(name, "_total") {
			t.Errorf("%s is a name of Prometheus", name)
		}
	}
}
