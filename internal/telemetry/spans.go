package telemetry

import (
	"net"
	"strconv"
	"strings"
	"time"
)

// The kinds of spans and the status of one that failed (opentelemetry-proto,
// trace.proto).
const (
	kindServer = 2
	kindClient = 3
	spanFailed = 2
)

// span is one operation in a trace as OTLP has it.
type span struct {
	TraceID    string      `json:"traceId"`
	SpanID     string      `json:"spanId"`
	ParentID   string      `json:"parentSpanId,omitempty"`
	TraceState string      `json:"traceState,omitempty"`
	Name       string      `json:"name"`
	Kind       int         `json:"kind"`
	Start      string      `json:"startTimeUnixNano"`
	End        string      `json:"endTimeUnixNano"`
	Attributes []attribute `json:"attributes"`
	Dropped    int         `json:"droppedAttributesCount,omitempty"`
	Status     spanStatus  `json:"status"`
}

type spanStatus struct {
	Code    int    `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// attribute is a name with a value of one type.
type attribute struct {
	Key   string `json:"key"`
	Value value  `json:"value"`
}

// value holds exactly one of its fields. OTLP writes 64-bit integers as text,
// as JSON of protobuf does.
type value struct {
	String *string `json:"stringValue,omitempty"`
	Int    string  `json:"intValue,omitempty"`
	Bool   bool    `json:"boolValue,omitempty"`
	Array  *values `json:"arrayValue,omitempty"`
}

// values is a list of texts.
type values struct {
	Values []value `json:"values"`
}

func textOf(key, text string) attribute { return attribute{key, value{String: &text}} }

func numberOf(key string, n int) attribute { return attribute{key, value{Int: strconv.Itoa(n)}} }

func nanoseconds(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

// attributes collects those that have a value.
type attributes []attribute

func (a *attributes) text(key, text string) {
	if text != "" {
		*a = append(*a, textOf(key, text))
	}
}

func (a *attributes) number(key string, n int) {
	if n != 0 {
		*a = append(*a, numberOf(key, n))
	}
}

func (a *attributes) texts(key string, texts []string) {
	if len(texts) == 0 {
		return
	}
	list := make([]value, len(texts))
	for i := range texts {
		list[i].String = &texts[i]
	}
	*a = append(*a, attribute{key, value{Array: &values{list}}})
}

// mark adds what is true.
func (a *attributes) mark(key string, is bool) {
	if is {
		*a = append(*a, attribute{key, value{Bool: true}})
	}
}

// spans are the server's span and one for each attempt, with the semantic
// conventions of OpenTelemetry for HTTP and for MCP. Addresses are told by host
// and template: paths and queries hold values of callers.
func (r *record) spans() []span {
	out := make([]span, 0, 1+r.count)
	server := span{
		TraceID: r.id.String(), SpanID: r.span.String(), Kind: kindServer,
		Start: nanoseconds(r.start), End: nanoseconds(r.start.Add(r.duration)), TraceState: r.state,
	}
	if r.parent != (SpanID{}) {
		server.ParentID = r.parent.String()
	}
	var of attributes
	if r.protocol == "mcp" {
		server.Name = r.mcp(&of)
	} else {
		server.Name = r.http(&of)
	}
	of.text("patchbay.adapter", r.adapter)
	of.text("patchbay.operation", r.name)
	of.text("patchbay.request_id", r.requestID)
	of.text("patchbay.outcome", r.outcome)
	of.texts("patchbay.effects", r.effects)
	of.mark("patchbay.replayed", r.replayed)
	of.text("enduser.id", r.caller)
	of.number("patchbay.dropped_calls", r.missed)
	if r.result == Failed || r.protocol == "mcp" && r.result != OK {
		server.Status.Code, server.Status.Message = spanFailed, r.cause
	}
	server.Attributes = of
	out = append(out, server)
	for i := range r.calls[:r.count] {
		out = append(out, r.calls[i].client(r, server.SpanID))
	}
	return out
}

// http adds what the conventions say of HTTP servers, and returns the name.
func (r *record) http(of *attributes) string {
	of.text("http.request.method", knownMethod(r.method))
	of.text("http.route", r.route)
	of.text("url.scheme", schemeOf(r.secure))
	of.number("http.response.status_code", r.status)
	if r.result == Failed {
		errorType := r.kind
		if r.kind == "" || r.kind == "upstream-status" {
			errorType = strconv.Itoa(r.status)
		}
		of.text("error.type", errorType)
	}
	return strings.TrimRight(knownMethod(r.method)+" "+r.route, " ")
}

func schemeOf(secure bool) string {
	if secure {
		return "https"
	}
	return "http"
}

// knownMethod is a method as names of spans and attributes have it: one that a
// caller made up is _OTHER.
func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "QUERY":
		return m
	default:
		return "_OTHER"
	}
}

// mcp adds what the conventions say of MCP servers, and returns the name:
// "{mcp.method.name} {gen_ai.tool.name}".
func (r *record) mcp(of *attributes) string {
	method := r.method
	if r.operation == nil {
		method = "_OTHER" // a caller's invention
	}
	of.text("mcp.method.name", method)
	of.text("mcp.protocol.version", r.revision)
	switch r.transport {
	case "stdio":
		of.text("network.transport", "pipe")
	case "http":
		of.text("network.transport", "tcp")
		of.text("network.protocol.name", "http")
	}
	name := method
	if r.operation != nil && r.operation.Tool {
		of.text("gen_ai.tool.name", r.name)
		of.text("gen_ai.operation.name", "execute_tool")
		name += " " + r.name
	}
	if r.result != OK {
		// isError counts as a failure: HTTP and JSON-RPC look fine then.
		kind := r.kind
		if method == "tools/call" && (kind == "" || kind == "upstream-status") {
			kind = "tool_error"
		}
		of.text("error.type", kind)
	}
	return name
}

// client is the span of one attempt.
func (c *Call) client(r *record, parent string) span {
	start := r.start.Add(c.Start)
	s := span{
		TraceID: r.id.String(), SpanID: c.Span.String(), ParentID: parent, Kind: kindClient,
		Name: c.Operation.Method + " " + c.Operation.Template, Start: nanoseconds(start), End: nanoseconds(start.Add(c.Duration)),
	}
	var of attributes
	of.text("http.request.method", c.Operation.Method)
	of.text("url.template", c.Operation.Template)
	of.text("url.scheme", c.Operation.Scheme)
	host, port, err := net.SplitHostPort(c.Operation.Host)
	if err != nil {
		host, port = c.Operation.Host, ""
	}
	of.text("server.address", host)
	if n, err := strconv.Atoi(port); err == nil {
		of.number("server.port", n)
	} else if c.Operation.Scheme == "https" {
		of.number("server.port", 443)
	}
	of.number("http.request.resend_count", c.Attempt-1)
	of.number("http.response.status_code", c.Status)
	of.text("patchbay.upstream", c.Operation.Namespace)
	of.text("patchbay.operation", c.Operation.Name)
	switch {
	case c.Failed:
		of.text("error.type", c.Kind.String())
		of.text("patchbay.outcome", c.Outcome.String())
	case c.Status >= 400:
		of.text("error.type", strconv.Itoa(c.Status))
	}
	if c.Failed || c.Status >= 400 {
		s.Status.Code = spanFailed
	}
	s.Attributes = of
	return s
}
