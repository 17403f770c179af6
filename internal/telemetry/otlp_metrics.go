package telemetry

import (
	"encoding/json"
	"math"
	"net"
	"strconv"
	"strings"
	"time"
)

// cumulative says that counters grow from the start of the process
// (opentelemetry-proto, metrics.proto).
const cumulative = 2

type otlpMetric struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Unit        string         `json:"unit,omitempty"`
	Sum         *otlpSum       `json:"sum,omitempty"`
	Gauge       *otlpGauge     `json:"gauge,omitempty"`
	Histogram   *otlpHistogram `json:"histogram,omitempty"`
}

type otlpSum struct {
	Points      []otlpPoint `json:"dataPoints"`
	Temporality int         `json:"aggregationTemporality"`
	Monotonic   bool        `json:"isMonotonic"`
}

type otlpGauge struct {
	Points []otlpPoint `json:"dataPoints"`
}

type otlpHistogram struct {
	Points      []otlpBuckets `json:"dataPoints"`
	Temporality int           `json:"aggregationTemporality"`
}

type otlpPoint struct {
	Attributes []attribute `json:"attributes"`
	Start      string      `json:"startTimeUnixNano,omitempty"`
	Time       string      `json:"timeUnixNano"`
	Value      float64     `json:"asDouble"`
}

type otlpBuckets struct {
	Attributes []attribute `json:"attributes"`
	Start      string      `json:"startTimeUnixNano"`
	Time       string      `json:"timeUnixNano"`
	Count      string      `json:"count"`
	Sum        float64     `json:"sum"`
	Counts     []string    `json:"bucketCounts"`
	Bounds     []float64   `json:"explicitBounds"`
}

// encode writes our own metrics as OTLP. Durations have the names and
// attributes of the semantic conventions; the rest keeps its name, with dots.
func (m *Metrics) encode(of *resource, started, now time.Time) ([]byte, error) {
	families, err := m.registry.Gather()
	if err != nil {
		return nil, err
	}
	since, at := nanoseconds(started), nanoseconds(now)
	var out []otlpMetric
	named := map[string]int{}
	histogram := func(name, help string) *otlpHistogram {
		i, ok := named[name]
		if !ok {
			i = len(out)
			named[name] = i
			out = append(out, otlpMetric{Name: name, Description: help, Unit: "s", Histogram: &otlpHistogram{Temporality: cumulative}})
		}
		return out[i].Histogram
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "patchbay_") {
			continue
		}
		var points []otlpPoint
		isHistogram := false
		for _, sample := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range sample.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if h := sample.GetHistogram(); h != nil {
				isHistogram = true
				p := otlpBuckets{Start: since, Time: at, Count: strconv.FormatUint(h.GetSampleCount(), 10), Sum: h.GetSampleSum()}
				below := uint64(0)
				for _, b := range h.GetBucket() {
					if math.IsInf(b.GetUpperBound(), 1) {
						continue
					}
					p.Bounds = append(p.Bounds, b.GetUpperBound())
					p.Counts = append(p.Counts, strconv.FormatUint(b.GetCumulativeCount()-below, 10))
					below = b.GetCumulativeCount()
				}
				p.Counts = append(p.Counts, strconv.FormatUint(h.GetSampleCount()-below, 10))
				var name string
				name, p.Attributes = m.conventions(f.GetName(), labels)
				to := histogram(name, f.GetHelp())
				to.Points = append(to.Points, p)
				continue
			}
			p := otlpPoint{Start: since, Time: at, Value: sample.GetGauge().GetValue(), Attributes: plainAttributes(labels)}
			if c := sample.GetCounter(); c != nil {
				p.Value = c.GetValue()
			} else {
				p.Start = ""
			}
			points = append(points, p)
		}
		if isHistogram || len(points) == 0 {
			continue
		}
		metric := otlpMetric{Name: dotted(f.GetName()), Description: f.GetHelp()}
		if points[0].Start != "" {
			metric.Sum = &otlpSum{Points: points, Temporality: cumulative, Monotonic: true}
		} else {
			metric.Gauge = &otlpGauge{Points: points}
		}
		out = append(out, metric)
	}
	type scopeMetrics struct {
		Scope   scope        `json:"scope"`
		Metrics []otlpMetric `json:"metrics"`
	}
	type resourceMetrics struct {
		Resource     *resource      `json:"resource"`
		ScopeMetrics []scopeMetrics `json:"scopeMetrics"`
	}
	return json.Marshal(struct {
		ResourceMetrics []resourceMetrics `json:"resourceMetrics"`
	}{[]resourceMetrics{{of, []scopeMetrics{{scope{"patchbay"}, out}}}}})
}

// dotted is a name of Prometheus as OpenTelemetry would have it: the unit and
// _total are no part of it.
func dotted(name string) string {
	name = strings.TrimSuffix(strings.TrimSuffix(name, "_total"), "_seconds")
	return "patchbay." + strings.TrimPrefix(name, "patchbay_")
}

func plainAttributes(labels map[string]string) []attribute {
	of := attributes{}
	for _, name := range []string{"protocol", "adapter", "operation", "upstream", "result", "status", "kind", "reason", "state", "listener", "signal", "version", "goversion"} {
		of.text("patchbay."+name, labels[name])
	}
	return of
}

// conventions are the name and the attributes of a duration: those of an HTTP
// server, an MCP server, or an HTTP client.
func (m *Metrics) conventions(family string, labels map[string]string) (string, []attribute) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := attributes{}
	if family == "patchbay_upstream_request_duration_seconds" {
		if o := m.upstreams[upstreamKey{labels["upstream"], labels["operation"]}]; o != nil {
			host, _, err := net.SplitHostPort(o.Host)
			if err != nil {
				host = o.Host
			}
			of.text("http.request.method", o.Method)
			of.text("url.template", o.Template)
			of.text("server.address", host)
		}
		of.text("patchbay.upstream", labels["upstream"])
		of.text("patchbay.operation", labels["operation"])
		return "http.client.request.duration", of
	}
	o := m.operations[operationKey{labels["protocol"], labels["adapter"], labels["operation"]}]
	name := "http.server.request.duration"
	switch {
	case labels["protocol"] == "mcp":
		name = "mcp.server.operation.duration"
		if o != nil {
			of.text("mcp.method.name", o.Method)
			if o.Tool {
				of.text("gen_ai.tool.name", o.Name)
				of.text("gen_ai.operation.name", "execute_tool")
			}
		}
	case o != nil:
		of.text("http.request.method", o.Method)
		of.text("http.route", o.Route)
		of.text("url.scheme", schemeOf(o.Secure))
	}
	if labels["result"] != OK.String() {
		of.text("error.type", labels["result"])
	}
	of.text("patchbay.adapter", labels["adapter"])
	of.text("patchbay.operation", labels["operation"])
	return name, of
}
