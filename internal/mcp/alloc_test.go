package mcp_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"patchbay/internal/mcp"
)

// nullWriter is the least that a handler can write to.
type nullWriter struct {
	header http.Header
	status int
}

func (w *nullWriter) Header() http.Header         { return w.header }
func (w *nullWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *nullWriter) WriteHeader(status int)      { w.status = status }

// hotRequests are the requests whose cost matters.
func hotRequests() map[string]struct {
	body, name string
	modern     bool
} {
	return map[string]struct {
		body, name string
		modern     bool
	}{
		"modern call": {expand(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{META,"name":"trivial","arguments":{"name":"Ada"}}}`), "trivial", true},
		"legacy call": {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"trivial","arguments":{"name":"Ada"}}}`, "", false},
		"modern list": {expand(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{META}}`), "", true},
	}
}

// repeat returns a function that plays one request against the handler again and
// again, with as little of its own as possible.
func repeat(tb testing.TB, h http.Handler, body, name string, modern bool) func() {
	method := "tools/call"
	if name == "" && modern {
		method = "tools/list"
	}
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
	if modern {
		header.Set("MCP-Protocol-Version", "2026-07-28")
		header.Set("Mcp-Method", method)
		if name != "" {
			header.Set("Mcp-Name", name)
		}
	} else {
		header.Set("MCP-Protocol-Version", "2025-11-25")
	}
	src := bytes.NewReader([]byte(body))
	r := &http.Request{Method: http.MethodPost, Header: header, Body: io.NopCloser(src), ContentLength: int64(len(body))}
	w := &nullWriter{header: http.Header{}}
	return func() {
		src.Reset([]byte(body))
		clear(w.header)
		h.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			tb.Fatalf("status %d", w.status)
		}
	}
}

func trivialServer(tb testing.TB) http.Handler {
	doc := []byte(`{"greeting":"hello"}`)
	return newServer(tb, mcp.Options{
		Name: "trivial", Version: "1",
		Tools: []mcp.Tool{{
			Name: "trivial", Description: "Does nothing.", InputSchema: []byte(noInput), OutputSchema: []byte(`{"type":"object"}`),
			Call: func(context.Context, *mcp.Call) (mcp.Result, error) { return mcp.JSONResult(doc), nil },
		}},
	}).HTTPHandler(mcp.HTTPOptions{})
}

// TestAllocationCeilings bounds what a request costs beyond net/http's own work.
func TestAllocationCeilings(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const maxAllocs, maxBytes = 10, 1500
	h := trivialServer(t)
	for name, req := range hotRequests() {
		t.Run(name, func(t *testing.T) {
			play := repeat(t, h, req.body, req.name, req.modern)
			if got := testing.AllocsPerRun(200, play); got > maxAllocs {
				t.Errorf("%.0f allocations for each request, want at most %d", got, maxAllocs)
			}
			if got := bytesPerRun(200, play); got > maxBytes {
				t.Errorf("%d bytes for each request, want at most %d", got, maxBytes)
			}
		})
	}
}

func bytesPerRun(runs int, f func()) uint64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / uint64(runs)
}

func BenchmarkHTTP(b *testing.B) {
	h := trivialServer(b)
	for name, req := range hotRequests() {
		b.Run(name, func(b *testing.B) {
			play := repeat(b, h, req.body, req.name, req.modern)
			b.ReportAllocs()
			for b.Loop() {
				play()
			}
		})
	}
}

// BenchmarkLargeResult shows what a document of 100 kB costs on its way out.
func BenchmarkLargeResult(b *testing.B) {
	doc := []byte(`{"x":"` + strings.Repeat("y", 100_000) + `"}`)
	h := newServer(b, mcp.Options{Name: "large", Version: "1", Tools: []mcp.Tool{{
		Name: "trivial", InputSchema: []byte(noInput),
		Call: func(context.Context, *mcp.Call) (mcp.Result, error) { return mcp.JSONResult(doc), nil },
	}}}).HTTPHandler(mcp.HTTPOptions{})
	req := hotRequests()["modern call"]
	play := repeat(b, h, req.body, req.name, req.modern)
	b.ReportAllocs()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		play()
	}
}
