package telemetry

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/fault"
)

// scraped are the samples of our own metrics that are not zero, without buckets
// and times.
func scraped(t *testing.T, m *Metrics) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	var out []string
	lines := bufio.NewScanner(w.Body)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "patchbay_") && !strings.Contains(line, "_bucket{") && !strings.Contains(line, "_seconds") &&
			!strings.HasPrefix(line, "patchbay_build_info") && !strings.HasSuffix(line, " 0") {
			out = append(out, strings.TrimPrefix(line, "patchbay_"))
		}
	}
	return out
}

func TestCounts(t *testing.T) {
	m := NewMetrics("test")
	l := New(Config{Log: slog.New(slog.DiscardHandler), Metrics: m})
	op := m.Operation(OperationInfo{Protocol: "rest", Adapter: "a", Name: "get"})
	tool := m.Operation(OperationInfo{Protocol: "mcp", Adapter: "t", Name: "tool", Tool: true})
	request := func(op *Operation, a Access) {
		a.Protocol, a.Adapter = "rest", "a"
		if op != nil {
			a.Protocol = op.Protocol
			a.Reach(op)
		}
		l.Log(context.Background(), &a)
	}
	request(op, Access{Status: 200})
	request(op, Access{Status: 200})
	request(op, Access{Status: 404, UpstreamStatus: 404})
	request(op, Access{Status: 503, UpstreamStatus: 503})
	request(op, Access{Status: 400, Fault: fault.New(fault.InvalidInput, "")})
	request(op, Access{Status: 504, Fault: fault.New(fault.Timeout, "")})
	request(tool, Access{})
	request(tool, Access{Failed: true, UpstreamStatus: 404})
	request(nil, Access{Status: 401, Fault: fault.New(fault.Unauthenticated, "")})
	request(nil, Access{Status: 200}) // a page

	up := m.Upstream(UpstreamInfo{Namespace: "up", Host: "api.example", Concurrency: "Twilio-Concurrent-Requests"})
	call := up.Operation("read", "GET", "/x/{y}")
	attempt := func(number, status int, header http.Header, f *fault.Fault) {
		a := call.Begin(context.Background(), number, time.Now())
		a.End(time.Now(), status, header, f)
	}
	attempt(1, 200, http.Header{"Twilio-Concurrent-Requests": {"3"}}, nil)
	attempt(1, 0, nil, fault.New(fault.Unreachable, ""))
	call.Retry("upstream-unreachable")
	attempt(2, 429, http.Header{"Twilio-Concurrent-Requests": {"many"}}, nil)
	up.Rejected(ByConcurrency)
	up.Rejected(ByBreaker)
	up.Queued(1)
	up.Breaker(BreakerOpen)
	m.Reloaded(false, 0)
	opened, closed := m.Connections("a")
	opened()
	opened()
	closed()

	want := []string{
		`connections{listener="a"} 1`,
		`connections_total{listener="a"} 2`,
		`reloads_total{result="failure"} 1`,
		`request_errors_total{adapter="a",kind="invalid-input",operation="get",protocol="rest"} 1`,
		`request_errors_total{adapter="a",kind="upstream-status",operation="get",protocol="rest"} 2`,
		`request_errors_total{adapter="a",kind="upstream-timeout",operation="get",protocol="rest"} 1`,
		`request_errors_total{adapter="t",kind="upstream-status",operation="tool",protocol="mcp"} 1`,
		`requests_rejected_total{adapter="a",kind="unauthenticated",protocol="rest"} 1`,
		`requests_total{adapter="a",operation="get",protocol="rest",status="200"} 2`,
		`requests_total{adapter="a",operation="get",protocol="rest",status="400"} 1`,
		`requests_total{adapter="a",operation="get",protocol="rest",status="404"} 1`,
		`requests_total{adapter="a",operation="get",protocol="rest",status="503"} 1`,
		`requests_total{adapter="a",operation="get",protocol="rest",status="504"} 1`,
		`requests_total{adapter="t",operation="tool",protocol="mcp",status="error"} 1`,
		`requests_total{adapter="t",operation="tool",protocol="mcp",status="ok"} 1`,
		`upstream_breaker_state{upstream="up"} 2`,
		`upstream_breaker_transitions_total{state="open",upstream="up"} 1`,
		`upstream_provider_concurrent_requests{upstream="up"} 3`,
		`upstream_queued{upstream="up"} 1`,
		`upstream_rejected_total{reason="breaker",upstream="up"} 1`,
		`upstream_rejected_total{reason="concurrency",upstream="up"} 1`,
		`upstream_requests_total{operation="read",status="200",upstream="up"} 1`,
		`upstream_requests_total{operation="read",status="429",upstream="up"} 1`,
		`upstream_requests_total{operation="read",status="upstream-unreachable",upstream="up"} 1`,
		`upstream_retries_total{operation="read",reason="upstream-unreachable",upstream="up"} 1`,
	}
	if d := cmp.Diff(want, scraped(t, m)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A nil upstream, as a client without counters has it, counts nothing.
func TestNothingIsCounted(t *testing.T) {
	var up *Upstream
	up.Queued(1)
	up.Rejected(ByRate)
	up.Breaker(BreakerOpen)
	call := up.Operation("x", "GET", "/")
	call.Retry("x")
	attempt := call.Begin(context.Background(), 1, time.Now())
	attempt.Inject(nil)
	attempt.End(time.Now(), 200, nil, nil)
	up.BreakerIs(BreakerOpen)
}

// Callers cannot make series: whatever they send, the number of samples stays.
func TestCardinality(t *testing.T) {
	m := NewMetrics("test")
	l := New(Config{Log: slog.New(slog.DiscardHandler), Metrics: m})
	op := m.Operation(OperationInfo{Protocol: "rest", Adapter: "a", Name: "get", Method: "GET", Route: "/x/{y}"})
	request := func(i int) {
		text := fmt.Sprint("caller", i)
		a := Access{Protocol: "rest", Method: text, Route: text, Status: 400, RequestID: text, Caller: text, Fault: fault.New(fault.InvalidInput, "%s", text)}
		if i%2 == 0 {
			a.Reach(op)
		}
		l.Log(context.Background(), &a)
	}
	for i := range 4 {
		request(i)
	}
	before := len(scraped(t, m))
	for i := range 1000 {
		request(i)
	}
	if after := len(scraped(t, m)); after != before {
		t.Errorf("%d samples became %d", before, after)
	}
}

// following is a request with one call, told of everywhere but in the log.
func following(exporter *Exporter) func() {
	m := NewMetrics("test")
	l := New(Config{Log: slog.New(slog.DiscardHandler), Metrics: m, Recent: NewRecent(), Exporter: exporter})
	op := m.Operation(OperationInfo{Protocol: "rest", Adapter: "a", Name: "get"})
	call := m.Upstream(UpstreamInfo{Namespace: "up"}).Operation("read", "GET", "/x")
	ctx, header := context.Background(), http.Header{}
	given := Carrier{Traceparent: []string{parentUnsampled}}
	a := new(Access)
	return func() {
		*a = Access{Protocol: "rest", Status: 200}
		within := a.Begin(ctx, l, given, time.Now())
		a.Reach(op)
		attempt := call.Begin(within, 1, time.Now())
		attempt.Inject(header)
		attempt.End(time.Now(), 200, nil, nil)
		l.Log(within, a)
	}
}

// What is told on the path of a request allocates nothing, once it was met: with
// metrics, with the last requests kept, and with a trace that is not sampled.
func TestFollowingAllocatesNothing(t *testing.T) {
	for name, exporter := range map[string]*Exporter{"nothing is collected": nil, "not sampled": {}} {
		if took := testing.AllocsPerRun(200, following(exporter)); took > 0 {
			t.Errorf("%s: %.0f allocations", name, took)
		}
	}
}

func BenchmarkFollowing(b *testing.B) {
	run := following(&Exporter{})
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}

func TestSeriesAreBoundOnce(t *testing.T) {
	var s series[int, *int]
	var mu sync.Mutex
	bound := map[int]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for key := range 100 {
				v := s.of(key, func(key int) *int {
					mu.Lock()
					defer mu.Unlock()
					bound[key]++
					return &key
				})
				if *v != key {
					t.Errorf("%d for %d", *v, key)
				}
			}
		})
	}
	wg.Wait()
	for key, times := range bound {
		if times != 1 {
			t.Errorf("%d was bound %d times", key, times)
		}
	}
}

// Every metric of our own is described, and every description is of one.
func TestFamilies(t *testing.T) {
	m := NewMetrics("test")
	var names []string
	for _, f := range m.Families() {
		if f.Help == "" || f.Kind == "" || slices.Contains(names, f.Name) {
			t.Errorf("%+v", f)
		}
		names = append(names, f.Name)
	}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "patchbay_") && !slices.Contains(names, f.GetName()) {
			t.Errorf("%s is not described", f.GetName())
		}
	}
}

// What a caller or an upstream says cannot make a line of its own, in any form
// of the log and of audit lines.
func TestLogInjection(t *testing.T) {
	const evil = "x\n{\"msg\":\"audit\",\"caller\":\"admin\"}\r\nlevel=ERROR msg=forged\u2028\x1b[31m"
	for _, format := range []string{"text", "json"} {
		var out, audit strings.Builder
		log, err := NewLog(&out, format, slog.LevelDebug)
		if err != nil {
			t.Fatal(err)
		}
		m := NewMetrics("test")
		l := New(Config{Log: log, Metrics: m, Audit: m.AuditTo(&audit)})
		op := m.Operation(OperationInfo{Protocol: "rest", Adapter: "a", Name: "op", Changes: true, Targets: []string{"POST host/x"}})
		a := &Access{Protocol: "rest", Method: evil, Route: evil, RequestID: evil, Caller: evil, Era: evil, Status: 502, Fault: &fault.Fault{Kind: fault.Decode, Cause: fmt.Errorf("%s", evil)}}
		a.Reach(op)
		l.Log(WithPeer(context.Background(), evil), a)
		for name, text := range map[string]string{"log": out.String(), "audit": audit.String()} {
			if lines := strings.Count(strings.TrimSuffix(text, "\n"), "\n"); lines != 0 || text == "" || strings.ContainsAny(text, "\r\x1b") {
				t.Errorf("%s, %s: %d more lines:\n%q", format, name, lines, text)
			}
		}
	}
}

// An audit line that cannot be written is seen.
func TestAuditFailures(t *testing.T) {
	m := NewMetrics("test")
	l := New(Config{Log: slog.New(slog.DiscardHandler), Metrics: m, Audit: m.AuditTo(broken{})})
	a := &Access{Protocol: "rest", Status: 200}
	a.Reach(m.Operation(OperationInfo{Protocol: "rest", Adapter: "a", Name: "op", Changes: true}))
	l.Log(context.Background(), a)
	if got := strings.Join(scraped(t, m), "\n"); !strings.Contains(got, "audit_failures_total 1") {
		t.Error(got)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// Audit lines have no level: who asks for errors only gets them all the same.
func TestAuditHasNoLevel(t *testing.T) {
	var out strings.Builder
	log, err := NewLog(&out, "json", slog.LevelError)
	if err != nil {
		t.Fatal(err)
	}
	l := NewLogger(log)
	a := &Access{Protocol: "rest", Status: 200, IdempotencyKey: KeyHash("k"), Caller: "alice"}
	a.Reach(l.Metrics().Operation(OperationInfo{Protocol: "rest", Adapter: "a", Name: "op", Changes: true, Targets: []string{"POST host/x/{y}"}}))
	l.Log(context.Background(), a)
	for _, part := range []string{`"msg":"audit"`, `"caller":"alice"`, `"target":"POST host/x/{y}"`, `"idempotency_key_sha256":"8254c329a92850f6"`} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %s in %s", part, out.String())
		}
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%s", out.String())
	}
}
