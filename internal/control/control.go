// Package control is what an operator sees of a running process: whether it
// lives and is ready, what it serves, its metrics, and its last requests; and
// the one thing that can be done here, which is to reload. It knows the engine
// only as functions and values that it is given, and is never reached by
// callers of an adapter: it has a listener of its own.
package control

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"patchbay/internal/auth"
	"patchbay/internal/fault"
	"patchbay/internal/problem"
	"patchbay/internal/telemetry"
)

// Options are what the pages are made of. Verifier, Reload and Refused may be
// nil.
type Options struct {
	// Verifier admits callers; nil lets everybody in who reaches the listener.
	Verifier *auth.Verifier
	// Status is called for each request that wants to know.
	Status func() Status
	// Metrics serves /metrics.
	Metrics http.Handler
	Recent  *telemetry.Recent
	// Reload takes the deployment's files and options anew, and returns why the
	// old ones stay in service.
	Reload func(context.Context) error
	// Problems is the page that explains problems, served at its usual place.
	Problems http.Handler
	IDs      *telemetry.IDs
	// Refused is told of requests that were refused.
	Refused func(r *http.Request, status int, requestID string, f *fault.Fault)
}

// Status is the state of the process. It holds no secrets: whoever fills it
// gives names, addresses and counts.
type Status struct {
	Version string    `json:"version"`
	Go      string    `json:"go"`
	State   State     `json:"state"`
	Reasons []string  `json:"reasons,omitempty"`
	Started time.Time `json:"started"`
	Uptime  float64   `json:"uptime_seconds"`

	Files     []File     `json:"files"`
	Skipped   []Skipped  `json:"skipped,omitempty"`
	Adapters  []Adapter  `json:"adapters"`
	Upstreams []Upstream `json:"upstreams"`
	// Generation counts the deployments that have been in service; Reload is the
	// last one, nil before the first.
	Generation int64   `json:"generation"`
	Reload     *Reload `json:"last_reload,omitempty"`
}

// State is where the process is in its life.
type State string

// The states. Only Ready wants requests.
const (
	Starting State = "starting"
	Ready    State = "ready"
	NotReady State = "not_ready"
	Draining State = "draining"
)

// File is a capability file that is served.
type File struct {
	File     string `json:"file"`
	Label    string `json:"label"`
	Embedded bool   `json:"embedded,omitempty"`
}

// Skipped is a file that is not.
type Skipped struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// Adapter is one that listens.
type Adapter struct {
	Namespace  string `json:"namespace"`
	Type       string `json:"type"`
	URL        string `json:"url"`
	Operations int    `json:"operations"`
	// Guarded reports that callers are checked.
	Guarded bool `json:"guarded"`
}

// Upstream is a consumed API.
type Upstream struct {
	Namespace string `json:"namespace"`
	Host      string `json:"host,omitempty"`
	// State is configured, unconfigured or simulated; Missing says what an
	// unconfigured one lacks.
	State   string `json:"state"`
	Missing string `json:"missing,omitempty"`
	// Breaker is closed, half_open or open.
	Breaker string `json:"breaker"`
}

// Reload is how a reload went.
type Reload struct {
	Time time.Time `json:"time"`
	// Trigger is what asked for it, Seconds how long it took.
	Trigger string  `json:"trigger"`
	OK      bool    `json:"ok"`
	Seconds float64 `json:"seconds"`
	// Error says why the deployment before it is still in service.
	Error string `json:"error,omitempty"`
	// Findings are those about the files, errors first; MoreFindings are left out.
	Findings     []Finding `json:"findings,omitempty"`
	MoreFindings int       `json:"more_findings,omitempty"`
	// Opened and Closed are addresses, Restart settings that take full effect with the
	// next start.
	Opened  []string `json:"opened,omitempty"`
	Closed  []string `json:"closed,omitempty"`
	Restart []string `json:"restart,omitempty"`
}

// Finding is one about a file.
type Finding struct {
	At       string `json:"at"`
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

// Handler serves the control listener. It is safe for concurrent use.
type Handler struct {
	opts   Options
	routes map[string]route
}

// route is a path with the one method that it has beside HEAD.
type route struct {
	method string
	serve  http.HandlerFunc
	// open needs no credentials.
	open bool
}

// New returns the handler.
func New(opts Options) *Handler {
	h := &Handler{opts: opts}
	h.routes = map[string]route{
		"/":             {method: http.MethodGet, serve: h.overview},
		"/health/live":  {method: http.MethodGet, serve: live, open: true},
		"/health/ready": {method: http.MethodGet, serve: h.ready, open: true},
		"/status":       {method: http.MethodGet, serve: h.status},
		"/metrics":      {method: http.MethodGet, serve: opts.Metrics.ServeHTTP},
		"/traces":       {method: http.MethodGet, serve: opts.Recent.ServeHTTP},
	}
	if opts.Problems != nil {
		h.routes["/.patchbay/problems"] = route{method: http.MethodGet, serve: opts.Problems.ServeHTTP, open: true}
	}
	if opts.Reload != nil {
		h.routes["/reload"] = route{method: http.MethodPost, serve: h.reload}
	}
	return h
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header["X-Content-Type-Options"] = []string{"nosniff"}
	header["Cache-Control"] = []string{"no-store"}
	header["Content-Security-Policy"] = []string{"default-src 'none'"}
	header["X-Frame-Options"] = []string{"DENY"}
	header["Referrer-Policy"] = []string{"no-referrer"}
	at, found := h.routes[r.URL.EscapedPath()]
	if !at.open {
		if _, refused := h.opts.Verifier.Verify(r); refused != nil {
			refused.Write(header)
			h.refuse(w, r, fault.New(fault.Unauthenticated, "the control listener wants credentials"))
			return
		}
	}
	switch {
	case !found:
		f := fault.New(fault.NotFound, "nothing is at this path")
		f.Hint = "there is " + strings.Join(h.paths(), ", ")
		h.refuse(w, r, f)
	case r.Method != at.method && (r.Method != http.MethodHead || at.method != http.MethodGet):
		f := fault.New(fault.MethodNotAllowed, "this path answers %s only", at.method)
		f.Allow = []string{at.method}
		h.refuse(w, r, f)
	default:
		at.serve(w, r)
	}
}

// paths are those that there are, in their order.
func (h *Handler) paths() []string {
	var out []string
	for path := range h.routes {
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}

func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	id := h.opts.IDs.Accept(r.Header.Get("X-Request-Id"))
	status := problem.Write(w, f, id)
	if h.opts.Refused != nil {
		h.opts.Refused(r, status, id, f)
	}
}

// live says that the process answers, which is all that it says.
func live(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]string{"status": "live"})
}

// ready says whether requests are wanted. Why they are not is for those only
// who may see the status.
func (h *Handler) ready(w http.ResponseWriter, r *http.Request) {
	s := h.opts.Status()
	answer := struct {
		Status  State    `json:"status"`
		Reasons []string `json:"reasons,omitempty"`
	}{Status: s.State}
	if _, refused := h.opts.Verifier.Verify(r); refused == nil {
		answer.Reasons = s.Reasons
	}
	code := http.StatusOK
	if s.State != Ready {
		code = http.StatusServiceUnavailable
	}
	write(w, code, answer)
}

func (h *Handler) status(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, h.opts.Status())
}

// reload answers with the status when the new deployment serves, and with a
// problem that says why the old one still does.
func (h *Handler) reload(w http.ResponseWriter, r *http.Request) {
	if err := h.opts.Reload(r.Context()); err != nil {
		f := fault.New(fault.InvalidInput, "the deployment before is still in service: %v", err)
		f.Hint = "correct what is wrong and reload again; /status has the last result"
		h.refuse(w, r, f)
		return
	}
	write(w, http.StatusOK, h.opts.Status())
}

func write(w http.ResponseWriter, status int, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
