package mcp

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	core "patchbay/internal/mcp"
	"patchbay/internal/plan"
	"patchbay/internal/telemetry"
)

// endpoint serves the first MCP adapter of a bound plan.
func endpoint(t testing.TB, b *plan.Bound, change func(*Options)) *Endpoint {
	t.Helper()
	opts := Options{
		Bound: b, Adapter: b.Plan.MCP[0], Version: "1", MaxResult: 64 << 10,
		Log: telemetry.NewLogger(slog.New(slog.DiscardHandler)), IDs: telemetry.NewIDs(),
	}
	if change != nil {
		change(&opts)
	}
	e, err := NewEndpoint([]Member{{Options: opts}}, core.HTTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// response is what a client gets.
type response struct {
	status int
	raw    string
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
		Data    json.RawMessage
	}
}

// call sends a request of 2025-11-25.
func call(t testing.TB, h *Endpoint, path, method, params string) response {
	t.Helper()
	return exchange(t, h, path, `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":`+params+`}`, http.Header{"Mcp-Protocol-Version": {"2025-11-25"}})
}

// callModern sends a request of 2026-07-28 that mirrors no name.
func callModern(t testing.TB, h *Endpoint, path, method, params string) response {
	t.Helper()
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	if params != "{}" {
		meta += ","
	}
	return exchange(t, h, path, `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{`+meta+strings.TrimPrefix(params, "{")+`}`,
		http.Header{"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {method}})
}

func exchange(t testing.TB, h *Endpoint, path, body string, header http.Header) response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	r.Header = header
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	out := response{status: w.Code, raw: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v in %s", path, err, out.raw)
	}
	return out
}

// names are a member of each element of a list in a result.
func names(t testing.TB, result json.RawMessage, list, member string) []string {
	t.Helper()
	root := value(t, string(result))
	var out []string
	for _, e := range root.Get(list).Elems() {
		out = append(out, e.Value.Get(member).Text())
	}
	return out
}
