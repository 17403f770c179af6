package telemetry

import (
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"patchbay/internal/fault"
)

// OperationInfo says what requests to an operation are counted and described as.
type OperationInfo struct {
	// Protocol is rest or mcp, Adapter a namespace, Name the declared name.
	Protocol, Adapter, Name string
	// Method is HTTP's method or MCP's, Route the declared path of REST.
	Method, Route string
	// Secure reports that its listener speaks TLS.
	Secure bool
	// Tool reports that Name is a tool's.
	Tool bool
	// Changes reports that its upstream methods may change something; such calls
	// are audited. Targets are those it calls, such as "POST https://host/path/{x}".
	Changes bool
	Targets []string
}

// Operation counts the requests to one operation. It is made when a deployment
// is loaded; using it allocates nothing. It is safe for concurrent use.
type Operation struct {
	OperationInfo
	metrics *Metrics
	// target is Targets in one text.
	target   string
	inFlight prometheus.Gauge
	duration series[Result, prometheus.Observer]
	statuses series[int, prometheus.Counter]
	errors   series[string, prometheus.Counter]
}

// Result is how a request went, for rates and alerts.
type Result uint8

// The results.
const (
	// OK is a success.
	OK Result = iota
	// Refused is a request that was the caller's fault, whoever said so.
	Refused
	// Failed is a request that this process or the upstream failed.
	Failed
)

// String returns the word that metrics and pages use.
func (r Result) String() string {
	switch r {
	case OK:
		return "ok"
	case Refused:
		return "refused"
	default:
		return "failed"
	}
}

// Operation returns the counters of an operation. Of two with the same names,
// the later one describes the series. Nil metrics have none: what is compiled
// with them cannot be served.
func (m *Metrics) Operation(info OperationInfo) *Operation {
	if m == nil {
		return nil
	}
	o := &Operation{OperationInfo: info, metrics: m, target: strings.Join(info.Targets, ", "), inFlight: m.inFlight.WithLabelValues(info.Protocol, info.Adapter)}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.operations[operationKey{info.Protocol, info.Adapter, info.Name}] = o
	return o
}

// statusError is what stands for the status of an MCP request that failed;
// zero is one that did not.
const statusError = -1

// done counts an answered request.
func (o *Operation) done(a *Access) {
	o.duration.of(a.Result(), func(r Result) prometheus.Observer {
		return o.metrics.duration.WithLabelValues(o.Protocol, o.Adapter, o.Name, r.String())
	}).Observe(a.Duration.Seconds())
	status := a.Status
	if status == 0 && a.Result() != OK {
		status = statusError
	}
	o.statuses.of(status, func(status int) prometheus.Counter {
		text := strconv.Itoa(status)
		switch status {
		case 0:
			text = "ok"
		case statusError:
			text = "error"
		}
		return o.metrics.requests.WithLabelValues(o.Protocol, o.Adapter, o.Name, text)
	}).Inc()
	if kind := a.errorKind(); kind != "" {
		o.errors.of(kind, func(kind string) prometheus.Counter {
			return o.metrics.requestErrors.WithLabelValues(o.Protocol, o.Adapter, o.Name, kind)
		}).Inc()
	}
}

// Result says how the request went.
func (a *Access) Result() Result {
	switch {
	case a.Fault != nil && ours(a.Fault.Kind), a.Status >= 500, a.Failed && a.UpstreamStatus >= 500:
		return Failed
	case a.Fault != nil, a.Failed, a.Status >= 400:
		return Refused
	default:
		return OK
	}
}

// errorKind is the kind of what went wrong, "" where nothing did.
func (a *Access) errorKind() string {
	switch {
	case a.Fault != nil:
		return a.Fault.Kind.String()
	case a.Result() != OK:
		return fault.Status.String()
	default:
		return ""
	}
}
