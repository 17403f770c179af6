package telemetry

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"patchbay/internal/secret"
)

// How many requests are kept for the control listener. Errors have a ring of
// their own: a burst of successes does not push the one failure out.
const (
	recentRequests = 256
	recentErrors   = 64
)

// Recent keeps the last requests and the last errors of a process. It holds
// what the log would say and no more, in memory that is taken once. It is safe
// for concurrent use; a nil Recent keeps nothing.
type Recent struct {
	mu           sync.Mutex
	all, errors  []record
	seen, failed int
}

// NewRecent returns an empty one.
func NewRecent() *Recent {
	return &Recent{all: make([]record, recentRequests), errors: make([]record, recentErrors)}
}

// record is a request that is over, as values: nothing of it keeps the request
// itself in memory.
type record struct {
	id           TraceID
	span, parent SpanID
	start        time.Time
	duration     time.Duration
	operation    *Operation
	protocol     string
	adapter      string
	name         string
	method       string
	route        string
	requestID    string
	caller       string
	era          string
	revision     string
	transport    string
	state        string
	status       int
	upstream     int
	result       Result
	kind         string
	outcome      string
	effects      []string
	replayed     bool
	secure       bool
	cause        string
	missed       int
	count        int
	calls        [maxCalls]Call
}

// fill copies a request into the record.
func (r *record) fill(a *Access, mask *secret.Mask) {
	t := &a.Trace
	r.id, r.span, r.parent, r.start, r.duration = t.id, t.span, t.parent, t.start, a.Duration
	r.operation, r.protocol, r.adapter, r.name, r.method, r.route = a.Op, a.Protocol, a.Adapter, a.Operation, a.Method, a.Route
	r.requestID, r.caller, r.era, r.status, r.upstream, r.result = a.RequestID, a.Caller, a.Era, a.Status, a.UpstreamStatus, a.Result()
	r.secure, r.transport, r.revision, r.state = a.Secure, a.Transport, a.Revision, strings.Join(t.carried.Tracestate, ",")
	r.kind, r.outcome, r.effects, r.replayed, r.cause = a.errorKind(), a.doubtful(), a.effects(), a.Replayed, ""
	if a.Fault != nil && a.Fault.Cause != nil {
		r.cause = causeOf(a.Fault.Cause, mask)
	}
	r.missed, r.count = t.missed, copy(r.calls[:], t.calls)
}

func (r *Recent) add(a *Access, mask *secret.Mask) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[r.seen%len(r.all)].fill(a, mask)
	r.seen++
	if a.Result() == Failed {
		r.errors[r.failed%len(r.errors)].fill(a, mask)
		r.failed++
	}
}

// TraceView is a request as the control listener tells it.
type TraceView struct {
	TraceID        string     `json:"trace_id"`
	SpanID         string     `json:"span_id"`
	ParentID       string     `json:"parent_id,omitempty"`
	Time           time.Time  `json:"time"`
	Milliseconds   float64    `json:"duration_ms"`
	Protocol       string     `json:"protocol"`
	Adapter        string     `json:"adapter,omitempty"`
	Operation      string     `json:"operation,omitempty"`
	Method         string     `json:"method"`
	Route          string     `json:"route,omitempty"`
	Status         int        `json:"status,omitempty"`
	UpstreamStatus int        `json:"upstream_status,omitempty"`
	Result         string     `json:"result"`
	Fault          string     `json:"fault,omitempty"`
	Outcome        string     `json:"outcome,omitempty"`
	Effects        []string   `json:"effects,omitempty"`
	Replayed       bool       `json:"replayed,omitempty"`
	Cause          string     `json:"cause,omitempty"`
	RequestID      string     `json:"request_id,omitempty"`
	Caller         string     `json:"caller,omitempty"`
	Era            string     `json:"era,omitempty"`
	Calls          []CallView `json:"calls"`
	MissedCalls    int        `json:"missed_calls,omitempty"`
}

// CallView is one attempt of an upstream call.
type CallView struct {
	Upstream          string  `json:"upstream"`
	Operation         string  `json:"operation"`
	Method            string  `json:"method"`
	Host              string  `json:"host"`
	Template          string  `json:"template"`
	Attempt           int     `json:"attempt"`
	Status            int     `json:"status,omitempty"`
	Fault             string  `json:"fault,omitempty"`
	Outcome           string  `json:"outcome,omitempty"`
	StartMilliseconds float64 `json:"start_ms"`
	Milliseconds      float64 `json:"duration_ms"`
}

// RecentView is what the control listener shows.
type RecentView struct {
	// Traces and Errors are newest first; Seen and Failed count all there were.
	Traces []TraceView `json:"traces"`
	Errors []TraceView `json:"errors"`
	Seen   int         `json:"seen"`
	Failed int         `json:"failed"`
}

// Filter chooses requests; empty fields choose all.
type Filter struct {
	Adapter, Operation, Result, TraceID string
	// Limit bounds each list, 0 at what is kept.
	Limit int
}

func (f *Filter) keeps(r *record) bool {
	return (f.Adapter == "" || f.Adapter == r.adapter) && (f.Operation == "" || f.Operation == r.name) &&
		(f.Result == "" || f.Result == r.result.String()) && (f.TraceID == "" || f.TraceID == r.id.String())
}

// View returns what is kept.
func (r *Recent) View(f Filter) RecentView {
	if r == nil {
		return RecentView{Traces: []TraceView{}, Errors: []TraceView{}}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return RecentView{Traces: newest(r.all, r.seen, &f), Errors: newest(r.errors, r.failed, &f), Seen: r.seen, Failed: r.failed}
}

// newest lists a ring backwards.
func newest(ring []record, seen int, f *Filter) []TraceView {
	out := []TraceView{}
	for i := seen - 1; i >= 0 && i >= seen-len(ring); i-- {
		if f.Limit > 0 && len(out) == f.Limit {
			break
		}
		if r := &ring[i%len(ring)]; f.keeps(r) {
			out = append(out, r.view())
		}
	}
	return out
}

func (r *record) view() TraceView {
	v := TraceView{
		TraceID: r.id.String(), SpanID: r.span.String(), Time: r.start.UTC(), Milliseconds: milliseconds(r.duration),
		Protocol: r.protocol, Adapter: r.adapter, Operation: r.name, Method: r.method, Route: r.route, Status: r.status, UpstreamStatus: r.upstream,
		Result: r.result.String(), Fault: r.kind, Outcome: r.outcome, Effects: r.effects, Replayed: r.replayed, Cause: r.cause, RequestID: r.requestID, Caller: r.caller, Era: r.era,
		Calls: []CallView{}, MissedCalls: r.missed,
	}
	if r.parent != (SpanID{}) {
		v.ParentID = r.parent.String()
	}
	for i := range r.calls[:r.count] {
		c := &r.calls[i]
		call := CallView{
			Upstream: c.Operation.Namespace, Operation: c.Operation.Name, Method: c.Operation.Method, Host: c.Operation.Host, Template: c.Operation.Template,
			Attempt: c.Attempt, Status: c.Status, StartMilliseconds: milliseconds(c.Start), Milliseconds: milliseconds(c.Duration),
		}
		if c.Failed {
			call.Fault, call.Outcome = c.Kind.String(), c.Outcome.String()
		}
		v.Calls = append(v.Calls, call)
	}
	return v
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// ServeHTTP answers with the view as JSON; ?adapter=, ?operation=, ?result=,
// ?trace_id= and ?limit= choose.
func (r *Recent) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	q := req.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	view := r.View(Filter{Adapter: q.Get("adapter"), Operation: q.Get("operation"), Result: q.Get("result"), TraceID: q.Get("trace_id"), Limit: max(limit, 0)})
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(view)
}
