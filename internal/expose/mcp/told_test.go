package mcp

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"patchbay/internal/bind"
	"patchbay/internal/idempotency"
	"patchbay/internal/plan"
	"patchbay/internal/spec"
	"patchbay/internal/telemetry"
	"patchbay/internal/upstream"
)

// brokenStore is a store of idempotency keys that panics when it has something to
// keep.
type brokenStore struct{}

func (brokenStore) Claim(context.Context, idempotency.ID, idempotency.Print) (*idempotency.Record, error) {
	return nil, nil
}

func (brokenStore) Settle(idempotency.ID, *idempotency.Record) { panic("the store is broken") }

func (brokenStore) Free(idempotency.ID) {}

const parcels = `
naftiko: 1.0.0-alpha2
info: {label: Parcels, description: Parcels}
capability:
  consumes:
  - type: http
    namespace: parcels
    baseUri: https://parcels.example.test
    description: Parcels
    resources:
    - name: parcels
      path: /parcels
      operations: [{name: send, method: POST}, {name: list, method: GET}]
  exposes:
  - type: mcp
    namespace: parcels-mcp
    port: 9090
    description: Parcels
    tools:
    - {name: send, description: Sends a parcel, call: parcels.send}
    resources:
    - {name: sent, label: Sent, description: What was sent, uri: 'parcels://sent', call: parcels.list}
`

// TestPanics: a tool over which something panics after its call is answered with
// an error that says what is known, and told once, audit line included.
func TestPanics(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	t.Cleanup(up.Close)
	doc, found := spec.Load("parcels.yaml", []byte(parcels))
	p, more := plan.Compile(doc, plan.Options{})
	env, err := bind.New(bind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log := telemetry.NewLogger(slog.New(slog.NewJSONHandler(&out, nil)))
	b, most := plan.Bind(p, plan.BindOptions{
		Environment: env, BaseURLs: map[string]string{"parcels": up.URL}, Upstream: upstream.Defaults(), Metrics: log.Metrics(),
	})
	if found = append(append(found, more...), most...); found.HasErrors() {
		t.Fatal(found)
	}
	t.Cleanup(b.Close)
	h := endpoint(t, b, func(o *Options) {
		o.Log, o.Keys = log, idempotency.NewKeeper(t.Context(), brokenStore{}, time.Minute)
	})
	got := call(t, h, "/mcp", "tools/call", `{"name":"send","arguments":{},"_meta":{"patchbay/idempotencyKey":"k"}}`)
	if got.Error != nil || !strings.Contains(got.raw, `"isError":true`) || !strings.Contains(got.raw, "Outcome: unknown") {
		t.Errorf("the client got %s", got.raw)
	}
	lines := out.String()
	for part, times := range map[string]int{
		`"msg":"request"`: 1, `"level":"ERROR","msg":"panic"`: 1, `"msg":"audit"`: 1, `"outcome":"unknown","result":"failed"`: 1, `"fault":"internal"`: 2,
	} {
		if n := strings.Count(lines, part); n != times {
			t.Errorf("%s stands there %d times: %s", part, n, lines)
		}
	}
	if !strings.Contains(lines, "told_test.go") {
		t.Errorf("there is no stack: %s", lines)
	}
	// A resource of an operation is told like a tool. This one has nothing to run with.
	a := &adapter{Options: Options{Log: log, IDs: telemetry.NewIDs(), Adapter: p.MCP[0]}}
	counts := log.Metrics().Operation(telemetry.OperationInfo{Protocol: "mcp", Adapter: "parcels-mcp", Name: "sent", Method: "resources/read", Changes: true})
	out.Reset()
	if _, err := a.readDynamic(t.Context(), p.MCP[0].Resources[0], counts, "parcels://sent"); err == nil || !strings.Contains(err.Error(), "an internal error occurred") {
		t.Errorf("the resource got %v", err)
	}
	if lines := out.String(); strings.Count(lines, `"msg":"panic"`) != 1 || strings.Count(lines, `"msg":"audit"`) != 1 || !strings.Contains(lines, `"outcome":"no_call"`) {
		t.Error(lines)
	}
	w := httptest.NewRecorder()
	log.Metrics().Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{`patchbay_requests_in_flight{adapter="parcels-mcp",protocol="mcp"} 0`, `patchbay_request_errors_total{adapter="parcels-mcp",kind="internal",operation="send",protocol="mcp"} 1`} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("no %s in %s", line, w.Body)
		}
	}
}
