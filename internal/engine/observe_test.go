package engine_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/internal/bind"
	"patchbay/internal/deploy"
	"patchbay/internal/diag"
	"patchbay/internal/engine"
	"patchbay/internal/secret"
)

// control opens the control listener of a site and returns its host:port.
func (s *site) control() string {
	s.t.Helper()
	at, err := s.engine.StartControl(s.options)
	if err != nil {
		s.t.Fatal(err)
	}
	u, err := url.Parse(at)
	if err != nil {
		s.t.Fatal(err)
	}
	return u.Host
}

func withControl(o *deploy.Options) { o.Control.Listen = "127.0.0.1:0" }

// get asks the control listener.
func (s *site) get(host, path string) *answer { return s.send(host, "GET "+path+"\n") }

// TestControl walks over the control listener: what is there, for whom, and
// what is refused.
func TestControl(t *testing.T) {
	s := serve(t, settings{options: withControl})
	at := s.control()
	s.REST("GET /v1/interactions/" + interaction + "\nX-Request-Id: mine")
	for _, c := range []struct {
		request string
		status  int
		says    string
	}{
		{"GET /health/live", 200, `"status": "live"`},
		{"GET /health/ready", 200, `"status": "ready"`},
		{"HEAD /health/ready", 200, ""},
		{"GET /status", 200, `"namespace": "flex-interactions-rest"`},
		{"GET /metrics", 200, `patchbay_requests_total{adapter="flex-interactions-rest",operation="fetchinteraction",protocol="rest",status="200"} 1`},
		{"GET /metrics", 200, "go_goroutines"},
		{"GET /traces", 200, `"request_id":"mine"`},
		{"GET /traces?operation=other", 200, `{"traces":[],"errors":[],"seen":1,"failed":0}`},
		{"GET /", 200, "fetchinteraction"},
		{"GET /.patchbay/problems", 200, "upstream-timeout"},
		{"GET /nothing", 404, "#not-found"},
		{"GET //status", 404, "#not-found"},
		{"GET /reload", 404, "#not-found"},
		{"POST /status", 405, "#method-not-allowed"},
		{"GET /status\nHost: attacker.example", 403, "#forbidden"},
		{"GET /status\nOrigin: https://attacker.example", 403, "#forbidden"},
		{"POST /reload\nSec-Fetch-Site: cross-site", 403, "#forbidden"},
		{"GET /traces\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate", 403, "#forbidden"},
	} {
		a := s.send(at, c.request)
		if a.status != c.status || !strings.Contains(a.body, c.says) {
			t.Errorf("%s: %d %s, want %d with %q", c.request, a.status, a.body, c.status, c.says)
		}
		if a.status != 403 && a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be stored: %s", c.request, a)
		}
	}
	// The adapter's own pages, which callers can reach, say nothing of requests.
	for _, page := range []string{"/.patchbay/", "/traces", "/metrics", "/status", "/health/ready"} {
		if a := s.REST("GET " + page); strings.Contains(a.body, "mine") || page != "/.patchbay/" && a.status != 404 {
			t.Errorf("%s is on the adapter: %s", page, a)
		}
	}
}

// TestReadiness: requests are wanted from the first deployment until the end
// begins, and only while every upstream can be called.
func TestReadiness(t *testing.T) {
	s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
	d, problems, err := s.bind(settings{options: withControl})
	if err != nil || problems.HasErrors() {
		t.Fatal(err, problems)
	}
	at := s.control()
	ready := func(status int, says string) {
		t.Helper()
		if a := s.get(at, "/health/ready"); a.status != status || !strings.Contains(a.body, says) {
			t.Errorf("got %d %s, want %d with %q", a.status, a.body, status, says)
		}
		if a := s.get(at, "/health/live"); a.status != 200 {
			t.Errorf("not live: %s", a)
		}
	}
	ready(503, "no deployment is in service yet")
	served, err := s.engine.Start(d)
	if err != nil {
		t.Fatal(err)
	}
	ready(200, "ready")

	// A call under way keeps the end waiting, and the control listener open.
	arrived, release := make(chan struct{}), make(chan struct{})
	s.upstream.script(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		_, _ = io.WriteString(w, "{}")
	})
	u, _ := url.Parse(served[0].URL)
	answered := make(chan *answer)
	go func() { answered <- s.send(u.Host, "GET /v1/interactions/"+interaction) }()
	<-arrived
	ended := make(chan error)
	go func() { ended <- s.engine.Shutdown(20 * time.Second) }()
	for deadline := time.Now().Add(10 * time.Second); s.get(at, "/health/ready").status == 200; {
		if time.Now().After(deadline) {
			t.Fatal("still ready")
		}
	}
	ready(503, "stopping")
	close(release)
	if a := <-answered; a.status != 200 {
		t.Errorf("the call under way: %s", a)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestUnconfiguredIsNotReady(t *testing.T) {
	s := &site{t: t, upstream: newRecorder(t), log: &logBuffer{}, answers: &logBuffer{}}
	opts := deploy.Defaults()
	withControl(&opts)
	for _, ns := range []string{"flex-interactions-rest", "flex-interactions-mcp"} {
		opts.Listen[ns] = "127.0.0.1:0"
	}
	s.options = &opts
	loaded, _, err := engine.Load(&opts)
	if err != nil {
		t.Fatal(err)
	}
	d := s.lenient(loaded, &opts)
	if _, err := s.engine.Start(d); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.engine.Shutdown(10 * time.Second) }()
	at := s.control()
	for path, says := range map[string]string{"/health/ready": "TWILIO_USER", "/status": `"state": "unconfigured"`} {
		if a := s.get(at, path); !strings.Contains(a.body, says) || path == "/health/ready" && a.status != 503 {
			t.Errorf("%s: %s", path, a)
		}
	}
}

// TestControlBeyondLoopback: it does not open for everybody, and its keys open
// all but what a probe has to see.
func TestControlBeyondLoopback(t *testing.T) {
	s := serve(t, settings{options: func(o *deploy.Options) { o.Control.Listen = "0.0.0.0:0" }})
	if _, err := s.engine.StartControl(s.options); err == nil || !strings.Contains(err.Error(), "without credentials") {
		t.Fatalf("it opened: %v", err)
	}
	s.options.Control.Auth = &deploy.Auth{Keys: []deploy.Key{{Name: "ops", Scheme: "bearer", Secret: secret.New("operators-token")}}}
	_, port, _ := strings.Cut(s.control(), ":")
	at := "127.0.0.1:" + port
	for path, status := range map[string]int{"/health/live": 200, "/health/ready": 200, "/status": 401, "/metrics": 401, "/traces": 401, "/": 401, "/reload": 401, "/nothing": 401} {
		if a := s.get(at, path); a.status != status || status == 401 && a.header.Get("WWW-Authenticate") != `Bearer realm="patchbay"` {
			t.Errorf("%s without a key: %s", path, a)
		}
		if a := s.send(at, "GET "+path+"\nAuthorization: Bearer operators-token"); a.status == 401 {
			t.Errorf("%s with the key: %s", path, a)
		}
	}
}

// TestControlIsNoPages: origins that may call adapters may not look at the process.
func TestControlIsNoPages(t *testing.T) {
	s := serve(t, settings{options: func(o *deploy.Options) {
		withControl(o)
		o.AllowOrigins = []string{"https://app.example"}
	}})
	at := s.control()
	for _, path := range []string{"GET /traces", "POST /reload", "GET /status"} {
		if a := s.send(at, path+"\nOrigin: https://app.example\n"); a.status != 403 || a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %s", path, a)
		}
	}
}

func TestReloadOverControl(t *testing.T) {
	var wrong diag.List
	var s *site
	s = serve(t, settings{options: withControl, source: func(_ context.Context, with engine.BindOptions) (*engine.Deployment, diag.List, error) {
		if wrong != nil {
			return nil, wrong, nil
		}
		d := s.engine.Current()
		with.Environment, _ = bind.New(bind.Options{Process: func(string) (string, bool) { return "ACf00d-another", true }})
		return engine.Bind(d.Loaded, d.Options, with)
	}})
	at := s.control()
	if a := s.send(at, "POST /reload"); a.status != 200 || !strings.Contains(a.body, `"ok": true`) || !strings.Contains(a.body, `"generation": 2`) || !strings.Contains(a.body, `"trigger": "a request"`) {
		t.Errorf("a reload: %s", a)
	}
	wrong.Errorf("test.what", diag.Span{File: "capability.yaml", Line: 3, Col: 1}, "what is this")
	if a := s.send(at, "POST /reload"); a.status != 400 || a.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(a.body, "capability.yaml:3:1") {
		t.Errorf("a reload that fails: %s", a)
	}
	if a := s.get(at, "/status"); !strings.Contains(a.body, `"ok": false`) || !strings.Contains(a.body, "what is this") || !strings.Contains(a.body, `"at": "capability.yaml:3:1"`) {
		t.Errorf("the status: %s", a)
	}
	metrics := s.get(at, "/metrics").body
	for _, line := range []string{`patchbay_reloads_total{result="success"} 1`, `patchbay_reloads_total{result="failure"} 1`, "patchbay_last_reload_successful 0"} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no %s", line)
		}
	}
	if a := s.get(at, "/health/ready"); a.status != 200 {
		t.Errorf("a failed reload is not the end: %s", a)
	}
}

// TestTraceContext: a caller's trace goes on upstream, over REST and MCP, where
// the message's own context comes before the header's.
func TestTraceContext(t *testing.T) {
	const (
		inHeader = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		inMeta   = "00-11111111111111111111111111111111-2222222222222222-01"
	)
	s := serve(t, settings{options: withControl})
	at := s.control()
	headers := "Traceparent: " + inHeader + "\nTracestate: a=1\nBaggage: b=2\n"
	arguments := `{"InteractionSid":"` + interaction + `"}`
	meta := `,"_meta":{"traceparent":"` + inMeta + `","tracestate":"c=3","baggage":"d=4"}`
	mcpHead := "POST /mcp\nContent-Type: application/json\n"
	for name, c := range map[string]struct {
		host, request                    string
		traceparent, tracestate, baggage string
	}{
		"REST":           {s.rest, "GET /v1/interactions/" + interaction + "\n" + headers, inHeader, "a=1", "b=2"},
		"MCP, header":    {s.mcp, mcpHead + headers + "\n" + callMessage(1, "twilio-fetch-interaction", arguments, ""), inHeader, "a=1", "b=2"},
		"MCP, _meta":     {s.mcp, mcpHead + headers + "\n" + callMessage(1, "twilio-fetch-interaction", arguments, meta), inMeta, "c=3", "d=4"},
		"REST, nothing":  {s.rest, "GET /v1/interactions/" + interaction + "\n", "", "", ""},
		"REST, nonsense": {s.rest, "GET /v1/interactions/" + interaction + "\nTraceparent: 00-zz\nTracestate: a=1\n", "", "", ""},
	} {
		s.send(c.host, c.request)
		requests := s.upstream.take()
		if len(requests) != 1 {
			t.Errorf("%s: %d calls", name, len(requests))
			continue
		}
		h := requests[0].header
		if h.Get("Traceparent") != c.traceparent || h.Get("Tracestate") != c.tracestate || h.Get("Baggage") != c.baggage {
			t.Errorf("%s: %v", name, h)
		}
		if c.traceparent != "" {
			trace := c.traceparent[3:35]
			if a := s.get(at, "/traces?trace_id="+trace); !strings.Contains(a.body, `"trace_id":"`+trace+`"`) {
				t.Errorf("%s: %s", name, a.body)
			}
			if !strings.Contains(s.log.String(), `"trace_id":"`+trace+`"`) {
				t.Errorf("%s: not in the log", name)
			}
		}
	}
}

// TestPropagate: an operator can keep a caller's context from a provider.
func TestPropagate(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for propagate, want := range map[string][2]string{"": {parent, "b=2"}, "all": {parent, "b=2"}, "trace": {parent, ""}, "none": {"", ""}} {
		s := serve(t, settings{options: func(o *deploy.Options) {
			o.UpstreamSettings = map[string]deploy.Upstream{"": {Propagate: propagate}}
		}})
		s.REST("GET /v1/interactions/" + interaction + "\nTraceparent: " + parent + "\nBaggage: b=2")
		h := s.upstream.take()[0].header
		if got := [2]string{h.Get("Traceparent"), h.Get("Baggage")}; got != want {
			t.Errorf("%q: %q, want %q", propagate, got, want)
		}
	}
}

// TestAudit: a line for each call that may change something, also for those
// that were refused, and for no other; in a file that can be moved away.
func TestAudit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	s := serve(t, settings{options: func(o *deploy.Options) { o.Telemetry.Audit = path }})
	lines := func(path string) []map[string]any {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var out []map[string]any
		for line := range strings.Lines(string(text)) {
			var v map[string]any
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatal(err)
			}
			out = append(out, v)
		}
		return out
	}
	rest, tool, arguments := create(anyBody)
	s.REST("GET /v1/interactions/" + interaction)
	s.REST(rest)
	s.upstream.script(cuts)
	s.REST(rest)
	s.upstream.script(answersJSON(400, twilioError(45004, 400, "Invalid Channel")))
	s.REST(rest)
	s.send(s.mcp, legacyCall(tool, arguments))
	s.REST("POST /v1/interactions\nContent-Type: application/json\n\n{}")
	var got []string
	for _, line := range lines(path) {
		if line["peer"] == "" || line["target"] == "" || len(line["trace_id"].(string)) != 32 {
			t.Errorf("%v", line)
		}
		got = append(got, line["protocol"].(string)+" "+line["operation"].(string)+" "+line["outcome"].(string))
	}
	want := []string{
		"rest createinteraction done", "rest createinteraction unknown", "rest createinteraction refused_by_upstream",
		"mcp twilio-create-interaction refused_by_upstream", "rest createinteraction no_call",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if strings.Contains(s.log.String(), `"msg":"audit"`) {
		t.Error("audit lines are in the log too")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := s.engine.ReopenAudit(); err != nil {
		t.Fatal(err)
	}
	s.REST(rest)
	if a, b := len(lines(path+".1")), len(lines(path)); a != len(want) || b != 1 {
		t.Errorf("%d lines in the old file, %d in the new one", a, b)
	}
}
