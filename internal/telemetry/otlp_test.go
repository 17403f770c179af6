package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"patchbay/internal/fault"
	"patchbay/internal/secret"
)

var update = flag.Bool("update", false, "rewrite what testdata expects")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collector is a receiver of OTLP over HTTP. It answers by script, and with 200
// where that has ended.
type collector struct {
	*httptest.Server
	mu     sync.Mutex
	script []int
	// got are the bodies by path, and posts how often anything was sent.
	got    map[string][][]byte
	posts  int
	header http.Header
	// arrived gets a value for each post.
	arrived chan struct{}
}

func newCollector(t *testing.T, script ...int) *collector {
	c := &collector{script: script, got: map[string][][]byte{}, arrived: make(chan struct{}, 100)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		defer func() { c.arrived <- struct{}{} }()
		c.posts++
		c.header = r.Header
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || !json.Valid(body) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		status := http.StatusOK
		if len(c.script) > 0 && strings.HasSuffix(r.URL.Path, "traces") {
			status, c.script = c.script[0], c.script[1:]
		}
		if status == http.StatusOK {
			c.got[r.URL.Path] = append(c.got[r.URL.Path], body)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(c.Close)
	return c
}

// bodies are what came to a path.
func (c *collector) bodies(path string) [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got[path]
}

// sender is a logger whose traces go to a collector.
type sender struct {
	*Logger
	exporter *Exporter
	op       *Operation
	call     *UpstreamOperation
}

func newSender(t *testing.T, to string, change func(*ExporterOptions)) *sender {
	t.Helper()
	m := NewMetrics("1.2.3")
	opts := ExporterOptions{
		Endpoint: to, Service: "patchbay", Version: "1.2.3", Instance: "one", Log: slog.New(slog.DiscardHandler), Metrics: m,
		Batch: time.Millisecond, Backoff: time.Millisecond,
	}
	if change != nil {
		change(&opts)
	}
	e, err := NewExporter(opts)
	if err != nil {
		t.Fatal(err)
	}
	return &sender{
		Logger: New(Config{Log: slog.New(slog.DiscardHandler), Metrics: m, Exporter: e, Sample: 1}), exporter: e,
		op: m.Operation(OperationInfo{Protocol: "rest", Adapter: "a-rest", Name: "get", Method: "GET", Route: "/v1/x/{y}", Secure: true}),
		call: m.Upstream(UpstreamInfo{Namespace: "a", Scheme: "https", Host: "api.example"}).
			Operation("read", "GET", "/x/{y}"),
	}
}

// request sends one request with one call through the logger.
func (s *sender) request(given Carrier, change func(*Access)) {
	a := &Access{Protocol: "rest", Method: "GET", Route: "/v1/x/{y}", Status: 200, UpstreamStatus: 200, RequestID: "r-1", Duration: 5 * time.Millisecond}
	ctx := a.Begin(context.Background(), s.Logger, given, time.Unix(1700000000, 0))
	a.Reach(s.op)
	attempt := s.call.Begin(ctx, 1, time.Now())
	attempt.End(time.Now(), 200, nil, nil)
	if change != nil {
		change(a)
	}
	s.Log(ctx, a)
}

func (s *sender) close(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s.exporter.Close(ctx)
}

// dropped is how many traces were not sent.
func (s *sender) dropped(t *testing.T) string {
	for _, line := range scraped(t, s.metrics) {
		if n, ok := strings.CutPrefix(line, `telemetry_dropped_total{signal="traces"} `); ok {
			return n
		}
	}
	return "0"
}

// TestSpans compares what is sent with testdata: the spans of a table of
// requests, without what chance decides.
func TestSpans(t *testing.T) {
	m := NewMetrics("test")
	l := New(Config{Log: slog.New(slog.DiscardHandler), Metrics: m, Exporter: &Exporter{}, Sample: 1})
	up := m.Upstream(UpstreamInfo{Namespace: "flex", Scheme: "https", Host: "flex-api.twilio.com"})
	create := up.Operation("create", "POST", "/Interactions")
	local := m.Upstream(UpstreamInfo{Namespace: "local", Scheme: "http", Host: "127.0.0.1:81"}).Operation("read", "GET", "/x/{y}")
	post := m.Operation(OperationInfo{Protocol: "rest", Adapter: "flex-rest", Name: "create", Method: "POST", Route: "/v1/interactions"})
	tool := m.Operation(OperationInfo{Protocol: "mcp", Adapter: "flex-mcp", Name: "create-interaction", Method: "tools/call", Tool: true})
	list := m.Operation(OperationInfo{Protocol: "mcp", Adapter: "flex-mcp", Name: "tools/list", Method: "tools/list"})
	type tried struct {
		call   *UpstreamOperation
		status int
		fault  *fault.Fault
	}
	var out strings.Builder
	for _, c := range []struct {
		name   string
		op     *Operation
		given  Carrier
		access Access
		tried  []tried
	}{
		{"a success of REST", post, Carrier{}, Access{Protocol: "rest", Secure: true, Method: "POST", Route: "/v1/interactions", Status: 201, RequestID: "r", Caller: "alice"}, []tried{{create, 201, nil}}},
		{"a caller's trace", post, Carrier{Traceparent: []string{parentSampled}, Tracestate: []string{"a=1"}}, Access{Protocol: "rest", Method: "POST", Route: "/v1/interactions", Status: 404, UpstreamStatus: 404}, []tried{{create, 404, nil}}},
		{
			"a retry that failed", post,
			Carrier{},
			Access{Protocol: "rest", Method: "POST", Route: "/v1/interactions", Status: 504, Fault: &fault.Fault{Kind: fault.Timeout, Outcome: fault.Unknown, Cause: errors.New("reset by sesame")}},
			[]tried{{local, 0, &fault.Fault{Kind: fault.Unreachable, Outcome: fault.NotSent}}, {local, 0, &fault.Fault{Kind: fault.Timeout, Outcome: fault.Unknown}}},
		},
		{
			"a step that was answered with an error, again", post,
			Carrier{},
			Access{Protocol: "rest", Method: "POST", Route: "/v1/interactions", Status: 503, Outcome: fault.Unknown, Effects: []string{"first", "second"}, Replayed: true},
			nil,
		},
		{"a route that does not exist", nil, Carrier{}, Access{Protocol: "rest", Method: "BREW", Status: 404, Fault: fault.New(fault.NotFound, "")}, nil},
		{"a tool", tool, Carrier{}, Access{Protocol: "mcp", Method: "tools/call", Revision: "2026-07-28", Transport: "stdio"}, []tried{{create, 201, nil}}},
		{"a tool that failed", tool, Carrier{}, Access{Protocol: "mcp", Method: "tools/call", Revision: "2025-11-25", Transport: "http", Failed: true, UpstreamStatus: 404}, []tried{{create, 404, nil}}},
		{"a method that does not exist", nil, Carrier{}, Access{Protocol: "mcp", Method: "tools/invented", Failed: true, Fault: fault.New(fault.InvalidInput, "")}, nil},
		{"a list", list, Carrier{}, Access{Protocol: "mcp", Adapter: "flex-mcp", Method: "tools/list", Revision: "2025-11-25", Transport: "http"}, nil},
	} {
		a := &c.access
		mask := &secret.Mask{}
		mask.Add(secret.New("sesame"))
		ctx := a.Begin(context.Background(), l, c.given, time.Unix(1700000000, 0))
		if c.op != nil {
			a.Reach(c.op)
		}
		for i, try := range c.tried {
			attempt := try.call.Begin(ctx, i+1, time.Now())
			attempt.End(time.Now(), try.status, nil, try.fault)
		}
		a.Duration = 5 * time.Millisecond
		a.Leave()
		var r record
		r.fill(a, mask)
		spans := r.spans()
		out.WriteString("-- " + c.name + " --\n")
		for i := range spans {
			s := &spans[i]
			if i > 0 && s.ParentID != spans[0].SpanID || s.TraceID != spans[0].TraceID || len(s.SpanID) != 16 || s.End < s.Start {
				t.Errorf("%s: span %d is none of the trace", c.name, i)
			}
			fmt.Fprintf(&out, "%s\n  kind %d, status %d %s\n", s.Name, s.Kind, s.Status.Code, s.Status.Message)
			if c.given.Traceparent != nil && i == 0 {
				fmt.Fprintf(&out, "  trace %s, parent %s, state %s\n", s.TraceID, s.ParentID, s.TraceState)
			}
			for _, of := range s.Attributes {
				text, err := json.Marshal(of.Value)
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case of.Value.String != nil:
					fmt.Fprintf(&out, "  %s: %q\n", of.Key, *of.Value.String)
				case of.Value.Int != "":
					fmt.Fprintf(&out, "  %s: %s\n", of.Key, of.Value.Int)
				default:
					fmt.Fprintf(&out, "  %s: %s\n", of.Key, text)
				}
			}
		}
	}
	golden(t, "spans.txt", out.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

// TestDelivery sends traces to a collector that refuses in various ways.
func TestDelivery(t *testing.T) {
	for _, c := range []struct {
		name   string
		script []int
		// posts of traces, and whether they arrive.
		posts   int
		arrives bool
	}{
		{"at once", nil, 1, true},
		{"after a pause", []int{503, 429}, 3, true},
		{"not wanted", []int{400}, 1, false},
		{"moved", []int{302}, 1, false},
		{"never", []int{503, 503, 503, 503, 503, 503, 503}, maxAttempts, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := newCollector(t, c.script...)
			s := newSender(t, at.URL+"/", func(o *ExporterOptions) {
				o.Headers = map[string]secret.Value{"X-Token": secret.New("sesame-open")}
				o.Interval = time.Hour
			})
			s.request(Carrier{}, nil)
			for range c.posts {
				<-at.arrived
			}
			s.close(t) // sends the metrics
			at.mu.Lock()
			posts, token := at.posts-1, at.header.Get("X-Token")
			at.mu.Unlock()
			if arrived := len(at.bodies("/v1/traces")) > 0; posts != c.posts || arrived != c.arrives {
				t.Errorf("%d posts, want %d; arrived: %v", posts, c.posts, arrived)
			}
			if token != "sesame-open" {
				t.Errorf("the header is %q", token)
			}
			if want := map[bool]string{true: "0", false: "1"}[c.arrives]; s.dropped(t) != want {
				t.Errorf("%s dropped", s.dropped(t))
			}
			if len(at.bodies("/v1/metrics")) != 1 {
				t.Error("no metrics at the end")
			}
		})
	}
}

// TestPartialSuccess: what a collector says that it rejected of a delivery is
// counted as dropped, in both forms of numbers; nothing else that it says is.
func TestPartialSuccess(t *testing.T) {
	for said, want := range map[string]string{
		`{"partialSuccess":{"rejectedSpans":"2","errorMessage":"not \"sesame\", says sesame-open"}}`: "2",
		`{"partialSuccess":{"rejectedSpans":2}}`:                                                     "2",
		`{"partialSuccess":{"errorMessage":"deprecated"}}`:                                           "0",
		`{"partialSuccess":{"rejectedSpans":"-1"}}`:                                                  "0",
		`{"partialSuccess":null}`:                                                                    "0",
		`{"partialSuccess":7}`:                                                                       "0",
		`{}`:                                                                                         "0",
		``:                                                                                           "0",
		`no JSON`:                                                                                    "0",
	} {
		at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if strings.HasSuffix(r.URL.Path, "/traces") {
				_, _ = io.WriteString(w, said)
			}
		}))
		var log bytes.Buffer
		mask := &secret.Mask{}
		mask.Add(secret.New("sesame-open"))
		s := newSender(t, at.URL, func(o *ExporterOptions) {
			o.Batch, o.Interval, o.Mask, o.Log = time.Hour, time.Hour, mask, slog.New(slog.NewTextHandler(&log, nil))
		})
		s.request(Carrier{}, nil)
		s.close(t)
		at.Close()
		if got := s.dropped(t); got != want || strings.Contains(log.String(), "sesame") || (want != "0") != strings.Contains(log.String(), "only a part") {
			t.Errorf("%s: %s dropped, and %s", said, got, log.String())
		}
	}
}

// TestCollectorIsNotTold: an address of a collector may hold a token in its path,
// which no failure puts into the log.
func TestCollectorIsNotTold(t *testing.T) {
	at := httptest.NewServer(nil)
	at.Close() // nobody listens there any more
	var log bytes.Buffer
	s := newSender(t, at.URL+"/otlp/t0ken-in-the-path", func(o *ExporterOptions) {
		o.Batch, o.Interval, o.Log = time.Hour, time.Hour, slog.New(slog.NewTextHandler(&log, nil))
	})
	s.request(Carrier{}, nil)
	s.close(t)
	if text := log.String(); strings.Contains(text, "t0ken") || !strings.Contains(text, "did not take telemetry") || !strings.Contains(text, "dial tcp") {
		t.Error(text)
	}
}

// What waits is sent at the end, in batches.
func TestFlush(t *testing.T) {
	at := newCollector(t)
	s := newSender(t, at.URL, func(o *ExporterOptions) { o.Batch, o.Interval = time.Hour, time.Hour })
	const all = 2*batchLength + 1
	for range all {
		s.request(Carrier{}, nil)
	}
	s.close(t)
	spans := 0
	for _, body := range at.bodies("/v1/traces") {
		spans += strings.Count(string(body), `"spanId"`)
	}
	if spans != 2*all || len(at.bodies("/v1/traces")) != 3 {
		t.Errorf("%d spans in %d batches", spans, len(at.bodies("/v1/traces")))
	}
}

// A collector that hangs holds nobody up: what finds no room is dropped and
// counted, and the end comes in its time.
func TestOverflow(t *testing.T) {
	release := make(chan struct{})
	at := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer at.Close()
	defer close(release)
	s := newSender(t, at.URL, func(o *ExporterOptions) { o.Batch, o.Interval = time.Hour, time.Hour })
	for range queueLength + 2*batchLength + 7 {
		s.request(Carrier{}, nil)
	}
	if s.dropped(t) == "0" {
		t.Error("nothing was dropped")
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	s.exporter.Close(ended)
}

// A parent that is not sampled, or a share of none, sends nothing.
func TestUnsampledIsNotSent(t *testing.T) {
	at := newCollector(t)
	s := newSender(t, at.URL, func(o *ExporterOptions) { o.Interval = time.Hour })
	s.request(Carrier{Traceparent: []string{parentUnsampled}}, nil)
	s.sample = 0
	s.request(Carrier{}, nil)
	s.close(t)
	if n := len(at.bodies("/v1/traces")); n != 0 {
		t.Errorf("%d deliveries", n)
	}
}

// TestMetricsAsOTLP compares the metrics of one request with testdata.
func TestMetricsAsOTLP(t *testing.T) {
	s := newSender(t, "http://127.0.0.1:1", func(o *ExporterOptions) { o.Interval = time.Hour })
	defer s.exporter.Close(canceled())
	tool := s.metrics.Operation(OperationInfo{Protocol: "mcp", Adapter: "a-mcp", Name: "tool", Method: "tools/call", Tool: true})
	a := &Access{Protocol: "mcp", Failed: true, Duration: 70 * time.Second}
	a.Reach(tool)
	s.Log(context.Background(), a)
	b := &Access{Protocol: "rest", Status: 200, Duration: 3 * time.Millisecond}
	b.Reach(s.op)
	s.Log(context.Background(), b)
	body, err := s.metrics.encode(&s.exporter.resource, time.Unix(1700000000, 0), time.Unix(1700000060, 0))
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		ResourceMetrics []struct {
			ScopeMetrics []struct{ Metrics []json.RawMessage }
		}
	}
	if err := json.Unmarshal(body, &document); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, m := range document.ResourceMetrics[0].ScopeMetrics[0].Metrics {
		text := string(m)
		if !strings.Contains(text, "build_info") && !strings.Contains(text, "timestamp") {
			out.WriteString(text + "\n")
		}
	}
	golden(t, "metrics.jsonl", out.String())
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestExporterAddress(t *testing.T) {
	for _, address := range []string{"", "collector:4318", "ftp://collector", "http://", "http://user:hunter2@collector", "http://collector?key=hunter2"} {
		if e, err := NewExporter(ExporterOptions{Endpoint: address}); err == nil || strings.Contains(err.Error(), "hunter2") {
			e.Close(canceled())
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestParseHeaders(t *testing.T) {
	got, err := ParseHeaders("api-key=a%20b, x-tenant=7")
	if err != nil || len(got) != 2 || got["api-key"].Reveal() != "a b" || got["x-tenant"].Reveal() != "7" {
		t.Errorf("%v %v", got, err)
	}
	for _, bad := range []string{"hunter2", "=hunter2", "a b=hunter2", "a=hunter2%0d%0a", "a=%zzhunter2", "a=1,,"} {
		if _, err := ParseHeaders(bad); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
