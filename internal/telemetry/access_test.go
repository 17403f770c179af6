package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/fault"
)

// logged returns the line that a request leaves, as JSON without its time.
func logged(t *testing.T, level slog.Level, a *Access) map[string]any {
	t.Helper()
	var out bytes.Buffer
	log, err := NewLog(&out, "json", level)
	if err != nil {
		t.Fatal(err)
	}
	NewLogger(log).Log(context.Background(), a)
	if out.Len() == 0 {
		return nil
	}
	line := map[string]any{}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", out.String(), err)
	}
	delete(line, "time")
	for name, length := range map[string]int{"trace_id": 32, "span_id": 16} {
		if id, ok := line[name].(string); !ok || len(id) != length {
			t.Errorf("%s is %v", name, line[name])
		}
		delete(line, name)
	}
	return line
}

func TestLog(t *testing.T) {
	for _, c := range []struct {
		name   string
		access Access
		want   map[string]any
	}{
		{
			"nothing but who",
			Access{Protocol: "rest", Adapter: "a", Method: "GET", Status: 404},
			map[string]any{"level": "INFO", "msg": "request", "protocol": "rest", "adapter": "a", "method": "GET", "status": 404.0, "duration": 0.0},
		},
		{"everything", Access{
			Protocol: "rest", Adapter: "a", Operation: "op", Method: "POST", Route: "/a/{b}", Status: 201, RequestID: "id", Duration: 2 * time.Millisecond,
			UpstreamStatus: 200, Advice: 2, Era: "2026-07-28",
		}, map[string]any{
			"level": "INFO", "msg": "request", "protocol": "rest", "adapter": "a", "operation": "op", "method": "POST", "route": "/a/{b}", "status": 201.0,
			"request_id": "id", "duration": 2e6, "upstream_status": 200.0, "advice": 2.0, "era": "2026-07-28",
		}},
		{"an upstream's failure", Access{Protocol: "rest", Status: 502}, map[string]any{
			"level": "WARN", "msg": "request", "protocol": "rest", "adapter": "", "method": "", "status": 502.0, "duration": 0.0,
		}},
		{"a tool's failure", Access{Protocol: "mcp", Failed: true, UpstreamStatus: 404}, map[string]any{
			"level": "INFO", "msg": "request", "protocol": "mcp", "adapter": "", "method": "", "duration": 0.0, "failed": true, "upstream_status": 404.0,
		}},
		{"a tool's upstream that failed", Access{Protocol: "mcp", Failed: true, UpstreamStatus: 503}, map[string]any{
			"level": "WARN", "msg": "request", "protocol": "mcp", "adapter": "", "method": "", "duration": 0.0, "failed": true, "upstream_status": 503.0,
		}},
		{"an answer that leaves it open", Access{Protocol: "rest", Status: 503, Outcome: fault.Unknown, Effects: []string{"first"}}, map[string]any{
			"level": "WARN", "msg": "request", "protocol": "rest", "adapter": "", "method": "", "status": 503.0, "duration": 0.0,
			"outcome": fault.Unknown.String(), "effects": []any{"first"},
		}},
		{"a caller's fault", Access{Protocol: "rest", Status: 400, Fault: fault.New(fault.InvalidInput, "the secret value")}, map[string]any{
			"level": "INFO", "msg": "request", "protocol": "rest", "adapter": "", "method": "", "status": 400.0, "duration": 0.0,
			"fault": fault.InvalidInput.String(), "outcome": fault.Outcome(0).String(),
		}},
		{"a fault with a cause", Access{Protocol: "mcp", Fault: &fault.Fault{Kind: fault.Timeout, Outcome: fault.Unknown, Cause: errors.New("reset")}}, map[string]any{
			"level": "WARN", "msg": "request", "protocol": "mcp", "adapter": "", "method": "", "duration": 0.0,
			"fault": fault.Timeout.String(), "outcome": fault.Unknown.String(), "cause": "reset",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, logged(t, slog.LevelInfo, &c.access)); d != "" {
				t.Errorf("line (-want +got):\n%s", d)
			}
		})
	}
	if line := logged(t, slog.LevelWarn, &Access{Status: 200}); line != nil {
		t.Errorf("a success at level warn: %v", line)
	}
}

// TestMethodsAreClipped: a method is the caller's text, of any length.
func TestMethodsAreClipped(t *testing.T) {
	long := strings.Repeat("é", 30<<10)
	for _, protocol := range []string{"rest", "mcp", "guard"} {
		var out bytes.Buffer
		recent := NewRecent()
		l := New(Config{Log: slog.New(slog.NewJSONHandler(&out, nil)), Recent: recent})
		l.Log(context.Background(), &Access{Protocol: protocol, Method: long, Status: 405})
		if kept := recent.View(Filter{}).Traces[0].Method; out.Len() > 1000 || kept != strings.Repeat("?", 64) {
			t.Errorf("%s: %d bytes are logged, and %d kept", protocol, out.Len(), len(kept))
		}
	}
	for _, method := range []string{"GET", "resources/templates/list", "notifications/roots/list_changed"} {
		if line := logged(t, slog.LevelInfo, &Access{Method: method}); line["method"] != method {
			t.Errorf("%s: %v", method, line)
		}
	}
}

func TestNewLog(t *testing.T) {
	var out bytes.Buffer
	log, err := NewLog(&out, "text", slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("no")
	log.Info("yes", "a", "b c")
	if text := out.String(); !strings.HasSuffix(text, "level=INFO msg=yes a=\"b c\"\n") || strings.Contains(text, "no") {
		t.Errorf("%q", text)
	}
	if _, err := NewLog(&out, "xml", slog.LevelInfo); err == nil || err.Error() != `"xml" is not text or json` {
		t.Errorf("%v", err)
	}
}

// A caller's name for its request is taken where it is a short token; nobody can
// write into the log with it.
func TestAccept(t *testing.T) {
	ids := NewIDs()
	for given, kept := range map[string]bool{
		"4f1e-A_b.9": true, strings.Repeat("a", 64): true,
		"": false, strings.Repeat("a", 65): false, "a b": false, "a\nb": false, `a"b`: false, "ü": false, "a/b": false,
	} {
		if got := ids.Accept(given); (got == given) != kept || got == "" {
			t.Errorf("%q became %q", given, got)
		}
	}
}

func TestNextIsUnique(t *testing.T) {
	ids := NewIDs()
	var mu sync.Mutex
	var wg sync.WaitGroup
	seen := map[string]bool{}
	for range 8 {
		wg.Go(func() {
			for range 100 {
				id := ids.Next()
				mu.Lock()
				if seen[id] || ids.Accept(id) != id {
					t.Errorf("%q", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != 800 {
		t.Errorf("%d names, want 800", len(seen))
	}
	if other := NewIDs().Next(); seen[other] {
		t.Errorf("another process would say %q too", other)
	}
}
