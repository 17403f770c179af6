package engine_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// What an MCP request may cost beside net/http's server, and beside the
// upstream client where one is called.
const (
	mcpAllocations = 150
	mcpBytes       = 16 << 10
)

// leastServer answers with a fixed text, after a call of the upstream where it
// has one: what net/http itself takes for such a request.
func leastServer(t testing.TB, upstream, body string) *httptest.Server {
	transport := &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	kind := []string{"application/json"}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if upstream != "" {
			out, err := http.NewRequestWithContext(r.Context(), http.MethodGet, upstream, nil)
			if err != nil {
				return
			}
			out.SetBasicAuth(upstreamUser, upstreamPassword)
			answer, err := transport.RoundTrip(out)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
		w.Header()["Content-Type"] = kind
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s
}

// cost is what one run allocates in this process, on average.
func cost(run func()) (allocations, bytes float64) {
	const runs = 400
	for range 50 { // connections, pools, caches
		run()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		run()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / runs, float64(after.TotalAlloc-before.TotalAlloc) / runs
}

// mcpTracks are tools/call and tools/list in both eras.
func mcpTracks(t testing.TB) (map[string]*track, string) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = io.WriteString(w, answerBody)
	}))
	t.Cleanup(upstream.Close)
	s := serve(t, settings{upstreamURL: upstream.URL + "/v1", discardLog: true})
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	kind := []string{"application/json"}
	legacy := http.Header{"Content-Type": kind, "Accept": kind, "Mcp-Protocol-Version": {legacyRevision}}
	modern := func(method, name string) http.Header {
		h := http.Header{"Content-Type": kind, "Accept": kind, "Mcp-Protocol-Version": {modernRevision}, "Mcp-Method": {method}}
		if name != "" {
			h.Set("Mcp-Name", name)
		}
		return h
	}
	const tool = "twilio-fetch-interaction"
	arguments, url := `{"InteractionSid":"`+interaction+`"}`, "http://"+s.mcp+"/mcp"
	list := func(meta string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + meta + `}}`
	}
	return map[string]*track{
		"call " + legacyRevision: {client, http.MethodPost, url, legacy, callMessage(1, tool, arguments, ""), 200},
		"call " + modernRevision: {client, http.MethodPost, url, modern("tools/call", tool), callMessage(1, tool, arguments, ","+modernMeta), 200},
		"list " + legacyRevision: {client, http.MethodPost, url, legacy, list(""), 200},
		"list " + modernRevision: {client, http.MethodPost, url, modern("tools/list", ""), list(modernMeta), 200},
	}, upstream.URL + "/v1/Interactions/" + interaction
}

// answerTo is the answer to a track's request.
func answerTo(t testing.TB, r *track) string {
	request, err := http.NewRequest(r.method, r.url, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = r.header.Clone()
	answer, err := r.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || strings.Contains(string(body), `"error"`) {
		t.Fatal(err, string(body))
	}
	return string(body)
}

// TestMCPAllocations: a call with its checks, its upstream call and structured
// content, and a list, in both eras.
func TestMCPAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	all, upstream := mcpTracks(t)
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			body := answerTo(t, r)
			if strings.HasPrefix(name, "call") != strings.Contains(body, `"structuredContent":{"sid"`) {
				t.Fatalf("the answer is %s", body)
			}
			calls := ""
			if strings.HasPrefix(name, "call") {
				calls = upstream
			}
			least := *r
			least.url = leastServer(t, calls, body).URL
			allocations, bytes := cost(func() { r.run(t) })
			leastAllocations, leastBytes := cost(func() { least.run(t) })
			allocations, bytes = allocations-leastAllocations, bytes-leastBytes
			t.Logf("beside net/http (%.0f allocations, %.0f bytes): %.0f allocations, %.0f bytes", leastAllocations, leastBytes, allocations, bytes)
			if allocations > mcpAllocations || bytes > mcpBytes {
				t.Errorf("%.0f allocations and %.0f bytes, at most %d and %d", allocations, bytes, mcpAllocations, mcpBytes)
			}
		})
	}
}

func BenchmarkMCP(b *testing.B) {
	all, _ := mcpTracks(b)
	for _, name := range []string{"call " + legacyRevision, "call " + modernRevision, "list " + legacyRevision, "list " + modernRevision} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				all[name].run(b)
			}
		})
	}
}
